"""All tracks of a run: ships of the services, canal traffic, small craft, and what they do."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from isthmus.simulator.ais.acts import SeaAct, SeaKind
from isthmus.simulator.ais.conduct import does, lay_at_anchor, placed
from isthmus.simulator.ais.craft import craft
from isthmus.simulator.ais.everyday import everyday
from isthmus.simulator.ais.liners import liners
from isthmus.simulator.ais.passages import passages
from isthmus.simulator.ais.track import Plan, Track
from isthmus.simulator.ais.trips import craft_tracks
from isthmus.simulator.ais.vessel import Transceiver
from isthmus.simulator.ais.voyages import sail_calls, sail_passages
from isthmus.simulator.traffic.calls import Call
from isthmus.simulator.world import World

# Acts of a ship's own track; the others are trips of craft.
_SHIP = (SeaKind.SPEED_DIP, SeaKind.DRIFT, SeaKind.GAP, SeaKind.DEVIATION, SeaKind.LOITER)


@dataclass(frozen=True, slots=True)
class Sea:
    """Tracks with AIS, tracks that only radars see, and what became of the acts asked for."""

    transmitting: tuple[Track, ...]
    silent: tuple[Track, ...]
    missed: tuple[Call, ...]  # calls whose ship could not be there in time
    acts: tuple[tuple[SeaAct, SeaAct | None], ...]  # as asked, and as done or None


def sea(
    world: World,
    calls: Sequence[Call],
    acts: Sequence[SeaAct],
    seed: int,
    start: datetime,
    days: int,
) -> Sea:
    """Return every track of a run. Acts asked for go before everyday ones."""
    span = (start, start + timedelta(days=days))
    small = craft(world, seed)
    found = passages(seed, start, days)
    asked = sorted(acts, key=lambda act: (act.moment, act.vessel, act.kind))
    usual = everyday(small, calls, found, seed, span)
    sailed = sail_calls({ship.id: ship for ship in liners(world, seed)}, calls, asked, seed)
    plans = _without_overlaps([*sailed.plans, *sail_passages(found, asked, seed)])
    known = {vessel.id for vessel in small}
    acted = {act: _done(plans.get(act.vessel, []), act, seed, known) for act in [*asked, *usual]}
    ships = {name: [plan.done() for plan in own] for name, own in plans.items()}
    trips = {done: act for act, done in acted.items() if done and _needs_craft(done, known)}
    boats, made = craft_tracks(small, list(trips), ships, seed, span)
    for planned, act in trips.items():
        acted[act] = made[planned]
    tracks = [track for own in ships.values() for track in own] + boats
    return Sea(
        transmitting=tuple(t for t in tracks if t.vessel.ais is not Transceiver.NONE),
        silent=tuple(t for t in tracks if t.vessel.ais is Transceiver.NONE),
        missed=sailed.missed,
        acts=tuple((act, acted[act]) for act in asked),
    )


def _done(
    plans: Sequence[Plan], act: SeaAct, seed: int, craft_ids: Collection[str]
) -> SeaAct | None:
    """Return the act as a ship does it, None when she cannot; craft's own acts as they are."""
    if act.kind is SeaKind.ANCHORED_AT_NIGHT:
        return act if any(lay_at_anchor(plan, act) for plan in plans) else None
    if act.vessel in craft_ids or act.kind not in (*_SHIP, SeaKind.RENDEZVOUS):
        return act
    tries = placed(plans, act)
    return next((moved for plan, moved in tries if does(plan, moved, seed)), None)


def _needs_craft(act: SeaAct, craft_ids: Collection[str]) -> bool:
    return act.vessel in craft_ids or act.other is not None


def _without_overlaps(plans: Sequence[Plan]) -> dict[str, list[Plan]]:
    """Return plans by ship: what is left of a voyage when her next begins is not sailed."""
    found: dict[str, list[Plan]] = {}
    for plan in plans:
        own = found.setdefault(plan.vessel.id, [])
        if own:
            own[-1].back_to(plan.times[0] - 1)
        own.append(plan)
    return found
