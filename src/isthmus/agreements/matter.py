"""What deciding must know of a path: its field, and whose personal data it is."""

from functools import lru_cache
from typing import NamedTuple

from isthmus.intelligence.model import Item


class Matter(NamedTuple):
    """What stands at a path. ``subject`` is the category of the person, None when it is not known.

    What the schema of the kind does not know has no field and is never released.
    """

    field: str | None
    personal: bool
    subject: str | None


@lru_cache(maxsize=4096)
def field_name(path: str) -> str:
    """Return a path without the places of lists: ``persons.0.name`` is ``persons.name``."""
    if "." not in path:
        return path
    return ".".join(part for part in path.split(".") if not part.isdigit())


def matters(item: Item) -> dict[str, Matter]:
    """Return what stands at every path of an item."""
    found = {}
    for path in item.paths():
        personal = path.startswith("persons")
        found[path] = Matter(field_name(path), personal, _subject(item, path) if personal else None)
    return found


def _subject(item: Item, path: str) -> str | None:
    parts = path.split(".")
    if len(parts) < 3:
        return None
    category = item.body["persons"][int(parts[1])].get("category")
    return category if isinstance(category, str) else None
