"""Follow: an own item recalled or corrected here is so wherever a copy of it went from here."""

from collections.abc import Collection
from contextlib import suppress

from isthmus.agreements import service
from isthmus.agreements.decide import decide
from isthmus.agreements.model import Asked
from isthmus.agreements.prohibitions import overlay
from isthmus.exchange import copy_store, inbox, issue, issued, outbox, recall, release
from isthmus.exchange.model import Lane
from isthmus.exchange.tables import Row
from isthmus.exchange.trust import key_store
from isthmus.intelligence import keeping, store
from isthmus.intelligence.model import Item, ItemKind
from isthmus.intelligence.objects import ObjectKind
from isthmus.kernel.errors import Erased
from isthmus.platform import events
from isthmus.platform.transaction import Event, Transaction


def follow_recall(tx: Transaction, event: Event) -> None:
    """Send an own recall after every copy, in its transaction. A reaction to ``item.recalled``.

    One that a partner sent is passed on when it is accepted; a node that exchanges with nobody
    has no copies to follow.
    """
    if "by" in event.payload or key_store.myself(tx) is None:
        return
    told = keeping.load(tx, store.copies_of(tx, event.payload["recall"])[-1])
    recall.recall(tx, issued.issued(tx, told), event.object_id)


def follow_correction(tx: Transaction, event: Event) -> None:
    """Send an own correction after every copy. A reaction to ``item.corrected``.

    Each holder hears only of paths that it has, as far as the agreements release them now.
    """
    row = store.item(tx, event.object_id)
    if row is None or not row["own"] or key_store.myself(tx) is None:
        return
    told = keeping.load(tx, store.copies_of(tx, event.payload["correction"])[-1])
    for copy in copy_store.copies(tx, event.object_id):
        _correct(tx, told, copy)


def catch_up(tx: Transaction, copy: Row) -> None:
    """Send a holder the own corrections of its copy that could not follow it before, in order."""
    corrections = [
        keeping.load(tx, row)
        for row in store.naming(tx, ObjectKind.ITEM, [copy["item_id"]])
        if row["kind"] == ItemKind.CORRECTION and row["partner"] is None
    ]
    for told in sorted(corrections, key=lambda one: one.body["version"]):
        late = told.body["version"] >= copy["item_version"]
        if late and copy_store.last_sent(tx, told.id, copy["partner"]) is None:
            _correct(tx, told, copy)


def _correct(tx: Transaction, told: Item, copy: Row) -> None:
    about, partner = copy["item_id"], copy["partner"]
    try:
        asked, has = has_of(tx, copy)
    except Erased:  # nobody can tell any more what the partner has: it was told to erase it, too
        withheld(tx, copy, told.id)
        return
    wanted = concerned(told, has)
    if not speaks(wanted):
        return  # about nothing that the partner has
    clauses = service.clauses_between(tx, asked.sender, partner, tx.now)
    decision = decide(clauses, overlay(tx), told, asked, tx.now)
    paths = wanted & decision.released.keys()
    if not speaks(paths):
        withheld(tx, copy, told.id)
        return
    own_issue = partner if decision.duties.separate_issue else issued.EVERYBODY
    presented = issue.present(issued.issued(tx, told, own_issue), paths)
    link = release.terms_for(tx, presented, decision, asked)
    outbox.put(
        tx, partner, Lane.IMMEDIATE, presented, [link], decision, asked,
        follows=about, suspended=True,
    )  # fmt: skip
    copy_store.change_copy(
        tx, about, partner, follow_id=told.id, follow_state="asked", follow_code=None,
        follow_at=tx.now,
    )  # fmt: skip


# -- what own and partners' corrections have in common ----------------------------------------


def has_of(tx: Transaction, copy: Row) -> tuple[Asked, set[str]]:
    """Return how a holder got its copy last, and every path that it got of the item so far.

    Raises ``Erased`` when the envelope of the copy is not kept.
    """
    sent = inbox.opened(tx, copy["envelope_id"])
    has = set(sent.presented.paths)
    for envelope_id in copy_store.earlier(tx, copy):
        with suppress(Erased):
            has |= inbox.opened(tx, envelope_id).presented.paths.keys()
    return sent.envelope.asked, has


def speaks(paths: Collection[str]) -> bool:
    """Whether these paths of a correction say anything of what is corrected."""
    return any(path.startswith("changes.") for path in paths)


def withheld(tx: Transaction, copy: Row, correction: str) -> None:
    """Note that no clause lets a correction follow a copy; it is tried again once one does."""
    about, partner = copy["item_id"], copy["partner"]
    copy_store.change_copy(
        tx, about, partner, follow_id=correction, follow_state=copy_store.WITHHELD,
        follow_code=None, follow_at=tx.now,
    )  # fmt: skip
    events.emit(tx, "correction.withheld", about, partner=partner, correction=correction)


def concerned(told: Item, held: Collection[str]) -> set[str]:
    """Return the paths of a correction that speak of what a holder has, and of nothing else."""
    paths = set()
    for path in told.paths():
        name, _, rest = path.partition(".")
        change = told.body["changes"][int(rest.partition(".")[0])] if name == "changes" else {}
        if name != "changes" or change.get("path") in held:  # its path may be withheld from here
            paths.add(path)
    return paths
