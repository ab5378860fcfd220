"""Lawful erasure of what was exchanged: the content goes, the chain and the ledger still verify."""

from collections.abc import Iterable

from isthmus.exchange import erasure_store, issued_store
from isthmus.exchange.proof import ledger
from isthmus.platform.transaction import Transaction


def erase_items(tx: Transaction, item_ids: Iterable[str], erasure_id: str) -> int:
    """Destroy the content of every envelope, sent or received, of these items, and their issue.

    What still waits is stopped when it is next looked at, since it cannot be read any more.
    Returns how many envelopes held something. Doing it twice, as a restore does, changes nothing.
    """
    erased = 0
    for item_id in sorted(set(item_ids)):
        found = erasure_store.erase_item(tx, item_id, erasure_id)
        issued_store.erase(tx, item_id)
        if found:
            ledger.note(tx, "erased", f"{item_id}/{erasure_id}", erasure_id.encode())
        erased += found
    return erased


def erase_envelopes(tx: Transaction, envelope_ids: Iterable[str], erasure_id: str) -> int:
    """Destroy the content of single envelopes, where a copy that one brought may be kept no
    longer but others of its item may. Returns how many held something."""
    erased = 0
    for envelope_id in sorted(set(envelope_ids)):
        found = erasure_store.erase_envelope(tx, envelope_id, erasure_id)
        if found:
            ledger.note(tx, "erased", f"{envelope_id}/{erasure_id}", erasure_id.encode())
        erased += found
    return erased
