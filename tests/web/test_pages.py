"""Every desk by every role: what opens, what is shown, what is left out."""

import re

import pytest

from isthmus.access.model import Role
from isthmus.reference.codelist import LOCALES
from web.conftest import browser

DESKS = {
    "/queue": {
        Role.ANALYST, Role.SUPERVISOR, Role.INSPECTOR, Role.AUDITOR, Role.RULE_AUTHOR,
    },
    "/consignments": {
        Role.ANALYST, Role.SUPERVISOR, Role.INSPECTOR, Role.AUDITOR, Role.RULE_AUTHOR,
    },
    "/inspections": {Role.ANALYST, Role.SUPERVISOR, Role.INSPECTOR, Role.AUDITOR},
    "/holds": {Role.ANALYST, Role.SUPERVISOR, Role.INSPECTOR, Role.AUDITOR, Role.TERMINAL},
    "/hits": {
        Role.ANALYST, Role.SUPERVISOR, Role.AUDITOR, Role.DATA_PROTECTION_OFFICER,
    },
    "/items": {
        Role.ANALYST, Role.SUPERVISOR, Role.INSPECTOR, Role.AUDITOR, Role.DATA_PROTECTION_OFFICER,
    },
    "/items/new": {Role.ANALYST, Role.SUPERVISOR},
    "/to-share": {Role.ANALYST, Role.SUPERVISOR},
    "/requests": {
        Role.ANALYST, Role.SUPERVISOR, Role.AUDITOR,
    },
    "/chains": {
        Role.ANALYST, Role.SUPERVISOR, Role.INSPECTOR, Role.AUDITOR,
    },
    "/seizures": {
        Role.ANALYST, Role.SUPERVISOR, Role.INSPECTOR, Role.AUDITOR,
    },
    "/live": {
        Role.ANALYST, Role.SUPERVISOR, Role.AUDITOR, Role.DATA_PROTECTION_OFFICER, Role.LEGAL_OFFICER,
    },
    "/partners": {
        Role.ANALYST, Role.SUPERVISOR, Role.AUDITOR, Role.DATA_PROTECTION_OFFICER, Role.LEGAL_OFFICER,
    },
    "/agreements": {
        Role.ANALYST, Role.SUPERVISOR, Role.AUDITOR, Role.DATA_PROTECTION_OFFICER, Role.LEGAL_OFFICER,
    },
    "/partnership": {
        Role.ANALYST, Role.SUPERVISOR, Role.AUDITOR, Role.DATA_PROTECTION_OFFICER, Role.LEGAL_OFFICER,
    },
    "/lists": {
        Role.ANALYST, Role.SUPERVISOR, Role.AUDITOR, Role.DATA_PROTECTION_OFFICER,
    },
    "/quarantine": {Role.ANALYST, Role.SUPERVISOR},
    "/rules": {
        Role.ANALYST, Role.SUPERVISOR, Role.AUDITOR, Role.RULE_AUTHOR,
        Role.MODEL_APPROVER, Role.DATA_PROTECTION_OFFICER,
    },
    "/rules/propose": {Role.ANALYST, Role.SUPERVISOR, Role.RULE_AUTHOR},
    "/models": {
        Role.ANALYST, Role.SUPERVISOR, Role.AUDITOR, Role.MODEL_APPROVER,
        Role.DATA_PROTECTION_OFFICER,
    },
    "/overview": set(Role) - {Role.SYSTEM, Role.TERMINAL, Role.INSPECTOR},
    "/overview/picks": {
        Role.ANALYST, Role.SUPERVISOR, Role.INSPECTOR, Role.AUDITOR, Role.RULE_AUTHOR,
    },
    "/overview/runs": {
        Role.ANALYST, Role.SUPERVISOR, Role.INSPECTOR, Role.AUDITOR, Role.RULE_AUTHOR,
    },
    "/overview/units": {
        Role.ANALYST, Role.SUPERVISOR, Role.INSPECTOR, Role.AUDITOR, Role.RULE_AUTHOR,
    },
    "/overview/documents": {Role.ANALYST, Role.SUPERVISOR, Role.INSPECTOR},
    "/people": {Role.ADMINISTRATOR},
    "/jobs": {Role.ADMINISTRATOR, Role.SUPERVISOR, Role.AUDITOR},
    "/audit": {Role.AUDITOR, Role.DATA_PROTECTION_OFFICER},
    "/audit/lookups": {Role.AUDITOR, Role.DATA_PROTECTION_OFFICER},
}  # fmt: skip
BESIDE = {"/lists"}  # reached from the overview and from the desk of hits
PEOPLE = [role for role in Role if role is not Role.SYSTEM]


