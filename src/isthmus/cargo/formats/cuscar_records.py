"""From the fields of a cargo report to the records of the trade."""

from collections.abc import Sequence
from dataclasses import replace

from isthmus.cargo.formats.cuscar_draft import Draft
from isthmus.cargo.formats.cuscar_profile import Profile
from isthmus.cargo.model import (
    Consignment,
    Container,
    Function,
    GoodsItem,
    Manifest,
    Party,
    Regime,
)


def manifest(head: Draft) -> Manifest | None:
    """Make the head of a cargo report; None when it has no reference or an unknown function."""
    reference = head.get("reference")
    if reference is None or (head.fault is not None and head.fault.field == "BGM function"):
        return None
    return Manifest(
        reference=reference,
        function=Function(head.get("function") or Function.ORIGINAL),
        carrier=head.get("carrier"),
        vessel_imo=head.get("vessel_imo"),
        vessel_name=head.get("vessel_name"),
        call_sign=head.get("call_sign"),
        voyage=head.get("voyage"),
        mode=head.get("mode"),
        direction=head.get("direction"),
        port=head.get("port"),
        arrival_at=head.get("arrival_at"),
        departure_at=head.get("departure_at"),
        issued_at=head.get("issued_at"),
        cutoff_at=head.get("cutoff_at"),
    )


def container(box: Draft) -> Container:
    """Make the container of an equipment group."""
    return Container(
        number=box.get("number"),
        size_type=box.get("size_type"),
        empty=box.get("empty"),
        gross_kg=box.get("gross_kg"),
        tare_kg=box.get("tare_kg"),
        vgm_kg=box.get("vgm_kg"),
        temperature_c=box.get("temperature_c"),
        seals=tuple(box.get("seals") or ()),
    )


def goods_item(line: Draft, order: int) -> GoodsItem:
    """Make the line of goods of a GID group; its order stands in where it has no number."""
    number = line.get("number")
    return GoodsItem(
        number=order if number is None else number,
        description=line.get("description"),
        language=line.get("language"),
        hs=line.get("hs"),
        gross_kg=line.get("gross_kg"),
        net_kg=line.get("net_kg"),
        packages=tuple(line.get("packages") or ()),
        marks=line.get("marks"),
        un_number=line.get("un_number"),
        price=line.get("price"),
        customs_value=line.get("customs_value"),
        origin=line.get("origin"),
        containers=tuple(dict.fromkeys(line.get("containers") or ())),
    )


def named_bill(parcel: Draft) -> str | None:
    """The number of the transport document itself: house, else bill, else what CNI says."""
    for name in ("house", "bill", "number", "master"):
        number = parcel.get(name)
        if number is not None:
            return str(number)
    return None


def master_bill(parcel: Draft, profile: Profile) -> str | None:
    """The number of the document above it, where the message tells one."""
    own = named_bill(parcel)
    above = [parcel.get("master")]
    if parcel.get("house"):
        above += [parcel.get("bill"), parcel.get("number")]
    elif parcel.get("bill") and profile.number_is_master:
        above.append(parcel.get("number"))
    return next((number for number in above if number is not None and number != own), None)


def consignment(
    profile: Profile,
    head: Manifest,
    *,
    bill: str,
    parcel: Draft,
    lines: Sequence[tuple[GoodsItem, Draft]],
    boxes: Sequence[tuple[Container, Draft | None]],
    report: Draft,
) -> Consignment:
    """Make a consignment of its own fields, its lines of goods and its containers.

    ``report`` is the head's draft, for the nature of the movement that it declares for all.
    """
    degrees = {n: d.get("temperature_c") for line, d in lines for n in line.containers}
    containers = tuple(
        replace(box, temperature_c=degrees[box.number])
        if box.temperature_c is None and degrees.get(box.number) is not None
        else box
        for box, _ in boxes
    )
    places = {
        name: parcel.get(f"place_{name}")
        for name in ("origin", "loading", "transhipment", "discharge", "delivery")
    }
    declared = parcel.get("regime") or next(
        (n for _, d in boxes if d and (n := d.get("regime"))), None
    )
    return Consignment(
        manifest=head,
        bill=bill,
        master_bill=master_bill(parcel, profile),
        function=Function(parcel.get("function") or head.function),
        regime=_regime(
            profile,
            head,
            declared=declared,
            places=places,
            containers=containers,
            report=report.get("regime"),
        ),
        place_origin=places["origin"],
        place_loading=places["loading"],
        place_transhipment=places["transhipment"],
        place_discharge=places["discharge"],
        place_delivery=places["delivery"],
        parties=_reachable(parcel),
        goods=tuple(line for line, _ in lines),
        containers=containers,
        freight=parcel.get("freight"),
    )


def _reachable(parcel: Draft) -> tuple[Party, ...]:
    """The parties of a consignment with the contacts that follow each."""
    return tuple(
        replace(party, contact=tuple(contacts)) if contacts else party
        for party, contacts in parcel.get("parties") or ()
    )


def _regime(
    profile: Profile,
    head: Manifest,
    *,
    declared: str | None,
    places: dict[str, str | None],
    containers: tuple[Container, ...],
    report: str | None,
) -> Regime:
    """Decide the regime in the order that the profile states."""
    if containers and all(box.empty for box in containers):
        return Regime.EMPTY
    if declared:
        return Regime(declared)
    if head.port:
        here = head.port[:2]
        seen = {name: place[:2] == here for name, place in places.items() if place}
        for rule in profile.regimes:
            if all(seen.get(name) is wanted for name, wanted in rule.when.items()):
                return rule.regime
    return Regime(report) if report else Regime.UNKNOWN
