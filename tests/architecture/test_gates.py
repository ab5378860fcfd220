"""No read of records without a scope, no route without a permission.

Two walks. Every public function above access that reads the database, in a store or wherever
SQLAlchemy's ``select`` is imported, takes a ``Scope`` or an ``Actor`` and uses it, or is marked
``@unscoped("why")``. Every route of the API and of the pages
depends on something that carries a ``permission`` (a ``Permission``), or stands in the list of
public ones below. That the walks see what they should is tested on planted code.
"""

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute

from isthmus.access.permission import Permission

SOURCE = Path(__file__).resolve().parents[2] / "src" / "isthmus"
# platform and kernel know no records of the trade; access is the gate; migrations read no rows
# for anybody.
BELOW = {"kernel", "platform", "access", "migrations"}
READS = {"select", "text", "select_from", "lateral", "cte"}

# Open to whoever asks, each with its reason. A path ends here only by a decision.
PUBLIC = {
    "/sign-in": "nobody is signed in yet",
    "/sign-out": "ends the caller's own session and shows nothing",
    "/static": "style sheets, scripts and pictures, the same for all",
    "/preferences": "keeps the caller's own choice of language and look, and shows nothing",
    "/api/sign-in": "nobody is signed in yet",
    "/api/sign-out": "ends the caller's own session and shows nothing",
    "/api/session": "tells those who are signed in who they are",
    "/api/code-lists": "labels of codes, the same for all who are signed in",
    "/api/schemas": "published forms of documents, the same for all who are signed in",
    "/api/health": "says that the node answers, and nothing about what it holds",
    "/welcome/{secret}": "the one-time link is the proof",
}
VERBS = {"get", "post", "put", "patch", "delete", "head", "options", "api_route", "websocket"}


def trees() -> Iterator[tuple[Path, ast.Module]]:
    """Every module above access with its syntax tree."""
    for path in sorted(SOURCE.rglob("*.py")):
        if path.relative_to(SOURCE).parts[0] not in BELOW:
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def called(node: ast.AST) -> set[str]:
    """The last names of everything called inside a node."""
    names = set()
    for call in ast.walk(node):
        if isinstance(call, ast.Call):
            if isinstance(call.func, ast.Name):
                names.add(call.func.id)
            elif isinstance(call.func, ast.Attribute):
                names.add(call.func.attr)
    return names


def names_used(node: ast.AST) -> set[str]:
    """The names a node mentions and does not bind itself, and the methods of its own object."""
    bound = {part.arg for part in ast.walk(node) if isinstance(part, ast.arg)} | {
        part.id
        for part in ast.walk(node)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    }
    named = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)} - bound
    return named | {
        part.attr
        for part in ast.walk(node)
        if isinstance(part, ast.Attribute)
        and isinstance(part.value, ast.Name)
        and part.value.id in ("self", "cls")
    }


Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.Module) -> Iterator[Function]:
    """Module functions and the methods of module classes."""
    for node in tree.body:
        if isinstance(node, Function):
            yield node
        elif isinstance(node, ast.ClassDef):
            yield from (part for part in node.body if isinstance(part, Function))


def reading(tree: ast.Module) -> set[str]:
    """Names in a module that lead to a read: by themselves, or by what they name."""
    parts: dict[str, ast.AST] = {function.name: function for function in functions(tree)}
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            parts |= {target.id: node.value for target in targets if isinstance(target, ast.Name)}
    found = {name for name, part in parts.items() if called(part) & READS}
    while more := {
        name for name, part in parts.items() if name not in found and names_used(part) & found
    }:
        found |= more
    return found


def is_gated(function: Function) -> bool:
    """Whether a function takes a scope or an actor and makes use of it."""
    arguments = [
        *function.args.posonlyargs,
        *function.args.args,
        *function.args.kwonlyargs,
    ]
    gates = {
        argument.arg
        for argument in arguments
        if argument.annotation is not None
        and {"Scope", "Actor"} & names_used_in_annotation(argument.annotation)
    }
    used = {
        part.id for line in function.body for part in ast.walk(line) if isinstance(part, ast.Name)
    }
    return bool(gates & used)


