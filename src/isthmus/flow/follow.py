"""Follow: an own item recalled here is recalled wherever a copy of it went from here."""

from isthmus.exchange import identity, issue, key_store, recall
from isthmus.intelligence import keeping, store
from isthmus.platform.transaction import Event, Transaction


def follow_recall(tx: Transaction, event: Event) -> None:
    """Send an own recall after every copy, in its transaction. A reaction to ``item.recalled``.

    One that a partner sent is passed on when it is accepted; a node that exchanges with nobody
    has no copies to follow.
    """
    if "by" in event.payload or key_store.myself(tx) is None:
        return
    told = keeping.load(tx, store.copies_of(tx, event.payload["recall"])[-1])
    recall.recall(tx, issue.issue(told, identity.signer(tx)), event.object_id)
