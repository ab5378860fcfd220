"""Screen: who and what is this, really. Every party line, ship and box is held against the lists.

It comes before scoring, so that what is on a list is a reason of the assessment. Each distinct
line is screened once with the lists in force; what a later version of a list changes is looked
for by ``flow.rescreen``.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date

import polars as pl
from sqlalchemy import RowMapping

from isthmus.cargo import parties, party_lines
from isthmus.parties import hit_store, hits
from isthmus.parties.hit import (
    LOCK,
    Finding,
    HitState,
    Line,
    LineKind,
    container_line,
    line_id,
    vessel_line,
)
from isthmus.parties.listed import Basis, Listed, Lists, stamp
from isthmus.parties.lists import partners
from isthmus.platform import events
from isthmus.platform.database import Database
from isthmus.platform.keys import KeyRing
from isthmus.platform.transaction import Transaction
from isthmus.risk.listed import Listed as Columns

# Lines of one transaction: a few seconds' work at most, so that others do not wait for long.
BATCH = 1000

Progress = Callable[[int], None]


class Screener:
    """Screens what is new, with the lists of one process."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.lists = Lists()
        self._things: set[str] = set()  # ships and boxes known to be screened

    def screen_due(self, progress: Progress | None = None) -> int:
        """Screen every declared party that was not screened yet; return how many."""
        screened, count = 0, BATCH
        while count == BATCH:
            count = self._screen_batch()
            screened += count
            if progress and count:
                progress(count)
        return screened

    def on_units(
        self, units: pl.DataFrame, sources: Sequence[Sequence[str]]
    ) -> dict[str, Columns] | None:
        """Return the standing hits of each unit that has any, by its id.

        None when a party of them came in meanwhile and was not screened yet: then do that first.
        """
        self._screen_things(units)
        return self.database.read(lambda tx: _standing(tx, units, sources))

    def _screen_batch(self) -> int:
        rows = self.database.read(lambda tx: party_lines.unscreened(tx, BATCH))
        if rows:
            lines = {row["seq"]: line_of(self.database.keys, row) for row in rows}
            distinct = {line.id: line for line in lines.values()}
            self._screen(distinct, {seq: line.id for seq, line in lines.items()})
        return len(rows)

    def _screen(self, lines: Mapping[str, Line], named: Mapping[int, str]) -> None:
        """Screen lines that were not yet, and note which declared party has which."""
        while not self._screen_by_lists_now(lines, named):
            pass  # a list changed meanwhile: what was found by the old version is not entered

    def _screen_by_lists_now(self, lines: Mapping[str, Line], named: Mapping[int, str]) -> bool:
        known = self.database.read(lambda tx: hit_store.screened(tx, lines))
        listed = self.database.read(self.lists.now)
        findings = find(listed, [line for name, line in lines.items() if name not in known])
        return self.database.write(lambda tx: _enter(tx, listed, findings, named))

    def _screen_things(self, units: pl.DataFrame) -> None:
        """Screen the ships and container prefixes of these units that are new."""
        until = (self.database.clock.now() + parties.RETAIN_FOR).date()
        lines = {line.id: line for line in things_of(units, until)}
        if new := {name: line for name, line in lines.items() if name not in self._things}:
            self._screen(new, {})
            self._things.update(new)


def line_of(keys: KeyRing, row: RowMapping) -> Line:
    """Return the line under which a declared party stands."""
    text = party_lines.text_of(row)
    return Line(
        row["line"] or line_id(keys, text),
        row["subject"],
        LineKind.PARTY,
        text,
        row["category"],
        row["retain_until"],
    )


def things_of(units: pl.DataFrame, until: date) -> Iterable[Line]:
    """Return the lines of the ships and container prefixes of units."""
    for imo in units["vessel_imo"].drop_nulls().unique(maintain_order=True).to_list():
        yield vessel_line(imo, until)
    for box in units["container"].drop_nulls().unique(maintain_order=True).to_list():
        yield container_line(box, until)


def find(listed: Listed, lines: Iterable[Line]) -> list[Finding]:
    """Search lines in the lists; a line without a match is found to have none."""
    asked = list(lines)
    found = listed.search_all([line.text for line in asked])
    return [Finding(line, matches) for line, matches in zip(asked, found, strict=True)]


def _enter(
    tx: Transaction, listed: Listed, findings: Sequence[Finding], named: Mapping[int, str]
) -> bool:
    """Enter findings, unless a list has changed meanwhile; say whether it was done.

    What was erased meanwhile is not entered.
    """
    tx.lock([LOCK])
    if stamp(tx) != listed.stamp:
        return False
    here = party_lines.still_declared(tx, named)
    lines = {named[seq] for seq in here}
    kept = [one for one in findings if one.line.kind is not LineKind.PARTY or one.line.id in lines]
    rows = hits.enter(tx, kept, listed.versions)
    party_lines.name_lines(tx, {seq: named[seq] for seq in here})
    told = {row["line"] for row in rows}
    heed(tx, told, "screen")
    return True


def heed(tx: Transaction, lines: Iterable[str], cause: str) -> None:
    """Have consignments scored again that carry lines whose hits changed; tell what caused it."""
    told = sorted(set(lines))
    if told and party_lines.score_again(tx, told):
        events.emit(tx, "hits.changed", cause, lines=len(told))


def _standing(
    tx: Transaction, units: pl.DataFrame, sources: Sequence[Sequence[str]]
) -> dict[str, Columns] | None:
    declared: dict[str, list[RowMapping]] = {}
    for row in party_lines.lines_on(tx, {one for ids in sources for one in ids}):
        if row["line"] is None:
            return None
        declared.setdefault(row["record_id"], []).append(row)
    carried: dict[str, dict[str, str]] = {}  # by unit: its lines, each in a role
    ids, ships, boxes = (units[name].to_list() for name in ("id", "vessel_imo", "container"))
    for unit, behind, ship, box in zip(ids, sources, ships, boxes, strict=True):
        lines = {row["line"]: row["role"] for one in behind for row in declared.get(one, ())}
        if ship:
            lines[vessel_line(ship, date.max).id] = LineKind.VESSEL.value
        if box:
            lines[container_line(box, date.max).id] = LineKind.CONTAINER.value
        carried[unit] = lines
    found: dict[str, list[RowMapping]] = {}
    for hit in hit_store.standing_on(tx, {name for lines in carried.values() for name in lines}):
        found.setdefault(hit["line"], []).append(hit)
    return {
        unit: columns
        for unit, lines in carried.items()
        if (columns := _columns(lines, found)) is not None
    }


def _columns(lines: Mapping[str, str], found: Mapping[str, Sequence[RowMapping]]) -> Columns | None:
    columns = Columns()
    pairs = set()
    for line, role in lines.items():
        for hit in found.get(line, ()):
            pair = (hit["subject"], hit["list"], hit["key"])
            if pair in pairs:
                continue
            pairs.add(pair)
            if hit["list"] == partners.LIST:
                _ask(columns, hit)
            else:
                columns.add(
                    same=hit["state"] == HitState.SAME,
                    number=hit["basis"] == Basis.NUMBER,
                    score=hit["score"],
                    list_code=hit["list"],
                    role=role,
                )
    return columns if pairs else None


def _ask(columns: Columns, hit: RowMapping) -> None:
    """A partner's alert names a party: that counts when its number is the same, or a person found
    it to be the same; until then the hit only waits to be judged."""
    if hit["state"] == HitState.SAME or hit["basis"] == Basis.NUMBER:
        columns.ask(*partners.asked_by(hit["key"]))
