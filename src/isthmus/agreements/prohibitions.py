"""The overlay of this node as it stands, and how two of its people change it."""

from typing import Any

from isthmus.access.gate import check, scope
from isthmus.access.model import Actor, Permission
from isthmus.agreements import store
from isthmus.agreements.model import Prohibition
from isthmus.agreements.overlay import fixed, plain, read_rule, shipped
from isthmus.kernel.errors import Conflict, Denied, NotFound
from isthmus.kernel.ids import new_id
from isthmus.platform import audit, events
from isthmus.platform.transaction import Transaction


def overlay(tx: Transaction) -> list[Prohibition]:
    """Return what this node forbids itself: the shipped rules with every approved change."""
    rules = {rule.id: rule for rule in shipped()}
    for row in store.overlay_changes(tx):
        if row["body"] is None:
            rules.pop(row["rule"], None)
        else:
            rules[row["rule"]] = read_rule(row["body"], "overlay_change")
    return [rules[name] for name in sorted(rules)]


def propose(tx: Transaction, actor: Actor, rule: Prohibition) -> str:
    """Propose to add a rule, or to replace the one with its id; return the change's id."""
    check(tx, actor, Permission.OVERLAY_PROPOSE, object_id=rule.id)
    if rule.fixed or rule.id in {one.id for one in fixed()}:
        raise Conflict("overlay_fixed", "the originator's rules are fixed", rule=rule.id)
    return _enter(tx, actor, rule.id, plain(read_rule(plain(rule), "proposed")))


def propose_removal(tx: Transaction, actor: Actor, rule: str) -> str:
    """Propose to take a rule out; return the change's id."""
    check(tx, actor, Permission.OVERLAY_PROPOSE, object_id=rule)
    if rule in {one.id for one in fixed()}:
        raise Conflict("overlay_fixed", "the originator's rules are fixed", rule=rule)
    if rule not in {one.id for one in overlay(tx)}:
        raise NotFound("overlay_rule_unknown", "no such rule", rule=rule)
    return _enter(tx, actor, rule, None)


def approve(tx: Transaction, actor: Actor, change: str) -> None:
    """Put a proposed change in force; another person than its proposer does, and no partner."""
    check(tx, actor, Permission.OVERLAY_APPROVE, object_id=change)
    tx.lock(["overlay"])
    row = store.overlay_change(tx, scope(actor, Permission.AGREEMENT_READ), change)
    if row["approved_at"] is not None:
        raise Conflict("state_forbids", "it is in force already", change=change)
    if row["proposed_by"] == actor.id:
        raise Denied("second_person", "another person approves it", change=change)
    store.approve_overlay_change(tx, change, approved_by=actor.id, approved_at=tx.now)
    _note(tx, actor, "overlay.approve", row["rule"], change)
    events.emit(tx, "overlay.changed", row["rule"], removed=row["body"] is None)


def _enter(tx: Transaction, actor: Actor, rule: str, body: dict[str, Any] | None) -> str:
    change = new_id("ovl")
    row = {"id": change, "rule": rule, "body": body}
    store.insert_overlay_change(tx, {**row, "proposed_by": actor.id, "proposed_at": tx.now})
    _note(tx, actor, "overlay.propose", rule, change)
    return change


def _note(tx: Transaction, actor: Actor, action: str, rule: str, change: str) -> None:
    audit.record(tx, actor.id, action, "overlay_rule", rule, agency=actor.agency, change=change)
