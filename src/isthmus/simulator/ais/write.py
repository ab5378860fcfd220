"""The AIS and radar files of a run, in order of time, with bounded memory.

``ais/YYYY-MM-DDTHHZ.nmea`` holds the !AIVDM sentences of a watch of four hours with tag blocks,
``radar/YYYY-MM-DDT00Z.jsonl`` a day's plots of craft without AIS. Their bytes follow from the seed
alone, whoever writes them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from isthmus.simulator.ais.acts import SeaAct
from isthmus.simulator.ais.radar import plots
from isthmus.simulator.ais.receivers import DAY, Receivers, receivers, shipped
from isthmus.simulator.ais.reports import Heard, Sender, voyages
from isthmus.simulator.ais.sea import Sea, sea
from isthmus.simulator.ais.stream import encode, in_order, static_table
from isthmus.simulator.traffic.calls import Call
from isthmus.simulator.world import World

AIS, RADAR = "ais", "radar"
WATCH = 4 * 3600.0  # seconds of the sea that are held in memory at once

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Summary:
    """What was written."""

    messages: int = 0
    bytes: int = 0
    plots: int = 0
    ships: int = 0  # vessels with AIS that sailed, craft included
    craft: int = 0  # tracks of craft without
    missed: list[str] = field(default_factory=list)  # voyages whose ship could not be in time
    # Acts as they were asked for, and as they were done: moved to when she was at sea, or None.
    acts: list[tuple[SeaAct, SeaAct | None]] = field(default_factory=list)


def write(
    world: World,
    calls: Sequence[Call],
    acts: Sequence[SeaAct],
    seed: int,
    start: datetime,
    days: int,
    out: Path,
    progress: Progress | None = None,
    *,
    part: int = 0,
    parts: int = 1,
) -> Summary:
    """Write every ``parts``-th day from day ``part`` on; all parts together are the whole run.

    ``start`` is a midnight in UTC. ``calls`` may reach beyond the days: ships come from
    somewhere. The summary's messages, bytes and plots are those of this part.
    """
    water = sea(world, calls, acts, seed, start, days)
    heard_by = receivers(shipped(), seed, start.timestamp(), days)
    senders, rows = [], 0
    for number, track in enumerate(water.transmitting):
        senders.append(Sender.of(number, track, seed, rows))
        rows += len(voyages(track))
    summary = _summary(water)
    statics = static_table(senders)
    (out / AIS).mkdir(parents=True, exist_ok=True)
    (out / RADAR).mkdir(parents=True, exist_ok=True)
    for done, day in enumerate(range(part, days, parts)):
        midnight = start.timestamp() + day * DAY
        for begins, watch in _watches(senders, heard_by, midnight):
            summary.messages += len(watch)
            with (out / AIS / f"{_name(begins)}.nmea").open("wb") as file:
                for block in encode(watch, statics, heard_by.names):
                    summary.bytes += file.write(block)
        seen = plots(water.silent, shipped(), seed, midnight)
        (out / RADAR / f"{_name(midnight)}.jsonl").write_bytes(
            b"".join(row + b"\n" for row in seen)
        )
        summary.plots += len(seen)
        if progress is not None:
            progress(done + 1, len(range(part, days, parts)))
    return summary


def _name(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%HZ")


def _watches(
    senders: Sequence[Sender], by: Receivers, midnight: float
) -> Iterator[tuple[float, Heard]]:
    """Return what is heard on a day, in order, a watch at a time, with when it begins."""
    at = midnight
    while at < midnight + DAY:
        heard = [one for sender in senders if (one := sender.heard(at, at + WATCH, by)) is not None]
        if heard:
            yield at, in_order(np.concatenate(heard))
        at += WATCH


def _summary(water: Sea) -> Summary:
    return Summary(
        ships=len({track.vessel.id for track in water.transmitting}),
        craft=len(water.silent),
        missed=[call.voyage for call in water.missed],
        acts=list(water.acts),
    )
