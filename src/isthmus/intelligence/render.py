"""An item as its reader sees it: one line a path, in one of five languages.

What is coded is shown in words, numbers and moments as the reader writes them; free text stays in
the language it was written in and is marked with it. Of an item of which only some paths are
here, those are shown. A rule is shown in signs, the same for every reader.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from babel.core import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal

from isthmus.intelligence import schema
from isthmus.intelligence.model import Item, ItemKind, Scale
from isthmus.intelligence.schema import Field
from isthmus.intelligence.validation import evaluation_list
from isthmus.reference import countries, harmonised, places
from isthmus.reference.codelist import code_list, language_of

_TAKEN_AWAY = {
    "es": "suprimido",
    "en": "taken away",
    "fr": "supprimé",
    "nl": "vervallen",
    "pt": "suprimido",
}
_SIGNS = {
    "eq": "=", "lt": "<", "gt": ">", "le": "≤", "ge": "≥", "in": "∈", "between": "∈ [ ]",
    "begins_with": "= …*", "ends_with": "= *…", "contains": "∋", "empty": "= ∅", "null": "= ?",
    "matches_words": "≈", "changed": "≠ Δ0",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One path in words. ``language`` is that of free text, and ``language_name`` its name."""

    path: str
    label: str
    value: str
    personal: bool = False
    language: str | None = None
    language_name: str | None = None


@dataclass(frozen=True, slots=True)
class Rendered:
    """An item in words: what it is, what its marking says, and its paths in order."""

    title: str
    marking: tuple[Line, ...]
    lines: tuple[Line, ...]


def render(item: Item, locale: str) -> Rendered:
    """Return an item, or the part of it that is here, in the reader's language."""
    language = language_of(locale)
    lines = []
    for path, value in item.paths().items():
        lines.append(line(item, path, value, language))
        if path.startswith("changes.") and path.endswith(".path"):
            lines += _taken_away(item, path, language)
    title = code_list("item_kinds").label(item.kind.value, language)
    return Rendered(title, marking(item, language), tuple(lines))


def line(item: Item, path: str, value: Any, locale: str) -> Line:
    """Return one path of an item in the reader's language."""
    language = language_of(locale)
    field = schema.field_at(item, path)
    own = schema.fields(item.kind).get(schema.field_name(path))
    if field is None or own is None:
        return Line(path, path, str(value), personal=True)
    if own.name == "changes.value":
        # What is corrected is shown as the field it stands in.
        said = _shown(item, path, field, value, language)
    else:
        said = _shown(item, path, own, value, language)
    tongue = _language(value)
    name = Locale.parse(language).languages.get(tongue.partition("-")[0]) if tongue else None
    return Line(path, label(item.kind, path, language), said, field.personal, tongue, name)


def label(kind: ItemKind, path: str, locale: str) -> str:
    """Return what a path is called: ``Persons 2: Name``; a path of no field, itself."""
    names, fields = code_list("item_fields"), schema.fields(kind)
    name = schema.field_name(path)
    if name not in fields:
        return path
    if "." not in path:
        return names.label(fields[name].label, locale)
    above, place, _ = path.split(".")
    outer = names.label(fields[above].label, locale)
    return f"{outer} {int(place) + 1}: {names.label(fields[name].label, locale)}"


def marking(item: Item, locale: str) -> tuple[Line, ...]:
    """Return how far an item may be trusted and used, in words."""
    language, mark = language_of(locale), item.marking
    lines = [("originator", item.originator), ("version", _number(item.version, language))]
    lines.append(("made_at", _moment(item.made_at, language)))
    held = mark.evaluation
    if held is not None:
        source = code_list(evaluation_list(held.scale, "sources")).label(held.source, language)
        sure = code_list(evaluation_list(held.scale, "information")).label(
            held.information, language
        )
        scale = code_list("evaluation_scales").label(held.scale.value, language)
        lines.append(("evaluation", f"{held.source}{held.information} ({scale}): {source}; {sure}"))
    codes = sorted(mark.handling)
    limits = [
        f"{code.value}: {code_list('handling_codes').label(code, language)}" for code in codes
    ]
    lines.append(("handling", "; ".join(limits)))
    if mark.handling_note:
        lines.append(("handling_note", mark.handling_note))
    secrecy = code_list("classifications").label(mark.classification.value, language)
    lines.append(("classification", secrecy))
    lines.append(("tlp", code_list("tlp").label(mark.tlp.value, language)))
    names = code_list("item_fields")
    return tuple(Line(name, names.label(name, language), value) for name, value in lines)


