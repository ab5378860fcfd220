"""The desk of items, one item, and the form in which one is drafted."""

import re
from datetime import UTC, datetime

import pytest

from api.node_served import make, seed
from builders import person
from exchange.ready import ready
from exchange.test_post import carry
from isthmus.access.model import Role
from isthmus.access.service import RoleRequest
from isthmus.exchange.model import Lane
from isthmus.flow.sharing import draft
from isthmus.intelligence import items, reading, schema
from isthmus.intelligence.model import (
    Classification,
    Evaluation,
    Handling,
    ItemKind,
    Marking,
    Scale,
    Tlp,
)
from isthmus.intelligence.validation import validate
from isthmus.kernel.time import SetClock
from isthmus.reference.codelist import LOCALES
from isthmus.web.app import mount
from web.conftest import browser, csrf

REASON = "The partner asks for the driver in case 17"
MARKING = Marking(
    Evaluation(Scale.POLICE_4X4, "B", "2"),
    frozenset({Handling.H1}),
    Classification.NONE,
    Tlp.AMBER,
)
BODY = {
    "reason": "intelligence",
    "action": "inspect",
    "expires_at": "2026-03-01T00:00:00Z",
    "containers": ["MSKU1234565"],
    "vessels": [{"imo": "9434761"}],
    "persons": [{"name": "Fulano Ejemplo", "category": "suspect"}],
    "remarks": {"language": "es", "text": "Tornillos nuevos en la tapa."},
}
FORM = {
    "kind": "alert",
    "reason": "intelligence",
    "action": "assess",
    "expires_at": "2026-02-01T12:00",
    "containers": "MSKU1234565\nISTU0000017",
    "vessels.0.imo": "9434761",
    "marking.handling": "H0",
    "marking.classification": "none",
    "marking.tlp": "green",
}


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """A busy node with pages and two partners, one under an agreement."""
    folder = tmp_path_factory.mktemp("items")
    clock = SetClock()
    api = make(folder / "node", clock)
    mount(api.app, api.node)
    seed(api)
    administrator = api.actors[Role.ADMINISTRATOR]
    second = person(api.node.database, administrator, RoleRequest(Role.SUPERVISOR))
    with ready(
        api.node.database, api.actors, second, folder, clock, "NL-DOUANE", "MX-ANAM"
    ) as made:
        made.in_force("PA-NL-2026", "NL-DOUANE")
        yield api, made
    api.node.close()


@pytest.fixture
def api(node):
    return node[0]


def drafted(api, kind=ItemKind.ALERT, body=None):
    officer = api.actors[Role.ANALYST]
    return api.node.database.write(
        lambda tx: items.draft(tx, officer, "PA-ANA", kind, body or BODY, MARKING)
    )


def post(client, to, /, **data):
    return client.post(to, data={"csrf": csrf(client), **data})


def test_the_desk_tells_what_an_item_speaks_of_and_names_nobody(api):
    made = drafted(api)
    text = browser(api, Role.ANALYST).get("/items").text
    assert f'href="/items/{made.id}"' in text
    assert "MSKU1234565" in text
    assert "also about persons" in text
    assert "nobody else" in text
    assert "Fulano" not in text


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("whose=own&kind=alert", True),
        ("whose=partners", False),
        ("kind=seizure", False),
        ("state=recalled", False),
    ],
)
def test_a_filter_narrows_the_desk(api, query, shown):
    made = drafted(api)
    text = browser(api, Role.ANALYST).get(f"/items?{query}").text
    assert (made.id in text) is shown


@pytest.mark.parametrize("language", LOCALES)
def test_an_item_is_read_in_each_language_with_its_scale(api, language):
    made = drafted(api)
    text = browser(api, Role.ANALYST, language).get(f"/items/{made.id}").text
    assert text.count("<h1>") == 1
    assert ">B2</b>" in text
    assert "4x4" in text
    assert 'lang="es">Tornillos nuevos' in text
    assert not re.search(r"\{\w+\}", text)
    assert "Fulano" not in text


