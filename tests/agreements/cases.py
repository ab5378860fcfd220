"""Cases for ``decide``: clauses, an overlay, an item and what is asked, drawn from small pools.

The pools are small so that what one part names another often meets. ``Drawer`` says how to draw:
by a seeded generator here, by hypothesis in the property tests.
"""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol

from isthmus.access.model import Purpose
from isthmus.agreements.model import (
    Asked,
    Clause,
    Duties,
    InForce,
    Mode,
    Onward,
    Permit,
    Prohibition,
    TransferBasis,
)
from isthmus.intelligence.model import (
    Classification,
    Evaluation,
    Handling,
    Item,
    ItemKind,
    Marking,
    Scale,
    Tlp,
)

NODES = ("PA-ANA", "NL-DOUANE", "BE-DOUANE")
KINDS = (ItemKind.ALERT, ItemKind.SIGHTING)
PURPOSES = (Purpose.TARGETING, Purpose.INSPECTION, Purpose.JUDICIAL)
MODES = tuple(Mode)
SUBJECTS = ("suspect", "witness", "victim", "minor", "contact", "unclassified")
CONDITIONS = (
    "case_number",
    "dual_criminality",
    "derogation_recorded",
    "originator_terms",
    "originator_consent",
)
USES = ("interdiction", "capital_offence", "lethal_targeting")
START = datetime(2026, 6, 1, tzinfo=UTC)
DAYS = tuple(START + timedelta(days=days) for days in range(-3, 4))
FIELDS = ("containers", "remarks", "persons", "persons.name", "persons.role", "*")
TERMS = (None, timedelta(days=30), timedelta(days=90))


class Case(NamedTuple):
    """Everything that ``decide`` takes, in its order."""

    clauses: tuple[InForce, ...]
    overlay: tuple[Prohibition, ...]
    item: Item
    asked: Asked
    now: datetime


class Drawer(Protocol):
    """Where choices come from."""

    def one(self, pool: Sequence[Any]) -> Any: ...
    def some(self, pool: Sequence[Any], likely: float = 0.5) -> frozenset[Any]: ...
    def chance(self, likely: float) -> bool: ...
    def number(self, most: int) -> int: ...


