"""A small sea: a few ships, a few boats, two days, and one act of every kind."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from isthmus.simulator import world
from isthmus.simulator.ais.acts import SeaAct, SeaKind
from isthmus.simulator.ais.craft import craft, fleet
from isthmus.simulator.ais.passages import Passage, passages
from isthmus.simulator.ais.sea import Sea, sea
from isthmus.simulator.ais.vessel import Transceiver, Vessel
from isthmus.simulator.ais.write import Summary, write
from isthmus.simulator.traffic import calls as calls_module
from isthmus.simulator.traffic.calls import Call
from isthmus.simulator.world import World

START = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = 2
SEED = 11


@dataclass(frozen=True)
class Run:
    """What was asked for, the tracks, and the files."""

    world: World
    calls: list[Call]
    craft: tuple[Vessel, ...]
    passages: tuple[Passage, ...]
    acts: list[SeaAct]
    sea: Sea
    summary: Summary
    folder: Path


@pytest.fixture(scope="module")
def small_fleet() -> Iterator[None]:
    """Fewer vessels than the shipped fleet; the shipped one is there again afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(fleet()["canal"], "transits_a_day", 3)
        for given in fleet()["kinds"].values():
            patch.setitem(given, "count", max(2, given["count"] // 6))
        yield


@pytest.fixture(scope="module")
def run(small_fleet, tmp_path_factory) -> Run:
    here = world.load()
    calls = calls_module.calls(here, SEED, START, DAYS + 14)
    small, canal = craft(here, SEED), passages(SEED, START, DAYS)
    acts = asked(calls, small, canal)
    folder = tmp_path_factory.mktemp("ais")
    summary = write(here, calls, acts, SEED, START, DAYS, folder)
    return Run(
        here, calls, small, canal, acts, sea(here, calls, acts, SEED, START, DAYS), summary, folder
    )


def asked(calls, small, canal) -> list[SeaAct]:
    """One act of every kind, of vessels that can do it."""
    boat = next(v for v in small if v.kind == "small_fisher")
    launch = next(v for v in small if v.kind == "launch")
    fast = [v for v in small if v.kind == "go_fast"]
    low = next(v for v in small if v.kind == "low_profile")
    fishers = [v for v in small if v.fishes and v.ais is not Transceiver.NONE and v.out[1] > 50]
    lying = next(p for p in canal if p.anchored > START and p.weighs - p.anchored > hours(8))
    coming = [c for c in calls if c.arrival > START + hours(40)]
    coming = list({c.ship.imo: c for c in reversed(coming)}.values())[::-1][:12]
    arrival = [c.arrival for c in coming]
    return [
        SeaAct(SeaKind.SPEED_DIP, coming[0].ship.imo, arrival[0] - hours(20), 60),
        SeaAct(SeaKind.DRIFT, coming[1].ship.imo, arrival[1] - hours(20), 60),
        SeaAct(SeaKind.GAP, coming[2].ship.imo, arrival[2] - hours(9), 180),
        SeaAct(SeaKind.DEVIATION, coming[3].ship.imo, arrival[3] - hours(20), 150),
        SeaAct(SeaKind.LOITER, fishers[0].id, START + hours(20), 300, (7.2, -79.2)),
        SeaAct(SeaKind.ANCHORED_AT_NIGHT, coming[4].ship.imo, arrival[4] - hours(14), 600),
        SeaAct(
            SeaKind.SMALL_CRAFT_ALONGSIDE,
            lying.ship.id,
            lying.anchored + hours(4),
            40,
            other=launch.id,
        ),
        SeaAct(SeaKind.FAST_RUN, fast[0].id, START + hours(5), 0, (7.1, -78.45), (8.0, -78.6)),
        SeaAct(SeaKind.LOW_PROFILE_RUN, low.id, START + hours(2), 0, (6.0, -78.4), (7.6, -79.3)),
        SeaAct(
            SeaKind.FISHING_WITHOUT_LANDING, fishers[1].id, START + hours(30), 400, (7.0, -79.3)
        ),
        SeaAct(SeaKind.RENDEZVOUS, coming[5].ship.imo, arrival[5] - hours(7), 30, other=boat.id),
        SeaAct(SeaKind.FAST_RUN, launch.id, START, 0, None, None),  # nobody could
    ]


def hours(count: float) -> timedelta:
    return timedelta(hours=count)
