"""What two countries work on together: a request on the clock, one chain, one number."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from flow.loop_node import Loop, open_loop
from isthmus.access import trail
from isthmus.access.gate import scope
from isthmus.access.model import Permission, Role, node_actor
from isthmus.cases import chains, clocks, inspections, picks, requests, seizures
from isthmus.cases import store as cases
from isthmus.cases.chains import Cue, Outcome
from isthmus.cases.inspections import Found, Report
from isthmus.cases.model import Result
from isthmus.cases.partner_model import Override, RequestState, Voyage
from isthmus.cases.requests import Question
from isthmus.cases.seizures import Credit, Told
from isthmus.flow import inspect
from isthmus.kernel.errors import Conflict, Denied, Invalid, NotFound
from isthmus.kernel.time import SetClock

HERE, THERE = "PA-ANA", "NL-DOUANE"


@pytest.fixture
def desk(tmp_path: Path, clock: SetClock, backend: str, request) -> Iterator[Loop]:
    """A node on each kind of database, with two boxes scored."""
    url = ""
    if backend == "postgresql":
        url = request.getfixturevalue("empty_url")
    loop = open_loop(tmp_path / "node", clock, url)
    loop.manifest(1, 2)
    loop.node.scorer.score_all()
    yield loop
    loop.node.close()


def taken(desk: Loop) -> tuple[str, str]:
    analyst, pick = desk.people[Role.ANALYST], desk.run(budget=1).picks[0]
    desk.write(lambda tx: picks.take(tx, analyst, pick["id"]))
    return pick["id"], pick["unit_id"]


def unit_of(desk: Loop, unit_id: str):
    return next(unit for unit in map(desk.unit, (1, 2)) if unit.id == unit_id)


def seized(desk: Loop) -> str:
    pick, _ = taken(desk)
    analyst, inspector = desk.people[Role.ANALYST], desk.people[Role.INSPECTOR]
    made = desk.write(lambda tx: inspect.order(tx, analyst, pick, "physical_full"))
    desk.write(lambda tx: inspections.accept(tx, inspector, made))
    told = Report(Result.SEIZURE, "physical_full", 60, 1.0, "contraband", (Found("cocaine", 40.0),))
    desk.write(lambda tx: inspect.report(tx, inspector, made, told))
    return made


def kinds(desk: Loop) -> list[str]:
    return sorted(alert["kind"] for alert in desk.alerts())


def overdue(desk: Loop, request_id: str) -> list[str]:
    told = [alert["detail"] for alert in desk.alerts()]
    return [one["owed"] for one in told if one.get("request") == request_id]


def test_a_seizure_has_one_number_and_its_credit_makes_one(desk: Loop):
    made, who = seized(desk), desk.people[Role.INSPECTOR]
    number = desk.write(lambda tx: seizures.register(tx, who, made, HERE))
    assert number == "SZ-PA-ANA-2026-1"
    with pytest.raises(Conflict) as caught:
        desk.write(lambda tx: seizures.register(tx, who, made, HERE))
    assert caught.value.code == "seizure_numbered"
    shared = [Credit(HERE, "seized", 60), Credit(THERE, "informed", 40)]
    desk.write(lambda tx: seizures.share_credit(tx, who, number, shared))
    with pytest.raises(Invalid, match="100 percent"):
        desk.write(lambda tx: seizures.share_credit(tx, who, number, shared[:1]))
    now = desk.clock.now()
    theirs = Told("SZ-NL-DOUANE-2026-7", now, (Credit(THERE, "seized", 100),))
    for _ in range(2):  # told twice, counted once
        desk.write(lambda tx: seizures.receive(tx, node_actor(), theirs))
    with pytest.raises(Conflict):
        desk.write(lambda tx: seizures.receive(tx, node_actor(), Told(number, now)))
    analyst, day = desk.people[Role.ANALYST], timedelta(days=1)
    total = desk.read(lambda tx: seizures.totals(tx, analyst, now - day, now + day))
    assert (total.seizures, total.credit) == (2, {HERE: 0.6, THERE: 1.4})
    (line,) = desk.read(lambda tx: seizures.goods(tx, analyst, [number]))
    assert (line["goods"], line["quantity"], line["weighed"]) == ("cocaine", 40.0, None)
    desk.write(lambda tx: seizures.weigh(tx, who, number, 0, 38.72))
    with pytest.raises(NotFound):
        desk.write(lambda tx: seizures.weigh(tx, who, number, 7, 1.0))
    (line,) = desk.read(lambda tx: seizures.goods(tx, analyst, [number]))
    assert (line["quantity"], line["weighed"], line["weighed_by"]) == (40.0, 38.72, who.id)
    desk.later(hours=25)
    for _ in range(2):
        desk.write(clocks.settle)
    assert kinds(desk).count("notice_overdue") == 1
    desk.write(lambda tx: seizures.notice_given(tx, who, number))


def test_a_box_in_a_chain_is_opened_again_only_for_a_reason(desk: Loop):
    pick, unit_id = taken(desk)
    unit, analyst = unit_of(desk, unit_id), desk.people[Role.ANALYST]
    ask = Cue(unit.container, THERE, "cut_off", desk.clock.now() + timedelta(days=9))
    chain = desk.write(lambda tx: chains.cue(tx, analyst, unit, ask, HERE))
    assert chains.CHAIN.fullmatch(chain)
    with pytest.raises(Conflict) as caught:
        desk.write(lambda tx: chains.cue(tx, analyst, unit, ask, HERE))
    assert caught.value.code == "chain_open"
    with pytest.raises(Denied):  # the node that is asked answers, not this one
        desk.write(lambda tx: chains.accept(tx, analyst, chain))
    desk.write(lambda tx: chains.accept(tx, node_actor(), chain))
    desk.write(lambda tx: chains.result(tx, node_actor(), chain, Outcome("seizure", seizure="SZ")))
    with pytest.raises(Conflict):
        desk.write(lambda tx: chains.decline(tx, node_actor(), chain, "cut_off"))
    with pytest.raises(Conflict) as caught:
        desk.write(lambda tx: inspect.order(tx, analyst, pick, "physical_full"))
    assert caught.value.code == "second_opening"
    with pytest.raises(Invalid):
        desk.write(
            lambda tx: inspect.order(tx, analyst, pick, "physical_full", Override("because"))
        )
    why = Override("seal_changed", "El precinto no es el mismo", "es")
    made = desk.write(lambda tx: inspect.order(tx, analyst, pick, "physical_full", why))
    auditor = desk.people[Role.AUDITOR]
    (entry,) = desk.read(lambda tx: trail.entries(tx, auditor, action="inspection.order"))
    assert entry["object_id"] == made
    assert (entry["detail"]["chain"], entry["detail"]["override"]) == (chain, "seal_changed")
    assert "precinto" not in str(entry["detail"])  # an audit holds codes
    (again,) = desk.read(lambda tx: chains.reopenings(tx, analyst, chain))
    assert (again["node"], again["reason"], again["language"]) == (HERE, "seal_changed", "es")
    inspector = desk.people[Role.INSPECTOR]
    desk.write(lambda tx: inspections.accept(tx, inspector, made))
    told = Report(Result.NO_IRREGULARITY, "physical_full", 30)
    desk.write(lambda tx: inspect.report(tx, inspector, made, told))
    (again,) = desk.read(lambda tx: chains.reopenings(tx, analyst, chain))
    assert again["result"] == "no_irregularity"


def answered(desk: Loop, voyage: Voyage) -> str:
    """A chain about box 1 that the partner opened, and whose box arrived on a voyage."""
    analyst, unit = desk.people[Role.ANALYST], desk.unit(1)
    ask = Cue(unit.container, THERE, "cut_off", desk.clock.now() + timedelta(days=2), voyage=voyage)
    chain = desk.write(lambda tx: chains.cue(tx, analyst, unit, ask, HERE))
    desk.write(lambda tx: chains.accept(tx, node_actor(), chain))
    desk.write(lambda tx: chains.result(tx, node_actor(), chain, Outcome("no_irregularity")))
    return chain


def is_guarded(desk: Loop, **unit: object) -> bool:
    box = replace(desk.unit(1), **unit)
    try:
        desk.read(lambda tx: chains.guard_opening(tx, box, "physical_full", None))
    except Conflict:
        return True
    return False


def test_a_chain_guards_its_box_on_this_trip_and_not_on_the_next(desk: Loop):
    arrives = desk.clock.now() + timedelta(days=10)
    answered(desk, Voyage("9321483", "601w", arrives))
    other = {"vessel_imo": "9454436"}
    assert is_guarded(desk, **other)
    desk.later(days=10 + 13)
    assert is_guarded(desk, **other)
    desk.later(days=1)
    assert not is_guarded(desk, **other)
    assert is_guarded(desk)  # the same voyage, late: the papers say ship and number
    desk.later(days=60)
    assert not is_guarded(desk)


def test_where_no_voyage_is_known_a_stated_span_after_the_deadline_is_guarded(desk: Loop):
    answered(desk, Voyage())
    desk.later(days=2 + 29)
    assert is_guarded(desk)
    desk.later(days=1)
    assert not is_guarded(desk)
    analyst, unit = desk.people[Role.ANALYST], desk.unit(1)
    ask = Cue(unit.container, THERE, "cut_off", desk.clock.now() + timedelta(days=2))
    desk.write(lambda tx: chains.cue(tx, analyst, unit, ask, HERE))  # and a new chain may begin


def test_a_partners_second_opening_stands_in_the_chain_once(desk: Loop):
    chain, node = answered(desk, Voyage()), node_actor()
    told = (THERE, "env_1")
    for result in (None, "seizure", None):
        desk.write(
            lambda tx, came=result: chains.receive_reopening(
                tx, node, chain, told, "court_order", came
            )
        )
    analyst = desk.people[Role.ANALYST]
    (row,) = desk.read(lambda tx: chains.reopenings(tx, analyst, chain))
    assert (row["node"], row["result"]) == (THERE, "seizure")


def test_a_cue_that_comes_is_answered_by_a_person_and_the_first_opening_is_free(desk: Loop):
    pick, unit_id = taken(desk)
    unit, analyst = unit_of(desk, unit_id), desk.people[Role.ANALYST]
    ask = Cue(unit.container, HERE, "cut_off", desk.clock.now() + timedelta(days=9))
    chain = f"{THERE}:chn_0123"
    for _ in range(2):
        desk.write(lambda tx: chains.receive_cue(tx, node_actor(), chain, ask, unit))
    with pytest.raises(Denied):
        desk.write(lambda tx: chains.accept(tx, node_actor(), chain))
    desk.write(lambda tx: chains.accept(tx, analyst, chain))
    assert [row["id"] for row in desk.read(lambda tx: chains.chains(tx, analyst))] == [chain]
    desk.write(lambda tx: inspect.order(tx, analyst, pick, "physical_full"))


def test_a_partners_questions_are_tasks_oldest_clock_first(desk: Loop):
    analyst, node, now = desk.people[Role.ANALYST], node_actor(), desk.clock.now()
    slow = Question(THERE, ("origin",), partner_case="NL-1")
    fast = Question(THERE, ("company",), urgency="urgent", oral=True)
    desk.write(lambda tx: requests.receive(tx, node, "slow", slow, now))
    assert desk.write(lambda tx: requests.receive(tx, node, "fast", fast, now))
    assert not desk.write(lambda tx: requests.receive(tx, node, "fast", fast, now))
    assert [row["id"] for row in desk.read(lambda tx: requests.tasks(tx, analyst))] == [
        "fast",
        "slow",
    ]
    desk.later(hours=2)
    for _ in range(2):
        desk.write(clocks.settle)
    assert kinds(desk) == ["request_acknowledgement_overdue"]
    desk.write(lambda tx: requests.take(tx, analyst, "fast"))
    desk.write(lambda tx: requests.acknowledge(tx, analyst, "fast", "PA-9"))
    desk.write(lambda tx: requests.need_more(tx, analyst, "fast"))
    desk.later(days=30)
    desk.write(clocks.settle)  # the answer's clock stands still; the written one does not
    assert "answer" not in overdue(desk, "fast")
    assert overdue(desk, "fast").count("written") == 1
    desk.write(lambda tx: requests.accept(tx, analyst, "fast"))
    desk.later(days=8)
    desk.write(clocks.settle)
    assert overdue(desk, "fast").count("answer") == 1
    desk.write(lambda tx: requests.answer(tx, analyst, "fast"))
    with pytest.raises(Conflict) as caught:
        desk.write(lambda tx: requests.close(tx, node, "fast"))
    assert caught.value.code == "not_in_writing"
    desk.write(lambda tx: requests.confirm_in_writing(tx, node, "fast"))
    with pytest.raises(Conflict, match="cannot become"):  # no end without feedback
        desk.write(lambda tx: requests.close(tx, node, "fast"))
    desk.write(lambda tx: requests.give_feedback(tx, node, "fast", "not_used"))
    desk.write(lambda tx: requests.close(tx, node, "fast"))
    assert [row["id"] for row in desk.read(lambda tx: requests.tasks(tx, analyst))] == ["slow"]


def test_an_own_request_is_moved_by_whoever_owes_the_step(desk: Loop):
    analyst, node = desk.people[Role.ANALYST], node_actor()
    ask = Question(THERE, ("container_history",), own_case="PA-1")
    desk.write(lambda tx: requests.draft(tx, analyst, "mine", ask))
    with pytest.raises(Conflict):
        desk.write(lambda tx: requests.send(tx, analyst, "mine"))
    desk.write(lambda tx: requests.complete(tx, analyst, "mine"))
    desk.write(lambda tx: requests.send(tx, analyst, "mine"))
    with pytest.raises(Denied):
        desk.write(lambda tx: requests.acknowledge(tx, analyst, "mine"))
    desk.write(lambda tx: requests.acknowledge(tx, node, "mine", "NL-7"))
    with pytest.raises(Invalid):
        desk.write(lambda tx: requests.refuse(tx, node, "mine", "mood"))
    desk.write(lambda tx: requests.refuse(tx, node, "mine", "torture"))
    (row,) = desk.read(lambda tx: requests.asked(tx, analyst))
    assert (row["own_case"], row["partner_case"]) == ("PA-1", "NL-7")
    assert (row["state"], row["due_at"]) == ("refused", None)
    desk.write(lambda tx: requests.close(tx, analyst, "mine"))


def test_what_a_partner_tells_implies_the_steps_before_it(desk: Loop):
    analyst, node = desk.people[Role.ANALYST], node_actor()
    desk.write(lambda tx: requests.draft(tx, analyst, "mine", Question(THERE, ("origin",))))
    desk.write(lambda tx: requests.went(tx, "mine", RequestState.SENT, "mine"))
    assert desk.write(lambda tx: requests.told(tx, node, "mine", RequestState.ANSWERED))
    desk.write(lambda tx: requests.answer(tx, node, "mine", item="ans"))
    assert not desk.write(lambda tx: requests.told(tx, node, "mine", RequestState.ACKNOWLEDGED))
    row = desk.read(lambda tx: requests.request(tx, analyst, "mine"))
    assert (row["state"], row["answer_item"]) == ("answered", "ans")
    assert row["feedback_by"] == desk.clock.now() + timedelta(days=14)


def test_an_answer_that_was_sent_takes_the_steps_that_it_is(desk: Loop):
    analyst, node, now = desk.people[Role.ANALYST], node_actor(), desk.clock.now()
    desk.write(lambda tx: requests.receive(tx, node, "task", Question(THERE, ("origin",)), now))
    desk.write(lambda tx: requests.acknowledge(tx, analyst, "task"))
    with pytest.raises(Invalid):
        desk.write(lambda tx: requests.need_more(tx, analyst, "task", ["mood"]))
    desk.write(lambda tx: requests.need_more(tx, analyst, "task", ["containers"]))
    assert desk.read(lambda tx: requests.request(tx, analyst, "task"))["lacks"] == ["containers"]
    for item, then in (("a1", "partial"), ("a2", "partial"), ("a3", "answered")):
        desk.write(lambda tx, i=item, t=then: requests.went(tx, "task", RequestState(t), i))
        row = desk.read(lambda tx: requests.request(tx, analyst, "task"))
        assert (row["state"], row["answer_item"], row["lacks"]) == (then, item, None)


def test_a_terminal_hears_of_boxes_and_not_of_requests(desk: Loop):
    now = desk.clock.now()
    asked = Question(THERE, ("origin",))
    desk.write(lambda tx: requests.receive(tx, node_actor(), "task", asked, now))
    desk.later(days=2)
    desk.write(clocks.settle)
    assert kinds(desk) == ["request_acknowledgement_overdue"]
    seen = scope(desk.people[Role.TERMINAL], Permission.HOLD_READ)
    assert desk.read(lambda tx: cases.alerts(tx, seen, boxes_only=True)) == []
