"""The underworld: which shipments are used, by which group, and what lawful trade looks like it.

Of all shipments the share ``rate`` is used, shared out among the schemes by their weight on the
day. A scheme owes so many shipments; a group that has rested takes one, in its own lanes or from
traders it used before, and where no group is ready a new one forms. Its companies trade lawfully
as well (covers). For each shipment used, lawful ones are planted that look the same for another
reason. What was found teaches the group, days later.
"""

import heapq
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from isthmus.simulator.dice import Dice
from isthmus.simulator.groups import Group
from isthmus.simulator.planted import Planted
from isthmus.simulator.pools import Fitting, Pools, lane
from isthmus.simulator.scheme import (
    COMMODITY,
    FRONT,
    HIJACKED,
    METHOD,
    ROUTE,
    SHIPMENT,
    Scheme,
)
from isthmus.simulator.shipment import Shipment
from isthmus.simulator.traces import ON_MOVES, ON_PAPERS, Act, Kit
from isthmus.simulator.world import World

LANES = 3  # most lanes that a group works at a time
COVER_WITHIN = 12  # days after a shipment in which its covers go
TESTED = (6, 14)  # days until a group that tests first uses a shipment
BACKLOG = 3  # shipments a scheme may owe before others take them over
AVOIDED = 6  # ports and goods that a group keeps away from


