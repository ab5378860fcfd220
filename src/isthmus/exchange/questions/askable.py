"""What a partner may ask about blindly: the objects that a clause would release to it on request.

A blind answer tells that this node holds something about an object. So the elements are exactly
the objects that the asker would get if it asked openly: those that this node's own items in force
name on a path which ``decide`` releases to it, for this purpose, on request, with no condition
stated. What other nodes originated is theirs to tell.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from typing import Protocol

from isthmus.access.model import Purpose
from isthmus.agreements.decide import decide
from isthmus.agreements.model import Asked, InForce, Mode, Prohibition
from isthmus.exchange.by_agreements import Clauses, Overlay
from isthmus.exchange.trust import identity
from isthmus.intelligence import keeping, reading, store
from isthmus.intelligence.model import Item, ItemKind, nested
from isthmus.intelligence.objects import ASKABLE, ObjectKind, objects_of
from isthmus.kernel.canonical import digest
from isthmus.platform.transaction import Transaction


class Askable(Protocol):
    """Tells what the agreements let a partner ask about."""

    def basis(self, tx: Transaction, partner: str, purpose: Purpose) -> str:
        """Return what the clauses and the overlay are now; empty where nothing may be asked."""
        ...

    def objects(
        self, tx: Transaction, partner: str, purpose: Purpose
    ) -> Iterable[tuple[ObjectKind, str]]:
        """Return the objects that it may ask about."""
        ...


class Nothing:
    """A node that answers no blind questions."""

    def basis(self, _tx: Transaction, _partner: str, _purpose: Purpose) -> str:
        """No clause."""
        return ""

    def objects(
        self, _tx: Transaction, _partner: str, _purpose: Purpose
    ) -> Iterable[tuple[ObjectKind, str]]:
        """Nothing."""
        return ()


class ByClauses:
    """What the clauses and the overlay that stand at this node release on request."""

    def __init__(self, clauses: Clauses, overlay: Overlay) -> None:
        self._read_clauses, self._read_overlay = clauses, overlay

    def basis(self, tx: Transaction, partner: str, purpose: Purpose) -> str:
        """Return a digest of the clauses that permit an answer now, and of the overlay."""
        clauses = self._permitting(tx, _asked(tx, partner, purpose))
        if not clauses:
            return ""
        cited = sorted((one.citation, one.agreement_hash) for one in clauses)
        return digest([cited, [asdict(rule) for rule in self._read_overlay(tx)]]).hex()

    def objects(
        self, tx: Transaction, partner: str, purpose: Purpose
    ) -> Iterable[tuple[ObjectKind, str]]:
        """Return the objects on paths that are released, each once."""
        asked = _asked(tx, partner, purpose)
        clauses, overlay = self._permitting(tx, asked), self._read_overlay(tx)
        kinds = {kind for one in clauses if one.clause.permit for kind in one.clause.permit.kinds}
        found: set[tuple[ObjectKind, str]] = set()
        for item in _own(tx, kinds):
            found |= _released(tx, clauses, overlay, item, asked)
        return found

    def _permitting(self, tx: Transaction, asked: Asked) -> Sequence[InForce]:
        """Return the clauses in force by which this purpose may be answered on request."""
        return [
            one
            for one in self._read_clauses(tx, asked.sender, asked.recipient, tx.now)
            if (permit := one.clause.permit) is not None
            and one.clause.in_force(tx.now)
            and asked.purpose in permit.purposes
            and asked.mode in permit.modes
        ]


def _asked(tx: Transaction, partner: str, purpose: Purpose) -> Asked:
    return Asked(identity.me(tx)["node"], partner, purpose, Mode.ON_REQUEST)


def _own(tx: Transaction, kinds: set[ItemKind]) -> Iterator[Item]:
    """Yield this node's own items in force that name an object, of kinds that may go at all."""
    wanted = {kind.value for kind in kinds}
    ids = {
        row["item"]: None
        for row in reading.objects_known(tx, ASKABLE)
        if row["partner"] is None and row["item_kind"] in wanted
    }
    for item_id in ids:
        yield keeping.load(tx, store.copies_of(tx, item_id)[-1])


def _released(
    tx: Transaction,
    clauses: Sequence[InForce],
    overlay: Sequence[Prohibition],
    item: Item,
    asked: Asked,
) -> set[tuple[ObjectKind, str]]:
    released = decide(clauses, overlay, item, asked, tx.now).released
    shown = nested({path: value for path, value in item.paths().items() if path in released})
    return {one for one in objects_of(replace(item, body=shown)) if one[0] in ASKABLE}
