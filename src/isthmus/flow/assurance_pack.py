"""The signed form of an assurance pack, and its verification without a node.

A pack is one statement of the exchange's form (kind ``assurance``), signed by the node's key over
canonical JSON: another way to write it, or one flipped bit, is refused. It carries the public keys
it needs; whoever reads it compares their fingerprint with what is known from elsewhere.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from isthmus.exchange.proof.bundle import Finding
from isthmus.exchange.proof.ledger import CHECKPOINT
from isthmus.exchange.trust import shape, signing
from isthmus.exchange.trust.signing import Signer
from isthmus.kernel.canonical import canonical
from isthmus.kernel.errors import Denied, Invalid, IsthmusError

KIND = "assurance"
FORM, VERSION = "isthmus-assurance", 1
_SHAPE = {
    "form": str, "version": int, "node": str, "partner": str, "from": str, "until": str,
    "made_at": str, "keys": [str], "times": [dict], "accuracy": dict, "feedback": dict,
    "disclosures": dict, "refusals": dict, "follow": dict, "leaks": dict, "audit": dict,
    "ledger": dict, "evidence": [dict],
}  # fmt: skip
_EVIDENCE = {
    "envelope": str, "direction": str, "item_kind": str, "state": str, "at": str, "epoch": int,
    "index": int,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack as it was read: who speaks of whom, for which period, what it says, its bytes."""

    node: str
    partner: str
    since: datetime
    until: datetime
    key: str  # fingerprint of the key that signed it
    said: Mapping[str, Any]
    raw: bytes

    @property
    def digest(self) -> str:
        """The SHA-256 of the pack, by which people may name it."""
        return sha256(self.raw).hexdigest()


def sign(signer: Signer, said: Mapping[str, Any]) -> bytes:
    """Return the bytes of a pack."""
    return signing.sign(signer, KIND, {"form": FORM, "version": VERSION, **said})


def verify(raw: bytes, pinned: Collection[str] = ()) -> tuple[Pack | None, list[Finding]]:
    """Verify a pack; return what it says, or what is wrong and where. Needs the bytes alone.

    ``pinned`` are fingerprints that the verifier takes as the node's own; without them the pack
    names the key that signed it, to be compared by a person.
    """
    try:
        return _read(raw, pinned), []
    except IsthmusError as error:
        where = str(error.where.get("where") or error.where.get("member") or "pack")
        return None, [Finding(where, error.code)]
    except (TypeError, ValueError, KeyError):
        return None, [Finding("pack", "malformed")]


def _read(raw: bytes, pinned: Collection[str]) -> Pack:
    statement = signing.parse(raw, KIND)
    said = statement.payload
    shape.check(said, _SHAPE, "the pack")
    if (said["form"], said["version"]) != (FORM, VERSION):
        raise Invalid("pack_unknown", "another form or version of pack")
    if pinned and statement.key not in pinned:
        raise Denied("key_not_pinned", "signed by another key than is known", where="key")
    keys = {signing.fingerprint(key): key for key in map(_key, said["keys"])}
    if len(keys) != len(said["keys"]):
        raise Invalid("pack_keys_wrong", "a key stands twice", where="keys")
    signing.verify(statement, keys.get)
    for one in said["evidence"]:
        shape.check(one, _EVIDENCE, "the evidence")
    _check_checkpoint(said, keys)
    pack = Pack(
        said["node"], said["partner"], shape.moment(said, "from"), shape.moment(said, "until"),
        statement.key, said, raw,
    )  # fmt: skip
    if not pack.since < pack.until <= shape.moment(said, "made_at"):
        raise Invalid(
            "period_wrong", "a period ends before it began, or is not over", where="until"
        )
    return pack


def _key(text: str) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(bytes.fromhex(text))


def _check_checkpoint(said: Mapping[str, Any], keys: Mapping[str, Ed25519PublicKey]) -> None:
    """The ledger's head is a statement of its own; evidence lies within the log it is over."""
    head = said["ledger"].get("checkpoint")
    size, epoch = 0, 0
    if head is not None:
        checkpoint = signing.read(canonical(head), CHECKPOINT, keys.get)
        if checkpoint.payload["node"] != said["node"]:
            raise Invalid("checkpoint_foreign", "another node's checkpoint", where="ledger")
        size, epoch = checkpoint.payload["size"], checkpoint.payload["epoch"]
    for place, one in enumerate(said["evidence"]):
        if one["epoch"] == epoch and one["index"] >= size:
            where = f"evidence[{place}]"
            raise Invalid("evidence_outside", "beyond the log of the checkpoint", where=where)
