"""What is learnt: labels of the objective, from what a control can see, and hit rates told honestly."""

import pytest
from sqlalchemy import select

from flow.loop_node import Loop
from isthmus.access.model import Role
from isthmus.cases import inspections, picks
from isthmus.cases.inspections import Found, Report
from isthmus.cases.model import Result
from isthmus.flow import inspect
from isthmus.flow.effectiveness import effectiveness
from isthmus.flow.learn import SEES, labels_of
from isthmus.reference.codelist import code_list
from isthmus.risk.objectives import Objective
from isthmus.risk.select import Basis, Lane
from isthmus.risk.tables import outcome_table

C, R, S = Objective.CONTRABAND, Objective.REVENUE, Objective.STRATEGIC
CLEAN = Report(Result.NO_IRREGULARITY, "physical_full", 30)


def seizure(objective: str = "contraband", control: str = "physical_full") -> Report:
    return Report(
        Result.SEIZURE, control, 200, objective=objective, findings=(Found("cocaine", 5.0, "KGM"),)
    )


def inspect_pick(loop: Loop, pick: str, told: Report = CLEAN) -> None:
    analyst, inspector = loop.people[Role.ANALYST], loop.people[Role.INSPECTOR]
    loop.write(lambda tx: picks.take(tx, analyst, pick))
    order = loop.write(lambda tx: inspect.order(tx, analyst, pick, told.control_type))
    loop.write(lambda tx: inspections.accept(tx, inspector, order))
    loop.write(lambda tx: inspect.report(tx, inspector, order, told))


def inspect_one(loop: Loop, number: int, told: Report = CLEAN) -> None:
    made = loop.run(budget=50)
    (pick,) = [p for p in made.picks if p["unit_id"] == loop.unit(number).id]
    inspect_pick(loop, pick["id"], told)


def test_every_control_says_what_it_can_see():
    assert set(SEES) == set(code_list("control_types").codes())


@pytest.mark.parametrize(
    ("result", "control", "objective", "labels"),
    [
        ("no_irregularity", "physical_full", None, {C: False, R: False, S: False}),
        ("no_irregularity", "scan_xray", None, {C: False}),
        ("no_irregularity", "documentary", None, {R: False, S: False}),
        ("no_irregularity", "weighing", None, {}),
        ("inconclusive", "physical_full", None, {}),
        ("seizure", "physical_full", "contraband", {C: True, R: False, S: False}),
        ("seizure", "scan_xray", "contraband", {C: True}),
        # A revenue irregularity says nothing against the box where contraband was not looked for.
        ("non_compliant", "documentary", "revenue", {R: True, S: False}),
        ("non_compliant", "physical_full", "revenue", {C: False, R: True, S: False}),
        # Found by a control that was not looking for it: found all the same.
        ("non_compliant", "weighing", "contraband", {C: True}),
        # Wrong papers are no contraband found.
        ("documentary_irregularity", "documentary", "contraband", {R: False, S: False}),
        ("documentary_irregularity", "physical_full", "contraband", {R: False, S: False}),
        ("documentary_irregularity", "documentary", "revenue", {R: True, S: False}),
    ],
)
def test_a_result_labels_only_what_was_seen(result, control, objective, labels):
    assert labels_of(Result(result), control, objective) == labels


def test_revenue_never_labels_contraband():
    for result in Result:
        for control in SEES:
            assert labels_of(result, control, "revenue").get(C) is not True


def test_a_second_inspection_adds_its_own_labels(any_loop: Loop):
    """Papers in order first, cocaine found later: both are kept."""
    loop = any_loop
    loop.manifest(1)
    loop.node.scorer.score_all()
    inspect_one(loop, 1, Report(Result.NO_IRREGULARITY, "scan_xray", 20))
    loop.later(hours=1)
    loop.manifest(1, consignee="Another")
    loop.node.scorer.score_all()
    inspect_one(loop, 1, seizure())
    labels = outcome_table.c
    rows = loop.read(
        lambda tx: (
            tx.execute(
                select(labels.positive).where(labels.objective == "contraband").order_by(labels.seq)
            )
            .scalars()
            .all()
        )
    )
    assert rows == [False, True]


def test_hit_rates_by_basis_with_intervals(any_loop: Loop):
    loop = any_loop
    loop.manifest(*range(1, 81))
    loop.node.scorer.score_all()
    made = loop.run(budget=12, floor=0.5, documentary=2, seed=b"a fixed seed")
    red = [pick for pick in made.picks if pick["lane"] == "red"]
    told = {
        "ranked": [seizure(), CLEAN],
        "random": [CLEAN, Report(Result.INCONCLUSIVE, "canine", 9)],
    }
    expected = {"ranked": [0, 0], "random": [0, 0]}
    for basis, reports in told.items():
        for at, pick in enumerate(p for p in red if p["basis"] == basis):
            report = reports[at % 2]
            inspect_pick(loop, pick["id"], report)
            expected[basis][0] += report.result is not Result.INCONCLUSIVE
            expected[basis][1] += report.result is Result.SEIZURE
    (yellow, _) = [pick for pick in made.picks if pick["lane"] == "yellow"]
    inspect_pick(loop, yellow["id"], Report(Result.NO_IRREGULARITY, "documentary", 5))

    (measured,) = loop.read(lambda tx: effectiveness(tx, loop.people[Role.AUDITOR]))
    assert (measured.objective, measured.runs, measured.candidates) == (C, 1, 80)
    rates = {(rate.lane, rate.basis): rate for rate in measured.rates}
    for basis in (Basis.RANKED, Basis.RANDOM):
        rate = rates[Lane.RED, basis]
        assert [rate.inspected, rate.hits] == expected[basis]
        assert rate.rate.low <= rate.rate.value <= rate.rate.high
        assert 0 < rate.rate.high - rate.rate.low < 1
    papers = rates[Lane.YELLOW, next(r.basis for r in measured.rates if r.lane is Lane.YELLOW)]
    assert papers.hits == 0
    assert papers.inspected == 0  # a documentary check sees no contraband either way
    assert measured.ranked_over_random is None  # no random pick was right: nothing to divide by
    assert measured.whole.candidates == 80
    assert measured.whole.missed.low <= measured.whole.missed.value <= measured.whole.missed.high


def test_who_sees_one_office_is_told_no_estimate_of_the_whole(loop: Loop):
    from builders import person
    from isthmus.access.service import RoleRequest

    loop.manifest(*range(1, 10))
    loop.node.scorer.score_all()
    loop.run(budget=5)
    office = loop.unit(1).office
    limited = person(
        loop.node.database,
        loop.people[Role.ADMINISTRATOR],
        RoleRequest(Role.ANALYST, offices=frozenset({office})),
    )
    (measured,) = loop.read(lambda tx: effectiveness(tx, limited))
    assert sum(rate.picked for rate in measured.rates) == 5
    assert measured.whole is None


def test_nothing_run_is_nothing_measured(loop: Loop):
    assert loop.read(lambda tx: effectiveness(tx, loop.people[Role.AUDITOR])) == []
