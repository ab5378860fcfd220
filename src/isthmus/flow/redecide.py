"""Deciding again what was disclosed, by the clauses and the overlay that were in force then.

A path that the partner got and that no clause then let pass is a leak. What is not kept any more
cannot be decided again, and is counted as such.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from isthmus.access.gate import check, scope
from isthmus.access.model import Actor, Permission
from isthmus.agreements import store as agreements
from isthmus.agreements.agreement import Agreement
from isthmus.agreements.decide import decide
from isthmus.agreements.model import InForce, Prohibition
from isthmus.agreements.overlay import read_rule, shipped
from isthmus.agreements.reading import read_kept
from isthmus.exchange import inbox
from isthmus.exchange import terms as terms_
from isthmus.exchange.by_agreements import only_recalls
from isthmus.exchange.envelope import Opened
from isthmus.exchange.tables import Row
from isthmus.intelligence import keeping, store
from isthmus.intelligence.model import Item
from isthmus.kernel.canonical import canonical
from isthmus.kernel.errors import Erased
from isthmus.platform.transaction import Transaction

LEFT = ("delivered", "held", "refused")
"""States of an envelope that reached the partner."""


@dataclass(frozen=True, slots=True)
class Leak:
    """One path that went although nothing in force then let it pass."""

    envelope: str
    item: str
    path: str
    code: str


@dataclass(frozen=True, slots=True)
class Redecided:
    """What came of deciding disclosures again: ``not_checkable`` counts by why not."""

    checked: int
    not_checkable: Mapping[str, int]
    leaks: tuple[Leak, ...]


def redecide(tx: Transaction, actor: Actor, rows: Iterable[Row]) -> Redecided:
    """Decide again the envelopes that left this node, each as of the moment it was put."""
    check(tx, actor, Permission.AGREEMENT_READ)
    law = _Law(tx, actor)
    checked, missing, leaks = 0, Counter[str](), list[Leak]()
    for row in rows:
        if row["direction"] != "out" or row["state"] not in LEFT:
            continue
        try:
            opened = inbox.opened(tx, row["id"])
            found = _leaks(tx, law, opened, row)
        except Erased as error:
            missing[error.code] += 1
            continue
        checked += 1
        leaks += found
    return Redecided(checked, dict(sorted(missing.items())), tuple(leaks))


def _leaks(tx: Transaction, law: "_Law", opened: Opened, row: Row) -> list[Leak]:
    shown, asked = opened.presented, opened.envelope.asked
    if only_recalls(opened):
        return []
    whole = _whole(tx, opened, row)
    clauses = law.clauses(asked.sender, asked.recipient, row["at"])
    decision = decide(clauses, law.overlay(row["at"]), whole, asked, row["at"])
    wrong = {
        path: decision.withheld[path].code if path in decision.withheld else "field_unknown"
        for path in shown.paths
        if path not in decision.released
    }
    wrong |= _beyond_terms(opened)
    return [Leak(row["id"], row["item_id"], path, code) for path, code in sorted(wrong.items())]


def _whole(tx: Transaction, opened: Opened, row: Row) -> Item:
    """An own item with what stayed behind, which decides too; of a partner's, what it let pass."""
    item = opened.presented.item
    if item.originator != opened.envelope.asked.sender:
        return item
    for copy in store.copies_of(tx, row["item_id"]):
        if copy["source"] == keeping.OWN and copy["version"] == row["item_version"]:
            return keeping.load(tx, copy)
    raise Erased("item_not_kept", "this version is not kept", item=row["item_id"])


def _beyond_terms(opened: Opened) -> dict[str, str]:
    """What was passed on beyond the terms by which it came here."""
    links = opened.envelope.terms
    if len(links) < 2:
        return {}
    before, asked = terms_.unverified(canonical(links[-2])), opened.envelope.asked
    allowed = asked.recipient in before.onward and asked.purpose.value in before.purposes
    return {
        path: "originator_terms"
        for path in opened.presented.paths
        if not allowed or path not in before.paths
    }


class _Law:
    """What was in force at a moment of the past: versions, suspensions, the overlay."""

    def __init__(self, tx: Transaction, actor: Actor) -> None:
        seen = scope(actor, Permission.AGREEMENT_READ)
        self._versions: Sequence[tuple[Any, Agreement]] = [
            (row, read_kept(row["source"]))
            for row in agreements.versions(tx, seen)
            if row["activated_at"] is not None
        ]
        self._pauses = agreements.suspensions(tx)
        self._changes = agreements.overlay_changes(tx)

    def clauses(self, sender: str, recipient: str, at: datetime) -> list[InForce]:
        """Return the clauses between two nodes of the versions then active."""
        found = []
        for row, agreement in self._versions:
            if row["activated_at"] > at or (row["ended_at"] and row["ended_at"] <= at):
                continue
            for clause in agreement.clauses:
                permit = clause.permit
                if permit and sender in permit.senders and recipient in permit.recipients:
                    held = replace(clause, suspended=self._suspended(agreement.id, clause.id))
                    found.append(InForce(agreement.id, row["hash"], held))
        return found

    def _suspended(self, agreement: str, clause: str) -> tuple[tuple[datetime, Any], ...]:
        return tuple(
            (row["since"], row["until"])
            for row in self._pauses
            if row["agreement"] == agreement and row["clause"] in (None, clause)
        )

    def overlay(self, at: datetime) -> list[Prohibition]:
        """Return what this node forbade itself then."""
        rules = {rule.id: rule for rule in shipped()}
        for row in self._changes:
            if row["approved_at"] > at:
                continue
            if row["body"] is None:
                rules.pop(row["rule"], None)
            else:
                rules[row["rule"]] = read_rule(row["body"], "overlay_change")
        return [rules[name] for name in sorted(rules)]
