"""What a vessel does on her way, worked into her planned track.

A ship that slows makes it good on the rest of the same way, so she comes when she was expected;
what she could not make good at her top speed she does not do.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise

from isthmus.simulator.ais.acts import Point, SeaAct, SeaKind
from isthmus.simulator.ais.geometry import along, course, distance
from isthmus.simulator.ais.lanes import lanes
from isthmus.simulator.ais.track import Plan, Status, drifted
from isthmus.simulator.dice import Dice

STEP = 120.0  # seconds between knots while something is done
PACE = {
    SeaKind.SPEED_DIP: (0.35, 0.65),  # shares of her speed
    SeaKind.DRIFT: (0.02, 0.06),
    SeaKind.RENDEZVOUS: (0.1, 0.4),
    SeaKind.LOITER: (0.12, 0.25),
}
MARGIN = 1800.0  # seconds between an act that was moved and the ends of the way
FARTHEST = 96.0
OPEN_SEA = 6.0  # knots from which a leg counts as a way she can vary


@dataclass(frozen=True, slots=True)
class _Way:
    """A way under way at sea: its first and last knot."""

    first: int
    last: int


def placed(plans: Sequence[Plan], act: SeaAct) -> Iterator[tuple[Plan, SeaAct]]:
    """Return where an act can be tried, the nearest to its moment first.

    Whoever asks does not know when a ship lies at anchor: what she can only do at sea is moved to
    her nearest way at sea, at most ``FARTHEST`` hours.
    """
    moment, seconds = act.moment.timestamp(), act.minutes * 60
    found = []
    for number, plan in enumerate(plans):
        if act.kind is SeaKind.GAP:
            if plan.times[0] <= moment <= plan.now:
                yield plan, act
            continue
        for first, last in _ways(plan):
            low, high = plan.times[first] + MARGIN, plan.times[last] - MARGIN - seconds
            at = min(max(moment, low), high)
            if low <= high and abs(at - moment) <= FARTHEST * 3600:
                found.append((abs(at - moment), number, at))
    for _, number, at in sorted(found)[:3]:
        at_sea = act.moment + timedelta(seconds=round(at - moment))
        yield plans[number], act if at == moment else replace(act, moment=at_sea)


def _ways(plan: Plan) -> Iterator[tuple[int, int]]:
    """Return the first and last knot of each way at sea."""
    first = None
    for leg in range(len(plan.times) - 1):
        if _at_sea(plan, leg):
            first = leg if first is None else first
        elif first is not None:
            yield first, leg
            first = None
    if first is not None:
        yield first, len(plan.times) - 1


def lay_at_anchor(plan: Plan, act: SeaAct) -> bool:
    """Whether she lay at anchor for most of this time, give or take the way to her berth."""
    start, end = act.moment.timestamp() - 6 * 3600, act.end.timestamp()
    lay = sum(
        max(min(b, end) - max(a, start), 0.0)
        for (a, b), status in zip(pairwise(plan.times), plan.statuses, strict=False)
        if status == Status.AT_ANCHOR
    )
    return lay >= 0.7 * (act.minutes * 60)


def does(plan: Plan, act: SeaAct, seed: int) -> bool:
    """Work an act into a plan; False, and nothing changed, when she cannot."""
    if act.kind is SeaKind.GAP:
        plan.silent.append((act.moment.timestamp(), act.end.timestamp()))
        return True
    dice = Dice(seed, "ais", "act", act.kind, act.vessel, act.moment.isoformat())
    start, end = act.moment.timestamp(), act.end.timestamp()
    way = _way(plan, start, end)
    if way is None:
        return False
    before = (list(plan.times), list(plan.places), list(plan.statuses))
    if act.kind is SeaKind.DEVIATION:
        done = _deviate(plan, start, end, dice)
    elif act.kind in PACE:
        done = _slow(plan, way, start, end, dice.between(*PACE[act.kind]))
        if done and act.kind is SeaKind.DRIFT:
            _carried(plan, start, end, dice)
        if done and act.kind is SeaKind.LOITER:
            _to_and_fro(plan, start, end, dice)
    else:
        return False
    if not done or _fastest(plan, start - 3600, end + 2 * 3600) > plan.vessel.speed:
        plan.times[:], plan.places[:], plan.statuses[:] = before
        return False
    return True


def _way(plan: Plan, start: float, end: float) -> _Way | None:
    """Return the way at sea that holds these moments, or None when she is not on one."""
    if not plan.times or start < plan.times[0] or end > plan.times[-1] or end <= start:
        return None
    for first, last in _ways(plan):
        if plan.times[first] <= start - 900 and plan.times[last] >= end + 900:
            return _Way(first, last)
    return None


def _at_sea(plan: Plan, leg: int) -> bool:
    seconds = plan.times[leg + 1] - plan.times[leg]
    if plan.statuses[leg] != Status.UNDER_WAY or seconds <= 0:
        return False
    return 3600 * distance(plan.places[leg], plan.places[leg + 1]) / seconds >= OPEN_SEA


def _slow(plan: Plan, way: _Way, start: float, end: float, share: float) -> bool:
    """Let time pass slowly between two moments and faster on the rest of the way."""
    opens, closes = plan.times[way.first], plan.times[way.last]
    rest = (closes - opens) - (end - start)
    faster = ((closes - opens) - share * (end - start)) / rest
    at_start = opens + (start - opens) * faster
    at_end = at_start + (end - start) * share
    if _fastest(plan, opens, closes) * faster > plan.vessel.speed:
        return False
    _split(plan, at_start)
    _split(plan, at_end)
    for knot, time in enumerate(plan.times):
        if opens < time < closes:
            if time < at_start:
                plan.times[knot] = opens + (time - opens) / faster
            elif time <= at_end:
                plan.times[knot] = start + (time - at_start) / share
            else:
                plan.times[knot] = end + (time - at_end) / faster
    return True


def _deviate(plan: Plan, start: float, end: float, dice: Dice) -> bool:
    """Let her leave her lane to one side, and be back in it, in a smooth bend."""
    a, b = _at(plan, start), _at(plan, end)
    hours = (end - start) / 3600
    miles = min(dice.between(3, 11), 0.22 * distance(a, b))
    slack = plan.vessel.speed**2 - (distance(a, b) / hours) ** 2
    miles = min(miles, 0.3 * hours * math.sqrt(max(slack, 0.0)))
    if miles < 1:
        return False
    side = math.radians(course(a, b) + dice.pick((90, -90)))
    if lanes().on_land(drifted(along(a, b, 0.5), miles * math.cos(side), miles * math.sin(side))):
        side += math.pi
    _densify(plan, start, end)
    for knot, time in enumerate(plan.times):
        if start < time < end:
            x = (time - start) / (end - start)
            out = miles * 16 * x * x * (1 - x) * (1 - x)
            place = plan.places[knot]
            plan.places[knot] = drifted(place, out * math.cos(side), out * math.sin(side))
    return True


def _carried(plan: Plan, start: float, end: float, dice: Dice) -> None:
    """Let wind and current carry her while she is stopped, and let her come back to her lane."""
    back = min(end + 2 * (end - start) + 3600, plan.times[-1])
    knots, towards = dice.between(0.3, 1.3), math.radians(dice.between(0, 360))
    off = min(knots * (end - start) / 3600, 3.0)
    _densify(plan, start, end)
    _densify(plan, end, back)
    for leg, time in enumerate(plan.times):
        if start < time < back:
            out = off * (
                (time - start) / (end - start) if time <= end else (back - time) / (back - end)
            )
            place = plan.places[leg]
            plan.places[leg] = drifted(place, out * math.cos(towards), out * math.sin(towards))
    if dice.chance(0.5):
        for leg in range(bisect_left(plan.times, start), bisect_left(plan.times, end)):
            plan.statuses[leg] = Status.NOT_UNDER_COMMAND


def _to_and_fro(plan: Plan, start: float, end: float, dice: Dice) -> None:
    _densify(plan, start, end)
    miles = dice.between(0.3, 0.7)
    for knot, time in enumerate(plan.times):
        if start < time < end:
            edge = min(1.0, (time - start) / 1200, (end - time) / 1200)
            swing = edge * miles * math.sin((time - start) / 1500)
            plan.places[knot] = drifted(plan.places[knot], swing, -swing)


def _fastest(plan: Plan, start: float, end: float) -> float:
    first = max(bisect_right(plan.times, start) - 1, 0)
    last = min(bisect_left(plan.times, end), len(plan.times) - 1)
    first = min(first, len(plan.times) - 2)
    return max(
        3600
        * distance(plan.places[leg], plan.places[leg + 1])
        / max(plan.times[leg + 1] - plan.times[leg], 1e-3)
        for leg in range(first, max(last, first + 1))
    )


def _at(plan: Plan, moment: float) -> Point:
    leg = min(max(bisect_right(plan.times, moment) - 1, 0), len(plan.times) - 2)
    a, b = plan.times[leg], plan.times[leg + 1]
    return along(plan.places[leg], plan.places[leg + 1], min(max((moment - a) / (b - a), 0), 1))


def _split(plan: Plan, moment: float) -> None:
    """Put a knot at this moment where there is none near."""
    leg = bisect_right(plan.times, moment) - 1
    if moment - plan.times[leg] < 1 or plan.times[leg + 1] - moment < 1:
        return
    place = _at(plan, moment)
    plan.times.insert(leg + 1, moment)
    plan.places.insert(leg + 1, place)
    plan.statuses.insert(leg + 1, plan.statuses[leg])


def _densify(plan: Plan, start: float, end: float) -> None:
    """Put knots ``STEP`` seconds apart between two moments."""
    step = max(STEP, (end - start) / 200)
    for count in range(int((end - start) / step) + 1):
        _split(plan, start + count * step)
    _split(plan, end)
