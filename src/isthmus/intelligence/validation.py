"""Is this an item as its schema says? If not: what is wrong, and at which path.

Values are never repeated in a refusal, since they may be about persons.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from isthmus.intelligence import schema
from isthmus.intelligence.model import Handling, Item, ItemKind, Marking, Scale, flat
from isthmus.kernel.errors import Invalid
from isthmus.reference import countries, harmonised, places
from isthmus.reference.codelist import code_list

NODE = re.compile(r"[A-Z]{2}-[A-Z0-9-]{1,30}")
NUMBER = re.compile(r"[a-z]{3}_[0-9a-z]{1,40}")
_SPANS = (("window_from", "window_until"), ("back_test_from", "back_test_until"))
_FORMATS = FormatChecker(formats=())
_FORMATS.checks("date-time", ValueError)(lambda text: bool(datetime.fromisoformat(str(text))))
_FORMATS.checks("date", ValueError)(lambda text: bool(date.fromisoformat(str(text))))
# A network is corrected by a new version of the item; a correction, by another one.
_BY_VERSION = ("links.", "changes.")
# What only a whole item must have: of a part, some of it may be withheld.
_WHOLE = ("required", "anyOf", "if", "then")


def validate(item: Item) -> None:
    """Raise ``Invalid`` naming the first path that is not as the schema says, and why."""
    _validate(item, whole=True)


def validate_part(item: Item) -> None:
    """The same for an item of which only some paths are here: what is there must be right."""
    _validate(item, whole=False)


def _validate(item: Item, *, whole: bool) -> None:
    _check_head(item)
    _check_marking(item.marking)
    # By the place, so that the answer is always the same.
    errors = sorted(_validator(item.kind, whole).iter_errors(item.body), key=_order)
    if errors:
        raise _refusal(item.kind, errors[0])
    for path, value in flat(item.body):
        field = schema.field_of(item.kind, path)
        if field is not None and field.vocabulary is not None:
            _check_codes(item.kind, path, field.vocabulary, value)
    _check_spans(item)
    _check_links(item, whole)
    if item.kind is ItemKind.CORRECTION:
        _check_changes(item, whole)


def _check_head(item: Item) -> None:
    originator, _, number = item.id.partition(":")
    if not NODE.fullmatch(item.originator):
        raise Invalid("item_invalid", "not the code of a node", path="originator")
    if originator != item.originator or not NUMBER.fullmatch(number):
        raise Invalid("item_invalid", "not a number of its originator", path="id")
    if item.version < 1:
        raise Invalid("item_invalid", "versions count from 1", path="version")


def _check_marking(marking: Marking) -> None:
    held = marking.evaluation
    if held is not None:
        for name, code in (("sources", held.source), ("information", held.information)):
            if code not in code_list(evaluation_list(held.scale, name)):
                raise Invalid("item_invalid", "not a grade of its scale", path="marking.evaluation")
    if not marking.handling:
        raise Invalid("item_invalid", "names no handling code", path="marking.handling")
    if (Handling.H3 in marking.handling) != bool(marking.handling_note.strip()):
        raise Invalid(
            "item_invalid", "H3 has its words, and no other code", path="marking.handling"
        )


def evaluation_list(scale: Scale, of: str) -> str:
    """Return the name of the code list of a scale: of its ``sources`` or its ``information``."""
    return f"{'admiralty' if scale is Scale.ADMIRALTY else 'police'}_{of}"


# -- the schema ---------------------------------------------------------------------------


def _pattern(_: Any, pattern: str, value: Any, __: Any) -> Iterator[ValidationError]:
    # A pattern ends where the text ends: Python's ``$`` would let a line break through.
    if isinstance(value, str) and (value.endswith("\n") or not re.search(pattern, value)):
        yield ValidationError("pattern")


_Validator: Any = extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]


@cache
def _validator(kind: ItemKind, whole: bool) -> Any:
    document: Any = _inlined(dict(schema.document(kind.value)), ())
    if not whole:
        document = _of_part(document)
    return _Validator(document, registry=_registry(), format_checker=_FORMATS)


@cache
def _registry() -> Any:
    parts = dict(schema.document(schema.PARTS))
    return Registry().with_resource(parts["$id"], DRAFT202012.create_resource(parts))


def _inlined(node: Any, within: tuple[str, ...]) -> Any:
    """Put definitions in the place of references, as looking them up takes most of the time.

    A definition that refers to itself stays a reference.
    """
    if isinstance(node, list):
        return [_inlined(one, within) for one in node]
    if not isinstance(node, dict):
        return node
    reference = node.get("$ref")
    if reference is not None:
        name = reference.rpartition("/")[2]
        if name in within:
            return {"$ref": f"{schema.document(schema.PARTS)['$id']}#/$defs/{name}"}
        return _inlined(dict(schema.definition(reference)), (*within, name))
    return {name: _inlined(one, within) for name, one in node.items()}


def _of_part(document: dict[str, Any]) -> dict[str, Any]:
    """Take away what only a whole item must have, of the item and of the objects of its lists."""
    found = {name: value for name, value in document.items() if name not in _WHOLE}
    found["properties"] = {
        name: {**one, "items": {k: v for k, v in one["items"].items() if k != "required"}}
        if "properties" in one.get("items", {})
        else one
        for name, one in found["properties"].items()
    }
    return found


def _order(error: ValidationError) -> tuple[list[str], str]:
    return [str(part) for part in error.absolute_path], str(error.validator)


def _refusal(kind: ItemKind, error: ValidationError) -> Invalid:
    place = [str(part)[:60] for part in error.absolute_path]
    reasons = {
        "additionalProperties": "has a field that the schema does not know",
        "unevaluatedProperties": "has a field that the schema does not know",
        "required": f"lacks a field: {_missing(error)}",
        "anyOf": "names nothing of what it must name",
        "pattern": "is not written as it must be",
        "format": "is no such day or moment",
        "type": f"is no {error.validator_value}",
    }
    reason = reasons.get(str(error.validator), f"does not fit: {error.validator}")
    if error.validator == "additionalProperties" and isinstance(error.instance, Mapping):
        known = error.schema.get("properties", {}) if isinstance(error.schema, Mapping) else {}
        place.append(next((str(name)[:60] for name in error.instance if name not in known), ""))
    return Invalid("item_invalid", reason, path=".".join(place) or "body", kind=kind.value)


def _missing(error: ValidationError) -> str:
    if not isinstance(error.instance, Mapping) or error.validator != "required":
        return ""
    wanted: Any = error.validator_value
    return ", ".join(name for name in wanted if name not in error.instance)


# -- what a schema cannot say -------------------------------------------------------------


def _check_codes(kind: ItemKind, path: str, vocabulary: str, value: Any) -> None:
    for code in value if isinstance(value, list) else [value]:
        if not known(vocabulary, code):
            raise Invalid(
                "item_invalid",
                f"is no code of the list {vocabulary}",
                path=path,
                kind=kind.value,
            )


def known(vocabulary: str, code: str) -> bool:
    """Whether a vocabulary, a code list or one of the bodies of reference, has this code."""
    if vocabulary == "places":
        return places.place_known(code)
    if vocabulary == "countries":
        return countries.country_known(code)
    if vocabulary == "hs":
        return harmonised.is_known(code) is not None
    return code in code_list(vocabulary)


def _check_spans(item: Item) -> None:
    for start, end in _SPANS:
        since, until = item.body.get(start), item.body.get(end)
        if since and until and datetime.fromisoformat(since) > datetime.fromisoformat(until):
            raise Invalid("item_invalid", "ends before it begins", path=end, kind=item.kind.value)


def _check_links(item: Item, whole: bool) -> None:
    """A link joins what stands in the item; of a part, what may stand there."""
    for place, link in enumerate(item.body.get("links", ())):
        for name in ("from", "to"):
            end = link.get(name)
            if end is not None and not (_stands(item, end) if whole else _may_stand(item, end)):
                path = f"links.{place}.{name}"
                raise Invalid("item_invalid", "joins what the item does not name", path=path)
        _check_grades(link, f"links.{place}", whole)


def _check_grades(link: Mapping[str, Any], at: str, whole: bool) -> None:
    scale = link.get("scale")
    for name, of in (("source", "sources"), ("information", "information")):
        if name not in link or (scale is None and not whole):
            continue
        if scale is None or link[name] not in code_list(evaluation_list(Scale(scale), of)):
            raise Invalid("item_invalid", "not a grade of its scale", path=f"{at}.{name}")


def _may_stand(item: Item, end: str) -> bool:
    name, dot, _ = end.partition(".")
    return (name if dot else "containers") in schema.fields(item.kind)


def _stands(item: Item, end: str) -> bool:
    name, dot, place = end.partition(".")
    if dot:
        return int(place) < len(item.body.get(name, ()))
    return end in item.body.get("containers", ())


def _check_changes(item: Item, whole: bool) -> None:
    kind = item.body.get("about_kind")
    for place, change in enumerate(item.body.get("changes", ())):
        target = change.get("path")
        if kind is None or target is None:
            continue
        at = f"changes.{place}"
        field = schema.field_of(ItemKind(kind), target)
        if field is None or field.form == "list" or field.name.startswith(_BY_VERSION):
            raise Invalid("item_invalid", "not corrected by a path", path=f"{at}.path")
        if whole and field.personal and "value" in change and "category" not in change:
            raise Invalid("item_invalid", "a person has a category", path=f"{at}.category")
        if "value" in change:
            _check_value(ItemKind(kind), target, field, change["value"], f"{at}.value")


def _check_value(kind: ItemKind, target: str, field: schema.Field, value: Any, at: str) -> None:
    body: Iterable[ValidationError] = _validator(kind, whole=False).iter_errors(
        _alone(target, value)
    )
    if any(True for _ in body):
        raise Invalid("item_invalid", "is no value of the field it corrects", path=at)
    if field.vocabulary is not None:
        _check_codes(kind, at, field.vocabulary, value)


def _alone(target: str, value: Any) -> dict[str, Any]:
    name, dot, rest = target.partition(".")
    return {name: [{rest.partition(".")[2]: value}]} if dot else {name: value}
