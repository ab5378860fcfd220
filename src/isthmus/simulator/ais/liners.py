"""The container ships of the world's services, as their transceivers describe them."""

from collections.abc import Iterator

from isthmus.simulator.ais.craft import fleet, mmsi
from isthmus.simulator.ais.vessel import Transceiver, Vessel
from isthmus.simulator.dice import Dice
from isthmus.simulator.world import World

# By capacity in twenty-foot units: up to so many, length, beam, fastest.
_SIZES = (
    (1_500, 150, 24, 18.0),
    (3_000, 208, 30, 20.0),
    (5_500, 281, 32, 21.5),
    (10_000, 328, 43, 22.5),
    (25_000, 366, 49, 22.5),
)


def liners(world: World, seed: int) -> tuple[Vessel, ...]:
    """Return a vessel for every ship of the world's carriers; its id is its IMO number."""
    return tuple(_liners(world, seed))


def _liners(world: World, seed: int) -> Iterator[Vessel]:
    taken: set[int] = set()
    for carrier in world.carriers.values():
        for ship in carrier.ships:
            dice = Dice(seed, "ais", "liner", ship.imo)
            flag = dice.weighed(fleet()["flags"])
            number = mmsi(flag, 98, dice)
            while number in taken:
                number = mmsi(flag, 98, dice)
            taken.add(number)
            _, length, beam, speed = next(size for size in _SIZES if ship.teu <= size[0])
            yield Vessel(
                id=ship.imo,
                kind="container_ship",
                imo=ship.imo,
                mmsi=number,
                name=ship.name.upper(),
                call_sign=dice.text("ABCDEFGHJKLMNPQRSTUVWXYZ", 4) + dice.text("23456789", 1),
                flag=flag,
                ais=Transceiver.A,
                type=dice.pick((70, 70, 70, 71, 72, 79)),
                length=length,
                beam=beam,
                draught=round(dice.between(0.036, 0.042) * length, 1),
                speed=round(speed * dice.between(0.96, 1.04), 1),
                home=(0.0, 0.0),
            )
