"""The goods items of a WCO declaration (class GovernmentAgencyGoodsItem)."""

import re
from decimal import Decimal

from isthmus.cargo.formats.wco_element import Element
from isthmus.cargo.model import Flag, GoodsItem, Packages
from isthmus.reference.check_digits import normalise_container

# UN/EDIFACT code list 7143 as WCO implementations use it: TSP the tariff code (eight digits of the
# Combined Nomenclature in Europe), TRC two digits that follow it (TARIC), TRA and GN additional
# codes that are no part of the heading, HS and SRZ the Harmonised System itself.
_TARIFF_KINDS = ("TSP", "HS", "SRZ", "")
_TARIFF_SUFFIX = "TRC"
_HS = re.compile(r"[0-9]{4,10}")
_SUFFIX = re.compile(r"[0-9]{2}")

# Duty tax fee types of customs duty: A00 of the European and British lists, CUD of UN/EDIFACT 5153.
# A fee without a type gives the rate of the duty too.
_CUSTOMS_DUTY = ("A00", "CUD", "")

_NON_PREFERENTIAL = "1"  # type of origin; 2 is preferential


def read_goods(root: Element) -> tuple[GoodsItem, ...]:
    """Read every goods item, in document order.

    Raises ``Invalid`` for an item without its sequence number, or two with the same.
    """
    equipment = {
        sequence: normalise_container(declared)
        for box in root.all("GoodsShipment/Consignment/TransportEquipment")
        if (sequence := box.count("SequenceNumeric")) and (declared := box.read("ID"))
    }
    items: dict[int, GoodsItem] = {}
    for node in root.all("GoodsShipment/GovernmentAgencyGoodsItem"):
        number = node.count("SequenceNumeric")
        if number is None:
            raise node.missing("SequenceNumeric")
        if number in items:
            raise node.fault("duplicate_identity", f"has the sequence number {number} once more")
        items[number] = _item(node, number, equipment)
    return tuple(items.values())


def _item(node: Element, number: int, equipment: dict[int, str]) -> GoodsItem:
    description = next(iter(node.all("Commodity/Description")), None)
    fees = node.all("Commodity/DutyTaxFee")
    return GoodsItem(
        number=number,
        description=description.value() if description is not None else None,
        language=description.attributes.get("languageID") if description is not None else None,
        hs=_hs(node),
        gross_kg=node.mass("Commodity/GoodsMeasure/GrossMassMeasure"),
        net_kg=(
            node.mass("Commodity/GoodsMeasure/NetNetWeightMeasure")
            if node.all("Commodity/GoodsMeasure/NetNetWeightMeasure")
            else node.mass("Commodity/GoodsMeasure/NetWeightMeasure")
        ),
        packages=_packages(node),
        marks=_marks(node),
        un_number=node.code("Commodity/DangerousGoods/UNDGID"),
        price=node.money("Commodity/InvoiceLine/ItemChargeAmount"),
        customs_value=node.money("CustomsValueAmount"),
        origin=_origin(node),
        procedure=_procedure(node),
        duty_rate=_duty_rate(fees),
        duty_regime=next((code for fee in fees if (code := fee.code("DutyRegimeCode"))), None),
        containers=_containers(node, equipment),
    )


def _hs(node: Element) -> str | None:
    by_kind: dict[str, Element] = {}
    for found in node.all("Commodity/Classification"):
        by_kind.setdefault((_peek(found, "IdentificationTypeCode") or "").upper(), found)
    kind = next((kind for kind in _TARIFF_KINDS if kind in by_kind), None)
    if kind is None:
        return None
    digits = _digits(by_kind[kind])
    suffix = by_kind.get(_TARIFF_SUFFIX)
    if digits is not None and len(digits) == 8 and suffix is not None:
        more = _digits(suffix, _SUFFIX)
        return digits + (more or "")
    return digits


def _digits(classification: Element, pattern: re.Pattern[str] = _HS) -> str | None:
    classification.read("IdentificationTypeCode")
    code = classification.one("ID")
    text = code.value() if code is not None else None
    if code is None or text is None:
        return None
    digits = text.replace(".", "").replace(" ", "")  # 8510.10 00 is how tariffs print a heading
    if not pattern.fullmatch(digits):
        raise code.fault("value_impossible", "is not a tariff code in digits")
    return digits


def _peek(node: Element, name: str) -> str | None:
    """A child's text without marking it as used."""
    found = node.one(name)
    return (found.text.strip() or None) if found is not None else None


def _packages(node: Element) -> tuple[Packages, ...]:
    packages: list[Packages] = []
    for found in node.all("Packaging"):
        count = found.count("QuantityQuantity")
        if count is not None:
            packages.append(Packages(count, found.code("TypeCode")))
    return tuple(packages)


def _marks(node: Element) -> str | None:
    marks = [mark for found in node.all("Packaging/MarksNumbersID") if (mark := found.value())]
    return "; ".join(dict.fromkeys(marks)) or None


def _origin(node: Element) -> str | None:
    origins = node.all("Origin")
    chosen = next(
        (one for one in origins if _peek(one, "TypeCode") == _NON_PREFERENTIAL),
        origins[0] if origins else None,
    )
    return chosen.code("CountryCode") if chosen is not None else None


def _procedure(node: Element) -> str | None:
    """Requested and previous procedure together, such as 4000; additional ones stay beside it."""
    procedures = node.all("GovernmentProcedure")
    chosen = next(
        (one for one in procedures if _peek(one, "PreviousCode")),
        procedures[0] if procedures else None,
    )
    if chosen is None:
        return None
    return f"{chosen.code('CurrentCode') or ''}{chosen.code('PreviousCode') or ''}" or None


def _duty_rate(fees: list[Element]) -> Decimal | None:
    for fee in fees:
        rate = fee.one("TaxRateNumeric")
        if rate is not None and (_peek(fee, "TypeCode") or "").upper() in _CUSTOMS_DUTY:
            return rate.number()
    return None


def _containers(node: Element, equipment: dict[int, str]) -> tuple[str, ...]:
    numbers: list[str] = []
    for found in node.all("Commodity/TransportEquipment") + node.all("TransportEquipment"):
        sequence, number = found.count("SequenceNumeric"), found.read("ID")
        named = normalise_container(number) if number else equipment.get(sequence or 0)
        if named is not None and sequence != 0:
            numbers.append(named)
    return tuple(dict.fromkeys(numbers))


def goods_flags(goods: tuple[GoodsItem, ...]) -> list[Flag]:
    """What an analyst should see of items that are possible and odd all the same."""
    return [
        Flag(
            "weight_inconsistent",
            f"goods {item.number} net_kg",
            f"{item.net_kg} of {item.gross_kg}",
        )
        for item in goods
        if item.net_kg is not None and item.gross_kg is not None and item.net_kg > item.gross_kg
    ]
