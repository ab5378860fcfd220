"""Onward: a partner's correction goes on to whom this node passed the item, as it came.

It stays the originator's: signed by it, under its terms, and only about what the holder has. What
each holder did about it is told back along the way that it came.
"""

from isthmus.access.model import node_actor
from isthmus.agreements import service
from isthmus.agreements.decide import decide
from isthmus.agreements.prohibitions import overlay
from isthmus.exchange import copy_store, inbox, issue, key_store, outbox, release
from isthmus.exchange.model import Lane
from isthmus.exchange.tables import Row
from isthmus.flow.follow import concerned
from isthmus.flow.shareable import shareable
from isthmus.intelligence import store
from isthmus.platform import events
from isthmus.platform.transaction import Event, Transaction


def pass_correction_on(tx: Transaction, event: Event) -> None:
    """Send a partner's correction after every copy that went from here. A reaction to
    ``item.corrected``; an own one is followed by ``follow_correction``."""
    row = store.item(tx, event.object_id)
    if row is None or row["own"] or key_store.myself(tx) is None:
        return
    correction = event.payload["correction"]
    for copy in copy_store.copies(tx, event.object_id):
        if copy["follow_id"] != correction:
            _pass_on(tx, correction, copy)


def _pass_on(tx: Transaction, correction: str, copy: Row) -> None:
    about, partner = copy["item_id"], copy["partner"]
    known = shareable(tx, node_actor(), correction)
    sent = inbox.opened(tx, copy["envelope_id"])
    asked = known.stated(sent.envelope.asked)
    clauses = service.clauses_between(tx, asked.sender, partner, tx.now)
    decision = known.narrowed(decide(clauses, overlay(tx), known.item, asked, tx.now), asked)
    paths = concerned(known.item, sent.presented.paths.keys()) & decision.released.keys()
    told = any(path.startswith("changes.") for path in paths)
    if known.presented is None or known.before is None or not told:
        events.emit(tx, "correction.withheld", about, partner=partner, correction=correction)
        return
    presented = issue.present(known.presented, paths)
    link = release.terms_for(tx, presented, decision, asked, before=known.before)
    outbox.put(
        tx, partner, Lane.IMMEDIATE, presented, [*known.chain, link], decision, asked,
        follows=about, suspended=True,
    )  # fmt: skip
    copy_store.change_copy(
        tx, about, partner, follow_id=correction, follow_state="asked", follow_code=None,
        follow_at=tx.now,
    )  # fmt: skip
