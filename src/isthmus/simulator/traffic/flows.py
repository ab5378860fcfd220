"""Flows: what each service carries by regime and port, prepared once from a world's shares."""

from collections.abc import Mapping
from functools import cached_property

from isthmus.cargo.model import Regime
from isthmus.kernel.errors import Invalid
from isthmus.simulator.dice import Odds
from isthmus.simulator.world import Service, World

Way = tuple[Regime, str]
"""A regime and the foreign port at the other end."""


class Flows:
    """Odds of what a call brings and takes. A port's trade is shared by the services that call
    there, evenly."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._callers: dict[str, int] = {}
        for service in world.services:
            for port in service.ports:
                self._callers[port] = self._callers.get(port, 0) + 1
        everything = {**self._brought, **self._taken}
        for port in sorted({port for _, port in everything}):
            if port not in self._callers:
                raise Invalid("world_invalid", "no service calls there", port=port)
        self._odds = {
            (service.code, leaving): self._of(service, ways)
            for service in world.services
            for leaving, ways in ((False, self._brought), (True, self._taken))
        }

    def odds(self, service: Service, leaving: bool) -> Odds[Way]:
        """Return the odds of what a call of a service takes, or brings."""
        return self._odds[service.code, leaving]

    def _of(self, service: Service, ways: Mapping[Way, float]) -> Odds[Way]:
        return Odds(
            {
                way: weight / self._callers[way[1]]
                for way, weight in ways.items()
                if way[1] in service.ports
            }
        )

    @cached_property
    def _brought(self) -> Mapping[Way, float]:
        world = self.world
        shares = {name: sum(region.loads.values()) for name, region in world.regions.items()}
        return {
            **self._by_region(Regime.TRANSHIPMENT, shares, leaving=False),
            **self._by_region(Regime.IMPORT, world.imports, leaving=False),
            **self._by_region(Regime.FREE_ZONE_IN, world.free_zone, leaving=False),
            **self._empties(),
        }

    @cached_property
    def _taken(self) -> Mapping[Way, float]:
        world = self.world
        return {
            **self._by_region(Regime.EXPORT, world.exports["to"], leaving=True),
            **self._by_region(Regime.FREE_ZONE_OUT, world.re_exports["to"], leaving=True),
            **self._empties(),
        }

    def _by_region(
        self, regime: Regime, shares: Mapping[str, float], *, leaving: bool
    ) -> Mapping[Way, float]:
        """Share a regime's weight out to regions, and each region's to its ports."""
        made: dict[Way, float] = {}
        whole = self.world.regimes[regime.value] / sum(shares.values())
        for name, share in shares.items():
            region = self.world.regions[name]
            ports = region.takes if leaving else region.loads
            every = sum(ports.values())
            for port, weight in ports.items():
                made[regime, port] = whole * share * weight / every
        return made

    def _empties(self) -> Mapping[Way, float]:
        """Half of the empty boxes come and half leave, anywhere that a service calls."""
        half = self.world.regimes[Regime.EMPTY.value] / 2 / len(self._callers)
        return {(Regime.EMPTY, port): half for port in self._callers}
