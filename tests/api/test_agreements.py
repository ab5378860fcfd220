"""Agreements over the API: read in words, tried, entered by several people, stopped and lifted."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from api.node_served import Api
from api.two_nodes import AGREEMENT, OWN, PARTNER, VERSION, Two, make_two
from isthmus.access import sessions, store
from isthmus.access.model import Actor, Role
from isthmus.agreements import shipped
from isthmus.kernel.time import SetClock
from isthmus.reference.codelist import LOCALES

TEXT = shipped.text_of(AGREEMENT)
WIDER = TEXT.replace("\nversion: 1\n", "\nversion: 2\n", 1).replace(
    "keep_days: 365", "keep_days: 400", 1
)
NARROWER = TEXT.replace("\nversion: 1\n", "\nversion: 2\n", 1).replace(
    "fields: ['*']", "fields: [reason]", 1
)


@pytest.fixture
def two(tmp_path) -> Iterator[Two]:
    made = make_two(tmp_path, SetClock())
    yield made
    made.api.node.close()
    made.there.database.close()


def client_of(api: Api, actor: Actor) -> TestClient:
    """A client of any person, by a session of their own."""
    _, token = api.node.database.write(
        lambda tx: sessions.start(tx, store.person(tx, actor.id), api.node.session_terms)
    )
    return TestClient(
        api.app, base_url="http://node.test", headers={"Authorization": f"Bearer {token}"}
    )


def code(answer) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


def test_the_register_tells_what_is_in_force_and_what_is_only_known(two):
    with two.api.client(Role.LEGAL_OFFICER) as client:
        told = client.get("/api/agreements").json()
    first, *others = told["items"]
    assert (first["agreement"], first["standing"], first["fictional"]) == (
        AGREEMENT, "active", True,
    )  # fmt: skip
    known = {one["agreement"]: one for one in others}
    declaration = known["PA-BE-FR-NL-2025"]
    assert declaration["standing"] == "known"
    assert declaration["authority"] == "It commits and discloses nothing by itself."
    assert not declaration["binding"]
    unseen = [one for one in others if not one["public"]]
    assert unseen
    assert all("text" in one["lacks"] and one["completeness"] < 100 for one in unseen)
    assert all("gives no authority" in one["authority"] for one in unseen)


@pytest.mark.parametrize("language", LOCALES)
def test_a_clause_is_read_in_words_and_its_examples_hold(two, language):
    with two.api.client(Role.ANALYST) as client:
        told = client.get(f"/api/agreements/{AGREEMENT}?language={language}").json()
    assert told["signed_by"] == [PARTNER, OWN]
    clause = told["clauses"][0]
    assert clause["in_force"]
    assert clause["examples"]
    assert all(one["passed"] for one in clause["examples"])
    parts = [one["part"] for one in clause["says"]]
    assert parts[:5] == ["who", "fields", "persons", "purposes", "modes"]
    assert "interval" in parts
    assert OWN in clause["says"][0]["text"]
    assert "{" not in " ".join(one["text"] for one in clause["says"])


def test_a_file_is_checked_and_what_is_wrong_is_said_with_its_place(two):
    with two.api.client(Role.LEGAL_OFFICER) as client:
        good = client.post("/api/agreements/check", json={"text": TEXT}).json()
        assert (good["failed"], good["agreement"]) == (0, AGREEMENT)
        wrong = TEXT.replace("modes: [on_request]", "modes: [by_pigeon]", 1)
        bad = client.post("/api/agreements/check", json={"text": wrong})
        assert bad.status_code == 422
        assert bad.json()["where"]["path"].startswith("clauses.1.permits.modes")
        assert "by_pigeon" in bad.json()["message"]
        torn = client.post("/api/agreements/check", json={"text": "agreement: [\n"})
        assert torn.json()["where"]["line"] >= 1
        meant = TEXT.replace("because: too_secret", "because: not_in_force", 1)
        failed = client.post("/api/agreements/check", json={"text": meant}).json()
        assert failed["failed"] == 1
        assert next(one["wrong"] for one in failed["examples"] if not one["passed"])


def test_a_decision_is_tried_field_by_field_with_its_clause(two):
    ask = {"recipient": PARTNER, "purpose": "targeting", "mode": "spontaneous", "kind": "alert"}
    with two.api.client(Role.LEGAL_OFFICER) as client:
        told = client.post("/api/agreements/decide", json=ask).json()
        fields = {one["field"]: one for one in told["fields"]}
        assert fields["containers"]["released"]
        assert fields["containers"]["clause"] == f"{AGREEMENT}/art-3"
        assert not fields["persons.0.name"]["released"]
        assert fields["persons.0.name"]["clause"] == f"{AGREEMENT}/art-7"
        court = client.post("/api/agreements/decide", json={**ask, "purpose": "judicial"}).json()
        assert not any(one["released"] for one in court["fields"])
        assert court["duties"] == []
        nobody = client.post("/api/agreements/decide", json={**ask, "recipient": "FR-DGDDI"})
        assert {one["clause"] for one in nobody.json()["fields"]} == {None}
        neither = client.post("/api/agreements/decide", json={**ask, "kind": None})
        assert code(neither) == (422, "kind_missing")
        graded = {**ask, "source": "A", "conditions": ["case_number"]}
        fields = client.post("/api/agreements/decide", json=graded).json()["fields"]
        assert {one["field"]: one["released"] for one in fields}["persons.0.name"]
        held = {**ask, "kind": None, "item": two.alert().id}
        assert code(client.post("/api/agreements/decide", json=held)) == (403, "permission_missing")
    with two.api.client(Role.ANALYST) as client:
        told = client.post("/api/agreements/decide", json=held).json()
        fields = {one["field"]: one["released"] for one in told["fields"]}
        assert (fields["containers"], fields["persons.0.name"]) == (True, False)
        assert "A. Someone" not in str(told)
        gone = {**held, "item": "PA-ANA:alr_none"}
        assert code(client.post("/api/agreements/decide", json=gone)) == (404, "item_unknown")
    assert two.api.audit("item.send") == []


def test_a_version_goes_its_way_by_different_people(two):
    drafter, first, second = (client_of(two.api, one) for one in two.lawyers)
    assert code(drafter.post("/api/agreements", json={"text": TEXT})) == (409, "agreement_known")
    made = drafter.post("/api/agreements", json={"text": WIDER})
    assert made.json() == {"id": f"{AGREEMENT}@2", "state": "draft"}
    path = f"/api/agreements/{AGREEMENT}@2"
    assert code(drafter.post(f"{path}/review")) == (403, "second_person")
    assert first.post(f"{path}/review").json()["state"] == "legal_review"
    assert code(first.post(f"{path}/review")) == (403, "second_person")
    assert second.post(f"{path}/review").json()["state"] == "tested"
    activate = {"fictional": True}
    assert code(second.post(f"{path}/activate", json={})) == (409, "agreement_fictional")
    assert code(second.post(f"{path}/activate", json=activate)) == (409, "signatures_missing")
    signature = second.post(f"{path}/sign").json()["signature"]
    again = {"party": PARTNER, "signature": signature}
    assert code(second.post(f"{path}/signatures", json=again)) == (403, "signature_wrong")
    told = second.get(f"/api/agreements/{AGREEMENT}").json()
    assert [one["state"] for one in told["versions"]] == ["tested", "active"]


def test_what_a_change_would_have_altered_is_told_before(two):
    item = two.alert()
    two.send(item)
    drafter = client_of(two.api, two.lawyers[0])
    drafter.post("/api/agreements", json={"text": NARROWER})
    seen = drafter.get(f"/api/agreements/{AGREEMENT}@2/effect").json()
    assert (seen["shares"], seen["widens"]) == (1, False)
    assert "containers" in seen["altered"][0]["lost"]
    same = drafter.get(f"/api/agreements/{VERSION}/effect").json()
    assert same["altered"] == []


def test_a_clause_is_stopped_by_one_and_lifted_by_another(two):
    first, second, _ = (client_of(two.api, one) for one in two.lawyers)
    path = f"/api/agreements/{AGREEMENT}"
    ask = {"ground": "essential_interests", "clause": "art-3"}
    assert code(first.post(f"{path}/suspend", json={**ask, "clause": "art-99"})) == (
        409, "state_forbids",
    )  # fmt: skip
    made = first.post(f"{path}/suspend", json=ask).json()["id"]
    told = first.get(path).json()
    assert [one["clause"] for one in told["suspensions"]] == ["art-3"]
    assert not next(one for one in told["clauses"] if one["id"] == "art-3")["in_force"]
    assert next(one for one in told["clauses"] if one["id"] == "art-4")["in_force"]
    assert code(first.post(f"/api/agreements/suspensions/{made}/lift")) == (403, "second_person")
    assert second.post(f"/api/agreements/suspensions/{made}/lift").json()["state"] == "lifted"
    assert first.get(path).json()["suspensions"] == []


@pytest.mark.parametrize("role", [Role.ANALYST, Role.AUDITOR, Role.SUPERVISOR])
def test_who_is_no_drafter_enters_nothing(two, role):
    with two.api.client(role) as client:
        assert code(client.post("/api/agreements", json={"text": WIDER})) == (
            403, "permission_missing",
        )  # fmt: skip


def test_the_overlay_is_changed_by_two_and_its_fixed_rules_by_nobody(two):
    first, second, _ = (client_of(two.api, one) for one in two.lawyers)
    two.send(two.alert())
    rule = {"id": "no-boxes", "ground": "ongoing_investigation", "fields": ["containers"]}
    tried = first.post("/api/overlay/effect", json={"rule": rule}).json()
    assert "containers" in tried["altered"][0]["lost"]
    made = first.post("/api/overlay", json={"rule": rule}).json()["id"]
    path = f"/api/overlay/changes/{made}/approve"
    assert code(first.post(path)) == (403, "second_person")
    assert second.post(path).status_code == 200
    told = first.get("/api/overlay").json()
    assert "no-boxes" in {one["id"] for one in told["rules"]}
    fixed = next(one["id"] for one in told["rules"] if one["fixed"])
    assert code(first.post(f"/api/overlay/{fixed}/remove")) == (409, "overlay_fixed")
    assert first.post("/api/overlay/no-boxes/remove").status_code == 201
    wrong = first.post("/api/overlay", json={"rule": {**rule, "weather": ["rain"]}})
    assert code(wrong) == (422, "overlay.invalid")


def test_a_commitment_ends_by_evidence_that_another_verifies(two):
    first, second, _ = (client_of(two.api, one) for one in two.lawyers)
    held = first.get("/api/commitments").json()["items"]
    one = next(row["id"] for row in held if row["agreement"] == AGREEMENT)
    assert first.post(
        "/api/commitments/advance", json={"id": one, "state": "on_track"}
    ).status_code == 200  # fmt: skip
    refused = first.post("/api/commitments/advance", json={"id": one, "state": "closed"})
    assert code(refused) == (409, "state_forbids")
    event = f"evt_{'0' * 26}"
    first.post("/api/commitments/evidence", json={"id": one, "events": [event]})
    verdict = {"id": one, "holds": True}
    assert code(first.post("/api/commitments/verify", json=verdict)) == (403, "second_person")
    assert second.post("/api/commitments/verify", json=verdict).json()["state"] == "verified"
    first.post("/api/commitments/advance", json={"id": one, "state": "closed"})
    assert code(first.post("/api/commitments/evidence", json={"id": one, "events": [event]})) == (
        409, "state_forbids",
    )  # fmt: skip
