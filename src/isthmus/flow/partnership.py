"""How a partnership goes: how long each step took, against what the clauses say, and how accurate.

Every figure is counted from rows that can be shown: a share with its receipts, a request with its
answer, a cue with its result. Below ``FEW`` no rate and no median is told, only the count.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from math import ceil
from statistics import median

import orjson
from sqlalchemy import RowMapping

from isthmus.access.gate import check, scope
from isthmus.access.model import Actor, Permission
from isthmus.agreements.model import Clause
from isthmus.agreements.service import clause_of
from isthmus.exchange import post_store
from isthmus.exchange.trust import key_store, partners, shape
from isthmus.flow import partnership_store as store
from isthmus.platform.transaction import Transaction

FEW = 5
ANSWERED, REFUSED, USED = "request.answered", "request.refused", "request.used"
WEEKS = 12


class Measure(StrEnum):
    """From which step to which."""

    OUR_ANSWER = "our_answer"  # the partner's request to our answer
    THEIR_ANSWER = "their_answer"
    OUR_FEEDBACK = "our_feedback"  # the partner's answer to our word of what became of it
    THEIR_FEEDBACK = "their_feedback"
    DELIVERED = "delivered"  # our share to the partner's receipt
    OPENED = "opened"  # our share to a person there opening it
    OUR_RESULT = "our_result"  # the partner's cue to our result
    THEIR_RESULT = "their_result"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was begun and is ended or not: what a figure counts."""

    measure: Measure
    partner: str
    object_id: str  # of the request, the chain, or the item shared
    began: datetime
    ended: datetime | None
    agreements: tuple[str, ...] = ()
    clause: str | None = None
    target: timedelta | None = None  # what the clause gives for it, or a cue's own deadline
    envelope: str | None = None

    @property
    def took(self) -> timedelta | None:
        """How long it took; nothing while it is not ended. Clocks of two nodes may differ."""
        return None if self.ended is None else max(self.ended - self.began, timedelta(0))

    def in_time(self, now: datetime) -> bool | None:
        """Whether it was ended within its target; null without one, and while that still runs."""
        if self.target is None:
            return None
        if self.took is not None:
            return self.took <= self.target
        return False if now - self.began > self.target else None


@dataclass(frozen=True, slots=True)
class Span:
    """How long the ended ones took: nothing is told of fewer than ``FEW``."""

    begun: int
    ended: int
    median: timedelta | None = None
    p95: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Week:
    """The steps begun in one week; ``day`` is its Monday."""

    day: date
    span: Span


