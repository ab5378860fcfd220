"""Holds on their pages: two people, and a day more for a reason."""

import re
from collections.abc import Iterator

import pytest

from api.node_served import Api
from isthmus.access.model import Role
from isthmus.flow import inspect
from web.conftest import browser, csrf, pages_of


@pytest.fixture
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A busy node of one test's own: holds change here."""
    api = pages_of(tmp_path_factory.mktemp("holds") / "node", busy=True)
    yield api
    api.node.close()


def unit_of(api: Api, hold: str) -> str:
    with api.client(Role.SUPERVISOR) as client:
        items = client.get("/api/holds", params={"limit": 500}).json()["items"]
    return next(one["unit_id"] for one in items if one["id"] == hold)


def test_a_supervisor_extends_a_hold_for_a_reason_and_the_page_tells_it(busy: Api):
    hold = busy.ids["proposed"]
    supervisor, analyst = browser(busy, Role.SUPERVISOR), browser(busy, Role.ANALYST)
    page = f"/consignments/{unit_of(busy, hold)}"
    form = {"csrf": csrf(supervisor), "back": page}
    early = supervisor.post(f"/holds/{hold}/extend", data={**form, "reasons": "result_waiting"})
    assert early.headers["location"].endswith("problem=state_forbids")
    assert supervisor.post(f"/holds/{hold}/confirm", data=form).status_code == 303
    assert f"/holds/{hold}/extend" in supervisor.get(page).text
    assert f"/holds/{hold}/extend" not in analyst.get(page).text
    bare = supervisor.post(f"/holds/{hold}/extend", data=form)
    assert bare.headers["location"] == f"{page}?problem=reason_needed"
    told = supervisor.post(f"/holds/{hold}/extend", data={**form, "reasons": "result_waiting"})
    assert told.headers["location"] == f"{page}?done=extend"
    text = analyst.get(page).text
    assert "Hold extended" in text
    assert text.count("Laboratory result awaited") == 2  # in the history and on the timeline
    refused = analyst.post(
        f"/holds/{hold}/extend", data={"csrf": csrf(analyst), "reasons": "result_waiting"}
    )
    assert refused.status_code == 403


def test_who_proposed_a_hold_is_not_offered_to_confirm_it(busy: Api):
    officer, pick = busy.actors[Role.SUPERVISOR], busy.ids["taken"]
    hold = busy.node.database.write(
        lambda tx: inspect.propose_hold(tx, officer, pick, ["indicator_seal"])
    )
    client = browser(busy, Role.SUPERVISOR)
    page = f"/consignments/{unit_of(busy, hold)}"
    offered = set(re.findall(r'action="(/holds/[^"]+)"', client.get(page).text))
    assert offered == {f"/holds/{hold}/refuse"}
    listed = client.get("/holds").text
    assert f"/holds/{hold}/confirm" not in listed
    assert f"/holds/{busy.ids['proposed']}/confirm" in listed
    form = {"csrf": csrf(client), "back": page}
    answer = client.post(f"/holds/{hold}/confirm", data=form)
    assert answer.headers["location"] == f"{page}?problem=second_person"
    assert "Another person must do this." in client.get(answer.headers["location"]).text
