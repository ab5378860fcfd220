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
from isthmus.simulator.smuggling.groups import Group, Hand
from isthmus.simulator.smuggling.planted import Planted, PlantedVoyage
from isthmus.simulator.smuggling.pools import Fitting, Pools, anything, lane
from isthmus.simulator.smuggling.scheme import (
    COMMODITY,
    FRONT,
    HIJACKED,
    METHOD,
    ROUTE,
    SHIPMENT,
    Scheme,
)
from isthmus.simulator.smuggling.sea import Sea
from isthmus.simulator.smuggling.traces import ON_MOVES, ON_PAPERS, Act, Kit
from isthmus.simulator.traffic.calls import Call
from isthmus.simulator.traffic.shipment import Shipment
from isthmus.simulator.world import World

LANES = 3  # most lanes that a group works at a time
AGAIN = 0.5  # chance that a group uses a trader that it used before, when there is one
IN_LANE = 0.85  # chance that it keeps to its lanes
TEST: Mapping[str, float] = {"small_lot": 0.6}
COVER_WITHIN = 12  # days after a shipment in which its covers go
TESTED = (6, 14)  # days until a group that tests first uses a shipment
BACKLOG = 3  # shipments a scheme may owe before others take them over
HANDS = 40  # lawful hands at a time
NEW_HAND = 0.08  # chance that a new one takes the place of the oldest
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
        self.groups: dict[int, Group] = {}
        self._formed = 0
        self._sea = Sea(world, schemes, seed, rate, start, days)
        self._on_shipments = [scheme for scheme in schemes if scheme.uses == SHIPMENT]
        self._fitting = Fitting(schemes)
        # A random start makes each scheme's count right on average, however few there are.
        self._owed = {scheme.code: self.dice.between(0, 1) for scheme in self._on_shipments}
        self._looks = {
            (scheme.code, at): self.dice.between(0, 1)
            for scheme in self._on_shipments
            for at, _ in enumerate(scheme.confusers)
        }
        self._spare = 0
        self._today: Sequence[Shipment] = ()
        self._testing = dict.fromkeys(self.schemes, 0)
        self._ready: dict[str, list[tuple[datetime, int]]] = {code: [] for code in self.schemes}
        self._covers: list[tuple[datetime, int, bool]] = []
        self._hands: list[Hand] = []

    # -- choosing -------------------------------------------------------------------------

    def choose(self, day: datetime, shipments: Sequence[Shipment]) -> list[Planted]:
        """Choose among the shipments of a day; a shipment is chosen once.

        Returns guilty ones, the groups' own lawful ones, and look-alikes.
        """
        self._today = shipments
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
        scheme, found, dice = group.scheme, None, self.dice
        likes = group.knows if group.companies else anything
        if group.victims and dice.chance(AGAIN):
            found = pools.draw_of(dice, scheme, dice.pick(group.victims))
        if found is None and group.lanes and dice.chance(IN_LANE):
            found = pools.draw_in(dice, scheme, dice.pick(group.lanes), likes)
        if found is None:
            found = pools.draw(dice, scheme, group.avoids, likes)
        if found is not None:
            self._keep(group, found)
        return found

    def _keep(self, group: Group, shipment: Shipment) -> None:
        """Remember a lane and a trader for the next time."""
        where = lane(shipment)
        if where not in group.lanes:
            group.lanes = [*group.lanes, where][-LANES:]
        shipper, owns = shipment.shipper, group.scheme.by.who in (FRONT, HIJACKED)
        if not owns and shipper is not None and shipper.name not in group.victims:
            group.victims = [*group.victims, shipper.name][-LANES:]

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
        group = self._form(scheme)
        tests = self.dice.whole(*scheme.by.tests)
        if not tests:
            group.used = True
            return group
        self._testing[scheme.code] += 1
        self._plan_covers(group, day, tests, tests=True)
        self._wait(group, day + timedelta(days=self.dice.between(*TESTED)))
        return None

    def _form(self, scheme: Scheme) -> Group:
        group = Group(self._number(), scheme)
        self.groups[group.number] = group
        return group

    def _number(self) -> int:
        self._formed += 1
        return self._formed

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

    def told(self, planted: Planted | PlantedVoyage, at: datetime) -> None:
        """Let the group know that this one was found by an inspection at that moment."""
        if planted.group is not None and planted.guilty:
            planted.group.learn(at, self.dice)

    # -- lawful shipments -----------------------------------------------------------------

    def _plan_covers(
        self, group: Group, day: datetime, count: float, *, tests: bool = False
    ) -> None:
        whole = int(count) + self.dice.chance(count % 1)
        for _ in range(whole):
            within = TESTED[0] if tests else COVER_WITHIN
            when = day + timedelta(days=self.dice.between(0, within))
            heapq.heappush(self._covers, (when, group.number, tests))

    def _cover(self, day: datetime, pools: Pools) -> list[Planted]:
        """Let groups' companies trade lawfully; what only tests a way is a small lot."""
        made = []
        while self._covers and self._covers[0][0] <= day:
            _, number, tests = heapq.heappop(self._covers)
            group = self.groups[number]
            if (shipment := self._draw(pools, group)) is not None:
                chances = TEST if tests else {}
                cover = Planted(shipment, group.scheme, 0, chances, False, group=group, cover=True)
                made.append(cover)
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
                entry.group.act_as(
                    entry.shipment, self.world, kit.traders, self.dice, guilty=entry.guilty
                )
        self._leave(planted, kit, ON_PAPERS)

    def on_moves(self, planted: Sequence[Planted], kit: Kit) -> None:
        """Leave the traces that moves in the port show, once its stay is told."""
        self._leave(planted, kit, ON_MOVES)

    def _leave(self, planted: Sequence[Planted], kit: Kit, acts: Mapping[str, Act]) -> None:
        """Leave each trace with its probability, in the order of the acts."""
        kit.others = self._today
        for entry in planted:
            asked = [name for name in acts if name in entry.chances]
            if not asked:
                continue
            kit.hand = entry.group.hand if entry.group else self._lawful_hand()
            for name in asked:
                if kit.dice.chance(entry.chances[name]) and acts[name](
                    entry.shipment, kit, entry.kilograms
                ):
                    entry.left.append(name)

    def _lawful_hand(self) -> Hand:
        """Return a corporate group, or an official, that lawful shipments have in common."""
        if len(self._hands) < HANDS or self.dice.chance(NEW_HAND):
            self._hands = [*self._hands, Hand()][-HANDS:]
        return self.dice.pick(self._hands)

    def voyages(self, day: datetime, calls: Sequence[Call]) -> list[PlantedVoyage]:
        """Return what schemes do on ships that call or pass and on craft, and what looks so."""
        return self._sea.voyages(day, calls, self._number)
