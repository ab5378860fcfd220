"""The life of an agreement: two reviewers, signatures over one hash, narrowing alone."""

import re
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agreements.cases import Bytes, a_case, a_clause
from agreements.conftest import believe, person
from isthmus.access.model import Purpose, Role
from isthmus.agreements import lifecycle, prohibitions, service, shipped
from isthmus.agreements.decide import decide
from isthmus.agreements.effect import effect
from isthmus.agreements.model import Asked, Mode, Prohibition
from isthmus.agreements.narrowing import narrows
from isthmus.agreements.reading import read
from isthmus.kernel.errors import Conflict, Denied, Invalid, NotFound
from isthmus.platform import audit, events

TEXT = shipped.text_of("PA-NL-2026")
NODES = ("PA-ANA", "NL-DOUANE")


def next_version(text: str, *changes: tuple[str, str], number: int = 2) -> str:
    for old, new in (("\nversion: 1\n", f"\nversion: {number}\n"), *changes):
        assert old in text
        text = text.replace(old, new, 1)
    return text


NARROWER = next_version(TEXT, ("keep_days: 365", "keep_days: 90"))
WIDER = next_version(TEXT, ("kinds: [alert, sighting]", "kinds: [alert, sighting, seizure]"))


def test_an_agreement_comes_into_force_through_two_reviewers_and_two_signatures(desk) -> None:
    version = desk.tested(TEXT)
    assert desk.read(service.hash_of, "PA-NL-2026") is None
    with pytest.raises(Conflict, match="NL-DOUANE, PA-ANA"):
        desk.write(lifecycle.activate, desk.second, version, fictional=True)
    desk.sign(version, "PA-ANA")
    with pytest.raises(Conflict, match="and NL-DOUANE did not"):
        desk.write(lifecycle.activate, desk.second, version, fictional=True)
    desk.sign(version, "NL-DOUANE")
    desk.write(lifecycle.activate, desk.second, version, fictional=True)
    assert desk.read(service.hash_of, "PA-NL-2026") == read(TEXT, "x").hash
    clauses = desk.read(lambda tx: service.clauses_between(tx, "PA-ANA", "NL-DOUANE", tx.now))
    assert [one.clause.id for one in clauses] == [
        "art-3", "art-4", "art-5", "art-6", "art-7", "art-8", "art-9", "art-10",
    ]  # fmt: skip
    assert desk.read(lambda tx: service.clauses_between(tx, "PA-ANA", "BE-DOUANE", tx.now)) == []


def test_no_person_does_two_of_the_steps(lite) -> None:
    version = lite.write(lifecycle.enter, lite.drafter, TEXT)
    with pytest.raises(Denied, match="another person"):
        lite.write(lifecycle.review, lite.drafter, version)
    lite.write(lifecycle.review, lite.first, version)
    with pytest.raises(Denied, match="another person"):
        lite.write(lifecycle.review, lite.first, version)
    with pytest.raises(Conflict):
        lite.write(lifecycle.activate, lite.first, version, fictional=True)
    lite.write(lifecycle.review, lite.second, version)
    lite.sign(version, *NODES)
    with pytest.raises(Denied, match="another person"):
        lite.write(lifecycle.activate, lite.drafter, version, fictional=True)


@pytest.mark.parametrize("role", [Role.ANALYST, Role.INSPECTOR, Role.AUDITOR, Role.ADMINISTRATOR])
def test_others_draft_review_and_suspend_nothing(lite, role: Role) -> None:
    lite.in_force()
    stranger = person(9, role)
    for act, arguments in (
        (lifecycle.enter, (NARROWER,)),
        (lifecycle.review, ("PA-NL-2026@1",)),
        (lifecycle.activate, ("PA-NL-2026@1",)),
        (lifecycle.suspend, ("PA-NL-2026", "essential_interests")),
        (lifecycle.withdraw, ("PA-NL-2026@1",)),
        (prohibitions.propose_removal, ("torture",)),
    ):
        with pytest.raises(Denied):
            lite.write(act, stranger, *arguments)


