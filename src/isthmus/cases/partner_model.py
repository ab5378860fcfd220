"""States of an inspection chain and of a request, which may follow which, and a request's clocks.

The states' names are the codes of the code lists ``chain_states`` and ``request_states``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from sqlalchemy import RowMapping

from isthmus.agreements.model import ReplyClock
from isthmus.platform.settings import PartnerSettings


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
# Where the node that is asked has nothing more to do, nor to wait for.
OVER_FOR_ASKED = (_S.REFUSED, _S.USED, _S.CLOSED)
OPEN_TASKS = tuple(state for state in _S if state not in OVER_FOR_ASKED)

# Where no clause says by when an answer is owed: own defaults, for planning and not a duty.
UNSTATED = {"urgent": timedelta(days=7), "normal": timedelta(days=30)}
# A ship that is late carries its box under guard for so much longer, and no more: numbers of
# voyages come again.
LATE_SHIP = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast this node works with partners where no clause says otherwise: its settings."""

    acknowledge_urgent: timedelta = timedelta(hours=1)
    acknowledge: timedelta = timedelta(days=1)
    written: timedelta = timedelta(hours=24)
    feedback: timedelta = timedelta(days=14)
    notice: timedelta = timedelta(hours=24)  # of a seizure
    guard: timedelta = timedelta(days=14)  # after the arrival of a voyage that is known
    guard_unknown: timedelta = timedelta(days=30)

    @classmethod
    def of(cls, settings: PartnerSettings) -> Self:
        """Return the pace that a node's settings say."""
        return cls(
            timedelta(minutes=settings.acknowledge_urgent_minutes),
            timedelta(minutes=settings.acknowledge_minutes),
            timedelta(minutes=settings.written_minutes),
            timedelta(days=settings.feedback_days),
            timedelta(minutes=settings.notice_minutes),
            timedelta(days=settings.guard_days),
            timedelta(days=settings.guard_unknown_days),
        )


PACE = Pace()
"""The pace of a node that set nothing else."""


# -- a chain and its box ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Voyage:
    """On which voyage a box travels, as far as it is known."""

    vessel_imo: str | None = None
    number: str | None = None
    arrives_at: datetime | None = None

    def same(self, other: "Voyage") -> bool:
        """Whether both are known and are one: the ship and the number of its voyage."""
        if not (self.vessel_imo and self.number and other.number):
            return False
        return (self.vessel_imo, self.number.upper()) == (other.vessel_imo, other.number.upper())


ANY_VOYAGE = Voyage()
"""A voyage of which nothing is known."""


@dataclass(frozen=True, slots=True)
class Override:
    """Why a box is opened although a chain guards it: a code, and words for whoever reads it."""

    reason: str  # code list override_reasons
    words: str = ""
    language: str | None = None


def guards_until(
    voyage: Voyage, deadline: datetime, result_at: datetime | None = None, pace: Pace = PACE
) -> datetime:
    """Return until when a chain guards its box: for this trip of the box, not for the next.

    After the arrival, where it is known: the box is unloaded and gone in a few days. Else for a
    longer span after the deadline. A result that came later than either counts from its moment.
    """
    moments = [deadline, *(one for one in (voyage.arrives_at, result_at) if one is not None)]
    span = pace.guard if voyage.arrives_at is not None else pace.guard_unknown
    return max(moments) + span


def guards(row: RowMapping, voyage: Voyage, now: datetime) -> bool:
    """Whether a chain's box is on the trip that the chain is about; ``voyage`` is the unit's."""
    if now < row["guards_until"]:
        return True
    own = Voyage(row["vessel_imo"], row["voyage"], row["arrives_at"])
    return own.same(voyage) and now < row["guards_until"] + LATE_SHIP


# -- a request and its clocks -------------------------------------------------------------


def way(state: RequestState, then: RequestState) -> tuple[RequestState, ...]:
    """Return the shortest way of the asked node's steps from a state to another, both out of it.

    What a partner tells implies what goes before: an answer, that the request was accepted.
    Empty where there is none, and where the state is that one already.
    """
    if state is then:
        return ()
    ways: list[tuple[RequestState, ...]] = [(state,)]
    for passed in ways:
        for ahead in sorted(REQUEST_STEPS.get(passed[-1], ())):
            if ahead is then:
                return (*passed[1:], then)
            if ahead not in ASKER and ahead not in passed:
                ways.append((*passed, ahead))
    return ()


@dataclass(frozen=True, slots=True)
class Terms:
    """How long each clock of one request runs."""

    acknowledge: timedelta
    answer: timedelta
    feedback: timedelta = PACE.feedback
    written: timedelta = PACE.written


def terms(
    clocks: Sequence[ReplyClock],
    urgency: str,
    held: str,
    feedback: timedelta | None = None,
    pace: Pace = PACE,
) -> Terms:
    """Return the terms of a request: the shortest reply clock of the clause that fits it."""
    fit = [clock.within for clock in clocks if (clock.urgency, clock.held) == (urgency, held)]
    answer = min(fit, default=UNSTATED[urgency])
    acknowledge = pace.acknowledge_urgent if urgency == "urgent" else pace.acknowledge
    return Terms(acknowledge, answer, feedback or pace.feedback, pace.written)


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
    written = now + terms.written if oral else None
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
