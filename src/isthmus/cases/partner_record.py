"""What came of a partner's lookouts and cues, and of ours at the partner: counts, with what of.

A lookout counts as tried when a box or bill that it names was inspected while it was in force. A
ship that it names is no such box: hundreds travel on it. A share is told of ``FEW`` or more, for
below that it says nothing and points at single cases.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import RowMapping, or_, select

from isthmus.access.gate import Scope, check, scope
from isthmus.access.model import Actor, Permission
from isthmus.cargo.tables import unit_table
from isthmus.cases.inspections import IRREGULAR
from isthmus.cases.model import Result
from isthmus.cases.partner_tables import chain_table
from isthmus.cases.tables import inspection_table
from isthmus.exchange.tables import copy_table as sent_table
from isthmus.intelligence import keeping
from isthmus.intelligence.model import ItemKind
from isthmus.intelligence.objects import ObjectKind, objects_of
from isthmus.intelligence.tables import copy_table, item_table
from isthmus.platform.transaction import Transaction

FEW = 5
MOST = 500  # the newest lookouts of a partner that are looked at
_SLICE = 400


@dataclass(frozen=True, slots=True)
class Tally:
    """How many were given, how many of them tried, and at how many something was found."""

    given: int = 0
    tried: int = 0
    found: int = 0

    @property
    def share(self) -> float | None:
        """The share of the tried at which something was found; nothing below ``FEW``."""
        return self.found / self.tried if self.tried >= FEW else None


@dataclass(frozen=True, slots=True)
class Tried:
    """One lookout of a partner: the inspections it had a part in, and what they came to."""

    item: str
    partner: str
    results: tuple[str, ...] = ()

    @property
    def found(self) -> int:
        """At how many something was found."""
        return sum(one in IRREGULAR for one in self.results)

    @property
    def outcome(self) -> str:
        """What became of it (code list ``feedback_outcomes``)."""
        if Result.SEIZURE in self.results:
            return "led_to_seizure"
        if self.found:
            return "led_to_finding"
        return "inspected_nothing" if self.results else "used_for_targeting"


@dataclass(frozen=True, slots=True)
class Record:
    """How a partner's lookouts and cues did here, and this node's there."""

    partner: str
    lookouts: Tally = field(default_factory=Tally)
    own_lookouts: Tally = field(default_factory=Tally)  # as the partner told what became of them
    cues: Tally = field(default_factory=Tally)
    own_cues: Tally = field(default_factory=Tally)


def records(tx: Transaction, actor: Actor, partners: Collection[str]) -> list[Record]:
    """Return the record of each partner, and of every other node that lookouts or cues name."""
    check(tx, actor, Permission.ITEM_READ)
    told = lookouts(tx, actor)
    cues: dict[str, list[RowMapping]] = {}
    for row in _chains(tx, scope(actor, Permission.CHAIN_READ)):
        cues.setdefault(row["cued_by"] if row["ours"] else row["asked"], []).append(row)
    sent, known = _sent(tx, scope(actor, Permission.ITEM_READ)), _told(tx, actor)
    nodes = {*partners, *cues, *sent, *(one.partner for one in told)}
    return [
        Record(
            node,
            _of_lookouts([one for one in told if one.partner == node]),
            _of_own(sent.get(node, frozenset()), known.get(node, {})),
            _of_cues([row for row in cues.get(node, ()) if row["ours"]]),
            _of_cues([row for row in cues.get(node, ()) if not row["ours"]]),
        )
        for node in sorted(nodes)
    ]


def _of_lookouts(told: list[Tried]) -> Tally:
    tried = [one for one in told if one.results]
    return Tally(len(told), len(tried), sum(one.found > 0 for one in tried))


def _of_own(sent: Collection[str], told: Mapping[str, tuple[int, int]]) -> Tally:
    tried = [told[item] for item in sent if item in told and told[item][0]]
    return Tally(len(sent), len(tried), sum(found > 0 for _, found in tried))


def _of_cues(rows: list[RowMapping]) -> Tally:
    tried = [row for row in rows if row["result"] is not None]
    return Tally(len(rows), len(tried), sum(row["result"] in IRREGULAR for row in tried))


def lookouts(tx: Transaction, actor: Actor, partner: str | None = None) -> list[Tried]:
    """Return the lookouts of partners that came for targeting, the newest first, as they did."""
    check(tx, actor, Permission.ITEM_READ)
    seen = scope(actor, Permission.ITEM_READ)
    spans = {}
    for row in _alerts(tx, seen, partner):
        if row["document_id"] is not None:
            named = objects_of(keeping.load(tx, row))
            spans[row["item"]] = (row, _numbers(named))
    numbers = {number for _, held in spans.values() for number in held}
    done = _inspected(tx, scope(actor, Permission.INSPECTION_READ), sorted(numbers))
    return [
        Tried(item, row["partner"], tuple(sorted(_during(row, held, done).values())))
        for item, (row, held) in spans.items()
    ]


def _numbers(named: Collection[tuple[ObjectKind, str]]) -> frozenset[str]:
    kinds = (ObjectKind.CONTAINER, ObjectKind.DOCUMENT)
    return frozenset(value for kind, value in named if kind in kinds)


def _during(
    lookout: RowMapping, numbers: Collection[str], done: Mapping[str, list[RowMapping]]
) -> dict[str, str]:
    """The results of inspections that were ordered while a lookout was in force, by inspection."""
    since: datetime = lookout["entered_at"]
    ends = [one for one in (lookout["expires_at"], _ended(lookout)) if one is not None]
    until = min(ends, default=None)
    return {
        row["id"]: row["result"]
        for number in numbers
        for row in done.get(number, ())
        if since <= row["ordered_at"] and (until is None or row["ordered_at"] < until)
    }


def _ended(lookout: RowMapping) -> datetime | None:
    over: datetime = lookout["changed_at"]
    return over if lookout["item_state"] in ("recalled", "erased") else None


def _alerts(tx: Transaction, seen: Scope, partner: str | None) -> list[RowMapping]:
    """The newest copy of each lookout."""
    columns = copy_table.c
    wanted = (
        select(copy_table, item_table.c.state.label("item_state"), item_table.c.changed_at)
        .join(item_table, item_table.c.id == columns.item)
        .where(
            columns.kind == ItemKind.ALERT.value,
            columns.partner.is_not(None) if partner is None else columns.partner == partner,
            columns.targeting.is_(True),
            seen.where(),
        )
        .order_by(columns.seq.desc())
        .limit(MOST)
    )
    newest: dict[str, RowMapping] = {}
    for row in tx.execute(wanted).mappings():
        newest.setdefault(row["item"], row)
    return list(newest.values())


def _sent(tx: Transaction, seen: Scope) -> dict[str, set[str]]:
    """The own lookouts that each partner has or had."""
    rows = tx.execute(
        select(sent_table.c.partner, sent_table.c.item_id)
        .join(item_table, item_table.c.id == sent_table.c.item_id)
        .where(item_table.c.own.is_(True), item_table.c.kind == ItemKind.ALERT.value, seen.where())
    )
    found: dict[str, set[str]] = {}
    for row in rows.mappings():
        found.setdefault(row["partner"], set()).add(row["item_id"])
    return found


def _told(tx: Transaction, actor: Actor) -> dict[str, dict[str, tuple[int, int]]]:
    """What partners told of items, the newest word of each: inspections, and those that found."""
    columns = copy_table.c
    rows = tx.execute(
        select(copy_table)
        .where(
            columns.kind == ItemKind.FEEDBACK.value,
            columns.partner.is_not(None),
            columns.document_id.is_not(None),
            scope(actor, Permission.ITEM_READ).where(),
        )
        .order_by(columns.seq.desc())
        .limit(MOST)
    )
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for row in rows.mappings():
        said = keeping.load(tx, row).body
        if "picks" in said and "about" in said:
            counts = (said["picks"], said.get("found", 0))
            found.setdefault(row["partner"], {}).setdefault(said["about"], counts)
    return found


def _inspected(tx: Transaction, seen: Scope, numbers: list[str]) -> dict[str, list[RowMapping]]:
    """The inspections with a result, by the container and the bill of their unit."""
    units, done = unit_table.c, inspection_table.c
    found: dict[str, list[RowMapping]] = {}
    for start in range(0, len(numbers), _SLICE):
        part = numbers[start : start + _SLICE]
        rows = tx.execute(
            select(done.id, done.result, done.ordered_at, units.container, units.bill)
            .join(unit_table, units.id == done.unit_id)
            .where(
                done.result.is_not(None),
                or_(units.container.in_(part), units.bill.in_(part)),
                seen.where(office_column=done.office, terminal_column=done.terminal),
            )
        )
        for row in rows.mappings():
            for number in {row["container"], row["bill"]} & set(part):
                found.setdefault(number, []).append(row)
    return found


def _chains(tx: Transaction, seen: Scope) -> list[RowMapping]:
    columns = chain_table.c
    rows = tx.execute(
        select(columns.ours, columns.cued_by, columns.asked, columns.result).where(
            seen.where(office_column=columns.office, terminal_column=columns.terminal)
        )
    )
    return list(rows.mappings())
