"""An item: one version of a record that may cross a border, how far to trust it, how to use it.

An item is made by its originator and never changed by anybody else. Its body is nested, as its
JSON Schema says; what can be released or withheld by itself is a *path* into the body, such as
``container`` or ``persons.0.name``. Trust (evaluation), limits of use (handling), secrecy
(classification) and the sharing mark (TLP) are four different things and stand apart; none of
them permits anything by itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from isthmus.kernel.errors import Invalid

LONGEST = 500
"""Objects in one list of a body, at most."""


class ItemKind(StrEnum):
    """What an item is; each kind has a published schema."""

    ALERT = "alert"  # a lookout: watch for this
    SIGHTING = "sighting"
    SEIZURE = "seizure"
    METHOD_CARD = "method_card"
    RISK_PROFILE = "risk_profile"
    REQUEST = "request"
    ANSWER = "answer"
    INSPECTION_REQUEST = "inspection_request"
    INSPECTION_RESULT = "inspection_result"
    FEEDBACK = "feedback"
    CORRECTION = "correction"
    RECALL = "recall"


class Scale(StrEnum):
    """The scale on which an evaluation was made; it is stored beside the value."""

    POLICE_4X4 = "4x4"  # source A, B, C, X; information 1 to 4
    ADMIRALTY = "admiralty"  # source A to F; information 1 to 6


class Handling(StrEnum):
    """Limits of use, as European police cooperation codes them; codes combine."""

    H0 = "H0"  # may be used for the prevention and fight of crime, no further limit
    H1 = "H1"  # not in judicial proceedings without the originator's permission
    H2 = "H2"  # not to be passed on without the originator's permission
    H3 = "H3"  # other limits, in words beside it


class Tlp(StrEnum):
    """Traffic Light Protocol 2.0: a mark for readers, never a permission."""

    RED = "red"
    AMBER_STRICT = "amber+strict"
    AMBER = "amber"
    GREEN = "green"
    CLEAR = "clear"


class Classification(StrEnum):
    """How secret an item is; ordered, lowest first."""

    NONE = "none"
    RESTRICTED = "restricted"
    CONFIDENTIAL = "confidential"
    SECRET = "secret"  # noqa: S105 - a level, no password


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How reliable the source and how sure the information: ``B`` and ``2`` on a named scale."""

    scale: Scale
    source: str
    information: str


@dataclass(frozen=True, slots=True)
class Marking:
    """What travels with every copy of an item, whatever fields it shows."""

    evaluation: Evaluation | None
    handling: frozenset[Handling]
    classification: Classification
    tlp: Tlp
    handling_note: str = ""  # the words of H3


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """One version of an item.

    ``id`` is unique among all nodes: the originator's code, a colon and a number of its own
    (``PA-ANA:alr_01J...``). ``version`` counts from 1. ``body`` is nested plain JSON values that
    follow the schema of the kind.
    """

    id: str
    kind: ItemKind
    version: int
    originator: str
    made_at: datetime
    marking: Marking
    body: Mapping[str, Any]

    def paths(self) -> dict[str, Any]:
        """Return every path that can be released by itself, with its value."""
        return dict(flat(self.body))


def flat(body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the paths of a body in order, with their values.

    A list of objects gives a path per member of each object; every other value is one path.
    """
    for name, value in body.items():
        if isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
            for place, one in enumerate(value):
                for member, held in one.items():
                    yield f"{name}.{place}.{member}", held
        else:
            yield name, value


def nested(paths: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body that some of its paths make; members that are not there are left out.

    Objects of a list keep their places, so that a path means the same in every part of an item:
    one of which nothing is there stands as an empty object before the others. Raises ``Invalid``
    for a path that no body can have.
    """
    body: dict[str, Any] = {}
    lists: dict[str, dict[int, dict[str, Any]]] = {}
    for path, value in paths.items():
        name, dot, rest = path.partition(".")
        if not dot:
            body[name] = value
            continue
        place, _, member = rest.partition(".")
        lists.setdefault(name, {}).setdefault(_place(place, member, path), {})[member] = value
    for name, members in lists.items():
        if name in body:
            raise Invalid("path_wrong", "a path stands for a whole and for its part", path=name)
        body[name] = [members.get(place, {}) for place in range(max(members) + 1)]
    return body


def _place(place: str, member: str, path: str) -> int:
    canonical = place.isascii() and place.isdecimal() and len(place) <= 4
    if not canonical or not member or "." in member or str(int(place)) != place:
        raise Invalid("path_wrong", "not a member of an object in a list", path=path[:80])
    if int(place) >= LONGEST:
        raise Invalid("path_wrong", f"a list holds at most {LONGEST} objects", path=path)
    return int(place)
