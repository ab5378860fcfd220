"""Where a unit comes from and goes to, by which ship, under which regime, and until when: pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from isthmus.cargo import visits
from isthmus.cargo.model import Consignment, ContainerEvent, Declaration, Regime
from isthmus.cargo.unit import Unit
from isthmus.reference.offices import office_for

T = TypeVar("T")

# Closing of loading where the manifest reports only the departure: our default, six hours before.
LOADING_CLOSES = timedelta(hours=6)
LEAVING = (Regime.TRANSHIPMENT, Regime.EXPORT, Regime.TRANSIT, Regime.COASTAL)
# What a consignment, and its manifest, says under the name that the unit has for it.
ROUTE = (
    "master_bill",
    "place_origin",
    "place_loading",
    "place_transhipment",
    "place_discharge",
    "place_delivery",
)
CONVEYANCE = ("carrier", "vessel_imo", "voyage", "direction", "mode")


def pick(*values: T | None) -> T | None:
    """Return the first value that is known."""
    return next((value for value in values if value is not None), None)


def take(
    made: Unit,
    consignments: list[Consignment],
    declaration: Declaration | None,
    events: Sequence[ContainerEvent],
) -> None:
    """Enter the route and conveyance: reports before declarations, what happened before both."""
    if consignments:
        _reported_route(made, consignments)
    if declaration:
        made.place_loading = pick(made.place_loading, declaration.place_loading)
        made.place_discharge = pick(made.place_discharge, declaration.place_discharge)
        made.vessel_imo = pick(made.vessel_imo, declaration.vessel_imo)
        made.mode = pick(made.mode, declaration.mode)
        lodged = pick(declaration.lodged_at, declaration.accepted_at)
        made.lodged_at = pick(lodged, made.lodged_at)
    made.lodged_at = pick(made.lodged_at, made.created_at)
    if events:
        _told_route(made, events)


def _reported_route(made: Unit, consignments: list[Consignment]) -> None:
    for name in ROUTE:
        setattr(made, name, pick(*(getattr(one, name) for one in consignments)))
    freight = pick(*(one.freight for one in consignments))
    made.freight = float(freight.amount) if freight else None
    manifests = [consignment.manifest for consignment in consignments]
    for name in CONVEYANCE:
        setattr(made, name, pick(*(getattr(one, name) for one in manifests)))
    made.arrival_at = min(
        (m.arrival_at for m in manifests if m.direction != "departure" and m.arrival_at),
        default=None,
    )
    made.departure_at = min(
        (m.departure_at for m in manifests if m.direction != "arrival" and m.departure_at),
        default=None,
    )
    made.cutoff_at = min((m.cutoff_at for m in manifests if m.cutoff_at), default=None)
    made.lodged_at = min((m.issued_at for m in manifests if m.issued_at), default=None)


def _told_route(made: Unit, events: Sequence[ContainerEvent]) -> None:
    actual = [event for event in events if not event.planned and event.terminal]
    made.terminal = actual[-1].terminal if actual else pick(*(e.terminal for e in events))
    came = next((e.at for e in events if e.code in visits.ENTRIES and not e.planned), None)
    made.arrival_at = came or made.arrival_at


def regime(
    made: Unit, consignments: list[Consignment], declaration: Declaration | None, country: str
) -> str:
    """Tell the regime: as declared, as the manifests agree, else from the route."""
    if declaration and declaration.regime is not Regime.UNKNOWN:
        return declaration.regime
    if made.empty:
        return Regime.EMPTY
    told = {c.regime for c in consignments} - {Regime.UNKNOWN}
    if len(told) == 1:
        return told.pop()
    return _regime_from_route(made, country)


def _regime_from_route(made: Unit, country: str) -> str:
    """Tell the regime from where the box is loaded, discharged and delivered."""

    def here(place: str | None) -> bool | None:
        return None if place is None else place[:2] == country

    loads, discharges = here(made.place_loading), here(made.place_discharge)
    ends = here(pick(made.place_delivery, made.destination_country, made.place_discharge))
    starts = here(pick(made.place_origin, made.dispatch_country, made.place_loading))
    if here(made.place_transhipment) and not (loads or ends):
        return Regime.TRANSHIPMENT
    if loads and discharges:
        return Regime.COASTAL
    if discharges:
        return Regime.IMPORT if ends else Regime.TRANSHIPMENT
    if loads:
        return Regime.EXPORT if starts else Regime.TRANSHIPMENT
    if ends:
        return Regime.IMPORT
    return Regime.TRANSIT if loads is False and discharges is False else Regime.UNKNOWN


def office(
    made: Unit, consignments: list[Consignment], declaration: Declaration | None, country: str
) -> str | None:
    """Tell the office answerable: the declared one, else that of the port in this country."""
    if declaration and declaration.office:
        return declaration.office
    ports = [c.manifest.port for c in consignments]
    for place in [*ports, made.place_discharge, made.place_loading, made.place_transhipment]:
        if place and place[:2] == country and (found := office_for(place)):
            return found.code
    return None


def deadline(made: Unit, events: Sequence[ContainerEvent]) -> datetime | None:
    """Tell until when it can be picked: closing of loading, or arrival.

    A box that has come in and is not about to leave stands on the terminal: it can be picked
    until it goes, and no paper says when that will be.
    """
    if made.supplementary:
        return None
    inside = any(event.code in visits.ENTRIES and not event.planned for event in events)
    comes = None if inside else made.arrival_at
    if made.regime in LEAVING or made.direction == "departure":
        leaves = made.departure_at - LOADING_CLOSES if made.departure_at else None
        return pick(made.cutoff_at, leaves, comes)
    return comes
