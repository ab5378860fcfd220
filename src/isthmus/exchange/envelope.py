"""The envelope: one item to one partner, in its place in a chain, with its legal basis, signed.

Envelopes of a lane to a partner form one chain: each names the hash of the one before, from a
start that follows from sender, recipient, lane and epoch. The bytes are the same whether they
travel over the wire or as a file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from isthmus.access.model import Purpose
from isthmus.agreements.model import Asked, Mode
from isthmus.exchange import issue, terms
from isthmus.exchange.issue import Issuers, Presented
from isthmus.exchange.model import Caps, Head, Lane
from isthmus.exchange.terms import KeysOf, Release
from isthmus.exchange.trust import shape, signing
from isthmus.exchange.trust.signing import Signer, Statement
from isthmus.kernel.errors import Denied, Invalid, TooLarge
from isthmus.kernel.time import isoformat

KIND = "envelope"
_SHAPE = {
    "from": str, "to": str, "lane": str, "epoch": int, "sequence": int, "previous": str,
    "made_at": str, "expires_at": str, "mode": str, "purpose": str, "conditions": [str],
    "uses": [str], "handling": [str], "basis": [dict], "item": str, "terms": [dict],
    "consents": [dict], "follows": str,
}  # fmt: skip
_BASIS = {"clause": str, "agreement": str, "hash": str, "paths": [str]}


@dataclass(frozen=True, slots=True)
class Basis:
    """One clause that permits some of the paths, and the hash of the agreement it stands in."""

    agreement: str
    agreement_hash: str
    clause: str
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Envelope:
    """What an envelope says; ``item`` is the presented item as it is sent."""

    asked: Asked
    lane: Lane
    epoch: int
    sequence: int
    previous: bytes
    made_at: datetime
    expires_at: datetime | None
    handling: frozenset[str]
    basis: tuple[Basis, ...]
    item: bytes
    terms: tuple[Mapping[str, Any], ...]
    consents: tuple[Mapping[str, Any], ...] = ()
    follows: str = ""  # the item that a recall or correction is about

    def at(self, head: Head, made_at: datetime) -> "Envelope":
        """Return the same envelope in the place after a chain's head."""
        return replace(
            self,
            epoch=head.epoch,
            sequence=head.sequence + 1,
            previous=head.hash,
            made_at=made_at,
        )

    def plain(self) -> dict[str, Any]:
        """Return what is signed."""
        asked = self.asked
        return {
            "from": asked.sender,
            "to": asked.recipient,
            "lane": self.lane.value,
            "epoch": self.epoch,
            "sequence": self.sequence,
            "previous": self.previous.hex(),
            "made_at": isoformat(self.made_at),
            "expires_at": isoformat(self.expires_at) if self.expires_at else "",
            "mode": asked.mode.value,
            "purpose": asked.purpose.value,
            "conditions": sorted(asked.conditions),
            "uses": sorted(asked.uses),
            "handling": sorted(self.handling),
            "basis": [
                {
                    "agreement": one.agreement,
                    "hash": one.agreement_hash,
                    "clause": one.clause,
                    "paths": list(one.paths),
                }
                for one in self.basis
            ],
            "item": self.item.decode("ascii"),
            "terms": list(self.terms),
            "consents": list(self.consents),
            "follows": self.follows,
        }


@dataclass(frozen=True, slots=True)
class Opened:
    """An envelope whose every signature was checked, with the item in it."""

    envelope: Envelope
    presented: Presented
    statement: Statement

    @property
    def hash(self) -> bytes:
        """The envelope's hash in its chain."""
        return self.statement.hash


def seal(envelope: Envelope, signer: Signer) -> Statement:
    """Sign an envelope in its place."""
    return signing.parse(signing.sign(signer, KIND, envelope.plain()), KIND)


def parse(raw: bytes) -> tuple[Envelope, Statement]:
    """Read an envelope's form without believing it; raises ``Invalid`` naming what is wrong."""
    statement = signing.parse(raw, KIND)
    said = statement.payload
    shape.check(said, _SHAPE, "the envelope")
    for one in said["basis"]:
        shape.check(one, _BASIS, "the basis")
    try:
        asked = Asked(
            said["from"],
            said["to"],
            Purpose(said["purpose"]),
            Mode(said["mode"]),
            frozenset(said["conditions"]),
            frozenset(said["uses"]),
        )
        lane, item = Lane(said["lane"]), said["item"].encode("ascii")
    except ValueError as error:
        raise Invalid("member_wrong", f"a code of the envelope is not known: {error}") from None
    envelope = Envelope(
        asked,
        lane,
        said["epoch"],
        said["sequence"],
        shape.digest(said, "previous"),
        shape.moment(said, "made_at"),
        shape.moment(said, "expires_at") if said["expires_at"] else None,
        frozenset(said["handling"]),
        tuple(
            Basis(one["agreement"], one["hash"], one["clause"], tuple(one["paths"]))
            for one in said["basis"]
        ),
        item,
        tuple(said["terms"]),
        tuple(said["consents"]),
        said["follows"],
    )
    return envelope, statement


def open_(
    raw: bytes, *, sender: str, recipient: str, keys_of: KeysOf, caps: Caps, now: datetime
) -> Opened:
    """Read an envelope and check everything in it that needs no database.

    Raises ``TooLarge``, ``Invalid`` or ``Denied`` with the code that the sender is told.
    """
    if len(raw) > caps.bytes:
        raise TooLarge("envelope_too_large", f"more than {caps.bytes} bytes", size=len(raw))
    envelope, statement = parse(raw)
    if (envelope.asked.sender, envelope.asked.recipient) != (sender, recipient):
        raise Denied("envelope_misdirected", "not from this sender to this node")
    signing.verify(statement, keys_of(sender))
    presented = issue.read(envelope.item, issuers(keys_of), caps.disclosures, caps.nesting)
    item = presented.item
    covered = {path for one in envelope.basis for path in one.paths}
    if not presented.paths.keys() <= covered:
        raise Denied("basis_missing", "a disclosed path has no clause to stand on")
    release = Release(
        item.id,
        item.version,
        presented.digest,
        item.originator,
        sender,
        recipient,
        frozenset(presented.paths),
        envelope.asked.purpose.value,
    )
    terms.check(release, envelope.terms, envelope.consents, keys_of, now)
    return Opened(envelope, presented, statement)


def reopen(raw: bytes) -> Opened:
    """Read an envelope that this node sealed or accepted itself; signatures are not checked."""
    envelope, statement = parse(raw)
    return Opened(envelope, issue.read(envelope.item, None), statement)


def issuers(keys_of: KeysOf) -> Issuers:
    """Return what finds an originator's key for an item."""
    return lambda node, fingerprint: keys_of(node)(fingerprint)


def basis_of(released: Mapping[str, Any], shown: Sequence[str]) -> tuple[Basis, ...]:
    """Return the clauses that a decision cites for the paths shown, each with its paths."""
    cited: dict[tuple[str, str], list[str]] = {}
    for path in sorted(shown):
        one = released.get(path)
        if one is None:
            raise Denied("path_not_released", "no clause lets this path pass", path=path)
        cited.setdefault((one.citation, one.agreement_hash), []).append(path)
    found = []
    for (citation, agreement_hash), paths in sorted(cited.items()):
        agreement, _, clause = citation.rpartition("/")
        found.append(Basis(agreement, agreement_hash, clause, tuple(paths)))
    return tuple(found)
