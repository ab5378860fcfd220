"""The outbox: what is to reach a partner stands here, sealed in its place, before anybody is told.

An envelope gets its place in the chain when it is put, in the caller's transaction. What is
stopped before the partner has it gives its place up: everything behind it is sealed anew from the
last envelope that the partner acknowledged. What it was before is kept, because a request whose
answer was lost may have brought it there.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from isthmus.agreements.model import Asked, Decision
from isthmus.exchange import envelope, identity, issue, ledger, partners, post_store, vault
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
    item = shown.item
    post_store.insert(
        tx,
        [
            {
                "id": envelope_id,
                **place_of(OUT, partner, sealed, statement),
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
    _move(tx, partner, sealed, statement)
    ledger.append(tx, [ledger.entry(envelope.KIND, envelope_id, kept["salt"], statement.hash, tx)])
    post_store.put_copy(
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


def _move(tx: Transaction, partner: str, sealed: Envelope, statement: Statement) -> None:
    post_store.move(
        tx,
        {
            "direction": OUT,
            "partner": partner,
            "lane": sealed.lane.value,
            "epoch": sealed.epoch,
            "sequence": sealed.sequence,
            "hash": statement.hash,
        },
    )


def stop(tx: Transaction, partner: str, lane: Lane, stopped: Mapping[str, str]) -> None:
    """Stop envelopes that wait (id → code): they no longer leave, and the ledger says so."""
    tx.lock([f"channel/{partner}/{lane.value}"])
    for envelope_id, code in stopped.items():
        row = post_store.by_id(tx, envelope_id)
        if row is None or row["state"] != EnvelopeState.WAITING.value:
            continue
        state = EnvelopeState.EXPIRED if code == "expired" else EnvelopeState.STOPPED
        _keep_earlier(tx, [row])
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


def rebase(tx: Transaction, partner: str, lane: Lane, head: Head) -> int:
    """Seal everything that waits anew, in its order, from this head on; return how many."""
    tx.lock([f"channel/{partner}/{lane.value}"])
    own = identity.signer(tx)
    rows = post_store.waiting(tx, partner, lane.value, 10_000_000)
    _keep_earlier(tx, rows)
    for row in rows:  # two may not have one place, even for a moment
        post_store.change(tx, row["id"], sequence=None)
    entries = []
    for row in rows:
        head, one = _seal_anew(tx, own, row, head)
        entries.append(one)
    ledger.append(tx, entries)
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
    tx.after_commit(tx.wake)
    return len(rows)


def _seal_anew(tx: Transaction, own: Signer, row: Row, head: Head) -> tuple[Head, dict[str, Any]]:
    raw = vault.unlock(tx.keys, row["id"], row)
    made, _ = envelope.parse(raw)
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


def _keep_earlier(tx: Transaction, rows: Sequence[Row]) -> None:
    post_store.keep_earlier(
        tx,
        [
            {
                "hash": row["hash"],
                "envelope_id": row["id"],
                "salt": row["salt"],
                "wrapped": row["wrapped"],
                "body": row["body"],
            }
            for row in rows
        ],
    )
