"""``isthmus lists``: official lists and own lookouts, taken in, looked at and compared."""

import io
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from isthmus.cargo.formats.spreadsheet import Workbook, WorkbookFault, is_workbook
from isthmus.cli.app import REFUSED, SET_APART, Json, Officer, app, officer, open_node, show
from isthmus.kernel.errors import Invalid
from isthmus.parties.lists import difference, lookout, service
from isthmus.parties.lists import status as standing
from isthmus.parties.lists.catalogue import LISTS
from isthmus.parties.lists.service import File
from isthmus.parties.model import Fault, Reading

lists = typer.Typer(
    name="lists", help="Sanctions lists and own lookouts, in versions.", no_args_is_help=True
)
app.add_typer(lists)

Code = Annotated[str, typer.Argument(help=f"One of {', '.join(LISTS)}.")]


@lists.command("import")
def take(
    code: Code,
    files: Annotated[list[Path], typer.Argument(help="All files of one publication.")],
    published: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day of publication.")
    ] = None,
    licence: Annotated[
        str | None, typer.Option(help="Under which licence the data were got.")
    ] = None,
    overrule: Annotated[
        str | None, typer.Option(help="Take a list that shrank, or is old; say why.")
    ] = None,
    login: Officer = None,
    as_json: Json = False,
) -> None:
    """Take a list in: a good one comes into force as a whole, a wrong one raises an alarm.

    Exit status 2 when it was refused; the version in force then stays.
    """
    started = time.perf_counter()
    given = [_file(path) for path in files]
    read = _read_workbook if code == "csv" and is_workbook(given[0].content[:8192]) else None
    with open_node() as node:
        actor = officer(node, login)
        outcome = node.database.write(
            lambda tx: service.take(
                tx,
                actor,
                code,
                given,
                published_on=published.date() if published else None,
                licence=licence,
                overrule=overrule,
                read=read,
            )
        )
    result = {**outcome.plain(), "seconds": round(time.perf_counter() - started, 3)}
    show(result, as_json, lambda: _outcome(result))
    if outcome.state == "refused":
        raise typer.Exit(REFUSED)


def _file(path: Path) -> File:
    if not path.is_file():
        raise Invalid("file_missing", "no such file", file=str(path))
    return File(path.name, path.read_bytes())


def _read_workbook(streams: Sequence[BinaryIO]) -> Iterator[Reading]:
    """Read lookouts from the first sheet of a workbook."""
    try:
        with Workbook(io.BytesIO(streams[0].read())) as book:
            yield from lookout.read_rows(book.rows())
    except WorkbookFault as fault:
        yield Fault("list_workbook_wrong", {"reason": fault.reason})


def _outcome(result: dict[str, Any]) -> str:
    lines = [
        f"{result['list']}: {result['state']}; in force: version {result['version'] or 'none'}"
    ]
    lines += [f"{name:>12}  {value:,}" for name, value in result["counts"].items()]
    lines += [f"{name:>12}  {value:,}" for name, value in result["changes"].items()]
    word = "ALARM" if result["state"] == "refused" else "overruled"
    lines += [_alarm(alarm, word) for alarm in result["alarms"]]
    lines.append(f"{result['seconds']} s")
    return "\n".join(lines)


def _alarm(alarm: dict[str, Any], word: str = "ALARM") -> str:
    said = ", ".join(f"{name}={value}" for name, value in alarm.items() if name != "code")
    return f"{word}  {alarm['code']}" + (f" ({said})" if said else "")


@lists.command("status")
def tell_status(login: Officer = None, as_json: Json = False) -> None:
    """Say of each list what is in force, how old it is and what is wrong.

    Exit status 1 when an alarm is open or a list is older than it may be.
    """
    with open_node() as node:
        actor = officer(node, login)
        rows = node.database.read(lambda tx: standing.status(tx, actor))
    show({"lists": rows}, as_json, lambda: "\n".join(line for row in rows for line in _lines(row)))
    if any(row["alarms"] or row.get("stale") for row in rows):
        raise typer.Exit(SET_APART)


def _lines(row: dict[str, Any]) -> Iterator[str]:
    if row["version"] is None:
        yield f"{row['list']:<8}never taken in"
    else:
        yield (
            f"{row['list']:<8}version {row['version']}, {row['counts']['entries']:,} entries, "
            f"came in {row['age_days']} days ago" + (", STALE" if row["stale"] else "")
        )
    for alarm in row["alarms"]:
        yield "  " + _alarm({name: value for name, value in alarm.items() if name != "at"})


@lists.command("diff")
def tell_difference(
    code: Code,
    first: Annotated[int | None, typer.Option("--from", help="Earlier version.")] = None,
    last: Annotated[int | None, typer.Option("--to", help="Later version.")] = None,
    login: Officer = None,
    as_json: Json = False,
) -> None:
    """Say what changed between two versions of a list, else by the newest one."""
    with open_node() as node:
        actor = officer(node, login)
        found = node.database.read(lambda tx: difference.diff(tx, actor, code, first, last))
    show(found, as_json, lambda: _changes(found))


def _changes(found: dict[str, Any]) -> str:
    lines = [f"{found['list']}: version {found['from']} → {found['to']}"]
    lines += [f"+ {key}" for key in found["added"]]
    lines += [f"- {key}" for key in found["removed"]]
    lines += [f"~ {one['key']}: {', '.join(one['fields'])}" for one in found["changed"]]
    return "\n".join(lines)
