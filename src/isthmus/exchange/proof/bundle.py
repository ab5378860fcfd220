"""Proof bundles: one file that shows an exchange to somebody who trusts neither node.

A bundle holds an envelope, the receiver's receipt for it, each side's inclusion of what it holds
in its log with the checkpoint over it, and the public keys. ``verify`` is pure: it takes the
bytes, and fingerprints that the verifier knows from elsewhere, and needs no node. Every byte of a
bundle counts: it is canonical JSON of known members, each covered by a signature, a hash or a
key's fingerprint, so one flipped bit fails, and the finding says where.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from isthmus.exchange import envelope, issue, receipts, terms
from isthmus.exchange.proof import merkle
from isthmus.exchange.proof.ledger import CHECKPOINT, leaf
from isthmus.exchange.terms import Release
from isthmus.exchange.trust import shape, signing
from isthmus.exchange.trust.signing import Keys
from isthmus.kernel.canonical import canonical, commitment
from isthmus.kernel.errors import Invalid, IsthmusError

FORM = "isthmus-proof"
VERSION = 1
_BUNDLE = {
    "form": str, "version": int, "keys": [dict], "envelope": dict, "receipt": dict,
    "inclusions": [dict], "digest": str,
}  # fmt: skip
_KEY = {"node": str, "public": str}
_INCLUSION = {
    "of": str, "node": str, "salt": str, "index": int, "path": [str], "checkpoint": dict,
}  # fmt: skip
_CHECKPOINT = {"node": str, "epoch": int, "size": int, "root": str, "at": str}
OF = ("envelope", "receipt")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found wrong: where in what was verified, and the code of what."""

    where: str
    code: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What a bundle shows when nothing in it is wrong."""

    sender: str
    recipient: str
    item: str
    version: int
    made_at: str
    receipted_at: str
    outcome: str
    clauses: tuple[str, ...]
    keys: Mapping[str, str]  # fingerprint by node: to be compared with what is known elsewhere
    inclusions: tuple[str, ...]  # node/what


def write(
    keys: Mapping[str, bytes],
    envelope_: bytes,
    receipt: bytes,
    inclusions: Iterable[Mapping[str, Any]],
) -> bytes:
    """Return the bytes of a bundle. ``keys`` are raw public keys by node and fingerprint."""
    held: dict[str, Any] = {
        "form": FORM,
        "version": VERSION,
        "keys": [
            {"node": name.partition("/")[0], "public": raw.hex()}
            for name, raw in sorted(keys.items())
        ],
        "envelope": orjson.loads(envelope_),
        "receipt": orjson.loads(receipt),
        "inclusions": list(inclusions),
    }
    return canonical({**held, "digest": _digest(held)})


def _digest(held: Mapping[str, Any]) -> str:
    members = {name: held[name] for name in held if name != "digest"}
    return hashlib.sha256(b"isthmus proof 1\0" + canonical(members)).hexdigest()


def inclusion(
    of: str, node: str, salt: bytes, index: int, path: Iterable[bytes], checkpoint: bytes
) -> dict[str, Any]:
    """Return one inclusion as it stands in a bundle."""
    return {
        "of": of,
        "node": node,
        "salt": salt.hex(),
        "index": index,
        "path": [one.hex() for one in path],
        "checkpoint": orjson.loads(checkpoint),
    }


def verify(
    raw: bytes, pinned: Mapping[str, Iterable[str]] | None = None
) -> tuple[Verified | None, list[Finding]]:
    """Verify a bundle; return what it shows, or what is wrong and where.

    ``pinned`` are the fingerprints that the verifier takes as a node's own; without them the
    result names the keys, to be compared by a person.
    """
    try:
        held = _read(raw)
    except IsthmusError as error:
        return None, [Finding(str(error.where.get("where", "bundle")), error.code)]
    checker = _Checker(held, pinned)
    checker.run()
    return (None if checker.findings else checker.verified()), checker.findings


def _read(raw: bytes) -> dict[str, Any]:
    try:
        held = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Invalid("bundle_malformed", "not JSON", where=f"byte {error.pos}") from None
    if not isinstance(held, dict):
        raise Invalid("bundle_malformed", "no object")
    shape.check(held, _BUNDLE, "the bundle")
    if (held["form"], held["version"]) != (FORM, VERSION):
        raise Invalid("bundle_unknown", "another form or version of bundle")
    if canonical(held) != raw:
        raise Invalid("bundle_not_canonical", "written in another form than it was made")
    return held


class _Checker:
    """Checks the parts of one bundle and gathers what is wrong."""

    def __init__(self, held: Mapping[str, Any], pinned: Mapping[str, Iterable[str]] | None) -> None:
        self.held = held
        self.pinned = pinned
        self.findings: list[Finding] = []
        self.keys: dict[str, tuple[str, Ed25519PublicKey]] = {}
        self._used: set[str] = set()
        self._included: list[str] = []
        self._envelope: envelope.Opened | None = None
        self._line: receipts.Line | None = None
        self._receipt: receipts.Receipt | None = None

    def run(self) -> None:
        """Check everything, whatever was found before."""
        for place, one in enumerate(self.held["keys"]):
            self._try(f"keys[{place}]", lambda one=one: self._key(one))
        self._try("envelope", self._check_envelope)
        self._try("receipt", self._check_receipt)
        for place, one in enumerate(self.held["inclusions"]):
            where = f"inclusions[{place}]"
            self._try(where, lambda one=one: self._check_inclusion(one))
        if not self.findings:
            self._try("keys", self._all_used)
            self._try("inclusions", self._all_there)
        if self.held["digest"] != _digest(self.held):
            self.findings.append(Finding("digest", "digest_wrong"))

    def _try(self, where: str, check: Any) -> None:
        try:
            check()
        except IsthmusError as error:
            self.findings.append(Finding(where, error.code))
        except (TypeError, ValueError, KeyError):
            self.findings.append(Finding(where, "malformed"))

    def _key(self, one: Mapping[str, Any]) -> None:
        shape.check(one, _KEY, "the key")
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(one["public"]))
        fingerprint = signing.fingerprint(key)
        if self.pinned is not None and fingerprint not in self.pinned.get(one["node"], ()):
            raise Invalid("key_not_pinned", "not a key known as this node's", node=one["node"])
        self.keys[fingerprint] = (one["node"], key)

    def _of(self, node: str) -> Keys:
        def find(fingerprint: str) -> Ed25519PublicKey | None:
            held = self.keys.get(fingerprint)
            if held is None or held[0] != node:
                return None
            self._used.add(fingerprint)
            return held[1]

        return find

    def _check_envelope(self) -> None:
        made, statement = envelope.parse(canonical(self.held["envelope"]))
        asked = made.asked
        signing.verify(statement, self._of(asked.sender))
        shown = issue.read(made.item, envelope.issuers(self._of))
        item = shown.item
        release = Release(
            item.id, item.version, shown.digest, item.originator, asked.sender, asked.recipient,
            frozenset(shown.paths), asked.purpose.value,
        )  # fmt: skip
        terms.check(release, made.terms, made.consents, self._of, made.made_at)
        self._envelope = envelope.Opened(made, shown, statement)

    def _check_receipt(self) -> None:
        opened = self._envelope
        if opened is None:
            return
        asked = opened.envelope.asked
        found = receipts.read(canonical(self.held["receipt"]), self._of(asked.recipient))
        if (found.sender, found.recipient) != (asked.recipient, asked.sender):
            raise Invalid("receipt_other", "not from the recipient to the sender")
        lines = [line for line in found.lines if line.hash == opened.hash]
        if not lines or (found.lane, found.epoch, lines[0].sequence) != (
            opened.envelope.lane.value, opened.envelope.epoch, opened.envelope.sequence,
        ):  # fmt: skip
            raise Invalid("receipt_other", "the receipt does not name this envelope")
        self._line, self._receipt = lines[0], found

    def _check_inclusion(self, one: Mapping[str, Any]) -> None:
        shape.check(one, _INCLUSION, "the inclusion")
        if one["of"] not in OF:
            raise Invalid("inclusion_unknown", "of neither envelope nor receipt")
        if self._envelope is None or self._receipt is None:
            return
        statement = self._envelope if one["of"] == "envelope" else self._receipt.statement
        checkpoint = signing.parse(canonical(one["checkpoint"]), CHECKPOINT)
        said = checkpoint.payload
        shape.check(said, _CHECKPOINT, "the checkpoint")
        if said["node"] != one["node"]:
            raise Invalid("checkpoint_foreign", "another node's checkpoint", node=one["node"])
        signing.verify(checkpoint, self._of(one["node"]))
        held = leaf(one["of"], commitment(bytes.fromhex(one["salt"]), statement.hash))
        path = [bytes.fromhex(step) for step in one["path"]]
        root = shape.digest(said, "root")
        if not merkle.includes(merkle.leaf_hash(held), one["index"], said["size"], path, root):
            raise Invalid("inclusion_wrong", "not in the log that the checkpoint is over")
        self._included.append(f"{one['node']}/{one['of']}")

    def _all_used(self) -> None:
        unused = sorted(set(self.keys) - self._used)
        if unused:
            raise Invalid("key_unused", "a key that nothing is signed by", key=unused[0])

    def _all_there(self) -> None:
        if not self._included:
            raise Invalid("inclusion_missing", "no log is shown to hold it")

    def verified(self) -> Verified:
        """Say what the bundle shows."""
        opened, line, receipt = self._envelope, self._line, self._receipt
        if opened is None or line is None or receipt is None:
            raise Invalid("bundle_malformed", "nothing is shown")
        asked = opened.envelope.asked
        return Verified(
            asked.sender,
            asked.recipient,
            opened.presented.item.id,
            opened.presented.item.version,
            opened.statement.payload["made_at"],
            receipt.statement.payload["at"],
            line.outcome,
            tuple(f"{one.agreement}/{one.clause}" for one in opened.envelope.basis),
            {node: fingerprint for fingerprint, (node, _) in sorted(self.keys.items())},
            tuple(self._included),
        )
