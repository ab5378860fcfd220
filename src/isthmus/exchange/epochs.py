"""Epochs: how a node goes on after its records were restored from a backup.

A restored node no longer knows what it exchanged since the backup. It opens a new epoch by a
signed statement: its chains and its ledger begin anew, and the old ones stay closed where the
partners saw them, so that nobody takes the gap for a forged history. Each partner gives back what
it had from the node since the backup, and what it had sent to the node meanwhile.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from isthmus.exchange import batch, envelope, outbox, post_store, vault
from isthmus.exchange.envelope import Opened
from isthmus.exchange.model import BATCH_BYTES, Direction, EnvelopeState, Head, Lane
from isthmus.exchange.policy import Policy
from isthmus.exchange.proof import ledger, ledger_store
from isthmus.exchange.tables import Row
from isthmus.exchange.trust import identity, key_store, partners, shape, signing
from isthmus.kernel.canonical import canonical
from isthmus.kernel.errors import Denied, Invalid
from isthmus.kernel.ids import new_id
from isthmus.kernel.time import isoformat
from isthmus.platform import audit, events
from isthmus.platform.database import Database
from isthmus.platform.transaction import Transaction

KIND = "epoch"
BACK = 500  # envelopes of a lane given back at a time
_PLACE = {"lane": str, "epoch": int, "sequence": int}
OUT, IN = Direction.OUT.value, Direction.IN.value
_SHAPE = {"node": str, "epoch": int, "at": str, "heads": [dict], "ledger": dict}
_HEAD = {
    "partner": str, "direction": str, "lane": str, "epoch": int, "sequence": int, "hash": str,
}  # fmt: skip


def statement(tx: Transaction, epoch: int) -> bytes:
    """Sign the opening of an epoch: what this node knows of its chains and of its ledger."""
    own = identity.signer(tx)
    heads = []
    for partner in key_store.partners(tx):
        code = partner["code"]
        # What waits may have arrived since the backup: only what was acknowledged is known.
        for lane in Lane:
            heads.append(_head(code, OUT, lane.value, outbox.acknowledged(tx, code, lane)))
        for row in post_store.channels(tx, IN, code):
            known = Head(row["epoch"], row["sequence"], row["hash"])
            heads.append(_head(code, IN, row["lane"], known))
    said = {
        "node": own.node,
        "epoch": epoch,
        "at": isoformat(tx.now),
        "heads": heads,
        "ledger": ledger.position(tx, own.node),
    }
    return signing.sign(own, KIND, said)


def _head(partner: str, direction: str, lane: str, head: Head) -> dict[str, Any]:
    return {"partner": partner, "direction": direction, "lane": lane, **head.plain()}


def open_new(tx: Transaction) -> int:
    """Open the next epoch, after a restore; everything that waits is sealed anew in it."""
    me = identity.me(tx)
    while ledger.seal(tx):  # what the old log lacks yet belongs to it
        pass
    epoch = int(me["epoch"]) + 1
    key_store.change_self(tx, epoch=epoch, statement=statement(tx, epoch), opened_at=tx.now)
    raw = identity.me(tx)["statement"]
    ledger.note(tx, KIND, f"{me['node']}/{epoch}", signing.parse(raw, KIND).hash)
    for partner in key_store.partners(tx):
        for lane in Lane:
            start = outbox.acknowledged(tx, partner["code"], lane)
            outbox.rebase(tx, partner["code"], lane, start)
    audit.record(tx, "node", "epoch.opened", "node", me["node"], epoch=epoch)
    tx.after_commit(tx.wake)
    return epoch


def after_restore(tx: Transaction) -> int | None:
    """Open the next epoch of a restored node; nothing where the exchange was never set up."""
    return None if key_store.myself(tx) is None else open_new(tx)


def go_on(tx: Transaction, partner: str, lane: Lane, head: Head) -> None:
    """Go on from where a partner sees the end of the chain from this node.

    Ahead of the partner's head stands what it once acknowledged and has lost since: it is sent
    again as it was. Whatever waits behind is sealed anew.
    """
    me = identity.me(tx)
    if head.epoch != me["epoch"]:
        raise Denied("epoch_differs", "the partner is in another epoch of this node",
                     partner=partner, epoch=head.epoch)  # fmt: skip
    known = outbox.acknowledged(tx, partner, lane)
    if head.sequence < known.sequence:
        again = post_store.span(
            tx, OUT, partner, lane.value, head.epoch, head.sequence, known.sequence
        )
        post_store.settle(tx, [
            {"id_": row["id"], "state_": EnvelopeState.WAITING.value, "code_": None,
             "receipt_": row["receipt_id"]} for row in again if row["body"] is not None
        ])  # fmt: skip
        tx.after_commit(tx.wake)
        return
    if (head.sequence, head.hash) != (known.sequence, known.hash):
        partners.alarm(tx, partner, "chain_forked", lane=lane.value, sequence=head.sequence)
        raise Denied("chain_forked", "the partner's chain holds what this node did not send",
                     partner=partner, lane=lane.value)  # fmt: skip
    outbox.rebase(tx, partner, lane, head)


def take(
    tx: Transaction, sender: str, raw: bytes, after: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Take the opening of a partner's new epoch; return what it lost, a part at a time.

    Answering begins after the heads that the statement names, or ``after`` the last envelope of
    the part before, so that asking again gives the same: what was given back once is passed over.
    """
    partner = partners.trusted(tx, sender)
    held = signing.read(raw, KIND, partners.keys_of(tx, sender))
    said = held.payload
    shape.check(said, _SHAPE, "the opening of an epoch")
    for one in said["heads"]:
        shape.check(one, _HEAD, "a head")
    if said["node"] != sender:
        raise Denied("epoch_foreign", "not the sender's own epoch", node=said["node"])
    if said["epoch"] < partner.epoch:
        raise Denied("epoch_closed", "a later epoch is open", epoch=said["epoch"])
    if said["epoch"] > partner.epoch:
        key_store.change_partner(tx, sender, epoch=said["epoch"])
        ledger.note(tx, "partner_epoch", f"{sender}/{said['epoch']}", held.hash)
        audit.record(tx, "node", "partner.epoch", "partner", sender, epoch=said["epoch"])
        events.emit(tx, "partner.restored", sender, epoch=said["epoch"])
        _send_again(tx, sender, said["heads"])
    lost, last = _lost(tx, sender, said["heads"], after)
    return {
        "checkpoint": None if after else _witnessed(tx, sender),
        "envelopes": lost,
        "next": last,
    }


