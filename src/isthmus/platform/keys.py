"""The node's secrets and the keys of single documents.

The key file holds 32-byte random secrets, made once at set-up, readable by its owner only:

``documents``  wraps the key of each stored document
``audit``      authenticates each audit row from the moment it is written
``names``      salts the names of documents and parties, so that they say nothing outside
``secrets``    encrypts small secrets at rest, such as TOTP seeds
"""

import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from isthmus.kernel.errors import Damaged, Invalid

PARTS = ("documents", "audit", "names", "secrets")


@dataclass(frozen=True, slots=True, repr=False)
class KeyRing:
    """The node's secrets in memory."""

    documents: bytes
    audit: bytes
    names: bytes
    secrets: bytes

    @staticmethod
    def generate() -> "KeyRing":
        """Make a new ring of random secrets."""
        return KeyRing(**{part: secrets.token_bytes(32) for part in PARTS})

    @staticmethod
    def load(path: Path) -> "KeyRing":
        """Read the key file; raises ``Invalid`` when it is absent or not whole."""
        try:
            raw = orjson.loads(path.read_bytes())
            ring = KeyRing(**{part: bytes.fromhex(raw[part]) for part in PARTS})
        except FileNotFoundError:
            raise Invalid(
                "keys_missing", "the node's key file is missing", file=str(path)
            ) from None
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            raise Invalid("keys_invalid", "the key file is not whole", file=str(path)) from None
        if any(len(getattr(ring, part)) != 32 for part in PARTS):
            raise Invalid("keys_invalid", "a key has the wrong length", file=str(path))
        return ring

    def save(self, path: Path) -> None:
        """Write the key file for its owner only; an existing file is never overwritten."""
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(orjson.dumps({part: getattr(self, part).hex() for part in PARTS}))
            file.flush()
            os.fsync(file.fileno())

    def wrap(self, key: bytes, owner: str) -> bytes:
        """Encrypt a document's key under the node's; ``owner`` is bound to it."""
        return _seal(self.documents, key, owner)

    def unwrap(self, wrapped: bytes, owner: str) -> bytes:
        """Decrypt a document's key; raises ``Damaged`` when it was altered or moved."""
        return _open(self.documents, wrapped, owner)

    def seal_secret(self, value: bytes, owner: str) -> bytes:
        """Encrypt a small secret for keeping in the database."""
        return _seal(self.secrets, value, owner)

    def open_secret(self, sealed: bytes, owner: str) -> bytes:
        """Decrypt such a secret; raises ``Damaged`` when it was altered or moved."""
        return _open(self.secrets, sealed, owner)

    def pseudonym(self, kind: str, value: str) -> str:
        """Return a keyed hash of a value: equal values are equal, and nothing can be read back."""
        return hmac.digest(self.names, f"{kind}\0{value}".encode(), "sha256").hex()[:32]


def _seal(key: bytes, value: bytes, owner: str) -> bytes:
    nonce = os.urandom(12)
    return nonce + AESGCM(key).encrypt(nonce, value, owner.encode())


def _open(key: bytes, sealed: bytes, owner: str) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:12], sealed[12:], owner.encode())
    except (InvalidTag, ValueError, TypeError):
        raise Damaged("key_damaged", "a stored key or secret was altered", owner=owner) from None
