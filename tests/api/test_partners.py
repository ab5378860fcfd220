"""Partners and the ledger over the API: the ceremony by two people, lanes, proofs."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from api.test_agreements import client_of, code
from api.two_nodes import AGREEMENT, OWN, PARTNER, Two, make_two
from builders import person
from exchange.world import party
from isthmus.access.model import Role
from isthmus.access.service import RoleRequest
from isthmus.agreements import lifecycle, register, shipped
from isthmus.exchange import greeting, upkeep
from isthmus.exchange.presence import QUIET
from isthmus.exchange.proof import bundle, witness
from isthmus.kernel.time import SetClock
from isthmus.migrations import tables
from isthmus.platform.database import Database
from isthmus.platform.keys import KeyRing


@pytest.fixture
def two(tmp_path) -> Iterator[Two]:
    made = make_two(tmp_path, SetClock())
    yield made
    made.api.node.close()
    made.there.database.close()


def told(two: Two, partner: str = PARTNER) -> dict:
    with two.api.client(Role.SUPERVISOR) as client:
        return client.get(f"/api/partners/{partner}").json()


def greet(two: Two) -> None:
    """Let each ask the other for its checkpoint once, as the lines do every half minute."""
    for asks, answers in ((two.here, two.there), (two.there, two.here)):
        asked = asks.database.read(lambda tx, code=answers.code: witness.question(tx, code))
        said = answers.database.write(
            lambda tx, code=asks.code, ask=asked: witness.asked_by(tx, code, ask)
        )
        asks.database.write(lambda tx, code=answers.code, one=said: witness.take(tx, code, one))


def test_a_partner_is_entered_and_compared_by_two(two, tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'third.db'}", two.api.clock, KeyRing.generate())
    tables.metadata.create_all(database.migrator())
    third = party(database, "BE-DOUANE")
    first, second = (
        client_of(two.api, one) for one in (two.here.staff[Role.SUPERVISOR], two.here.second)
    )
    card = third.card().decode()
    assert first.post("/api/partners", json={"card": card}).json() == {
        "id": "BE-DOUANE", "state": "proposed",
    }  # fmt: skip
    assert code(first.post("/api/partners", json={"card": card})) == (409, "partner_known")
    held = told(two, "BE-DOUANE")
    both = {"signing": held["signing"], "certificate": held["certificate"]}
    path = "/api/partners/BE-DOUANE"
    wrong = {**both, "signing": "0" * 64}
    assert code(first.post(f"{path}/compare", json=wrong)) == (403, "fingerprint_differs")
    assert code(first.post(f"{path}/trust", json=both)) == (409, "partner_state")
    grouped = " ".join(both["signing"][at : at + 4].upper() for at in range(0, 64, 4))
    said = first.post(f"{path}/compare", json={**both, "signing": grouped}).json()
    assert said["state"] == "compared"
    assert code(first.post(f"{path}/trust", json=both)) == (403, "second_person_needed")
    assert second.post(f"{path}/trust", json=both).json()["state"] == "trusted"
    assert first.post(f"{path}/suspend").json()["state"] == "suspended"
    assert first.post(f"{path}/resume").json()["state"] == "proposed"
    foreign = first.post(f"/api/partners/{PARTNER}/replace", json={"card": card})
    assert code(foreign) == (409, "card_foreign")
    assert first.post(f"{path}/replace", json={"card": card}).status_code == 403  # a key it had
    database.close()


def test_a_card_that_is_none_is_refused_with_its_code(two):
    with two.api.client(Role.SUPERVISOR) as client:
        answer = client.post("/api/partners", json={"card": "{}"})
        assert answer.status_code == 422
        own = client.get("/api/partners/self").json()
        assert own["node"] == OWN
        assert code(client.post("/api/partners", json={"card": own["card"]})) == (
            422, "partner_is_self",
        )  # fmt: skip


def test_lanes_tell_what_waits_went_and_is_held(two):
    two.send(two.alert())
    assert told(two)["lanes"]["immediate"] == {
        "sent": 0, "waiting": 1, "received": 0, "held": 0, "refused": 0, "stopped": 0,
    }  # fmt: skip
    two.carry()
    assert told(two)["lanes"]["immediate"]["sent"] == 1
    two.there.database.write(
        lambda tx: lifecycle.withdraw(
            tx, two.there.staff[Role.LEGAL_OFFICER], f"{AGREEMENT}@1"
        )
    )  # fmt: skip
    two.send(two.alert(containers=["MSKU7654324"]))
    two.carry()
    lane = told(two)["lanes"]["immediate"]
    assert (lane["sent"], lane["held"]) == (2, 1)
    with two.api.client(Role.AUDITOR) as client:
        rows = client.get("/api/partners/envelopes?state=held").json()["items"]
    assert [row["code"] for row in rows] == ["agreement_unknown"]
    assert not {"body", "salt", "wrapped"} & set(rows[0])


def test_a_partner_is_away_when_nothing_is_heard(two):
    assert told(two)["offline"]
    greet(two)
    assert not told(two)["offline"]
    two.api.clock.advance(QUIET + timedelta(seconds=1))
    assert told(two)["offline"]
    greet(two)
    two.api.clock.advance(timedelta(seconds=20))
    two.send(two.alert())
    assert not told(two)["offline"]
    two.api.clock.advance(timedelta(seconds=11))
    assert told(two)["offline"]


def test_a_difference_of_texts_shows_both_hashes_on_both_sides(two):
    greet(two)
    next_ = shipped.text_of(AGREEMENT).replace("\nversion: 1\n", "\nversion: 2\n", 1)
    narrower = next_.replace("keep_days: 365", "keep_days: 90", 1)
    _only_there(two, narrower)
    greet(two)
    with two.api.client(Role.LEGAL_OFFICER) as client:
        (one,) = client.get("/api/agreements").json()["differing"]
    mine = two.here.database.read(lambda tx: greeting.texts(tx, PARTNER))[AGREEMENT]
    theirs = two.there.database.read(lambda tx: greeting.texts(tx, OWN))[AGREEMENT]
    assert (one["own"], one["theirs"]) == (mine, theirs)
    lawyer = two.there.staff[Role.LEGAL_OFFICER]
    (other,) = two.there.database.read(lambda tx: register.differences(tx, lawyer))
    assert (other["own"], other["hash"]) == (theirs, mine)


def _only_there(two: Two, text: str) -> None:
    """Narrow at the partner alone, as either may."""
    there = two.there
    drafter, first, second = (
        person(there.database, there.staff[Role.ADMINISTRATOR], RoleRequest(Role.LEGAL_OFFICER))
        for _ in range(3)
    )
    version = there.database.write(lambda tx: lifecycle.enter(tx, drafter, text))
    for reviewer in (first, second):
        there.database.write(lambda tx, by=reviewer: lifecycle.review(tx, by, version))
    there.database.write(lambda tx: lifecycle.activate(tx, second, version, fictional=True))


def test_the_ledger_tells_who_witnessed_it(two):
    two.send(two.alert())
    two.carry()
    for one in (two.here, two.there):
        upkeep.seal_ledger(one.database)
    greet(two)
    greet(two)
    with two.api.client(Role.AUDITOR) as client:
        held = client.get("/api/ledger").json()
    assert held["size"] == held["newest"]["size"] > 0
    (seen,) = held["witnesses"]
    assert (seen["partner"], seen["size"]) == (PARTNER, held["size"])
    assert {one["node"] for one in held["checkpoints"]} == {OWN, PARTNER}


def test_a_proof_is_handed_out_and_verifies_without_a_node(two):
    envelope = two.send(two.alert())
    with two.api.client(Role.AUDITOR) as client:
        assert code(client.get(f"/api/ledger/proofs/{envelope}")) == (
            409, "envelope_not_receipted",
        )  # fmt: skip
        two.carry()
        answer = client.get(f"/api/ledger/proofs/{envelope}")
        assert answer.headers["content-disposition"].endswith('.proof.json"')
    found, findings = bundle.verify(answer.content, None)
    assert found is not None, findings
    assert (found.sender, found.recipient, found.outcome) == (OWN, PARTNER, "delivered")
    with two.api.client(Role.ANALYST) as client:
        assert client.get(f"/api/ledger/proofs/{envelope}").status_code == 403
