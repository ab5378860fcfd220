"""An agreement as a record: who agreed, by what kind of text, with which clauses and examples.

The record is the same on both nodes; what one of them does with it (review, activate, suspend) is
kept beside it, never in it. Its hash is over everything in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from isthmus.agreements.model import Asked, Clause, Instrument
from isthmus.intelligence.model import Item

# A joint declaration commits and discloses nothing; a memorandum does so only if it says it binds.
NEVER_BINDING = frozenset({Instrument.JOINT_DECLARATION})


@dataclass(frozen=True, slots=True)
class Party:
    """One party: its state, its node if it runs one, and the bodies competent on its side."""

    state: str  # ISO 3166-1 alpha-2, or the code of an organisation such as EU
    node: str | None
    bodies: tuple[str, ...]
    standing: str  # code list party_standings
    since: date | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text stands in its chain: the base, or what supplements or amends it."""

    role: str  # base, supplement, amendment
    under: str | None  # the agreement that it supplements or amends


@dataclass(frozen=True, slots=True)
class Example:
    """A share that a clause must allow or must refuse, as its authors meant it.

    ``paths`` are released by exactly this clause, or withheld with it as the nearest one and for
    the reason ``because``.
    """

    allow: bool
    title: str
    item: Item
    asked: Asked
    at: datetime
    paths: tuple[str, ...]
    because: str | None = None  # code list withholding_reasons


@dataclass(frozen=True, slots=True)
class Agreement:
    """One version of an agreement."""

    id: str
    version: int
    title: Mapping[str, str]  # by language
    instrument: Instrument
    binding: bool
    public: bool  # whether its text is public: without a text there are no clauses
    fictional: bool
    signed: date | None
    place: Place
    themes: tuple[str, ...]
    parties: tuple[Party, ...]
    authentic: tuple[str, ...]  # languages of which every version is equally authentic
    source: str
    clauses: tuple[Clause, ...]
    texts: Mapping[str, Mapping[str, str]]  # of each clause, by language
    examples: Mapping[str, tuple[Example, ...]]  # of each clause
    hash: str  # hex SHA-256 of the canonical form

    @property
    def nodes(self) -> frozenset[str]:
        """The nodes of the parties."""
        return frozenset(party.node for party in self.parties if party.node)

    @property
    def permits(self) -> bool:
        """Whether any clause lets anything pass."""
        return any(clause.permit for clause in self.clauses)

    def clause(self, clause_id: str) -> Clause | None:
        """Return a clause by its number."""
        return next((one for one in self.clauses if one.id == clause_id), None)