def _known(heads: Sequence[Mapping[str, Any]], me: str, direction: str) -> dict[str, Any]:
    return {
        one["lane"]: one for one in heads if one["partner"] == me and one["direction"] == direction
    }


def _send_again(tx: Transaction, sender: str, heads: Sequence[Mapping[str, Any]]) -> None:
    """What this node sent and the partner has lost waits again, as it was sealed."""
    me = identity.me(tx)
    known = _known(heads, me["node"], IN)
    for lane in Lane:
        last = outbox.acknowledged(tx, sender, lane)
        one = known.get(lane.value)
        after = one["sequence"] if one is not None and one["epoch"] == last.epoch else 0
        if last.epoch == me["epoch"] and after < last.sequence:
            rows = post_store.span(tx, OUT, sender, lane.value, last.epoch, after, last.sequence)
            post_store.settle(tx, [
                {"id_": row["id"], "state_": EnvelopeState.WAITING.value, "code_": None,
                 "receipt_": row["receipt_id"]} for row in rows if row["body"] is not None
            ])  # fmt: skip
    tx.after_commit(tx.wake)


def _lost(
    tx: Transaction,
    sender: str,
    heads: Sequence[Mapping[str, Any]],
    after: Mapping[str, Any] | None,
) -> tuple[list[orjson.Fragment], dict[str, Any] | None]:
    """What the partner had sent since its backup, in its own signed bytes, lane after lane; and
    the last place, when there may be more."""
    known: dict[str, Any] = _known(heads, identity.me(tx)["node"], OUT)
    lanes = list(Lane)
    if after is not None:
        shape.check(after, _PLACE, "the place")
        lanes = [lane for lane in lanes if lane.value >= after["lane"]]
        known[after["lane"]] = after
    found: list[orjson.Fragment] = []
    size = 0
    last: dict[str, Any] | None = None
    until = partners.partner(tx, sender).epoch
    for lane in sorted(lanes, key=lambda one: one.value):
        one = known.get(lane.value) or {"epoch": 0, "sequence": 0}
        rows = post_store.since(
            tx, IN, sender, lane.value, one["epoch"], one["sequence"], until, BACK
        )
        for row in rows:
            if size > BATCH_BYTES:
                return found, last
            last = {"lane": lane.value, "epoch": row["epoch"], "sequence": row["sequence"]}
            if row["body"] is not None:
                raw = vault.unlock(tx.keys, row["id"], row)
                found.append(orjson.Fragment(raw))
                size += len(raw)
        if len(rows) == BACK:
            return found, last
    return found, None


