"""What a form reads, and what it says beside a wrong field."""

from starlette.datastructures import FormData

from isthmus.access.model import Role
from isthmus.cases.model import Result
from isthmus.web.result_form import read_form
from isthmus.web.visitor import Form
from web.conftest import browser, csrf

GOOD = {
    "result": "seizure",
    "control_type": "physical_full",
    "share_unloaded": "40,5",
    "minutes_delay": "185",
    "objective": "contraband",
    "goods-0": "cocaine",
    "quantity-0": "212.5",
    "unit-0": "KGM",
    "pieces-0": "",
    "zone-0": "reefer_unit",
    "note-0": "",
    "language-0": "en",
}


def read(**changed):
    return read_form(Form(FormData(GOOD | changed)))


def test_a_whole_result_is_read():
    draft, told = read()
    assert not draft.errors
    assert told.result is Result.SEIZURE
    assert told.share_unloaded == 0.405
    assert told.minutes_delay == 185
    assert told.findings[0].quantity == 212.5
    assert told.findings[0].zone == "reefer_unit"


def test_each_wrong_field_is_named_and_what_was_typed_is_kept():
    wrong = {
        "result": "", "share_unloaded": "140", "minutes_delay": "soon",
        "quantity-0": "-1", "pieces-0": "1.5", "goods-0": "",
    }  # fmt: skip
    draft, told = read(**wrong)
    assert told is None
    assert set(draft.errors) == {
        "result", "share_unloaded", "minutes_delay", "quantity-0", "pieces-0", "goods-0",
    }  # fmt: skip
    assert draft.delay == "soon"
    assert draft.findings[0].quantity == "-1"


def test_an_irregularity_needs_its_objective_and_nothing_else_has_one():
    assert set(read(objective="")[0].errors) == {"objective"}
    clean = dict.fromkeys((name for name in GOOD if name.endswith("-0")), "")
    assert read(result="no_irregularity", **clean)[1].objective is None


def test_findings_are_added_removed_and_dropped_when_empty():
    draft, told = read(add="1")
    assert told is None
    assert not draft.errors
    assert len(draft.findings) == 2
    assert read(remove="0")[0].findings == []
    empty = {name: "" for name in GOOD if name.endswith("-0")}
    assert read(result="inconclusive", **empty)[1].findings == ()


def test_a_number_beyond_reason_is_no_number():
    for text in ("1e400", "nan", "inf", "--", "1.2.3"):
        assert "minutes_delay" in read(minutes_delay=text)[0].errors


def test_a_wrong_rule_is_refused_with_its_place_and_kept(busy):
    client = browser(busy, Role.ANALYST)
    text = "- id: broken\n  version: one\n"
    answer = client.post("/rules/propose", data={"csrf": csrf(client), "text": text})
    assert answer.status_code == 422
    assert "id: broken" in answer.text
    assert "The rule cannot be taken" in answer.text


def test_a_rule_is_proposed_from_another_and_waits_as_a_draft(busy):
    client = browser(busy, Role.ANALYST)
    page = client.get("/rules/propose", params={"like": "container_two_places@1"}).text
    import html

    text = html.unescape(page.split("<textarea")[1].split(">", 1)[1].split("</textarea>")[0])
    text = text.replace("version: 1", "version: 2")
    answer = client.post("/rules/propose", data={"csrf": csrf(client), "text": text})
    assert answer.headers["location"].startswith("/rules/container_two_places@2?done=propose")
    shown = client.get("/rules/container_two_places@2").text
    assert "Move to shadow" in shown


def test_an_act_that_comes_too_late_is_told(busy):
    client = browser(busy, Role.ANALYST)
    path = f"/picks/{busy.ids['taken']}/take"
    answer = client.post(path, data={"csrf": csrf(client)})
    assert answer.headers["location"].endswith("?problem=pick_taken")
    assert "Another officer works on this" in client.get(answer.headers["location"]).text


def test_an_invitation_says_what_is_wrong_and_shows_its_link_once(busy):
    client = browser(busy, Role.ADMINISTRATOR)
    form = {"csrf": csrf(client), "name": "Nora", "login": "nora", "roles": ["analyst"]}
    answer = client.post("/people", data=form)
    assert answer.status_code == 422
    assert "whole e-mail address" in answer.text
    answer = client.post("/people", data=form | {"login": "nora@customs.example"})
    assert "/welcome/" in answer.text
    assert "/welcome/" not in client.get("/people").text