@dataclass(frozen=True, slots=True)
class Figure:
    """One measure for a partner, under all agreements or one, with its target and its trend."""

    measure: Measure
    agreement: str | None
    span: Span
    targets: tuple[timedelta, timedelta] | None  # the shortest and the longest that clauses give
    judged: int  # those of which it can be said whether they were in time
    in_time: int
    weeks: tuple[Week, ...]

    @property
    def share_in_time(self) -> float | None:
        """The share ended within the target; nothing of fewer than ``FEW``."""
        return self.in_time / self.judged if self.judged >= FEW else None


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Items of one originator: how many were later corrected, and how many recalled."""

    items: int = 0
    corrected: int = 0
    recalled: int = 0
    changed: int = 0  # either

    @property
    def share(self) -> float | None:
        """The share later corrected or recalled; nothing of fewer than ``FEW`` items."""
        return self.changed / self.items if self.items >= FEW else None


@dataclass(frozen=True, slots=True)
class Partnership:
    """What one partner and this node did together in a period."""

    partner: str
    since: datetime
    until: datetime
    figures: tuple[Figure, ...]
    ours: Accuracy  # items of ours that the partner got
    theirs: Accuracy
    agreements: tuple[str, ...] = field(default=())


def partnerships(
    tx: Transaction,
    actor: Actor,
    since: datetime,
    until: datetime,
    agreement: str | None = None,
) -> list[Partnership]:
    """Return how each partnership went in a period, within what the actor may see."""
    check(tx, actor, Permission.PARTNER_READ)
    me = key_store.myself(tx)
    if me is None:
        return []
    found = steps(tx, actor, since, until)
    held = defaultdict(list)
    for one in found:
        held[one.partner].append(one)
    accurate = _accuracies(tx, actor, me["node"], found, since, until)
    return [
        _partnership(code, held[code], accurate.get(code, {}), (since, until), tx.now, agreement)
        for code in sorted(one.code for one in partners.directory(tx, actor))
    ]


def of_partner(
    tx: Transaction, actor: Actor, code: str, since: datetime, until: datetime
) -> Partnership:
    """Return how the partnership with one partner went; raises ``NotFound``."""
    partners.partner(tx, code)
    found = {one.partner: one for one in partnerships(tx, actor, since, until)}
    return found[code]


def _partnership(
    code: str,
    held: Sequence[Step],
    accurate: Mapping[str, Accuracy],
    period: tuple[datetime, datetime],
    now: datetime,
    agreement: str | None,
) -> Partnership:
    named = sorted({name for one in held for name in one.agreements})
    shown = [one for one in held if agreement is None or agreement in one.agreements]
    figures = []
    for measure in Measure:
        rows = [one for one in shown if one.measure is measure]
        figures.append(figure(measure, agreement, rows, period, now))
        within = sorted({name for one in rows for name in one.agreements})
        if agreement is None:
            figures += [
                figure(measure, name, [o for o in rows if name in o.agreements], period, now)
                for name in within
            ]
    none = Accuracy()
    return Partnership(
        code, *period, tuple(figures), accurate.get("ours", none), accurate.get("theirs", none),
        tuple(named),
    )  # fmt: skip


def figure(
    measure: Measure,
    agreement: str | None,
    rows: Sequence[Step],
    period: tuple[datetime, datetime],
    now: datetime,
) -> Figure:
    """Count one measure: spans, targets, and the last weeks of the period."""
    given = sorted(one.target for one in rows if one.target is not None)
    judged = [said for one in rows if (said := one.in_time(now)) is not None]
    begun: dict[date, list[Step]] = defaultdict(list)
    for one in rows:
        begun[monday(one.began)].append(one)
    weeks = tuple(Week(day, span(begun[day])) for day in _mondays(*period))
    targets = (given[0], given[-1]) if given else None
    return Figure(measure, agreement, span(rows), targets, len(judged), sum(judged), weeks)


def span(rows: Sequence[Step]) -> Span:
    """Return median and 95th percentile (nearest rank) of what is ended."""
    took = sorted(one.took for one in rows if one.took is not None)
    if len(took) < FEW:
        return Span(len(rows), len(took))
    middle = timedelta(seconds=median(one.total_seconds() for one in took))
    return Span(len(rows), len(took), middle, took[ceil(0.95 * len(took)) - 1])


def monday(moment: datetime) -> date:
    """Return the Monday of the week of a moment (UTC)."""
    return moment.date() - timedelta(days=moment.weekday())


def _mondays(since: datetime, until: datetime) -> list[date]:
    last = monday(until - timedelta(microseconds=1))
    days = [last - timedelta(weeks=back) for back in range(WEEKS - 1, -1, -1)]
    return [day for day in days if day >= monday(since)]


# -- steps --------------------------------------------------------------------------------


def steps(tx: Transaction, actor: Actor, since: datetime, until: datetime) -> list[Step]:
    """Return everything that figures count, begun in a period, within what the actor may see."""
    check(tx, actor, Permission.PARTNER_READ)
    return [
        *_requests(tx, actor, since, until),
        *_shares(tx, actor, since, until),
        *_chains(tx, actor, since, until),
    ]


def behind(
    tx: Transaction,
    actor: Actor,
    partner: str,
    measure: Measure,
    since: datetime,
    until: datetime,
    agreement: str | None = None,
) -> list[Step]:
    """Return what a figure counts, the newest first; raises ``NotFound`` for no partner."""
    partners.partner(tx, partner)
    found = [
        one
        for one in steps(tx, actor, since, until)
        if (one.partner, one.measure) == (partner, measure)
        and (agreement is None or agreement in one.agreements)
    ]
    return sorted(found, key=lambda one: (one.began, one.object_id), reverse=True)


def _requests(tx: Transaction, actor: Actor, since: datetime, until: datetime) -> Iterator[Step]:
    seen = scope(actor, Permission.REQUEST_READ)
    rows = store.requests(tx, seen, since, until)
    told = store.steps(tx, seen, since, (ANSWERED, REFUSED, USED))
    for row in rows:
        done, citation = told.get(row["id"], {}), row["citation"]
        clause = clause_of(tx, citation) if citation else None
        under = ((_agreement(citation),) if citation else (), citation)
        ended = min((done[kind] for kind in (ANSWERED, REFUSED) if kind in done), default=None)
        incoming, partner = row["incoming"], row["partner"]
        yield Step(
            Measure.OUR_ANSWER if incoming else Measure.THEIR_ANSWER,
            partner, row["id"], row["sent_at"], ended, *under, _reply_within(clause, row),
        )  # fmt: skip
        if ANSWERED in done:
            owed = clause.permit.duties.feedback_within if clause and clause.permit else None
            yield Step(
                Measure.THEIR_FEEDBACK if incoming else Measure.OUR_FEEDBACK,
                partner, row["id"], done[ANSWERED], done.get(USED), *under, owed,
            )  # fmt: skip


def _reply_within(clause: Clause | None, row: RowMapping) -> timedelta | None:
    """Return the reply clock of the clause that a request relies on, if it gives one."""
    if clause is None:
        return None
    fit = [
        clock.within
        for clock in clause.clocks
        if (clock.urgency, clock.held) == (row["urgency"], row["held"])
    ]
    return min(fit, default=None)


def _shares(tx: Transaction, actor: Actor, since: datetime, until: datetime) -> Iterator[Step]:
    seen = scope(actor, Permission.ITEM_READ)
    rows = store.shares(tx, seen, since, until)
    known = store.sent(tx, seen, since)
    opened = _opened(tx, actor, since)
    for row in rows:
        detail = row["detail"]
        sent = known.get(detail["envelope"])
        if sent is None or sent["state"] in ("stopped", "expired"):
            continue
        agreements = tuple(sorted({_agreement(one) for one in detail["clauses"]}))
        there = sent["settled_at"] if sent["state"] == "delivered" else None
        ends = ((Measure.DELIVERED, there), (Measure.OPENED, opened.get(sent["id"])))
        for measure, ended in ends:
            yield Step(
                measure, detail["partner"], row["object_id"], row["at"], ended, agreements,
                ", ".join(detail["clauses"]), envelope=sent["id"],
            )  # fmt: skip


def _opened(tx: Transaction, actor: Actor, since: datetime) -> dict[str, datetime]:
    """Return when a person at a partner first opened what was sent, as its receipt says."""
    moments: dict[bytes, datetime] = {}
    for row in store.opened_receipts(tx, scope(actor, Permission.ITEM_READ), since):
        said = orjson.loads(row["body"])["payload"]
        at = shape.moment(said, "at")
        for line in said["envelopes"]:
            hash_ = bytes.fromhex(line["hash"])
            moments[hash_] = min(at, moments.get(hash_, at))
    known = post_store.by_hash(tx, moments)
    return {row["id"]: moments[hash_] for hash_, row in known.items()}


def _chains(tx: Transaction, actor: Actor, since: datetime, until: datetime) -> Iterator[Step]:
    for row in store.chains(tx, scope(actor, Permission.CHAIN_READ), since, until):
        ours = row["ours"]
        yield Step(
            Measure.OUR_RESULT if ours else Measure.THEIR_RESULT,
            row["cued_by"] if ours else row["asked"],
            row["id"],
            row["cued_at"],
            row["result_at"],
            target=row["deadline"] - row["cued_at"],
        )


def _agreement(citation: str) -> str:
    return citation.partition("/")[0]


# -- accuracy -----------------------------------------------------------------------------


def _accuracies(
    tx: Transaction,
    actor: Actor,
    own: str,
    found: Iterable[Step],
    since: datetime,
    until: datetime,
) -> dict[str, dict[str, Accuracy]]:
    """Return, by partner, how accurate what it got from here and what it originated was."""
    seen = scope(actor, Permission.ITEM_READ)
    held: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in found:
        if one.measure is Measure.DELIVERED and one.object_id.startswith(f"{own}:"):
            held[one.partner, "ours"].add(one.object_id)
    for row in store.came(tx, seen, since, until):
        held[row["originator"], "theirs"].add(row["id"])
    told = store.steps(tx, seen, since, ("item.corrected", "item.recalled"))
    accurate: dict[str, dict[str, Accuracy]] = defaultdict(dict)
    for (partner, whose), items in held.items():
        kinds = [told.get(one, {}).keys() for one in items]
        accurate[partner][whose] = Accuracy(
            len(items),
            sum("item.corrected" in one for one in kinds),
            sum("item.recalled" in one for one in kinds),
            sum(bool(one) for one in kinds),
        )
    return accurate
