"""The desk of hits and the page of lists: what is shown, what is opened for a reason, what is judged."""

import re

import pytest

from api.node_served import Api
from isthmus.access.model import Role
from isthmus.parties.lists import lookout, service
from isthmus.parties.lists.service import File
from isthmus.reference.codelist import LOCALES
from web.conftest import browser, csrf, pages_of

ROWS = (
    "P-1,person,Marya Exampel,,,,,targeting,Risk analysis,2027-06-30",
    "C-1,company,Exportadores Ocho,,,,,targeting,Risk analysis,2027-06-30",
)
REASON = "Checking a possible lookout before the cut-off"


def bring(api: Api, *rows: str) -> None:
    """Take lookouts in and follow the change up, as the node's jobs do."""
    text = "\n".join([",".join(lookout.COLUMNS), *rows]) + "\n"
    api.node.database.write(
        lambda tx: service.take(
            tx,
            api.actors[Role.SUPERVISOR],
            "csv",
            [File("own.csv", text.encode())],
            overrule="They change as these tests need it.",
        )
    )
    api.node.rescreener.rescreen_due()
    api.node.scorer.score_all()


@pytest.fixture(scope="module")
def listed(tmp_path_factory):
    api = pages_of(tmp_path_factory.mktemp("hits") / "node", busy=True)
    bring(api, *ROWS)
    yield api
    api.node.close()


def path_of(client, key: str = "P-1") -> str:
    text = client.get("/hits").text
    (path,) = re.findall(rf'href="(/hits/hit_[a-z0-9]+)"><span class="code">csv {key}', text)
    return path


def test_the_desk_tells_of_a_hit_without_naming_a_person(listed):
    text = browser(listed, Role.ANALYST).get("/hits").text
    assert "csv P-1" in text
    assert "Natural person" in text
    assert "Consignee" in text
    assert "Exampel" not in text
    assert "Maria" not in text


def test_a_filter_narrows_the_desk(listed):
    client = browser(listed, Role.ANALYST)
    assert "csv P-1" in client.get("/hits?list=csv&kind=party").text
    assert "No hit matches" in client.get("/hits?kind=vessel").text
    assert "No hit matches" in client.get("/hits?state=same").text
    assert "No hit matches" in client.get("/hits?entry=vessel").text
    near, strong = (client.get(f"/hits?{one}").text for one in ("entry=person", "strong=1"))
    assert "csv P-1" in near
    assert "Alike" not in strong


def test_who_works_on_a_consignment_needs_to_give_no_reason(listed):
    client = browser(listed, Role.ANALYST)
    assert "<mark>Maria Example</mark>" in client.get(path_of(client)).text


def test_a_hit_is_laid_open_for_a_reason_alone(listed):
    client = browser(listed, Role.DATA_PROTECTION_OFFICER)
    path = path_of(client)
    closed = client.get(path).text
    assert "Exampel" not in closed
    short = client.post(f"{path}/open", data={"csrf": csrf(client), "reason": "why"})
    assert short.status_code == 422
    assert "Exampel" not in short.text
    opened = client.post(f"{path}/open", data={"csrf": csrf(client), "reason": REASON})
    assert opened.status_code == 200
    assert "<mark>Maria Example</mark>" in opened.text
    assert "<mark>Marya Exampel</mark>" in opened.text
    assert "sounds like “marya” on the list" in opened.text
    who = browser(listed, Role.DATA_PROTECTION_OFFICER).get(
        f"/audit/lookups?subject={path.rsplit('/', 1)[1]}"
    )
    assert REASON in who.text


def test_who_may_not_open_persons_data_sees_the_hit_and_no_name(listed):
    client = browser(listed, Role.AUDITOR)
    text = client.get(path_of(client)).text
    assert "Exampel" not in text
    assert "/judgement" not in text


@pytest.mark.parametrize("locale", LOCALES)
def test_every_language_has_its_words(listed, locale):
    client = browser(listed, Role.ANALYST, locale)
    path = path_of(client)
    opened = client.post(f"{path}/open", data={"csrf": csrf(client), "reason": REASON})
    for page in (opened, *(client.get(one) for one in ("/hits", "/lists", "/lists/csv"))):
        assert page.status_code == 200
        assert f'<html lang="{locale}"' in page.text


def test_a_consignment_shows_its_hits_and_what_they_did(listed):
    text = browser(listed, Role.ANALYST).get(f"/consignments/{listed.ids['unit']}").text
    assert "csv P-1" in text
    assert "Likeness is not identity" in text.split('id="hits"')[1]


def test_lists_show_versions_and_differences(listed):
    client = browser(listed, Role.AUDITOR)
    assert "Never taken in" in client.get("/lists").text
    one = client.get("/lists/csv").text
    assert "P-1" in one
    assert client.get("/lists/nothing").status_code == 422
    assert client.get("/lists/csv?from=0&to=9").status_code == 404


def test_a_hit_is_judged_once_and_not_asked_again(tmp_path):
    api = pages_of(tmp_path / "node", busy=True)
    bring(api, *ROWS)
    client = browser(api, Role.ANALYST)
    path = path_of(client)

    def judge(**form: str):
        return client.post(f"{path}/judgement", data={"csrf": csrf(client), **form})

    wrong = judge(verdict="not_same", reason="number_same")
    assert wrong.headers["location"] == f"{path}?problem=reason_unfit"
    assert judge(verdict="perhaps").headers["location"].endswith("problem=value_impossible")
    done = judge(verdict="not_same", reason="common_name", note="Another Maria.")
    assert done.headers["location"] == "/hits?done=judged"
    assert "csv P-1" not in client.get("/hits").text
    bring(api, *ROWS, "C-2,company,Nobody Knows Ltd,,,,,targeting,Risk analysis,2027-06-30")
    assert "csv P-1" not in client.get("/hits").text
    assert "csv P-1" in client.get("/hits?state=not_same").text
    opened = client.post(f"{path}/open", data={"csrf": csrf(client), "reason": REASON}).text
    assert "Another Maria." in opened
    # When the entry says something else, it is asked again.
    bring(api, ROWS[0].replace("Exampel", "Exampell"), *ROWS[1:])
    assert "csv P-1" in client.get("/hits").text
    api.node.close()