class Dice:
    """Choices by a seeded generator: the same seed gives the same cases everywhere."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed).random

    def one(self, pool: Sequence[Any]) -> Any:
        return pool[int(self._random() * len(pool))]

    def some(self, pool: Sequence[Any], likely: float = 0.5) -> frozenset[Any]:
        return frozenset([one for one in pool if self._random() < likely])

    def chance(self, likely: float) -> bool:
        return self._random() < likely

    def number(self, most: int) -> int:
        return int(self._random() * (most + 1))


class Bytes:
    """Choices read off a string of bytes, one each, zeros when it ends: what hypothesis draws."""

    def __init__(self, held: bytes) -> None:
        self._next = iter(held)

    def number(self, most: int) -> int:
        return next(self._next, 0) % (most + 1)

    def one(self, pool: Sequence[Any]) -> Any:
        return pool[self.number(len(pool) - 1)]

    def chance(self, likely: float) -> bool:
        return next(self._next, 0) >= 256 * (1 - likely)

    def some(self, pool: Sequence[Any], likely: float = 0.5) -> frozenset[Any]:
        return frozenset([one for one in pool if self.chance(likely)])


def a_case(draw: Drawer) -> Case:
    """Draw a whole case."""
    clauses = tuple(a_clause(draw, number) for number in range(draw.number(5)))
    overlay = tuple(a_prohibition(draw, number) for number in range(draw.one((0, 0, 0, 1, 1, 2))))
    return Case(clauses, overlay, an_item(draw), what_is_asked(draw), draw.one(DAYS))


def a_clause(draw: Drawer, number: int) -> InForce:
    """Draw a clause that permits, of one of two agreements."""
    since, until = draw.one((None, *DAYS[:3], *DAYS[:3])), draw.one((None, None, None, *DAYS[5:]))
    pause = ((draw.one(DAYS), draw.one((None, *DAYS[3:]))),) if draw.chance(0.15) else ()
    agreement = draw.one(("PA-NL-2026", "PA-BE-2026"))
    clause = Clause(f"art-{number}", since, until, a_permit(draw), suspended=pause)
    return InForce(agreement, agreement.lower().ljust(64, "0"), clause)


def a_permit(draw: Drawer) -> Permit:
    """Draw what a clause lets pass."""
    return Permit(
        senders=draw.some(NODES, 0.9),
        recipients=draw.some(NODES, 0.9),
        kinds=draw.some(KINDS, 0.9),
        fields=draw.some(FIELDS, 0.5),
        purposes=draw.some(PURPOSES, 0.8),
        modes=draw.some(MODES, 0.8),
        subjects=draw.some(("*", *SUBJECTS), 0.4),
        basis=draw.one((None, *TransferBasis)),
        conditions=tuple(sorted(draw.some(CONDITIONS[:2], 0.2))),
        least_source=draw.one((None, None, None, None, "A", "B", "C", "X")),
        most_secret=draw.one(tuple(Classification)),
        duties=some_duties(draw),
    )


def some_duties(draw: Drawer) -> Duties:
    """Draw duties."""
    return Duties(
        draw.some(tuple(Handling), 0.3),
        Onward(draw.some(NODES, 0.4), draw.chance(0.7)),
        draw.one(TERMS),
        draw.one(TERMS),
        draw.chance(0.1),
    )


def a_prohibition(draw: Drawer, number: int) -> Prohibition:
    """Draw a rule of an overlay; most match little, so that something is left to release."""
    return Prohibition(
        f"rule-{number}",
        "political_offence",
        recipients=draw.some(NODES, 0.4),
        kinds=draw.some(KINDS, 0.4),
        fields=draw.some(("containers", "remarks", "persons.name"), 0.4),
        purposes=draw.some(PURPOSES, 0.3),
        modes=draw.some(MODES, 0.3),
        subjects=draw.some(SUBJECTS, 0.2),
        handling=draw.some(tuple(Handling), 0.2),
        onward=draw.chance(0.1),
        uses=draw.some(USES, 0.3),
        unless=draw.some(CONDITIONS, 0.15),
    )


def an_item(draw: Drawer) -> Item:
    """Draw an alert or a sighting, with up to three persons."""
    people = [a_person(draw) for _ in range(draw.number(3))]
    body: dict[str, Any] = {"containers": ["MSKU1234565"], "remarks": "Watch", "odd": 1}
    if people or draw.chance(0.3):
        body["persons"] = people
    scale = draw.one(tuple(Scale))
    evaluation = Evaluation(scale, draw.one("AAABBCDEFXQ"), "2") if draw.chance(0.8) else None
    level = draw.one((Classification.NONE, Classification.NONE, *Classification))
    marking = Marking(evaluation, draw.some(tuple(Handling), 0.15), level, draw.one(tuple(Tlp)))
    originator = draw.one((*NODES, "PA-ANA", "PA-ANA", "PA-ANA", "PA-ANA"))
    return Item(f"{originator}:alr_1", draw.one(KINDS), 1, originator, START, marking, body)


def a_person(draw: Drawer) -> dict[str, Any]:
    """Draw a person, whose category may be missing or no word at all."""
    person: dict[str, Any] = {"name": "Ana Ficta", "role": "consignee"}
    category = draw.one((*SUBJECTS, "suspect", "suspect", None, 7))
    return person if category is None else {**person, "category": category}


def what_is_asked(draw: Drawer) -> Asked:
    """Draw who asks for what."""
    return Asked(
        draw.one(("PA-ANA", "PA-ANA", "PA-ANA", "NL-DOUANE")),
        draw.one(("NL-DOUANE", "NL-DOUANE", "NL-DOUANE", "PA-ANA", "BE-DOUANE")),
        draw.one(PURPOSES),
        draw.one(MODES),
        draw.some(CONDITIONS, 0.5),
        draw.some(USES, 0.15),
    )
