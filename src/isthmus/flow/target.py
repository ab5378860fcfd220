"""Target: what an office inspects in a shift, within its budget.

Rules that mandate come first, then what partners asked for, each within its share, then the
highest scores, and a share of the budget is drawn at random from everything else, so that what is
missed can be estimated. Each pick carries the probability with which this run would have picked
it. The seed, the shares and the assessments chosen from are kept, so that a run can be replayed
(``flow.replay``).
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl
from sqlalchemy import RowMapping

from isthmus.access.gate import check, scope
from isthmus.access.model import Actor, Permission
from isthmus.cases import runs
from isthmus.cases import store as cases
from isthmus.cases.model import PickState
from isthmus.cases.reach import candidates
from isthmus.kernel.errors import Invalid
from isthmus.kernel.ids import new_id
from isthmus.platform import audit, events
from isthmus.platform.transaction import Transaction
from isthmus.risk import share_settings
from isthmus.risk.objectives import Objective
from isthmus.risk.select import Basis, Lane, Selection, select

LARGEST_BUDGET = 10_000
MADE = "target.run"
"""The action of the audit row that vouches for a run."""


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

    @property
    def budgets(self) -> Mapping[Lane, int]:
        """How many picks each lane may hold."""
        return {Lane.RED: self.budget, Lane.YELLOW: self.documentary, Lane.BLUE: self.audits}


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """The units that a run chooses from: ``id``, ``score``, ``mandated``, ``asked_by``, a row each.

    ``present`` can still be opened; ``released`` are supplementary declarations, whose goods are
    with the trader already and which only an audit reaches.
    """

    present: pl.DataFrame
    released: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Choice:
    """One unit chosen for one lane."""

    unit_id: str
    lane: Lane
    basis: Basis
    rank: int
    propensity: float


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the lanes chose, how many units each chose from, and how many mandated ones are left."""

    choices: tuple[Choice, ...]
    sizes: Mapping[Lane, int]
    overflow: int


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
    """Pick what to inspect; the seed is drawn afresh and kept, so that a run can be replayed.

    A pick is an offer to an officer and nothing more: no hold and no inspection follows from it
    until a person decides.
    """
    check(tx, actor, Permission.TARGET_RUN, office=order.office, terminal=None)
    for budget in order.budgets.values():
        if not 0 <= budget <= LARGEST_BUDGET:
            words = f"a budget lies between 0 and {LARGEST_BUDGET}"
            raise Invalid("risk.budget", words, budget=budget)
    tx.lock(["target-run"])  # two runs at once would pick the same units
    rows = candidates(tx, scope(actor, Permission.UNIT_READ), order.objective, order.office)
    present = [row for row in rows if not row["supplementary"]]
    released = [row for row in rows if row["supplementary"]]
    seed = seed or os.urandom(32)
    shares = share_settings.in_force(tx)
    chosen = choose(Pool(pool_frame(present), pool_frame(released)), order, seed, shares)
    made = Run(new_id("run"), len(rows), overflow=chosen.overflow)
    made.picks = _picks(tx, made.id, rows, chosen.choices)
    runs.insert_run(
        tx,
        {
            "id": made.id,
            "at": tx.now,
            "run_by": actor.id,
            "office": order.office,
            "shift": order.shift,
            "objective": order.objective,
            "budget": sum(order.budgets.values()),
            "floor": order.floor,
            "seed": seed.hex(),
            "candidates": made.candidates,
            "overflow": made.overflow,
            "lanes": _lanes(order, chosen, shares),
            "pool": runs.pack_pool(
                [row["seq"] for row in present], [row["seq"] for row in released]
            ),
        },
    )
    cases.insert_picks(tx, made.picks)
    _note(tx, actor, order, made)
    return made


def _lanes(order: Order, chosen: Chosen, shares: Mapping[str, float]) -> dict[str, Any]:
    """What each lane held, and for red the shares of partners that it was filled under."""
    told: dict[str, Any] = {
        lane.value: {"budget": budget, "candidates": chosen.sizes[lane]}
        for lane, budget in order.budgets.items()
    }
    told[Lane.RED]["shares"] = dict(shares)
    return told


