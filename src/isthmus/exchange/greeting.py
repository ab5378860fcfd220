"""What two partners show each other every half minute besides their ledgers.

That they are there; which checkpoint of the other each holds; and under which hash each has the
agreements between them in force, so that a difference is seen on both sides before anything is
held for it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from isthmus.agreements import service
from isthmus.exchange import traffic
from isthmus.exchange.proof import ledger_store
from isthmus.exchange.trust import identity, key_store
from isthmus.kernel.errors import Invalid
from isthmus.platform import events
from isthmus.platform.transaction import Transaction

MOST = 200  # agreements between two nodes
_CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{2,39}")
_HASH = re.compile(r"[0-9a-f]{64}")


def texts(tx: Transaction, partner: str) -> dict[str, str]:
    """Return the hashes of the agreements that stand in force here with a partner."""
    return service.texts_between(tx, identity.me(tx)["node"], partner)


def heard(tx: Transaction, partner: str, said: Mapping[str, Any]) -> None:
    """Note that a partner called or answered, and what it holds of the agreements.

    One that is in force here and that it does not name is not in force there: noted as an empty
    hash. Raises ``Invalid`` on what is no list of agreements.
    """
    told = said.get("agreements", {})
    if not isinstance(told, dict) or len(told) > MOST:
        raise Invalid("call_malformed", "agreements are hashes by code")
    for agreement, hash_ in told.items():
        if not (_CODE.fullmatch(agreement) and isinstance(hash_, str) and _HASH.fullmatch(hash_)):
            raise Invalid("call_malformed", "agreements are hashes by code")
    key_store.change_partner(tx, partner, seen_at=tx.now)
    for agreement, hash_ in {**dict.fromkeys(texts(tx, partner), ""), **told}.items():
        service.note_partner_hash(tx, partner, agreement, hash_)


def witnessed(tx: Transaction, partner: str, points: Sequence[Mapping[str, Any]]) -> None:
    """Note the newest checkpoint of this node that a partner says it holds, once for each."""
    own = identity.me(tx)["node"]
    held = [
        (one["epoch"], one["size"])
        for one in points
        if ledger_store.at_size(tx, own, one["epoch"], one["size"])
    ]
    if not held:
        return
    epoch, size = max(held)
    known = traffic.last_witnessed(tx, partner)
    if known is None or (known["epoch"], known["size"]) < (epoch, size):
        events.emit(
            tx, traffic.WITNESSED, traffic.witness_of(partner), partner=partner, epoch=epoch,
            size=size,
        )  # fmt: skip