@pytest.mark.parametrize("role", PEOPLE)
def test_a_role_opens_its_desks_and_no_other(busy, role):
    client = browser(busy, role)
    opened = {path for path in DESKS if client.get(path).status_code == 200}
    assert opened == {path for path, roles in DESKS.items() if role in roles}
    shown = set(re.findall(r'<a href="(/[a-z-]+)"', client.get("/holds").text.split("</nav>")[0]))
    assert shown == {path for path in opened if path.count("/") == 1} - BESIDE


@pytest.mark.parametrize("role", PEOPLE)
def test_home_leads_to_a_desk_that_opens(busy, role):
    client = browser(busy, role)
    answer = client.get("/")
    assert answer.status_code == 303
    assert client.get(answer.headers["location"]).status_code == 200


def test_nobody_is_led_to_sign_in_and_back(busy):
    answer = browser(busy, None).get("/queue", params={"lane": "red"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2Fqueue%3Flane%3Dred"


@pytest.mark.parametrize("language", LOCALES)
def test_pages_are_whole_in_each_language(busy, language):
    client = browser(busy, Role.SUPERVISOR, language)
    paths = [path for path, roles in DESKS.items() if Role.SUPERVISOR in roles]
    for path in [*paths, f"/consignments/{busy.ids['unit']}?features=1"]:
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert f'<html lang="{language}"' in answer.text
        assert answer.text.count("<h1>") == 1
        assert not re.search(r"\{\w+\}", re.sub(r"<pre.*?</pre>", "", answer.text, flags=re.S))


def test_a_page_names_every_control(busy):
    client = browser(busy, Role.SUPERVISOR)
    inspection = busy.ids["inspection"]
    for path in ("/queue", f"/consignments/{busy.ids['unit']}", f"/inspections/{inspection}"):
        text = client.get(path).text
        ids = re.findall(r'<(?:input|select|textarea) id="([^"]+)"', text)
        assert ids
        assert len(ids) == len(set(ids))
        assert all(f'for="{one}"' in text for one in ids)


def test_a_terminal_sees_the_box_and_nothing_of_why(busy):
    text = browser(busy, Role.TERMINAL).get("/holds").text
    assert "ISTU" in text
    assert "/consignments" not in text
    assert "Indicator" not in text
    assert "Hold proposed" not in text


def test_parties_open_for_a_reason_that_is_logged(busy):
    client = browser(busy, Role.ANALYST)
    path = f"/consignments/{busy.ids['unit']}"
    assert "Exportadora" not in client.get(path).text
    from web.conftest import csrf

    short = client.post(f"{path}/parties", data={"csrf": csrf(client), "reason": "because"})
    assert short.status_code == 422
    assert "Exportadora" not in short.text
    assert "because" in short.text
    reason = "The importer asked us by telephone"
    opened = client.post(f"{path}/parties", data={"csrf": csrf(client), "reason": reason})
    assert opened.status_code == 200
    assert "Exportadora" in opened.text
    log = browser(busy, Role.AUDITOR).get("/audit/lookups", params={"subject": busy.ids["unit"]})
    assert reason in log.text


def test_an_inspector_without_the_task_is_asked_and_an_auditor_sees_no_form(busy):
    path = f"/consignments/{busy.ids['unit']}"
    assert 'name="reason"' in browser(busy, Role.INSPECTOR).get(path).text
    assert 'name="reason"' not in browser(busy, Role.AUDITOR).get(path).text


def test_what_is_typed_is_escaped(busy):
    client = browser(busy, Role.ANALYST)
    text = client.get("/consignments", params={"q": "<script>alert(1)</script>"}).text
    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text


def test_the_address_bar_puts_no_words_into_a_page(busy):
    client = browser(busy, Role.ANALYST)
    text = client.get("/queue", params={"done": "free words", "problem": "kind.internal x"}).text
    assert "free words" not in text
    assert 'role="alert"' not in text


@pytest.mark.parametrize("path", ["/nowhere", "/consignments/unit_none", "/rules/none@1"])
def test_what_is_not_there_is_said_in_words(busy, path):
    answer = browser(busy, Role.ANALYST).get(path)
    assert answer.status_code == 404
    assert "<h1>" in answer.text


def test_an_empty_node_teaches(quiet):
    client = browser(quiet, Role.SUPERVISOR)
    assert "isthmus receive" in client.get("/queue").text
    for path in ("/inspections", "/holds", "/quarantine", "/models", "/jobs"):
        assert 'class="empty"' in client.get(path).text
