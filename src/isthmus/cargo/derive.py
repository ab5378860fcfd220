"""From records to the flat unit: pure, and the same whatever order the records came in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any, Generic, TypeVar

from isthmus.cargo import quality, route, seals, visits
from isthmus.cargo.model import (
    Consignment,
    Container,
    ContainerEvent,
    Declaration,
    GoodsItem,
    Manifest,
    Party,
    PartyRole,
)
from isthmus.cargo.parties import (
    CONSIGNEE,
    DECLARANT,
    FORWARDER,
    NOTIFY,
    SELLER,
    SHIPPER,
    first,
    reference,
    to_order,
)
from isthmus.cargo.route import pick
from isthmus.cargo.unit import Unit, UnitState
from isthmus.platform.keys import KeyRing
from isthmus.reference.size_types import size_type as decode_size_type

T = TypeVar("T")
R = TypeVar("R", Consignment, Declaration)

DESCRIPTION = 500


@dataclass(frozen=True, slots=True)
class Home:
    """What the node is: its country decides regimes, its default office takes the unassigned."""

    country: str
    default_office: str | None = None


@dataclass(frozen=True, slots=True)
class Known(Generic[R]):
    """A record's newest version with what the earlier ones tell."""

    key: str
    record: R
    versions: int
    received_at: datetime  # of the newest version
    first_received_at: datetime
    consignees: tuple[str, ...] = ()  # references, version by version, where one was declared
    documents: frozenset[str] = frozenset()
    flags: tuple[str, ...] = ()
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of one unit."""

    consignments: Sequence[Known[Consignment]] = ()  # arrival and departure reports of one bill
    declaration: Known[Declaration] | None = None
    events: Sequence[ContainerEvent] = ()


def derive(unit: Unit, facts: Facts, home: Home, keys: KeyRing) -> Unit:
    """Return the unit as the facts have it. Identity, version and moments of change are kept."""
    reports = [known for known in facts.consignments if not known.cancelled]
    reports.sort(key=lambda known: (_head(known).direction != "departure", known.key))
    consignments = [known.record for known in reports]
    declared = facts.declaration
    declaration = declared.record if declared and not declared.cancelled else None
    box = _container(unit.container, consignments, declaration)
    made = Unit(id=unit.id, kind=unit.kind, version=unit.version)
    made.container, made.bill = unit.container, unit.bill
    made.created_at, made.changed_at = unit.created_at, unit.changed_at
    made.consignment_key = reports[0].key if reports else None
    made.declaration_key = unit.declaration_key
    route.take(made, consignments, declaration, facts.events)
    _equipment(made, box, facts.events)
    _goods(made, box, consignments, declaration)
    _parties(made, consignments, declaration, keys)
    _declared(made, declaration)
    _history(made, facts)
    _events(made, box, facts.events)
    made.regime = route.regime(made, consignments, declaration, home.country)
    made.office = route.office(made, consignments, declaration, home.country) or home.default_office
    made.deadline_at = route.deadline(made, facts.events)
    flags = {flag for known in _all(facts) for flag in known.flags}
    made.flags = tuple(sorted(flags | quality.of_unit(made)))
    # Goods already released are audited afterwards: their leaving does not close the unit.
    gone = made.gate_out_at is not None and not made.supplementary
    made.state = UnitState.CLOSED if gone else UnitState.OPEN
    return made


def _head(known: Known[Consignment]) -> Manifest:
    return known.record.manifest


def _all(facts: Facts) -> list[Known[Any]]:
    return [*facts.consignments, *([facts.declaration] if facts.declaration else [])]


def _container(
    number: str | None, consignments: list[Consignment], declaration: Declaration | None
) -> Container | None:
    """Merge what the reports say of one box: the first to say a thing is believed."""
    boxes = [box for consignment in consignments for box in consignment.containers]
    boxes += declaration.containers if declaration else ()
    found = [box for box in boxes if box.number == number]
    if not found:
        return None
    merged = found[0]
    for box in found[1:]:
        merged = Container(
            number=merged.number,
            size_type=pick(merged.size_type, box.size_type),
            empty=pick(merged.empty, box.empty),
            gross_kg=pick(merged.gross_kg, box.gross_kg),
            tare_kg=pick(merged.tare_kg, box.tare_kg),
            vgm_kg=pick(merged.vgm_kg, box.vgm_kg),
            temperature_c=pick(merged.temperature_c, box.temperature_c),
            seals=merged.seals or box.seals,
        )
    return merged


def _equipment(made: Unit, box: Container | None, events: Sequence[ContainerEvent]) -> None:
    told = [event.empty for event in events if event.empty is not None and not event.planned]
    made.empty = told[-1] if told else (box.empty if box else None)
    if box is None:
        return
    made.size_type = box.size_type
    made.tare_kg = _float(box.tare_kg)
    made.vgm_kg = _float(box.vgm_kg)
    decoded = decode_size_type(box.size_type) if box.size_type else None
    made.reefer = decoded.reefer if decoded else None
    if made.reefer:
        made.reefer_operating = box.temperature_c is not None


def _goods(
    made: Unit,
    box: Container | None,
    consignments: list[Consignment],
    declaration: Declaration | None,
) -> None:
    lines = _lines(made.container, consignments, declaration)
    made.goods_lines = len(lines)
    made.gross_kg = _total([line.gross_kg for line in lines])
    if made.gross_kg is None and declaration:
        made.gross_kg = _float(declaration.gross_kg)
    if box is not None and box.gross_kg is not None:
        # Where a bill covers several boxes, the weight declared for this one is the better.
        made.gross_kg = float(box.gross_kg)
    if not lines:
        return
    heaviest = max(
        lines, key=lambda line: (line.gross_kg or line.net_kg or Decimal(0), -line.number)
    )
    if heaviest.hs:
        made.hs6 = heaviest.hs[:6] if len(heaviest.hs) >= 6 else None
        made.hs4, made.hs2 = heaviest.hs[:4], heaviest.hs[:2]
    texts = dict.fromkeys(line.description.strip() for line in lines if line.description)
    made.description = " | ".join(texts)[:DESCRIPTION] or None
    packages = [package for line in lines for package in line.packages]
    made.package_count = sum(package.count for package in packages) if packages else None
    if made.package_count is None and declaration:
        made.package_count = declaration.packages
    made.package_kind = next((package.kind for package in packages if package.kind), None)
    made.net_kg = _total([line.net_kg for line in lines])
    made.origin_country = next((line.origin for line in lines if line.origin), None)
    made.duty_rate = _float(heaviest.duty_rate)
    made.duty_regime = heaviest.duty_regime
    made.procedure = heaviest.procedure
    moneys = [money for line in lines if (money := line.price or line.customs_value)]
    currencies = {money.currency for money in moneys}
    if len(currencies) == 1:
        made.value = float(sum((money.amount for money in moneys), Decimal(0)))
        made.currency = currencies.pop()
    elif declaration and declaration.invoice:
        made.value = float(declaration.invoice.amount)
        made.currency = declaration.invoice.currency


def _lines(
    container: str | None, consignments: list[Consignment], declaration: Declaration | None
) -> list[GoodsItem]:
    """Return the goods lines of this box: the declaration's where there is one, else the bill's."""
    sources = [declaration.goods] if declaration else []
    for goods in [*sources, *(consignment.goods for consignment in consignments)]:
        lines = [
            line
            for line in goods
            if container is None or not line.containers or container in line.containers
        ]
        if lines:
            return lines
    return []


def _parties(
    made: Unit,
    consignments: list[Consignment],
    declaration: Declaration | None,
    keys: KeyRing,
) -> None:
    parties: list[Party] = [party for c in consignments for party in c.parties]
    parties += declaration.parties if declaration else ()

    if not parties:
        return
    by_role: dict[PartyRole, str | None] = {}
    for party in reversed(parties):  # the first of a role stands
        by_role[party.role] = reference(keys, party)

    def ref(roles: tuple[PartyRole, ...]) -> str | None:
        return next((by_role[role] for role in roles if role in by_role), None)

    made.shipper_ref, made.consignee_ref = ref(SHIPPER), ref(CONSIGNEE)
    made.notify_ref, made.declarant_ref = ref(NOTIFY), ref(DECLARANT)
    made.seller_ref = ref(SELLER)
    made.consignee_to_order = to_order(first(parties, CONSIGNEE))
    forwarders = {reference(keys, party) for party in parties if party.role in FORWARDER}
    made.consignee_is_forwarder = (
        made.consignee_ref is not None and made.consignee_ref in forwarders
    )


def _declared(made: Unit, declaration: Declaration | None) -> None:
    if declaration is None:
        return
    made.type_code = declaration.type_code
    made.payment = declaration.payment
    made.procedure = pick(declaration.procedure, made.procedure)
    made.dispatch_country = declaration.dispatch_country
    made.destination_country = declaration.destination_country
    made.freight = _float(declaration.freight.amount) if declaration.freight else made.freight
    made.pre_lodged, made.supplementary = declaration.pre_lodged, declaration.supplementary
    made.extra = declaration.extra


def _history(made: Unit, facts: Facts) -> None:
    known = _all(facts)
    made.documents = len(frozenset().union(*(entry.documents for entry in known)))
    made.amendments = sum(entry.versions - 1 for entry in known)
    made.consignee_changes = sum(
        one != other for entry in known for one, other in pairwise(entry.consignees)
    )
    amended = [entry.received_at for entry in known if entry.versions > 1]
    if amended and made.arrival_at:
        made.last_amendment_hours = (made.arrival_at - max(amended)).total_seconds() / 3600


def _events(made: Unit, box: Container | None, events: Sequence[ContainerEvent]) -> None:
    made.seal_count = len(box.seals) if box else 0
    if not events:
        return
    actual = [event for event in events if not event.planned]
    codes = [event.code.rsplit(":", 1)[-1] for event in actual]
    made.yard_moves = codes.count("yard_move")
    made.release_transfers = codes.count("release_right_transfer")
    made.release_lookups = codes.count("release_right_lookup")
    made.scans = codes.count("scan")
    weights = [event.weight_kg for event in actual if event.weight_kg is not None]
    made.weighed_kg = _float(weights[-1]) if weights else None
    made.seal_changes, made.seal_unexplained = seals.changes(box.seals if box else (), actual)
    made.two_places = seals.two_places(actual)
    made.gate_out_at = visits.left_at(events)


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _total(values: list[Decimal | None]) -> float | None:
    given = [value for value in values if value is not None]
    return float(sum(given, Decimal(0))) if given else None
