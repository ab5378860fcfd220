"""Hand over: a person sends what they looked at, and nothing that came about since.

The composer shows what a partner would get. Between the look and the act an agreement may have
been changed, the item corrected, a condition added: then the act is refused and looked at again.
Data about persons go only by the hand of somebody who opened them, which is logged.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from isthmus.access.gate import check
from isthmus.access.model import Actor, Permission
from isthmus.agreements.model import Duties
from isthmus.exchange.model import Lane
from isthmus.flow import share
from isthmus.flow.share import Said, Sent, View
from isthmus.flow.sharing.shareable import shareable
from isthmus.intelligence import reading, schema
from isthmus.intelligence.model import Item
from isthmus.kernel.canonical import canonical
from isthmus.kernel.errors import Conflict, NotFound
from isthmus.platform.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Looked:
    """What the composer shows of an item: the item without persons unless they were opened."""

    item: Item
    said: Said
    views: tuple[View, ...]
    opened: bool = False

    def token(self, view: View) -> str:
        """Name what a look showed of one partner: the same only as long as the same would go."""
        return _token(self.item, self.said, view)


@dataclass(frozen=True, slots=True)
class Order:
    """To whom, what is kept back, how soon; and which look the sender acts on."""

    partner: str
    lane: Lane = Lane.ROUTINE
    without: frozenset[str] = frozenset()
    token: str | None = None  # none: the sender acts on no look, and takes what is decided now
    shown_without: frozenset[str] = frozenset()  # what was kept back when it was looked at
    reason: str | None = field(default=None, repr=False)  # why persons are opened, without a task
    consents: tuple[bytes, ...] = ()  # of the originator, where a partner's item is passed on


def item(tx: Transaction, actor: Actor, item_id: str) -> Item:
    """Return an item as it could be shared; raises ``NotFound`` and ``Conflict``."""
    return shareable(tx, actor, item_id).item


def look(
    tx: Transaction, actor: Actor, item_id: str, said: Said, consents: Sequence[bytes] = ()
) -> Looked:
    """Return what each trusted partner would get; values about persons stay closed."""
    known = shareable(tx, actor, item_id).item
    return Looked(known, said, tuple(share.compose(tx, actor, item_id, said, consents)))


def look_opened(
    tx: Transaction,
    actor: Actor,
    item_id: str,
    said: Said,
    reason: str | None,
    consents: Sequence[bytes] = (),
) -> Looked:
    """The same with values about persons, for a purpose and logged. Needs a writing transaction."""
    check(tx, actor, Permission.ITEM_PERSONS, object_id=item_id)
    reading.open_persons(tx, actor, item_id, reason)
    known = shareable(tx, actor, item_id).item
    views = tuple(share.compose(tx, actor, known, said, consents))
    return Looked(known, said, views, opened=True)


def hand_over(tx: Transaction, actor: Actor, item_id: str, said: Said, order: Order) -> Sent:
    """Send a partner what was looked at.

    Raises ``Conflict`` (``look_changed``) when more or other paths would go than were shown, and
    (``all_kept_back``) when nothing is left; ``PurposeNeeded`` when paths about persons would go
    and nobody opened them; and whatever ``share.send`` raises.
    """
    check(tx, actor, Permission.ITEM_SEND, object_id=item_id)
    looked = look(tx, actor, item_id, said, order.consents)
    view = next((one for one in looked.views if one.partner == order.partner), None)
    if view is None:
        raise NotFound("partner_unknown", "no such partner is trusted", partner=order.partner)
    shown = order.token is None or order.token == looked.token(view)
    if not shown or not order.shown_without <= order.without:
        raise Conflict(
            "look_changed", "not what was looked at goes now", item=item_id, partner=order.partner
        )
    if view.decision.released and view.decision.released.keys() <= order.without:
        raise Conflict(
            "all_kept_back", "all that might go is kept back", item=item_id, partner=order.partner
        )
    if personal_going(looked.item, view, order.without):
        check(tx, actor, Permission.ITEM_PERSONS, object_id=item_id)
        reading.open_persons(tx, actor, item_id, order.reason)
    return share.send(
        tx, actor, item_id, order.partner, said, lane=order.lane, without=order.without,
        consents=order.consents,
    )  # fmt: skip


def personal_going(item: Item, view: View, without: Collection[str]) -> bool:
    """Whether anything about persons would go."""
    released = view.decision.released.keys() - set(without)
    return not released.isdisjoint(schema.personal_paths(item))


def _token(item: Item, said: Said, view: View) -> str:
    values = item.paths()
    seen = {
        "item": item.id,
        "version": item.version,
        "partner": view.partner,
        "said": [said.purpose, said.mode, sorted(said.conditions), sorted(said.uses)],
        "goes": [
            [path, answer.citation, answer.agreement_hash, values[path]]
            for path, answer in sorted(view.decision.released.items())
        ],
        "duties": _owed(view.duties),
    }
    return sha256(canonical(seen)).hexdigest()[:24]


def _owed(duties: Duties) -> list[object]:
    times = (duties.keep_for, duties.feedback_within)
    return [
        sorted(duties.handling),
        sorted(duties.onward.nodes),
        duties.onward.consent,
        [None if one is None else one.total_seconds() for one in times],
        sorted(duties.never_for),
    ]
