"""Screening in the loop: a listed party is a reason, is judged once, and is not asked again."""

from datetime import date

import pytest
import yaml
from sqlalchemy import select

from flow.listed_node import SHADOW, lookouts, row
from flow.loop_node import Loop, everything
from isthmus.access.model import Permission, Role
from isthmus.cargo.tables import party_table
from isthmus.flow import judge as flow_judge
from isthmus.flow.erase import hold_party
from isthmus.flow.upkeep import watch_hits
from isthmus.kernel.errors import Conflict, Denied, Invalid
from isthmus.parties import hit_store, hits, judgements
from isthmus.parties.hit import HitState, Verdict
from isthmus.parties.hit_store import Wanted
from isthmus.parties.judgements import Given
from isthmus.parties.tables import hit_table, judgement_table, screening_table
from isthmus.platform.audit import audit_table
from isthmus.reference.codelist import LOCALES
from isthmus.risk import assessments, rulebook
from isthmus.risk.rulebook import shipped_folder
from isthmus.risk.rules import RuleState
from isthmus.risk.tables import assessment_table

# "Constelación Ficticia Trading", in Cyrillic with two letters wrong, in care of somebody else.
CYRILLIC = "ОБЩЕСТВО НЕВИННОЕ C/O КОНСТЕЛАСЬОН ФИКТИСИЯ ТРЕЙДЫНГ"
OTHER = Given(Verdict.NOT_SAME, "other_address")


def desk(loop: Loop, **wanted):
    return loop.read(lambda tx: hits.desk(tx, loop.people[Role.ANALYST], Wanted(**wanted), 50))


def reasons(loop: Loop, number: int, locale: str = "en") -> list[str]:
    unit = loop.unit(number).id
    told = loop.read(
        lambda tx: assessments.tell_current(tx, loop.people[Role.ANALYST], [unit], locale)
    )
    return [text for one in told[unit] if one.objective == "contraband" for text in one.reasons]


def judge(loop: Loop, hit_id: str, given: Given = OTHER, role: Role = Role.ANALYST) -> None:
    loop.write(lambda tx: flow_judge.judge(tx, loop.people[role], hit_id, given))


def stored(loop: Loop, table):
    return loop.read(lambda tx: list(tx.execute(select(table)).mappings()))


@pytest.fixture
def flagged(any_loop: Loop) -> Loop:
    """A node with a lookout, and a consignee in Cyrillic, with two typos, behind a "c/o"."""
    lookouts(any_loop, [row("L1", SHADOW)])
    any_loop.manifest(1, consignee=CYRILLIC)
    any_loop.manifest(2)
    any_loop.node.scorer.score_all()
    return any_loop


def test_a_listed_consignee_is_flagged_with_a_reason_in_five_languages(flagged: Loop):
    (hit,) = desk(flagged)
    assert (hit["list"], hit["key"], hit["basis"], hit["state"]) == ("csv", "L1", "name", "open")
    assert hit["score"] >= 0.7
    told = {locale: reasons(flagged, 1, locale) for locale in LOCALES}
    assert len({tuple(texts) for texts in told.values()}) == len(LOCALES)
    assert all(any("csv" in text for text in texts) for texts in told.values())
    assert not any("csv" in text for text in reasons(flagged, 2))


def test_every_line_leaves_its_outcome_also_nothing(flagged: Loop):
    outcomes = {one["kind"]: 0 for one in stored(flagged, screening_table)}
    for one in stored(flagged, screening_table):
        outcomes[one["kind"]] += 1
        assert one["versions"] == {"csv": 1}
    assert outcomes == {"party": 4, "vessel": 1, "container": 1}
    assert sum(one["hits"] for one in stored(flagged, screening_table)) == 1
    assert all(one["line"] for one in stored(flagged, party_table))


def test_judged_once_it_is_not_asked_again(flagged: Loop):
    (hit,) = desk(flagged)
    judge(flagged, hit["id"])
    assert desk(flagged) == []
    flagged.node.scorer.score_all()
    assert not any("csv" in text for text in reasons(flagged, 1))
    lookouts(flagged, [row("L1", SHADOW)])  # the same again
    flagged.manifest(1, consignee=CYRILLIC, reference="MAN9")  # another bill, the same party
    flagged.node.rescreener.rescreen_due()
    flagged.node.scorer.score_all()
    assert desk(flagged) == []
    assert desk(flagged, states=[HitState.NOT_SAME])


