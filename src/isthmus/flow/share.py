"""Share: what each partner would get of an item, path by path, and why not; and sending it.

``compose`` only reads and decides. ``send`` is a person's act: it decides again, signs the terms
and puts the envelope in the outbox, all in the caller's transaction. What a clause marked automatic
lets pass the node sends by itself (``send_automatically``), and never anything about persons.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import RowMapping

from isthmus.access.gate import check, scope
from isthmus.access.model import Actor, Permission, Purpose
from isthmus.agreements import service
from isthmus.agreements.decide import decide
from isthmus.agreements.model import Asked, Decision, Duties, Mode, Released, Withheld
from isthmus.agreements.prohibitions import overlay
from isthmus.cases import share_store
from isthmus.exchange import issue, issued, outbox, release
from isthmus.exchange.issue import Issued, Presented
from isthmus.exchange.model import Lane
from isthmus.exchange.trust import identity, partners
from isthmus.flow.sharing import went
from isthmus.flow.sharing.shareable import Shareable, shareable
from isthmus.intelligence import schema
from isthmus.intelligence.model import Item
from isthmus.kernel.errors import Denied
from isthmus.platform import audit, events
from isthmus.platform.transaction import Transaction

# What the node sends by itself it sends for the work of the desks, and never for an exercise.
FOR_WORK = (Purpose.TARGETING, Purpose.INSPECTION)


@dataclass(frozen=True, slots=True)
class Said:
    """What a person states with a share, on record: how it comes about and what it is for."""

    purpose: Purpose = Purpose.TARGETING
    conditions: frozenset[str] = frozenset()  # code list share_conditions
    uses: frozenset[str] = frozenset()
    mode: Mode = Mode.SPONTANEOUS


@dataclass(frozen=True, slots=True)
class Line:
    """One path for one partner: the value, the answer, and what it got there last."""

    path: str
    value: Any  # null where it is about persons and was not opened
    hidden: bool
    answer: Released | Withheld
    change: str = ""  # new, changed, same or gone against what it got last; empty: never went


@dataclass(frozen=True, slots=True)
class View:
    """What one partner would get of an item."""

    partner: str
    decision: Decision
    lines: tuple[Line, ...]
    last_version: int | None = None  # of the item, as the partner got it last

    @property
    def duties(self) -> Duties:
        """What the partner would owe: handling, onward use, how long it keeps, feedback."""
        return self.decision.duties


@dataclass(frozen=True, slots=True)
class Sent:
    """What went: the envelope, and the decision by which it went."""

    envelope: str
    decision: Decision
    paths: tuple[str, ...] = field(default=())


# -- composing ----------------------------------------------------------------------------


def compose(
    tx: Transaction,
    actor: Actor,
    item: str | Item,
    said: Said | None = None,
    consents: Sequence[bytes] = (),
) -> list[View]:
    """Return what every trusted partner would get of an item, by the partner's code.

    Named by its id, an item shows no values about persons; who opened those, or is drafting it,
    hands the item itself over. Raises ``NotFound``, and ``Erased`` where nothing of it is kept.
    """
    check(tx, actor, Permission.ITEM_READ)
    said = said or Said()
    known = shareable(tx, actor, item if isinstance(item, str) else item.id, item, consents)
    hidden = schema.personal_paths(known.item) if isinstance(item, str) else ()
    own = identity.me(tx)["node"]
    return [
        _view(tx, known, Asked(own, code, said.purpose, said.mode, said.conditions, said.uses),
              frozenset(hidden))
        for code in _trusted(tx, actor)
    ]  # fmt: skip


def _trusted(tx: Transaction, actor: Actor) -> list[str]:
    return sorted(one.code for one in partners.directory(tx, actor) if one.trusted)


def _view(tx: Transaction, known: Shareable, asked: Asked, hidden: frozenset[str]) -> View:
    asked = known.stated(asked)
    decision = decided(tx, known, asked)
    version, before = went.last(tx, known.item.id, asked.recipient)
    answers: dict[str, Released | Withheld] = {**decision.released, **decision.withheld}
    lines = []
    for path, value in known.item.paths().items():
        answer = answers[path]
        change = went.change(path, value, before, goes=isinstance(answer, Released))
        secret = path in hidden
        lines.append(Line(path, None if secret else value, secret, answer, change))
    return View(asked.recipient, decision, tuple(lines), version)


def decided(tx: Transaction, known: Shareable, asked: Asked) -> Decision:
    """Decide by the clauses between the two, this node's overlay and the originator's terms."""
    clauses = service.clauses_between(tx, asked.sender, asked.recipient, tx.now)
    decision = decide(clauses, overlay(tx), known.item, asked, tx.now)
    return known.narrowed(decision, asked)


def waiting(tx: Transaction, actor: Actor, limit: int = 200) -> list[RowMapping]:
    """Return what was learned and waits for a person to share it, the newest first.

    An entry without an item (``item_id``) is one that a person words first; ``item_kind`` is what
    would tell it, and ``unit_id`` the consignment it is about.
    """
    check(tx, actor, Permission.ITEM_READ)
    return share_store.waiting(tx, scope(actor, Permission.ITEM_READ), limit)


# -- sending ------------------------------------------------------------------------------


def send(
    tx: Transaction,
    actor: Actor,
    item_id: str,
    partner: str,
    said: Said | None = None,
    *,
    lane: Lane = Lane.ROUTINE,
    without: Iterable[str] = (),
    consents: Sequence[bytes] = (),
) -> Sent:
    """Send a partner what the agreements release of an item; a person's act.

    ``without`` are paths the sender keeps back although they might go, ``consents`` those of the
    originator where a partner's item is passed on. Raises ``Denied`` with the
    code of what lacks when nothing may go; then nothing is told, not even that the item exists.
    """
    check(tx, actor, Permission.ITEM_SEND, object_id=item_id)
    said = said or Said()
    if said.mode is Mode.AUTOMATIC:
        raise Denied("mode_not_allowed", "what a person sends is not automatic", item=item_id)
    known = shareable(tx, actor, item_id, consents=consents)
    return _send(tx, actor, known, partner, said, lane, frozenset(without), consents)


def _send(
    tx: Transaction,
    actor: Actor,
    known: Shareable,
    partner: str,
    said: Said,
    lane: Lane,
    without: frozenset[str],
    consents: Sequence[bytes] = (),
) -> Sent:
    item, own = known.item, identity.me(tx)["node"]
    partners.trusted(tx, partner)
    asked = known.stated(Asked(own, partner, said.purpose, said.mode, said.conditions, said.uses))
    decision = decided(tx, known, asked)
    service.note_withheld(tx, decision, item, partner)
    paths = tuple(path for path in item.paths() if path in decision.released.keys() - without)
    if not paths:
        raise _nothing(decision, item, partner)
    personal = set(schema.personal_paths(item)) & set(paths)
    if personal:
        check(tx, actor, Permission.ITEM_PERSONS, object_id=item.id)
    presented = issue.present(_record(tx, known, partner, decision), paths)
    expires_at = known.expires_at
    link = release.terms_for(
        tx, presented, decision, asked, before=known.before, expires_at=expires_at
    )
    envelope = outbox.put(
        tx, partner, lane, presented, [*known.chain, link], decision, asked,
        consents=consents, expires_at=expires_at,
    )  # fmt: skip
    _told(tx, actor, item, Sent(envelope, decision, paths), asked, len(personal))
    return Sent(envelope, decision, paths)


def _record(
    tx: Transaction, known: Shareable, partner: str, decision: Decision
) -> Issued | Presented:
    """Return the signed record a partner gets its part of: one for all, unless a clause demands
    an issue of its own. That only the originator can make, so a partner's item does not go then."""
    separate = decision.duties.separate_issue
    if known.presented is None:
        return issued.issued(tx, known.item, partner if separate else issued.EVERYBODY)
    if separate:
        raise Denied(
            "separate_issue_impossible",
            "a clause demands an issue of its own, which only the originator makes",
            item=known.item.id,
            recipient=partner,
        )
    return known.presented


