"""Items by the API: drafted as their schema says, composed by clause, sent as looked at."""

import json
from collections.abc import Iterator

import pytest
from jsonschema import Draft202012Validator

from api.node_served import Api, make, seed
from builders import person
from exchange.ready import Ready, ready
from exchange.test_post import carry
from exchange.world import MARKING as OPEN
from isthmus.access.model import Role
from isthmus.access.service import RoleRequest
from isthmus.exchange import post_store, receipts
from isthmus.exchange.model import Lane, ReceiptKind
from isthmus.flow import accept, share
from isthmus.intelligence import items
from isthmus.intelligence.model import ItemKind
from isthmus.kernel.time import SetClock

MARKING = {
    "evaluation": {"scale": "4x4", "source": "B", "information": "2"},
    "handling": ["H0"],
    "tlp": "amber",
}
BODY = {
    "reason": "intelligence",
    "action": "inspect",
    "expires_at": "2026-03-01T00:00:00Z",
    "containers": ["MSKU1234565"],
    "seals": ["CO12345"],
    "persons": [{"name": "A. Someone", "category": "suspect"}],
}
REASON = "The partner asked for the name in case 17"


@pytest.fixture(scope="module")
def node(tmp_path_factory) -> Iterator[tuple[Api, Ready]]:
    """A busy node with three partners: two under an agreement, one under none."""
    folder = tmp_path_factory.mktemp("items")
    clock = SetClock()
    api = make(folder / "node", clock)
    seed(api)
    administrator = api.actors[Role.ADMINISTRATOR]
    second = person(api.node.database, administrator, RoleRequest(Role.SUPERVISOR))
    with ready(
        api.node.database, api.actors, second, folder, clock, "NL-DOUANE", "BE-DOUANE", "MX-ANAM"
    ) as made:
        made.in_force("PA-NL-2026", "NL-DOUANE")
        made.in_force("PA-BE-2026", "BE-DOUANE")
        yield api, made
    api.node.close()


def draft(api: Api, body=None, kind="alert", role=Role.ANALYST, marking=MARKING):
    with api.client(role) as client:
        answer = client.post(
            "/api/items", json={"kind": kind, "body": body or BODY, "marking": marking}
        )
    return answer


def ask(api: Api, path: str, role=Role.ANALYST, headers=None, **query):
    with api.client(role, **(headers or {})) as client:
        return client.get(f"/api/items{path}", params=query)


def post(api: Api, path: str, body, role=Role.ANALYST, headers=None):
    with api.client(role, **(headers or {})) as client:
        return client.post(f"/api/items{path}", json=body)


def by_partner(answer):
    return {one["partner"]: one for one in answer.json()["partners"]}


