"""Every figure of the overview opens rows, and as many as it says."""

import re
from collections.abc import Iterator
from html import unescape

import pytest
from fastapi.testclient import TestClient

from api.node_served import Api
from isthmus.access.model import Role
from isthmus.cases import inspections
from isthmus.cases.inspections import Report
from isthmus.cases.model import Result
from isthmus.flow import inspect
from isthmus.reference.codelist import LOCALES
from web.conftest import browser, pages_of

LINKED = re.compile(r'<a (?:class="figure" )?href="(/overview/[^"]+)">(?:<b>)?([^<]*)<')


@pytest.fixture(scope="module")
def inspected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A busy node whose ordered inspection found nothing, after forty minutes."""
    api = pages_of(tmp_path_factory.mktemp("figures") / "node", busy=True)
    inspector, order = api.actors[Role.INSPECTOR], api.ids["inspection"]
    api.node.database.write(lambda tx: inspections.accept(tx, inspector, order))
    report = Report(Result.NO_IRREGULARITY, "physical_full", 40)
    api.node.database.write(lambda tx: inspect.report(tx, inspector, order, report))
    yield api
    api.node.close()


def rows(client: TestClient, path: str) -> int:
    total = 0
    for number in range(1, 50):
        answer = client.get(f"{path}{'&' if '?' in path else '?'}page={number}")
        assert answer.status_code == 200, path
        body = answer.text.partition("<tbody>")[2].partition("</tbody>")[0]
        total += body.count("<tr>")
        if 'rel="next"' not in answer.text:
            return total
    raise AssertionError(path)


def test_a_count_opens_as_many_rows(inspected: Api):
    client = browser(inspected, Role.SUPERVISOR)
    links = [(unescape(path), text) for path, text in LINKED.findall(client.get("/overview").text)]
    counts = [
        (path, int(text.replace(",", "")))
        for path, text in links
        if re.fullmatch(r"[\d,]+", text)
        and ("/units" in path or ("basis=" in path and "figure=delayed" not in path))
    ]
    figures = {re.search(r"figure=(\w+)|(assessed)|$", path)[0] for path, _ in counts}
    assert figures == {"figure=picked", "figure=inspected", "figure=hits", "assessed", ""}
    for path, count in counts:
        assert rows(client, path) == count, path


def test_rates_runs_and_delays_open_what_they_are_made_of(inspected: Api):
    client = browser(inspected, Role.SUPERVISOR)
    links = {unescape(path) for path, _ in LINKED.findall(client.get("/overview").text)}
    assert "/overview/documents" in links
    assert rows(client, "/overview/documents") > 0
    assert rows(client, "/overview/runs?objective=contraband") == 1
    (delayed,) = (path for path in links if path.endswith("figure=delayed"))
    text = client.get(delayed).text
    assert rows(client, delayed) == 1
    assert ">40<" in text
    assert "No irregularity" in text or "Conform" in text
    assert rows(client, "/overview/picks?objective=revenue") == 0


@pytest.mark.parametrize("language", LOCALES)
def test_the_rows_are_whole_in_each_language(inspected: Api, language: str):
    client = browser(inspected, Role.SUPERVISOR, language)
    for path in {unescape(path) for path, _ in LINKED.findall(client.get("/overview").text)}:
        answer = client.get(path)
        assert answer.status_code == 200
        assert not re.search(r"\{\w+\}", answer.text)


def test_who_may_not_see_the_rows_gets_the_figure_alone(inspected: Api):
    text = browser(inspected, Role.ADMINISTRATOR).get("/overview").text
    assert "/overview/units" not in text
    assert "/overview/picks" not in text
    assert '<td class="number">' in text


def test_there_are_no_rows_of_what_is_no_figure(inspected: Api):
    client = browser(inspected, Role.SUPERVISOR)
    assert client.get("/overview/picks", params={"figure": "all"}).status_code == 404
