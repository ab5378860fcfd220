"""Requests by the API: asked, taken, answered or refused; each step by whoever owes it."""

import pytest

from api.node_served import Api
from isthmus.access.model import Role, node_actor
from isthmus.cases import requests
from isthmus.cases.requests import Question

NL = "NL-DOUANE"
TASK = "NL-DOUANE:req_06bq3f1m9t0xk2r8v5hc7n4ezs"


@pytest.fixture
def asked(api: Api) -> Api:
    """A node that a partner asks something."""
    question = Question(NL, ("seal_history",), partner_case="NL-1")
    now = api.clock.now()
    api.node.database.write(lambda tx: requests.receive(tx, node_actor(), TASK, question, now))
    return api


def test_a_task_is_taken_acknowledged_paused_and_refused_on_a_named_ground(asked: Api):
    with asked.client(Role.ANALYST) as client:
        listed = client.get("/api/requests", params={"incoming": True}).json()
        assert [(one["id"], one["state"]) for one in listed["items"]] == [(TASK, "sent")]
        assert not client.get("/api/requests", params={"incoming": False}).json()["items"]
        assert client.post(f"/api/requests/{TASK}/take").status_code == 200
        told = client.post(f"/api/requests/{TASK}/acknowledge", json={"case_number": "PA-7"})
        assert told.json() == {"id": TASK, "state": "acknowledged"}
        again = client.post(f"/api/requests/{TASK}/acknowledge", json={})
        assert again.status_code == 409
        wrong = client.post(f"/api/requests/{TASK}/need-more", json={"lacks": ["mood"]})
        assert wrong.status_code == 422
        client.post(f"/api/requests/{TASK}/need-more", json={"lacks": ["window_from"]})
        found = client.get(f"/api/requests/{TASK}").json()
        assert (found["lacks"], found["answer_by"]) == (["window_from"], None)
        assert found["own_case"] == "PA-7"
        assert client.post(f"/api/requests/{TASK}/refuse", json={"ground": "no"}).status_code == 422
        done = client.post(f"/api/requests/{TASK}/refuse", json={"ground": "essential_interests"})
        assert done.json()["state"] == "refused"
        # Closing is for whoever asked.
        assert client.post(f"/api/requests/{TASK}/close").status_code == 403
        assert client.get("/api/requests/NL-DOUANE:req_0").status_code == 404
    with asked.client(Role.INSPECTOR) as client:
        assert client.get("/api/requests", params={"incoming": True}).status_code == 403
    with asked.client(Role.AUDITOR) as client:
        assert client.get(f"/api/requests/{TASK}").status_code == 200
        assert client.post(f"/api/requests/{TASK}/take").status_code == 403
    assert asked.audit("request.refused")[0]["detail"]["refusal_ground"] == "essential_interests"


def test_an_answer_is_a_draft_until_it_is_sent_and_a_refusal_names_its_ground(asked: Api):
    with asked.client(Role.ANALYST) as client:
        client.post(f"/api/requests/{TASK}/acknowledge", json={})
        client.post(f"/api/requests/{TASK}/accept")
        for wrong in ({"outcome": "refused"}, {"outcome": "full", "ground": "torture"}):
            assert client.post(f"/api/requests/{TASK}/answer", json=wrong).status_code == 422
        made = client.post(
            f"/api/requests/{TASK}/answer",
            json={"outcome": "nothing_held", "remarks": {"text": "Nada consta", "language": "es"}},
        )
        assert made.status_code == 201
        item = client.get(f"/api/items/{made.json()['item']}").json()
        body = item["copies"][0]["item"]["body"]
        assert (body["request"], body["outcome"]) == (TASK, "nothing_held")
        assert client.get(f"/api/requests/{TASK}").json()["state"] == "accepted"


def test_asking_drafts_an_item_and_starts_no_clock(api: Api):
    ask = {"partner": NL, "questions": ["origin"], "case_number": "PA-1", "urgency": "urgent",
           "containers": ["MSKU1234565"]}  # fmt: skip
    with api.client(Role.ANALYST) as client:
        made = client.post("/api/requests", json=ask)
        assert made.status_code == 201
        found = client.get(f"/api/requests/{made.json()['object']}").json()
        assert (found["state"], found["due_at"], found["incoming"]) == ("complete", None, False)
        assert client.post("/api/requests", json=ask | {"questions": []}).status_code == 422
        assert client.post("/api/requests", json=ask | {"containers": ["X"]}).status_code == 422
        assert client.post(f"/api/requests/{found['id']}/feedback",
                           json={"outcome": "not_used"}).status_code == 409  # fmt: skip
