"""The timeline of one consignment: what the port, the trade and the officers did, day by day."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from isthmus.cargo.unit import Unit
from isthmus.web.labels import Labels
from isthmus.web.visitor import Visitor


@dataclass(frozen=True, slots=True)
class Moment:
    """One entry. ``planned`` lies ahead or was only announced."""

    at: datetime
    words: str
    detail: tuple[str, ...] = ()
    planned: bool = False


@dataclass(slots=True)
class Day:
    """The entries of one day in the node's zone."""

    day: str
    moments: list[Moment] = field(default_factory=list)


def timeline(
    visitor: Visitor,
    unit: Unit,
    records: Sequence[RowMapping],
    picks: Sequence[RowMapping],
    holds: Sequence[RowMapping],
    inspections: Sequence[RowMapping],
) -> list[Day]:
    """Everything known to have happened, and what is announced, oldest first."""
    labels = visitor.labels
    t = visitor.reader.t
    moments: list[Moment] = []
    for record in records:
        if record["kind"] == "event":
            moments.append(_event(labels, record["body"]))
        elif record["kind"] in ("consignment", "declaration"):
            words = t(f"timeline.{record['kind']}", version=record["version"])
            moments.append(Moment(record["received_at"], words, (record["key"],)))
    for key, at in (
        ("arrival", unit.arrival_at),
        ("departure", unit.departure_at),
        ("cutoff", unit.cutoff_at),
    ):
        if at is not None:
            moments.append(Moment(at, t(f"timeline.{key}"), planned=at > visitor.reader.now))
    moments += _decisions(labels, t, picks, holds, inspections)
    days: list[Day] = []
    for moment in sorted(moments, key=lambda one: one.at):
        day = visitor.reader.day(moment.at)
        if not days or days[-1].day != day:
            days.append(Day(day))
        days[-1].moments.append(moment)
    return days


def _event(labels: Labels, body: Any) -> Moment:
    detail = []
    place = " ".join(part for part in (body.get("place"), labels.place(body.get("place"))) if part)
    if place:
        detail.append(place)
    if body.get("terminal"):
        detail.append(labels.terminal(body["terminal"]))
    if body.get("weight_kg"):
        detail.append(f"{body['weight_kg']} kg")
    for seal in body.get("seals", ()):
        words = [seal["number"]]
        for name, key in (("seal_states", "state"), ("seal_removals", "removed_why")):
            if seal.get(key):
                words.append(labels.of(name, seal[key]))
        detail.append(" · ".join(words))
    if body.get("position"):
        detail.append(body["position"])
    at = datetime.fromisoformat(body["at"])
    label = labels.of("event_codes", body["code"])
    return Moment(at, label, tuple(detail), bool(body.get("planned")))


def _decisions(
    labels: Labels,
    t: Any,
    picks: Iterable[RowMapping],
    holds: Iterable[RowMapping],
    inspections: Iterable[RowMapping],
) -> list[Moment]:
    moments = []
    for pick in picks:
        basis = labels.of("pick_bases", pick["basis"])
        moments.append(Moment(pick["created_at"], t("timeline.picked"), (basis,)))
        if pick["decided_at"] and pick["state"] in ("cleared", "watch"):
            moments.append(Moment(pick["decided_at"], labels.of("pick_states", pick["state"]),
                                  _reasons(labels, pick["reasons"])))  # fmt: skip
    for hold in holds:
        why = _reasons(labels, hold["reasons"])
        moments.append(Moment(hold["proposed_at"], labels.of("hold_states", "hold_proposed"), why))
        for code, name in (
            ("hold_confirmed", "confirmed_at"),
            ("hold_acknowledged", "acknowledged_at"),
            (hold["state"], "ended_at"),
        ):
            if hold[name]:
                moments.append(Moment(hold[name], labels.of("hold_states", code)))
        if hold["extended_at"]:
            why = _reasons(labels, hold["extension_reasons"])
            moments.append(Moment(hold["extended_at"], t("timeline.extended"), why))
    for order in inspections:
        kind = labels.of("control_types", order["control_type"])
        for code, name in (
            ("inspection_ordered", "ordered_at"),
            ("inspection_accepted", "accepted_at"),
        ):
            if order[name]:
                words = labels.of("inspection_states", code)
                moments.append(Moment(order[name], words, (kind,)))
        if order["done_at"]:
            words = labels.of("inspection_states", "inspection_done")
            result = labels.of("inspection_results", order["result"])
            moments.append(Moment(order["done_at"], words, (kind, result)))
    return moments


def _reasons(labels: Labels, codes: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(labels.of("reasons", code) for code in codes or ())