def test_it_is_asked_again_when_the_entry_changes(flagged: Loop):
    (hit,) = desk(flagged)
    judge(flagged, hit["id"])
    lookouts(flagged, [row("L1", SHADOW, numbers="tax:155-9")])
    assert flagged.node.rescreener.rescreen_due() == 1
    (again,) = desk(flagged)
    assert again["id"] == hit["id"]
    assert len(stored(flagged, judgement_table)) == 1


def test_it_is_asked_again_when_the_judgement_runs_out(flagged: Loop):
    (hit,) = desk(flagged)
    judge(flagged, hit["id"], Given(Verdict.NOT_SAME, "other_address", date(2026, 2, 1)))
    flagged.later(days=20)
    flagged.write(watch_hits)
    assert desk(flagged) == []
    flagged.later(days=20)
    flagged.write(watch_hits)
    assert [one["id"] for one in desk(flagged)] == [hit["id"]]


def test_second_thoughts_are_another_judgement(flagged: Loop):
    (hit,) = desk(flagged)
    analyst = flagged.people[Role.ANALYST]
    judge(flagged, hit["id"], Given(Verdict.NOT_SAME, "common_name", note="Muy frecuente aquí"))
    judge(flagged, hit["id"], Given(Verdict.SAME, "confirmed_by_inquiry"), Role.SUPERVISOR)
    told = flagged.read(lambda tx: judgements.history(tx, analyst, hit))
    assert [(one.verdict, one.note) for one in told] == [
        ("same", None), ("not_same", "Muy frecuente aquí"),
    ]  # fmt: skip
    assert {row["note"] for row in stored(flagged, judgement_table)} != {None}
    assert not any(b"frecuente" in (row["note"] or b"") for row in stored(flagged, judgement_table))


def mandate(loop: Loop, rule_id: str) -> None:
    """Let the authority's own next version of a shipped rule mandate: by one, approved by another."""
    shipped = yaml.safe_load((shipped_folder() / "lists.yaml").read_text("utf-8"))
    (rule,) = [one for one in shipped if one["id"] == rule_id]
    text = yaml.safe_dump([rule | {"version": 2, "effect": "mandate"}], allow_unicode=True)
    author, other = loop.people[Role.RULE_AUTHOR], loop.people[Role.SUPERVISOR]
    key = loop.write(lambda tx: rulebook.propose(tx, author, text))
    loop.write(lambda tx: rulebook.advance(tx, author, key, RuleState.SHADOW))
    loop.write(lambda tx: rulebook.advance(tx, other, key, RuleState.LIVE))


def test_a_hit_judged_the_same_comes_first_and_by_an_own_rule_is_mandated(flagged: Loop):
    (hit,) = desk(flagged)
    judge(flagged, hit["id"], Given(Verdict.SAME, "confirmed_by_inquiry"))
    mandate(flagged, "list_same")
    flagged.node.scorer.score_all()
    (pick,) = flagged.run(budget=1).picks
    assert (pick["basis"], pick["unit_id"]) == ("mandated", flagged.unit(1).id)
    assert pick["rule_id"] == "list_same"


def test_as_shipped_a_hit_judged_the_same_is_high_risk_and_mandates_nothing(flagged: Loop):
    (hit,) = desk(flagged)
    judge(flagged, hit["id"], Given(Verdict.SAME, "confirmed_by_inquiry"))
    flagged.node.scorer.score_all()
    current = [one for one in stored(flagged, assessment_table) if one["current"]]
    (found,) = [
        one
        for one in current
        if (one["unit_id"], one["objective"]) == (flagged.unit(1).id, "contraband")
    ]
    assert (found["band"], found["mandated_by"]) == ("high", None)
    assert not any(one["mandated_by"] for one in current)


def test_a_ship_and_a_box_by_their_numbers(any_loop: Loop):
    lookouts(
        any_loop,
        [
            row("V1", "FICTA MARINA", kind="vessel", numbers="imo:9321483"),
            row("B1", "Cajas Ficticias", numbers="container_prefix:ISTU"),
        ],
    )
    mandate(any_loop, "list_number")
    any_loop.manifest(1)
    any_loop.node.scorer.score_all()
    found = {(one["line_kind"], one["key"]): one for one in desk(any_loop)}
    assert found.keys() == {("vessel", "V1"), ("container", "B1")}
    assert {one["score"] for one in found.values()} == {1.0}
    assert {one["rule_id"] for one in any_loop.run(budget=1).picks} == {"list_number"}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (Given(Verdict.SAME, "other_address"), "reason_unfit"),
        (Given(Verdict.SAME, "no_such"), "code_unknown"),
        (Given(Verdict.NOT_SAME, "common_name", date(2025, 12, 31)), "judgement_end_impossible"),
        (Given(Verdict.NOT_SAME, "common_name", date(2036, 1, 1)), "judgement_end_impossible"),
        (Given(Verdict.UNSURE, "more_needed", note="x" * 2001), "reason_too_long"),
    ],
)
def test_a_judgement_needs_a_fitting_reason_and_end(flagged: Loop, given: Given, code: str):
    (hit,) = desk(flagged)
    with pytest.raises(Invalid) as caught:
        judge(flagged, hit["id"], given)
    assert caught.value.code == code
    assert stored(flagged, judgement_table) == []


