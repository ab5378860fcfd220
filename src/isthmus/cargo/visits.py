"""Which events of a box belong to one voyage of it: pure.

A box number comes back again and again. Its actual events part into visits: one begins with an
entry (gate-in, discharge) after an exit (gate-out, loading), unless the exit was a haul between
two terminals of the port. A unit takes the events of the visit that lies nearest to it in time.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from isthmus.cargo.model import ContainerEvent

ENTRIES = frozenset({"GTIN", "DISC"})
EXITS = frozenset({"GTOT", "LOAD"})
# Out of one gate and in at the next within this time is a haul inside the port, and a box put
# back on board is a restow. A default of ours.
HAUL = timedelta(hours=48)
# A visit further than this from what the papers say is of another voyage. A default of ours.
VOYAGE = timedelta(days=45)
# A box that left does not come back from overseas sooner: a visit that ended longer before the
# unit's own moment is of an earlier voyage. A default of ours.
RETURN = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Visit:
    """The actual events of one stay of a box, in order."""

    events: tuple[ContainerEvent, ...]

    @property
    def begins(self) -> datetime:
        """The moment of its first event."""
        return self.events[0].at

    @property
    def left_at(self) -> datetime | None:
        """When the box went out of reach, where it has."""
        return left_at(self.events)

    @property
    def empty(self) -> bool:
        """Whether the box came in empty and nothing says that it was laden later."""
        told = [event.empty for event in self.events if event.empty is not None]
        return bool(told) and all(told)


def left_at(events: Iterable[ContainerEvent]) -> datetime | None:
    """Return when a box went through the gate or on board, unless it came back after that."""
    out: datetime | None = None
    for event in events:
        if event.planned:
            continue
        if event.code in EXITS:
            out = event.at
        elif event.code in ENTRIES:
            out = None
    return out


def visits(events: Iterable[ContainerEvent]) -> list[Visit]:
    """Part the events of one box into visits."""
    parted: list[list[ContainerEvent]] = []
    out: ContainerEvent | None = None
    for event in in_order(event for event in events if not event.planned):
        returns = (
            out is not None
            and event.code in ENTRIES
            and (event.at - out.at > HAUL or (event.empty is True and out.empty is not True))
        )
        if not parted or returns:
            parted.append([])
        parted[-1].append(event)
        if event.code in EXITS:
            out = event
        elif event.code in ENTRIES:
            out = None
    return [Visit(tuple(part)) for part in parted]


def in_order(events: Iterable[ContainerEvent]) -> list[ContainerEvent]:
    """Sort events by moment, then by what cannot depend on the order of their coming."""
    return sorted(events, key=lambda event: (event.at, event.sender, event.event_id))


def of_unit(
    events: Sequence[ContainerEvent],
    parted: Sequence[Visit],
    anchor: datetime,
    bills: Collection[str],
    *,
    empty: bool,
) -> list[ContainerEvent]:
    """Return the events of a box that a unit takes.

    ``anchor`` is the moment the papers give for it, ``bills`` the bills it may be named by. An
    event that names one of these is always its own; one that names another never is.
    """
    chosen = _nearest(parted, anchor, bills, empty)
    named = [event for event in events if event.bill is not None and event.bill in bills]
    mine = {id(event) for event in (*named, *(chosen.events if chosen else ()))}
    begins = chosen.begins if chosen else anchor - RETURN
    for event in events:
        if event.planned and begins <= event.at <= anchor + VOYAGE:
            mine.add(id(event))
    foreign = bool(bills)
    return in_order(
        event
        for event in events
        if id(event) in mine and not (foreign and event.bill and event.bill not in bills)
    )


def _nearest(
    parted: Sequence[Visit], anchor: datetime, bills: Collection[str], empty: bool
) -> Visit | None:
    def rank(visit: Visit) -> tuple[bool, bool, timedelta, datetime]:
        left = visit.left_at
        named = any(event.bill in bills for event in visit.events if event.bill)
        if visit.begins > anchor:
            distance = visit.begins - anchor
        else:
            distance = max(timedelta(0), anchor - (left or anchor))
        return not named, visit.empty is not empty, distance, visit.begins

    near = [
        visit
        for visit in parted
        if visit.begins <= anchor + VOYAGE
        and (visit.left_at or visit.events[-1].at + VOYAGE) >= anchor - RETURN
    ]
    return min(near, key=rank, default=None)
