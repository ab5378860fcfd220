"""How a partnership goes: every figure against the rows it counts, and nothing told of a few."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange import conftest as nodes
from exchange.world import befriend
from flow.loop_node import Loop
from flow.partner_nodes import MARK, NL, PA, as_party
from flow.treaties import act, bring, envelope_of, ratified, receipts_back, see, settle_in
from isthmus.access.model import Role, node_actor
from isthmus.cases import chains, requests
from isthmus.cases.chains import Cue, Outcome
from isthmus.cases.partner_model import RequestState
from isthmus.cases.requests import Question
from isthmus.exchange import receipts
from isthmus.exchange.model import Lane, ReceiptKind
from isthmus.exchange.proof import ledger
from isthmus.flow import assurance, partnership, share
from isthmus.flow.partnership import Measure, Step, span
from isthmus.intelligence import items
from isthmus.intelligence.model import ItemKind

make = nodes.make  # a fixture of the exchange's own tests
START = datetime(2026, 1, 5, 8, tzinfo=UTC)  # a Monday, when the agreement is in force
ALERT = {"reason": "intelligence", "action": "inspect", "expires_at": "2026-12-01T00:00:00Z",
         "containers": ["MSKU1234565"]}  # fmt: skip
M = Measure


def under_treaty(loop: Loop, rotterdam):
    """Panama and Rotterdam under the fictional agreement between them."""
    loop.clock.moment = START
    panama = as_party(loop)
    for one in (panama, rotterdam):
        settle_in(one)
    befriend(panama, rotterdam)
    ratified("PA-NL-2026", panama, rotterdam)
    return loop, panama, rotterdam


@pytest.fixture
def two(loop: Loop, make):
    return under_treaty(loop, make(NL))


@pytest.fixture
def two_on_each(any_loop: Loop, make):
    """The same, with Panama on each kind of database in turn."""
    return under_treaty(any_loop, make(NL))


def alert(node, **changes):
    return act(node, items.draft, node.staff[Role.ANALYST], node.code, ItemKind.ALERT,
               ALERT | changes, MARK)  # fmt: skip


def shared(loop, one, other, minutes, opened=None):
    """Share an alert that is delivered after some minutes and opened after some more."""
    item = alert(one)
    act(one, share.send, one.staff[Role.ANALYST], item.id, other.code, lane=Lane.IMMEDIATE)
    loop.later(minutes=minutes)
    bring(one, other, item)
    if opened is not None:
        loop.later(minutes=opened)
        act(other, receipts.tell, envelope_of(other, item), ReceiptKind.OPENED)
        receipts_back(other, one)
    return item


def told(loop, panama, agreement=None):
    reader = panama.staff[Role.AUDITOR]
    (found,) = loop.read(
        lambda tx: partnership.partnerships(
            tx, reader, START, START + timedelta(weeks=4), agreement
        )
    )
    return found


def figure(found, measure, agreement=None):
    (one,) = [f for f in found.figures if (f.measure, f.agreement) == (measure, agreement)]
    return one


def test_shares_are_timed_to_delivery_and_to_opening(two):
    loop, panama, rotterdam = two
    for minutes in (1, 2, 3, 4):
        shared(loop, panama, rotterdam, minutes, opened=10)
    few = figure(told(loop, panama), M.DELIVERED)
    assert (few.span.begun, few.span.ended, few.span.median) == (4, 4, None)
    shared(loop, panama, rotterdam, 30)
    act(panama, share.send, panama.staff[Role.ANALYST], alert(panama).id, NL)  # waits
    found = told(loop, panama)
    one = figure(found, M.DELIVERED)
    assert (one.span.begun, one.span.ended) == (6, 5)
    assert (one.span.median, one.span.p95) == (timedelta(minutes=3), timedelta(minutes=30))
    assert (one.weeks[0].day, one.weeks[0].span.begun) == (date(2026, 1, 5), 6)
    assert [week.span.begun for week in one.weeks[1:]] == [0, 0, 0, 0]
    opened = figure(found, M.OPENED)
    assert (opened.span.begun, opened.span.ended, opened.span.median) == (6, 4, None)
    assert found.agreements == ("PA-NL-2026",)
    assert figure(found, M.DELIVERED, "PA-NL-2026").span == one.span
    rows = loop.read(
        lambda tx: partnership.steps(
            tx, panama.staff[Role.AUDITOR], START, START + timedelta(weeks=4)
        )
    )
    assert {row.clause for row in rows} == {"PA-NL-2026/art-3"}
    assert figure(told(loop, panama, "PA-BE-2026"), M.DELIVERED, "PA-BE-2026").span.begun == 0


def test_requests_are_held_against_the_clause_that_they_rely_on(two):
    loop, panama, _ = two
    analyst, node = panama.staff[Role.ANALYST], node_actor()
    asked = Question(NL, ("origin",), "urgent", "directly", citation="PA-NL-2026/art-4")
    for number, hours in enumerate((1, 2, 30, 40, 50)):
        name = f"NL-DOUANE:req_{number}"
        act(panama, requests.receive, node, name, asked, loop.clock.now())
        loop.later(hours=hours)
        act(panama, requests.acknowledge, analyst, name)
        act(panama, requests.accept, analyst, name)
        act(panama, requests.answer, analyst, name)
    mine = Question(NL, ("origin",), "normal", "directly", citation="PA-NL-2026/art-4")
    act(panama, requests.draft, analyst, "PA-ANA:req_9", mine)
    act(panama, requests.complete, analyst, "PA-ANA:req_9")
    act(panama, requests.went, "PA-ANA:req_9", RequestState.SENT, "PA-ANA:req_9")
    found = told(loop, panama)
    ours = figure(found, M.OUR_ANSWER)
    assert ours.span.median == timedelta(hours=30)
    assert ours.targets == (timedelta(hours=24), timedelta(hours=24))
    assert (ours.judged, ours.in_time, ours.share_in_time) == (5, 2, 0.4)
    due = figure(found, M.THEIR_FEEDBACK)
    assert (due.span.begun, due.span.ended, due.judged) == (5, 0, 0)
    assert due.targets == (timedelta(days=30), timedelta(days=30))
    act(panama, requests.give_feedback, node, "NL-DOUANE:req_0", "used_in_investigation")
    due = figure(told(loop, panama), M.THEIR_FEEDBACK)
    assert (due.span.ended, due.judged, due.in_time) == (1, 1, 1)
    theirs = figure(found, M.THEIR_ANSWER)
    assert (theirs.span.begun, theirs.span.ended, theirs.judged) == (1, 0, 0)
    assert theirs.targets == (timedelta(hours=240), timedelta(hours=240))
    loop.later(hours=241)
    late = figure(told(loop, panama), M.THEIR_ANSWER)
    assert (late.judged, late.in_time, late.share_in_time) == (1, 0, None)


def test_a_cue_is_timed_to_its_result_and_held_against_its_deadline(two):
    loop, panama, _ = two
    loop.manifest(1)
    unit, now = loop.unit(1), loop.clock.now()
    cue = Cue(unit.container, NL, "cut_off", now + timedelta(days=3))
    chain = act(panama, chains.cue, panama.staff[Role.SUPERVISOR], unit, cue, PA)
    loop.later(days=2)
    act(panama, chains.accept, node_actor(), chain)
    act(panama, chains.result, node_actor(), chain, Outcome("no_irregularity"))
    one = figure(told(loop, panama), M.THEIR_RESULT)
    assert (one.span.begun, one.span.ended, one.judged, one.in_time) == (1, 1, 1, 1)
    (row,) = [
        row
        for row in see(panama, partnership.steps, panama.staff[Role.AUDITOR], START,
                       START + timedelta(weeks=4))
        if row.measure is M.THEIR_RESULT
    ]  # fmt: skip
    assert (row.took, row.target) == (timedelta(days=2), timedelta(days=3))


def test_accuracy_is_the_share_later_corrected_or_recalled(two):
    loop, panama, rotterdam = two
    sent = [shared(loop, panama, rotterdam, 1) for _ in range(5)]
    officer = panama.staff[Role.SUPERVISOR]
    came = shared(loop, rotterdam, panama, 1)
    change = [{"path": "action", "value": "observe"}]
    act(panama, items.correct, officer, sent[0].id, change, "typing_error")
    act(panama, items.recall, officer, sent[0].id, "source_withdrawn")
    act(panama, items.recall, officer, sent[1].id, "source_withdrawn")
    found = told(loop, panama)
    assert (found.ours.items, found.ours.corrected, found.ours.recalled) == (5, 1, 2)
    assert (found.ours.changed, found.ours.share) == (2, 0.4)
    assert (found.theirs.items, found.theirs.changed, found.theirs.share) == (1, 0, None)
    taken = act(rotterdam, items.recall, rotterdam.staff[Role.SUPERVISOR], came.id,
                "source_withdrawn")  # fmt: skip
    bring(rotterdam, panama, taken)
    assert told(loop, panama).theirs.recalled == 1
    assert figure(told(loop, panama), M.DELIVERED).span.begun == 5  # recalls are no shares


def test_who_may_not_see_requests_sees_none_counted(two):
    loop, panama, _ = two
    asked = Question(NL, ("origin",), citation="PA-NL-2026/art-4")
    act(panama, requests.receive, node_actor(), "NL-DOUANE:req_1", asked, loop.clock.now())
    lawyer = panama.staff[Role.LEGAL_OFFICER]
    rows = see(panama, partnership.steps, lawyer, START, START + timedelta(weeks=1))
    assert rows == []


def test_both_kinds_of_database_tell_the_same(two_on_each):
    loop, panama, rotterdam = two_on_each
    for minutes in range(1, 6):
        shared(loop, panama, rotterdam, minutes, opened=10)
    came = shared(loop, rotterdam, panama, 1)
    taken = act(rotterdam, items.recall, rotterdam.staff[Role.SUPERVISOR], came.id,
                "source_withdrawn")  # fmt: skip
    bring(rotterdam, panama, taken)
    asked = Question(NL, ("origin",), "urgent", "directly", citation="PA-NL-2026/art-4")
    act(panama, requests.receive, node_actor(), "NL-DOUANE:req_1", asked, loop.clock.now())
    loop.clock.moment = START + timedelta(days=8)
    act(panama, ledger.seal)
    found = told(loop, panama)
    assert figure(found, M.DELIVERED).span.median == timedelta(minutes=3)
    assert figure(found, M.OPENED).span.ended == 5
    assert figure(found, M.OUR_ANSWER).judged == 1
    assert found.theirs.recalled == 1
    said = see(panama, assurance.gather, panama.staff[Role.AUDITOR], NL, START,
               START + timedelta(days=7))  # fmt: skip
    assert said["leaks"] == {"checked": 5, "not_checkable": {}, "found": []}
    assert said["follow"]["acted_here"] == {"done": 1}
    assert len(said["evidence"]) == 7
    assert said["audit"]["faults"] == 0


@given(st.lists(st.integers(0, 10**6), min_size=5, max_size=60))
def test_percentiles_are_those_of_the_rows(seconds):
    rows = [Step(M.DELIVERED, NL, "i", START, START + timedelta(seconds=one)) for one in seconds]
    found, ordered = span(rows), sorted(seconds)
    below = sum(one <= found.p95.total_seconds() for one in ordered)
    assert below >= 0.95 * len(ordered)
    assert found.p95.total_seconds() in ordered
    middle = found.median.total_seconds()
    assert sum(one <= middle for one in ordered) >= len(ordered) / 2
    assert sum(one >= middle for one in ordered) >= len(ordered) / 2
