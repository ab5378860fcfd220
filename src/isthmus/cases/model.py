"""States of a pick, a hold and an inspection, and which may follow which.

The states' names are the codes of the code lists ``pick_states``, ``hold_states`` and
``inspection_states``; people see them in their own language.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from isthmus.kernel.errors import Conflict

S = TypeVar("S", bound=StrEnum)


class PickState(StrEnum):
    """Where a picked unit stands."""

    OFFERED = "offered"
    TAKEN = "taken"
    CLEARED = "cleared"
    WATCH = "watch"
    HOLD_PROPOSED = "hold_proposed"
    HELD = "held"
    INSPECTION_ORDERED = "inspection_ordered"
    INSPECTED = "inspected"
    RELEASED = "released"
    EXPIRED = "expired"


class HoldState(StrEnum):
    """Where a hold stands between customs and the terminal."""

    PROPOSED = "hold_proposed"
    CONFIRMED = "hold_confirmed"
    ACKNOWLEDGED = "hold_acknowledged"
    REFUSED = "hold_refused"  # a supervisor does not confirm it
    RELEASED = "hold_released"
    BREACHED = "hold_breached"  # the box left against it


class InspectionState(StrEnum):
    """Where an inspection order stands."""

    ORDERED = "inspection_ordered"
    ACCEPTED = "inspection_accepted"
    DONE = "inspection_done"
    DECLINED = "inspection_declined"


class Result(StrEnum):
    """What an inspection came to (code list ``inspection_results``)."""

    NO_IRREGULARITY = "no_irregularity"
    DOCUMENTARY = "documentary_irregularity"
    NON_COMPLIANT = "non_compliant"
    SEIZURE = "seizure"
    INCONCLUSIVE = "inconclusive"


PICK_STEPS: Mapping[PickState, frozenset[PickState]] = {
    PickState.OFFERED: frozenset({PickState.TAKEN, PickState.EXPIRED}),
    PickState.TAKEN: frozenset(
        {
            PickState.OFFERED,  # put back, or the lock ran out
            PickState.CLEARED,
            PickState.WATCH,
            PickState.HOLD_PROPOSED,
            PickState.INSPECTION_ORDERED,
            PickState.EXPIRED,
        }
    ),
    PickState.WATCH: frozenset(
        {PickState.TAKEN, PickState.CLEARED, PickState.HOLD_PROPOSED, PickState.EXPIRED}
    ),
    PickState.HOLD_PROPOSED: frozenset({PickState.HELD, PickState.TAKEN}),
    PickState.HELD: frozenset({PickState.INSPECTION_ORDERED, PickState.RELEASED}),
    PickState.INSPECTION_ORDERED: frozenset({PickState.INSPECTED, PickState.TAKEN, PickState.HELD}),
}

HOLD_STEPS: Mapping[HoldState, frozenset[HoldState]] = {
    HoldState.PROPOSED: frozenset({HoldState.CONFIRMED, HoldState.REFUSED}),
    HoldState.CONFIRMED: frozenset(
        {HoldState.ACKNOWLEDGED, HoldState.RELEASED, HoldState.BREACHED}
    ),
    HoldState.ACKNOWLEDGED: frozenset({HoldState.RELEASED, HoldState.BREACHED}),
    HoldState.BREACHED: frozenset({HoldState.RELEASED}),
}

INSPECTION_STEPS: Mapping[InspectionState, frozenset[InspectionState]] = {
    InspectionState.ORDERED: frozenset({InspectionState.ACCEPTED, InspectionState.DECLINED}),
    InspectionState.ACCEPTED: frozenset({InspectionState.DONE, InspectionState.DECLINED}),
}

# Which picks an officer may take: what a hold or an inspection is about is not taken away.
UNDECIDED = (PickState.OFFERED, PickState.TAKEN, PickState.WATCH)
ACTIVE_HOLDS = (HoldState.CONFIRMED, HoldState.ACKNOWLEDGED)
OPEN_PICKS = (
    PickState.OFFERED,
    PickState.TAKEN,
    PickState.WATCH,
    PickState.HOLD_PROPOSED,
    PickState.HELD,
    PickState.INSPECTION_ORDERED,
)


def step(steps: Mapping[S, frozenset[S]], now: S, then: S, object_id: str) -> S:
    """Return the next state, or raise ``Conflict`` when it may not follow the present one."""
    if then not in steps.get(now, frozenset()):
        raise Conflict(
            "state_forbids",
            f"{now.value} cannot become {then.value}",
            object=object_id,
            state=now.value,
        )
    return then
