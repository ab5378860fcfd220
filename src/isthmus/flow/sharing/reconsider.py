"""Reconsider: after an agreement or the overlay changed, what is held is decided once more.

What a partner sent and was held takes effect, or is refused; what was held here before it left
goes, or is stopped; a correction that no clause let follow its copies follows them now. What still
waits needs nothing: it is decided again when it is about to leave.
"""

from isthmus.exchange import copy_store, inbox, outbox, post_store
from isthmus.exchange.policy import Policy
from isthmus.exchange.trust import key_store
from isthmus.flow.sharing import follow, onward
from isthmus.intelligence import store
from isthmus.intelligence.keeping import ItemState
from isthmus.intelligence.model import ItemKind
from isthmus.platform import jobs
from isthmus.platform.database import Database
from isthmus.platform.transaction import Event, Transaction

JOB = "reconsider"


def reconsider_soon(tx: Transaction, _event: Event) -> None:
    """Agreements, the overlay, or what a partner holds of them changed: look again at what waits
    for it. However many changes, the job stands once."""
    if key_store.myself(tx) is not None:
        jobs.enqueue(tx, JOB, key=JOB)


def heed_stopped(tx: Transaction, event: Event) -> None:
    """A correction was stopped before it left, such as by an amended agreement: it follows anew.

    A reaction to ``envelope.stopped``.
    """
    row = post_store.by_id(tx, event.object_id)
    if row is None or row["item_kind"] != ItemKind.CORRECTION or row["body"] is None:
        return
    about = inbox.opened(tx, row["id"]).envelope.follows
    for copy in copy_store.copies(tx, about):
        if copy["partner"] == row["partner"]:
            follow.withheld(tx, copy, row["item_id"])
    jobs.enqueue(tx, JOB, key=JOB)


def reconsider(database: Database, policy: Policy) -> int:
    """Decide once more what is held on its way in and out; return how much of it went on."""
    came = database.write(lambda tx: inbox.reconsider(tx, policy))
    went = database.write(lambda tx: outbox.reconsider(tx, policy))
    database.write(catch_up)
    return came + went


def catch_up(tx: Transaction) -> None:
    """Let corrections follow the copies that they could not follow before."""
    for copy in copy_store.behind(tx):
        row = store.item(tx, copy["item_id"])
        if row is None or row["state"] in (ItemState.RECALLED, ItemState.ERASED):
            continue
        (follow if row["own"] else onward).catch_up(tx, copy)
