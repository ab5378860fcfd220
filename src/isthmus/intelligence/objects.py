"""What an item names that others can ask for: containers, ships, seals, and other items."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from isthmus.intelligence.model import Item


class ObjectKind(StrEnum):
    """What sort of thing is named. The first five may be asked about blindly; persons never are."""

    CONTAINER = "container"  # ISO 6346 number
    VESSEL = "vessel"  # IMO number
    VEHICLE = "vehicle"  # registration mark
    SEAL = "seal"
    DOCUMENT = "document"  # number of a trade document
    ITEM = "item"  # an item that this one is about
    CHAIN = "chain"  # an inspection chain
    SEIZURE = "seizure"  # SZ number


ASKABLE = (
    ObjectKind.CONTAINER,
    ObjectKind.VESSEL,
    ObjectKind.VEHICLE,
    ObjectKind.SEAL,
    ObjectKind.DOCUMENT,
)

_PLAIN = {
    "container": ObjectKind.CONTAINER,
    "containers": ObjectKind.CONTAINER,
    "seals": ObjectKind.SEAL,
    "seal_found": ObjectKind.SEAL,
    "seal_applied": ObjectKind.SEAL,
    "about": ObjectKind.ITEM,
    "alert": ObjectKind.ITEM,
    "request": ObjectKind.ITEM,
    "chain": ObjectKind.CHAIN,
    "seizure": ObjectKind.SEIZURE,
    "seizures": ObjectKind.SEIZURE,
}
_MEMBERS = {
    "vessels": ("imo", ObjectKind.VESSEL),
    "vehicles": ("plate", ObjectKind.VEHICLE),
    "documents": ("number", ObjectKind.DOCUMENT),
}


def objects_of(item: Item) -> frozenset[tuple[ObjectKind, str]]:
    """Return what an item, or the part of it that is here, names."""
    return frozenset(_objects(item))


def _objects(item: Item) -> Iterator[tuple[ObjectKind, str]]:
    for name, value in item.body.items():
        if name in _PLAIN:
            for one in _listed(value):
                yield _PLAIN[name], one
                if _PLAIN[name] is ObjectKind.SEAL:
                    yield ObjectKind.SEAL, bare_seal(one)
        elif name in _MEMBERS:
            member, kind = _MEMBERS[name]
            for one in value:
                if member in one:
                    yield kind, one[member]
    if "number" in item.body and item.kind.value == ObjectKind.SEIZURE.value:
        yield ObjectKind.SEIZURE, item.body["number"]


def bare_seal(number: str) -> str:
    """Return the number of a seal as papers and terminals are read: capital letters and digits."""
    return "".join(one for one in number.upper() if one.isalnum())


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
