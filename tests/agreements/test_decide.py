"""``decide``: it agrees with a second evaluator, and narrowing never releases more."""

import os
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agreements import naive
from agreements.cases import Bytes, Case, Dice, a_case, a_clause, a_prohibition, some_duties
from isthmus.agreements.decide import decide
from isthmus.agreements.duties import at_least, strictest, weight
from isthmus.agreements.model import Decision, Duties
from isthmus.intelligence.model import Handling, Tlp

# A million in `make soak`, the same cases from the first on.
SEEDED = int(os.environ.get("ISTHMUS_DECISIONS", "20000"))
many = settings(max_examples=5000, deadline=None, suppress_health_check=list(HealthCheck))
several = settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
cases = st.binary(max_size=600).map(lambda held: a_case(Bytes(held)))
clauses = st.binary(max_size=80).map(lambda held: a_clause(Bytes(held), 9))
prohibitions = st.binary(max_size=60).map(lambda held: a_prohibition(Bytes(held), 9))
duties = st.binary(max_size=20).map(lambda held: some_duties(Bytes(held)))


def told(decision: Decision) -> tuple[object, ...]:
    """What of a decision both evaluators must say alike."""
    withheld = {
        path: (one.code, one.clause, one.detail.get("prohibition"))
        for path, one in decision.withheld.items()
    }
    return dict(decision.released), withheld, decision.duties


@many
@given(cases)
def test_both_evaluators_agree(case: Case) -> None:
    assert told(decide(*case)) == told(naive.decide(*case))


def test_both_evaluators_agree_on_seeded_cases() -> None:
    dice, released, codes = Dice(1), 0, set()
    for number in range(SEEDED):
        case = a_case(dice)
        decision = decide(*case)
        assert told(decision) == told(naive.decide(*case)), number
        released += len(decision.released)
        codes |= {one.code for one in decision.withheld.values()}
    assert released > SEEDED / 10  # the cases let enough pass to mean something
    assert len(codes) >= 13


@several
@given(cases)
def test_removing_a_clause_never_releases_more_nor_under_lighter_duties(case: Case) -> None:
    whole = decide(*case)
    by_citation = {one.citation: one.clause.permit for one in case.clauses}
    for place in range(len(case.clauses)):
        left = (*case.clauses[:place], *case.clauses[place + 1 :])
        less = decide(left, *case[1:])
        assert less.released.keys() <= whole.released.keys()
        for path, one in less.released.items():
            before, now = by_citation[whole.released[path].citation], by_citation[one.citation]
            assert before is not None
            assert now is not None
            assert weight(before.duties) <= weight(now.duties)


@several
@given(cases, prohibitions)
def test_adding_a_prohibition_never_releases_more(case: Case, rule) -> None:
    whole = decide(*case)
    less = decide(case.clauses, (*case.overlay, rule), *case[2:])
    assert less.released.items() <= whole.released.items()


@several
@given(cases, clauses)
def test_every_release_cites_a_clause_that_permits_it_by_itself(case: Case, more) -> None:
    decision = decide((*case.clauses, more), *case[1:])
    for path, one in decision.released.items():
        (cited,) = [c for c in (*case.clauses, more) if c.citation == one.citation]
        assert path in decide([cited], *case[1:]).released


@several
@given(cases)
def test_the_duties_keep_every_clause_cited(case: Case) -> None:
    decision = decide(*case)
    for one in decision.released.values():
        (cited,) = [c for c in case.clauses if c.citation == one.citation]
        assert cited.clause.permit is not None
        assert at_least(decision.duties, cited.clause.permit.duties)


@several
@given(st.lists(duties, max_size=5), duties)
def test_one_more_clause_cited_only_makes_duties_stricter(held: list[Duties], more: Duties) -> None:
    if held:
        assert at_least(strictest([*held, more]), strictest(held))
    assert at_least(strictest([*held, more]), more)
    assert strictest([*held, more]) == strictest([more, *reversed(held)])


@several
@given(cases, st.randoms(use_true_random=False))
def test_the_order_of_clauses_and_rules_means_nothing(case: Case, random) -> None:
    mixed, rules = list(case.clauses), list(case.overlay)
    random.shuffle(mixed)
    random.shuffle(rules)
    assert told(decide(mixed, rules, *case[2:])) == told(decide(*case))


@several
@given(cases, st.sampled_from(Tlp))
def test_the_traffic_light_permits_and_refuses_nothing(case: Case, tlp: Tlp) -> None:
    marking = replace(case.item.marking, tlp=tlp)
    other = case._replace(item=replace(case.item, marking=marking))
    assert told(decide(*case)) == told(decide(*other))


@several
@given(cases, st.sampled_from(Handling))
def test_a_mark_of_the_originator_only_restricts(case: Case, code: Handling) -> None:
    before = decide(*case)
    marking = replace(case.item.marking, handling=case.item.marking.handling | {code})
    after = decide(*case._replace(item=replace(case.item, marking=marking)))
    assert after.released.items() <= before.released.items()
    if after.released == before.released and after.released:
        assert at_least(after.duties, before.duties)


@pytest.mark.parametrize("seed", range(3))
def test_every_path_is_answered_once(seed: int) -> None:
    for case in (a_case(Dice(seed)) for _ in range(200)):
        decision = decide(*case)
        assert not decision.released.keys() & decision.withheld.keys()
        assert {*decision.released, *decision.withheld} == case.item.paths().keys()