def names_used_in_annotation(annotation: ast.expr) -> set[str]:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        annotation = ast.parse(annotation.value, mode="eval").body
    return names_used(annotation)


def is_marked(function: Function) -> bool:
    """Whether a function carries ``@unscoped`` with a reason of three words or more."""
    for mark in function.decorator_list:
        if isinstance(mark, ast.Call) and called(ast.Expr(mark)) & {"unscoped"}:
            reason = mark.args[0] if mark.args else None
            if isinstance(reason, ast.Constant) and isinstance(reason.value, str):
                return len(reason.value.split()) >= 3
    return False


def ungated(tree: ast.Module) -> list[str]:
    """The public reads of a store that nothing narrows and nothing excuses."""
    reads = reading(tree)
    return [
        f"{function.name} (line {function.lineno})"
        for function in functions(tree)
        if not function.name.startswith("_")
        and function.name in reads
        and not is_gated(function)
        and not is_marked(function)
    ]


def reads_database(path: Path, tree: ast.Module) -> bool:
    """Whether a module may read: a store, or one that takes from SQLAlchemy what builds a read.

    A module of tables reads nothing; ``text`` there is part of an index.
    """
    return path.stem != "tables" and (
        "store" in path.stem
        or any(
            isinstance(node, ast.Import) and "sqlalchemy" in {alias.name for alias in node.names}
            for node in ast.walk(tree)
        )
        or any(
            isinstance(node, ast.ImportFrom)
            and (node.module or "").split(".")[0] == "sqlalchemy"
            and {alias.name for alias in node.names} & {"select", "text", "lateral"}
            for node in ast.walk(tree)
        )
    )


def test_every_read_has_a_scope_or_says_why_not():
    walked = [(path, tree) for path, tree in trees() if reads_database(path, tree)]
    assert walked
    faults = [
        f"{path.relative_to(SOURCE)}: {name}" for path, tree in walked for name in ungated(tree)
    ]
    assert not faults, "take a Scope and use it, or mark @unscoped(why):\n" + "\n".join(faults)


PLANTED = """
from isthmus.access.gate import Scope, unscoped
ALL = select(table)
def open_read(tx): return tx.execute(select(table))
def by_constant(tx): return tx.execute(ALL)
def by_helper(tx): return _helper(tx)
def _helper(tx): return tx.execute(select(table))
def scope_unused(tx, scope: Scope): return tx.execute(select(table))
@unscoped("job")
def poor_reason(tx): return tx.execute(select(table))
class Shelf:
    def read(self, tx): return self._read(tx)
    def _read(self, tx): return tx.execute(text("SELECT 1"))
    def count(self, tx, by_helper): return [tx.by_helper for open_read in by_helper]
def narrowed(tx, scope: Scope): return tx.execute(select(table).where(scope.where()))
def quoted(tx, scope: "Scope | None"): return _narrow(scope, select(table))
def by_actor(tx, *, actor: Actor): return tx.execute(select(actor.agency))
@unscoped("read by the scoring job only")
def for_a_job(tx): return tx.execute(select(table))
def write(tx): tx.execute(table.insert())
"""


def test_the_walk_sees_open_reads_and_lets_narrowed_ones_pass():
    seen = [fault.split()[0] for fault in ungated(ast.parse(PLANTED))]
    assert seen == [
        "open_read",
        "by_constant",
        "by_helper",
        "scope_unused",
        "poor_reason",
        "read",
    ]


