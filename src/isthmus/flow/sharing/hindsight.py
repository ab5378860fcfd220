"""Hindsight: what a change of clauses or of the overlay would have altered in the last real shares.

It is shown before anybody approves the change. Each share is decided twice at the moment at which
it was made, by what stands now and by what would stand; nothing is changed by looking.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from isthmus.access.gate import check, scope
from isthmus.access.model import Actor, Permission
from isthmus.agreements import examples, service
from isthmus.agreements import store as agreements
from isthmus.agreements.effect import Effect, Share, effect
from isthmus.agreements.model import InForce, Prohibition
from isthmus.agreements.prohibitions import overlay
from isthmus.agreements.reading import read_kept
from isthmus.exchange import inbox, traffic
from isthmus.exchange.tables import Row
from isthmus.intelligence import keeping, store
from isthmus.intelligence.model import Item
from isthmus.kernel.errors import Conflict, Erased
from isthmus.platform.transaction import Transaction

SHARES = 200  # the last so many, where nobody says how many
MOST = 1_000


@dataclass(frozen=True, slots=True)
class Seen:
    """What a change would have altered, in how many shares from when on."""

    effect: Effect
    since: datetime | None  # of the oldest share looked at; none: nothing was shared yet
    gone: int  # shares of which nothing is kept any more, left out


def of_version(tx: Transaction, actor: Actor, version_id: str, shares: int = SHARES) -> Seen:
    """What this version of an agreement would have altered, in place of the one in force."""
    check(tx, actor, Permission.AGREEMENT_READ, object_id=version_id)
    agreement = read_kept(service.version(tx, actor, version_id)["source"])
    before = service.clauses_in_force(tx, tx.now)
    after = [one for one in before if one.agreement != agreement.id]
    after += [one for one in examples.in_force(agreement) if one.clause.permit is not None]
    return _seen(tx, actor, before, after, shares)


def of_suspension(
    tx: Transaction, actor: Actor, agreement: str, clause: str | None, shares: int = SHARES
) -> Seen:
    """What would have stayed behind without a clause, or without all of an agreement."""
    check(tx, actor, Permission.AGREEMENT_READ, object_id=agreement)
    if agreements.active_of(tx, agreement) is None:
        raise Conflict("state_forbids", "no such agreement is in force", agreement=agreement)
    before = service.clauses_in_force(tx, tx.now)
    gone = f"{agreement}/{clause}"
    after = [
        one
        for one in before
        if (one.citation != gone if clause is not None else one.agreement != agreement)
    ]
    return _seen(tx, actor, before, after, shares)


def of_rule(tx: Transaction, actor: Actor, rule: Prohibition, shares: int = SHARES) -> Seen:
    """What would have stayed behind under one more rule of the overlay."""
    check(tx, actor, Permission.AGREEMENT_READ, object_id=rule.id)
    clauses, standing = service.clauses_in_force(tx, tx.now), overlay(tx)
    others = [one for one in standing if one.id != rule.id]
    past = _Past(tx, actor, shares)
    return past.told(effect((clauses, standing), (clauses, [*others, rule]), past))


def _seen(
    tx: Transaction,
    actor: Actor,
    before: Sequence[InForce],
    after: Sequence[InForce],
    shares: int,
) -> Seen:
    rules, past = overlay(tx), _Past(tx, actor, shares)
    return past.told(effect((before, rules), (after, rules), past))


class _Past:
    """The last shares of this node, newest first, each whole as it was known when it was made."""

    def __init__(self, tx: Transaction, actor: Actor, shares: int) -> None:
        seen = scope(actor, Permission.AGREEMENT_READ)
        self._tx, self._rows = tx, traffic.last_sent(tx, seen, min(shares, MOST))
        self._gone = 0

    def __iter__(self) -> Iterator[Share]:
        for row in self._rows:
            try:
                opened = inbox.opened(self._tx, row["id"])
                whole = self._whole(row, opened.presented.item)
            except Erased:
                self._gone += 1
                continue
            yield whole, opened.envelope.asked, row["at"]

    def _whole(self, row: Row, shown: Item) -> Item:
        """An own item with what stayed behind, too; of a partner's, what it let this node have."""
        for copy in store.copies_of(self._tx, row["item_id"]):
            own = copy["source"] == keeping.OWN and copy["version"] == row["item_version"]
            if own and copy["document_id"]:
                return keeping.load(self._tx, copy)
        return shown

    def told(self, found: Effect) -> Seen:
        """Return the effect with the span of time that was looked at."""
        return Seen(found, self._rows[-1]["at"] if self._rows else None, self._gone)