class Underworld:
    """All criminal groups of a run, and the look-alikes planted beside them."""

    def __init__(
        self,
        world: World,
        schemes: Sequence[Scheme],
        seed: int,
        rate: float,
        start: datetime,
        days: int,
    ) -> None:
        self.world = world
        self.schemes = {scheme.code: scheme for scheme in schemes}
        self.rate = rate
        self.start = start
        self.days = days
        self.dice = Dice(seed, "underworld")
        self.groups: list[Group] = []
        self._on_shipments = [scheme for scheme in schemes if scheme.on == SHIPMENT]
        self._fitting = Fitting(schemes)
        # A random start makes each scheme's count right on average, however few there are.
        self._owed = {scheme.code: self.dice.between(0, 1) for scheme in self._on_shipments}
        self._looks = {
            (scheme.code, at): self.dice.between(0, 1)
            for scheme in self._on_shipments
            for at, _ in enumerate(scheme.confusers)
        }
        self._spare = 0
        self._testing = dict.fromkeys(self.schemes, 0)
        self._ready: dict[str, list[tuple[datetime, int]]] = {code: [] for code in self.schemes}
        self._covers: list[tuple[datetime, int]] = []

    # -- choosing -------------------------------------------------------------------------

    def choose(self, day: datetime, shipments: Sequence[Shipment]) -> list[Planted]:
        """Choose among the shipments of a day; a shipment is chosen once.

        Returns guilty ones, the groups' own lawful ones, and look-alikes.
        """
        pools = Pools(self._fitting, shipments)
        weights = self._weights(day)
        if not weights:
            return []
        whole = sum(weights.values())
        chosen: list[Planted] = []
        for code, weight in weights.items():
            self._owed[code] += self.rate * len(shipments) * weight / whole
            chosen += self._use_owed(day, pools, self.schemes[code])
        chosen += self._use_spare(day, pools, weights)
        chosen += self._look_alikes(pools, chosen)
        chosen += self._cover(day, pools)
        return chosen

    def _weights(self, day: datetime) -> dict[str, float]:
        since = day - self.start
        found = {s.code: s.starts.weight(s.weight, since) for s in self._on_shipments}
        return {code: weight for code, weight in found.items() if weight > 0}

    def _use_owed(self, day: datetime, pools: Pools, scheme: Scheme) -> list[Planted]:
        """Let groups use what a scheme owes; what never fits is left to other schemes."""
        made: list[Planted] = []
        while self._owed[scheme.code] >= 1:
            used = self._use(day, pools, scheme)
            self._owed[scheme.code] -= len(used)
            made += used
            if not used:
                break
        while self._owed[scheme.code] > BACKLOG:
            self._owed[scheme.code] -= 1
            self._spare += 1
        return made

    def _use_spare(
        self, day: datetime, pools: Pools, weights: Mapping[str, float]
    ) -> list[Planted]:
        made: list[Planted] = []
        for _ in range(self._spare):
            used = self._use(day, pools, self.schemes[self.dice.weighed(weights)])
            self._spare -= len(used)
            made += used
        return made

    def _use(self, day: datetime, pools: Pools, scheme: Scheme) -> list[Planted]:
        """Let one group use its shipments; none when nothing fits, or all still test."""
        if not pools.of_scheme[scheme.code]:
            return []
        group = self._next(day, scheme)
        if group is None:
            return []
        drawn = (self._draw(pools, group) for _ in range(self.dice.whole(*scheme.by.shipments)))
        made = [self._planted(group, shipment) for shipment in drawn if shipment is not None]
        rest = self.dice.between(*scheme.by.every) if made else 0.0
        self._wait(group, day + timedelta(days=rest))
        self._plan_covers(group, day, len(made) * scheme.by.lawful)
        return made

    def _planted(self, group: Group, shipment: Shipment) -> Planted:
        scheme = group.scheme
        if scheme.share is not None:
            net = sum(load.net for load in shipment.loads)
            kilograms = round(net * self.dice.between(*scheme.share))
        else:
            kilograms = round(self.dice.between(*scheme.kilograms))
        return Planted(
            shipment,
            scheme,
            kilograms,
            scheme.traces,
            guilty=True,
            group=group,
            adapted=tuple(group.adapted),
        )

    def _draw(self, pools: Pools, group: Group) -> Shipment | None:
        """Take a shipment of somebody it used before, else in its lanes, else any that fits."""
        scheme, found = group.scheme, None
        if group.victims and self.dice.chance(0.5):
            found = pools.draw_of(self.dice, scheme, self.dice.pick(group.victims))
        if found is None and group.lanes:
            found = pools.draw_in(self.dice, scheme, self.dice.pick(group.lanes))
        if found is None:
            found = pools.draw(self.dice, scheme, group.avoids)
        if found is not None:
            self._keep(group, found)
        return found

    def _keep(self, group: Group, shipment: Shipment) -> None:
        where = lane(shipment)
        if where not in group.lanes:
            group.lanes = [*group.lanes, where][-LANES:]
        if group.scheme.by.who not in (FRONT, HIJACKED) and shipment.shipper is not None:
            group.victims = [*group.victims, shipment.shipper.name][-LANES:]

    # -- groups ---------------------------------------------------------------------------

    def _next(self, day: datetime, scheme: Scheme) -> Group | None:
        """Return a group that has rested, or a new one; None while new ones still test."""
        ready = self._ready[scheme.code]
        while ready and ready[0][0] <= day:
            group = self.groups[heapq.heappop(ready)[1]]
            self._testing[scheme.code] -= not group.used
            for change in group.due(day):
                self._change(group, change)
            if group.scheme is scheme:
                group.used = True
                return group
            self._wait(group, day)  # it has gone over to another method
        if self._testing[scheme.code] >= self._owed[scheme.code]:
            return None
        group = Group(len(self.groups), scheme)
        self.groups.append(group)
        tests = self.dice.whole(*scheme.by.tests)
        if not tests:
            group.used = True
            return group
        self._testing[scheme.code] += 1
        self._plan_covers(group, day, tests)
        self._wait(group, day + timedelta(days=self.dice.between(*TESTED)))
        return None

    def _wait(self, group: Group, until: datetime) -> None:
        heapq.heappush(self._ready[group.scheme.code], (until, group.number))

    def _change(self, group: Group, change: str) -> None:
        """Let a group do something otherwise than before."""
        if change == METHOD:
            others = {
                scheme.code: scheme.weight
                for scheme in self._on_shipments
                if scheme is not group.scheme
                and (scheme.objective, scheme.goods) == (group.scheme.objective, group.scheme.goods)
            }
            if not others:
                return
            group.scheme = self.schemes[self.dice.weighed(others)]
            group.lanes = []
        elif change == ROUTE:
            left = {port for port, _ in group.lanes}
            group.avoids = (*group.avoids, *sorted(left))[-AVOIDED:]
            group.lanes = []
        elif change == COMMODITY:
            left = {goods for _, goods in group.lanes}
            group.avoids = (*group.avoids, *sorted(left))[-AVOIDED:]
            group.lanes = []
        else:
            group.give_up()
        group.adapted.append(change)

    def told(self, planted: Planted, at: datetime) -> None:
        """Let the group know that this one was found by an inspection at that moment."""
        if planted.group is not None and planted.guilty:
            planted.group.learn(at, self.dice)

    # -- lawful shipments -----------------------------------------------------------------

    def _plan_covers(self, group: Group, day: datetime, count: float) -> None:
        whole = int(count) + self.dice.chance(count % 1)
        for _ in range(whole):
            when = day + timedelta(days=self.dice.between(0, COVER_WITHIN))
            heapq.heappush(self._covers, (when, group.number))

    def _cover(self, day: datetime, pools: Pools) -> list[Planted]:
        """Let groups' companies trade lawfully."""
        made = []
        while self._covers and self._covers[0][0] <= day:
            group = self.groups[heapq.heappop(self._covers)[1]]
            if (shipment := self._draw(pools, group)) is not None:
                made.append(Planted(shipment, group.scheme, 0, {}, False, group=group, cover=True))
        return made

    def _look_alikes(self, pools: Pools, chosen: Sequence[Planted]) -> list[Planted]:
        made = []
        for entry in chosen:
            for at, confuser in enumerate(entry.scheme.confusers):
                key = (entry.scheme.code, at)
                self._looks[key] += confuser.each
                while self._looks[key] >= 1:
                    self._looks[key] -= 1
                    lawful = pools.draw(self.dice, entry.scheme)
                    if lawful is not None:
                        made.append(Planted(lawful, entry.scheme, 0, confuser.traces, False))
        return made

    # -- traces ---------------------------------------------------------------------------

    def on_papers(self, planted: Sequence[Planted], kit: Kit) -> None:
        """Put the groups' companies into papers and leave the traces that papers show."""
        for entry in planted:
            if entry.group is not None:
                entry.group.act_as(entry.shipment, kit.traders, self.dice, guilty=entry.guilty)
        _leave(planted, kit, ON_PAPERS)

    def on_moves(self, planted: Sequence[Planted], kit: Kit) -> None:
        """Leave the traces that moves in the port show, once its stay is told."""
        _leave(planted, kit, ON_MOVES)


def _leave(planted: Sequence[Planted], kit: Kit, acts: Mapping[str, Act]) -> None:
    """Leave each trace with its probability."""
    for entry in planted:
        for name, act in acts.items():
            asked = name in entry.chances and kit.dice.chance(entry.chances[name])
            if asked and act(entry.shipment, kit, entry.kilograms):
                entry.left.append(name)
