"""``isthmus lists`` on a node of its own: what is printed, and with which status it ends."""

from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from cargo.formats.xlsx_samples import workbook
from isthmus.cli import commands
from isthmus.cli.app import app
from isthmus.parties.lists.lookout import COLUMNS

HEADER = ",".join(COLUMNS)
ROW = "L-{n},company,Bodega {n},,,,,targeting,ANA,2099-12-31"


@pytest.fixture
def node(tmp_path: Path) -> Path:
    commands.load()
    folder = tmp_path / "node"
    made = CliRunner().invoke(app, ["init", str(folder)])
    assert made.exit_code == 0, made.output
    return folder


def lists(node: Path, *words: object, status: int = 0) -> dict:
    arguments = ["--node", str(node), "lists", *map(str, words), "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == status, result.output
    return orjson.loads(result.stdout)


def lookouts(folder: Path, *numbers: int) -> Path:
    path = folder / "lookouts.csv"
    path.write_text("\n".join([HEADER, *(ROW.format(n=n) for n in numbers)]) + "\n")
    return path


def test_a_list_is_taken_shown_and_compared(node, tmp_path):
    assert lists(node, "import", "csv", lookouts(tmp_path, 1, 2))["state"] == "taken"
    taken = lists(node, "import", "csv", lookouts(tmp_path, 1, 2, 3))
    assert taken["version"] == 2
    assert taken["changes"] == {"added": 1, "removed": 0, "changed": 0}
    (own,) = [one for one in lists(node, "status")["lists"] if one["list"] == "csv"]
    assert (own["version"], own["counts"]["entries"], own["alarms"]) == (2, 3, [])
    found = lists(node, "diff", "csv", "--from", 1, "--to", 2)
    assert (found["added"], found["removed"], found["changed"]) == (["L-3"], [], [])


def test_a_wrong_file_ends_with_status_2_and_the_status_tells_of_it(node, tmp_path):
    lists(node, "import", "csv", lookouts(tmp_path, 1, 2))
    (tmp_path / "empty.csv").write_text("")
    refused = lists(node, "import", "csv", tmp_path / "empty.csv", status=2)
    assert (refused["state"], refused["version"]) == ("refused", 1)
    assert [alarm["code"] for alarm in refused["alarms"]] == ["list_empty"]
    told = lists(node, "status", status=1)["lists"]
    assert [alarm["code"] for one in told for alarm in one["alarms"]] == ["list_empty"]
    words = CliRunner().invoke(app, ["--node", str(node), "lists", "status"])
    assert "ALARM  list_empty" in words.output


def test_lookouts_come_from_a_workbook_too(node, tmp_path):
    rows = [list(COLUMNS), *(ROW.format(n=n).split(",") for n in (1, 2))]
    path = tmp_path / "own.xlsx"
    path.write_bytes(workbook(rows))
    assert lists(node, "import", "csv", path)["counts"]["entries"] == 2
    broken = workbook(rows, parts={"xl/worksheets/sheet1.xml": "<worksheet><sheetData>"})
    path.write_bytes(broken)
    refused = lists(node, "import", "csv", path, status=2)
    assert [alarm["code"] for alarm in refused["alarms"]] == ["list_workbook_wrong"]
    assert refused["version"] == 1