def test_an_example_that_fails_stops_the_second_review(lite) -> None:
    wrong = (
        next_version(TEXT, ("because: too_secret", "because: not_in_force"), number=1)
        if ("version: 1" in TEXT)
        else TEXT
    )
    version = lite.write(lifecycle.enter, lite.drafter, wrong)
    lite.write(lifecycle.review, lite.first, version)
    with pytest.raises(Conflict, match="too_secret") as caught:
        lite.write(lifecycle.review, lite.second, version)
    assert caught.value.code == "agreement.example_failed"
    rows = lite.read(service.agreements, lite.first)
    assert [row["state"] for row, _ in rows] == ["legal_review"]


def test_a_wrong_signature_or_a_strangers_is_refused(lite) -> None:
    version = lite.tested(TEXT)
    with pytest.raises(Denied, match="does not fit"):
        lite.write(lifecycle.record_signature, lite.second, version, "NL-DOUANE", b"bad", believe)
    with pytest.raises(Invalid, match="no party"):
        lite.write(lifecycle.record_signature, lite.second, version, "FR-DGD", b"good", believe)


def test_a_made_up_agreement_is_in_force_only_where_a_node_plays(lite) -> None:
    version = lite.tested(TEXT)
    lite.sign(version, *NODES)
    with pytest.raises(Conflict, match="made-up"):
        lite.write(lifecycle.activate, lite.second, version)


def test_a_node_narrows_alone_and_widens_with_its_partner(desk) -> None:
    desk.in_force()
    version = desk.tested(NARROWER)
    desk.write(lifecycle.activate, desk.second, version, fictional=True)  # no signature at all
    wider = desk.tested(next_version(TEXT, number=3))  # back to what was signed is wider again
    with pytest.raises(Conflict, match="it widens"):
        desk.write(lifecycle.activate, desk.second, wider, fictional=True)
    desk.sign(wider, *NODES)
    desk.write(lifecycle.activate, desk.second, wider, fictional=True)
    states = {row["id"]: row["state"] for row, _ in desk.read(service.agreements, desk.first)}
    assert states == {
        "PA-NL-2026@1": "amended", "PA-NL-2026@2": "amended", "PA-NL-2026@3": "active",
    }  # fmt: skip


def test_an_old_version_is_not_entered_again(lite) -> None:
    lite.in_force()
    with pytest.raises(Conflict, match="version 1 exists"):
        lite.write(lifecycle.enter, lite.drafter, TEXT)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (NARROWER, True),
        (WIDER, False),
        (next_version(TEXT, ("fields: ['*']", "fields: [containers, vessels]")), True),
        (next_version(TEXT, ("fields: ['*']", "fields: ['*', persons]")), False),
        (next_version(TEXT, ("subjects: [suspect, convicted]", "subjects: [suspect]")), True),
        (next_version(TEXT, ("subjects: [suspect, convicted]", "subjects: ['*']")), False),
        (next_version(TEXT, ("least_source: B", "least_source: A")), True),
        (next_version(TEXT, ("least_source: B", "least_source: C")), False),
        (next_version(TEXT, ("consent: true", "consent: false")), False),
        (next_version(TEXT, ("- id: art-6", "- id: art-66")), False),
    ],
)
def test_what_narrows(changed: str, expected: bool) -> None:
    before, after = read(TEXT, "before").clauses, read(changed, "after").clauses
    assert narrows(before, after) is expected


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=500), st.binary(max_size=60), st.integers(0, 40))
def test_what_counts_as_narrower_never_releases_more(held, other, place) -> None:
    case = a_case(Bytes(held))
    if not case.clauses:
        return
    one = case.clauses[0]
    number = int(one.clause.id.rpartition("-")[2])
    mixed = bytearray(other.ljust(60, b"\x80"))
    before = a_clause(Bytes(bytes(mixed)), number)
    mixed[place] = (mixed[place] + 97) % 256
    after = a_clause(Bytes(bytes(mixed)), number)
    if narrows([before.clause], [after.clause]) and not after.clause.suspended:
        if before.clause.suspended:
            return
        old = decide([before], *case[1:])
        assert decide([after], *case[1:]).released.keys() <= old.released.keys()


