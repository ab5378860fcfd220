"""The threat model names a test in every row, and each of them exists."""

import ast
import re
from pathlib import Path

# What a model of threats to an exchange must speak of, each by words of its rows.
MUST = (
    "wrong key|certificate", "sent again", "forged", "over-wide disclosure", "flood of lookouts",
    "10 GB", "slow loris", "path and method tricks", "header tricks", "split view|two histories",
    "reordered", "gap", "another time", "oversize", "malformed", "altered", "rewrites its ledger",
    "recall", "restore", "power is cut", "compromise|stolen", "blind question", "suspended",
)  # fmt: skip
ROOT = Path(__file__).resolve().parents[2]
ROWS = [
    line.strip().strip("|").split("|")
    for line in (ROOT / "docs" / "protocol" / "threats.md").read_text("utf-8").splitlines()
    if line.startswith("|") and not line.startswith(("| threat", "|---"))
]


def test_every_row_has_threat_control_default_and_a_test_that_exists():
    assert len(ROWS) > 20
    for row in ROWS:
        assert len(row) == 4, row
        assert all(cell.strip() for cell in row), row
        named = re.fullmatch(r"`(tests/[a-z_/]+\.py)::(test_[a-z_0-9]+)`", row[3].strip())
        assert named, row[3]
        tree = ast.parse((ROOT / named[1]).read_text("utf-8"))
        names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert named[2] in names, row[3]


def test_no_two_rows_stand_on_one_test():
    tests = [row[3].strip() for row in ROWS]
    assert len(tests) == len(set(tests))


def test_nothing_that_must_be_thought_of_is_left_out():
    said = [" ".join(row[:2]) for row in ROWS]
    for words in MUST:
        assert any(word in one for one in said for word in words.split("|")), words


def test_no_row_is_skipped_in_every_run():
    """A test that an environment variable or a marker switches off shows nothing."""
    for row in ROWS:
        path, name = row[3].strip().strip("`").split("::")
        tree = ast.parse((ROOT / path).read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name == name:
                marks = " ".join(ast.unparse(mark) for mark in node.decorator_list)
                assert "skip(" not in marks, row[3]
                assert "xfail" not in marks, row[3]
