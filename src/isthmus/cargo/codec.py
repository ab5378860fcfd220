"""Records of the trade as plain values, and back: the form in which they are kept and sent.

A plain record is a dictionary of text, whole numbers, truth values, lists and dictionaries under
the field names of ``model.py``, ready for JSON. Nothing is lost: ``from_plain`` of ``to_plain``
is the same record. What is unknown (``None``) or empty is left out; decimals are text, so that no
system in between rounds them; moments are ISO 8601 in UTC.

The coders are put together once, from the types of the records, so a new field of a record needs
no change here.
"""

import dataclasses
import types
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from operator import attrgetter
from typing import Any, Union, get_args, get_origin, get_type_hints

from isthmus.cargo.model import Consignment, ContainerEvent, Declaration, Manifest, Record
from isthmus.kernel.errors import Invalid
from isthmus.kernel.time import isoformat

KINDS: Mapping[str, type[Record]] = types.MappingProxyType(
    {
        "consignment": Consignment,
        "manifest": Manifest,
        "declaration": Declaration,
        "event": ContainerEvent,
    }
)
"""The kinds of record by the name under which they are kept."""

_NAMES: dict[type[Any], str] = {record: name for name, record in KINDS.items()}

# Thirty digits is what a declared number may have (``kernel.money.decimal``); one that needs more
# when written out, such as 1E+400, is written with its exponent instead of a page of zeros.
_LONGEST_NUMBER = 30

Convert = Callable[[Any], Any]


def kind_of(record: Record) -> str:
    """The name of this record's kind: consignment, manifest, declaration or event."""
    return _NAMES[type(record)]


def to_plain(record: Record) -> dict[str, Any]:
    """The record as plain values; ``None`` and empty lists are left out."""
    plain: dict[str, Any] = _ENCODERS[type(record)](record)
    return plain


def from_plain(kind: str, plain: Mapping[str, Any]) -> Record:
    """The record of this kind that was written as these plain values.

    Raises Invalid when the kind is not one of ``KINDS``, or when the values are not what
    ``to_plain`` writes for it (a field is missing, unknown, or of another type).
    """
    decode = _DECODERS.get(kind)
    if decode is None:
        raise Invalid("cargo.kind_unknown", "No kind of record of this name", kind=kind)
    try:
        record: Record = decode(plain)
    except (TypeError, ValueError, AttributeError, InvalidOperation) as fault:
        raise Invalid("cargo.plain_unreadable", f"Not a plain {kind}: {fault}", kind=kind) from None
    return record


def without_parties(record: Record) -> Record:
    """The record without what it says of people: its parties, or the user of a port system.

    What is left may be shown and reckoned with where no purpose opens a person's data.
    """
    if isinstance(record, Consignment | Declaration):
        return dataclasses.replace(record, parties=()) if record.parties else record
    if isinstance(record, ContainerEvent):
        return dataclasses.replace(record, user=None) if record.user is not None else record
    return record


def write_decimal(number: Decimal) -> str:
    """A finite decimal as text: written out (``1200``, not ``1.2E+3``) up to thirty digits."""
    text = str(number)
    if "E" in text and abs(number.adjusted()) < _LONGEST_NUMBER:
        return format(number, "f")
    return text


def _write_moment(moment: datetime) -> str:
    if moment.tzinfo is UTC:
        return moment.isoformat().replace("+00:00", "Z")
    return isoformat(moment)


def _encoder(record_type: Any) -> Convert:
    hints = get_type_hints(record_type)
    names = tuple(field.name for field in dataclasses.fields(record_type))
    values_of = attrgetter(*names)
    steps = tuple((name, _encode_of(hints[name])) for name in names)

    def encode(record: Any) -> dict[str, Any]:
        plain = {}
        for (name, convert), value in zip(steps, values_of(record), strict=True):
            if value is None or value == ():
                continue
            plain[name] = value if convert is None else convert(value)
        return plain

    return encode


def _decoder(record_type: Any) -> Convert:
    hints = get_type_hints(record_type)
    steps = {field.name: _decode_of(hints[field.name]) for field in dataclasses.fields(record_type)}

    def decode(plain: Mapping[str, Any]) -> Any:
        values = {}
        for name, value in plain.items():
            convert = steps.get(name, _unknown_field)
            try:
                values[name] = convert(value)
            except (TypeError, ValueError, AttributeError, InvalidOperation) as fault:
                raise ValueError(f"{name}: {fault}") from None
        return record_type(**values)

    return decode


def _unknown_field(_value: Any) -> Any:
    raise ValueError("no such field")


def _encode_of(hint: Any) -> Convert | None:
    """How a value of this type is written; None when it is plain already."""
    hint = _present(hint)
    if hint is Decimal:
        return write_decimal
    if hint is datetime:
        return _write_moment
    if get_origin(hint) is tuple:
        item = get_args(hint)[0]
        if item is str:
            return list
        each = list if get_origin(item) is tuple else _encoder(item)
        return lambda values: [each(value) for value in values]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return attrgetter("value")
    return _encoder(hint) if dataclasses.is_dataclass(hint) else None


def _decode_of(hint: Any) -> Convert:
    """How a value of this type is read back and checked."""
    hint = _present(hint)
    if hint is Decimal:
        return lambda text: Decimal(_checked(text, str))
    if hint is datetime:
        return _read_moment
    if get_origin(hint) is tuple:
        item = get_args(hint)[0]
        each = _read_pair if get_origin(item) is tuple else _decode_of(item)
        return lambda values: tuple([each(value) for value in _checked(values, list)])
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint
    if dataclasses.is_dataclass(hint):
        return _decoder(hint)
    return lambda value: _checked(value, hint)


def _present(hint: Any) -> Any:
    """The type of a field when it is there: ``str`` for ``str | None``."""
    if get_origin(hint) in (types.UnionType, Union):
        (hint,) = (part for part in get_args(hint) if part is not types.NoneType)
    return hint


def _checked(value: Any, expected: type[Any]) -> Any:
    if type(value) is not expected:
        raise TypeError(f"{type(value).__name__} stands where {expected.__name__} belongs")
    return value


def _read_pair(value: Any) -> tuple[str, str]:
    name, text = _checked(value, list)
    return _checked(name, str), _checked(text, str)


def _read_moment(text: Any) -> datetime:
    moment = datetime.fromisoformat(_checked(text, str))
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} does not say its zone")
    return moment.astimezone(UTC)


_ENCODERS: dict[type[Any], Convert] = {record: _encoder(record) for record in KINDS.values()}
_DECODERS: dict[str, Convert] = {name: _decoder(record) for name, record in KINDS.items()}