def _nothing(decision: Decision, item: Item, partner: str) -> Denied:
    """Name what lacks for the path that is nearest to going."""
    first = next(iter(decision.withheld.values()), None)
    return Denied(
        first.code if first else "nothing_released",
        "nothing of this item may go to this partner",
        item=item.id,
        recipient=partner,
        clause=first.clause if first else None,
    )


def _told(
    tx: Transaction, actor: Actor, item: Item, sent: Sent, asked: Asked, personal: int
) -> None:
    audit.record(
        tx,
        actor.id,
        "item.send",
        "item",
        item.id,
        agency=actor.agency,
        partner=asked.recipient,
        envelope=sent.envelope,
        version=item.version,
        purpose=asked.purpose.value,
        mode=asked.mode.value,
        conditions=sorted(asked.conditions),
        clauses=sorted({sent.decision.released[path].citation for path in sent.paths}),
        released=len(sent.paths),
        withheld=len(sent.decision.withheld),
        personal=personal,
    )
    events.emit(
        tx,
        "item.sent",
        item.id,
        partner=asked.recipient,
        envelope=sent.envelope,
        version=item.version,
        mode=asked.mode.value,
    )


def send_automatically(tx: Transaction, actor: Actor, item_id: str) -> list[Sent]:
    """Send an own item wherever a clause marked automatic lets something of it pass.

    No path about persons goes by that. A partner that holds this version already gets nothing.
    """
    known = shareable(tx, actor, item_id)
    own = identity.me(tx)["node"]
    if known.item.originator != own:
        return []
    sent = []
    for code in _trusted(tx, actor):
        for purpose in FOR_WORK:
            said = Said(purpose, mode=Mode.AUTOMATIC)
            asked = Asked(own, code, purpose, Mode.AUTOMATIC)
            if went.last(tx, item_id, code)[0] == known.item.version:
                break
            if not decided(tx, known, asked).nothing:
                sent.append(_send(tx, actor, known, code, said, Lane.ROUTINE, frozenset()))
    return sent
