"""Release terms: what the originator lets one recipient do with an item, signed, going with it.

Authority to pass on comes from the originator. So an onward share carries the terms by which the
sharer got the item, and adds terms of its own that can only be narrower: a chain whose first link
the originator signed and each further link the recipient of the one before. Where passing on
needs consent, the originator's signed consent for this recipient stands beside the chain.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from isthmus.exchange.trust import shape, signing
from isthmus.exchange.trust.signing import Keys, Signer, Statement
from isthmus.intelligence.model import Item
from isthmus.kernel.canonical import canonical
from isthmus.kernel.errors import Denied, Invalid
from isthmus.kernel.time import isoformat

KIND, CONSENT = "terms", "consent"
LONGEST = 4  # links of a chain: an item passes through few hands
_SHAPE = {
    "item": str, "version": int, "record": str, "issuer": str, "recipient": str, "paths": [str],
    "purposes": [str], "handling": [str], "onward": [str], "consent": bool, "keep_until": str,
    "expires_at": str, "feedback_due": str,
}  # fmt: skip
_CONSENT = {"item": str, "record": str, "originator": str, "from": str, "to": str, "paths": [str],
            "expires_at": str}  # fmt: skip

# Finds the keys by which a node may sign.
KeysOf = Callable[[str], Keys]


@dataclass(frozen=True, slots=True)
class Terms:
    """One link: who lets whom do what with which paths of an item, and until when."""

    item: str
    version: int
    record: bytes  # digest of the signed record
    issuer: str
    recipient: str
    paths: frozenset[str]
    purposes: frozenset[str]
    handling: frozenset[str]
    onward: frozenset[str]  # nodes it may be passed on to
    consent: bool  # ... each time with the originator's consent
    keep_until: datetime | None
    expires_at: datetime | None
    feedback_due: datetime | None

    def plain(self) -> dict[str, Any]:
        """Return the terms as they are signed."""
        return {
            "item": self.item,
            "version": self.version,
            "record": self.record.hex(),
            "issuer": self.issuer,
            "recipient": self.recipient,
            "paths": sorted(self.paths),
            "purposes": sorted(self.purposes),
            "handling": sorted(self.handling),
            "onward": sorted(self.onward),
            "consent": self.consent,
            "keep_until": _written(self.keep_until),
            "expires_at": _written(self.expires_at),
            "feedback_due": _written(self.feedback_due),
        }


def _written(moment: datetime | None) -> str:
    return "" if moment is None else isoformat(moment)


def write(terms: Terms, signer: Signer) -> bytes:
    """Sign terms; the issuer must be the signer."""
    if terms.issuer != signer.node:
        raise Invalid("terms_issuer_wrong", "terms are signed by their issuer", node=terms.issuer)
    return signing.sign(signer, KIND, terms.plain())


def consent(
    signer: Signer,
    item: Item,
    record: bytes,
    *,
    sharer: str,
    recipient: str,
    paths: Iterable[str],
    until: datetime | None = None,
) -> bytes:
    """Sign the originator's consent that one holder passes paths of an item on to one other."""
    said = {
        "item": item.id,
        "record": record.hex(),
        "originator": signer.node,
        "from": sharer,
        "to": recipient,
        "paths": sorted(paths),
        "expires_at": _written(until),
    }
    return signing.sign(signer, CONSENT, said)


def read(raw: bytes, keys_of: KeysOf) -> Terms:
    """Read one link and verify its signature by its issuer's key."""
    statement = signing.parse(raw, KIND)
    said = statement.payload
    shape.check(said, _SHAPE, "release terms")
    signing.verify(statement, keys_of(said["issuer"]))
    return _terms(said)


def unverified(raw: bytes) -> Terms:
    """Read a link that this node wrote or checked before."""
    said = signing.parse(raw, KIND).payload
    shape.check(said, _SHAPE, "release terms")
    return _terms(said)


def _terms(said: Mapping[str, Any]) -> Terms:
    return Terms(
        said["item"],
        said["version"],
        shape.digest(said, "record"),
        said["issuer"],
        said["recipient"],
        frozenset(said["paths"]),
        frozenset(said["purposes"]),
        frozenset(said["handling"]),
        frozenset(said["onward"]),
        said["consent"],
        _moment(said, "keep_until"),
        _moment(said, "expires_at"),
        _moment(said, "feedback_due"),
    )


def _moment(said: Mapping[str, Any], name: str) -> datetime | None:
    return shape.moment(said, name) if said[name] else None


