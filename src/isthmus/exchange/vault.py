"""Envelopes at rest: each under a key of its own, so that erasing one destroys one."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from isthmus.exchange.tables import Row
from isthmus.kernel.errors import Damaged, Erased
from isthmus.platform.keys import KeyRing


def lock(keys: KeyRing, owner: str, raw: bytes) -> dict[str, bytes]:
    """Return the columns that keep these bytes: a salt for the ledger, the key, the ciphertext."""
    key, nonce = AESGCM.generate_key(256), os.urandom(12)
    return {
        "salt": os.urandom(16),
        "wrapped": keys.wrap(key, owner),
        "body": nonce + AESGCM(key).encrypt(nonce, raw, owner.encode()),
    }


def unlock(keys: KeyRing, owner: str, row: Row) -> bytes:
    """Return the bytes again; raises ``Erased`` or ``Damaged``."""
    if row["body"] is None:
        raise Erased("envelope_erased", "lawfully erased", envelope=owner)
    body = row["body"]
    try:
        key = AESGCM(keys.unwrap(row["wrapped"], owner))
        return key.decrypt(body[:12], body[12:], owner.encode())
    except (InvalidTag, ValueError):
        raise Damaged("envelope_damaged", "a stored envelope was altered", envelope=owner) from None