def _witnessed(tx: Transaction, sender: str) -> Any:
    row = ledger_store.newest(tx, sender)
    return None if row is None else orjson.loads(row["body"])


def resynchronise(database: Database, policy: Policy, partner: str, told: Mapping[str, Any]) -> int:
    """Take back what a partner had from this node since the backup; return how many.

    Each is this node's own signed envelope; it stands in the outbox as delivered, and the ledger
    commits to it and to the checkpoint that the partner had witnessed.
    """
    del policy  # what left once is history: nothing is decided again
    raws = told.get("envelopes")
    if not isinstance(raws, list):
        raise Invalid("answer_malformed", "the partner's answer holds no envelopes")
    own = database.read(batch.directory_keys)
    given = [signing.read(canonical(one), envelope.KIND, own.of(own.me)) for one in raws]

    def work(tx: Transaction) -> int:
        if told.get("checkpoint") is not None:
            row = signing.read(canonical(told["checkpoint"]), ledger.CHECKPOINT, own.of(own.me))
            ledger.note(tx, ledger.CHECKPOINT, f"{partner}/witnessed", row.hash)
        taken = [_take_back(tx, partner, envelope.reopen(one.raw)) for one in given]
        for lane in sorted({lane for lane in taken if lane is not None}):
            outbox.rebase(tx, partner, lane, outbox.acknowledged(tx, partner, lane))
        return len([lane for lane in taken if lane is not None])

    return database.write(work)


def _take_back(tx: Transaction, partner: str, one: Opened) -> Lane | None:
    """Enter one envelope as delivered; return its lane, nothing when it was known as that.

    What waited at the time of the backup has arrived since: it is not sent a second time.
    """
    known = post_store.by_hash(tx, [one.hash]).get(one.hash)
    if known is not None and known["state"] != EnvelopeState.WAITING.value:
        return None
    waiting = known or _waiting(tx, partner, one)
    envelope_id = waiting["id"] if waiting else new_id("env")
    kept = vault.lock(tx.keys, envelope_id, one.statement.raw)
    row = {
        **outbox.place_of(OUT, partner, one.envelope, one.statement),
        "state": EnvelopeState.DELIVERED.value,
        "code": "taken_back",
        "settled_at": tx.now,
        **kept,
    }
    if waiting:
        post_store.keep_earlier(tx, envelope_id)
        post_store.change(tx, envelope_id, **row)
    else:
        item, made = one.presented.item, one.envelope
        named = {
            "id": envelope_id,
            "item_id": item.id,
            "item_version": item.version,
            "item_kind": item.kind.value,
            "originator": item.originator,
            "purpose": made.asked.purpose.value,
            "expires_at": made.expires_at,
            "at": tx.now,
            "receipt_id": None,
            "erasure_id": None,
        }
        post_store.insert(tx, [{**named, **row}])
    ledger.append(tx, [ledger.entry(envelope.KIND, envelope_id, kept["salt"], one.hash, tx)])
    events.emit(tx, "envelope.taken_back", envelope_id, partner=partner)
    return one.envelope.lane


def _waiting(tx: Transaction, partner: str, one: Opened) -> Row | None:
    """Return what waits to say the same: this item and version, on this lane, these paths."""
    item = one.presented.item
    for row in post_store.waiting_item(tx, partner, one.envelope.lane.value, item.id):
        held = envelope.reopen(vault.unlock(tx.keys, row["id"], row))
        if (held.presented.item.version, set(held.presented.paths)) == (
            item.version, set(one.presented.paths),
        ):  # fmt: skip
            return row
    return None
