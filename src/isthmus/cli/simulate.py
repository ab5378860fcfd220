"""``isthmus simulate``: a world of lawful trade with planted smuggling, and its schemes."""

import os
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from isthmus.cli.app import Json, app, show
from isthmus.cli.loop import progress
from isthmus.simulator import run
from isthmus.simulator.run import Order, Summary
from isthmus.simulator.smuggling import schemes
from isthmus.simulator.smuggling.scheme import Scheme
from isthmus.simulator.smuggling.traces import sentences

START = datetime(2026, 1, 5, 6, tzinfo=UTC)  # a Monday, before the first paper

simulate = typer.Typer(
    name="simulate",
    help="Trade with known truth, and the tests it must pass.",
    no_args_is_help=True,
)
app.add_typer(simulate)


@simulate.callback()
def _simulate() -> None:
    """Trade with known truth, and the tests it must pass."""


@simulate.command()
def generate(
    out: Annotated[Path, typer.Option(help="Folder to write to; it must be empty.")],
    world: Annotated[str, typer.Option(help="The world to live.")] = "panama",
    days: Annotated[int, typer.Option(help="Days over which ships arrive.")] = 90,
    consignments: Annotated[int, typer.Option(help="How many there are.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Same seed and version: same bytes.")] = 1,
    rate: Annotated[float, typer.Option(help="Share in which something is planted.")] = run.RATE,
    start: Annotated[datetime, typer.Option(help="When it begins, in UTC.")] = START,
    schemes: Annotated[
        list[Path] | None,
        typer.Option(help="A scheme's file, or a folder of them, beside the shipped; repeatable."),
    ] = None,
    ais: Annotated[bool, typer.Option(help="Ship tracks, too, as AIS and radar.")] = True,
    ais_days: Annotated[int, typer.Option(help="Days of ship tracks, at most.")] = 30,
    processes: Annotated[int | None, typer.Option(help="Processes; all cores if none.")] = None,
    as_json: Json = False,
) -> None:
    """Live a world day by day and write what it sends, and apart from it what was true."""
    started = time.perf_counter()
    order = Order(
        consignments=consignments,
        days=days,
        seed=seed,
        start=start.replace(tzinfo=UTC),
        rate=rate,
        world=world,
        schemes=tuple(schemes or ()),
        ais_days=ais_days if ais else 0,
    )
    with progress("consignments", consignments) as advance:
        made = run.generate(out, order, processes=processes or os.cpu_count() or 1, advance=advance)
    seconds = round(time.perf_counter() - started, 2)
    show({**asdict(made), "seconds": seconds}, as_json, lambda: _words(made, out, seconds))


@simulate.command(name="schemes")
def list_schemes(
    check: Annotated[
        Path | None, typer.Option(help="Check a scheme's file, or a folder of them.")
    ] = None,
    traces: Annotated[bool, typer.Option("--traces", help="What a scheme may leave.")] = False,
    as_json: Json = False,
) -> None:
    """List the schemes, or check those of others; a wrong one is refused with file, key, reason."""
    if traces:
        told = dict(sorted(sentences().items()))
        show({"traces": told}, as_json, lambda: "\n".join(f"{n:26} {w}" for n, w in told.items()))
        return
    found = schemes.shipped() if check is None else schemes.read_folder(check)
    rows = [
        {
            "code": scheme.code,
            "name": dict(scheme.name),
            "objective": scheme.objective,
            "uses": scheme.uses,
            "weight": scheme.weight,
            "traces": dict(scheme.traces),
            "source": scheme.source,
        }
        for scheme in found
    ]
    show({"schemes": rows}, as_json, lambda: "\n".join(_scheme(scheme) for scheme in found))


def _scheme(scheme: Scheme) -> str:
    left = ", ".join(f"{name} {chance:g}" for name, chance in scheme.traces.items())
    return f"{scheme.code:5} {scheme.objective:11} {scheme.name['en']}\n      {left}"


def _words(made: Summary, out: Path, seconds: float) -> str:
    lines = [
        f"{made.consignments:,} consignments in {made.containers:,} containers, "
        f"{made.declarations:,} declarations, {made.events:,} events",
        f"documents   {_listed(made.documents)}",
        f"regimes     {_listed(made.by_regime)}",
        f"planted     {sum(made.planted.values()):,}: {_listed(made.planted)}",
        f"at sea      {_listed(made.at_sea)}",
        f"look-alikes {made.look_alikes:,}",
        f"inspected   {_listed(made.inspected)}",
        f"errors      {_listed(made.faults)}",
        f"ships       {made.ships:,} with {made.ais_messages:,} AIS messages "
        f"({made.ais_bytes / 1e6:,.1f} MB), {made.radar_plots:,} radar plots",
        f"{made.bytes / 1e6:,.1f} MB of documents; all in {seconds:,.1f} s, in {out}",
    ]
    return "\n".join(lines)


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items()) or "none"
