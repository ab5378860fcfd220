"""Screening over the API: one name, many, a hit read, laid open and judged, the lists told."""

import pytest

from api.node_served import Api
from isthmus.access.model import Role

REASON = {"Isthmus-Reason": "Checking a possible lookout before the cut-off"}


def test_one_name_or_many_are_answered_in_their_order(shared: Api):
    with shared.client(Role.ANALYST) as client:
        one = client.post("/api/screen", json={"name": "Мария Эксампелл"}).json()
        assert one["lists"] == {"csv": 1}
        (hit,) = one["queries"][0]["hits"]
        assert (hit["list"], hit["entry"], hit["kind"]) == ("csv", "P-0", "person")
        many = client.post(
            "/api/screen",
            json={"names": ["Zzyzx Nobody", "Maria Example"], "locale": "fr"},
        ).json()["queries"]
        assert [len(query["hits"]) for query in many] == [0, 1]
        assert any("de la liste" in why["text"] for why in many[1]["hits"][0]["reasons"])
        none = client.post("/api/screen", json={"name": "Maria Example", "lists": ["ofac"]})
        assert none.json()["queries"][0]["hits"] == []


def test_a_system_may_screen_and_nothing_else_of_it(shared: Api):
    with shared.client(Role.SYSTEM) as client:
        assert client.post("/api/screen", json={"name": "Maria Example"}).status_code == 200
        assert client.get("/api/hits").status_code == 403


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "name_missing"),
        ({"name": "a", "names": ["b"]}, "name_missing"),
        ({"name": "   "}, "name_missing"),
        ({"names": []}, None),
        ({"name": "a", "threshold": 0}, None),
        ({"names": ["a"] * 1001}, None),
    ],
)
def test_what_cannot_be_asked_is_refused(shared: Api, body, code):
    with shared.client(Role.ANALYST) as client:
        answer = client.post("/api/screen", json=body)
    assert answer.status_code in (400, 422)
    assert code is None or answer.json()["code"] == code


def test_who_may_not_screen_is_refused(shared: Api):
    with shared.client(Role.INSPECTOR) as client:
        assert client.post("/api/screen", json={"name": "Maria"}).status_code == 403


def test_a_hit_is_read_without_names_and_laid_open_for_a_reason(shared: Api):
    path = f"/api/hits/{shared.ids['hit']}"
    with shared.client(Role.DATA_PROTECTION_OFFICER) as client:
        assert shared.ids["hit"] in {one["id"] for one in client.get("/api/hits").json()["items"]}
        whole = client.get(path)
        assert whole.json()["units"] == []  # consignments are not for this role
        assert "Maria" not in whole.text
        assert client.get(f"{path}/comparison").status_code == 403
        laid = client.get(f"{path}/comparison", headers=REASON).json()
    with shared.client(Role.ANALYST) as client:
        assert len(client.get(path).json()["units"]) == 11  # the twelfth box has left
    assert laid["line"].startswith("Maria Example")
    assert laid["match"]["entry"] == "P-0"
    assert laid["match"]["reasons"]


def test_a_hit_is_judged_by_a_person_with_a_reason_that_fits(busy: Api):
    path = f"/api/hits/{busy.ids['hit']}"
    with busy.client(Role.ANALYST) as client:
        unfit = client.post(f"{path}/judgement", json={"verdict": "same", "reason": "common_name"})
        assert unfit.json()["code"] == "reason_unfit"
        done = client.post(
            f"{path}/judgement", json={"verdict": "not_same", "reason": "common_name"}
        )
        assert done.json()["state"] == "not_same"
        assert client.get("/api/hits").json()["items"] == []
        (told,) = client.get(path).json()["judgements"]
        assert told["speaks"]
        assert told["until"] > told["at"][:10]


def test_lists_tell_how_they_stand_and_what_changed(shared: Api):
    with shared.client(Role.AUDITOR) as client:
        rows = {row["list"]: row for row in client.get("/api/lists").json()["items"]}
        assert rows["ofac"]["version"] is None
        assert rows["csv"]["counts"]["entries"] == 1
        (version,) = client.get("/api/lists/versions?code=csv").json()["items"]
        assert version["number"] == 1
        found = client.get("/api/lists/difference?code=csv").json()
        assert (found["from_version"], found["added"]) == (0, ["P-0"])
        assert client.get("/api/lists/difference?code=nothing").status_code == 422
