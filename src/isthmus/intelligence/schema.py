"""The schemas of items: which fields a kind has, which are personal, and about whom.

A schema is a file of ``schemas/`` (JSON Schema 2020-12); ``docs/protocol/items.md`` tells how to
read it. Besides the form of a value it says of each field, by annotations:

* ``x-label``: its name in five languages, in the code list ``item_fields``;
* ``x-personal``: whether it is data about a person;
* ``x-vocabulary``: the code list its codes come from, or ``places``, ``countries``, ``hs``.

The category of the person an object of a list is about stands in its member ``category``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import orjson

from isthmus.intelligence.model import Item, ItemKind

PARTS = "parts"
_OWN_END = "persons."


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a kind of item: its path without the places of lists, such as ``persons.name``."""

    name: str
    label: str  # code of list item_fields
    form: str  # what its value is: a definition of parts.json, or integer, list, any
    personal: bool
    vocabulary: str | None = None


@cache
def document(name: str) -> Mapping[str, Any]:
    """Return the schema of a kind, or the shared ``parts``, as it is published."""
    text = files(__package__).joinpath("schemas", f"{name}.json").read_bytes()
    found: dict[str, Any] = orjson.loads(text)
    return MappingProxyType(found)


@cache
def fields(kind: ItemKind) -> Mapping[str, Field]:
    """Return every field of a kind by its name, in the order of its schema."""
    return MappingProxyType({one.name: one for one in _fields(kind)})


def _fields(kind: ItemKind) -> Iterator[Field]:
    for name, schema in document(kind.value)["properties"].items():
        members = members_of(schema)
        whole = _field(name, schema)
        if members is None:
            yield whole
            continue
        parts = [_field(f"{name}.{member}", one) for member, one in members.items()]
        yield replace(whole, personal=any(part.personal for part in parts))
        yield from parts


def members_of(schema: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the members of the objects of a list, or nothing for what is no list of objects."""
    reference = schema.get("items", {}).get("$ref")
    if reference is None:
        return None
    members: Mapping[str, Any] | None = definition(reference).get("properties")
    return members


def definition(reference: str) -> Mapping[str, Any]:
    """Return the definition of ``parts.json`` that a reference names."""
    found: Mapping[str, Any] = document(PARTS)["$defs"][reference.rpartition("/")[2]]
    return found


def _field(name: str, schema: Mapping[str, Any]) -> Field:
    form = schema.get("$ref", "").rpartition("/")[2] or schema.get("type", "any")
    form = "list" if form == "array" else form
    return Field(name, schema["x-label"], form, schema["x-personal"], schema.get("x-vocabulary"))


def field_name(path: str) -> str:
    """Return a path without the places of lists: ``persons.0.name`` is ``persons.name``."""
    if "." not in path:
        return path
    return ".".join(part for part in path.split(".") if not part.isdecimal())


def field_of(kind: ItemKind, path: str) -> Field | None:
    """Return the field at a path, or nothing when the schema of the kind knows none there.

    What a correction changes and whom a link joins only the item tells: see ``field_at``. Here
    both count as personal.
    """
    field = fields(kind).get(field_name(path))
    if field is not None and field.name.startswith(("changes.", "links.")):
        return replace(field, personal=True)
    return field


def field_at(item: Item, path: str) -> Field | None:
    """Return the field at a path of this item.

    A change of a correction is what it corrects: ``changes.0.value`` of ``persons.1.name`` is the
    field ``persons.name`` and as personal as that. A link is personal when it joins a person. As
    long as a part of an item does not tell, it counts as personal.
    """
    field = fields(item.kind).get(field_name(path))
    if field is None:
        return None
    if path.startswith("changes."):
        return _corrected(item, path, field)
    if path.startswith("links."):
        return replace(field, personal=_joins(item, path) is not False)
    return field


def _corrected(item: Item, path: str, field: Field) -> Field | None:
    target, kind = _object(item, path).get("path"), item.body.get("about_kind")
    if not isinstance(target, str) or kind not in list(ItemKind):
        return replace(field, personal=True)
    meant = field_of(ItemKind(kind), target)
    if meant is None:
        return None
    if path.endswith(".value"):
        return meant
    return replace(field, name=meant.name, personal=meant.personal)


def _joins(item: Item, path: str) -> bool | None:
    """Whether a link joins a person; nothing when this part of the item does not say."""
    link = _object(item, path)
    ends = [link.get("from"), link.get("to")]
    if any(isinstance(end, str) and end.startswith(_OWN_END) for end in ends):
        return True
    return None if None in ends else False


def _object(item: Item, path: str) -> Mapping[str, Any]:
    """Return the object of a list in which a path lies; empty when it is not there."""
    name, _, rest = path.partition(".")
    held, place = item.body.get(name), rest.partition(".")[0]
    if not isinstance(held, list) or not place.isdecimal() or int(place) >= len(held):
        return {}
    found = held[int(place)]
    return found if isinstance(found, Mapping) else {}


def subject_of(item: Item, path: str) -> str | None:
    """Return the data-subject category of the person that a path is about.

    Nothing when it is about nobody, or when this part of the item does not tell about whom. A
    link between persons of unlike categories is about both, so that no single one answers for it:
    it gives nothing, and stays.
    """
    if path.startswith("links."):
        link = _object(item, path)
        ends = [end for end in (link.get("from"), link.get("to")) if isinstance(end, str)]
        if len(ends) < 2:
            return None
        found = {_category(item, end) for end in ends if end.startswith(_OWN_END)}
        return found.pop() if len(found) == 1 else None
    return _category(item, path)


def _category(item: Item, path: str) -> str | None:
    category = _object(item, path).get("category")
    return category if isinstance(category, str) else None


def personal_paths(item: Item) -> tuple[str, ...]:
    """Return the paths of an item that are data about persons, in order."""
    return tuple(
        path
        for path in item.paths()
        if (field := field_at(item, path)) is not None and field.personal
    )
