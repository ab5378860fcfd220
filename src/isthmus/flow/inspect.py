"""Inspect: from a picked unit to its hold, its inspection and what was found.

The acts themselves live in ``cases``; this step gives them the unit they are about.
"""

from collections.abc import Sequence

from sqlalchemy import RowMapping

from isthmus.access.gate import scope
from isthmus.access.model import Actor, Permission
from isthmus.cargo import service as cargo
from isthmus.cases import holds, inspections
from isthmus.cases import store as cases
from isthmus.cases.inspections import Report
from isthmus.cases.partner_model import Override
from isthmus.flow import learn
from isthmus.platform.transaction import Transaction


def propose_hold(tx: Transaction, actor: Actor, pick_id: str, reasons: Sequence[str]) -> str:
    """Propose to hold the unit of a pick; returns the hold's id."""
    pick = cases.pick(tx, scope(actor, Permission.PICK_READ), pick_id)
    unit = cargo.find_unit(tx, actor, pick["unit_id"])
    return holds.propose(tx, actor, pick_id, unit, reasons)


def order(
    tx: Transaction,
    actor: Actor,
    pick_id: str,
    control_type: str,
    override: Override | None = None,
) -> str:
    """Order the inspection of the unit of a pick; returns the inspection's id.

    ``override`` is why a box is opened that a chain with a partner is about.
    """
    pick = cases.pick(tx, scope(actor, Permission.PICK_READ), pick_id)
    unit = cargo.find_unit(tx, actor, pick["unit_id"])
    return inspections.order(tx, actor, unit, control_type, pick_id, override)


def report(tx: Transaction, actor: Actor, inspection_id: str, told: Report) -> RowMapping:
    """Record the result of an inspection and learn its labels; returns the inspection."""
    row = inspections.report(tx, actor, inspection_id, told)
    learn.label_inspected(tx, actor, row)
    return row
