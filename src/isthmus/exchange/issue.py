"""Items as selectively disclosable records: issued once, presented to each partner in part.

The form is SD-JWT (RFC 9901): a JWS whose payload holds a salted digest for every path of the
item's body, with decoys among them, and one disclosure ``[salt, path, value]`` for each path that
is shown. Paths are claims of one level, such as ``persons.0.name``. What every holder needs to
handle the item at all stands open in the payload: kind, id, version, originator, moment, marking.
"""

import hashlib
import secrets
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature

from isthmus.exchange.trust import shape
from isthmus.exchange.trust.signing import ALGORITHM, PublicKey, Signer
from isthmus.intelligence.model import (
    Classification,
    Evaluation,
    Handling,
    Item,
    ItemKind,
    Marking,
    Scale,
    Tlp,
    nested,
)
from isthmus.kernel.canonical import canonical
from isthmus.kernel.errors import Denied, Invalid
from isthmus.kernel.time import isoformat

TYPE = "isthmus-item+sd-jwt"
DIGEST = "sha-256"
_TO_URL, _FROM_URL = bytes.maketrans(b"+/", b"-_"), bytes.maketrans(b"-_", b"+/")
MOST = 2_000  # digests in one item
DEEPEST = 64  # levels in a value that this node made itself
_OPEN = {
    "id": str, "kind": str, "version": int, "iss": str, "made_at": str, "marking": dict,
    "_sd_alg": str, "_sd": [str],
}  # fmt: skip
_MARKING = {
    "evaluation": list, "handling": [str], "classification": str, "tlp": str, "handling_note": str,
}  # fmt: skip

# Finds the key by which an originator (node code) signed, by the key's fingerprint.
Issuers = Callable[[str, str], PublicKey | None]


@dataclass(frozen=True, slots=True)
class Issued:
    """An item as its originator keeps it: the signed record and every disclosure by its path."""

    record: str  # the JWS: header.payload.signature
    disclosures: Mapping[str, str]

    @property
    def digest(self) -> bytes:
        """SHA-256 of the signed record: the same for all partners that hold a part of it."""
        return hashlib.sha256(self.record.encode()).digest()


@dataclass(frozen=True, slots=True)
class Presented:
    """An item as a recipient got it: only the disclosed paths are in its body."""

    item: Item
    digest: bytes  # of the signed record
    paths: Mapping[str, Any]
    record: str
    disclosures: Mapping[str, str]
    key: str  # fingerprint of the key that signed it


def encode(raw: bytes) -> str:
    """Write bytes in base64url without padding."""
    return b2a_base64(raw, newline=False).rstrip(b"=").translate(_TO_URL).decode()


def decode(text: str) -> bytes:
    """Read base64url without padding; refuses a second way to write the same bytes."""
    raw = _decoded(text)
    if encode(raw) != text:
        raise Invalid("item_malformed", "not written as base64url writes it")
    return raw


def _decoded(text: str) -> bytes:
    try:
        ascii_ = text.encode("ascii").translate(_FROM_URL)
        return a2b_base64(ascii_ + b"=" * (-len(text) % 4))
    except ValueError:
        raise Invalid("item_malformed", "not base64url") from None


def issue(item: Item, signer: Signer) -> Issued:
    """Issue an item: one signature over the salted digests of all its paths, and decoys."""
    disclosures = {
        path: encode(orjson.dumps([_salt(), path, value])) for path, value in item.paths().items()
    }
    digests = [digest_of(one) for one in disclosures.values()]
    # Between a quarter more and twice as many, so that the number of paths does not show.
    decoys = len(digests) // 4 + secrets.randbelow(len(digests) + 4)
    digests += [encode(hashlib.sha256(secrets.token_bytes(16)).digest()) for _ in range(decoys)]
    payload = {**_header(item), "_sd_alg": DIGEST, "_sd": sorted(digests)}
    header = {"alg": ALGORITHM, "typ": TYPE, "kid": signer.fingerprint}
    signed = f"{encode(canonical(header))}.{encode(canonical(payload))}"
    signature = signer.key.sign(signed.encode())
    return Issued(f"{signed}.{encode(signature)}", disclosures)


def _salt() -> str:
    return encode(secrets.token_bytes(16))


def digest_of(disclosure: str) -> str:
    """Return the digest of a disclosure as it stands among ``_sd`` (RFC 9901, 4.2.3)."""
    return encode(hashlib.sha256(disclosure.encode("ascii")).digest())


def _digests_of(disclosures: Sequence[str]) -> list[str]:
    """Return the digests of many disclosures, written in base64 at once.

    A digest of 32 bytes and one zero byte make 44 letters, of which the first 43 are the digest
    written by itself: the letter between them holds four bits of the one and two zero bits.
    """
    together = b"".join(hashlib.sha256(one.encode("ascii")).digest() + b"\0" for one in disclosures)
    text = b2a_base64(together, newline=False).translate(_TO_URL).decode()
    return [text[start : start + 43] for start in range(0, len(text), 44)]


def _header(item: Item) -> dict[str, Any]:
    marking = item.marking
    held = marking.evaluation
    return {
        "id": item.id,
        "kind": item.kind.value,
        "version": item.version,
        "iss": item.originator,
        "made_at": isoformat(item.made_at),
        "marking": {
            "evaluation": [held.scale.value, held.source, held.information] if held else [],
            "handling": sorted(marking.handling),
            "classification": marking.classification.value,
            "tlp": marking.tlp.value,
            "handling_note": marking.handling_note,
        },
    }


