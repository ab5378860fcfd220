from datetime import date

import pytest

from isthmus.risk.catalogue import field_kinds
from isthmus.risk.explain import explain
from isthmus.risk.firing import compile_rules, example_frame, fire, run_examples
from isthmus.risk.objectives import Objective
from isthmus.risk.rules import RuleState, read_folder, ruleset_from_bytes, shipped_folder

SHIPPED = read_folder(shipped_folder(), field_kinds())


@pytest.mark.parametrize("rule", SHIPPED.rules, ids=lambda rule: rule.id)
def test_the_rule_does_what_its_examples_say(rule):
    assert run_examples(rule, field_kinds()) == []


@pytest.mark.parametrize("rule", SHIPPED.rules, ids=lambda rule: rule.id)
def test_the_rule_explains_itself_in_five_languages(rule):
    row = rule.fires[0]
    limits = {name: limit.value for name, limit in rule.thresholds.items()}
    shown = {name: limits.get(name, row.get(name)) for name in rule.parameters}
    reason = {"code": f"rule:{rule.id}", "parameters": shown}
    told = {locale: explain(reason, SHIPPED, locale) for locale in ("es", "en", "fr", "nl", "pt")}
    assert len(set(told.values())) == 5
    assert not [text for text in told.values() if "{" in text]


def test_about_thirty_rules_for_their_objectives():
    assert len(SHIPPED.rules) >= 30
    count = {one: sum(rule.objective is one for rule in SHIPPED.rules) for one in Objective}
    assert count[Objective.CONTRABAND] > count[Objective.REVENUE] > count[Objective.STRATEGIC]


def test_strategic_rules_only_watch():
    strategic = [rule for rule in SHIPPED.rules if rule.objective is Objective.STRATEGIC]
    assert {rule.state for rule in strategic} == {RuleState.SHADOW}


def test_no_rule_mandates_as_shipped():
    assert not [rule.id for rule in SHIPPED.rules if rule.effect == "mandate"]


def test_every_threshold_says_where_it_comes_from():
    for rule in SHIPPED.rules:
        assert all(limit.source for limit in rule.thresholds.values())


def test_the_set_is_the_same_from_its_bytes():
    again = ruleset_from_bytes(SHIPPED.canonical(), field_kinds())
    assert again.canonical() == SHIPPED.canonical()
    rows = [row for rule in SHIPPED.rules for row in (*rule.fires, *rule.silent)]
    frame = example_frame(rows, field_kinds())
    one, other = (fire(frame, compile_rules(held.rules)) for held in (SHIPPED, again))
    assert one.equals(other)


def test_expired_and_retired_do_not_run():
    late = SHIPPED.in_force(date(2099, 1, 1))
    assert {rule.expires for rule in late.rules} == {None}
    assert len(SHIPPED.in_force(date(2026, 6, 1)).rules) == len(SHIPPED.rules)
