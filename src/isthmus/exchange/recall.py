"""Recalls and corrections: they come from the originator alone and follow every onward copy.

The directory of copies knows who got which item from this node. A recall goes to each of them in
the immediate lane as an item of its own, and each holder passes it on to those it gave the item
to, as it came: signed by the originator. What a holder did about it comes back as a receipt; who
has not answered stands here by name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from isthmus.access.model import Purpose
from isthmus.agreements import service
from isthmus.agreements.model import Asked, Decision, Duties, Mode, Onward, Released
from isthmus.exchange import copy_store, inbox, issue, outbox, post_store, receipts, release, terms
from isthmus.exchange.issue import Issued, Presented
from isthmus.exchange.model import Lane, ReceiptKind
from isthmus.exchange.tables import Row
from isthmus.exchange.terms import Terms
from isthmus.exchange.trust import identity
from isthmus.kernel.canonical import canonical
from isthmus.kernel.errors import Denied, Erased, Invalid, NotFound
from isthmus.platform import audit, events
from isthmus.platform.transaction import Event, Transaction


@dataclass(frozen=True, slots=True)
class Following:
    """What became of a recall or correction at one holder."""

    partner: str
    state: str  # asked, done, refused
    code: str
    at: datetime | None


def recall(tx: Transaction, issued: Issued, follows: str) -> list[str]:
    """Send this node's own recall to every partner that holds the item; return who they are."""
    shown = issue.read(issue.present(issued, issued.disclosures), None)
    own = identity.me(tx)["node"]
    if shown.item.originator != own or not follows.startswith(f"{own}:"):
        raise Denied("recall_not_originator", "only the originator recalls an item", item=follows)
    return _follow(tx, issued, shown, follows, None, ())


def pass_on(tx: Transaction, envelope_id: str) -> list[str]:
    """Pass a recall that arrived on to those who got the item from here; return who they are.

    The recall must be of the item's own originator; its terms let it follow every copy.
    """
    opened = inbox.opened(tx, envelope_id)
    item, follows = opened.presented.item, opened.envelope.follows
    if not follows.startswith(f"{item.originator}:"):
        raise Denied("recall_not_originator", "only the originator recalls an item", item=follows)
    chain = [canonical(one) for one in opened.envelope.terms]
    before = terms.unverified(chain[-1])
    return _follow(tx, opened.presented, opened.presented, follows, before, chain)


def _follow(
    tx: Transaction,
    held: Issued | Presented,
    shown: Presented,
    follows: str,
    before: Terms | None,
    chain: Sequence[bytes],
) -> list[str]:
    own = identity.me(tx)["node"]
    told = []
    for copy in copy_store.copies(tx, follows):
        partner = copy["partner"]
        if partner == shown.item.originator or copy["follow_id"] == shown.item.id:
            continue
        relied = _relied(tx, own, partner, copy)
        if relied is None:
            _unfollowed(tx, copy, shown.item.id)
            continue
        asked, decision = _asked(tx, own, partner, copy, shown, relied)
        presented = issue.present(held, shown.paths)
        link = release.terms_for(tx, presented, decision, asked, before=before)
        outbox.put(
            tx, partner, Lane.IMMEDIATE, presented, [*chain, link], decision, asked,
            follows=follows, suspended=True,
        )  # fmt: skip
        copy_store.change_copy(
            tx, follows, partner, follow_id=shown.item.id, follow_state="asked", follow_code=None,
            follow_at=tx.now,
        )  # fmt: skip
        told.append(partner)
    audit.record(tx, "node", "item.followed", "item", follows, by=shown.item.id, holders=len(told))
    return told