def present(issued: Issued | Presented, paths: Iterable[str]) -> bytes:
    """Return the signed record with the disclosures of these paths, and no other.

    Raises ``Invalid`` for a path that is not there to be shown.
    """
    shown = []
    for path in sorted(set(paths)):
        if path not in issued.disclosures:
            raise Invalid("path_unknown", "the item has no such path to show", path=path)
        shown.append(issued.disclosures[path])
    return "~".join([issued.record, *shown, ""]).encode()


def restore(record: str, disclosures: Iterable[str]) -> Issued:
    """Return an issued item from how it is stored: the record and its disclosures."""
    return Issued(record, {_disclosed(one)[0]: one for one in disclosures})


def read(raw: bytes, issuers: Issuers | None, most: int = MOST, nesting: int = 8) -> Presented:
    """Read a presented item and verify it; raises ``Invalid`` or ``Denied``.

    Every disclosure must have its digest in the signed record, once; a path may not be disclosed
    twice. At most ``most`` disclosures, nested at most ``nesting`` deep. Without ``issuers`` the
    signature is taken as checked before: for what this node stored itself.
    """
    if issuers is None:
        return _stored(raw)
    return _read(raw, issuers, most, nesting)


@lru_cache(maxsize=4)
def _stored(raw: bytes) -> Presented:
    """An item is looked at several times while it is shared: terms, place, basis."""
    return _read(raw, None, MOST, DEEPEST)


def _read(raw: bytes, issuers: Issuers | None, most: int, nesting: int) -> Presented:
    try:
        record, *shown = raw.decode("ascii").split("~")
    except UnicodeDecodeError:
        raise Invalid("item_malformed", "not an SD-JWT") from None
    if not shown or shown.pop() != "":
        raise Invalid("item_malformed", "the SD-JWT does not end as one without a key binding")
    if len(shown) > most:
        raise Invalid("disclosures_too_many", f"more than {most} disclosures", given=len(shown))
    header, payload = _parts(record)
    if issuers is not None:
        _verify(record, header, payload["iss"], issuers)
    digests = payload["_sd"]
    known = set(digests)
    if len(known) != len(digests) or len(digests) > 2 * MOST + 8:
        raise Invalid("item_malformed", "digests are repeated, or too many")
    if not known.issuperset(_digests_of(shown)):
        raise Denied("disclosure_foreign", "a disclosure does not belong to the signed record")
    paths: dict[str, Any] = {}
    disclosures: dict[str, str] = {}
    for one in shown:
        path, value = _disclosed(one)
        if path in paths:
            raise Invalid("disclosure_repeated", "a path is disclosed twice", path=path)
        if isinstance(value, dict | list):
            shape.depth(value, nesting)
        paths[path], disclosures[path] = value, one
    item = _item(payload, paths)
    digest = hashlib.sha256(record.encode()).digest()
    return Presented(item, digest, paths, record, disclosures, header["kid"])


def _parts(record: str) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        first, second, _ = record.split(".")
        header, payload = orjson.loads(decode(first)), orjson.loads(decode(second))
    except (ValueError, orjson.JSONDecodeError):
        raise Invalid("item_malformed", "the signed record cannot be read") from None
    if header != {"alg": ALGORITHM, "typ": TYPE, "kid": (header or {}).get("kid", None)} or (
        not isinstance(header["kid"], str)
    ):
        raise Invalid("item_malformed", "another algorithm or type than the protocol has")
    if not isinstance(payload, dict):
        raise Invalid("item_malformed", "the signed record is no object")
    shape.check(payload, _OPEN, "the signed record")
    if payload["_sd_alg"] != DIGEST:
        raise Invalid("item_malformed", "another digest than the protocol has")
    return header, payload


def _verify(record: str, header: Mapping[str, Any], originator: str, issuers: Issuers) -> None:
    key = issuers(originator, header["kid"])
    if key is None:
        raise Denied("originator_unknown", "the originator's key is not known", node=originator)
    signed, _, signature = record.rpartition(".")
    try:
        key.verify(decode(signature), signed.encode())
    except InvalidSignature:
        raise Denied("item_signature_wrong", "the originator did not sign this record") from None


def _disclosed(one: str) -> tuple[str, Any]:
    try:
        held = orjson.loads(_decoded(one))  # its digest covers it as it is written
    except orjson.JSONDecodeError:
        raise Invalid("disclosure_malformed", "a disclosure is no JSON") from None
    if not isinstance(held, list) or len(held) != 3 or not isinstance(held[1], str):
        raise Invalid("disclosure_malformed", "a disclosure is not salt, path and value")
    if not isinstance(held[0], str) or held[1] in ("_sd", "...") or len(held[1]) > 200:
        raise Invalid("disclosure_malformed", "a disclosure names no path")
    return held[1], held[2]


def _item(payload: Mapping[str, Any], paths: Mapping[str, Any]) -> Item:
    held = payload["marking"]
    shape.check(held, _MARKING, "the marking")
    try:
        evaluation = None
        if held["evaluation"]:
            scale, source, information = held["evaluation"]
            evaluation = Evaluation(Scale(scale), str(source), str(information))
        marking = Marking(
            evaluation,
            frozenset(Handling(one) for one in held["handling"]),
            Classification(held["classification"]),
            Tlp(held["tlp"]),
            held["handling_note"],
        )
        return Item(
            payload["id"],
            ItemKind(payload["kind"]),
            payload["version"],
            payload["iss"],
            shape.moment(payload, "made_at"),
            marking,
            nested(paths),
        )
    except ValueError as error:
        raise Invalid("item_malformed", f"the open part of the item is wrong: {error}") from None
