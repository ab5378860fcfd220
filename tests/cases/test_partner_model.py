"""The ways of a chain and a request: none skips a clock, none leaves its end."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from isthmus.agreements.clocks import EUROPEAN_POLICE
from isthmus.cases.partner_model import (
    CHAIN_STEPS,
    REQUEST_STEPS,
    UNSTATED,
    ChainState,
    Clocks,
    RequestState,
    after,
    sent,
    terms,
)

S = RequestState
START = datetime(2026, 1, 1, tzinfo=UTC)
TERM = terms((), "urgent", "directly")


@st.composite
def walks(draw: st.DrawFn) -> list[tuple[RequestState, timedelta]]:
    """A way through the states from the sending on, with the time each step took."""
    state, way = S.SENT, []
    for _ in range(draw(st.integers(0, 14))):
        ahead = sorted(REQUEST_STEPS.get(state, ()))
        if not ahead:
            break
        state = draw(st.sampled_from(ahead))
        way.append((state, timedelta(minutes=draw(st.integers(0, 20_000)))))
    return way


@given(way=walks(), oral=st.booleans())
def test_whoever_owes_something_is_on_the_clock_and_a_pause_takes_no_time(way, oral):
    clocks, now, used = sent(START, TERM, oral=oral), START, timedelta()
    state = S.SENT
    for then, took in way:
        if state is not S.NEED_MORE and state not in (S.ANSWERED, S.REFUSED, S.USED):
            used += took
        now += took
        clocks = after(clocks, then, now, TERM.feedback)
        state = then
        owed = set(clocks.running) - {"written"}
        if state in (S.ACKNOWLEDGED, S.ACCEPTED, S.PARTIAL):
            assert owed == {"answer"}
            assert clocks.answer_by - now == TERM.answer - used
        elif state is S.NEED_MORE:
            assert not owed
            assert clocks.answer_left == TERM.answer - used
        elif state is S.ANSWERED:
            assert owed == {"feedback"}
        else:
            assert not owed
        assert ("written" in clocks.running) == oral
    if state is S.CLOSED and S.REFUSED not in [step for step, _ in way]:
        assert S.USED in [step for step, _ in way]


def test_every_way_comes_to_its_end_and_none_leaves_it():
    def reached(steps, start):
        found, more = set(), {start}
        while more:
            found |= more
            more = set().union(*(steps.get(state, ()) for state in more)) - found
        return found

    assert reached(REQUEST_STEPS, S.DRAFT) == set(S)
    assert all(S.CLOSED in reached(REQUEST_STEPS, state) for state in S)
    assert {state for state in S if not REQUEST_STEPS.get(state)} == {S.CLOSED}
    ends = {state for state in ChainState if not CHAIN_STEPS.get(state)}
    assert ends == {ChainState.DECLINED, ChainState.RESULT}
    assert all(reached(CHAIN_STEPS, state) & ends for state in ChainState)


def test_the_answer_is_owed_by_the_clause_that_fits_or_by_the_own_default():
    assert terms(EUROPEAN_POLICE, "urgent", "directly").answer == timedelta(hours=8)
    assert terms(EUROPEAN_POLICE, "urgent", "indirectly").answer == timedelta(days=3)
    assert terms(EUROPEAN_POLICE, "normal", "directly").answer == timedelta(days=7)
    assert terms((), "normal", "directly").answer == UNSTATED["normal"]
    assert Clocks().running == {}
