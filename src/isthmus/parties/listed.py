"""The lists in force, held in memory so that a party line is searched in all of them at once.

What is held is known by its stamp: the versions in force, the day (lookouts expire) and how many
entries were erased. Whoever holds lists that no longer bear today's stamp loads them anew.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import RowMapping

from isthmus.parties import store
from isthmus.parties.index import NameIndex
from isthmus.parties.line import Capacity, Number, read_line
from isthmus.parties.match import FIND, FIND_THRESHOLD
from isthmus.parties.model import IdentifierKind, NameKind
from isthmus.parties.numbers import NumberIndex, screen_numbers
from isthmus.parties.screen import Hit, screen_all
from isthmus.platform.transaction import Transaction

NUMBER = "number-1"
"""The algorithm of a hit by number: the same or not, after marks are taken out."""


class Basis(StrEnum):
    """What a match rests on."""

    NAME = "name"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Match:
    """An entry that a party line may mean, by its best name or by a number.

    ``name`` is the entry's main name, ``listed`` the listed name or number that was met, and
    ``reading`` the part of the line that was taken for it, standing in ``capacity`` (none for a
    number). A number that is the same scores 1.
    """

    list: str
    key: str
    kind: str
    digest: bytes  # of the entry: what it says has changed when this has
    name: str
    listed: str
    reading: str
    capacity: Capacity | None
    score: float
    basis: Basis
    algorithm: str


@dataclass(frozen=True, slots=True)
class Held:
    """One standing entry as far as searching needs it."""

    key: str
    kind: str
    digest: bytes
    names: tuple[str, ...]  # the main name first
    numbers: tuple[tuple[IdentifierKind, str], ...]

    @property
    def name(self) -> str:
        """The main name."""
        return self.names[0] if self.names else ""


Stamp = tuple[tuple[tuple[str, int], ...], date, int]


class Listed:
    """Lists ready to be searched, by several threads at a time."""

    def __init__(self, lists: Mapping[str, Iterable[Held]], stamp: Stamp) -> None:
        self.stamp = stamp
        self._held: dict[str, list[Held]] = {code: list(held) for code, held in lists.items()}
        self._names: dict[str, NameIndex] = {}
        self._owners: dict[str, list[int]] = {}  # by list: place of a name → place of its entry
        self._numbers: dict[str, NumberIndex] = {}
        for code, held in self._held.items():
            named = [(name, at) for at, entry in enumerate(held) for name in entry.names]
            self._names[code] = NameIndex(name for name, _ in named)
            self._owners[code] = [at for _, at in named]
            self._numbers[code] = NumberIndex(
                (kind, value, at) for at, entry in enumerate(held) for kind, value in entry.numbers
            )

    @property
    def versions(self) -> dict[str, int]:
        """The version of each list that is held."""
        return dict(self.stamp[0])

    def entries(self) -> int:
        """Return how many entries are held."""
        return sum(map(len, self._held.values()))

    def search(self, text: str, threshold: float = FIND_THRESHOLD) -> tuple[Match, ...]:
        """The entries that a party line may mean, best first, each once."""
        return self.search_all([text], threshold)[0]

    def search_all(
        self, texts: Sequence[str], threshold: float = FIND_THRESHOLD
    ) -> list[tuple[Match, ...]]:
        """The same for each of many lines."""
        named = screen_all(texts, self._names, threshold)
        return [
            best_of((*self._by_number(text), *map(self._by_name, hits)))
            for text, hits in zip(texts, named, strict=True)
        ]

    def _by_name(self, hit: Hit) -> Match:
        entry = self._held[hit.list_][self._owners[hit.list_][hit.place]]
        return by_name(hit.list_, entry, hit.name, hit.reading, hit.capacity, hit.score)

    def _by_number(self, text: str) -> Iterable[Match]:
        for hit in screen_numbers(read_line(text).numbers, self._numbers):
            yield by_number(hit.list_, self._held[hit.list_][hit.place], hit.number)


def by_name(
    list_: str, entry: Held, name: str, reading: str, capacity: Capacity, score: float
) -> Match:
    """Return the match of a reading of a line with a listed name."""
    return Match(
        list_, entry.key, entry.kind, entry.digest, entry.name, name, reading, capacity, score,
        Basis.NAME, FIND,
    )  # fmt: skip


def by_number(list_: str, entry: Held, number: Number) -> Match:
    """Return the match of a number in a line with the same number of an entry."""
    said = f"{number.kind.value}:{number.value}"
    return Match(
        list_, entry.key, entry.kind, entry.digest, entry.name, said, said, None, 1.0,
        Basis.NUMBER, NUMBER,
    )  # fmt: skip


def best_of(matches: Iterable[Match]) -> tuple[Match, ...]:
    """Return the best match of each entry, best first; of equal ones the first."""
    best: dict[tuple[str, str], Match] = {}
    for match in matches:
        known = best.get((match.list, match.key))
        if known is None or match.score > known.score:
            best[match.list, match.key] = match
    return tuple(sorted(best.values(), key=lambda one: (-one.score, one.list, one.key)))


def stamp(tx: Transaction) -> Stamp:
    """Return what is in force now: what is held under another stamp is out of date."""
    versions = tuple((row["list"], row["number"]) for row in store.all_in_force(tx))
    return versions, tx.now.date(), store.count_erased(tx)


def load(tx: Transaction) -> Listed:
    """Read the lists in force from the database."""
    current = stamp(tx)
    return Listed(
        {
            code: [held(row) for row in store.entries_in_force(tx, code, current[1])]
            for code, _ in current[0]
        },
        current,
    )


def held(row: RowMapping) -> Held:
    """Return what searching needs of a stored entry."""
    body = row["body"]
    names = sorted(body["names"], key=lambda name: name[0] != NameKind.PRIMARY)
    return Held(
        row["key"],
        row["kind"],
        bytes(row["digest"]),
        tuple(dict.fromkeys(name for _, name in names)),
        tuple((IdentifierKind(kind), value) for kind, value, _ in body["identifiers"]),
    )


class Lists:
    """The lists of one process: loaded when first asked for, and again when they have changed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listed: Listed | None = None

    def now(self, tx: Transaction) -> Listed:
        """Return the lists in force."""
        current = stamp(tx)
        with self._lock:
            if self._listed is None or self._listed.stamp != current:
                self._listed = load(tx)
            return self._listed
