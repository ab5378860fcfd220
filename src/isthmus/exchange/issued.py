"""What this node issued, kept: two partners who hold parts of an item hold parts of one record.

The record and the salts of all its paths stand sealed under a key of their own. Erasing the item
destroys that key: of what was signed nobody can then show more than partners were shown before.
"""

from isthmus.exchange import issue, issued_store, vault
from isthmus.exchange.issue import Issued
from isthmus.exchange.trust import identity
from isthmus.intelligence.model import Item
from isthmus.platform.transaction import Transaction

EVERYBODY = ""


def issued(tx: Transaction, item: Item, separate_for: str = EVERYBODY) -> Issued:
    """Return an own item as it is issued: signed the first time, the same record ever after.

    ``separate_for`` is the partner whose clause demands an issue of its own, so that nobody can
    tell that it holds the same record as others. Under the node's next key it is issued anew: a
    partner who came later, or heard that the old key was stolen, would not take the old record.
    """
    signer = identity.signer(tx)
    place = f"issued/{item.id}/{item.version}/{separate_for}"
    tx.lock([place])
    row = issued_store.issued(tx, item.id, item.version, separate_for)
    if row is not None and row["key"] == signer.fingerprint:
        record, *disclosures = vault.unlock(tx.keys, place, row).decode().split("~")
        return issue.restore(record, disclosures)
    made = issue.issue(item, signer)
    kept = vault.lock(tx.keys, place, "~".join([made.record, *made.disclosures.values()]).encode())
    issued_store.put(
        tx,
        {
            "item_id": item.id,
            "item_version": item.version,
            "partner": separate_for,
            "key": signer.fingerprint,
            "issued_at": tx.now,
            "wrapped": kept["wrapped"],
            "body": kept["body"],
        },
    )
    return made
