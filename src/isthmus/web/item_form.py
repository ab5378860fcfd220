"""The form in which an item is drafted: its fields as the schema of its kind has them.

A field of the form is named by its path. What only systems write (links between objects, rules)
is not offered; the API takes it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from isthmus.intelligence import schema
from isthmus.intelligence.model import (
    Classification,
    Evaluation,
    Handling,
    ItemKind,
    Marking,
    Scale,
    Tlp,
)
from isthmus.intelligence.schema import Field
from isthmus.kernel.errors import Invalid, IsthmusError
from isthmus.reference.codelist import code_list
from isthmus.web.item_value import MANY, typed, value_of
from isthmus.web.page import problem_key
from isthmus.web.visitor import Form, Visitor

MOST_OBJECTS = 40
_LEFT_OUT = ("links", "rule", "parameters", "changes")


@dataclass(frozen=True, slots=True)
class Wrong:
    """What was wrong with a form: at which path, in words."""

    path: str
    words: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One field of the form: how it is called, what sort it is, and what stands in it."""

    path: str
    label: str
    sort: str  # select, ticks, lines, text, moment, date, number, money, position, line
    value: str = ""
    chosen: tuple[str, ...] = ()
    choices: tuple[tuple[str, str], ...] = ()
    language: str = ""
    second: str = ""  # the currency of money, the longitude of a position
    required: bool = False
    personal: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """A list of objects in the form: each object a few fields, and an empty one to add."""

    name: str
    label: str
    objects: tuple[tuple[Entry, ...], ...]
    filled: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """The whole form."""

    kind: ItemKind
    entries: tuple[Entry, ...]
    groups: tuple[Group, ...]
    marking: Mapping[str, Any]
    wrong: Wrong | None = None
    unit: str = ""
    hints: Mapping[str, str] = field(default_factory=dict)


# -- what is wrong ------------------------------------------------------------------------

_REASONS = (
    ("lacks a field", "draft.wrong_missing"),
    ("names nothing", "draft.wrong_nothing"),
    ("is not written", "draft.wrong_written"),
    ("is no such day", "draft.wrong_day"),
    ("is no code", "draft.wrong_code"),
    ("names no handling", "draft.wrong_handling"),
    ("H3 has", "draft.wrong_note"),
    ("ends before", "draft.wrong_span"),
    ("not a grade", "draft.wrong_grade"),
    ("a person has", "draft.wrong_category"),
)


def wrong_of(visitor: Visitor, error: IsthmusError) -> Wrong:
    """Say in the reader's words what was refused, and where it stands in the form."""
    reader, message = visitor.reader, error.message
    path = str(error.where.get("path") or error.where.get("field") or "")
    if error.code != "item_invalid":
        return Wrong(path, reader.t(problem_key(reader, error.code, error.kind)))
    if message.startswith("lacks a field"):
        missing = message.partition(": ")[2].partition(",")[0]
        path = missing if path in ("", "body") else f"{path}.{missing}"
    key = next((key for start, key in _REASONS if message.startswith(start)), "draft.wrong")
    return Wrong(path, reader.t(key))


# -- from the form ------------------------------------------------------------------------


def body_of(kind: ItemKind, form: Form, visitor: Visitor) -> dict[str, Any]:
    """Return the body that was typed; empty fields and empty objects are left out."""
    body: dict[str, Any] = {}
    for name, own, members in _top(kind):
        if not members:
            value = value_of(own, form, name, visitor)
            if value not in (None, [], ""):
                body[name] = value
            continue
        objects = [
            {
                one.name.partition(".")[2]: value
                for one in members
                if (value := value_of(one, form, _at(one, number), visitor)) not in (None, [], "")
            }
            for number in _filled(form, members)
        ]
        if objects:
            body[name] = objects
    return body


def marking_of(form: Form) -> Marking:
    """Return the marking that was chosen. Raises ``Invalid`` where two scales are mixed."""
    source, information = (
        form.text(f"marking.{name}").partition(" ") for name in ("source", "information")
    )
    if source[0] != information[0]:
        raise Invalid("item_invalid", "not a grade of its scale", path="marking.evaluation")
    try:
        return Marking(
            Evaluation(Scale(source[0]), source[2], information[2]) if source[0] else None,
            frozenset(Handling(code) for code in form.many("marking.handling")),
            Classification(form.text("marking.classification")),
            Tlp(form.text("marking.tlp")),
            form.text("marking.note"),
        )
    except ValueError:
        raise Invalid("item_invalid", "is no code of the list", path="marking.handling") from None