def _relied(tx: Transaction, own: str, partner: str, copy: Row) -> tuple[Released, Purpose] | None:
    """Return by which clause and for which purpose a copy went, whether or not that still stands.

    Where what was sent is erased here, any clause between the two: a recall needs none to pass,
    and follows a copy that this node has no more. Nothing without an agreement between the two.
    """
    try:
        sent = inbox.opened(tx, copy["envelope_id"]).envelope
    except Erased:
        row = post_store.by_id(tx, copy["envelope_id"])
        clause = next(iter(service.clauses_between(tx, own, partner, tx.now)), None)
        if clause is None or row is None:
            return None
        return Released(clause.citation, clause.agreement_hash), Purpose(row["purpose"])
    basis = sent.basis[0]
    cited = Released(f"{basis.agreement}/{basis.clause}", basis.agreement_hash)
    return cited, Purpose(sent.asked.purpose)


def _unfollowed(tx: Transaction, copy: Row, recall_id: str) -> None:
    """Note that a recall cannot follow a copy, so that whoever looks sees by whom it is held."""
    about, partner = copy["item_id"], copy["partner"]
    copy_store.change_copy(
        tx, about, partner, follow_id=recall_id, follow_state=copy_store.WITHHELD,
        follow_code=None, follow_at=tx.now,
    )  # fmt: skip
    events.emit(tx, "recall.withheld", about, partner=partner, recall=recall_id)


def _asked(
    tx: Transaction,
    own: str,
    partner: str,
    copy: Row,
    shown: Presented,
    relied: tuple[Released, Purpose],
) -> tuple[Asked, Decision]:
    given, purpose = relied
    duties = Duties(onward=Onward(_onward(tx, copy), consent=False))
    decision = Decision(dict.fromkeys(shown.paths, given), {}, duties)
    return Asked(own, partner, purpose, Mode.SPONTANEOUS), decision


def _onward(tx: Transaction, copy: Row) -> frozenset[str]:
    """To whom the holder of a copy was ever allowed to pass the item on.

    A recall follows it there, and names nobody else: who has the item besides, and who this node's
    partners are, is not for every holder to know.
    """
    known = terms.unverified(copy["terms"]).onward
    for envelope_id in copy_store.earlier(tx, copy):
        try:
            said = inbox.opened(tx, envelope_id).envelope.terms[-1]
        except Erased:
            continue
        known |= terms.unverified(canonical(said)).onward
    return known


def acted(tx: Transaction, envelope_id: str, outcome: str, code: str = "") -> str:
    """Tell the sender what became of a recall or correction here, and at those it was passed to.

    ``outcome`` is done, or refused with the named reason: evidence held for a court is not
    erased by a recall. Holders further on who have not answered are named in the receipt.
    """
    if outcome not in ("done", "refused"):
        raise Invalid("outcome_unknown", "done or refused", outcome=outcome)
    post_store.change(tx, envelope_id, code=f"{outcome} {code}".strip())
    events.emit(tx, "recall.acted", envelope_id, outcome=outcome, code=code)
    return _report(tx, envelope_id)


def _report(tx: Transaction, envelope_id: str) -> str:
    row = post_store.by_id(tx, envelope_id)
    if row is None:
        raise NotFound("envelope_unknown", "no such envelope", envelope=envelope_id)
    outcome, _, code = str(row["code"]).partition(" ")
    follows = inbox.opened(tx, envelope_id).envelope.follows
    open_ = [one.partner for one in following(tx, follows) if one.state == "asked"]
    waiting = f"waiting {','.join(open_)}" if open_ else ""
    told = "; ".join(part for part in (code, waiting) if part)
    return receipts.tell(tx, envelope_id, ReceiptKind.ACTED, outcome, told)


def answered(tx: Transaction, event: Event) -> None:
    """A holder further on answered: whoever sent the recall here hears who is still waited for.

    A reaction to ``envelope.acted``.
    """
    sent = post_store.by_id(tx, event.object_id)
    if sent is None:
        return
    for row in post_store.arrived(tx, sent["item_id"]):
        if row["code"] is not None:  # acted on here, too
            _report(tx, row["id"])


def following(tx: Transaction, item_id: str) -> list[Following]:
    """Return what each holder of an item did about its newest recall or correction."""
    return [
        Following(row["partner"], row["follow_state"], row["follow_code"] or "", row["follow_at"])
        for row in copy_store.copies(tx, item_id)
        if row["follow_id"] is not None
    ]
