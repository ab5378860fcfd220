"""The policy of a node with agreements: every envelope is decided again by those it holds now."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from isthmus.agreements import service
from isthmus.agreements.decide import decide
from isthmus.agreements.model import InForce, Prohibition
from isthmus.exchange.envelope import Opened
from isthmus.exchange.policy import HELD, PASS, REFUSED, Verdict
from isthmus.intelligence.model import ItemKind
from isthmus.platform.transaction import Transaction

# Clauses between two nodes, sender first, whether in force or not; and this node's own overlay.
Clauses = Callable[[Transaction, str, str, datetime], Sequence[InForce]]
Overlay = Callable[[Transaction], Sequence[Prohibition]]

# A recall names an item that the partner has, and why; it may show nothing else.
RECALL = frozenset({"about", "about_kind", "reason", "replaced_by"})


class ByAgreements:
    """Asks ``decide`` at dispatch with the node's overlay, and at receipt without one: what a
    sender forbids itself is its own matter."""

    def __init__(self, clauses: Clauses, overlay: Overlay) -> None:
        self._read_clauses, self._read_overlay = clauses, overlay
        # Of one transaction, whose moment is one: a batch asks the same for each envelope.
        self._held: WeakKeyDictionary[Transaction, dict[object, Any]] = WeakKeyDictionary()

    def _clauses(self, tx: Transaction, sender: str, recipient: str) -> Sequence[InForce]:
        held = self._held.setdefault(tx, {})
        if (sender, recipient) not in held:
            held[sender, recipient] = self._read_clauses(tx, sender, recipient, tx.now)
        found: Sequence[InForce] = held[sender, recipient]
        return found

    def _overlay(self, tx: Transaction) -> Sequence[Prohibition]:
        held = self._held.setdefault(tx, {})
        if "overlay" not in held:
            held["overlay"] = self._read_overlay(tx)
        found: Sequence[Prohibition] = held["overlay"]
        return found

    def dispatch(self, tx: Transaction, opened: Opened) -> Verdict:
        """Stop what the clauses or the overlay no longer let pass whole; hold what stands on an
        agreement of which the partner has told another text than this node's."""
        if only_recalls(opened):
            return Verdict()
        verdict = self._decide(tx, opened, self._overlay(tx))
        return self._agreed(tx, opened) if verdict.outcome == PASS else verdict

    def _agreed(self, tx: Transaction, opened: Opened) -> Verdict:
        """What was put under a text that is amended since cannot go as it is: the terms signed
        then may be lighter than those of now."""
        asked = opened.envelope.asked
        own = {
            one.agreement: one.agreement_hash
            for one in self._clauses(tx, asked.sender, asked.recipient)
        }
        for basis in opened.envelope.basis:
            if basis.agreement_hash != own[basis.agreement]:
                return Verdict(REFUSED, "agreement_amended")
            told = self._told(tx, asked.recipient, basis.agreement)
            if told is not None and told != basis.agreement_hash:
                return Verdict(HELD, "agreement_differs")
        return Verdict()

    def _told(self, tx: Transaction, partner: str, agreement: str) -> str | None:
        held = self._held.setdefault(tx, {})
        if ("told", partner, agreement) not in held:
            held["told", partner, agreement] = service.hash_told(tx, partner, agreement)
        found: str | None = held["told", partner, agreement]
        return found

    def receipt(self, tx: Transaction, opened: Opened) -> Verdict:
        """Hold what stands on another text of an agreement than this node's; refuse what no
        clause permits."""
        if only_recalls(opened):
            return Verdict()
        asked = opened.envelope.asked
        known = {
            one.agreement: one.agreement_hash
            for one in self._clauses(tx, asked.sender, asked.recipient)
        }
        for basis in opened.envelope.basis:
            if basis.agreement not in known:
                return Verdict(HELD, "agreement_unknown")
            if basis.agreement_hash != known[basis.agreement]:
                service.note_partner_hash(tx, asked.sender, basis.agreement, basis.agreement_hash)
                return Verdict(HELD, "agreement_differs")
        return self._decide(tx, opened, ())

    def _decide(self, tx: Transaction, opened: Opened, overlay: Sequence[Prohibition]) -> Verdict:
        """Ask of each path whether the clause it travels under lets it pass by itself.

        Another clause that would let it pass is no ground: the terms that were signed are those of
        the clauses cited, and may be lighter than its own.
        """
        asked, item = opened.envelope.asked, opened.presented.item
        clauses = self._clauses(tx, asked.sender, asked.recipient)
        released: set[str] = set()
        codes: dict[str, str] = {}
        for basis in opened.envelope.basis:
            citation = f"{basis.agreement}/{basis.clause}"
            cited = [one for one in clauses if one.citation == citation]
            decision = decide(cited, overlay, item, asked, tx.now)
            released |= decision.released.keys() & set(basis.paths)
            codes |= {path: one.code for path, one in decision.withheld.items()}
        for path in sorted(opened.presented.paths):
            if path not in released:
                return Verdict(REFUSED, codes.get(path, "no_clause"))
        return Verdict()


def only_recalls(opened: Opened) -> bool:
    """Whether an envelope only takes back what its originator gave before: that needs no clause,
    and never waits for one."""
    item, follows = opened.presented.item, opened.envelope.follows
    return (
        item.kind is ItemKind.RECALL
        and follows.startswith(f"{item.originator}:")
        and item.body.get("about") == follows
        and opened.presented.paths.keys() <= RECALL
    )
