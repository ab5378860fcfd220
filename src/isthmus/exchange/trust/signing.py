"""Signed statements: whatever one node says to another that must hold later.

A statement is one JSON object in canonical form: keys sorted, no spaces, UTF-8. It names its kind,
the algorithm, the protocol version and the key inside what is signed, so that a signature made
over one kind of statement can never pass for another. Text that is not exactly canonical is
refused, which leaves no second way to write the same statement.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from isthmus.kernel.canonical import canonical
from isthmus.kernel.errors import Denied, Invalid

ALGORITHM = "Ed25519"
PROTOCOL = 1
DOMAIN = b"isthmus exchange\0"
_MEMBERS = {"algorithm", "key", "kind", "payload", "protocol", "signature"}
# In canonical form the signature is the last member: what it covers is all that stands before.
_AFTER = len(b',"signature":""}')


class PublicKey(Protocol):
    """What verifies a signature; raises ``InvalidSignature`` when it does not fit."""

    def verify(self, signature: bytes, data: bytes, /) -> None:
        """Return when the key signed exactly this."""
        ...


# Finds the public key of a fingerprint; None when it is not known or not trusted.
Keys = Callable[[str], PublicKey | None]


@dataclass(frozen=True, slots=True, repr=False)
class Signer:
    """A node's code with the private key it signs by."""

    node: str
    key: Ed25519PrivateKey
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as it was read: its kind, the fingerprint of its key, what it says, its bytes
    and their SHA-256."""

    kind: str
    key: str
    payload: Mapping[str, Any]
    signature: bytes
    raw: bytes
    hash: bytes

    @property
    def said(self) -> bytes:
        """The canonical bytes of the statement without its signature."""
        return self.raw[: -_AFTER - 2 * len(self.signature)] + b"}"


@lru_cache(maxsize=1024)
def public_key(raw: bytes) -> Ed25519PublicKey:
    """Return the key of its raw 32 bytes."""
    return Ed25519PublicKey.from_public_bytes(raw)


def fingerprint(key: Ed25519PublicKey) -> str:
    """Return the SHA-256 of a raw public key in hex: what two people read to each other."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()


def sign(signer: Signer, kind: str, payload: Mapping[str, Any]) -> bytes:
    """Return the bytes of a signed statement."""
    said = _said(kind, signer.fingerprint, payload)
    signature = signer.key.sign(DOMAIN + canonical(said))
    return canonical({**said, "signature": signature.hex()})


def _said(kind: str, key: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "algorithm": ALGORITHM,
        "key": key,
        "kind": kind,
        "payload": payload,
        "protocol": PROTOCOL,
    }


def parse(raw: bytes, kind: str) -> Statement:
    """Read a statement without believing it; raises ``Invalid`` naming what is wrong."""
    try:
        held = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Invalid("statement_malformed", f"not JSON: {error}", kind=kind) from None
    if not isinstance(held, dict) or set(held) != _MEMBERS:
        raise Invalid("statement_malformed", "not a signed statement", kind=kind)
    if held["algorithm"] != ALGORITHM or held["protocol"] != PROTOCOL:
        raise Invalid("protocol_unknown", "another algorithm or protocol version", kind=kind)
    if held["kind"] != kind:
        raise Invalid("statement_kind_wrong", f"expected a statement of kind {kind}", kind=kind)
    if not isinstance(held["payload"], dict) or not isinstance(held["key"], str):
        raise Invalid("statement_malformed", "payload or key is of the wrong type", kind=kind)
    if canonical(held) != raw:
        raise Invalid("statement_not_canonical", "written in another form than signed", kind=kind)
    return Statement(
        kind,
        held["key"],
        held["payload"],
        _signature(held["signature"], kind),
        raw,
        hashlib.sha256(raw).digest(),
    )


def _signature(text: Any, kind: str) -> bytes:
    """Read a signature; refuses a second way to write the same one, such as capitals."""
    try:
        signature = bytes.fromhex(text)
    except (TypeError, ValueError):
        signature = b""
    if not signature or signature.hex() != text:
        raise Invalid("statement_malformed", "the signature is not lower-case hex", kind=kind)
    return signature


def verify(statement: Statement, keys: Keys) -> None:
    """Raise ``Denied`` unless a known key signed exactly this statement."""
    key = keys(statement.key)
    if key is None:
        raise Denied("key_unknown", "signed by a key that is not trusted", key=statement.key)
    try:
        key.verify(statement.signature, DOMAIN + statement.said)
    except InvalidSignature:
        raise Denied(
            "signature_wrong", "the signature does not fit", kind=statement.kind, key=statement.key
        ) from None


def read(raw: bytes, kind: str, keys: Keys) -> Statement:
    """Parse a statement and verify its signature."""
    statement = parse(raw, kind)
    verify(statement, keys)
    return statement