def choose(
    pool: Pool, order: Order, seed: bytes, shares: Mapping[str, float] | None = None
) -> Chosen:
    """Fill red, then yellow from what is left, and blue from what is released already.

    Partners have their share of what is opened, in red; without ``shares`` they have none. Every
    lane has its own random floor; what no lane takes is green. A unit comes to the yellow
    draw only when red passed it over, so its propensity there is the chance of that times its
    chance among those left: dividing by this product keeps estimates free of bias over both
    draws (the double expansion of Särndal, Swensson and Wretman 1992, section 9.3).
    """
    red = _fill(pool.present, Lane.RED, order, seed, shares)
    passed = 1 - red.candidates["propensity"]
    left = pool.present.with_columns(passed.alias("passed")).filter(
        red.candidates["rank"].is_null()
    )
    yellow = _fill(left, Lane.YELLOW, order, seed)
    blue = _fill(pool.released, Lane.BLUE, order, seed)
    product = yellow.candidates["propensity"] * left["passed"]
    twice = yellow.candidates.with_columns(product.alias("propensity"))
    choices = (
        *_choices(red.candidates, Lane.RED),
        *_choices(twice, Lane.YELLOW),
        *_choices(blue.candidates, Lane.BLUE),
    )
    overflow = {*red.overflow, *blue.overflow} - {choice.unit_id for choice in choices}
    sizes = {
        Lane.RED: pool.present.height,
        Lane.YELLOW: left.height,
        Lane.BLUE: pool.released.height,
    }
    return Chosen(choices, sizes, len(overflow))


def _fill(
    frame: pl.DataFrame,
    lane: Lane,
    order: Order,
    seed: bytes,
    shares: Mapping[str, float] | None = None,
) -> Selection:
    return select(frame, order.budgets[lane], order.floor, seed + lane.value.encode(), shares)


def _choices(candidates_: pl.DataFrame, lane: Lane) -> list[Choice]:
    picked = candidates_.filter(pl.col("rank").is_not_null()).sort("rank")
    return [
        Choice(row["id"], lane, Basis(row["basis"]), row["rank"], row["propensity"])
        for row in picked.iter_rows(named=True)
    ]


def pool_frame(rows: Sequence[Mapping[str, Any] | RowMapping]) -> pl.DataFrame:
    """Lay assessments out as a frame that lanes are filled from, by the node's own scores."""
    asked = [row["asked_by"] for row in rows]
    return pl.DataFrame(
        {
            "id": [row["id"] for row in rows],
            "score": [
                row["score"] if by is None else row["own_score"]
                for row, by in zip(rows, asked, strict=True)
            ],
            "mandated": [row["mandated_by"] is not None for row in rows],
            "asked_by": [by.split() if by else [] for by in asked],
        },
        schema={
            "id": pl.String,
            "score": pl.Float64,
            "mandated": pl.Boolean,
            "asked_by": pl.List(pl.String),
        },
    )


def _picks(
    tx: Transaction, run_id: str, rows: Sequence[RowMapping], choices: Sequence[Choice]
) -> list[dict[str, Any]]:
    by_id = {row["id"]: row for row in rows}
    return [
        {
            "id": new_id("pick"),
            "run_id": run_id,
            "created_at": tx.now,
            "unit_id": choice.unit_id,
            "unit_version": (row := by_id[choice.unit_id])["version"],
            "assessment_id": row["assessment_id"],
            "office": row["office"],
            "terminal": row["terminal"],
            "lane": choice.lane.value,
            "basis": choice.basis.value,
            "rule_id": row["mandated_by"] if choice.basis is Basis.MANDATED else None,
            "rank": choice.rank,
            "score": row["score"],
            "propensity": choice.propensity,
            "deadline_at": row["deadline_at"],
            "state": PickState.OFFERED,
        }
        for choice in choices
    ]


def _note(tx: Transaction, actor: Actor, order: Order, made: Run) -> None:
    audit.record(
        tx,
        actor.id,
        MADE,
        "target_run",
        made.id,
        agency=actor.agency,
        object_digest=runs.digest_of_run(tx, made.id),
        office=order.office,
        objective=order.objective,
        budgets={lane.value: budget for lane, budget in order.budgets.items()},
        floor=order.floor,
        candidates=made.candidates,
        picks=[[pick["unit_id"], pick["basis"], pick["propensity"]] for pick in made.picks],
        overflow=made.overflow,
    )
    events.emit(tx, "picks.offered", made.id, picks=len(made.picks))
