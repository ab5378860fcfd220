"""The unit of the queue: one consignment in its container, seen flat.

A unit is what an officer opens or lets go: container × house (or master) bill, with the
declaration joined when there is one. A declaration whose container is unknown is a unit by itself.
The flat row is derived from the newest versions of the records behind it and is what rules and
features read; the records themselves stay in ``record`` in every version.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated


class UnitState(StrEnum):
    """Where a unit stands as a thing that can still be picked."""

    OPEN = "open"
    SUPERSEDED = "superseded"  # another unit says more: a house bill, a container now known
    CANCELLED = "cancelled"  # its bill or declaration was cancelled
    CLOSED = "closed"  # it has left


STANDING = (UnitState.OPEN, UnitState.CLOSED)  # what records speak for


@dataclass(slots=True, kw_only=True)
class Unit:
    """One unit, flat. Masses in kilograms, money in the declared currency, moments in UTC.

    The text beside each field is its meaning; rule authors see it, so it is written for them.
    """

    id: str
    kind: Annotated[str, "container or declaration: what the unit hangs on"]
    state: str = UnitState.OPEN
    superseded_by: str | None = None
    version: int = 1
    container: Annotated[str | None, "container number, ISO 6346"] = None
    bill: Annotated[str | None, "house bill, or master bill where there is no house bill"] = None
    master_bill: str | None = None
    consignment_key: str | None = None
    declaration_key: str | None = None
    regime: Annotated[str, "movement regime (code list regimes)"] = "unknown"
    office: Annotated[str | None, "customs office answerable for it"] = None
    direction: Annotated[str | None, "arrival or departure, from the manifest"] = None
    mode: Annotated[str | None, "transport mode, UN/ECE Recommendation 19"] = None
    carrier: Annotated[str | None, "carrier code as declared"] = None
    vessel_imo: Annotated[str | None, "IMO number of the ship"] = None
    voyage: Annotated[str | None, "voyage number"] = None
    place_origin: Annotated[str | None, "place of receipt, UN/LOCODE"] = None
    place_loading: Annotated[str | None, "port of loading, UN/LOCODE"] = None
    place_transhipment: Annotated[str | None, "port of transhipment, UN/LOCODE"] = None
    place_discharge: Annotated[str | None, "port of discharge, UN/LOCODE"] = None
    place_delivery: Annotated[str | None, "place of delivery, UN/LOCODE"] = None
    terminal: Annotated[str | None, "terminal where the box stands or is expected"] = None
    origin_country: Annotated[str | None, "country of origin of the goods"] = None
    dispatch_country: Annotated[str | None, "country of dispatch"] = None
    destination_country: Annotated[str | None, "country of destination"] = None
    size_type: Annotated[str | None, "ISO 6346 size-type code"] = None
    reefer: Annotated[bool | None, "refrigerated equipment, by its size-type"] = None
    reefer_operating: Annotated[bool | None, "a set point was declared for the reefer"] = None
    empty: Annotated[bool | None, "declared or reported empty"] = None
    hs6: Annotated[str | None, "HS subheading of the heaviest goods line"] = None
    hs4: Annotated[str | None, "its heading"] = None
    hs2: Annotated[str | None, "its chapter"] = None
    goods_lines: Annotated[int, "number of goods lines"] = 0
    description: Annotated[str | None, "goods descriptions joined, at most 500 characters"] = None
    package_count: Annotated[int | None, "packages declared"] = None
    package_kind: Annotated[str | None, "kind of package, UN/ECE Recommendation 21"] = None
    gross_kg: Annotated[float | None, "gross mass declared"] = None
    net_kg: Annotated[float | None, "net mass declared"] = None
    vgm_kg: Annotated[float | None, "verified gross mass, box and cargo"] = None
    tare_kg: Annotated[float | None, "tare declared"] = None
    weighed_kg: Annotated[float | None, "last weight measured at a terminal"] = None
    value: Annotated[float | None, "value declared, in the declared currency"] = None
    currency: Annotated[str | None, "currency of the value"] = None
    duty_rate: Annotated[float | None, "duty or tax rate of the heaviest line, per cent"] = None
    duty_regime: Annotated[str | None, "tariff regime or tax type of that line"] = None
    payment: Annotated[str | None, "method of payment as declared"] = None
    procedure: Annotated[str | None, "customs procedure as declared"] = None
    type_code: Annotated[str | None, "declaration type as declared"] = None
    freight: Annotated[float | None, "freight charge"] = None
    shipper_ref: Annotated[str | None, "shipper: identifier, else a keyed hash of its name"] = None
    consignee_ref: Annotated[str | None, "consignee, in the same way"] = None
    notify_ref: Annotated[str | None, "notify party, in the same way"] = None
    declarant_ref: Annotated[str | None, "declarant, in the same way"] = None
    seller_ref: Annotated[str | None, "seller or exporter of a declaration, in the same way"] = None
    consignee_to_order: Annotated[bool, "consigned to order"] = False
    consignee_is_forwarder: Annotated[bool, "the consignee is also the forwarder or agent"] = False
    seal_count: Annotated[int, "seals declared"] = 0
    seal_changes: Annotated[int, "seals changed or removed between events"] = 0
    seal_unexplained: Annotated[int, "seal changes without customs or inspection on record"] = 0
    yard_moves: Annotated[int, "yard moves reported"] = 0
    release_transfers: Annotated[int, "transfers of the release right"] = 0
    release_lookups: Annotated[int, "look-ups of the release right"] = 0
    scans: Annotated[int, "scans reported"] = 0
    two_places: Annotated[bool, "the number was reported at two places at once"] = False
    amendments: Annotated[int, "later versions of its bill or declaration"] = 0
    consignee_changes: Annotated[int, "times the consignee changed between versions"] = 0
    last_amendment_hours: Annotated[
        float | None, "hours from the last amendment to arrival; small is late"
    ] = None
    documents: Annotated[int, "documents that speak of it"] = 1
    pre_lodged: Annotated[bool, "declared before arrival"] = False
    supplementary: Annotated[bool, "supplementary declaration: post-release audit"] = False
    flags: Annotated[tuple[str, ...], "data-quality flags (code list quality_flags)"] = ()
    extra: Annotated[tuple[tuple[str, str], ...], "declared fields with no home above"] = ()
    lodged_at: Annotated[datetime | None, "when the authority was told"] = None
    arrival_at: Annotated[datetime | None, "arrival, actual or expected"] = None
    departure_at: Annotated[datetime | None, "departure, actual or expected"] = None
    cutoff_at: Annotated[datetime | None, "closing of loading"] = None
    deadline_at: Annotated[datetime | None, "until when it can still be picked"] = None
    gate_out_at: Annotated[datetime | None, "left the terminal"] = None
    created_at: Annotated[datetime | None, "when the node first knew it"] = None
    changed_at: Annotated[datetime | None, "when its row last changed"] = None
