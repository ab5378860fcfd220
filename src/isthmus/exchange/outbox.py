"""The outbox: what is to reach a partner stands here, sealed in its place, before anybody is told.

An envelope gets its place in the chain when it is put, in the caller's transaction. What is
stopped before the partner has it gives its place up, and so does everything behind it: each is
sealed anew, after the last envelope that the partner acknowledged, when it is about to leave.
What it was before is kept, because a request whose answer was lost may have brought it there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from isthmus.agreements.model import Asked, Decision
from isthmus.exchange import copy_store, envelope, issue, post_store, vault
from isthmus.exchange.envelope import Envelope
from isthmus.exchange.model import Direction, EnvelopeState, Head, Lane, start_of
from isthmus.exchange.policy import HELD, PASS, REFUSED, Policy, Verdict
from isthmus.exchange.proof import ledger
from isthmus.exchange.tables import Row
from isthmus.exchange.trust import identity, partners
from isthmus.exchange.trust.signing import Signer, Statement
from isthmus.intelligence.model import Item
from isthmus.kernel.errors import Erased, Invalid
from isthmus.kernel.ids import new_id
from isthmus.platform import audit, events
from isthmus.platform.transaction import Transaction

OUT = Direction.OUT.value


def put(
    tx: Transaction,
    partner: str,
    lane: Lane,
    presented: bytes,
    terms: Sequence[bytes],
    decision: Decision,
    asked: Asked,
    *,
    consents: Sequence[bytes] = (),
    expires_at: datetime | None = None,
    follows: str = "",
    suspended: bool = False,
) -> str:
    """Put a presented item in the outbox; return the envelope's id.

    ``terms`` is the chain of release terms, last link signed by this node for this partner.
    Every path shown must be released by the decision; raises ``Denied`` otherwise, and when the
    partner is not trusted. A suspended one keeps what waits and takes nothing new, but for
    recalls (``suspended``), which wait for it with the rest.
    """
    if not suspended:
        partners.trusted(tx, partner)
    own = identity.signer(tx)
    if (asked.sender, asked.recipient) != (own.node, partner):
        raise Invalid("asked_wrong", "decided for another sender or recipient", partner=partner)
    shown = issue.read(presented, None)
    made = Envelope(
        asked=asked,
        lane=lane,
        epoch=0,
        sequence=0,
        previous=b"",
        made_at=tx.now,
        expires_at=expires_at,
        handling=frozenset(decision.duties.handling),
        basis=envelope.basis_of(decision.released, list(shown.paths)),
        item=presented,
        terms=tuple(orjson.loads(one) for one in terms),
        consents=tuple(orjson.loads(one) for one in consents),
        follows=follows,
    )
    tx.lock([f"channel/{partner}/{lane.value}"])
    envelope_id = _move(tx, made, _seal(tx, own, made), shown.item)
    _note_copy(tx, envelope_id, shown.item, partner, terms[-1])
    tx.after_commit(tx.wake)
    return envelope_id


@dataclass(frozen=True, slots=True)
class _Sealed:
    """An envelope in the place after the head of its chain, and how it is kept."""

    id: str
    envelope: Envelope
    statement: Statement
    kept: Mapping[str, bytes]


def _seal(tx: Transaction, own: Signer, made: Envelope) -> _Sealed:
    """Seal an envelope in the next place of its chain."""
    sealed = made.at(head_of(tx, made.asked.recipient, made.lane), tx.now)
    statement = envelope.seal(sealed, own)
    envelope_id = new_id("env")
    return _Sealed(envelope_id, sealed, statement, vault.lock(tx.keys, envelope_id, statement.raw))


def _move(tx: Transaction, made: Envelope, sealed: _Sealed, item: Item) -> str:
    """Enter what was sealed, move the chain's head on to it and note it in the ledger.

    Behind what waits for a place it takes none either: the order of a lane is kept.
    """
    partner, lane, statement = made.asked.recipient, made.lane, sealed.statement
    placed = not post_store.unplaced(tx, partner, lane.value)
    row = {
        "id": sealed.id,
        **place_of(OUT, partner, sealed.envelope, statement),
        **({} if placed else {"sequence": None}),
        "item_id": item.id,
        "item_version": item.version,
        "item_kind": item.kind.value,
        "originator": item.originator,
        "purpose": made.asked.purpose.value,
        "state": EnvelopeState.WAITING.value,
        "code": None,
        "expires_at": made.expires_at,
        "at": tx.now,
        "settled_at": None,
        "receipt_id": None,
        **sealed.kept,
        "erasure_id": None,
    }
    post_store.insert(tx, [row])
    if placed:
        head = Head(sealed.envelope.epoch, sealed.envelope.sequence, statement.hash)
        _set_head(tx, partner, lane, head)
        entry = ledger.entry(envelope.KIND, sealed.id, sealed.kept["salt"], statement.hash, tx)
        ledger.append(tx, [entry])
    return sealed.id


def _note_copy(tx: Transaction, envelope_id: str, item: Item, partner: str, link: bytes) -> None:
    """Note which version the partner will hold, and under which terms: recalls go after it."""
    row = {
        "item_id": item.id,
        "partner": partner,
        "item_version": item.version,
        "envelope_id": envelope_id,
        "terms": link,
        "at": tx.now,
        "follow_id": None,
        "follow_state": None,
        "follow_code": None,
        "follow_at": None,
    }
    copy_store.put_copy(tx, row)


def place_of(
    direction: str, partner: str, sealed: Envelope, statement: Statement
) -> dict[str, Any]:
    """Return the columns that say where an envelope stands."""
    return {
        "direction": direction,
        "partner": partner,
        "lane": sealed.lane.value,
        "epoch": sealed.epoch,
        "sequence": sealed.sequence,
        "hash": statement.hash,
    }


def head_of(tx: Transaction, partner: str, lane: Lane) -> Head:
    """Return the end of the chain to a partner on a lane."""
    me = identity.me(tx)
    row = post_store.channel(tx, OUT, partner, lane.value)
    if row is None or row["epoch"] != me["epoch"]:
        return start_of(me["node"], partner, lane, me["epoch"])
    return Head(row["epoch"], row["sequence"], row["hash"])


def stop(tx: Transaction, partner: str, lane: Lane, stopped: Mapping[str, str]) -> None:
    """Stop envelopes that wait (id → code): they no longer leave, and the ledger says so."""
    states = {
        name: EnvelopeState.EXPIRED if code == "expired" else EnvelopeState.STOPPED
        for name, code in stopped.items()
    }
    _take_out(tx, partner, lane, stopped, states)


def hold(tx: Transaction, partner: str, lane: Lane, held: Mapping[str, str]) -> None:
    """Hold envelopes that wait (id → code) until the two sides agree on what they stand on.

    They give their place up, so that nothing waits behind them, and take one again later.
    """
    _take_out(tx, partner, lane, held, dict.fromkeys(held, EnvelopeState.HELD))


def _take_out(
    tx: Transaction,
    partner: str,
    lane: Lane,
    codes: Mapping[str, str],
    states: Mapping[str, EnvelopeState],
) -> None:
    tx.lock([f"channel/{partner}/{lane.value}"])
    for envelope_id, code in codes.items():
        row = post_store.by_id(tx, envelope_id)
        if row is None or row["state"] != EnvelopeState.WAITING.value:
            continue
        state = states[envelope_id]
        post_store.keep_earlier(tx, envelope_id)
        post_store.change(
            tx, envelope_id, state=state.value, code=code, sequence=None, settled_at=tx.now
        )
        ledger.note(tx, state.value, envelope_id, row["hash"])
        audit.record(tx, "node", f"envelope.{state.value}", "envelope", envelope_id, code=code)
        events.emit(tx, f"envelope.{state.value}", envelope_id, partner=partner, code=code)
    rebase(tx, partner, lane, acknowledged(tx, partner, lane))


def reconsider(tx: Transaction, policy: Policy) -> int:
    """Look again at what is held here, after agreements changed; return how many go on.

    What may leave now waits again, in the order in which it was put; what no longer may is
    stopped.
    """
    moved = 0
    stopped: dict[tuple[str, Lane], dict[str, str]] = {}
    for row in post_store.held(tx, leaving=True):
        try:
            verdict = policy.dispatch(tx, envelope.reopen(vault.unlock(tx.keys, row["id"], row)))
        except Erased as error:
            verdict = Verdict(REFUSED, error.code)
        if verdict.outcome == HELD:
            continue
        waits = {"state": EnvelopeState.WAITING.value, "code": None, "settled_at": None}
        post_store.change(tx, row["id"], **waits)
        lane = stopped.setdefault((row["partner"], Lane(row["lane"])), {})
        if verdict.outcome == PASS:
            moved += 1
        else:
            lane[row["id"]] = verdict.code
    for (partner, at), codes in stopped.items():
        stop(tx, partner, at, codes)
    return moved


def acknowledged(tx: Transaction, partner: str, lane: Lane) -> Head:
    """Return the last place of a chain that the partner has acknowledged."""
    me = identity.me(tx)
    row = post_store.settled_head(tx, partner, lane.value, me["epoch"])
    if row is None:
        return start_of(me["node"], partner, lane, me["epoch"])
    return Head(row["epoch"], row["sequence"], row["hash"])


def rebase(tx: Transaction, partner: str, lane: Lane, head: Head) -> None:
    """Let the chain go on from this head: whatever waits gives its place up, and gets one anew
    when it is about to leave, so that a long backlog costs nothing now."""
    tx.lock([f"channel/{partner}/{lane.value}"])
    post_store.give_up_places(tx, partner, lane.value)
    _set_head(tx, partner, lane, head)
    tx.after_commit(tx.wake)


def place(tx: Transaction, partner: str, lane: Lane, most: int) -> None:
    """Give the oldest of what waits without a place its place in the chain, sealed anew."""
    tx.lock([f"channel/{partner}/{lane.value}"])
    own, head = identity.signer(tx), head_of(tx, partner, lane)
    entries = []
    for row in post_store.waiting(tx, partner, lane.value, most):
        if row["sequence"] is None:
            head, one = _seal_anew(tx, own, row, head)
            entries.append(one)
    ledger.append(tx, entries)
    _set_head(tx, partner, lane, head)


def _seal_anew(tx: Transaction, own: Signer, row: Row, head: Head) -> tuple[Head, dict[str, Any]]:
    made, _ = envelope.parse(vault.unlock(tx.keys, row["id"], row))
    sealed = made.at(head, tx.now)
    statement = envelope.seal(sealed, own)
    kept = vault.lock(tx.keys, row["id"], statement.raw)
    post_store.change(
        tx,
        row["id"],
        epoch=sealed.epoch,
        sequence=sealed.sequence,
        hash=statement.hash,
        **kept,
    )
    entry = ledger.entry(envelope.KIND, row["id"], kept["salt"], statement.hash, tx)
    return Head(sealed.epoch, sealed.sequence, statement.hash), entry


def _set_head(tx: Transaction, partner: str, lane: Lane, head: Head) -> None:
    post_store.move(
        tx,
        {
            "direction": OUT,
            "partner": partner,
            "lane": lane.value,
            "epoch": head.epoch,
            "sequence": head.sequence,
            "hash": head.hash,
        },
    )
