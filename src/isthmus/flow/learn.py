"""Learn: outcomes become labels of their objective; a model is trained, watched, then approved.

An inspection teaches only what its kind of control can see: papers say nothing of contraband, and
a revenue irregularity is never a label for contraband.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import RowMapping

from isthmus.access.model import Actor
from isthmus.cargo.service import Taken
from isthmus.cases import store as cases
from isthmus.cases.model import Result
from isthmus.kernel.ids import new_id
from isthmus.platform import audit, events
from isthmus.platform.transaction import Transaction
from isthmus.risk import store
from isthmus.risk.objectives import Objective

# A label that came with a table has no moment of its own. It is taken as known a week after
# lodging, as the published closed-loop experiments do, so that it never explains its own week.
DECLARED_AFTER = timedelta(days=7)

_GOODS = frozenset({Objective.CONTRABAND})
_PAPERS = frozenset({Objective.REVENUE, Objective.STRATEGIC})
# What each control can see, and so what its finding nothing means. A default of ours.
SEES: Mapping[str, frozenset[Objective]] = {
    "documentary": _PAPERS,
    "scan_xray": _GOODS,
    "scan_gamma": _GOODS,
    "physical_partial": _GOODS,
    "physical_full": _GOODS | _PAPERS,
    "canine": _GOODS,
    "sampling": frozenset(Objective),
    "weighing": frozenset(),
    "seal_check": frozenset(),
    "hull_survey": frozenset(),
}


def label_inspected(tx: Transaction, actor: Actor, inspection: RowMapping) -> int:
    """Turn the result of an inspection into labels; return how many."""
    propensity = None
    if inspection["pick_id"]:
        propensity = cases.pick_row(tx, inspection["pick_id"])["propensity"]
    labels = labels_of(
        Result(inspection["result"]), inspection["control_type"], inspection["objective"]
    )
    rows = [
        {
            "id": new_id("out"),
            "unit_id": inspection["unit_id"],
            "objective": objective.value,
            "positive": positive,
            "source": "inspection",
            "inspection_id": inspection["id"],
            "propensity": propensity,
            "detail": inspection["result"],
            "recorded_at": tx.now,
        }
        for objective, positive in labels.items()
    ]
    return _enter(tx, actor, rows)


def labels_of(result: Result, control: str, objective: str | None) -> dict[Objective, bool]:
    """What a result says of each objective: found, not found, or (absent) nothing.

    A control says that there is nothing only of what it can see. What was found counts for its
    own objective whatever the control; but papers that are wrong are no contraband found, even
    where the inspector takes them for its sign.
    """
    if result is Result.INCONCLUSIVE:
        return {}
    labels = dict.fromkeys(sorted(SEES.get(control, frozenset())), False)
    if objective is not None:
        found = Objective(objective)
        if result is Result.DOCUMENTARY and found is Objective.CONTRABAND:
            labels.pop(found, None)
        else:
            labels[found] = True
    return labels


def label_declared(tx: Transaction, actor: Actor, taken: Taken) -> int:
    """Take the labels that came with a table, for the units of its declarations."""
    if not any(version.outcomes for version in taken.made):
        return 0
    units = {unit.declaration_key: unit for unit in (*taken.joined.created, *taken.joined.changed)}
    rows: list[dict[str, Any]] = []
    for version in taken.made:
        unit = units.get(version.key)
        for outcome in version.outcomes if unit else ():
            rows.append(
                {
                    "id": new_id("out"),
                    "unit_id": unit.id if unit else None,
                    "objective": outcome.objective,
                    "positive": outcome.positive,
                    "source": "declared",
                    "inspection_id": None,
                    "propensity": None,
                    "detail": outcome.detail,
                    "recorded_at": min(
                        tx.now, ((unit.lodged_at if unit else None) or tx.now) + DECLARED_AFTER
                    ),
                }
            )
    return _enter(tx, actor, rows)


def _enter(tx: Transaction, actor: Actor, rows: Iterable[Mapping[str, Any]]) -> int:
    entered = list(rows)
    count = store.insert_outcomes(tx, entered)
    if count:
        audit.record(
            tx,
            actor.id,
            "outcome.learn",
            "outcome",
            entered[0]["id"],
            agency=actor.agency,
            outcomes=count,
        )
        events.emit(tx, "outcome.learned", entered[0]["unit_id"], outcomes=count)
    return count
