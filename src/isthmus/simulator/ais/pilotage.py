"""Ways of ships: from berth to berth by lane, anchorage and canal, in the time there is."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from isthmus.simulator.ais.acts import Point
from isthmus.simulator.ais.geometry import moved, rounded
from isthmus.simulator.ais.lanes import Anchorage, Approach, lanes
from isthmus.simulator.ais.track import Plan, Status, hours, ramped, speed_for
from isthmus.simulator.dice import Dice

SLOW, FAST = 0.7, 0.84  # usual sea speed as a share of the fastest
HARDEST = 0.93  # no voyage is planned faster
WIDE = 2.5  # nautical miles by which ships sail beside a way point
WAIT = 2.0  # hours at least at anchor before a transit
TRANSIT = 9.5  # hours, first buoy to last

Path = list[Point]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A way from rest to rest, or to a buoy where she goes on: points and each leg's limit."""

    points: Path
    limits: list[float]

    def hours(self, knots: float) -> float:
        """Return how long it takes."""
        return hours(self.points, self.limits, knots)

    def joined(self, other: "Stretch") -> "Stretch":
        """Return both as one, for reckoning a speed."""
        return Stretch(
            [*self.points, *other.points[1:]],
            [*self.limits, *other.limits],
        )


def stretch(path: Sequence[Point], *, start: bool = True, end: bool = True) -> Stretch:
    """Return a path with its corners turned and its slow ends."""
    return Stretch(*ramped(rounded(path), start=start, end=end))


def lane(a: str, b: str, dice: Dice) -> Path:
    """Return the way points from a to b as this voyage passes them."""
    names = lanes().between(a, b)
    return [
        moved(lanes().points[name], dice.between(0, 360), dice.between(0, width))
        for name, width in zip(
            names, [0.3, *[WIDE] * (len(names) - 2), 0.3][: len(names)], strict=True
        )
    ]


def berth_to_berth(a: Approach, b: Approach, dice: Dice) -> Path:
    """Return the way between two berths of one ocean."""
    return [a.berth, *reversed(a.via), *lane(a.start, b.start, dice), *b.via, b.berth]


def anchor_spot(anchorage: Anchorage, dice: Dice) -> Point:
    """Return a place to anchor."""
    radius = anchorage.radius * dice.between(0.05, 1) ** 0.5
    return moved(anchorage.at, dice.between(0, 360), radius)


def lying_off(side: str, dice: Dice) -> Approach:
    """Return an anchorage as where a way begins or ends."""
    anchorage = lanes().anchorages[side]
    return Approach(anchorage.buoy, (), anchor_spot(anchorage, dice))


def transit(plan: Plan, *, southbound: bool, within: float, dice: Dice) -> None:
    """Take her through the canal in so many hours; she is at its first buoy."""
    stages = lanes().canal
    order = list(reversed(stages)) if southbound else list(stages)
    speeds = [
        stage.knots for stage in (stages[1:] if not southbound else list(reversed(stages))[:-1])
    ]
    path = [stage.at for stage in order]
    taken = sum(stage.hold for stage in order) / 60
    taken += hours(path, speeds, 99.0)
    pace = taken / within
    for at, stage, knots in zip(path[1:], order[1:], speeds, strict=True):
        plan.sail(
            [plan.places[-1], at], [knots * pace], plan.vessel.speed * HARDEST, Status.UNDER_WAY
        )
        if stage.hold:
            hold = stage.hold * 60 / pace * dice.between(0.9, 1.1)
            plan.stay(plan.now + hold, Status.UNDER_WAY)


def sea_speed(plan: Plan, dice: Dice) -> float:
    """Return the speed she usually makes."""
    return plan.vessel.speed * dice.between(SLOW, FAST)


