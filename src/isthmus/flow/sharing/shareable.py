"""An item as this node could share it: its own, or a partner's under that partner's terms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from isthmus.access.gate import check
from isthmus.access.model import Actor, Permission
from isthmus.agreements.model import Asked, Decision, Released, Withheld
from isthmus.exchange import inbox, post_store
from isthmus.exchange import terms as terms_
from isthmus.exchange.issue import Presented
from isthmus.exchange.terms import Terms
from isthmus.exchange.trust import identity, partners
from isthmus.intelligence import keeping, store
from isthmus.intelligence.keeping import Came, ItemState
from isthmus.intelligence.model import Item
from isthmus.kernel.canonical import canonical
from isthmus.kernel.errors import Conflict, NotFound
from isthmus.platform.transaction import Transaction

# The condition that lifts the overlay's rule on what another node originated.
TERMS = "originator_terms"
# Why a partner's item stays whose terms want a consent that is not here.
CONSENT = "consent_missing"


@dataclass(frozen=True, slots=True)
class Shareable:
    """An item, and for a partner's item the signed record and the terms by which it came."""

    item: Item
    presented: Presented | None = None
    chain: tuple[bytes, ...] = ()
    before: Terms | None = None
    consented: Mapping[str, frozenset[str]] = field(default_factory=dict)  # paths, by recipient

    @property
    def expires_at(self) -> datetime | None:
        """Until when a recipient may use it: as the item says, or its originator sooner."""
        came = Came(use_until=self.before.expires_at if self.before else None)
        return keeping.expiry(self.item, came)

    def stated(self, asked: Asked) -> Asked:
        """State as met what the originator's terms show, and never on a person's word alone."""
        before = self.before
        if before is None:
            return asked
        conditions = asked.conditions - {TERMS}
        if asked.recipient in before.onward and asked.purpose.value in before.purposes:
            conditions |= {TERMS}
        return replace(asked, conditions=conditions)

    def narrowed(self, decision: Decision, asked: Asked) -> Decision:
        """Hold a decision within the originator's terms: what they do not allow stays."""
        if self.before is None:
            return decision
        allowed = asked.recipient in self.before.onward
        allowed = allowed and asked.purpose.value in self.before.purposes
        consented = self.consented.get(asked.recipient, frozenset())
        released: dict[str, Released] = {}
        withheld = dict(decision.withheld)
        for path, answer in decision.released.items():
            if not allowed or path not in self.before.paths:
                detail = {"prohibition": "originator-terms", "ground": "originator_terms"}
                withheld[path] = Withheld("prohibited", detail, answer.citation)
            elif self.before.consent and path not in consented:
                detail = {"sender": self.item.originator, "recipient": asked.recipient}
                withheld[path] = Withheld(CONSENT, detail, answer.citation)
            else:
                released[path] = answer
        return replace(decision, released=released, withheld=withheld)


def shareable(
    tx: Transaction,
    actor: Actor,
    item_id: str,
    drafted: Item | str | None = None,
    consents: Sequence[bytes] = (),
) -> Shareable:
    """Return an item that stands here, as it could be shared.

    A drafted item that is not kept yet stands for itself. ``consents`` are those of a partner's
    item's originator. Raises ``NotFound``, ``Conflict`` for what is recalled, erased or expired,
    and ``Invalid`` or ``Denied`` for a consent that is none.
    """
    check(tx, actor, Permission.ITEM_READ, object_id=item_id)
    row = store.item(tx, item_id)
    if row is None:
        if isinstance(drafted, Item):
            return Shareable(drafted)
        raise NotFound("item_unknown", "no such item", item=item_id)
    if row["state"] in (ItemState.RECALLED, ItemState.ERASED, ItemState.EXPIRED):
        raise Conflict("item_over", "the item is recalled, erased or expired", item=item_id)
    if row["own"]:
        item = keeping.load(tx, store.copies_of(tx, item_id)[-1])
        return Shareable(drafted if isinstance(drafted, Item) else item)
    return _of_partner(tx, item_id, consents)


def _of_partner(tx: Transaction, item_id: str, consents: Sequence[bytes]) -> Shareable:
    """Return a partner's item as it came last: its record can only be passed on as it stands."""
    arrived = post_store.arrived(tx, item_id)
    if not arrived:
        raise NotFound("item_unknown", "no such item", item=item_id)
    newest = max(arrived, key=lambda row: (row["item_version"], row["at"]))
    opened = inbox.opened(tx, newest["id"])
    chain = tuple(canonical(one) for one in opened.envelope.terms)
    shown = opened.presented
    given = terms_.consented(
        consents,
        item_id,
        shown.digest,
        identity.me(tx)["node"],
        partners.keys_of(tx, shown.item.originator),
        tx.now,
    )
    return Shareable(shown.item, shown, chain, terms_.unverified(chain[-1]), given)
