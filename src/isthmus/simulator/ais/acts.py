"""What ships and craft do at sea that a track shows, lawful or not.

A scheme and everyday life use the same words, so nothing in a track says which it was. What a ship
can only do at sea is moved to when she is, a boat that cannot come is replaced by one of her kind,
a run ends where the sea leads; what cannot be done at all is not (``Summary.acts``).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

Point = tuple[float, float]  # degrees north, degrees east


class SeaKind(StrEnum):
    """Kinds of acts."""

    SPEED_DIP = "speed_dip"
    """A ship under way slows to a fraction of her speed for these minutes and makes it good."""
    DRIFT = "drift"
    """A ship under way stops and is carried by wind and current for these minutes."""
    GAP = "gap"
    """A vessel's AIS transmitter is off for these minutes."""
    DEVIATION = "deviation"
    """A ship under way leaves her lane to one side and is back in it after these minutes."""
    RENDEZVOUS = "rendezvous"
    """A vessel at sea slows and ``other``, a small craft, comes close to her for these minutes."""
    LOITER = "loiter"
    """A vessel goes to and fro slowly in one area for these minutes."""
    ANCHORED_AT_NIGHT = "anchored_at_night"
    """A ship comes early and lies at the port's anchorage for these minutes before she berths."""
    SMALL_CRAFT_ALONGSIDE = "small_craft_alongside"
    """A small craft, ``other``, lies alongside a ship at anchor or at berth for these minutes."""
    FAST_RUN = "fast_run"
    """A go-fast boat without AIS runs from ``where`` to ``to`` at 25 to 45 knots; radar only."""
    LOW_PROFILE_RUN = "low_profile_run"
    """A low boat without AIS makes 5 to 9 knots from ``where`` to ``to``; radar loses it often."""
    FISHING_WITHOUT_LANDING = "fishing_without_landing"
    """A fishing vessel's trip over ``where`` that ends at anchor, never at a landing place."""


@dataclass(frozen=True, slots=True)
class SeaAct:
    """One act of one vessel."""

    kind: SeaKind
    vessel: str  # IMO number of a ship, or the id of a craft of ``craft.craft``
    moment: datetime  # when it begins, in UTC
    minutes: float  # how long; a run takes as long as its way takes
    where: Point | None = None  # None: wherever the vessel is at that moment
    to: Point | None = None  # where a run ends
    other: str | None = None  # the id of the craft that meets her

    @property
    def end(self) -> datetime:
        """Return when it ends."""
        return self.moment + timedelta(minutes=self.minutes)
