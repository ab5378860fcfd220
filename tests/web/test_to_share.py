"""The desk of what was learned and waits: one look, then the composer, or it is kept here."""

import re

import pytest

from api.node_served import make, seed
from builders import person
from exchange.ready import ready
from isthmus.access.model import Role
from isthmus.access.service import RoleRequest
from isthmus.cases import inspections, seizures
from isthmus.cases.inspections import Found, Report
from isthmus.cases.model import Result
from isthmus.flow import inspect, share
from isthmus.flow.sharing import told
from isthmus.kernel.time import SetClock
from isthmus.web.app import mount
from web.conftest import browser, csrf

REPORT = Report(
    Result.SEIZURE, "physical_full", 200, objective="contraband",
    findings=(Found("cocaine", 5.0, "KGM"),),
)  # fmt: skip


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """A busy node with a partner under an agreement, where nothing was learned yet."""
    folder = tmp_path_factory.mktemp("to_share")
    clock = SetClock()
    api = make(folder / "node", clock)
    mount(api.app, api.node)
    seed(api)
    administrator = api.actors[Role.ADMINISTRATOR]
    second = person(api.node.database, administrator, RoleRequest(Role.SUPERVISOR))
    with ready(api.node.database, api.actors, second, folder, clock, "NL-DOUANE") as made:
        made.in_force("PA-NL-2026", "NL-DOUANE")
        yield api
    api.node.close()


@pytest.fixture(scope="module")
def api(node):
    """The same with a confirmed hold and a seizure learned."""
    supervisor = node.actors[Role.SUPERVISOR]
    write = node.node.database.write
    empty = browser(node, Role.ANALYST).get("/to-share").text
    assert "Nothing waits to be shared" in empty
    write(lambda tx: inspections.accept(tx, supervisor, node.ids["inspection"]))
    write(lambda tx: inspect.report(tx, supervisor, node.ids["inspection"], REPORT))
    number = write(lambda tx: seizures.register(tx, supervisor, node.ids["inspection"], "PA-ANA"))
    write(lambda tx: told.learn(tx, "pick", node.ids["hold"]))
    write(lambda tx: told.learn(tx, "seizure", number))
    node.ids["seizure"] = number
    return node


def waiting(api):
    rows = api.node.database.read(lambda tx: share.waiting(tx, api.actors[Role.ANALYST]))
    return {row["about_kind"]: row for row in rows}


def test_each_row_says_what_was_learned_and_leads_to_its_composer(api):
    text = browser(api, Role.ANALYST).get("/to-share").text
    rows = waiting(api)
    assert set(rows) == {"pick", "seizure"}
    assert api.ids["seizure"] in text
    assert f'href="/items/{rows["seizure"]["item_id"].replace(":", "%3A")}/compose"' in text
    assert f'href="/items/new?kind=alert&amp;unit={rows["pick"]["unit_id"]}"' in text
    assert "Not worded yet" in text


def test_what_a_row_leads_to_opens(api):
    client = browser(api, Role.ANALYST)
    text = client.get("/to-share").text
    links = re.findall(r'<a class="button" href="([^"]+)"', text)
    assert len(links) == 2
    for link in links:
        assert client.get(link.replace("&amp;", "&")).status_code == 200


@pytest.mark.parametrize("role", [Role.INSPECTOR, Role.AUDITOR, Role.TERMINAL])
def test_who_may_not_send_has_no_such_desk(api, role):
    client = browser(api, role)
    assert client.get("/to-share").status_code == 403
    assert "/to-share" not in client.get("/account").text


def test_it_is_kept_here_by_a_person_once(api):
    client = browser(api, Role.ANALYST)
    entry = waiting(api)["pick"]["id"]
    path = f"/to-share/{entry}/keep"
    assert client.post(path, data={"csrf": "wrong"}).status_code == 403
    kept = client.post(path, data={"csrf": csrf(client)})
    assert kept.headers["location"] == "/to-share?done=share_kept"
    assert "pick" not in waiting(api)
    again = client.post(path, data={"csrf": csrf(client)})
    assert again.headers["location"] == "/to-share?problem=state_forbids"