def test_a_suspended_clause_holds_no_more_and_comes_back_by_another_person(desk, clock) -> None:
    desk.in_force()
    example = next(iter(shipped.fictional()[-1].examples["art-3"]))
    asked = Asked("PA-ANA", "NL-DOUANE", Purpose.TARGETING, Mode.SPONTANEOUS)

    def answer():
        return desk.read(
            lambda tx: decide(
                service.clauses_between(tx, "PA-ANA", "NL-DOUANE", tx.now),
                prohibitions.overlay(tx),
                example.item,
                asked,
                tx.now,
            )
        )

    assert answer().released.keys() == example.item.paths().keys()
    suspension = desk.write(
        lifecycle.suspend, desk.first, "PA-NL-2026", "essential_interests", "art-3"
    )
    assert {one.code for one in answer().withheld.values()} == {"not_in_force"}
    clock.advance(timedelta(hours=1))
    with pytest.raises(Denied, match="another person"):
        desk.write(lifecycle.lift, desk.first, suspension)
    desk.write(lifecycle.lift, desk.second, suspension)
    assert answer().released
    whole = desk.write(lifecycle.suspend, desk.first, "PA-NL-2026", "essential_interests")
    assert not answer().released
    with pytest.raises(Conflict):
        desk.write(lifecycle.suspend, desk.first, "PA-NL-2026", "torture", "art-99")
    with pytest.raises(NotFound):
        desk.write(lifecycle.lift, desk.second, whole + "x")


def test_a_withdrawn_agreement_gives_nothing(lite) -> None:
    version = lite.in_force()
    lite.write(lifecycle.withdraw, lite.first, version)
    assert lite.read(service.hash_of, "PA-NL-2026") is None
    assert lite.read(lambda tx: service.clauses_between(tx, *NODES, tx.now)) == []


def test_every_step_is_audited_by_codes_and_ids(lite) -> None:
    version = lite.in_force()
    lite.write(lifecycle.suspend, lite.first, "PA-NL-2026", "essential_interests", "art-3")
    rows = lite.read(lambda tx: tx.execute(audit.audit_table.select()).mappings().all())
    done = [row["action"] for row in rows if row["object_kind"] == "agreement"]
    assert done == [
        "agreement.enter", "agreement.review", "agreement.tested", "agreement.signed",
        "agreement.signed", "agreement.activate", "agreement.suspend",
    ]  # fmt: skip
    told = lite.read(lambda tx: tx.execute(events.event_table.select()).mappings().all())
    assert [row["payload"]["state"] for row in told if row["kind"] == "agreement.changed"] == [
        "active",
        "suspended",
    ]
    assert version


def test_hashes_that_differ_hold_and_show_until_they_agree(desk) -> None:
    desk.in_force()
    own = desk.read(service.hash_of, "PA-NL-2026")
    assert desk.read(service.hashes_agree, "NL-DOUANE", "PA-NL-2026")
    assert not desk.write(service.note_partner_hash, "NL-DOUANE", "PA-NL-2026", "0" * 64)
    assert not desk.read(service.hashes_agree, "NL-DOUANE", "PA-NL-2026")
    (row,) = desk.read(service.differences, desk.first)
    assert (row["partner"], row["hash"]) == ("NL-DOUANE", "0" * 64)
    assert desk.write(service.note_partner_hash, "NL-DOUANE", "PA-NL-2026", own)
    assert desk.read(service.hashes_agree, "NL-DOUANE", "PA-NL-2026")
    assert desk.read(service.differences, desk.first) == []
    assert not desk.read(service.hashes_agree, "NL-DOUANE", "PA-BE-2026")  # not in force at all


