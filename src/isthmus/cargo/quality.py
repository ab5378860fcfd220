"""Data-quality flags: values the trade lives with and the analyst must see."""

import re
import unicodedata
from functools import lru_cache
from importlib.resources import files

from isthmus.cargo.model import ContainerEvent, Flag, GoodsItem, Record
from isthmus.cargo.unit import Unit
from isthmus.reference import harmonised
from isthmus.reference.check_digits import (
    container_number_valid,
    container_shape_valid,
    imo_valid,
)
from isthmus.reference.codelist import code_list
from isthmus.reference.countries import country_known
from isthmus.reference.places import place
from isthmus.reference.size_types import size_type

_LINES = files("isthmus.cargo").joinpath("vague_descriptions.txt").read_text("utf-8").splitlines()
VAGUE = frozenset(line for line in _LINES if line and not line.startswith("#"))
_MARKS = re.compile(r"[\u0300-\u036f]")
_NOT_LETTERS = re.compile(r"[\W\d_]+")
# Gross mass may differ from the sum of its parts by this share before it is worth a flag.
WEIGHT_TOLERANCE = 0.10


@lru_cache(maxsize=65536)
def vague(description: str) -> bool:
    """Whether a goods description says nothing of the goods: no word of it does.

    Numbers say nothing either. A word in letters the list does not know is taken to say something.
    """
    plain = _MARKS.sub("", unicodedata.normalize("NFD", description.casefold()))
    return VAGUE.issuperset(_NOT_LETTERS.sub(" ", plain).split())


@lru_cache(maxsize=65536)
def _hs_known(hs: str) -> bool:
    return harmonised.is_known(hs) is not None


def of_record(record: Record) -> list[Flag]:
    """Return the flags of one record's codes and numbers."""
    flags: list[Flag] = []
    if isinstance(record, ContainerEvent):
        return _of_number(record.container, "container")
    for box in getattr(record, "containers", ()):
        flags += _of_number(box.number, "containers")
        if box.size_type and size_type(box.size_type) is None:
            flags.append(Flag("size_type_unknown", "size_type", box.size_type))
    for line in getattr(record, "goods", ()):
        flags += _of_line(line)
    ship = getattr(getattr(record, "manifest", record), "vessel_imo", None)
    if ship and not imo_valid(ship):
        flags.append(Flag("imo_check_digit", "vessel_imo", ship))
    for name in ("place_loading", "place_discharge", "place_delivery"):
        code = getattr(record, name, None)
        if code and place(code) is None:
            flags.append(Flag("place_unknown", name, code))
    return flags


def _of_number(number: str, field: str) -> list[Flag]:
    if container_number_valid(number):
        return []
    shaped = container_shape_valid(number)
    return [Flag("container_check_digit" if shaped else "container_shape", field, number)]


def _of_line(line: GoodsItem) -> list[Flag]:
    flags = []
    if line.hs and not _hs_known(line.hs):
        flags.append(Flag("hs_unknown", "hs", line.hs))
    elif line.hs and len(line.hs) < harmonised.Level.SUBHEADING:
        flags.append(Flag("hs_heading_only", "hs", line.hs))
    if line.origin and not country_known(line.origin):
        flags.append(Flag("country_unknown", "origin", line.origin))
    for package in line.packages:
        if package.kind and package.kind not in code_list("package_kinds"):
            flags.append(Flag("package_unknown", "package_kind", package.kind))
    return flags


def of_unit(unit: Unit) -> set[str]:
    """Return the flags that only the joined unit shows."""
    flags = set()
    if unit.description is None:
        if not unit.empty and unit.hs6 is None:
            flags.add("description_missing")
    elif any(vague(part) for part in unit.description.split(" | ")):
        flags.add("description_vague")
    if unit.gross_kg and unit.net_kg and unit.net_kg > unit.gross_kg:
        flags.add("weight_inconsistent")
    if unit.vgm_kg and unit.gross_kg and unit.tare_kg:
        expected = unit.gross_kg + unit.tare_kg
        if abs(unit.vgm_kg - expected) > WEIGHT_TOLERANCE * expected:
            flags.add("weight_inconsistent")
    if _over_limit(unit):
        flags.add("weight_over_limit")
    if unit.consignee_to_order:
        flags.add("party_to_order")
    if unit.kind == "container" and not unit.empty and unit.seal_count == 0 and unit.bill:
        flags.add("seal_missing")
    return flags


def _over_limit(unit: Unit) -> bool:
    """Whether a weight told of the box is more than its kind may weigh, box and cargo together.

    The limit is the rating of ISO 668 (``reference.size_types``).
    """
    decoded = size_type(unit.size_type) if unit.size_type else None
    if decoded is None or decoded.max_gross_kg is None:
        return False
    tare = unit.tare_kg or decoded.nominal_tare_kg or 0.0
    told = [
        unit.vgm_kg or 0.0,
        unit.weighed_kg or 0.0,
        unit.gross_kg + tare if unit.gross_kg else 0.0,
    ]
    return max(told) > decoded.max_gross_kg
