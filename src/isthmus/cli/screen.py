"""``isthmus screen``: one name, or a table of names, against the lists in force."""

import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from isthmus.access.model import Actor, Purpose
from isthmus.cargo.formats.spreadsheet import Workbook, WorkbookFault, is_workbook
from isthmus.cli.app import SET_APART, Json, Officer, app, officer, open_node, show
from isthmus.cli.loop import progress
from isthmus.kernel.errors import Invalid
from isthmus.node import Node
from isthmus.parties import reasons
from isthmus.parties.listed import Lists, Match
from isthmus.parties.lists import delimited
from isthmus.parties.match import FIND_THRESHOLD
from isthmus.parties.model import Fault, Rejected
from isthmus.parties.query import screen_query
from isthmus.reference.codelist import LOCALES

COLUMN = "name"
TABLES = (".csv", ".xlsx")
BATCH = 1_000  # names of one look-up: each is logged, and none waits for all
SHOWN = 3  # hits of a name, and reasons of a hit, in the table for people


@app.command()
def screen(
    asked: Annotated[
        str,
        typer.Argument(metavar="NAME|FILE", help="A name, or a table with a column name."),
    ],
    threshold: Annotated[
        float, typer.Option(min=0.01, max=1.0, help="Lowest score of a hit.")
    ] = FIND_THRESHOLD,
    purpose: Annotated[
        Purpose | None, typer.Option(help="What it is for; that of the officer's role if none.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why, in words kept for supervision.")] = None,
    locale: Annotated[
        str | None, typer.Option(help=f"Language of the reasons: {', '.join(LOCALES)}.")
    ] = None,
    login: Officer = None,
    as_json: Json = False,
) -> None:
    """Say which entries of the lists in force a name may mean, and why. The look-up is logged.

    Exit status 1 when no list was taken in yet or a row of the table holds no name.
    """
    started = time.perf_counter()
    names = _names(asked)
    with open_node() as node:
        actor = officer(node, login)
        language = _language(locale, node)
        found, versions = _ask(node, actor, names, (threshold, purpose, reason))
        queries = [
            {"name": name, "hits": [reasons.tell(match, language) for match in matches]}
            for name, matches in zip(names, found, strict=True)
        ]
    result = {
        "lists": versions,
        "threshold": threshold,
        "queries": queries,
        "seconds": round(time.perf_counter() - started, 3),
    }
    show(result, as_json, lambda: "\n".join(_words(result)))
    if not versions:
        typer.echo("isthmus: no list was taken in yet: isthmus lists import", err=True)
    if not versions or not all(map(str.strip, names)):
        raise typer.Exit(SET_APART)


def _language(locale: str | None, node: Node) -> str:
    if locale is not None and locale not in LOCALES:
        raise Invalid("locale_unknown", f"one of {', '.join(LOCALES)}", locale=locale)
    return locale or node.settings.node.locale


def _ask(
    node: Node,
    actor: Actor,
    names: list[str],
    terms: tuple[float, Purpose | None, str | None],
) -> tuple[list[tuple[Match, ...]], dict[str, int]]:
    """Screen names in batches; a row without a name has no hits."""
    threshold, purpose, reason = terms
    listed = node.database.read(Lists().now)
    found: list[tuple[Match, ...]] = []
    with progress("screen", len(names)) as advance:
        for start in range(0, len(names), BATCH):
            batch = names[start : start + BATCH]
            asked = [name for name in batch if name.strip()]
            answers = iter(
                node.database.write(
                    lambda tx, asked=asked: screen_query(  # type: ignore[misc]
                        tx, actor, listed, asked,
                        threshold=threshold, purpose=purpose, reason=reason,
                    )
                )
                if asked
                else ()
            )  # fmt: skip
            found += [next(answers) if name.strip() else () for name in batch]
            advance(len(batch))
    return found, listed.versions


# -- tables of names ------------------------------------------------------------------------


def _names(asked: str) -> list[str]:
    """Return the names asked for: those of a table, else the one given."""
    path = Path(asked)
    try:
        is_file = path.is_file()
    except OSError:  # no name of a file can be that long
        is_file = False
    if is_file:
        return _column(path)
    if path.suffix.lower() in TABLES:
        raise Invalid("file_missing", "no such file", file=asked)
    if not asked.strip():
        raise Invalid("name_missing", "there is no name")
    return [asked]


def _column(path: Path) -> list[str]:
    content = path.read_bytes()
    if is_workbook(content[:8192]):
        return list(_of_rows(path, _sheet(path, content)))
    text = delimited.text_of(io.BytesIO(content))
    if isinstance(text, Fault):
        raise _wrong(path, text)
    return list(_of_rows(path, delimited.rows(text)))


def _sheet(path: Path, content: bytes) -> Iterator[delimited.Row]:
    try:
        with Workbook(io.BytesIO(content)) as book:
            yield from book.rows()
    except WorkbookFault as fault:
        raise Invalid(f"workbook_{fault.reason}", fault.message, file=str(path)) from None


def _of_rows(path: Path, rows: Iterator[Any]) -> Iterator[str]:
    for record in delimited.by_column(rows, (COLUMN,)):
        if isinstance(record, Fault):
            raise _wrong(path, record)
        if isinstance(record, Rejected):
            words = "this row cannot be read under the header"
            raise Invalid(record.reason, words, file=str(path), row=record.place)
        yield record[1][COLUMN]


def _wrong(path: Path, fault: Fault) -> Invalid:
    if fault.code == "list_columns_missing":
        words = f"there is no column {COLUMN!r}; the first row has these"
        columns = ", ".join(fault.detail["columns"])
        return Invalid("column_missing", words, file=str(path), columns=columns)
    code = fault.code.replace("list_", "table_", 1)
    return Invalid(code, "this is no table of names", file=str(path), **fault.detail)


# -- words ----------------------------------------------------------------------------------


def _words(result: dict[str, Any]) -> Iterator[str]:
    for query in result["queries"]:
        if not query["hits"]:
            yield f"{query['name'] or '–'}: nothing"
            continue
        yield f"{query['name']}:"
        for hit in query["hits"][:SHOWN]:
            yield f"  {hit['score']:.2f}  {hit['list']} {hit['entry']}  {hit['name']}"
            yield from (f"        {reason['text']}" for reason in hit["reasons"])
        if len(query["hits"]) > SHOWN:
            yield f"  and {len(query['hits']) - SHOWN:,} more"
    hit = sum(bool(query["hits"]) for query in result["queries"])
    lists = ", ".join(f"{code} {number}" for code, number in result["lists"].items())
    yield f"{hit:,} of {len(result['queries']):,} with a hit; lists: {lists or 'none'}"
