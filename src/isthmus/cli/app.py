"""The command ``isthmus``: which node, and what to do with it.

Exit status: 0 done; 1 done, with something set apart or found wrong; 2 refused.
"""

import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn

import orjson
import typer

from isthmus import __version__
from isthmus.access import console
from isthmus.access.model import Actor
from isthmus.exchange.proof.bundle import Finding
from isthmus.kernel.errors import Invalid, IsthmusError
from isthmus.node import Node
from isthmus.platform import telemetry
from isthmus.platform.transaction import Transaction

app = typer.Typer(
    name="isthmus",
    help="A node of the authorities that guard one trade route together.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Officer = Annotated[
    str | None,
    typer.Option("--officer", help="Login of the person who answers for this; else the console."),
]

DONE, SET_APART, REFUSED = 0, 1, 2


@dataclass(slots=True)
class _Chosen:
    node: Path | None = None


_chosen = _Chosen()


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit(DONE)


@app.callback()
def _options(
    node: Annotated[
        Path | None,
        typer.Option("--node", envvar="ISTHMUS_NODE", help="The node's folder."),
    ] = None,
    _version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True),
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log to standard error.")] = False,
) -> None:
    _chosen.node = node
    telemetry.configure(json=not sys.stderr.isatty(), level="INFO" if verbose else "WARNING")


def folder() -> Path:
    """Return the folder named by ``--node``; refuses without one."""
    if _chosen.node is None:
        raise Invalid("node_missing", "name the node's folder: isthmus --node DIR …")
    return _chosen.node


def open_node() -> Node:
    """Open the node named by ``--node``."""
    return Node.open(folder())


def officer(node: Node, login: str | None) -> Actor:
    """Return the person behind this command: the officer named, else the console's operator.

    Whoever can start commands here holds the node's keys, so no password would add anything; the
    audit says that the act came from the console.
    """

    def enter(tx: Transaction) -> Actor:
        if login is not None:
            return console.officer(tx, login)
        return console.operator(tx, node.settings.agency.code)

    return node.database.write(enter)


def show(result: dict[str, Any], as_json: bool, words: Callable[[], str] | None = None) -> None:
    """Print a result: one JSON object, or words for people."""
    if as_json or words is None:
        sys.stdout.buffer.write(orjson.dumps(result, option=orjson.OPT_INDENT_2) + b"\n")
        sys.stdout.buffer.flush()
    else:
        typer.echo(words())


def unsound(findings: Iterable[Finding], as_json: bool) -> NoReturn:
    """Say what was found wrong with something verified, each with its place; end with status 2."""
    wrong = [asdict(one) for one in findings]
    words = "\n".join(f"WRONG  {one['where']}: {one['code']}" for one in wrong)
    show({"valid": False, "findings": wrong}, as_json, lambda: words)
    raise typer.Exit(REFUSED)


def refuse(error: IsthmusError, as_json: bool) -> NoReturn:
    """Say why something was refused and end with status 2."""
    if as_json:
        where = {key: str(value) for key, value in error.where.items()}
        problem = {"kind": error.kind, "code": error.code, "message": error.message, **where}
        sys.stdout.buffer.write(orjson.dumps({"error": problem}) + b"\n")
    else:
        typer.echo(f"isthmus: {error}", err=True)
    raise typer.Exit(REFUSED)


def main() -> None:
    """Run the command line."""
    from isthmus.cli import commands

    commands.load()
    try:
        app()
    except IsthmusError as error:
        try:
            refuse(error, "--json" in sys.argv)
        except typer.Exit as ended:
            sys.exit(ended.exit_code)
