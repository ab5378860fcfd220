"""All the SQL of what partners' lookouts came to: those sent, the units they were on, the finds.

What a partner asked for is kept beside the assessment that it gave a reason to, so a pick counts
by what was known when it was made, whatever becomes of the lookout later.
"""

from sqlalchemy import ColumnElement, RowMapping, and_, func, literal, select

from isthmus.access.gate import Scope
from isthmus.cargo.tables import unit_table
from isthmus.cases.tables import inspection_table, pick_table, run_table
from isthmus.exchange.tables import envelope_table
from isthmus.intelligence.model import ItemKind
from isthmus.intelligence.tables import copy_table
from isthmus.platform.transaction import Transaction
from isthmus.risk.tables import assessment_table, outcome_table

_rated = assessment_table.c


def _asked_by(partner: str) -> ColumnElement[bool]:
    """The condition that a partner is among those, by their codes with spaces between."""
    told = literal(" ") + _rated.asked_by + literal(" ")
    return and_(_rated.asked_by.is_not(None), told.contains(f" {partner} ", autoescape=True))


def lookouts(tx: Transaction, scope: Scope, partner: str) -> tuple[int, int]:
    """Return how many lookouts a partner sent for targeting, and how many gave a reason here."""
    copies, envelopes = copy_table.c, envelope_table.c
    sent = (
        select(copies.item, func.max(envelopes.used_at).label("used"))
        .select_from(copy_table.join(envelope_table, envelopes.id == copies.source, isouter=True))
        .where(
            copies.kind == ItemKind.ALERT.value,
            copies.targeting,
            copies.partner == partner,
            scope.where(),
        )
        .group_by(copies.item)
        .subquery()
    )
    counts = (func.count().label("sent"), func.count(sent.c.used).label("used"))
    row = tx.execute(select(*counts).select_from(sent)).one()
    return int(row.sent), int(row.used)


def units(tx: Transaction, scope: Scope, partner: str) -> int:
    """Return on how many units a partner's lookouts were, among those that somebody may see."""
    seen = scope.where(office_column=unit_table.c.office, terminal_column=unit_table.c.terminal)
    counted = (
        select(func.count(func.distinct(_rated.unit_id)))
        .join(unit_table, unit_table.c.id == _rated.unit_id)
        .where(_asked_by(partner), seen)
    )
    return int(tx.execute(counted).scalar_one())


def picks(tx: Transaction, scope: Scope, partner: str) -> list[RowMapping]:
    """Return the picks of units that a partner had asked for: basis, result and label."""
    made, orders, labels = pick_table.c, inspection_table.c, outcome_table.c
    done = and_(orders.pick_id == made.id, orders.result.is_not(None))
    label = and_(labels.inspection_id == orders.id, labels.objective == run_table.c.objective)
    rows = tx.execute(
        select(made.unit_id, made.basis, orders.result, labels.positive)
        .select_from(pick_table)
        .join(run_table, run_table.c.id == made.run_id)
        .join(assessment_table, _rated.id == made.assessment_id)
        .join(inspection_table, done, isouter=True)
        .join(outcome_table, label, isouter=True)
        .where(
            _asked_by(partner),
            scope.where(office_column=made.office, terminal_column=made.terminal),
        )
        .order_by(made.id)
    )
    return list(rows.mappings())


def partners(tx: Transaction, scope: Scope) -> list[str]:
    """Return the partners that ever sent a lookout for targeting."""
    copies = copy_table.c
    rows = tx.execute(
        select(copies.partner)
        .where(
            copies.kind == ItemKind.ALERT.value,
            copies.targeting,
            copies.partner.is_not(None),
            scope.where(),
        )
        .distinct()
        .order_by(copies.partner)
    )
    return [str(one) for one in rows.scalars()]
