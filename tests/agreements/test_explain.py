"""Every answer of ``decide`` in five languages, from codes, with its clause and what lacks."""

import pytest

from agreements.cases import Dice, a_case
from isthmus.agreements.decide import LACKS, decide
from isthmus.agreements.explain import duties, explain, reason
from isthmus.agreements.model import Released, Withheld
from isthmus.agreements.overlay import fixed, shipped
from isthmus.reference.codelist import LOCALES, code_list


@pytest.mark.parametrize("locale", LOCALES)
def test_every_reason_is_said_with_its_clause_and_what_lacks(locale: str) -> None:
    told = set()
    for case in (a_case(dice) for dice in (Dice(7),) for _ in range(600)):
        for answer in decide(*case).withheld.values():
            said = reason(answer, locale)
            assert "{" not in said
            if answer.clause and answer.code != "prohibited":
                assert answer.clause in said or answer.code == "field_unknown"
            if answer.code == "condition_missing":
                for code in answer.detail["needed"].split():
                    assert code_list("share_conditions").label(code, locale) in said
            told.add(answer.code)
    assert told == {*LACKS, "no_clause", "prohibited", "field_unknown"}


def test_the_list_of_reasons_is_what_decide_gives() -> None:
    assert set(code_list("withholding_reasons").codes()) == {
        *LACKS,
        "no_clause",
        "prohibited",
        "field_unknown",
        "consent_missing",  # of a partner's item: what its terms want besides the clauses
    }
    assert set(code_list("clause_lacks").codes()) == set(LACKS)


def test_a_reason_differs_between_languages() -> None:
    answer = Withheld(
        "purpose_not_allowed", {"needed": "judicial", "given": "targeting"}, "A/art-1"
    )
    said = {reason(answer, locale) for locale in LOCALES}
    assert len(said) == 5
    assert "Judicial proceedings" in reason(answer, "en")
    assert "art-1" in reason(Released("A/art-1", ""), "nl")


@pytest.mark.parametrize("locale", LOCALES)
def test_a_whole_decision_is_told(locale: str) -> None:
    for case in (a_case(dice) for dice in (Dice(3),) for _ in range(200)):
        decision = decide(*case)
        said = explain(decision, locale)
        assert said.paths.keys() == case.item.paths().keys()
        if decision.released:
            assert str(len(decision.released)) in said.summary
            assert said.duties == duties(decision.duties, locale)
        else:
            assert not said.duties


def test_every_ground_and_condition_of_the_overlay_has_words() -> None:
    for rule in (*shipped(), *fixed()):
        assert rule.ground in code_list("refusal_grounds")
        assert rule.unless <= set(code_list("share_conditions").codes())
        assert rule.uses <= set(code_list("intended_uses").codes())
