"""The outbox: what is to reach a partner stands here, sealed in its place, before anybody is told.

An envelope gets its place in the chain when it is put, in the caller's transaction. What is
stopped before the partner has it gives its place up, and so does everything behind it: each is
sealed anew, after the last envelope that the partner acknowledged, when it is about to leave.
What it was before is kept, because a request whose answer was lost may have brought it there.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from isthmus.agreements.model import Asked, Decision
from isthmus.exchange import (
    copy_store,
    envelope,
    identity,
    issue,
    ledger,
    partners,
    post_store,
    vault,
)
from isthmus.exchange.envelope import Envelope
from isthmus.exchange.model import Direction, EnvelopeState, Head, Lane, start_of
from isthmus.exchange.signing import Signer, Statement
from isthmus.exchange.tables import Row
from isthmus.kernel.errors import Invalid
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
    sealed = made.at(head_of(tx, partner, lane), tx.now)
    statement = envelope.seal(sealed, own)
    envelope_id = new_id("env")
    kept = vault.lock(tx.keys, envelope_id, statement.raw)
    # Behind what waits for a place it takes none either: the order of a lane is kept.
    placed = not post_store.unplaced(tx, partner, lane.value)
    item = shown.item
    post_store.insert(
        tx,
        [
            {
                "id": envelope_id,
                **place_of(OUT, partner, sealed, statement),
                **({} if placed else {"sequence": None}),
                "item_id": item.id,
                "item_version": item.version,
                "item_kind": item.kind.value,
                "originator": item.originator,
                "purpose": asked.purpose.value,
                "state": EnvelopeState.WAITING.value,
                "code": None,
                "expires_at": expires_at,
                "at": tx.now,
                "settled_at": None,
                "receipt_id": None,
                **kept,
                "erasure_id": None,
            }
        ],
    )
    if placed:
        _set_head(tx, partner, lane, Head(sealed.epoch, sealed.sequence, statement.hash))
        entry = ledger.entry(envelope.KIND, envelope_id, kept["salt"], statement.hash, tx)
        ledger.append(tx, [entry])
    copy_store.put_copy(
        tx,
        {
            "item_id": item.id,
            "partner": partner,
            "item_version": item.version,
            "envelope_id": envelope_id,
            "terms": terms[-1],
            "at": tx.now,
            "follow_id": None,
            "follow_state": None,
            "follow_code": None,
            "follow_at": None,
        },
    )
    tx.after_commit(tx.wake)
    return envelope_id


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
    tx.lock([f"channel/{partner}/{lane.value}"])
    for envelope_id, code in stopped.items():
        row = post_store.by_id(tx, envelope_id)
        if row is None or row["state"] != EnvelopeState.WAITING.value:
            continue
        state = EnvelopeState.EXPIRED if code == "expired" else EnvelopeState.STOPPED
        post_store.keep_earlier(tx, envelope_id)
        post_store.change(
            tx, envelope_id, state=state.value, code=code, sequence=None, settled_at=tx.now
        )
        ledger.note(tx, state.value, envelope_id, row["hash"])
        audit.record(tx, "node", f"envelope.{state.value}", "envelope", envelope_id, code=code)
        events.emit(tx, f"envelope.{state.value}", envelope_id, partner=partner, code=code)
    rebase(tx, partner, lane, acknowledged(tx, partner, lane))


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