def test_schemas_are_published_by_kind(node):
    api, _ = node
    with api.client(Role.INSPECTOR) as client:
        kinds = client.get("/api/item-schemas").json()["items"]
        assert kinds == [one.value for one in ItemKind]
        for kind in kinds:
            Draft202012Validator.check_schema(client.get(f"/api/item-schemas/{kind}").json())
        assert client.get("/api/item-schemas/poem").status_code == 422


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"containers": ["MSKU123456"]}, "containers.0"),
        ({"reason": "because"}, "reason"),
        ({"expires_at": None}, "expires_at"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_draft_that_does_not_fit_says_what_and_where(node, changes, path):
    answer = draft(node[0], BODY | changes)
    assert answer.status_code == 422
    assert answer.json()["code"] == "item_invalid"
    assert answer.json()["where"]["path"] == path


def nested(levels: int):
    found = {"field": "net_mass", "op": "gt", "value": 1}
    for _ in range(levels):
        found = {"not": found}
    return found


@pytest.mark.parametrize(
    "changes",
    [
        {"remarks": {"language": "es", "text": "\ud800"}},
        {"remarks": {"language": "es", "text": "\0"}},
        {"budget_share": 10**30},
        {"persons": [1]},
        {"persons": {"name": "A. Someone"}},
        {"persons": [{"category": ["suspect"]}]},
        {"links": [{"from": "persons.0", "to": "persons.7", "relation": "used"}]},
        {"rule": nested(300)},
    ],
    ids=["surrogate", "nul", "huge", "no_object", "no_list", "no_code", "no_end", "deep"],
)
def test_whatever_is_sent_is_refused_and_nothing_breaks(node, changes):
    api, _ = node
    text = json.dumps({"kind": "alert", "body": BODY | changes, "marking": MARKING})
    with api.client(Role.ANALYST) as client:
        answer = client.post(
            "/api/items", content=text, headers={"content-type": "application/json"}
        )
    assert answer.status_code == 422
    assert "Someone" not in answer.text


@pytest.mark.parametrize(
    "change",
    [
        {"path": "action", "value": 10**30},
        {"path": "persons.0.name", "value": "\ud800", "category": "suspect"},
        {"path": "persons", "value": []},
        {"path": "persons.7.name", "value": "X", "category": "suspect"},
        {"path": "reason"},
    ],
)
def test_a_correction_that_does_not_fit_is_refused(node, change):
    api, _ = node
    item = draft(api).json()["id"]
    text = json.dumps({"changes": [change], "reason": "typing_error"})
    with api.client(Role.SUPERVISOR) as client:
        answer = client.post(
            f"/api/items/{item}/corrections",
            content=text,
            headers={"content-type": "application/json"},
        )
    assert answer.status_code == 422
    assert ask(api, f"/{item}").json()["version"] == 1


def test_a_draft_is_listed_and_shown_in_the_readers_language_without_persons(node):
    api, _ = node
    made = draft(api).json()["id"]
    listed = ask(api, "", own=True, kind="alert").json()["items"]
    assert made in [one["id"] for one in listed]
    assert made not in [one["id"] for one in ask(api, "", own=False).json()["items"]]
    shown = ask(api, f"/{made}", language="nl").json()
    assert shown["language"] == "nl"
    (copy,) = shown["copies"]
    assert copy["title"] == "Signalering"
    assert copy["hidden"] == ["persons.0.category", "persons.0.name"]
    assert "Someone" not in str(shown)
    words = {one["path"]: one["value"] for one in copy["lines"]}
    assert words["action"] == "Controleren als er capaciteit is"
    assert ask(api, "/PA-ANA:alr_0").status_code == 404


def test_persons_open_for_a_reason_that_is_logged(node):
    api, _ = node
    made = draft(api).json()["id"]
    assert ask(api, f"/{made}/persons").json()["code"] == "reason_needed"
    told = ask(api, f"/{made}/persons", headers={"Isthmus-Reason": REASON})
    assert "A. Someone" in str(told.json())
    assert api.audit("person_data.opened")[0]["object_id"] == made
    assert ask(api, f"/{made}/persons", role=Role.AUDITOR).status_code == 403


def test_each_partner_gets_what_its_clause_says_and_the_rest_names_its_clause(node):
    api, _ = node
    made = draft(api).json()["id"]
    views = by_partner(ask(api, f"/{made}/compose", language="es"))
    assert sorted(views) == ["BE-DOUANE", "MX-ANAM", "NL-DOUANE"]
    lines = {one["path"]: one for one in views["NL-DOUANE"]["lines"]}
    assert lines["containers"]["goes"]
    assert lines["containers"]["clause"] == "PA-NL-2026/art-3"
    name = lines["persons.0.name"]
    assert (name["goes"], name["value"], name["personal"]) == (False, None, True)
    assert (name["clause"], name["needed"]) == ("PA-NL-2026/art-7", ["case_number"])
    assert "número de expediente" in name["reason"]
    assert views["NL-DOUANE"]["duties"]["keep_days"] == 365
    assert views["MX-ANAM"]["released"] == 0
    assert {one["code"] for one in views["MX-ANAM"]["lines"]} == {"no_clause"}


def test_a_condition_stated_lets_more_pass(node):
    api, _ = node
    made = draft(api).json()["id"]
    views = by_partner(ask(api, f"/{made}/compose", condition="case_number"))
    assert views["NL-DOUANE"]["withheld"] == 0
    assert ask(api, f"/{made}/compose", condition="because").json()["partners"]


def test_what_is_sent_is_what_was_looked_at_less_what_is_kept_back(node):
    api, made = node
    item = draft(api).json()["id"]
    view = by_partner(ask(api, f"/{item}/compose"))["NL-DOUANE"]
    order = {"partner": "NL-DOUANE", "purpose": "targeting", "look": view["look"],
             "without": ["seals"], "lane": "immediate"}  # fmt: skip
    sent = post(api, f"/{item}/envelopes", order)
    assert sent.status_code == 201
    assert sent.json()["paths"] == ["action", "containers", "expires_at", "reason"]
    assert sent.json()["clauses"] == ["PA-NL-2026/art-3"]
    there = made.partners["NL-DOUANE"]
    assert carry(made.here, there, Lane.IMMEDIATE).refused == []
    (came,) = there.database.read(lambda tx: post_store.arrived(tx, item))
    assert accept.accept(there.database, came["id"])
    held = ask(api, f"/{item}/copies").json()
    assert [(one["partner"], one["name"]) for one in held["holders"]] == [
        ("NL-DOUANE", "Douane Nederland")
    ]
    (envelope,) = held["envelopes"]
    assert (envelope["state"], envelope["opened_at"]) == ("delivered", None)
    again = by_partner(ask(api, f"/{item}/compose"))["NL-DOUANE"]
    changes = {one["path"]: one["change"] for one in again["lines"]}
    assert (again["last_version"], changes["seals"], changes["reason"]) == (1, "new", "same")


def test_what_a_holder_tells_of_it_is_shown(node):
    api, made = node
    item = draft(api).json()["id"]
    order = {"partner": "NL-DOUANE", "purpose": "inspection"}
    assert post(api, f"/{item}/envelopes", order).status_code == 201
    there = made.partners["NL-DOUANE"]
    carry(made.here, there, Lane.ROUTINE)
    (came,) = there.database.read(lambda tx: post_store.arrived(tx, item))

    def tell(tx):
        kinds = (ReceiptKind.OPENED, ReceiptKind.USED)
        told = [receipts.tell(tx, came["id"], kind) for kind in kinds]
        return [post_store.receipt(tx, one)["body"] for one in told]

    from isthmus.exchange import dispatch

    dispatch.settle(api.node.database, "NL-DOUANE", there.database.write(tell))
    (envelope,) = ask(api, f"/{item}/copies").json()["envelopes"]
    assert envelope["opened_at"]
    assert envelope["used_at"]


def test_a_holder_gets_the_originators_consent_to_pass_it_on(node):
    api, _ = node
    item = draft(api).json()["id"]
    order = {"partner": "NL-DOUANE", "purpose": "targeting"}
    onward = {"holder": "NL-DOUANE", "recipient": "BE-DOUANE"}
    assert post(api, f"/{item}/consents", onward).status_code == 404  # it has no copy
    assert post(api, f"/{item}/envelopes", order).status_code == 201
    given = post(api, f"/{item}/consents", onward)
    assert given.status_code == 201, given.text
    said = given.json()["consent"]["payload"]
    assert (said["item"], said["from"], said["to"]) == (item, "NL-DOUANE", "BE-DOUANE")
    assert post(api, f"/{item}/consents", onward, role=Role.AUDITOR).status_code == 403
    (entry,) = api.audit("item.consent")
    assert (entry["object_id"], entry["detail"]["recipient"]) == (item, "BE-DOUANE")


@pytest.mark.parametrize(
    "wrong", [{}, {"algorithm": "none"}, {"n": 1 << 90}, {"a": {"": -(1 << 99)}}, nested(300)]
)
def test_what_is_no_consent_is_refused(node, wrong):
    api, made = node
    there = made.partners["NL-DOUANE"]
    analyst = there.staff[Role.ANALYST]
    body = {name: value for name, value in BODY.items() if name != "persons"}
    item = there.database.write(
        lambda tx: items.draft(tx, analyst, there.code, ItemKind.ALERT, body, OPEN)
    )
    there.database.write(lambda tx: share.send(tx, analyst, item.id, "PA-ANA"))
    assert carry(there, made.here, Lane.ROUTINE).refused == []
    (came,) = made.here.database.read(lambda tx: post_store.arrived(tx, item.id))
    assert accept.accept(made.here.database, came["id"])
    order = {"partner": "BE-DOUANE", "purpose": "targeting", "consents": [wrong]}
    assert post(api, f"/{item.id}/envelopes", order).status_code == 422


def test_a_look_that_is_old_sends_nothing(node):
    api, _ = node
    item = draft(api).json()["id"]
    view = by_partner(ask(api, f"/{item}/compose"))["NL-DOUANE"]
    order = {"partner": "NL-DOUANE", "purpose": "targeting", "look": view["look"],
             "conditions": ["case_number"]}  # fmt: skip
    answer = post(api, f"/{item}/envelopes", order)
    assert (answer.status_code, answer.json()["code"]) == (409, "look_changed")
    assert ask(api, f"/{item}/copies").json()["envelopes"] == []


def test_persons_go_by_the_hand_of_who_opened_them(node):
    api, _ = node
    item = draft(api).json()["id"]
    order = {"partner": "NL-DOUANE", "purpose": "targeting", "conditions": ["case_number"]}
    refused = post(api, f"/{item}/envelopes", order)
    assert (refused.status_code, refused.json()["code"]) == (403, "reason_needed")
    sent = post(api, f"/{item}/envelopes", order, headers={"Isthmus-Reason": REASON})
    assert "persons.0.name" in sent.json()["paths"]
    assert api.audit("person_data.opened")[0]["object_id"] == item


@pytest.mark.parametrize(
    ("partner", "more", "code"),
    [
        ("MX-ANAM", {}, "no_clause"),
        ("BE-DOUANE", {"purpose": "licensing"}, "purpose_not_allowed"),
    ],
)
def test_nothing_goes_without_a_clause_and_the_refusal_says_why(node, partner, more, code):
    api, _ = node
    item = draft(api).json()["id"]
    order = {"partner": partner, "purpose": "targeting", **more}
    answer = post(api, f"/{item}/envelopes", order)
    assert (answer.status_code, answer.json()["code"]) == (403, code)
    assert "MSKU" not in answer.text


def test_who_may_not_send_sends_nothing(node):
    api, _ = node
    item = draft(api).json()["id"]
    order = {"partner": "NL-DOUANE", "purpose": "targeting"}
    for role in (Role.INSPECTOR, Role.AUDITOR):
        assert post(api, f"/{item}/envelopes", order, role=role).status_code == 403
    assert ask(api, f"/{item}/compose", role=Role.AUDITOR).status_code == 200


def test_a_correction_and_a_recall_follow_by_name(node):
    api, made = node
    item = draft(api).json()["id"]
    post(api, f"/{item}/envelopes", {"partner": "NL-DOUANE", "purpose": "targeting"})
    carry(made.here, made.partners["NL-DOUANE"], Lane.ROUTINE)
    wrong = {"changes": [{"path": "action", "value": "dance"}], "reason": "typing_error"}
    refused = post(api, f"/{item}/corrections", wrong, role=Role.SUPERVISOR)
    assert (refused.status_code, refused.json()["code"]) == (422, "item_invalid")
    right = {"changes": [{"path": "action", "value": "observe"}], "reason": "typing_error"}
    assert post(api, f"/{item}/corrections", right).status_code == 403  # an analyst does not
    assert post(api, f"/{item}/corrections", right, role=Role.SUPERVISOR).status_code == 201
    (holder,) = ask(api, f"/{item}/copies").json()["holders"]
    assert holder["follow_state"] == "asked"
    recalled = post(api, f"/{item}/recall", {"reason": "wrong"}, role=Role.SUPERVISOR)
    assert recalled.json()["state"] == "recalled"
    head = ask(api, f"/{item}").json()
    assert (head["state"], head["recall_reason"]) == ("recalled", "wrong")
    assert ask(api, f"/{item}/compose").json()["code"] == "item_over"


def test_a_node_that_exchanges_with_nobody_says_so(tmp_path):
    api = make(tmp_path / "alone", SetClock())
    answer = draft(api)
    assert (answer.status_code, answer.json()["code"]) == (404, "exchange_not_set_up")
    api.node.close()
