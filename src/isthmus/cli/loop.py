"""The loop by hand: ``receive``, ``score``, ``target``, ``inspect``, ``coverage``."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from isthmus.access.model import Actor
from isthmus.cargo import service as cargo
from isthmus.cargo.formats.source import Source
from isthmus.cargo.readings import COUNTS
from isthmus.cases import inspections, picks
from isthmus.cases.inspections import Found, Report
from isthmus.cases.model import Result
from isthmus.cli.app import REFUSED, SET_APART, Json, Officer, app, officer, open_node, show
from isthmus.flow import inspect as flow_inspect
from isthmus.flow import target as flow_target
from isthmus.kernel.errors import Invalid, IsthmusError
from isthmus.node import Node
from isthmus.platform.transaction import Transaction
from isthmus.risk.objectives import Objective


@contextmanager
def progress(words: str, total: int | None = None) -> Iterator[Any]:
    """Show a bar on standard error while something long runs; gives ``advance(n)``."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    with bar:
        task = bar.add_task(words, total=total)
        yield lambda count: bar.advance(task, count)


@app.command()
def receive(
    files: Annotated[list[Path], typer.Argument(help="Documents of any known format.")],
    mapping: Annotated[
        str | None, typer.Option(help="Mapping of a table: a shipped name or a file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Take documents in: keep them as they came, read them, say what became of every record."""
    started = time.perf_counter()
    counts = dict.fromkeys(("documents", *COUNTS, "unsupported"), 0)
    refused = 0
    with open_node() as node:
        for file in files:
            try:
                receipt = _receive_one(node, file, mapping)
            except IsthmusError as error:
                refused += 1
                typer.echo(f"isthmus: {file}: {error}", err=True)
                continue
            counts["documents"] += 1
            counts["unsupported"] += receipt.unsupported
            for name in COUNTS:
                counts[name] += getattr(receipt.tally, name)
            if receipt.unsupported:
                typer.echo(f"isthmus: {file}: kept; no reader knows this format", err=True)
    result: dict[str, Any] = {**counts, "seconds": round(time.perf_counter() - started, 3)}
    show(result, as_json, lambda: _words(result))
    if refused:
        raise typer.Exit(REFUSED)
    if counts["quarantined"] or counts["parked"]:
        raise typer.Exit(SET_APART)


def _receive_one(node: Node, file: Path, mapping: str | None) -> Any:
    if not file.is_file():
        raise Invalid("file_missing", "no such file", file=str(file))
    source = Source(file.name, mapping=mapping)
    with file.open("rb") as stream, progress(f"receive {file.name}") as advance:
        return node.receiver.receive(node.actor, stream, source, progress=advance)


def _words(result: dict[str, Any]) -> str:
    lines = [f"{name.replace('_', ' '):>13}  {value:,}" for name, value in result.items()]
    return "\n".join(lines)


@app.command()
def score(as_json: Json = False) -> None:
    """Assess every unit that is new or changed since it was last assessed."""
    started = time.perf_counter()
    with open_node() as node, progress("score", node.scorer.due()) as advance:
        scored = node.scorer.score_all(advance)
        covered = node.database.read(lambda tx: cargo.coverage(tx, node.actor))
    result = {"scored": scored, "seconds": round(time.perf_counter() - started, 3)}
    show(
        result,
        as_json,
        lambda: f"{scored:,} units scored in {result['seconds']} s\n{_coverage(covered)}",
    )


@app.command()
def coverage(as_json: Json = False) -> None:
    """Say which share of known movements was assessed, by regime."""
    with open_node() as node:
        covered = node.database.read(lambda tx: cargo.coverage(tx, node.actor))
    show({"coverage": covered}, as_json, lambda: _coverage(covered))


def _coverage(rows: list[dict[str, Any]]) -> str:
    lines = [f"{'regime':<14}{'known':>10}{'assessed':>10}{'share':>8}"]
    lines += [
        f"{row['regime']:<14}{row['known']:>10,}{row['assessed']:>10,}{row['share']:>8.1%}"
        for row in rows
    ]
    return "\n".join(lines)


@app.command()
def target(
    budget: Annotated[int, typer.Option(help="Physical inspections the shift can do.")] = 20,
    documentary: Annotated[int, typer.Option(help="Document checks it can do.")] = 0,
    audits: Annotated[int, typer.Option(help="Post-release audits it can do.")] = 0,
    office: Annotated[str | None, typer.Option(help="Office; the whole node if none.")] = None,
    shift: Annotated[str, typer.Option(help="Name of the shift.")] = "day",
    objective: Annotated[Objective, typer.Option(help="What to look for.")] = Objective.CONTRABAND,
    floor: Annotated[
        float | None, typer.Option(help="Share drawn at random; the node's setting if none.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Pick what to inspect within the budget: mandated, ranked, and drawn at random."""
    with open_node() as node:
        order = flow_target.Order(
            budget=budget,
            documentary=documentary,
            audits=audits,
            office=office,
            shift=shift,
            objective=objective,
            floor=floor if floor is not None else node.settings.targeting.random_floor,
        )
        made = node.database.write(lambda tx: flow_target.run(tx, node.actor, order))
    picks_ = [
        {name: pick[name] for name in ("id", "unit_id", "lane", "basis", "score", "propensity")}
        for pick in made.picks
    ]
    show({**made.plain(), "picks": picks_}, as_json, lambda: _run_words(made))


def _run_words(made: flow_target.Run) -> str:
    lines = [f"{len(made.picks)} of {made.candidates:,} candidates picked"]
    lines += [
        f"{pick['id']}  {pick['lane']:<6} {pick['basis']:<8} score {pick['score']:.3f}  "
        f"chance {pick['propensity']:.4f}"
        for pick in made.picks
    ]
    if made.overflow:
        lines.append(f"{made.overflow} mandated units found no budget")
    return "\n".join(lines)


@app.command()
def inspect(
    pick: Annotated[str, typer.Argument(help="The pick whose unit was inspected.")],
    result: Annotated[Result, typer.Option(help="What it came to.")],
    control: Annotated[str, typer.Option(help="Control type, such as physical_full.")],
    delay: Annotated[int, typer.Option(help="Minutes the trade was delayed.")] = 0,
    unloaded: Annotated[float, typer.Option(help="Share unloaded, 0 to 1.")] = 0.0,
    objective: Annotated[Objective | None, typer.Option(help="Kind of irregularity.")] = None,
    found: Annotated[
        list[str] | None, typer.Option(help="What was found: goods[,quantity[,unit[,zone]]].")
    ] = None,
    login: Officer = None,
    as_json: Json = False,
) -> None:
    """Record an inspection from its order to its result, in the name of an officer."""
    told = Report(
        result=result,
        control_type=control,
        minutes_delay=delay,
        share_unloaded=unloaded,
        objective=objective,
        findings=tuple(_found(text) for text in found or ()),
    )
    with open_node() as node:
        actor = officer(node, login)
        inspection = node.database.write(lambda tx: _inspect(tx, actor, pick, told))
    show(
        {"inspection": inspection, "result": told.result.value},
        as_json,
        lambda: f"{inspection}: {told.result.value}",
    )


def _inspect(tx: Transaction, actor: Actor, pick_id: str, told: Report) -> str:
    picks.take(tx, actor, pick_id)
    inspection_id = flow_inspect.order(tx, actor, pick_id, told.control_type)
    inspections.accept(tx, actor, inspection_id)
    flow_inspect.report(tx, actor, inspection_id, told)
    return inspection_id


def _found(text: str) -> Found:
    goods, *rest = [part.strip() for part in text.split(",")]
    quantity, unit, zone = [*rest, None, None, None][:3]
    try:
        amount = float(quantity) if quantity else None
    except ValueError:
        raise Invalid("value_impossible", "not a number", field="found", value=text) from None
    return Found(goods=goods, quantity=amount, unit=unit or None, zone=zone or None)
