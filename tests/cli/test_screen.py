"""``isthmus screen`` on a node of its own: one name, a table of names, and what cannot be asked."""

from pathlib import Path

import orjson
import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from cargo.formats.xlsx_samples import workbook
from cli.test_lists import HEADER
from isthmus.cli import commands
from isthmus.cli.app import app
from isthmus.node import Node
from isthmus.platform.audit import audit_table

LOOKOUTS = (
    "L-1,company,Severny Veter Trading LLC,,,,,targeting,ANA,2099-12-31",
    "L-2,vessel,Blue Heron,,,imo:9074729,,targeting,ANA,2099-12-31",
)


@pytest.fixture(scope="module")
def node(tmp_path_factory) -> Path:
    commands.load()
    folder = tmp_path_factory.mktemp("screen") / "node"
    made = CliRunner().invoke(app, ["init", str(folder)])
    assert made.exit_code == 0, made.output
    return folder


@pytest.fixture(scope="module")
def listed(node) -> Path:
    path = node.parent / "own.csv"
    path.write_text("\n".join([HEADER, *LOOKOUTS]) + "\n")
    taken = CliRunner().invoke(app, ["--node", str(node), "lists", "import", "csv", str(path)])
    assert taken.exit_code == 0, taken.output
    return node


def ask(node: Path, *words: object, status: int = 0):
    result = CliRunner().invoke(app, ["--node", str(node), "screen", *map(str, words)])
    assert result.exit_code == status, result.output
    return result


def asked(node: Path, *words: object, status: int = 0) -> dict:
    return orjson.loads(ask(node, *words, "--json", status=status).stdout)


def test_before_any_list_it_answers_and_says_so(tmp_path):
    commands.load()
    folder = tmp_path / "node"
    assert CliRunner().invoke(app, ["init", str(folder)]).exit_code == 0
    result = ask(folder, "Severny Veter", status=1)
    assert "no list was taken in yet" in result.stderr


def test_a_name_in_another_script_is_found_and_explained(listed):
    told = asked(listed, "Перевозки 7 c/o Северний Ветор Трейдинг", "--locale", "es")
    (query,) = told["queries"]
    (hit,) = query["hits"]
    assert (hit["list"], hit["entry"], hit["name"]) == ("csv", "L-1", "Severny Veter Trading LLC")
    assert hit["score"] >= told["threshold"]
    assert "figura tras «c/o»" in hit["reasons"][0]["text"]
    words = ask(listed, "Северний Ветор Трейдинг").stdout
    assert "sounds like “veter” on the list" in words


def test_a_number_is_found_whatever_the_name(listed):
    (query,) = asked(listed, "MV OTHER NAME IMO 9074729")["queries"]
    assert [(hit["entry"], hit["name"], hit["basis"], hit["score"]) for hit in query["hits"]] == [
        ("L-2", "Blue Heron", "number", 1.0)
    ]


def test_a_table_is_answered_in_its_order_and_a_row_without_a_name_is_told(listed, tmp_path):
    path = tmp_path / "asked.csv"
    path.write_text("id,Name\n1,Nobody At All\n2,\n3,Severny Veter\n")
    told = asked(listed, path, status=1)
    assert [query["name"] for query in told["queries"]] == ["Nobody At All", "", "Severny Veter"]
    assert [len(query["hits"]) for query in told["queries"]] == [0, 0, 1]


def test_a_workbook_is_a_table_too(listed, tmp_path):
    path = tmp_path / "asked.xlsx"
    path.write_bytes(workbook([["name"], ["Severny Veter"]]))
    assert len(asked(listed, path)["queries"][0]["hits"]) == 1


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("no-column.csv", "id,nombre\n1,X\n", "column_missing"),
        ("empty.csv", "", "table_empty"),
        ("wide.csv", "name\nSidorov, Ivan\n", "row_of_other_width"),
        ("absent.csv", None, "file_missing"),
    ],
)
def test_a_table_that_is_none_is_refused_with_the_place(listed, tmp_path, name, content, code):
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    result = CliRunner().invoke(app, ["--node", str(listed), "screen", str(path)])
    assert result.exception is not None
    assert getattr(result.exception, "code", None) == code
    assert result.exception.where["file"] == str(path)


def test_the_threshold_bounds_the_hits_and_what_was_asked_is_logged_without_names(listed):
    assert not asked(listed, "Severny Veter", "--threshold", "0.99")["queries"][0]["hits"]
    with Node.open(listed) as node:
        rows = node.database.read(
            lambda tx: list(
                tx.execute(
                    select(audit_table).where(audit_table.c.action == "person_data.searched")
                ).mappings()
            )
        )
    assert rows
    assert "severny" not in str(rows).casefold()
    assert {row["purpose"] for row in rows} == {"targeting"}
