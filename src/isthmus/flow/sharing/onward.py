"""Onward: a partner's correction goes on to whom this node passed the item, as it came.

It stays the originator's: signed by it, under its terms, and only about what the holder has. What
each holder did about it is told back along the way that it came.
"""

from isthmus.access.model import node_actor
from isthmus.agreements import service
from isthmus.agreements.decide import decide
from isthmus.agreements.prohibitions import overlay
from isthmus.exchange import copy_store, issue, outbox, release
from isthmus.exchange.model import Lane
from isthmus.exchange.tables import Row
from isthmus.exchange.trust import key_store
from isthmus.flow.sharing import follow
from isthmus.flow.sharing.shareable import shareable
from isthmus.intelligence import keeping, store
from isthmus.intelligence.model import ItemKind
from isthmus.intelligence.objects import ObjectKind
from isthmus.kernel.errors import Erased
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


def send_corrected(tx: Transaction, event: Event) -> None:
    """Send what its originator has corrected since right behind a partner's item. A reaction to
    ``item.sent``: only the record as it came can be passed on, and it is known to be wrong."""
    row = store.item(tx, event.object_id)
    if row is None or row["own"]:
        return
    for copy in copy_store.copies(tx, event.object_id):
        if copy["partner"] == event.payload["partner"]:
            catch_up(tx, copy)


def catch_up(tx: Transaction, copy: Row) -> None:
    """Pass on to a holder the corrections of its copy that could not follow it before."""
    corrections = {
        str(row["item"]): keeping.load(tx, row)
        for row in store.naming(tx, ObjectKind.ITEM, [copy["item_id"]])
        if row["kind"] == ItemKind.CORRECTION and row["partner"] is not None
    }
    for told in sorted(corrections.values(), key=lambda one: one.body.get("version", 0)):
        late = told.body.get("version", 0) >= copy["item_version"]
        if late and copy_store.last_sent(tx, told.id, copy["partner"]) is None:
            _pass_on(tx, told.id, copy)


def _pass_on(tx: Transaction, correction: str, copy: Row) -> None:
    about, partner = copy["item_id"], copy["partner"]
    known = shareable(tx, node_actor(), correction)
    try:
        how, has = follow.has_of(tx, copy)
    except Erased:
        follow.withheld(tx, copy, correction)
        return
    asked = known.stated(how)
    wanted = follow.concerned(known.item, has)
    if not follow.speaks(wanted):
        return
    clauses = service.clauses_between(tx, asked.sender, partner, tx.now)
    decision = known.narrowed(decide(clauses, overlay(tx), known.item, asked, tx.now), asked)
    paths = wanted & decision.released.keys()
    if known.presented is None or known.before is None or not follow.speaks(paths):
        follow.withheld(tx, copy, correction)
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
