"""Accept: what the exchange took in becomes an item of this node's knowledge, with its effects.

Each envelope is one transaction and may be tried again without harm: an item that the envelope
brought before does nothing. A recall ends the use of its item here, follows whoever got the item
from here, and is answered; one that tells of an erasure by law is answered once it is erased here.
An item that came for another purpose than targeting is no lookout.
"""

from datetime import datetime

from isthmus.access.model import Actor, node_actor
from isthmus.exchange import inbox, recall
from isthmus.exchange import terms as terms_
from isthmus.exchange.envelope import Opened
from isthmus.flow import erase
from isthmus.intelligence import arrivals, items
from isthmus.intelligence.keeping import Came
from isthmus.intelligence.model import ItemKind
from isthmus.kernel.canonical import canonical
from isthmus.kernel.errors import Denied, Erased, Invalid
from isthmus.platform import audit, events, jobs
from isthmus.platform.database import Database
from isthmus.platform.transaction import Event, Transaction

JOB = "accept"


def accept_soon(tx: Transaction, event: Event) -> None:
    """An envelope was delivered here: have it read. A reaction to ``item.received``."""
    jobs.enqueue(tx, JOB, {"envelope": event.object_id}, key=event.object_id)


def accept(database: Database, envelope_id: str) -> bool:
    """Accept what an envelope brought; false when it was here before or cannot be used.

    What is not as its schema says, or is about another's item, is refused on record, once for all.
    """
    try:
        return database.write(lambda tx: apply(tx, node_actor(), envelope_id))
    except (Invalid, Denied, Erased) as error:
        code = error.code
        database.write(lambda tx: _refused(tx, envelope_id, code))
        return False


def _refused(tx: Transaction, envelope_id: str, code: str) -> None:
    audit.record(tx, "node", "item.refused", "envelope", envelope_id, code=code)
    events.emit(tx, "item.refused", envelope_id, code=code)


def apply(tx: Transaction, actor: Actor, envelope_id: str) -> bool:
    """Enter an item and do what follows from it, in the caller's transaction."""
    opened = inbox.opened(tx, envelope_id)
    item = opened.presented.item
    arrived = arrivals.receive(tx, actor, item, came_by(opened, envelope_id))
    if not arrived.new:
        return False
    if item.kind is ItemKind.RECALL:
        recall.pass_on(tx, envelope_id)
        if item.body.get("reason") == items.ERASURE:
            erase.erase_soon(tx, str(item.body["about"]), envelope_id)
        else:
            recall.acted(tx, envelope_id, "done")
    elif item.kind is ItemKind.CORRECTION and opened.envelope.follows:
        recall.acted(tx, envelope_id, "done")
    return True


def came_by(opened: Opened, envelope_id: str) -> Came:
    """Say how an item came: for which purpose, and how long its terms let it be used and kept."""
    made = opened.envelope
    terms = terms_.unverified(canonical(made.terms[-1]))
    moments = [one for one in (terms.expires_at, made.expires_at) if one is not None]
    until: datetime | None = min(moments, default=None)
    return Came(
        source=envelope_id,
        partner=made.asked.sender,
        purposes=frozenset({made.asked.purpose}),
        use_until=until,
        keep_until=terms.keep_until.date() if terms.keep_until else None,
    )
