"""Time is injected: whoever needs the moment is given a clock, so that tests can set it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the moment, always in UTC and aware of it."""

    def now(self) -> datetime:
        """Return the present moment in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the machine's present moment in UTC."""
        return datetime.now(UTC)


@dataclass(slots=True)
class SetClock:
    """A clock that stands until it is moved; for tests, replays and exercises."""

    moment: datetime = field(default_factory=lambda: datetime(2026, 1, 1, tzinfo=UTC))

    def now(self) -> datetime:
        """Return the moment to which this clock was set."""
        return self.moment

    def advance(self, by: timedelta) -> None:
        """Move the clock forward."""
        self.moment += by


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(moment: datetime) -> int:
    """Return whole microseconds since 1970-01-01 UTC. The moment must know its zone."""
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """Return the UTC moment that many microseconds after 1970-01-01."""
    return _EPOCH + timedelta(microseconds=micros)


def isoformat(moment: datetime) -> str:
    """Write a moment as ISO 8601 in UTC with a ``Z``, microseconds only where there are any.

    Raises ``TypeError`` when the moment does not know its zone: the machine's is not a guess.
    """
    if moment.tzinfo is None:
        raise TypeError("a moment must know its time zone")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
