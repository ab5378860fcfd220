"""A hit: a party line of the papers that may mean an entry of a list, until a person says so.

What is screened is a whole line (name, address, number), each distinct one once; what is judged
is the party behind it. A judgement holds as long as its facts: what the entry says and what of
the line was taken for it. When either changes, or the judgement runs out, the hit is asked again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from sqlalchemy import RowMapping

from isthmus.kernel.canonical import canonical
from isthmus.parties.fold import words
from isthmus.parties.listed import Basis, Match
from isthmus.platform.keys import KeyRing

# Defaults of ours: a party once told apart is looked at again after a year, and what was settled
# is kept a year longer, so that the decision can be explained.
NOT_SAME_FOR = timedelta(days=365)
NOT_SAME_MOST = timedelta(days=3 * 365)
KEEP_SETTLED = timedelta(days=365)
REVIEW_AFTER = timedelta(days=365)


LOCK = "screening"
"""Held by whoever enters what screening found, and by whoever changes a list: so nothing is entered
that was found by a version no longer in force."""

VESSEL, CONTAINER = "imo:", "bic:"
"""How the names of lines of ships and of container prefixes begin; they are no secret."""


class LineKind(StrEnum):
    """What sort of thing a line names."""

    PARTY = "party"
    VESSEL = "vessel"
    CONTAINER = "container"


class HitState(StrEnum):
    """How a hit stands."""

    OPEN = "open"
    UNSURE = "unsure"  # looked at and not settled: it counts like an open one
    SAME = "same"
    NOT_SAME = "not_same"
    ENDED = "ended"


UNDECIDED = (HitState.OPEN, HitState.UNSURE)
STANDING = (*UNDECIDED, HitState.SAME)
"""The states in which a hit says something about a consignment."""


class Ending(StrEnum):
    """Why a hit no longer stands."""

    ENTRY_LEFT = "entry_left"
    ENTRY_CHANGED = "entry_changed"
    LOOKOUT_EXPIRED = "lookout_expired"
    ENTRY_ERASED = "entry_erased"


class Verdict(StrEnum):
    """What a person finds of a hit."""

    SAME = "same"
    NOT_SAME = "not_same"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Line:
    """One line to be screened.

    ``id`` is a keyed hash of a party's text, or the number of a ship or box; ``subject`` names whom
    it is about in erasures.
    """

    id: str
    subject: str
    kind: LineKind
    text: str
    category: str
    retain_until: date


@dataclass(frozen=True, slots=True)
class Finding:
    """What screening one line gave; no match is an outcome too."""

    line: Line
    matches: tuple[Match, ...]


def line_id(keys: KeyRing, text: str) -> str:
    """Return what names a line: equal lines have equal names, and nothing can be read back."""
    return keys.pseudonym("line", text)


def vessel_line(imo: str, retain_until: date) -> Line:
    """Return the line of a ship known by its IMO number."""
    return _thing(f"{VESSEL}{imo}", LineKind.VESSEL, f"IMO {imo}", retain_until)


def container_line(container: str, retain_until: date) -> Line:
    """Return the line of the owner's prefix of a container."""
    prefix = container[:4]
    return _thing(f"{CONTAINER}{prefix}", LineKind.CONTAINER, f"BIC {prefix}", retain_until)


def _thing(name: str, kind: LineKind, text: str, retain_until: date) -> Line:
    return Line(name, name, kind, text, "trader", retain_until)


def facts(keys: KeyRing, match: Match) -> str:
    """Return the keyed digest of what a judgement of this match rests on."""
    reading = match.reading if match.basis is Basis.NUMBER else " ".join(words(match.reading))
    return keys.pseudonym("facts", canonical([match.digest, reading]).decode())


def state_by(judgements: Iterable[RowMapping], facts_now: str, today: date) -> HitState:
    """Return how a hit stands by the judgements of its pair, oldest first."""
    state = HitState.OPEN
    for row in judgements:
        if row["facts"] == facts_now and (row["until"] is None or today < row["until"]):
            state = HitState(row["verdict"])
        elif row["facts"] == facts_now:
            state = HitState.OPEN
    return state
