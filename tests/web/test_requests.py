"""The requests desk: who sees what, in whose words, and what a form says when it is wrong."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from api.node_served import Api
from isthmus.access.model import Role, node_actor
from isthmus.cases import requests
from isthmus.cases.requests import Question
from isthmus.reference.codelist import LOCALES
from isthmus.web.requests import clocks
from web.conftest import browser, csrf, pages_of

TASK = "NL-DOUANE:req_06bq3f1m9t0xk2r8v5hc7n4ezs"
HEADS = {"es": "Solicitudes", "en": "Requests", "fr": "Demandes", "nl": "Verzoeken",
         "pt": "Pedidos"}  # fmt: skip


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A node that a partner asks something."""
    api = pages_of(tmp_path_factory.mktemp("asked") / "node", busy=False)
    question = Question("NL-DOUANE", ("seal_history",), partner_case="NL-1")
    now = api.clock.now()
    api.node.database.write(lambda tx: requests.receive(tx, node_actor(), TASK, question, now))
    yield api
    api.node.close()


@pytest.mark.parametrize("language", LOCALES)
def test_the_desk_is_read_in_five_languages(asked: Api, language: str):
    with browser(asked, Role.ANALYST, language) as client:
        desk = client.get("/requests").text
        assert f"<h1>{HEADS[language]}</h1>" in desk
        assert TASK in desk
        one = client.get(f"/requests/{TASK}")
        assert one.status_code == 200
        assert "NL-DOUANE" in one.text


def test_an_empty_desk_says_what_it_is_empty_of(quiet: Api):
    with browser(quiet, Role.ANALYST) as client:
        assert "Nobody asks anything of this office." in client.get("/requests").text
        assert "no question out" in client.get("/requests?side=out").text
        assert "Nothing is closed yet." in client.get("/requests?over=1").text
        assert "There is no partner to ask." in client.get("/requests/ask").text
        assert client.get("/requests/NL-DOUANE:req_0").status_code == 404


def test_only_whoever_keeps_requests_is_offered_acts(asked: Api):
    with browser(asked, Role.AUDITOR) as client:
        page = client.get(f"/requests/{TASK}").text
        assert 'method="post" action="/requests' not in page
    for role, own in ((Role.INSPECTOR, "/inspections"), (Role.TERMINAL, "/holds")):
        with browser(asked, role) as client:
            assert client.get("/requests").status_code == 403
            assert 'href="/requests"' not in client.get(own).text


def test_forms_say_what_lacks_and_keep_what_was_typed(asked: Api):
    with browser(asked, Role.ANALYST) as client:
        token = {"csrf": csrf(client)}
        client.post(f"/requests/{TASK}/acknowledge", data=token | {"case": "PA-1"})
        for act, code in (("need-more", "lacks_missing"), ("refuse", "ground_missing")):
            gone = client.post(f"/requests/{TASK}/{act}", data=token)
            assert gone.headers["location"].endswith(f"problem={code}")
        typed = {"partner": "NL-DOUANE", "containers": "ABC 1", "own_case": "PA-77"}
        wrong = client.post("/requests/ask", data=token | typed)
        assert wrong.status_code == 422
        assert client.post("/requests/ask", data=typed).status_code == 403


def test_a_clock_says_how_much_of_its_time_is_gone_and_who_owes_it():
    now = datetime(2026, 3, 1, tzinfo=UTC)
    row = {"sent_at": now - timedelta(hours=6), "made_at": now, "changed_at": now,
           "incoming": True, "acknowledge_by": now + timedelta(hours=18),
           "answer_by": now - timedelta(hours=1), "written_by": None,
           "feedback_by": now + timedelta(days=14)}  # fmt: skip
    found = [(one.owed, round(one.gone, 2), one.ours) for one in clocks(row, now)]
    assert found == [
        ("answer_by", 1.0, True), ("acknowledge_by", 0.25, True), ("feedback_by", 0.0, False),
    ]  # fmt: skip
