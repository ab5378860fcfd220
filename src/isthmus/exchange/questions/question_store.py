"""The SQL of blind questions: how much each partner has asked on a day."""

from sqlalchemy import select, update

from isthmus.access.gate import unscoped
from isthmus.exchange.tables import question_table
from isthmus.platform.transaction import Transaction

_q = question_table.c


@unscoped("the quota of blind questions is held by the node, for no person")
def asked(tx: Transaction, partner: str, day: str) -> int:
    """Return how many elements a partner has asked about blindly on a day."""
    value = tx.execute(select(_q.asked).where(_q.partner == partner, _q.day == day)).scalar()
    return int(value or 0)


def add_asked(tx: Transaction, partner: str, day: str, number: int) -> None:
    """Count elements asked."""
    if not tx.insert_new(question_table, {"partner": partner, "day": day, "asked": number}):
        tx.execute(
            update(question_table)
            .where(_q.partner == partner, _q.day == day)
            .values(asked=_q.asked + number)
        )
