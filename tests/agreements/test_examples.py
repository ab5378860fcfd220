"""Shipped agreements: their examples come out, and each depends on its own clause alone."""

from dataclasses import replace
from datetime import timedelta

import pytest

from isthmus.access.model import Purpose
from isthmus.agreements import shipped
from isthmus.agreements.agreement import Agreement
from isthmus.agreements.clocks import HORIZONS
from isthmus.agreements.decide import decide
from isthmus.agreements.examples import in_force, outcomes, run, without
from isthmus.agreements.model import Decision, Mode
from isthmus.agreements.overlay import shipped as shipped_overlay
from isthmus.intelligence import schema

WHOLE = shipped.fictional()
ids = [one.id for one in WHOLE]


@pytest.mark.parametrize("agreement", [*WHOLE, *shipped.register()], ids=lambda one: one.id)
def test_every_example_comes_out_as_its_authors_meant(agreement: Agreement) -> None:
    assert [(one.clause, one.example.title, one.wrong) for one in run(agreement)] == []


@pytest.mark.parametrize("agreement", WHOLE, ids=ids)
def test_without_a_clause_exactly_its_own_examples_fail(agreement: Agreement) -> None:
    for clause in agreement.clauses:
        failed = {(one.clause, one.example.title) for one in run(without(agreement, [clause.id]))}
        own = {(clause.id, example.title) for example in agreement.examples[clause.id]}
        assert failed == own


@pytest.mark.parametrize("agreement", WHOLE, ids=ids)
def test_no_two_examples_of_a_clause_go_by_one_title(agreement: Agreement) -> None:
    """Else the test above would take one that fails for two."""
    for clause, held in agreement.examples.items():
        assert len({one.title for one in held}) == len(held), clause


def test_an_example_that_hangs_on_another_clause_as_well_would_show() -> None:
    """Whatever two clauses permit alike, an example of one does not fail when that is deleted."""
    agreement = next(one for one in WHOLE if one.id == "PA-BE-2026")
    twin = replace(next(one for one in agreement.clauses if one.id == "art-3"), id="art-30")
    doubled = replace(agreement, clauses=(*agreement.clauses, twin))
    assert run(doubled) == []
    failed = {(one.clause, one.wrong[0]) for one in run(without(doubled, ["art-3"]))}
    assert {clause for clause, _ in failed} == {"art-3"}
    assert any("released by PA-BE-2026/art-30" in wrong for _, wrong in failed)
    stolen = replace(
        agreement, examples={**agreement.examples, "art-4": agreement.examples["art-3"]}
    )
    assert {one.clause for one in run(stolen)} == {"art-4"}


@pytest.mark.parametrize("agreement", WHOLE, ids=ids)
def test_an_agreement_has_thirty_examples_and_more_of_both_kinds(agreement: Agreement) -> None:
    held = [example for examples in agreement.examples.values() for example in examples]
    assert len(held) >= 30
    assert min(sum(one.allow for one in held), sum(not one.allow for one in held)) >= 15
    assert agreement.fictional


@pytest.mark.parametrize("agreement", WHOLE, ids=ids)
def test_clauses_and_examples_name_fields_that_there_are(agreement: Agreement) -> None:
    for clause in agreement.clauses:
        if clause.permit:
            known = {name for kind in clause.permit.kinds for name in schema.fields(kind)}
            tops = {name.partition(".")[0] for name in known}
            assert clause.permit.fields - {"*"} <= known | tops
        for example in agreement.examples[clause.id]:
            unknown = [
                path for path in example.item.paths() if schema.field_at(example.item, path) is None
            ]
            assert not unknown, example.title


def test_a_wrong_example_shows() -> None:
    agreement = WHOLE[0]
    outcome = next(iter(outcomes(agreement)))
    wrong = replace(outcome.example, allow=False, because="no_clause")
    examples = {**agreement.examples, outcome.clause: (wrong,)}
    (found,) = run(replace(agreement, examples=examples))
    assert "released by" in found.wrong[0]


def test_no_entry_of_the_register_gives_authority() -> None:
    for entry in shipped.register():
        assert not entry.permits, entry.id
        assert not entry.fictional


def test_the_declaration_has_four_parties_and_five_commitments_with_an_owner_each() -> None:
    (declaration,) = [one for one in shipped.register() if one.id == "PA-BE-FR-NL-2025"]
    assert declaration.signed is not None
    assert declaration.signed.isoformat() == "2025-12-09"
    assert not declaration.binding
    states = {party.state for party in declaration.parties}
    assert states == {"PA", "BE", "FR", "NL"}
    owed = [one.commitment for one in declaration.clauses if one.commitment]
    assert len(owed) >= 5
    for one in owed:
        assert set(one.owners) == states
        assert one.horizon in HORIZONS


def test_the_maritime_texts_form_a_chain() -> None:
    held = {one.id: one.place for one in shipped.register()}
    assert held["US-PA-1991"].role == "base"
    assert (held["US-PA-2002"].role, held["US-PA-2002"].under) == ("supplement", "US-PA-1991")
    assert (held["US-PA-2004"].role, held["US-PA-2004"].under) == ("amendment", "US-PA-2002")


def test_the_worked_example_of_the_protocol_comes_out_as_told() -> None:
    (agreement,) = [one for one in WHOLE if one.id == "PA-NL-2026"]
    example = next(one for one in agreement.examples["art-7"] if one.allow)
    persons = [{"category": one, "name": "Ana Ficta"} for one in ("suspect", "witness")]
    body = {"containers": ["MSKU1234565"], "persons": persons}
    item = replace(example.item, body=body)
    clauses = in_force(agreement)

    def told(**more: object) -> Decision:
        asked = replace(example.asked, **more)  # type: ignore[arg-type]
        return decide(clauses, shipped_overlay(), item, asked, example.at)

    decision = told()
    assert decision.released["containers"].citation == "PA-NL-2026/art-3"
    assert decision.released["persons.0.name"].citation == "PA-NL-2026/art-7"
    stays = decision.withheld["persons.1.name"]
    assert (stays.code, stays.clause) == ("subject_not_named", "PA-NL-2026/art-7")
    duties = decision.duties
    assert {str(code) for code in duties.handling} == {"H1", "H2"}
    assert (duties.keep_for, duties.feedback_within) == (timedelta(days=180), timedelta(days=14))
    assert not duties.onward.nodes
    assert set(told(mode=Mode.AUTOMATIC).released) == {"containers"}
    assert told(purpose=Purpose.JUDICIAL).nothing
