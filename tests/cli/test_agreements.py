"""``isthmus agreements``: what is printed, and with which status it ends."""

from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from cargo.formats.xlsx_samples import workbook
from isthmus.agreements import shipped
from isthmus.agreements.listing import COLUMNS
from isthmus.cli import commands
from isthmus.cli.app import app
from isthmus.kernel.errors import Conflict, Denied, Invalid, NotFound


@pytest.fixture
def node(tmp_path: Path) -> Path:
    commands.load()
    folder = tmp_path / "node"
    made = CliRunner().invoke(app, ["init", str(folder)])
    assert made.exit_code == 0, made.output
    return folder


def run(*words: object, node: Path | None = None, status: int = 0) -> dict:
    commands.load()
    before = ["--node", str(node)] if node else []
    result = CliRunner().invoke(app, [*before, "agreements", *map(str, words), "--json"])
    assert result.exit_code == status, result.output
    return orjson.loads(result.stdout)


def file(folder: Path, *changes: tuple[str, str]) -> Path:
    text = shipped.text_of("PA-NL-2026")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = folder / "agreement.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_is_checked_without_a_node(tmp_path: Path) -> None:
    result = run("check", file(tmp_path))
    assert result["failed"] == 0
    assert len(result["examples"]) >= 30
    assert {one["meant"] for one in result["examples"]} == {"allow", "refuse"}
    words = CliRunner().invoke(app, ["agreements", "check", str(tmp_path / "agreement.yaml")])
    assert "refused  a confidential alert (too_secret)" in words.output
    assert words.output.rstrip().endswith("0 wrong")


def test_a_wrong_example_ends_with_status_1_and_a_wrong_file_is_refused(tmp_path: Path) -> None:
    wrong = file(tmp_path, ("because: too_secret", "because: not_in_force"))
    (bad,) = [one for one in run("check", wrong, status=1)["examples"] if not one["passed"]]
    assert bad["title"] == "a confidential alert"
    assert "too_secret" in bad["wrong"][0]
    broken = file(tmp_path, ("binding: true", "binding: false"))
    commands.load()
    refused = CliRunner().invoke(app, ["agreements", "check", str(broken)])
    assert isinstance(refused.exception, Invalid)
    assert refused.exception.where["file"] == "agreement.yaml"


def test_a_draft_is_entered_and_its_drafter_does_not_review_it(node: Path, tmp_path: Path) -> None:
    assert run("enter", file(tmp_path), node=node)["version"] == "PA-NL-2026@1"
    (one,) = run("list", node=node)["agreements"]
    assert (one["state"], one["fictional"], one["permits"]) == ("draft", True, 8)
    arguments = ["--node", str(node), "agreements", "review", "PA-NL-2026@1"]
    refused = CliRunner().invoke(app, arguments)
    assert isinstance(refused.exception, Denied)


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_table_comes_in_and_tells_what_lacks(node: Path, tmp_path: Path, form: str) -> None:
    rows = [list(COLUMNS), ["1", "One", "migration", "PA MX", "", "", "", ""]]
    rows += [[str(number), *[""] * 7] for number in range(2, 44)]
    path = tmp_path / f"table.{form}"
    if form == "csv":
        path.write_text("\n".join(",".join(row) for row in rows), encoding="utf-8")
    else:
        path.write_bytes(workbook(rows))
    result = run("import-table", "PA-MX-2016", path, node=node)
    assert (result["rows"], result["new"]) == (43, 43)
    assert result["incomplete"][0]["lacks"] == ["owner", "signed_on", "status", "text_at"]
    listed = run("list", node=node)
    assert len(listed["listed"]) == 43
    assert listed["lacking"]["title"] == 42


def test_the_overlay_is_proposed_here_and_its_proposer_does_not_approve_it(
    node: Path, tmp_path: Path
) -> None:
    rule = tmp_path / "rule.yaml"
    rule.write_text("id: no-boxes\nground: ongoing_investigation\nfields: [containers]\n")
    change = run("overlay", "propose", rule, node=node)["change"]
    told = run("overlay", "list", node=node)
    assert told["proposed"] == [{"id": change, "rule": "no-boxes", "removes": False}]
    assert "no-boxes" not in {one["id"] for one in told["rules"]}
    arguments = ["--node", str(node), "agreements", "overlay"]
    refused = CliRunner().invoke(app, [*arguments, "approve", change])
    assert isinstance(refused.exception, Denied)
    fixed = next(one["id"] for one in told["rules"] if one.get("fixed"))
    kept = CliRunner().invoke(app, [*arguments, "remove", fixed])
    assert isinstance(kept.exception, Conflict)
    rule.write_text("[")
    torn = CliRunner().invoke(app, [*arguments, "propose", str(rule)])
    assert isinstance(torn.exception, Invalid)


def test_a_suspension_is_told_and_lifted_by_nobody_who_made_it(node: Path, tmp_path: Path) -> None:
    run("enter", file(tmp_path), node=node)
    assert run("list", node=node)["suspended"] == []
    unknown = CliRunner().invoke(
        app, ["--node", str(node), "agreements", "lift", f"sus_{'0' * 26}"]
    )
    assert isinstance(unknown.exception, NotFound)
