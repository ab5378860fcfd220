"""What time does to picks and holds: locks, deadlines, answers owed, boxes that move on.

Nothing here decides: a pick is offered again or expires, and where a person must act an alert is
raised, once. Run by a periodic job as the node itself.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, or_, select

from isthmus.access import service as people
from isthmus.access.gate import unscoped
from isthmus.access.model import node_actor
from isthmus.cargo.tables import unit_table
from isthmus.cases import alerts, partner_store, picks, request_clocks, store
from isthmus.cases.model import ACTIVE_HOLDS, OPEN_PICKS, UNDECIDED, HoldState, PickState
from isthmus.cases.reach import within_reach
from isthmus.cases.tables import alert_table, hold_table, pick_table
from isthmus.platform import audit
from isthmus.platform.transaction import Transaction

# Holds that bind, or may soon bind, a terminal, and that no terminal has answered for yet.
_AWAITING = (HoldState.PROPOSED, HoldState.CONFIRMED)


@unscoped("time passes for everybody alike")
def needed(tx: Transaction) -> bool:
    """Whether there is anything for ``settle`` to do, so that an idle node writes nothing."""
    return any(
        look(tx)
        for look in (
            overdue_picks,
            strayed_picks,
            strayed_holds,
            moved_holds,
            unanswered_holds,
            overlong_holds,
            partner_store.late_notices,
            partner_store.late_requests,
        )
    )


@unscoped("time passes for everybody alike")
def settle(tx: Transaction) -> None:
    """Do what is due."""
    _settle_picks(tx)
    for row in strayed_picks(tx):
        place = {"office": row["office"], "terminal": row["terminal"]}
        store.change_pick(tx, row["id"], **place, deadline_at=row["deadline_at"])
    for row in strayed_holds(tx):
        store.change_hold(tx, row["id"], office=row["office"], terminal=row["terminal"])
    for kind, rows in (
        ("hold_moved", moved_holds(tx)),
        ("hold_unanswered", unanswered_holds(tx)),
        ("hold_overlong", overlong_holds(tx)),
    ):
        for row in rows:
            alerts.raise_alert(tx, kind, row, hold_id=row["id"], detail={})
    for row in partner_store.late_notices(tx):
        alerts.raise_alert(tx, "notice_overdue", row, detail={"seizure": row["number"]})
        partner_store.change_seizure(tx, row["number"], told=True)
    request_clocks.tell_overdue(tx)


def _settle_picks(tx: Transaction) -> None:
    """Offer again what an officer left locked; expire what can no longer be reached."""
    tx.lock(row["id"] for row in overdue_picks(tx))
    for row in overdue_picks(tx):  # as they are now that nobody else changes them
        then = PickState.EXPIRED if row["gone"] else PickState.OFFERED
        picks.settle(tx, row, then)
        if row["taken_by"] is not None:
            people.unassign(tx, node_actor(), row["taken_by"], "unit", row["unit_id"])
        audit.record(
            tx,
            "node",
            f"pick.{then.value}",
            "pick",
            row["id"],
            unit=row["unit_id"],
            unit_state=row["unit_state"],
        )


@unscoped("locks that ran out and units out of reach are settled for everybody")
def overdue_picks(tx: Transaction) -> list[RowMapping]:
    """Return taken picks whose lock ran out, and undecided ones out of reach (``gone``).

    Out of reach is a unit past its deadline, one that left, was cancelled or superseded.
    """
    columns = pick_table.c
    gone = ~within_reach(tx.now)
    lock = (columns.state == PickState.TAKEN) & (columns.taken_until < tx.now)
    rows = tx.execute(
        select(pick_table, gone.label("gone"), unit_table.c.state.label("unit_state"))
        .join(unit_table, unit_table.c.id == columns.unit_id)
        .where(columns.state.in_(UNDECIDED), or_(lock, gone))
        .order_by(columns.id)
    )
    return list(rows.mappings())


@unscoped("an open pick follows its unit, whoever works on it")
def strayed_picks(tx: Transaction) -> list[RowMapping]:
    """Return open picks whose unit is at another place or has another deadline now."""
    columns, units = pick_table.c, unit_table.c
    rows = tx.execute(
        select(columns.id, units.office, units.terminal, units.deadline_at)
        .join(unit_table, units.id == columns.unit_id)
        .where(
            columns.state.in_(OPEN_PICKS),
            or_(
                columns.office.is_distinct_from(units.office),
                columns.terminal.is_distinct_from(units.terminal),
                columns.deadline_at.is_distinct_from(units.deadline_at),
            ),
        )
    )
    return list(rows.mappings())


@unscoped("a hold follows its box to another terminal, whoever placed it")
def strayed_holds(tx: Transaction) -> list[RowMapping]:
    """Return holds no terminal has answered for whose box is known to stand elsewhere now."""
    columns, units = hold_table.c, unit_table.c
    rows = tx.execute(
        select(columns.id, units.office, units.terminal)
        .join(unit_table, units.id == columns.unit_id)
        .where(
            columns.state.in_(_AWAITING),
            units.gate_out_at.is_(None),
            or_(
                columns.office.is_distinct_from(units.office),
                columns.terminal.is_distinct_from(units.terminal),
            ),
        )
    )
    return list(rows.mappings())


@unscoped("a box that turns up elsewhere against its hold is noticed whoever looks")
def moved_holds(tx: Transaction) -> list[RowMapping]:
    """Return acknowledged holds whose box is at another terminal, if nobody was alerted yet."""
    columns, units = hold_table.c, unit_table.c
    rows = tx.execute(
        select(hold_table)
        .join(unit_table, units.id == columns.unit_id)
        .where(
            columns.state == HoldState.ACKNOWLEDGED,
            units.gate_out_at.is_(None),
            units.terminal != columns.terminal,
            _untold("hold_moved"),
        )
    )
    return list(rows.mappings())


@unscoped("a terminal that owes an answer is noticed whoever looks")
def unanswered_holds(tx: Transaction) -> list[RowMapping]:
    """Return confirmed holds without an answer in time, if nobody was alerted yet."""
    return _past(tx, (HoldState.CONFIRMED,), hold_table.c.acknowledge_by, "hold_unanswered")


@unscoped("a box that is kept too long is noticed whoever looks")
def overlong_holds(tx: Transaction) -> list[RowMapping]:
    """Return holds past their time, if nobody was alerted yet.

    Only a person may end or extend them.
    """
    return _past(tx, ACTIVE_HOLDS, hold_table.c.holds_until, "hold_overlong")


def _past(
    tx: Transaction, states: Sequence[HoldState], clock: ColumnElement[Any], kind: str
) -> list[RowMapping]:
    # An extended hold that runs out again is told again.
    untold = _untold(kind, alert_table.c.at >= clock)
    rows = tx.execute(
        select(hold_table).where(hold_table.c.state.in_(states), clock < tx.now, untold)
    )
    return list(rows.mappings())


def _untold(kind: str, *since: ColumnElement[bool]) -> ColumnElement[bool]:
    told = alert_table.c
    found = select(told.id).where(told.hold_id == hold_table.c.id, told.kind == kind, *since)
    return ~found.exists()
