"""The fields that rules may read and models may use, each with its kind and its name for people.

Whatever is not listed here is no feature. Identifiers of parties, containers and documents are
not: they are keys by which the history is asked, and never reach a model themselves.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from isthmus.reference.codelist import LOCALES, language_of
from isthmus.risk.objectives import Objective
from isthmus.risk.schema import Kind, unit_kinds


@dataclass(frozen=True, slots=True, eq=False)
class Feature:
    """A column, whether a model may use it, and its name in the five languages."""

    name: str
    kind: Kind
    model: bool
    names: Mapping[str, str]

    def label(self, locale: str) -> str:
        """The name for a reader of this locale."""
        return self.names[language_of(locale)]


@cache
def derived_features() -> Mapping[str, Feature]:
    """What ``features`` adds to the unit frame, in the order of the columns."""
    found = dict(_read("features.csv"))
    for objective in Objective:
        for name, feature in _read("features_by_objective.csv").items():
            own = f"{objective}_{name}"
            found[own] = Feature(own, feature.kind, feature.model, feature.names)
    return MappingProxyType(found)


@cache
def unit_features() -> Mapping[str, Feature]:
    """The fields of the unit itself that a model may use."""
    return MappingProxyType(_read("features_of_unit.csv"))


@cache
def field_kinds() -> Mapping[str, Kind]:
    """Every field that a rule may read: those of the unit, ``as_of``, and the derived ones."""
    derived = {name: feature.kind for name, feature in derived_features().items()}
    return MappingProxyType({**unit_kinds(), "as_of": Kind.MOMENT, **derived})


@cache
def model_features(objective: Objective) -> tuple[Feature, ...]:
    """What the model of an objective may use: outcomes of another objective are not among it."""
    others = tuple(f"{other}_" for other in Objective if other is not objective)
    every = (*unit_features().values(), *derived_features().values())
    return tuple(
        feature for feature in every if feature.model and not feature.name.startswith(others)
    )


def feature(name: str) -> Feature | None:
    """The feature of this name, or None when there is none."""
    return derived_features().get(name) or unit_features().get(name)


def _read(file: str) -> dict[str, Feature]:
    with (Path(__file__).parent / file).open(encoding="utf-8", newline="") as lines:
        return {
            row["name"]: Feature(
                row["name"],
                Kind(row["kind"]),
                row["model"] == "yes",
                MappingProxyType({locale: row[locale] for locale in LOCALES}),
            )
            for row in csv.DictReader(lines, strict=True)
        }
