"""States of an inspection chain and of a request, which may follow which, and a request's clocks.

The states' names are the codes of the code lists ``chain_states`` and ``request_states``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from isthmus.agreements.model import ReplyClock


class ChainState(StrEnum):
    """Where one inspection for two countries stands."""

    CUED = "cued"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    RESULT = "result"


CHAIN_STEPS: Mapping[ChainState, frozenset[ChainState]] = {
    ChainState.CUED: frozenset({ChainState.ACCEPTED, ChainState.DECLINED}),
    ChainState.ACCEPTED: frozenset({ChainState.RESULT, ChainState.DECLINED}),
}


class RequestState(StrEnum):
    """Where a request for information or assistance stands."""

    DRAFT = "draft"
    COMPLETE = "complete"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    ACCEPTED = "accepted"
    NEED_MORE = "need_more"
    REFUSED = "refused"
    PARTIAL = "partial"
    ANSWERED = "answered"
    USED = "used"  # the requester said what became of the answer
    CLOSED = "closed"


_S = RequestState
REQUEST_STEPS: Mapping[RequestState, frozenset[RequestState]] = {
    _S.DRAFT: frozenset({_S.COMPLETE}),
    _S.COMPLETE: frozenset({_S.DRAFT, _S.SENT}),
    _S.SENT: frozenset({_S.ACKNOWLEDGED}),
    _S.ACKNOWLEDGED: frozenset({_S.ACCEPTED, _S.NEED_MORE, _S.REFUSED}),
    _S.NEED_MORE: frozenset({_S.ACCEPTED, _S.REFUSED}),
    _S.ACCEPTED: frozenset({_S.NEED_MORE, _S.REFUSED, _S.PARTIAL, _S.ANSWERED}),
    _S.PARTIAL: frozenset({_S.NEED_MORE, _S.ANSWERED}),
    _S.ANSWERED: frozenset({_S.USED}),  # never closed without feedback
    _S.USED: frozenset({_S.CLOSED}),
    _S.REFUSED: frozenset({_S.CLOSED}),
}
# Which steps the node that asks takes; all others are those of the node that is asked.
ASKER = frozenset({_S.DRAFT, _S.COMPLETE, _S.SENT, _S.USED, _S.CLOSED})
OPEN_REQUESTS = tuple(state for state in _S if state is not _S.CLOSED)

# Own defaults, the values that customs liaison works with: editable in later versions.
ACKNOWLEDGE = {"urgent": timedelta(hours=1), "normal": timedelta(days=1)}
WRITTEN = timedelta(hours=24)
FEEDBACK = timedelta(days=14)
# Where no clause says by when an answer is owed: own defaults, for planning and not a duty.
UNSTATED = {"urgent": timedelta(days=7), "normal": timedelta(days=30)}


@dataclass(frozen=True, slots=True)
class Terms:
    """How long each clock of one request runs."""

    acknowledge: timedelta
    answer: timedelta
    feedback: timedelta = FEEDBACK


def terms(
    clocks: Sequence[ReplyClock], urgency: str, held: str, feedback: timedelta | None = None
) -> Terms:
    """Return the terms of a request: the shortest reply clock of the clause that fits it."""
    fit = [clock.within for clock in clocks if (clock.urgency, clock.held) == (urgency, held)]
    answer = min(fit, default=UNSTATED[urgency])
    return Terms(ACKNOWLEDGE[urgency], answer, feedback or FEEDBACK)


@dataclass(frozen=True, slots=True)
class Clocks:
    """The clocks of a request: a moment where one runs, None where it does not.

    ``answer_left`` is what remains of the answer's clock while it stands still; below zero when
    it had run out before.
    """

    acknowledge_by: datetime | None = None
    answer_by: datetime | None = None
    answer_left: timedelta | None = None
    feedback_by: datetime | None = None
    written_by: datetime | None = None

    @property
    def running(self) -> dict[str, datetime]:
        """The moments of the clocks that run, by what is owed."""
        named = {
            "acknowledgement": self.acknowledge_by,
            "answer": self.answer_by,
            "feedback": self.feedback_by,
            "written": self.written_by,
        }
        return {owed: due for owed, due in named.items() if due is not None}


def sent(now: datetime, terms: Terms, *, oral: bool) -> Clocks:
    """Return the clocks that start when a request is sent; the answer's counts from then."""
    written = now + WRITTEN if oral else None
    return Clocks(now + terms.acknowledge, now + terms.answer, written_by=written)


def after(clocks: Clocks, then: RequestState, now: datetime, feedback: timedelta) -> Clocks:
    """Return the clocks of a sent request once it comes to a state."""
    match then:
        case _S.ACKNOWLEDGED:
            clocks = replace(clocks, acknowledge_by=None)
        case _S.NEED_MORE if clocks.answer_by is not None:
            clocks = replace(clocks, answer_by=None, answer_left=clocks.answer_by - now)
        case _S.ACCEPTED if clocks.answer_left is not None:
            clocks = replace(clocks, answer_by=now + clocks.answer_left, answer_left=None)
        case _S.ANSWERED:
            clocks = replace(clocks, answer_by=None, feedback_by=now + feedback)
        case _S.REFUSED:
            clocks = replace(clocks, answer_by=None, answer_left=None)
        case _S.USED:
            clocks = replace(clocks, feedback_by=None)
    return clocks
