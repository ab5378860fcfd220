"""The threat model names a test in every row, and each of them exists."""

import ast
import re
from pathlib import Path

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