@dataclass(frozen=True, slots=True)
class Release:
    """What is to be shown by a chain of terms: this item, these paths, to this node, for this."""

    item: str
    version: int
    record: bytes
    originator: str
    sender: str
    recipient: str
    paths: frozenset[str]
    purpose: str


def check(
    release: Release,
    chain: Sequence[Mapping[str, Any]],
    consents: Sequence[Mapping[str, Any]],
    keys_of: KeysOf,
    now: datetime,
) -> Terms:
    """Check a chain of terms and return its last link; raises ``Denied`` naming what fails."""
    if not 1 <= len(chain) <= LONGEST:
        raise Denied("terms_missing", "no release terms, or too long a chain", links=len(chain))
    links = [read(canonical(one), keys_of) for one in chain]
    given = [signing.parse(canonical(one), CONSENT) for one in consents]
    before: Terms | None = None
    for link in links:
        same = (link.item, link.version, link.record) == (
            release.item, release.version, release.record,
        )  # fmt: skip
        _demand(same, "terms_other_item", link)
        _demand(link.expires_at is None or now < link.expires_at, "terms_expired", link)
        if before is None:
            _demand(link.issuer == release.originator, "terms_not_originator", link)
        else:
            _follows(before, link)
            if before.consent:
                _consented(release, link, given, keys_of, now)
        before = link
    last = links[-1]
    _demand(last.issuer == release.sender, "terms_other_sender", last)
    _demand(last.recipient == release.recipient, "terms_other_recipient", last)
    _demand(release.paths <= last.paths, "terms_paths_exceeded", last)
    _demand(release.purpose in last.purposes, "terms_purpose_exceeded", last)
    return last


def _follows(before: Terms, link: Terms) -> None:
    """Each link may only narrow the one before, and goes to whom that one allows."""
    _demand(link.issuer == before.recipient, "terms_chain_broken", link)
    _demand(link.recipient in before.onward, "terms_onward_refused", link)
    _demand(link.paths <= before.paths, "terms_paths_widened", link)
    _demand(link.purposes <= before.purposes, "terms_purpose_widened", link)
    _demand(link.handling >= before.handling, "terms_handling_loosened", link)
    _demand(link.onward <= before.onward, "terms_onward_widened", link)
    _demand(link.consent >= before.consent, "terms_consent_dropped", link)
    for name in ("expires_at", "keep_until"):
        earlier, later = getattr(before, name), getattr(link, name)
        _demand(
            earlier is None or (later is not None and later <= earlier),
            f"terms_{name}_widened",
            link,
        )


def _consented(
    release: Release,
    link: Terms,
    consents: Sequence[Statement],
    keys_of: KeysOf,
    now: datetime,
) -> None:
    granted = (
        _granted(one, release.item, release.record, link.issuer, keys_of(release.originator), now)
        for one in consents
    )
    held = any(to == link.recipient and link.paths <= paths for to, paths in granted)
    _demand(held, "terms_consent_missing", link)


def consented(
    consents: Iterable[bytes], item: str, record: bytes, sharer: str, keys: Keys, now: datetime
) -> dict[str, frozenset[str]]:
    """Return to whom, and which paths, the originator consents that a holder passes on.

    ``keys`` find the originator's. A consent for another item or holder, or one that ran out,
    grants nothing; raises ``Invalid`` and ``Denied`` for what is no consent or not signed by it.
    """
    found: dict[str, frozenset[str]] = {}
    for raw in consents:
        to, paths = _granted(signing.parse(raw, CONSENT), item, record, sharer, keys, now)
        found[to] = max(found.get(to, frozenset()), paths, key=len)
    return found


def _granted(
    statement: Statement, item: str, record: bytes, sharer: str, keys: Keys, now: datetime
) -> tuple[str, frozenset[str]]:
    said = statement.payload
    shape.check(said, _CONSENT, "the consent")
    signing.verify(statement, keys)
    here = (said["item"], shape.digest(said, "record"), said["from"]) == (item, record, sharer)
    lasts = not said["expires_at"] or now < shape.moment(said, "expires_at")
    return said["to"], frozenset(said["paths"]) if here and lasts else frozenset()


def _demand(held: bool, code: str, link: Terms) -> None:
    if not held:
        raise Denied(code, "the release terms do not allow this", issuer=link.issuer,
                     recipient=link.recipient)  # fmt: skip
