"""The rules of the node: proposed, tried in shadow, approved by another person, retired."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import yaml
from sqlalchemy import RowMapping

from isthmus.access.gate import check, scope
from isthmus.access.model import Actor, Permission
from isthmus.kernel.errors import Conflict, Denied, Invalid
from isthmus.platform import audit, events
from isthmus.platform.transaction import Transaction
from isthmus.risk import store
from isthmus.risk.catalogue import field_kinds
from isthmus.risk.firing import run_examples
from isthmus.risk.rules import (
    Rule,
    Ruleset,
    RuleState,
    read_folder,
    read_rule,
    read_rules,
    read_stored,
    ruleset,
    shipped_folder,
)

# The ids of versions on trial beside a live one; see ``in_force``.
_TRIAL = re.compile(r"_v[0-9]+$")

STEPS: Mapping[RuleState, frozenset[RuleState]] = {
    RuleState.DRAFT: frozenset({RuleState.SHADOW, RuleState.RETIRED}),
    RuleState.SHADOW: frozenset({RuleState.LIVE, RuleState.RETIRED}),
    RuleState.LIVE: frozenset({RuleState.SHADOW, RuleState.RETIRED}),
}


@lru_cache(maxsize=1)
def shipped() -> Ruleset:
    """Return the rules that come with the product."""
    return read_folder(shipped_folder(), field_kinds())


def install(tx: Transaction, actor: Actor) -> int:
    """Enter shipped rules that this node does not have yet; return how many."""
    check(tx, actor, Permission.RULE_WRITE)
    known = store.rule_keys(tx)
    new = [rule for rule in shipped().rules if _key(rule) not in known]
    store.insert_rules(tx, [_row(tx, actor, rule, rule.state) for rule in new])
    for rule in new:
        audit.record(tx, actor.id, "rule.install", "rule", _key(rule), state=rule.state)
    return len(new)


def propose(tx: Transaction, actor: Actor, text: str) -> str:
    """Enter a rule as a draft from its YAML text; its own examples must come out as it says.

    Returns its key. Raises ``Invalid`` saying what is wrong and where, ``Conflict`` when its
    version is not newer than every one there is.
    """
    check(tx, actor, Permission.RULE_WRITE)
    rules = read_rules(text, "proposed", field_kinds(), shipped().lists)
    if len(rules) != 1:
        raise Invalid("risk.rule_invalid", "propose one rule at a time", rules=len(rules))
    rule = rules[0]
    if _TRIAL.search(rule.id):
        words = "an id that ends so is a version on trial; choose another"
        raise Invalid("risk.rule_invalid", words, rule=rule.id, path="id")
    tx.lock([f"rule-{rule.id}"])
    newest = store.newest_version(tx, rule.id)
    if rule.version <= newest:
        words = f"version {newest} exists; raise the version"
        raise Conflict("rule_known", words, rule=_key(rule))
    if failures := run_examples(rule, field_kinds()):
        first = failures[0]
        raise Invalid(
            "risk.example_failed",
            f"example {first.example} should {'fire' if first.expected else 'stay silent'}",
            rule=rule.id,
            example=first.example,
        )
    store.insert_rules(tx, [_row(tx, actor, rule, RuleState.DRAFT)])
    audit.record(tx, actor.id, "rule.propose", "rule", _key(rule), agency=actor.agency)
    return _key(rule)


def advance(tx: Transaction, actor: Actor, rule_key: str, then: RuleState) -> None:
    """Move a rule on. Live needs another person than the one who proposed it."""
    needed = Permission.RULE_APPROVE if then is RuleState.LIVE else Permission.RULE_WRITE
    check(tx, actor, needed, object_id=rule_key)
    tx.lock([f"rule-{rule_key.split('@', maxsplit=1)[0]}"])
    row = store.rule(tx, scope(actor, Permission.RULE_READ), rule_key)
    now = RuleState(row["state"])
    if then not in STEPS.get(now, frozenset()):
        raise Conflict("state_forbids", f"{now} cannot become {then}", rule=rule_key)
    values: dict[str, Any] = {"state": then}
    if then is RuleState.LIVE:
        if row["proposed_by"] == actor.id:
            raise Denied("second_person", "another person approves a rule", rule=rule_key)
        if row["expires_on"] is not None and row["expires_on"] < tx.now.date():
            words = f"it expired on {row['expires_on']}; propose its next version"
            raise Conflict("rule_expired", words, rule=rule_key)
        values |= {"approved_by": actor.id, "approved_at": tx.now}
        _retire_others(tx, row)
    store.change_rule(tx, rule_key, **values)
    audit.record(
        tx, actor.id, f"rule.{then.value}", "rule", rule_key, agency=actor.agency, before=now
    )
    events.emit(tx, "rule.changed", rule_key, state=then.value)


def _retire_others(tx: Transaction, row: RowMapping) -> None:
    for other in store.rules_in(tx, [RuleState.LIVE]):
        if other["rule_id"] == row["rule_id"] and other["id"] != row["id"]:
            store.change_rule(tx, other["id"], state=RuleState.RETIRED)


def rules(tx: Transaction, actor: Actor) -> list[tuple[RowMapping, Rule]]:
    """Return every rule version with the rule that its text makes."""
    rows = store.rules(tx, scope(actor, Permission.RULE_READ))
    return [(row, _rule(row)) for row in rows]


def in_force(tx: Transaction) -> Ruleset:
    """Return the rules that run today: live or in shadow, and not expired.

    A new version on trial runs beside the one that is live, under an id of its own
    (``late_consignee_v2``), so that the two can be compared; of several on trial the newest runs.
    """
    live: dict[str, Rule] = {}
    trial: dict[str, Rule] = {}
    for row in store.rules_in(tx, [RuleState.SHADOW, RuleState.LIVE]):  # older versions first
        rule = _rule(row)
        (live if rule.state is RuleState.LIVE else trial)[rule.id] = rule
    beside = [_beside(rule) if rule.id in live else rule for rule in trial.values()]
    running = ruleset([*live.values(), *beside], shipped().lists)
    return running.in_force(tx.now.date())


def _beside(rule: Rule) -> Rule:
    document = {**rule.document, "id": f"{rule.id}_v{rule.version}"}
    return read_rule(document, "stored", field_kinds(), shipped().lists)


def _rule(row: RowMapping) -> Rule:
    return _parsed(row["source"], RuleState(row["state"]))


@lru_cache(maxsize=1024)
def _parsed(source: str, state: RuleState) -> Rule:
    return read_stored(source, state, field_kinds(), shipped().lists)


def _key(rule: Rule) -> str:
    return f"{rule.id}@{rule.version}"


def _row(tx: Transaction, actor: Actor, rule: Rule, state: RuleState) -> dict[str, Any]:
    return {
        "id": _key(rule),
        "rule_id": rule.id,
        "version": rule.version,
        "state": state,
        "source": yaml.safe_dump(dict(rule.document), allow_unicode=True, sort_keys=False),
        "proposed_by": actor.id,
        "proposed_at": tx.now,
        "expires_on": rule.expires,
    }