def test_persons_open_for_a_reason_and_what_was_typed_is_kept(api):
    made = drafted(api)
    client = browser(api, Role.ANALYST)
    short = post(client, f"/items/{made.id}/open", reason="because")
    assert short.status_code == 422
    assert ">because</textarea>" in short.text
    opened = post(client, f"/items/{made.id}/open", reason=REASON)
    assert "Fulano Ejemplo" in opened.text
    assert api.audit("person_data.opened")[0]["object_id"] == made.id
    assert 'name="reason"' not in browser(api, Role.AUDITOR).get(f"/items/{made.id}").text


def test_a_correction_is_confirmed_checked_and_follows(node):
    api, _ = node
    item = drafted(api)
    client = browser(api, Role.SUPERVISOR)
    path = f"/items/{item.id}/correct"
    typed = {"path": "action", "value": "observe", "why": "typing_error"}
    unsure = post(client, path, **typed)
    assert unsure.status_code == 422
    assert "Tick that you mean it" in unsure.text
    assert ">observe</textarea>" in unsure.text
    wrong = post(client, path, **{**typed, "value": "dance", "confirmed": "1"})
    assert wrong.status_code == 422
    assert ">dance</textarea>" in wrong.text
    done = post(client, path, **typed, confirmed="1")
    assert done.headers["location"] == f"/items/{item.id}?done=item_corrected"
    assert "Observe and report" in client.get(f"/items/{item.id}").text
    assert "version 1" in client.get(f"/items/{item.id}").text
    assert post(browser(api, Role.ANALYST), path, **typed, confirmed="1").status_code == 403


def test_a_value_is_corrected_as_its_field_is_written(api):
    item = drafted(api)
    client = browser(api, Role.SUPERVISOR)
    path = f"/items/{item.id}/correct"
    post(
        client,
        path,
        path="containers",
        value="TCLU7654326\nMSKU1234565",
        why="misread",
        confirmed="1",
    )
    post(client, path, path="expires_at", value="2026-04-01T00:00", why="misread", confirmed="1")
    post(client, path, path="remarks", take_away="1", why="review", confirmed="1")
    _, copies = api.node.database.read(
        lambda tx: reading.find(tx, api.actors[Role.ANALYST], item.id)
    )
    body = copies[-1].item.body
    assert body["containers"] == ["TCLU7654326", "MSKU1234565"]
    assert datetime.fromisoformat(body["expires_at"]).tzinfo is not None
    assert "remarks" not in body


def test_a_recall_is_confirmed_and_ends_the_item(api):
    item = drafted(api)
    client = browser(api, Role.SUPERVISOR)
    assert post(client, f"/items/{item.id}/recall", ground="wrong").status_code == 422
    done = post(client, f"/items/{item.id}/recall", ground="wrong", confirmed="1")
    assert done.headers["location"].endswith("done=item_recalled")
    text = client.get(f"/items/{item.id}").text
    assert "Recalled by its originator" in text
    assert "/compose" not in text
    assert client.get(f"/items/{item.id}/compose").status_code == 409


def test_a_partners_item_shows_its_terms_and_is_not_ours_to_change(node):
    api, made = node
    there = made.partners["NL-DOUANE"]
    officer = there.staff[Role.ANALYST]
    body = {key: value for key, value in BODY.items() if key != "persons"}
    from isthmus.flow import accept, share

    item = there.database.write(
        lambda tx: items.draft(tx, officer, there.code, ItemKind.ALERT, body, MARKING)
    )
    there.database.write(lambda tx: share.send(tx, officer, item.id, "PA-ANA", lane=Lane.FLASH))
    carry(there, made.here, Lane.FLASH)
    from isthmus.exchange import post_store

    (came,) = api.node.database.read(lambda tx: post_store.arrived(tx, item.id))
    assert accept.accept(api.node.database, came["id"])
    client = browser(api, Role.SUPERVISOR)
    text = client.get(f"/items/{item.id}").text
    assert "From Douane Nederland" in text
    assert "Targeting" in text
    assert "Correct a field" not in text
    assert item.id in client.get("/items?whose=partners&partner=NL-DOUANE").text


