"""No path leads from a score to a hold or an inspection: a person decides.

Two walks over the source. What scoring and targeting reach, through whatever they import, never
includes the modules of holds and inspections. And the few functions that write those tables are
called from those modules alone, whose every act asks for a permission that belongs to persons.
"""

import ast
from pathlib import Path

import pytest

from isthmus.access.permission import PERSON_ONLY, Permission

SOURCE = Path(__file__).resolve().parents[2] / "src"
DECIDING = {"isthmus.cases.holds", "isthmus.cases.inspections", "isthmus.flow.inspect"}
WRITERS = {
    "insert_hold": {"isthmus.cases.holds"},
    "insert_inspection": {"isthmus.cases.inspections"},
    "insert_findings": {"isthmus.cases.inspections"},
    # Besides, a box that moves on takes its hold's address along, which decides nothing.
    "change_hold": {"isthmus.cases.holds", "isthmus.cases.clocks"},
    "change_inspection": {"isthmus.cases.inspections"},
}
# What happens to a hold by itself: its box left against it.
FACTS = {"breach"}


def path_of(module: str) -> Path | None:
    """The file of a module of the product."""
    path = SOURCE / Path(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


def imports(module: str) -> set[str]:
    """The modules of the product that a module imports, wherever in it."""
    path = path_of(module)
    if path is None:
        return set()
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{name.name}" for name in node.names}
    return {name for name in found if name.startswith("isthmus.") and path_of(name)}


def reached(start: str) -> set[str]:
    """Every module that a module leads to."""
    seen: set[str] = set()
    left = {start}
    while left:
        module = left.pop()
        seen.add(module)
        left |= imports(module) - seen
    return seen


@pytest.mark.parametrize("step", ["isthmus.flow.score", "isthmus.flow.target"])
def test_scoring_and_targeting_reach_no_module_that_decides(step: str) -> None:
    assert not reached(step) & DECIDING


def test_the_walk_sees_what_it_should() -> None:
    assert reached("isthmus.flow.inspect") >= DECIDING
    assert "isthmus.risk.select" in reached("isthmus.flow.target")


def test_only_the_modules_that_decide_write_holds_and_inspections() -> None:
    callers: dict[str, set[str]] = {name: set() for name in WRITERS}
    for path in SOURCE.rglob("*.py"):
        module = ".".join(path.relative_to(SOURCE).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(node, "attr", None) or getattr(node, "id", None)
            if name in callers and module != "isthmus.cases.store":
                callers[name].add(module)
    assert callers == WRITERS


@pytest.mark.parametrize("module", ["isthmus.cases.holds", "isthmus.cases.inspections"])
def test_every_act_on_them_asks_for_a_permission(module: str) -> None:
    path = path_of(module)
    assert path
    acts = [
        node
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    ]
    assert len(acts) > 3
    for act in acts:
        asked = {
            Permission[node.attr]
            for node in ast.walk(act)
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "Permission"
        }
        # A terminal's system answers for its boxes: that it keeps one is no decision.
        decides = asked & (PERSON_ONLY | {Permission.HOLD_ACKNOWLEDGE})
        assert decides or act.name in FACTS, act.name