# -- to the form --------------------------------------------------------------------------


def pairs_of(kind: ItemKind, body: Mapping[str, Any], visitor: Visitor) -> list[tuple[str, str]]:
    """Return a body as the form would send it, so that a prefilled form is one that was typed."""
    pairs: list[tuple[str, str]] = []
    for name, own, members in _top(kind):
        if name not in body:
            continue
        if not members:
            pairs += typed(own, name, body[name], visitor)
            continue
        for number, one in enumerate(body[name]):
            for member in members:
                held = one.get(member.name.partition(".")[2])
                if held is not None:
                    pairs += typed(member, _at(member, number), held, visitor)
    return pairs


def sheet(
    kind: ItemKind, form: Form, visitor: Visitor, wrong: Wrong | None = None, *, persons: bool
) -> Sheet:
    """Lay the form out with what stands in it; persons only for whom they may be entered."""
    wanted = schema.document(kind.value).get("required", ())
    entries, groups = [], []
    for name, own, members in _top(kind):
        if not members:
            entries.append(_entry(own, name, name, form, visitor, required=name in wanted))
            continue
        if name == "persons" and not persons:
            continue
        groups.append(_group(own, members, form, visitor))
    # What a kind must have comes first; else the order is the schema's.
    entries.sort(key=lambda one: not one.required)
    chosen = {
        "source": form.text("marking.source"),
        "information": form.text("marking.information"),
        "handling": form.many("marking.handling"),
        "classification": form.text("marking.classification"),
        "tlp": form.text("marking.tlp"),
        "note": form.text("marking.note"),
    }
    return Sheet(kind, tuple(entries), tuple(groups), chosen, wrong, form.text("unit"))


def _group(own: Field, members: Sequence[Field], form: Form, visitor: Visitor) -> Group:
    filled = _filled(form, members)
    # A number that no object has gives the empty one behind the others.
    shown = [*filled, MOST_OBJECTS]
    objects = tuple(
        tuple(
            _entry(one, _at(one, number), _at(one, place), form, visitor, required=False)
            for one in members
        )
        for place, number in enumerate(shown)
    )
    name = code_list("item_fields").label(own.label, visitor.reader.locale)
    return Group(own.name, name, objects, len(filled))


def _entry(
    own: Field, held: str, path: str, form: Form, visitor: Visitor, *, required: bool
) -> Entry:
    reader = visitor.reader
    choices: tuple[tuple[str, str], ...] = ()
    if own.form in ("code", "codes") and own.vocabulary:
        choices = tuple((one.code, one.label(reader.locale)) for one in code_list(own.vocabulary))
    sorts = {
        "code": "select", "codes": "ticks", "text": "text", "moment": "moment", "date": "date",
        "money": "money", "position": "position", "integer": "number", "version": "number",
    }  # fmt: skip
    sort = sorts.get(own.form, "lines" if own.form in MANY else "line")
    return Entry(
        path,
        code_list("item_fields").label(own.label, reader.locale),
        sort,
        form.raw(held),
        tuple(form.many(held)),
        choices,
        form.text(f"{held}~") or reader.locale,
        form.text(f"{held}~"),
        required,
        own.personal,
    )


def _top(kind: ItemKind) -> Iterator[tuple[str, Field, tuple[Field, ...]]]:
    """The fields of a kind that a form offers, each with the members of its objects."""
    fields = schema.fields(kind)
    for name, own in fields.items():
        if "." in name or name in _LEFT_OUT:
            continue
        yield name, own, tuple(fields[one] for one in fields if one.startswith(f"{name}."))


def _at(member: Field, number: int) -> str:
    name, _, rest = member.name.partition(".")
    return f"{name}.{number}.{rest}"


def _filled(form: Form, members: Sequence[Field]) -> list[int]:
    """Which objects of a list say anything, by their numbers in the form."""
    return [
        number
        for number in range(MOST_OBJECTS)
        if any(form.text(_at(one, number)) or any(form.many(_at(one, number))) for one in members)
    ]
