"""Headers, forms and cookies: nothing from elsewhere, nothing without the form's token."""

import re
from pathlib import Path

import pytest

from isthmus.access.model import Role
from isthmus.web import app as web
from web.conftest import browser, csrf

STATIC = Path(web.__file__).parent / "static"


@pytest.mark.parametrize("path", ["/sign-in", "/queue", "/nowhere", "/static/isthmus.css"])
def test_every_answer_carries_the_headers(busy, path):
    answer = browser(busy, Role.ANALYST).get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == ("no-cache" if "static" in path else "no-store")


def test_no_page_has_styles_or_scripts_of_its_own(busy):
    client = browser(busy, Role.SUPERVISOR)
    for path in ("/queue", f"/consignments/{busy.ids['unit']}", "/overview", "/models"):
        text = client.get(path).text
        assert not re.search(r"\sstyle=|<style|\son\w+=|javascript:|<script>", text)
        assert set(re.findall(r'(?:src|href)="(https?:[^"]*)"', text)) == set()


def test_static_files_ask_for_nothing_elsewhere():
    for path in STATIC.iterdir():
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "http" not in text, path
        assert "@import" not in text, path


FORMS = (
    "/picks/{pick}/take", "/picks/{pick}/put-back", "/picks/{pick}/clear", "/picks/{pick}/watch",
    "/picks/{pick}/hold", "/picks/{pick}/inspect", "/holds/{proposed}/confirm",
    "/holds/{proposed}/refuse", "/holds/{proposed}/release", "/holds/{hold}/extend",
    "/inspections/{inspection}/accept",
    "/inspections/{inspection}/decline", "/inspections/{inspection}/result", "/target",
    "/quarantine/{document}/retry", "/rules/propose", "/consignments/{unit}/parties",
)  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_a_form_without_its_token_is_refused(busy, form):
    client = browser(busy, Role.SUPERVISOR)
    other = browser(busy, Role.SUPERVISOR)
    path = form.format(**busy.ids)
    assert client.post(path).status_code == 403
    assert client.post(path, data={"csrf": csrf(other)}).status_code == 403


@pytest.mark.parametrize(
    "headers", [{"sec-fetch-site": "cross-site"}, {"origin": "http://elsewhere.test"}]
)
def test_a_form_from_another_site_is_refused_whatever_it_carries(busy, headers):
    client = browser(busy, Role.SUPERVISOR)
    path = f"/picks/{busy.ids['pick']}/take"
    assert client.post(path, data={"csrf": csrf(client)}, headers=headers).status_code == 403
    assert client.post("/sign-in", data={"login": "x"}, headers=headers).status_code == 403


def test_a_refusal_is_written_down(busy):
    before = len(busy.audit("access.denied"))
    assert browser(busy, Role.TERMINAL).get("/audit").status_code == 403
    assert len(busy.audit("access.denied")) == before + 1


@pytest.mark.parametrize(
    ("wanted", "leads"),
    [("/rules", "/rules"), ("//evil.test", "/"), ("https://evil.test", "/"), ("/\\evil.test", "/")],
)
def test_sign_in_leads_to_this_node_only(busy, wanted, leads):
    text = browser(busy, None).get("/sign-in", params={"next": wanted}).text
    assert f'name="next" value="{leads}"' in text


def test_language_and_look_are_kept_and_nothing_else(busy):
    client = browser(busy, None)
    answer = client.post(
        "/preferences", data={"language": "nl", "theme": "dark", "back": "/sign-in"}
    )
    assert answer.headers["location"] == "/sign-in"
    text = client.get("/sign-in").text
    assert '<html lang="nl" data-theme="dark">' in text
    answer = client.post("/preferences", data={"language": "xx", "back": "//evil.test"})
    assert answer.headers["location"] == "/"
    assert "set-cookie" not in answer.headers


def test_sign_in_wrong_tells_nothing_and_keeps_no_password(busy):
    client = browser(busy, None)
    form = {"login": "first@customs.example", "password": "not this one", "code": "000000"}
    answer = client.post("/sign-in", data=form)
    assert answer.status_code == 401
    assert "not this one" not in answer.text
    assert "first@customs.example" in answer.text


def test_signing_out_ends_the_session(busy):
    client = browser(busy, Role.ANALYST)
    token = client.cookies["isthmus_session"]
    answer = client.post("/sign-out", data={"csrf": csrf(client)})
    assert answer.headers["location"].startswith("/sign-in")
    again = browser(busy, None)
    again.cookies.set("isthmus_session", token)
    assert again.get("/queue").status_code == 303