def test_only_a_person_who_may_judges(flagged: Loop):
    (hit,) = desk(flagged)
    for actor in (flagged.node.actor, flagged.people[Role.AUDITOR], flagged.people[Role.INSPECTOR]):
        with pytest.raises(Denied):
            flagged.write(lambda tx, who=actor: judgements.judge(tx, who, hit["id"], OTHER))


def test_a_lookout_that_expired_ends_its_hits(any_loop: Loop):
    lookouts(any_loop, [row("L1", SHADOW, until="2026-01-10")])
    any_loop.manifest(1, consignee=SHADOW)
    any_loop.node.scorer.score_all()
    (hit,) = desk(any_loop)
    any_loop.later(days=12)
    any_loop.write(watch_hits)
    assert desk(any_loop) == []
    (ended,) = desk(any_loop, states=[HitState.ENDED])
    assert (ended["id"], ended["ended_by"]) == (hit["id"], "lookout_expired")
    any_loop.node.scorer.score_all()
    assert not any("csv" in text for text in reasons(any_loop, 1))
    with pytest.raises(Conflict):
        judge(any_loop, hit["id"])


def test_past_their_retention_hits_are_erased_unless_held(flagged: Loop):
    (hit,) = desk(flagged)
    judge(flagged, hit["id"])
    subject_of = flagged.people[Role.DATA_PROTECTION_OFFICER]
    consignee = CYRILLIC
    flagged.write(lambda tx: hold_party(tx, subject_of, consignee, "case 7"))
    flagged.later(days=6 * 365)
    flagged.write(watch_hits)
    assert len(stored(flagged, hit_table)) == len(stored(flagged, judgement_table)) == 1
    flagged.write(lambda tx: hold_party(tx, subject_of, consignee, None))
    flagged.write(watch_hits)
    assert stored(flagged, hit_table) == stored(flagged, judgement_table) == []
    assert stored(flagged, screening_table) == []
    assert "hits.swept" in {one["action"] for one in stored(flagged, audit_table)}


def test_erasing_a_party_takes_its_hits_and_judgements_along(flagged: Loop):
    (hit,) = desk(flagged)
    judge(flagged, hit["id"], Given(Verdict.UNSURE, "more_needed", note="Preguntar al socio"))
    officer = flagged.people[Role.DATA_PROTECTION_OFFICER]
    done = flagged.node.eraser.party(officer, CYRILLIC, "subject_request")
    assert (done.scope["hit"], done.scope["judgement"], done.scope["screening"]) == (1, 1, 1)
    assert stored(flagged, hit_table) == stored(flagged, judgement_table) == []


def test_erasing_an_entry_ends_its_hits_and_is_not_found_again(flagged: Loop):
    officer = flagged.people[Role.DATA_PROTECTION_OFFICER]
    done = flagged.node.eraser.list_entry(officer, "csv", "L1", "subject_request")
    assert (done.scope["list_entry"], done.scope["document"], done.scope["hit"]) == (1, 1, 1)
    assert desk(flagged) == []
    flagged.manifest(3, consignee=SHADOW)
    flagged.node.scorer.score_all()
    assert desk(flagged) == []


def test_hits_say_nothing_of_names(flagged: Loop):
    for table in (hit_table, screening_table, judgement_table):
        for one in stored(flagged, table):
            said = " ".join(str(value) for value in one.values()).casefold()
            assert "constelacion" not in said
            assert "ТРЕЙДЫНГ".casefold() not in said


def test_what_stands_on_a_unit_is_only_what_its_own_papers_say(flagged: Loop):
    (hit,) = desk(flagged)
    lines = flagged.read(lambda tx: hit_store.standing_on(tx, [hit["line"]]))
    assert [one["id"] for one in lines] == [hit["id"]]
    scope = everything(Permission.UNIT_READ)
    from isthmus.cargo import party_lines

    on = flagged.read(lambda tx: party_lines.units_on(tx, scope, hit["line"]))
    assert [one["id"] for one in on] == [flagged.unit(1).id]
    assert flagged.read(lambda tx: party_lines.count_units(tx, scope, hit["line"])) == 1