def _taken_away(item: Item, path: str, language: str) -> list[Line]:
    above, place, _ = path.split(".")
    if "value" in item.body[above][int(place)]:
        return []
    name = f"{above}.{place}.value"
    field = schema.field_at(item, path)
    personal = field is None or field.personal
    return [Line(name, label(item.kind, name, language), _TAKEN_AWAY[language], personal)]


# -- values -------------------------------------------------------------------------------


def _shown(item: Item, path: str, field: Field, value: Any, language: str) -> str:
    if field.form == "grade":
        return _grade(item, path, field, value, language)
    if field.form == "path":
        kind = item.body.get("about_kind")
        return label(ItemKind(kind), value, language) if kind in list(ItemKind) else str(value)
    if field.form == "end":
        return _end(item, value, language)
    said = [_one(field, one, language) for one in (value if isinstance(value, list) else [value])]
    return "; ".join(said)


def _one(field: Field, value: Any, language: str) -> str:
    if field.vocabulary is not None:
        return _word(field.vocabulary, str(value), language)
    if isinstance(value, int):
        return _number(value, language)
    form = _FORMS.get(field.form)
    return str(value) if form is None else form(value, language)


def _word(vocabulary: str, code: str, language: str) -> str:
    if vocabulary == "places":
        found = places.place(code)
        return code if found is None else f"{found.name} ({code})"
    if vocabulary == "countries":
        return countries.label(code, language)
    if vocabulary == "hs":
        return f"{code}: {harmonised.label(code, language)}"
    return code_list(vocabulary).label(code, language)


def _grade(item: Item, path: str, field: Field, value: str, language: str) -> str:
    """A grade of a link in words, as far as its scale is here."""
    above, place, _ = path.split(".")
    scale = item.body[above][int(place)].get("scale")
    if scale is None:
        return value
    of = "sources" if field.name.endswith("source") else "information"
    words = code_list(evaluation_list(Scale(scale), of)).label(value, language)
    return f"{value}: {words}"


def _end(item: Item, end: str, language: str) -> str:
    """What a link joins: an object by its place in its list, and its name where that is here."""
    name, dot, place = end.partition(".")
    if not dot:
        return end
    said = f"{code_list('item_fields').label(name, language)} {int(place) + 1}"
    held = item.body.get(name, ())
    known = held[int(place)] if int(place) < len(held) else {}
    called = known.get("name") or known.get("imo") or known.get("plate") or known.get("number")
    return f"{said} ({called})" if called else said


def _number(value: int | float | Decimal, language: str) -> str:
    return format_decimal(value, format="#,##0.######", locale=language)


def _moment(moment: datetime, language: str) -> str:
    return f"{format_datetime(moment, 'medium', locale=language)} UTC"


def _position(value: Mapping[str, float], language: str) -> str:
    return "; ".join(f"{_number(value[name], language)}°" for name in ("latitude", "longitude"))


def _condition(value: Any, language: str) -> str:
    """A rule in signs."""
    if "all" in value or "any" in value:
        sign = " ∧ " if "all" in value else " ∨ "
        parts = [_condition(one, language) for one in value.get("all", value.get("any"))]
        return f"({sign.join(parts)})" if len(parts) > 1 else parts[0]
    if "not" in value:
        return f"¬{_condition(value['not'], language)}"
    hours = value.get("hours")
    left = f"h({hours[0]} → {hours[1]})" if hours else value["field"]
    right = f" {_operand(value['value'], language)}" if "value" in value else ""
    return f"[{left} {_SIGNS[value['op']]}{right}]"


def _operand(value: Any, language: str) -> str:
    if isinstance(value, Mapping):
        return str(next(iter(value.values())))
    if isinstance(value, list):
        return f"{{{'; '.join(_operand(one, language) for one in value)}}}"
    if isinstance(value, bool) or value is None:
        return {True: "1", False: "0", None: "∅"}[value]
    return _number(value, language) if isinstance(value, int | float) else f"“{value}”"


def _language(value: Any) -> str | None:
    return value["language"] if isinstance(value, Mapping) and "language" in value else None


_FORMS: Mapping[str, Callable[[Any, str], str]] = {
    "text": lambda value, _: str(value["text"]),
    "moment": lambda value, language: _moment(datetime.fromisoformat(value), language),
    "date": lambda value, language: format_date(
        date.fromisoformat(value), "medium", locale=language
    ),
    "decimal": lambda value, language: _number(Decimal(value), language),
    "money": lambda value, language: format_currency(
        Decimal(value["amount"]), value["currency"], locale=language
    ),
    "position": _position,
    "condition": _condition,
}
