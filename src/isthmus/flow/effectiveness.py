"""What the loop achieves: hit rates of picks by why they were picked, and what was left unpicked.

A hit is an irregularity of the objective that the run looked for. Inspections that came to nothing
conclusive, or by a control that cannot see irregularities of that objective, count neither way.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from sqlalchemy import RowMapping

from isthmus.access.gate import check, scope
from isthmus.access.model import Actor, Permission
from isthmus.cases import runs
from isthmus.flow import lookout_store
from isthmus.platform.transaction import Transaction
from isthmus.risk.effectiveness import Effectiveness, Estimate, wilson
from isthmus.risk.effectiveness import effectiveness as estimate
from isthmus.risk.objectives import Objective
from isthmus.risk.select import Basis, Lane


@dataclass(frozen=True, slots=True)
class HitRate:
    """How often picks of one lane and basis were right. ``delay`` is the trade's, in minutes."""

    lane: Lane
    basis: Basis
    picked: int
    inspected: int  # with a conclusive outcome
    hits: int
    rate: Estimate | None  # Wilson's interval of 95 %; None where nothing was inspected
    delay: float | None  # mean over all inspections


@dataclass(frozen=True, slots=True)
class Measured:
    """What runs for one objective came to.

    ``ranked_over_random`` is how many times as often a ranked pick is right as one drawn at
    random: what the ranking is worth; None while no random pick was right. ``whole`` estimates
    what the red lane left (a unit that stood in several runs counts in each), and is None for
    readers who see only some offices: nobody can tell what those runs chose from there.
    """

    objective: Objective
    runs: int
    candidates: int
    rates: tuple[HitRate, ...]
    ranked_over_random: float | None
    whole: Effectiveness | None


@dataclass(frozen=True, slots=True)
class PartnerRecord:
    """What the lookouts of one partner came to: each figure stands over the one before it.

    Lookouts sent for targeting, and of those the ones that gave a reason on a unit; the units that
    they were on, and of those the ones picked, opened with a conclusive outcome, and right.
    ``share`` counts the picks that the partner's share of the budget made; the others would have
    been made without it.
    """

    partner: str
    asked: int
    matched: int
    units: int
    picked: int
    share: int
    opened: int
    found: int
    rate: Estimate | None  # found over opened, Wilson's interval of 95 %; None where none was


def partner_record(tx: Transaction, actor: Actor, partner: str) -> PartnerRecord:
    """Return what a partner's lookouts came to, within what the actor may see."""
    check(tx, actor, Permission.ITEM_READ)
    asked, matched = lookout_store.lookouts(tx, scope(actor, Permission.ITEM_READ), partner)
    seen = scope(actor, Permission.PICK_READ)
    rows = lookout_store.picks(tx, seen, partner)
    known = {row["unit_id"]: bool(row["positive"]) for row in rows if row["positive"] is not None}
    opened, found = len(known), sum(known.values())
    return PartnerRecord(
        partner=partner,
        asked=asked,
        matched=matched,
        units=lookout_store.units(tx, scope(actor, Permission.UNIT_READ), partner),
        picked=len({row["unit_id"] for row in rows}),
        share=len({row["unit_id"] for row in rows if row["basis"] == Basis.PARTNER}),
        opened=opened,
        found=found,
        rate=wilson(found / opened, opened) if opened else None,
    )


def partner_records(tx: Transaction, actor: Actor) -> list[PartnerRecord]:
    """Return the record of every partner that ever sent a lookout, by its code."""
    check(tx, actor, Permission.ITEM_READ)
    codes = lookout_store.partners(tx, scope(actor, Permission.ITEM_READ))
    return [partner_record(tx, actor, code) for code in codes]


def effectiveness(tx: Transaction, actor: Actor) -> list[Measured]:
    """Return what picks came to, for each objective that was looked for, within the actor's scope.

    Rates of ranked and mandated picks say how good the picks were; only random ones, and the
    propensities of all, say anything of what was not picked.
    """
    seen = scope(actor, Permission.PICK_READ)
    picks, lanes = runs.measured_picks(tx, seen), runs.run_lanes(tx, seen)
    told = []
    for objective in Objective:
        held = [row["lanes"] for row in lanes if row["objective"] == objective]
        rows = [row for row in picks if row["objective"] == objective]
        if held or rows:
            told.append(_measure(objective, held, rows, everything=seen.everything))
    return told


def _measure(
    objective: Objective,
    lanes: Sequence[Any],
    rows: Sequence[RowMapping],
    *,
    everything: bool,
) -> Measured:
    rates = tuple(
        _rate(lane, basis, found)
        for lane in (Lane.RED, Lane.YELLOW, Lane.BLUE)
        for basis in Basis
        if (found := [row for row in rows if (row["lane"], row["basis"]) == (lane, basis)])
    )
    candidates = sum(told[Lane.RED]["candidates"] for told in lanes)
    whole = None
    if everything:
        red = [row for row in rows if row["lane"] == Lane.RED]
        frame = pl.DataFrame(
            {
                "propensity": [row["propensity"] for row in red],
                "hit": [row["positive"] for row in red],
            },
            schema={"propensity": pl.Float64, "hit": pl.Boolean},
        )
        whole = estimate(frame, candidates)
    red_rates = {rate.basis: rate.rate for rate in rates if rate.lane is Lane.RED}
    ranked, random = red_rates.get(Basis.RANKED), red_rates.get(Basis.RANDOM)
    lift = ranked.value / random.value if ranked and random and random.value else None
    return Measured(objective, len(lanes), candidates, rates, lift, whole)


def _rate(lane: Lane, basis: Basis, rows: Sequence[RowMapping]) -> HitRate:
    known = [row["positive"] for row in rows if row["positive"] is not None]
    hits = sum(known)
    delays = [row["minutes_delay"] for row in rows if row["minutes_delay"] is not None]
    return HitRate(
        lane=lane,
        basis=basis,
        picked=len(rows),
        inspected=len(known),
        hits=hits,
        rate=wilson(hits / len(known), len(known)) if known else None,
        delay=sum(delays) / len(delays) if delays else None,
    )
