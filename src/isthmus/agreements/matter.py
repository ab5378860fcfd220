"""What deciding must know of a path: its field, and whose personal data it is."""

from typing import NamedTuple

from isthmus.intelligence import schema
from isthmus.intelligence.model import Item


class Matter(NamedTuple):
    """What stands at a path. ``subject`` is the category of the person, None when it is not known.

    What the schema of the kind does not know has no field and is never released.
    """

    field: str | None
    personal: bool
    subject: str | None


UNKNOWN = Matter(None, True, None)


def matters(item: Item) -> dict[str, Matter]:
    """Return what stands at every path of an item."""
    found = {}
    for path in item.paths():
        field = schema.field_at(item, path)
        if field is None:
            found[path] = UNKNOWN
        elif field.personal:
            found[path] = Matter(field.name, True, schema.subject_of(item, path))
        else:
            found[path] = Matter(field.name, False, None)
    return found
