"""Target: what an office inspects in a shift, within its budget.

Rules that mandate come first, then the highest scores, and a share of the budget is drawn at
random from everything else, so that what is missed can be estimated. Each pick carries the
probability with which this run would have picked it.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl
from sqlalchemy import RowMapping

from isthmus.access.gate import check, scope
from isthmus.access.model import Actor, Permission
from isthmus.cases import store as cases
from isthmus.cases.model import PickState
from isthmus.cases.tables import pick_table, run_table
from isthmus.kernel.errors import Invalid
from isthmus.kernel.ids import new_id
from isthmus.platform import audit, events
from isthmus.platform.transaction import Transaction
from isthmus.risk import store as risk
from isthmus.risk.objectives import Objective
from isthmus.risk.select import Lane, Selection, select

LARGEST_BUDGET = 10_000


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked of a run: an office's shift and how many it can inspect."""

    budget: int
    office: str | None = None  # None: the whole node
    shift: str = "day"
    objective: Objective = Objective.CONTRABAND
    floor: float = 0.05
    documentary: int = 0  # document checks of what is not inspected (yellow lane)
    audits: int = 0  # post-release audits of supplementary declarations (blue lane)


@dataclass(slots=True)
class Run:
    """What a run did."""

    id: str
    candidates: int
    picks: list[dict[str, Any]] = field(default_factory=list)
    overflow: int = 0  # mandated units for which no budget was left

    def plain(self) -> dict[str, Any]:
        """Return the run as plain values."""
        by_basis: dict[str, int] = {}
        for pick in self.picks:
            by_basis[pick["basis"]] = by_basis.get(pick["basis"], 0) + 1
        return {
            "run": self.id,
            "candidates": self.candidates,
            "picked": len(self.picks),
            "overflow": self.overflow,
            **{f"picked_{basis}": count for basis, count in sorted(by_basis.items())},
        }


def run(tx: Transaction, actor: Actor, order: Order, seed: bytes | None = None) -> Run:
    """Pick what to inspect; the seed is drawn afresh and kept, so that a run can be replayed."""
    check(tx, actor, Permission.TARGET_RUN, office=order.office, terminal=None)
    for budget in (order.budget, order.documentary, order.audits):
        if not 0 <= budget <= LARGEST_BUDGET:
            words = f"a budget lies between 0 and {LARGEST_BUDGET}"
            raise Invalid("risk.budget", words, budget=budget)
    tx.lock(["target-run"])  # two runs at once would pick the same units
    rows = risk.candidates(
        tx, scope(actor, Permission.UNIT_READ), order.objective, order.office, tx.now
    )
    taken = cases.picked_units(tx)
    rows = [row for row in rows if row["id"] not in taken]
    seed = seed or os.urandom(32)
    made = Run(new_id("run"), len(rows))
    made.picks, made.overflow = _lanes(rows, order, seed)
    for pick in made.picks:
        pick |= {"run_id": made.id, "created_at": tx.now}
    _enter(tx, actor, order, made, seed)
    return made


def _lanes(
    rows: Sequence[RowMapping], order: Order, seed: bytes
) -> tuple[list[dict[str, Any]], int]:
    """Fill red, then yellow from what is left, and blue from what is released already.

    Every lane has its own random floor; what no lane takes is green. A unit comes to the yellow
    draw only when red passed it over, so its propensity there is the product of both chances.
    """
    released = [row for row in rows if row["supplementary"]]
    present = [row for row in rows if not row["supplementary"]]
    red = _choose(present, order.budget, order.floor, seed + b"red")
    chance = dict(zip(red.candidates["id"], red.candidates["propensity"], strict=True))
    picks = _picks(present, red, Lane.RED)
    inspected = {pick["unit_id"] for pick in picks}
    left = [row for row in present if row["id"] not in inspected]
    yellow = _choose(left, order.documentary, order.floor, seed + b"yellow")
    for pick in _picks(left, yellow, Lane.YELLOW):
        pick["propensity"] *= 1 - chance[pick["unit_id"]]
        picks.append(pick)
    blue = _choose(released, order.audits, order.floor, seed + b"blue")
    picks += _picks(released, blue, Lane.BLUE)
    overflow = (set(red.overflow) | set(blue.overflow)) - {pick["unit_id"] for pick in picks}
    return picks, len(overflow)


def _choose(rows: Sequence[RowMapping], budget: int, floor: float, seed: bytes) -> Selection:
    candidates = pl.DataFrame(
        {
            "id": [row["id"] for row in rows],
            "score": [row["score"] for row in rows],
            "mandated": [row["mandated_by"] is not None for row in rows],
            "lane": [row["lane"] for row in rows],
        },
        schema={"id": pl.String, "score": pl.Float64, "mandated": pl.Boolean, "lane": pl.String},
    )
    return select(candidates, budget, floor, seed)


def _picks(rows: Sequence[RowMapping], chosen: Selection, lane: Lane) -> list[dict[str, Any]]:
    by_id = {row["id"]: row for row in rows}
    picked = chosen.candidates.filter(pl.col("rank").is_not_null()).sort("rank")
    return [
        {
            "id": new_id("pick"),
            "unit_id": choice["id"],
            "unit_version": (row := by_id[choice["id"]])["version"],
            "assessment_id": row["assessment_id"],
            "office": row["office"],
            "terminal": row["terminal"],
            "lane": lane.value,
            "basis": str(choice["basis"]),
            "rule_id": row["mandated_by"] if choice["basis"] == "mandated" else None,
            "rank": choice["rank"],
            "score": row["score"],
            "propensity": choice["propensity"],
            "deadline_at": row["deadline_at"],
            "state": PickState.OFFERED,
        }
        for choice in picked.iter_rows(named=True)
    ]


def _enter(tx: Transaction, actor: Actor, order: Order, made: Run, seed: bytes) -> None:
    cases.insert(
        tx,
        run_table,
        [
            {
                "id": made.id,
                "at": tx.now,
                "run_by": actor.id,
                "office": order.office,
                "shift": order.shift,
                "objective": order.objective,
                "budget": order.budget + order.documentary + order.audits,
                "floor": order.floor,
                "seed": seed.hex(),
                "candidates": made.candidates,
                "overflow": made.overflow,
            }
        ],
    )
    cases.insert(tx, pick_table, made.picks)
    audit.record(
        tx,
        actor.id,
        "target.run",
        "target_run",
        made.id,
        agency=actor.agency,
        budget=order.budget,
        floor=order.floor,
        candidates=made.candidates,
        picks=[[pick["unit_id"], pick["basis"], pick["propensity"]] for pick in made.picks],
        overflow=made.overflow,
    )
    events.emit(tx, "picks.offered", made.id, picks=len(made.picks))