def across(plan: Plan, a: Approach, b: Approach, arrival: float, wait: float, dice: Dice) -> bool:
    """Take her from a to b on the same ocean, at b at this moment; False when she cannot.

    ``wait`` hours, or what is left of the time, she lies at the anchorage before b if b is in
    this country (it has a quay), and at a if not.
    """
    left = (arrival - plan.now) / 3600
    usual = sea_speed(plan, dice)
    whole = stretch(berth_to_berth(a, b, dice))
    here = b.quay is not None
    if here and left - whole.hours(usual) > max(wait, 1.5):
        side = lanes().side(b.start)
        spot = lying_off(side, dice)
        first, last = stretch(berth_to_berth(a, spot, dice)), stretch([spot.berth, *_in(b)])
        lies = max(left - first.hours(usual) - last.hours(usual), wait)
        knots = speed_for(first.points, first.limits, left - lies - last.hours(usual))
        if knots <= plan.vessel.speed * HARDEST:
            _sail(plan, first, max(knots, 1.0))
            plan.swing(arrival - 3600 * last.hours(usual), dice)
            _sail(plan, last, usual)
            plan.stay(arrival, Status.MOORED)
            return True
    knots = speed_for(whole.points, whole.limits, left)
    if knots > plan.vessel.speed * HARDEST:
        return False
    if knots < usual and not here:
        plan.stay(arrival - 3600 * whole.hours(usual), Status.MOORED)
        knots = usual
    _sail(plan, whole, knots)
    return True


def through(plan: Plan, a: Approach, b: Approach, arrival: float, wait: float, dice: Dice) -> bool:
    """Take her from a through the canal to b, at b at this moment; False when she cannot."""
    side, other = lanes().side(a.start), lanes().side(b.start)
    spot, far = lying_off(side, dice), lanes().anchorages[other].buoy
    first = stretch(berth_to_berth(a, spot, dice))
    entry = lanes().points[spot.start]
    short = stretch([spot.berth, entry], end=False)
    last = stretch(
        [lanes().points[far], *lane(far, b.start, dice)[1:], *b.via, b.berth], start=False
    )
    usual = sea_speed(plan, dice)
    left = (arrival - plan.now) / 3600 - TRANSIT - short.hours(usual)
    both = first.joined(last)
    knots = speed_for(both.points, both.limits, left - max(wait, WAIT))
    if knots > plan.vessel.speed * HARDEST:
        return False
    knots = max(knots, usual)
    spare = left - both.hours(knots)
    before = min(spare, max(wait, WAIT) + dice.between(0, 30))
    plan.stay(plan.now + 3600 * (spare - before), Status.MOORED)
    _sail(plan, first, knots)
    plan.swing(plan.now + 3600 * before, dice)
    _sail(plan, short, usual)
    transit(plan, southbound=side == "atlantic", within=TRANSIT, dice=dice)
    left = (arrival - plan.now) / 3600
    knots = speed_for(last.points, last.limits, left)
    if knots > plan.vessel.speed * 0.98:
        return False
    _sail(plan, last, knots)
    return True


def go(plan: Plan, a: Approach, b: Approach, arrival: float, dice: Dice, wait: float = 0.0) -> bool:
    """Take her from a to b, by the canal if they lie on two oceans.

    False, and the plan as it was, when she cannot be there in time.
    """
    planned = len(plan.times), plan.statuses[-1]
    if lanes().side(a.start) == lanes().side(b.start):
        went = across(plan, a, b, arrival, wait, dice)
    else:
        went = through(plan, a, b, arrival, wait, dice)
    if not went:
        del plan.times[planned[0] :], plan.places[planned[0] :], plan.statuses[planned[0] :]
        plan.statuses[-1] = planned[1]
    return went


@lru_cache(maxsize=4096)
def usual_hours(a: Approach, b: Approach, knots: float) -> float:
    """Return about how long it takes from a to b at this speed."""
    first, last = lanes().side(a.start), lanes().side(b.start)
    calm = Dice(0, "ways")
    if first == last:
        return stretch(berth_to_berth(a, b, calm)).hours(knots)
    near, far = lying_off(first, calm), lying_off(last, calm)
    sails = stretch(berth_to_berth(a, near, calm)).hours(knots)
    return sails + WAIT + 1 + TRANSIT + stretch(berth_to_berth(far, b, calm)).hours(knots)


def _in(b: Approach) -> Path:
    return [lanes().points[b.start], *b.via, b.berth]


def _sail(plan: Plan, way: Stretch, knots: float) -> None:
    plan.sail(way.points, way.limits, knots, Status.UNDER_WAY)
