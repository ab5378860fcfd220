"""Screen again: when a list changes, all that was screened before is held against the difference.

What an entry matches is a matter of the entry and the line alone, so only entries that are new,
changed or gone can change anything. The result is that of screening everything anew.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from isthmus.access.gate import scope
from isthmus.access.model import Permission, node_actor
from isthmus.cargo import party_lines
from isthmus.flow.screen import heed, line_of
from isthmus.kernel.ids import new_id
from isthmus.parties import hit_store, hits, listed, store
from isthmus.parties.hit import CONTAINER, LOCK, VESSEL, Line, container_line, vessel_line
from isthmus.parties.line import Number, read_line
from isthmus.parties.listed import Held, Match
from isthmus.parties.numbers import NumberIndex, screen_numbers
from isthmus.parties.rescreen import PartyIndex
from isthmus.platform.database import Database
from isthmus.platform.transaction import Transaction
from isthmus.risk import store as risk

# PostgreSQL numbers a row before its commit, so a smaller number may appear later.
LATE = 500


@dataclass(frozen=True, slots=True)
class Difference:
    """What two versions of a list differ in: entries gone, and entries new or changed."""

    list: str
    first: int
    last: int
    gone: frozenset[str]
    now: Mapping[str, Held]

    @property
    def entries(self) -> int:
        """How many entries differ."""
        return len(self.gone) + len(self.now)


@dataclass(slots=True)
class _Known:
    """Every line that was screened, arranged so that listed names are looked up among them."""

    erasures: int = -1
    up_to: int = 0
    lines: set[str] = field(default_factory=set)
    names: PartyIndex = field(default_factory=PartyIndex)
    numbers: dict[str, tuple[Number, ...]] = field(default_factory=dict)  # of lines that have any


class Rescreener:
    """Screens again in one process; what it knows of lines stays in memory between two lists."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._known = _Known()
        self._lock = threading.Lock()

    def rescreen_due(self) -> int:
        """Follow up every list that changed since it was last followed up; return how many.

        Cut off at any point it can be run again: a difference is entered as a whole or not at all.
        """
        with self._lock:
            codes = [row["list"] for row in self.database.read(store.all_in_force)]
            return sum(self._follow_up(code) for code in codes)

    def _follow_up(self, code: str) -> bool:
        while (done := self._rescreen(code)) is False:
            pass  # a list or a subject changed meanwhile
        return bool(done)

    def _rescreen(self, code: str) -> bool | None:
        """Follow up what of a list was not yet; None when all was, False to do it once more."""
        change = self.database.read(lambda tx: difference(tx, code))
        if change is None:
            return None
        self.database.read(self._learn)
        found = self._search(change)
        return self.database.write(lambda tx: self._enter(tx, change, found))

    def _learn(self, tx: Transaction) -> None:
        """Bring what is known up to date; after an erasure all of it is read anew."""
        erasures = risk.count_erasures(tx)
        if erasures != self._known.erasures:
            self._known = _Known(erasures)
        known = self._known
        up_to = party_lines.screened_up_to(tx)
        known.names.add(self._fresh(tx))
        for thing in hit_store.things_screened(tx):
            known.numbers[thing] = read_line(_text_of(thing)).numbers
        known.up_to = max(0, up_to if tx.is_sqlite else up_to - LATE)

    def _fresh(self, tx: Transaction) -> Iterable[tuple[str, str]]:
        known = self._known
        for row in party_lines.screened_after(tx, known.up_to):
            if row["line"] in known.lines:
                continue
            known.lines.add(row["line"])
            text = party_lines.text_of(row)
            if numbers := read_line(text).numbers:
                known.numbers[row["line"]] = numbers
            yield row["line"], text

    def _search(self, change: Difference) -> dict[str, list[Match]]:
        """Return every match of a known line with an entry that is new or changed, by line."""
        entries = list(change.now.values())
        named = [(name, entry) for entry in entries for name in entry.names]
        found: dict[str, list[Match]] = {}
        index = NumberIndex(
            (kind, value, at) for at, entry in enumerate(entries) for kind, value in entry.numbers
        )
        for line, numbers in self._known.numbers.items():
            for hit in screen_numbers(numbers, {change.list: index}):
                match = listed.by_number(change.list, entries[hit.place], hit.number)
                found.setdefault(line, []).append(match)
        for near in self._known.names.search([name for name, _ in named]):
            entry = named[near.place][1]
            match = listed.by_name(
                change.list, entry, near.name, near.reading, near.capacity, near.score
            )
            found.setdefault(near.party, []).append(match)
        return found

    def _enter(
        self, tx: Transaction, change: Difference, found: Mapping[str, Sequence[Match]]
    ) -> bool:
        """Enter what came of a difference; false when a list or a subject changed meanwhile."""
        tx.lock([LOCK])
        if (
            hit_store.last_rescreened(tx, change.list) != change.first
            or _in_force(tx, change.list) != change.last
            or risk.count_erasures(tx) != self._known.erasures
        ):
            return False
        lines = _lines(tx, found)
        pairs = [
            (lines[name], match)
            for name, matches in found.items()
            if name in lines
            for match in listed.best_of(matches)
        ]
        settled = hits.settle(tx, change.list, change.gone, change.now, pairs)
        hit_store.insert_rescreening(
            tx,
            {
                "id": new_id("rsc"),
                "at": tx.now,
                "list": change.list,
                "from_version": change.first,
                "to_version": change.last,
                "entries": change.entries,
                "lines": len(self._known.lines) + len(hit_store.things_screened(tx)),
                "found": settled.found,
                "ended": settled.ended,
                "again": settled.again,
            },
        )
        heed(tx, settled.lines, change.list)
        return True


def difference(tx: Transaction, code: str) -> Difference | None:
    """Return what of a list was not followed up yet; nothing when all was."""
    first, last = hit_store.last_rescreened(tx, code), _in_force(tx, code)
    if last is None or first >= last:
        return None
    reach = scope(node_actor(), Permission.LIST_READ)
    touched = {row["key"] for row in store.touched(tx, reach, code, first, last)}
    standing = {
        row["key"]: listed.held(row)
        for row in store.entries_in_force(tx, code, tx.now.date())
        if row["key"] in touched and row["from_version"] > first
    }
    return Difference(code, first, last, frozenset(touched - standing.keys()), standing)


def _in_force(tx: Transaction, code: str) -> int | None:
    version = store.in_force(tx, code)
    return version["number"] if version else None


def _text_of(thing: str) -> str:
    if thing.startswith(VESSEL):
        return f"IMO {thing.removeprefix(VESSEL)}"
    return f"BIC {thing.removeprefix(CONTAINER)}"


def _lines(tx: Transaction, names: Iterable[str]) -> dict[str, Line]:
    """Return these lines as far as anything still stands under them."""
    found: dict[str, Line] = {}
    things = hit_store.things_screened(tx)
    for name in things.keys() & set(names):
        of = vessel_line if name.startswith(VESSEL) else container_line
        found[name] = of(name.partition(":")[2], things[name])
    for name, row in party_lines.declared_by_line(tx, set(names) - found.keys()).items():
        found[name] = line_of(tx.keys, row)
    return found