# -- drafting -----------------------------------------------------------------------------


def test_a_draft_is_made_as_typed_and_leads_to_the_composer(api):
    client = browser(api, Role.ANALYST)
    done = post(client, "/items/new", **FORM, share="1")
    assert done.status_code == 303
    path = done.headers["location"]
    assert re.fullmatch(r"/items/PA-ANA:alr_\w+/compose\?done=item_drafted", path)
    item_id = path.split("/")[2]
    _, (copy,) = api.node.database.read(
        lambda tx: reading.find(tx, api.actors[Role.ANALYST], item_id)
    )
    assert copy.item.body["containers"] == ["MSKU1234565", "ISTU0000017"]
    assert copy.item.body["vessels"] == [{"imo": "9434761"}]
    assert copy.item.body["expires_at"].endswith("Z")
    assert copy.item.marking.tlp is Tlp.GREEN
    assert copy.item.marking.evaluation is None


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"containers": "MSKU123"}, "containers.0", "not written as such a value"),
        ({"expires_at": ""}, "expires_at", "must be filled in"),
        ({"expires_at": "tomorrow"}, "expires_at", "not written as such a value"),
        ({"containers": "", "vessels.0.imo": ""}, "body", "must name something"),
        ({"marking.handling": "H3"}, "marking.handling", "H3 has its words"),
        ({"marking.source": "4x4 B"}, "marking.evaluation", "graded on one scale"),
    ],
)
def test_what_is_wrong_is_said_in_its_place_and_nothing_typed_is_lost(api, changes, path, words):
    client = browser(api, Role.ANALYST)
    answer = post(client, "/items/new", **{**FORM, "case_number": "PA-2026-17", **changes})
    assert answer.status_code == 422
    assert f'href="#{path}"' in answer.text
    assert words in answer.text
    assert 'value="PA-2026-17"' in answer.text


def test_persons_are_drafted_only_by_whom_they_are_open_to(api):
    client = browser(api, Role.ANALYST)
    text = client.get("/items/new").text
    assert 'name="persons.0.name"' in text
    made = post(client, "/items/new", **FORM, **{
        "persons.0.name": "Fulano Ejemplo", "persons.0.category": "suspect",
    })  # fmt: skip
    assert made.status_code == 303
    assert browser(api, Role.INSPECTOR).get("/items/new").status_code == 403


@pytest.mark.parametrize("kind", [one.value for one in ItemKind])
def test_each_kind_has_its_form(api, kind):
    text = browser(api, Role.ANALYST).get(f"/items/new?kind={kind}").text
    required = schema.document(kind).get("required", ())
    if kind in ("correction", "recall"):
        assert 'name="kind" value="alert"' in text
        return
    for name in required:
        assert f'name="{name}' in text, name


def test_a_box_fills_the_draft_and_nobody_of_its_papers_is_in_it(api):
    client = browser(api, Role.ANALYST)
    unit = api.ids["unit"]
    text = client.get(f"/items/new?unit={unit}").text
    assert "ISTU" in text
    assert 'value="9321483"' in text
    assert 'value="030617"' in text
    for name in ("Exportadora", "Maria Example", "8-000-1234"):
        assert name not in text
    for page in (f"/consignments/{unit}",):
        assert f'href="/items/new?unit={unit}"' in client.get(page).text
    assert "/items/new" not in browser(api, Role.INSPECTOR).get(f"/consignments/{unit}").text


@pytest.mark.parametrize("kind", [ItemKind.ALERT, ItemKind.SIGHTING])
def test_what_a_box_tells_is_a_whole_item(api, kind):
    officer = api.actors[Role.ANALYST]
    made = api.node.database.read(lambda tx: draft.of_unit(tx, officer, api.ids["unit"], kind))
    item = drafted(api, kind, made.body)
    validate(item)
    assert not schema.personal_paths(item)
    assert item.body["containers"][0].startswith("ISTU")
    moment = item.body.get("expires_at") or item.body["seen_at"]
    assert datetime.fromisoformat(moment) >= datetime(2026, 1, 1, tzinfo=UTC)