# -- overlay ------------------------------------------------------------------------------

RULE = Prohibition("no-exercises", "essential_interests", purposes=frozenset({Purpose.EXERCISE}))


def test_two_persons_change_the_overlay_and_no_partner(desk) -> None:
    before = desk.read(prohibitions.overlay)
    assert {one.id for one in before} >= {"death-penalty", "torture", "lethal-targeting"}
    change = desk.write(prohibitions.propose, desk.first, RULE)
    assert desk.read(prohibitions.overlay) == before
    with pytest.raises(Denied, match="another person"):
        desk.write(prohibitions.approve, desk.first, change)
    desk.write(prohibitions.approve, desk.second, change)
    assert RULE in desk.read(prohibitions.overlay)
    with pytest.raises(Conflict):
        desk.write(prohibitions.approve, desk.second, change)
    gone = desk.write(prohibitions.propose_removal, desk.second, "torture")
    desk.write(prohibitions.approve, desk.first, gone)
    assert "torture" not in {one.id for one in desk.read(prohibitions.overlay)}


def test_the_rules_of_the_originator_are_fixed(lite) -> None:
    with pytest.raises(Conflict, match="fixed"):
        lite.write(prohibitions.propose_removal, lite.first, "originator-h2")
    with pytest.raises(Conflict, match="fixed"):
        lite.write(
            prohibitions.propose, lite.first, Prohibition("originator-terms", "originator_terms")
        )
    with pytest.raises(NotFound):
        lite.write(prohibitions.propose_removal, lite.first, "no-such-rule")


# -- gaps and effects ---------------------------------------------------------------------


def test_what_stays_is_counted_by_the_clause_that_would_let_it_pass(desk) -> None:
    desk.in_force()
    held = next(one for one in shipped.fictional() if one.id == "PA-NL-2026")
    example = next(one for one in held.examples["art-7"] if one.because == "subject_not_named")

    def share(tx):
        clauses = service.clauses_between(tx, "PA-ANA", "NL-DOUANE", tx.now)
        decision = decide(clauses, (), example.item, example.asked, tx.now)
        service.note_withheld(tx, decision, example.item, "NL-DOUANE")

    for _ in range(3):
        desk.write(share)
    rows = desk.read(service.gaps, desk.first)
    assert {(row["clause"], row["code"], row["count"]) for row in rows} == {
        ("PA-NL-2026/art-7", "subject_not_named", 3)
    }
    assert {row["field"] for row in rows} == {"persons.category", "persons.name", "persons.role"}


def test_a_change_shows_what_it_would_have_altered() -> None:
    before = next(one for one in shipped.fictional() if one.id == "PA-NL-2026")
    shares = [
        (example.item, example.asked, example.at)
        for examples in before.examples.values()
        for example in examples
        if example.allow
    ]
    from isthmus.agreements.examples import in_force

    old, new = in_force(before), in_force(read(NARROWER, "new"))
    assert effect((old, ()), (old, ()), shares).altered == ()
    found = effect((old, ()), (new, ()), shares)
    assert found.shares == len(shares)
    assert not found.widens
    assert found.altered  # shorter keeping alone is a change of duties
    assert all(not one.lost and one.after.keep_for == timedelta(days=90) for one in found.altered)
    seizures = Prohibition("no-seizures", "essential_interests", fields=frozenset({"number"}))
    lost = effect((old, ()), (old, [seizures]), shares)
    assert {path for one in lost.altered for path in one.lost} == {"number"}
    gained = effect((old, [seizures]), (old, ()), shares)
    assert gained.widens


def test_no_name_of_a_person_stands_in_a_shipped_agreement() -> None:
    for one in (*shipped.register(), *shipped.fictional()):
        assert not re.search(r"Valdivieso", shipped.text_of(one.id))
