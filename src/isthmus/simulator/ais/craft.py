"""The background of every voyage: fishing fleets, pilots, tugs, launches, yachts, go-fast boats,
and the bulk carriers and tankers of the canal trade. Read from ``worlds/craft.yaml``.

Numbers are invented: IMO numbers come from the series that was never given out, MMSI carry the
right digits of the flag and a block of their own after them.
"""

from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import yaml

from isthmus.reference.check_digits import imo_check_digit
from isthmus.simulator.ais.vessel import Transceiver, Vessel
from isthmus.simulator.dice import Dice
from isthmus.simulator.world import World

SHIPS_FROM = 380_000  # behind the numbers of the world's own ships
_WORDS = (
    *("ANITA", "AURORA", "BRISA", "CORAL", "DELFIN", "DON JULIO", "DONA ROSA", "EL CAPITAN"),
    *("ESPERANZA", "ESTRELLA", "GAVIOTA", "HALCON", "ISABEL", "JUPITER", "LA NINA", "LUCERO"),
    *("MAR AZUL", "MARIA ELENA", "NAZARENO", "NEPTUNO", "ORCA", "PELICANO", "PERLA", "REY DEL MAR"),
    *("SAN JUDAS", "SAN PEDRO", "SANTA FE", "SIRENA", "TIBURON", "TRES AMIGOS", "VIRGEN DEL MAR"),
)
_FIRST = (
    *("AEGEAN", "ALPINE", "ARCTIC", "BALTIC", "BRIGHT", "CAPE", "CRYSTAL", "EASTERN", "GOLDEN"),
    *(
        "GRAND",
        "IONIAN",
        "JADE",
        "LIBERTY",
        "LUCKY",
        "MAGIC",
        "NOBLE",
        "NORDIC",
        "OCEAN",
        "PACIFIC",
    ),
    *(
        "PRIME",
        "ROYAL",
        "SILVER",
        "SOUTHERN",
        "STAR",
        "STELLAR",
        "SUNNY",
        "TRUST",
        "UNITED",
        "WESTERN",
    ),
)
_SECOND = (
    *("BREEZE", "CHAMPION", "COURAGE", "DAWN", "DIAMOND", "DREAM", "EAGLE", "EMPEROR", "FORTUNE"),
    *("GLORY", "GUARDIAN", "HARMONY", "HORIZON", "JOY", "LEADER", "LIGHT", "MERCHANT", "PEARL"),
    *("PIONEER", "PRINCESS", "SPIRIT", "SPLENDOUR", "TRADER", "UNITY", "VENTURE", "VISION", "WAVE"),
)
_CALL = "ABCDEFGHJKLMNPQRSTUVWXYZ"


@cache
def fleet() -> Mapping[str, Any]:
    """Return the shipped description of fleets, as data."""
    file = files("isthmus.simulator").joinpath("worlds", "craft.yaml")
    read: Mapping[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return read


def craft(world: World, seed: int) -> tuple[Vessel, ...]:
    """Return every small craft: ids ``C0001`` and on. Kinds are the keys of the file."""
    return tuple(_craft(world, Dice(seed, "ais", "craft")))


@lru_cache(maxsize=4)
def canal_ships(seed: int) -> tuple[Vessel, ...]:
    """Return the bulk carriers, tankers and others that transit; their id is their IMO number."""
    return tuple(_canal_ships(Dice(seed, "ais", "canal ships")))


def mmsi(flag: str, block: int, dice: Dice) -> int:
    """Return an invented MMSI: the flag's digits, two of a block of vessels and four more."""
    mids = fleet()["mids"]
    mid = dice.pick(mids.get(flag, mids["PA"]))
    return int(mid) * 1_000_000 + block * 10_000 + dice.whole(0, 9_999)


def _craft(world: World, dice: Dice) -> Iterator[Vessel]:
    count, taken = 0, set[int]()
    harbours = fleet()["harbours"]
    for kind, given in fleet()["kinds"].items():
        for _ in range(given["count"]):
            count += 1
            flag = dice.pick(given["flags"]) or world.country
            number = mmsi(flag, 97, dice)
            while number in taken:
                number = mmsi(flag, 97, dice)
            taken.add(number)
            harbour = dice.pick(given["harbours"])
            length = round(dice.between(*given["length"]))
            yield Vessel(
                id=f"C{count:04d}",
                kind=kind,
                imo=None,
                mmsi=number,
                name=_small_name(kind, dice),
                call_sign=dice.text(_CALL, 2) + dice.text("0123456789", 4),
                flag=flag,
                ais=Transceiver(dice.pick(given["ais"])),
                type=given["type"],
                length=length,
                beam=max(2, round(length * 0.28)),
                draught=round(length * 0.08, 1),
                speed=round(dice.between(*given["speed"]), 1),
                home=(harbours[harbour][0], harbours[harbour][1]),
                harbour=harbour,
                fishes=given["fishes"],
                days=tuple(given.get("days", (0.0, 0.0))),
                out=tuple(given.get("out", (0.0, 0.0))),
            )


def _small_name(kind: str, dice: Dice) -> str:
    if kind == "tug":
        return f"CERRO {dice.pick(_WORDS)}"
    if kind == "pilot_boat":
        return f"PILOTO {dice.whole(1, 40)}"
    roman = dice.pick(("", "", " I", " II", " III", " IV"))
    return f"{dice.pick(_WORDS)}{roman}"


def _canal_ships(dice: Dice) -> Iterator[Vessel]:
    count, taken = 0, set[int]()
    for kind, given in fleet()["ships"].items():
        for _ in range(given["count"]):
            six = str(SHIPS_FROM + 11 * count)
            imo = f"{six}{imo_check_digit(six)}"
            count += 1
            flag = dice.weighed(fleet()["flags"])
            number = mmsi(flag, 99, dice)
            while number in taken:
                number = mmsi(flag, 99, dice)
            taken.add(number)
            length = round(dice.between(*given["length"]))
            yield Vessel(
                id=imo,
                kind=kind,
                imo=imo,
                mmsi=number,
                name=f"{dice.pick(_FIRST)} {dice.pick(_SECOND)}",
                call_sign=dice.text(_CALL, 4) + dice.text("23456789", 1),
                flag=flag,
                ais=Transceiver.A,
                type=given["type"] + dice.pick((0, 0, 0, 1, 2, 9)) * (given["type"] % 10 == 0),
                length=length,
                beam=round(length * given["beam"]),
                draught=round(dice.between(*given["draught"]), 1),
                speed=round(dice.between(*given["speed"]), 1),
                home=(0.0, 0.0),
            )
