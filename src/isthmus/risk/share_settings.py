"""Which share of a budget each partner has, where somebody set another than the default."""

from collections.abc import Mapping

from sqlalchemy import select

from isthmus.access.gate import check, unscoped
from isthmus.access.model import Actor
from isthmus.access.permission import Permission
from isthmus.kernel.errors import Invalid
from isthmus.platform import audit, events
from isthmus.platform.transaction import Transaction
from isthmus.risk import shares
from isthmus.risk.tables import share_table


@unscoped("every run keeps to the shares, whoever starts it")
def in_force(tx: Transaction) -> Mapping[str, float]:
    """Return the shares that were set, by partner; whoever is not there has ``shares.DEFAULT``."""
    rows = tx.execute(select(share_table.c.partner, share_table.c.share))
    return {row.partner: row.share for row in rows}


def set_share(tx: Transaction, actor: Actor, partner: str, share: float) -> None:
    """Set what a partner may take of a budget, 0 to ``shares.MOST``; it holds from the next run.

    At 0 what the partner asks for stays a reason that people read, and takes no pick by itself.
    """
    check(tx, actor, Permission.BUDGET_SET, office=None)
    if not 0 <= share <= shares.MOST:
        words = f"a share of a partner lies between 0 and {shares.MOST}"
        raise Invalid("risk.partner_share", words, partner=partner, share=share)
    tx.lock([f"partner-share-{partner}"])
    row = {"partner": partner, "share": share, "set_by": actor.id, "set_at": tx.now}
    if not tx.insert_new(share_table, row):
        tx.execute(share_table.update().where(share_table.c.partner == partner).values(**row))
    audit.record(
        tx, actor.id, "partner.share", "partner", partner, agency=actor.agency, share=share
    )
    events.emit(tx, "partner.share_set", partner, share=share)