@pytest.mark.parametrize(
    ("name", "source", "reads"),
    [
        ("holds", "from sqlalchemy import Table, select", True),
        ("holds", "from sqlalchemy.sql import text", True),
        ("holds", "import sqlalchemy", True),
        ("holds", "from sqlalchemy import Table, insert", False),
        ("store", "from sqlalchemy import insert", True),
        ("tables", "from sqlalchemy import Table, text", False),
    ],
)
def test_the_walk_knows_which_modules_read(name, source, reads):
    assert reads_database(Path(f"{name}.py"), ast.parse(source)) == reads


def permissions_of(dependant) -> set[object]:
    """What the dependencies of a route demand, however deep they stand."""
    found = set()
    for dependency in dependant.dependencies:
        found.add(getattr(dependency.call, "permission", None))
        found |= permissions_of(dependency)
    return found


def is_public(path: str) -> bool:
    return any(path == public or path.startswith(f"{public}/") for public in PUBLIC)


def unguarded(routes: list[APIRoute]) -> list[str]:
    """Routes that demand no permission and are not public."""
    return [
        f"{sorted(route.methods)} {route.path}"
        for route in routes
        if not is_public(route.path)
        and not any(isinstance(need, Permission) for need in permissions_of(route.dependant))
    ]


def routes_of(package: str) -> list[APIRoute]:
    """Every route of the routers that stand in the modules of a package."""
    found: dict[int, APIRoute] = {}
    top = importlib.import_module(package)
    for info in [
        SimpleNamespace(name=package),
        *pkgutil.walk_packages(top.__path__, f"{package}."),
    ]:
        for value in vars(importlib.import_module(info.name)).values():
            if isinstance(value, APIRouter | FastAPI):
                found |= {id(route): route for route in value.routes if isinstance(route, APIRoute)}
    return list(found.values())


def declared(package: str) -> set[str]:
    """The names of all functions of a package with the decorator of a route, by syntax."""
    names = set()
    for path in (SOURCE / package.rsplit(".", maxsplit=1)[-1]).rglob("*.py"):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, Function) and any(
                isinstance(mark, ast.Call)
                and isinstance(mark.func, ast.Attribute)
                and mark.func.attr in VERBS
                for mark in function.decorator_list
            ):
                names.add(function.name)
    return names


@pytest.mark.parametrize("package", ["isthmus.api", "isthmus.web"])
def test_every_route_demands_a_permission_or_is_public_by_name(package):
    if not any((SOURCE / package.split(".")[-1]).rglob("*.py")):
        pytest.skip(f"{package} has no code yet")
    routes = routes_of(package)
    assert routes, f"no router stands in a module of {package}, so its routes cannot be seen"
    unseen = declared(package) - {route.endpoint.__name__ for route in routes}
    assert not unseen, f"routes on no router of a module: {sorted(unseen)}"
    faults = unguarded(routes)
    assert not faults, "depend on a permission, or be public by name:\n" + "\n".join(faults)


def test_the_walk_over_routes_sees_those_without_a_permission():
    def allowed(permission):
        def depend() -> None:
            """Stands for the API's own dependency."""

        depend.permission = permission
        return depend

    def nested(_: None = Depends(allowed(Permission.UNIT_READ))) -> None:
        """A dependency that demands the permission further down."""

    router = APIRouter()
    router.add_api_route("/sign-in", lambda: None, methods=["POST"])
    router.add_api_route("/static/app.css", lambda: None)
    router.add_api_route("/welcome/{secret}", lambda: None)
    router.add_api_route("/units", lambda: None, dependencies=[Depends(nested)])
    router.add_api_route(
        "/rules", lambda: None, dependencies=[Depends(allowed(Permission.RULE_READ))]
    )
    router.add_api_route("/open", lambda: None)
    router.add_api_route("/sign-in-as", lambda: None)
    router.add_api_route("/vague", lambda: None, dependencies=[Depends(allowed("unit.read"))])
    assert unguarded([route for route in router.routes if isinstance(route, APIRoute)]) == [
        "['GET'] /open",
        "['GET'] /sign-in-as",
        "['GET'] /vague",
    ]
