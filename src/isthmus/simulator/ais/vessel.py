"""A vessel as her own transceiver describes her: identity, size, speed."""

from dataclasses import dataclass
from enum import StrEnum

from isthmus.simulator.ais.acts import Point


class Transceiver(StrEnum):
    """Which AIS equipment a vessel carries (ITU-R M.1371-5)."""

    A = "A"  # ships of SOLAS: 12.5 W, messages 1, 3 and 5
    B = "B"  # small craft, carrier sense: 2 W, messages 18 and 24
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Vessel:
    """A ship or a small craft. Metres and knots."""

    id: str  # IMO number of a ship, else a craft's id
    kind: str
    imo: str | None
    mmsi: int
    name: str
    call_sign: str
    flag: str  # ISO 3166-1 alpha-2
    ais: Transceiver
    type: int  # type of ship and cargo, ITU-R M.1371-5 table 53
    length: int
    beam: int
    draught: float
    speed: float  # the fastest she can go
    home: Point  # where a craft lies between trips; of a ship, where she was last seen
    harbour: str = ""
    fishes: bool = False
    days: tuple[float, float] = (0.0, 0.0)  # a trip's usual length
    out: tuple[float, float] = (0.0, 0.0)  # how far out it goes, nautical miles
