"""Making a proof bundle of an envelope from what this node holds."""

from typing import Any

from isthmus.access.gate import check
from isthmus.access.model import Actor
from isthmus.access.permission import Permission
from isthmus.exchange import envelope, post_store, receipts, vault
from isthmus.exchange.proof import bundle, ledger
from isthmus.exchange.trust import identity, key_store, signing
from isthmus.kernel.errors import Conflict, NotFound
from isthmus.platform import audit
from isthmus.platform.transaction import Transaction


def prove(tx: Transaction, actor: Actor, envelope_id: str) -> bytes:
    """Return the bundle that proves an envelope, its receipt and their places in this log.

    Raises ``Conflict`` while there is no receipt yet, ``NotFound`` while the log's newest part is
    not sealed (that is a matter of a second).
    """
    check(tx, actor, Permission.LEDGER_READ, object_id=envelope_id)
    row = post_store.by_id(tx, envelope_id)
    if row is None:
        raise NotFound("envelope_unknown", "no such envelope", envelope=envelope_id)
    if row["receipt_id"] is None:
        raise Conflict("envelope_not_receipted", "there is no receipt yet", envelope=envelope_id)
    receipt = post_store.receipt(tx, row["receipt_id"])
    if receipt is None:
        raise NotFound("receipt_unknown", "the receipt is not here", envelope=envelope_id)
    raw = vault.unlock(tx.keys, envelope_id, row)
    own = identity.me(tx)["node"]
    inclusions = []
    for of, object_id, salt in (
        ("envelope", envelope_id, row["salt"]),
        ("receipt", receipt["id"], receipt["salt"]),
    ):
        shown = ledger.prove(tx, object_id)
        inclusions.append(
            bundle.inclusion(of, own, salt, shown.index, shown.path, shown.checkpoint)
        )
    keys = _keys(tx, raw, receipt["body"], [one["checkpoint"] for one in inclusions])
    audit.record(tx, actor.id, "envelope.proved", "envelope", envelope_id, agency=actor.agency)
    return bundle.write(keys, raw, receipt["body"], inclusions)


def _keys(tx: Transaction, raw: bytes, receipt: bytes, checkpoints: list[Any]) -> dict[str, bytes]:
    """Return the public keys of everything signed in a bundle, by node and fingerprint."""
    opened = envelope.reopen(raw)
    wanted = {opened.statement.key, opened.presented.key}
    wanted |= {one["key"] for one in opened.envelope.terms}
    wanted |= {one["key"] for one in opened.envelope.consents}
    wanted |= {one["key"] for one in checkpoints}
    wanted.add(_key_of(receipt))
    own = {row["fingerprint"]: row for row in key_store.own_keys(tx)}
    found = {}
    for fingerprint in wanted:
        if fingerprint in own:
            found[f"{own[fingerprint]['node']}/{fingerprint}"] = own[fingerprint]["public"]
            continue
        row = key_store.partner_key(tx, fingerprint)
        if row is None:
            raise NotFound("key_unknown", "a key of the envelope is not here", key=fingerprint)
        found[f"{row['partner']}/{fingerprint}"] = row["public"]
    return found


def _key_of(raw: bytes) -> str:
    return signing.parse(raw, receipts.KIND).key
