"""A batch: what one partner sent in one call, read and checked as far as no database is needed.

Whatever is cheap comes first: size, form, sender, disclosures, basis, terms, clock. The signatures
of the whole batch are noted meanwhile and then verified together (``verifiers``): three or more in
each envelope, which is most of what receiving costs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from isthmus.exchange import envelope
from isthmus.exchange.envelope import Opened
from isthmus.exchange.model import SKEW, Caps
from isthmus.exchange.terms import KeysOf
from isthmus.exchange.trust import key_store
from isthmus.exchange.trust.signing import Keys, PublicKey, public_key
from isthmus.exchange.verifiers import Claim, Noting, Verifiers
from isthmus.kernel.errors import Denied, IsthmusError
from isthmus.platform.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Book:
    """The keys of the directory as they stood at one moment: node and raw key by fingerprint."""

    me: str
    keys: dict[str, tuple[str, bytes]]

    def of(self, node: str) -> Keys:
        """Return what finds the keys of a node."""

        def find(fingerprint: str) -> PublicKey | None:
            held = self.keys.get(fingerprint)
            return public_key(held[1]) if held is not None and held[0] == node else None

        return find

    def noting(self, claims: list[Claim]) -> KeysOf:
        """Return what finds keys that note what they are to verify, instead of verifying it."""

        def of(node: str) -> Keys:
            def find(fingerprint: str) -> PublicKey | None:
                held = self.keys.get(fingerprint)
                return Noting(held[1], claims) if held is not None and held[0] == node else None

            return find

        return of


def directory_keys(tx: Transaction) -> Book:
    """Read the keys in force of all trusted nodes, and this node's own."""
    keys = {
        row["fingerprint"]: (row["partner"], row["public"]) for row in key_store.signing_keys(tx)
    }
    me = ""
    for row in key_store.own_signing_keys(tx):
        me = row["node"]
        keys[row["fingerprint"]] = (me, row["public"])
    return Book(me, keys)


@dataclass(frozen=True, slots=True)
class Reading:
    """Reads what one sender sent, by the keys and caps of one moment."""

    known: Book
    caps: Caps
    sender: str
    now: datetime

    def batch(
        self, envelopes: Sequence[bytes], verifiers: Verifiers
    ) -> tuple[list[tuple[int, Opened]], list[dict[str, Any]]]:
        """Check everything that needs no database; return what is whole, and refusals by place.

        Everything else is checked first, and the signatures of all together. An envelope in which
        anything at all was found wrong is read once more by itself, in the order of the protocol,
        which names the reason.
        """
        claims: list[Claim] = []
        noting = self.known.noting(claims)
        read: list[tuple[Opened | None, int]] = []
        for raw in envelopes:
            before = len(claims)
            try:
                one: Opened | None = self.one(raw, noting)
            except IsthmusError:
                one = None
                del claims[before:]
            read.append((one, len(claims) - before))
        held = iter(verifiers.check(claims))
        whole: list[tuple[int, Opened]] = []
        refused: list[dict[str, Any]] = []
        for place, (one, signatures) in enumerate(read):
            good = all(list(islice(held, signatures)))  # all of them are taken, whatever they say
            try:
                opened = (
                    one if one is not None and good else self.one(envelopes[place], self.known.of)
                )
            except IsthmusError as error:
                refused.append({"index": place, "code": error.code})
                continue
            whole.append((place, opened))
        return whole, refused

    def one(self, raw: bytes, keys_of: KeysOf) -> Opened:
        """Read one envelope."""
        opened = envelope.open_(
            raw,
            sender=self.sender,
            recipient=self.known.me,
            keys_of=keys_of,
            caps=self.caps,
            now=self.now,
        )
        if opened.envelope.made_at > self.now + SKEW:
            raise Denied("clock_skew", "made later than now", sender=self.sender)
        return opened
