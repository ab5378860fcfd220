"""What is new about a unit, as facts with a small weight each, while no model is live."""

import string
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

import polars as pl
import yaml

from isthmus.reference.codelist import LOCALES
from isthmus.risk.catalogue import field_kinds
from isthmus.risk.conditions import Condition, Scope, expression, parse
from isthmus.risk.objectives import Objective

MATURE_UNITS = 1000
"""A history of n units lends novelty n / (n + this) of its weight: where everything is new,
nothing is told by it. A default of ours."""


@dataclass(frozen=True, slots=True, eq=False)
class Fact:
    """One way of being new."""

    id: str
    objectives: frozenset[Objective]
    weight: float
    when: Condition
    explain: Mapping[str, str]
    parameters: tuple[str, ...]


@cache
def facts() -> Mapping[str, Fact]:
    """Every fact by id, in the order of its file."""
    text = (Path(__file__).parent / "novelty.yaml").read_text(encoding="utf-8")
    scope = Scope(field_kinds())
    found = {}
    for document in yaml.safe_load(text):
        explain = {locale: document["explain"][locale] for locale in LOCALES}
        shown = {name for _, name, _, _ in string.Formatter().parse(explain["en"]) if name}
        found[document["id"]] = Fact(
            document["id"],
            frozenset(map(Objective, document["objectives"])),
            document["weight"],
            parse(document["when"], scope, document["id"]),
            MappingProxyType(explain),
            tuple(sorted(shown)),
        )
    return MappingProxyType(found)


def novel(frame: pl.DataFrame) -> pl.DataFrame:
    """A column of booleans per fact, named by its id, a row per row of the feature frame."""
    return frame.lazy().select(_expressions()).collect(engine="in-memory")


@cache
def _expressions() -> tuple[pl.Expr, ...]:
    return tuple(
        expression(fact.when).fill_null(False).alias(name) for name, fact in facts().items()
    )
