"""What a box's events tell of its seals and whereabouts."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from math import asin, cos, radians, sin, sqrt

from isthmus.cargo.model import ContainerEvent, Seal
from isthmus.reference.places import place

# Events that explain a changed seal: customs or another authority opened the box.
EXPLAINS = {"INSP", "CUSI", "CUSS", "CUSR", "scan"}
EXPLAINS_WITHIN = timedelta(hours=72)
# No truck, train or ship moves a box faster over any distance worth telling.
FASTEST_KMH = 100.0
SHORTEST_KM = 50.0


def changes(declared: Sequence[Seal], events: Sequence[ContainerEvent]) -> tuple[int, int]:
    """Count seal changes over a box's actual events, and those that nobody explains.

    A change is a reseal or removal event, or a set of seal numbers that shares none with the set
    before. It is explained when an inspection, a scan or a customs event stands within 72 hours
    before it, or when the event itself names customs as the remover.
    """
    seen = {seal.number for seal in declared}
    total = unexplained = 0
    explained_at = None
    for event in events:
        if event.code in EXPLAINS or event.code.rsplit(":", 1)[-1] in EXPLAINS:
            explained_at = event.at
        numbers = {seal.number for seal in event.seals}
        differs = bool(numbers and seen and not numbers & seen)
        if differs or event.code in ("RSEA", "RMVD"):
            total += 1
            official = any(seal.removed_by == "customs" for seal in event.seals)
            recent = explained_at is not None and event.at - explained_at <= EXPLAINS_WITHIN
            unexplained += not (official or recent)
        if numbers:
            seen = numbers
    return total, unexplained


def two_places(events: Sequence[ContainerEvent]) -> bool:
    """Whether the same number was reported at two places that no journey joins in the time."""
    for before, after in pairwise(events):
        if before.place and after.place and before.place != after.place:
            distance = kilometres(before.place, after.place)
            hours = (after.at - before.at).total_seconds() / 3600
            if distance is not None and distance > SHORTEST_KM and distance > hours * FASTEST_KMH:
                return True
    return False


def kilometres(one: str, other: str) -> float | None:
    """Return the great-circle distance between two places, or nothing where one is unknown."""
    here, there = place(one), place(other)
    if here is None or there is None or here.latitude is None or there.latitude is None:
        return None
    if here.longitude is None or there.longitude is None:
        return None
    phi, theta = radians(here.latitude), radians(there.latitude)
    chord = sin((theta - phi) / 2) ** 2
    chord += cos(phi) * cos(theta) * sin(radians(there.longitude - here.longitude) / 2) ** 2
    return 2 * 6371.0 * asin(sqrt(chord))
