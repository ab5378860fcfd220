"""A day's shipments, sorted once by which schemes could use them and by their lane."""

from collections.abc import Callable, Collection, Sequence

from isthmus.simulator.dice import Dice
from isthmus.simulator.smuggling.groups import Lane
from isthmus.simulator.smuggling.scheme import SHIPMENT, Scheme
from isthmus.simulator.traffic.shipment import Shipment

Key = tuple[object, ...]
Likes = Callable[[Shipment], bool]
TRIES = 30  # draws before a pool is looked through from end to end


def anything(_shipment: Shipment) -> bool:
    """Like any shipment."""
    return True


class Fitting:
    """Which schemes fit a shipment; of shipments alike but for their ports asked once."""

    def __init__(self, schemes: Sequence[Scheme]) -> None:
        self.schemes = [scheme for scheme in schemes if scheme.uses == SHIPMENT]
        self._known: dict[Key, tuple[tuple[str, ...], tuple[Scheme, ...]]] = {}

    def codes(self, shipment: Shipment) -> tuple[str, ...]:
        """Return the codes of the schemes that could use a shipment."""
        key = (
            shipment.regime,
            shipment.goods.code if shipment.goods else None,
            shipment.box.size_type,
            shipment.transferred,
            bool(shipment.master),
        )
        if key not in self._known:
            self._known[key] = self._of_kind(shipment)
        anywhere, somewhere = self._known[key]
        there = tuple(scheme.code for scheme in somewhere if scheme.fits_way(shipment))
        return anywhere + there if there else anywhere

    def _of_kind(self, shipment: Shipment) -> tuple[tuple[str, ...], tuple[Scheme, ...]]:
        """Return the codes of those that fit wherever it goes, and those that ask for ports."""
        found = [scheme for scheme in self.schemes if scheme.fits_kind(shipment)]
        asks = [s for s in found if "origins" in s.where or "destinations" in s.where]
        return tuple(s.code for s in found if s not in asks), tuple(asks)


class Pools:
    """The shipments of a day; each is taken once."""

    def __init__(self, fitting: Fitting, shipments: Sequence[Shipment]) -> None:
        self.shipments = shipments
        self.taken = bytearray(len(shipments))
        self.of_scheme: dict[str, list[int]] = {scheme.code: [] for scheme in fitting.schemes}
        self.of_lane: dict[Lane, list[int]] = {}
        self.of_shipper: dict[str, list[int]] = {}
        self._codes = [fitting.codes(shipment) for shipment in shipments]
        for at, shipment in enumerate(shipments):
            for code in self._codes[at]:
                self.of_scheme[code].append(at)
            self.of_lane.setdefault(lane(shipment), []).append(at)
            if shipment.shipper is not None:
                self.of_shipper.setdefault(shipment.shipper.name, []).append(at)

    def draw(
        self,
        dice: Dice,
        scheme: Scheme,
        avoids: Collection[str] = (),
        likes: Likes = anything,
    ) -> Shipment | None:
        """Take any shipment that the scheme could use; None when none is left.

        Ports of loading and goods to avoid are avoided where others are found; one that is liked
        is taken where a few tries find one.
        """
        pool = self.of_scheme[scheme.code]
        found = self._take(dice, pool, scheme, avoids, likes)
        return found or self._take(dice, pool, scheme, (), likes)

    def draw_in(
        self, dice: Dice, scheme: Scheme, where: Lane, likes: Likes = anything
    ) -> Shipment | None:
        """Take a shipment in one lane."""
        return self._take(dice, self.of_lane.get(where, []), scheme, (), likes)

    def draw_of(self, dice: Dice, scheme: Scheme, shipper: str) -> Shipment | None:
        """Take a shipment of one shipper."""
        return self._take(dice, self.of_shipper.get(shipper, []), scheme, (), anything)

    def _take(
        self,
        dice: Dice,
        pool: list[int],
        scheme: Scheme,
        avoids: Collection[str],
        likes: Likes,
    ) -> Shipment | None:
        found = self._tried(dice, pool, scheme, avoids, likes)
        if found is None:
            left = [at for at in pool if self._free(at, scheme, avoids)]
            if not left:
                return None
            found = dice.pick(left)
        self.taken[found] = 1
        return self.shipments[found]

    def _tried(
        self,
        dice: Dice,
        pool: list[int],
        scheme: Scheme,
        avoids: Collection[str],
        likes: Likes,
    ) -> int | None:
        found = None
        for _ in range(TRIES if pool else 0):
            at = dice.pick(pool)
            if self._free(at, scheme, avoids):
                if likes(self.shipments[at]):
                    return at
                found = at
        return found

    def _free(self, at: int, scheme: Scheme, avoids: Collection[str]) -> bool:
        if self.taken[at] or scheme.code not in self._codes[at]:
            return False
        return not avoids or not any(part in avoids for part in lane(self.shipments[at]))


def lane(shipment: Shipment) -> Lane:
    """Return from where a shipment goes and what it is."""
    return shipment.port_of_loading, shipment.goods.code if shipment.goods else ""
