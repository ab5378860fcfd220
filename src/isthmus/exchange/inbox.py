"""The inbox: what a partner sends is checked, put on disk, applied once, and receipted.

Everything that needs no database (form, signatures, disclosures, release terms) is checked before
the transaction. Inside it the place in the chain, the caps and the agreements decide. An envelope
that arrived whole in its place always takes that place, and the receipt says what became of it:
delivered, held, or refused by name. One that is malformed, forged or out of place takes none: it
is refused by code and the answer tells the head of the chain, so that the sender can go on.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from isthmus.exchange import envelope, outbox, post_store, receipts, vault
from isthmus.exchange.batch import Reading, directory_keys
from isthmus.exchange.envelope import Envelope, Opened
from isthmus.exchange.model import (
    Direction,
    EnvelopeState,
    Head,
    Lane,
    Partner,
    start_of,
)
from isthmus.exchange.order import Order
from isthmus.exchange.policy import PASS, Policy, Verdict
from isthmus.exchange.proof import ledger
from isthmus.exchange.receipts import Line
from isthmus.exchange.trust import identity, partners
from isthmus.exchange.trust.request import Rate
from isthmus.exchange.verifiers import Verifiers
from isthmus.intelligence.model import ItemKind
from isthmus.kernel.errors import Erased
from isthmus.kernel.ids import new_id
from isthmus.platform import events, telemetry
from isthmus.platform.database import Database
from isthmus.platform.transaction import Transaction

IN = Direction.IN.value
STATES = {
    "pass": EnvelopeState.DELIVERED,
    "held": EnvelopeState.HELD,
    "refused": EnvelopeState.REFUSED,
}
# Codes that speak of an attack or a broken partner rather than of a lost answer.
ALARMING = frozenset(
    {
        "signature_wrong", "key_unknown", "chain_forked", "envelope_misdirected",
        "disclosure_foreign", "item_signature_wrong",
    }
)  # fmt: skip

_log = telemetry.log("exchange.inbox")


@dataclass(slots=True)
class Answer:
    """What the sender is told: a signed receipt, refusals by place in the batch, the heads."""

    receipts: list[bytes] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    heads: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reception:
    """By what means batches are taken in. By itself: one at a time, as from a file."""

    verifiers: Verifiers = field(default_factory=lambda: Verifiers(0))
    order: Order | None = None
    rate: Rate | None = None
    # Whoever reads holds this: two batches read at once are no sooner read, and slow a flash.
    reading: AbstractContextManager[Any] = field(default_factory=nullcontext)


ALONE = Reception()


def receive(
    database: Database,
    policy: Policy,
    sender: str,
    envelopes: Sequence[bytes],
    reception: Reception = ALONE,
) -> Answer:
    """Take a batch of envelopes in; returns once everything acknowledged is on disk.

    Where several are under way, one that came before the one it follows waits for it.
    """
    known, partner = database.read(lambda tx: (directory_keys(tx), partners.trusted(tx, sender)))
    rate, order = reception.rate, reception.order
    if rate is not None:
        rate.take(sender, len(envelopes), partner.caps.rate, database.clock.now())
    reading = Reading(known, partner.caps, sender, database.clock.now())
    with reception.reading:
        opened, refused = reading.batch(envelopes, reception.verifiers)
    if order is None:
        return database.write(lambda tx: _take(tx, policy, sender, opened, refused))
    if opened:
        first = opened[0][1].envelope
        order.wait(sender, lambda: database.read(lambda tx: _follows(tx, sender, first)))
    try:
        return database.write(lambda tx: _take(tx, policy, sender, opened, refused))
    finally:
        order.taken()


def _follows(tx: Transaction, sender: str, made: Envelope) -> bool:
    """Whether nothing is missing before an envelope, or waiting for it would not help."""
    head = head_of(tx, partners.trusted(tx, sender), made.lane)
    return made.epoch != head.epoch or made.sequence <= head.sequence + 1


def _take(
    tx: Transaction,
    policy: Policy,
    sender: str,
    opened: Sequence[tuple[int, Opened]],
    refused: Sequence[dict[str, Any]],
) -> Answer:
    # The work may be run again on PostgreSQL, so what was found before is copied, never changed.
    answer = Answer(refused=list(refused))
    partner = partners.trusted(tx, sender)
    tx.lock([f"inbox/{sender}/{lane}" for lane in {one.envelope.lane.value for _, one in opened}])
    lanes: dict[Lane, _LaneIn] = {}
    for place, one in opened:
        lane = one.envelope.lane
        if lane not in lanes:
            lanes[lane] = _LaneIn(tx, policy, partner, lane)
        code = lanes[lane].take(one)
        if code:
            answer.refused.append({"index": place, "code": code})
    for lane, taken in lanes.items():
        answer.receipts += taken.close()
        answer.heads[lane.value] = taken.head.plain()
    for code in {one["code"] for one in answer.refused} & ALARMING:
        partners.alarm(tx, sender, code)
    if answer.refused:
        codes = sorted({one["code"] for one in answer.refused})
        _log.warning("envelopes_refused", partner=sender, codes=codes)
    return answer


def head_of(tx: Transaction, partner: Partner, lane: Lane) -> Head:
    """Return the end of the chain from a partner on a lane."""
    row = post_store.channel(tx, IN, partner.code, lane.value)
    if row is None or row["epoch"] != partner.epoch:
        return start_of(partner.code, identity.me(tx)["node"], lane, partner.epoch)
    return Head(row["epoch"], row["sequence"], row["hash"])


class _LaneIn:
    """One lane of one partner within one transaction."""

    def __init__(self, tx: Transaction, policy: Policy, partner: Partner, lane: Lane) -> None:
        self.tx, self.policy, self.partner, self.lane = tx, policy, partner, lane
        self.head = head_of(tx, partner, lane)
        self._before = self.head
        self._lines: list[Line] = []
        self._rows: list[dict[str, Any]] = []
        self._entries: list[dict[str, Any]] = []
        self._told: list[events.Told] = []
        self._lookouts: int | None = None

    def take(self, one: Opened) -> str:
        """Take one envelope; return a code when it takes no place."""
        made = one.envelope
        if made.epoch != self.head.epoch:
            return "epoch_closed" if made.epoch < self.head.epoch else "epoch_unknown"
        if made.sequence <= self.head.sequence:
            return self._again(one)
        if made.sequence > self.head.sequence + 1:
            return "sequence_gap"
        if made.previous != self.head.hash:
            return "chain_forked"
        verdict = self._decide(one)
        self._keep(one, verdict)
        self.head = Head(made.epoch, made.sequence, one.hash)
        return ""

    def _again(self, one: Opened) -> str:
        """A place that is taken: the same envelope again is receipted again, another is not."""
        sequence = one.envelope.sequence
        for line in self._lines:
            if line.sequence == sequence:
                return "" if line.hash == one.hash else "sequence_taken"
        rows = post_store.span(
            self.tx, IN, self.partner.code, self.lane.value, self.head.epoch,
            sequence - 1, sequence,
        )  # fmt: skip
        if not rows:
            return "sequence_gap"
        self._lines.append(line_of(rows[0]))
        return "" if rows[0]["hash"] == one.hash else "sequence_taken"

    def _decide(self, one: Opened) -> Verdict:
        made = one.envelope
        if made.expires_at is not None and made.expires_at <= self.tx.now:
            return Verdict("refused", "expired")
        if one.presented.item.kind is ItemKind.ALERT:
            if self._lookouts is None:
                self._lookouts = post_store.open_lookouts(self.tx, self.partner.code)
            if self._lookouts >= self.partner.caps.lookouts:
                return Verdict("refused", "lookouts_too_many")
        verdict = self.policy.receipt(self.tx, one)
        if verdict.outcome == PASS and self._lookouts is not None:
            self._lookouts += one.presented.item.kind is ItemKind.ALERT
        return verdict

    def _keep(self, one: Opened, verdict: Verdict) -> None:
        envelope_id = new_id("env")
        item, made = one.presented.item, one.envelope
        state = STATES[verdict.outcome]
        kept = vault.lock(self.tx.keys, envelope_id, one.statement.raw)
        self._rows.append(
            {
                "id": envelope_id,
                **outbox.place_of(IN, self.partner.code, made, one.statement),
                "item_id": item.id,
                "item_version": item.version,
                "item_kind": item.kind.value,
                "originator": item.originator,
                "purpose": made.asked.purpose.value,
                "state": state.value,
                "code": verdict.code or None,
                "expires_at": made.expires_at,
                "at": self.tx.now,
                "settled_at": self.tx.now,
                "receipt_id": None,
                **kept,
                "erasure_id": None,
            }
        )
        self._entries.append(
            ledger.entry(envelope.KIND, envelope_id, kept["salt"], one.hash, self.tx)
        )
        self._lines.append(Line(made.sequence, one.hash, state.value, verdict.code))
        self._told.append(_told(envelope_id, state, self.partner.code, one))

    def close(self) -> list[bytes]:
        """Write what was taken and return the receipt for it, if there is anything to say."""
        if not self._lines:
            return []
        tx, head = self.tx, self.head
        receipt_id, raw = receipts.write(
            tx, self.partner.code, self.lane.value, head.epoch, self._lines
        )
        for row in self._rows:
            row["receipt_id"] = receipt_id
        post_store.insert(tx, self._rows)
        ledger.append(tx, self._entries)
        if head != self._before:
            post_store.move(
                tx,
                {
                    "direction": IN,
                    "partner": self.partner.code,
                    "lane": self.lane.value,
                    "epoch": head.epoch,
                    "sequence": head.sequence,
                    "hash": head.hash,
                },
            )
        events.emit_all(tx, self._told)
        return [raw]


def line_of(row: Any) -> Line:
    """Return what a receipt says about an envelope that was received."""
    return Line(row["sequence"], row["hash"], row["state"], row["code"] or "")


def _told(envelope_id: str, state: EnvelopeState, partner: str, one: Opened) -> events.Told:
    """Tell the areas above what arrived; what it says they read from the envelope."""
    item = one.presented.item
    if state is not EnvelopeState.DELIVERED:
        return events.Told(f"envelope.{state.value}", envelope_id, {"partner": partner})
    payload = {
        "partner": partner,
        "item": item.id,
        "version": item.version,
        "item_kind": item.kind.value,
        "purpose": one.envelope.asked.purpose.value,
    }
    return events.Told("item.received", envelope_id, payload)


def opened(tx: Transaction, envelope_id: str) -> Opened:
    """Return a received or sent envelope for the areas above, which hold the scope."""
    row = post_store.by_id(tx, envelope_id)
    if row is None or row["body"] is None:
        raise Erased("envelope_erased", "not here any more", envelope=envelope_id)
    return envelope.reopen(vault.unlock(tx.keys, envelope_id, row))


def reconsider(tx: Transaction, policy: Policy, partner: str | None = None) -> int:
    """Look again at what is held, after agreements changed; return how many were applied.

    The sender gets a receipt that says what became of each.
    """
    moved = 0
    for row in post_store.held(tx, partner):
        one = envelope.reopen(vault.unlock(tx.keys, row["id"], row))
        verdict = policy.receipt(tx, one)
        state = STATES[verdict.outcome]
        if state is EnvelopeState.HELD:
            continue
        moved += state is EnvelopeState.DELIVERED
        line = Line(row["sequence"], row["hash"], state.value, verdict.code)
        receipt_id, _ = receipts.write(
            tx, row["partner"], row["lane"], row["epoch"], [line], sent=False
        )
        post_store.change(
            tx, row["id"], state=state.value, code=verdict.code or None, receipt_id=receipt_id,
            settled_at=tx.now,
        )  # fmt: skip
        events.emit_all(tx, [_told(row["id"], state, row["partner"], one)])
    return moved
