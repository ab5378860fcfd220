"""Why a party line meets a list entry: coded reasons, and the same in words in five languages.

Codes and parameters are what is kept and sent; words are made where somebody reads them. The
sentences stand in ``data/reasons.csv``, the names of measures and numbers in code lists.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from babel.numbers import format_decimal

from isthmus.parties.explain import Explanation, Relation, WordMatch, explain
from isthmus.parties.line import Capacity
from isthmus.parties.listed import Basis, Match
from isthmus.parties.match import FIND
from isthmus.parties.name import ComparableName, read_name
from isthmus.reference.codelist import code_list, language_of

LEAST_COST = 0.01
"""A measure that takes less than this from a score is not told: no threshold is that fine."""

_LAST_OF_LATIN = 0x24F


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason as a code of ``data/reasons.csv`` with its parameters."""

    code: str
    parameters: Mapping[str, Any]

    def told(self, locale: str) -> dict[str, Any]:
        """Return the reason as plain values, its words in the reader's language with it."""
        return {
            "code": self.code,
            "parameters": dict(self.parameters),
            "text": in_words(self, locale),
        }


def tell(match: Match, locale: str) -> dict[str, Any]:
    """Return a match as whoever asked reads it: which entry, how near, and why, best reason first.

    ``entry`` is the list's own identifier, ``name`` the listed name that was met, or the entry's
    main name where a number was.
    """
    return {
        "list": match.list,
        "entry": match.key,
        "kind": match.kind,
        "name": match.listed if match.basis is Basis.NAME else match.name,
        "score": match.score,
        "basis": match.basis.value,
        "algorithm": match.algorithm,
        "reading": match.reading,
        "reasons": [reason.told(locale) for reason in of_match(match)],
    }


def of_match(match: Match) -> tuple[Reason, ...]:
    """Return the reasons of a match."""
    if match.basis is Basis.NUMBER:
        return of_number(match.listed)
    return of_name(match.reading, match.listed, match.capacity)


def of_number(said: str) -> tuple[Reason, ...]:
    """Return the reason of a hit by number, written ``kind:value``."""
    kind, _, value = said.partition(":")
    return (Reason("number.same", {"kind": kind, "value": value}),)


def of_name(reading: str, listed: str, capacity: Capacity | None = None) -> tuple[Reason, ...]:
    """Return the reasons of a hit by name: what is read, what is shared, what differs.

    ``reading`` is the part of the line that was taken for a name, ``capacity`` how it stands
    there, ``listed`` the name on the list.
    """
    one, other = read_name(reading), read_name(listed)
    explained = explain(one, other, FIND)
    return (
        *_standing(reading, capacity),
        *_read_as(one, "script.line"),
        *_read_as(other, "script.list"),
        *_shared(explained),
        *_alone(explained),
        *_costs(explained),
    )


def in_words(reason: Reason, locale: str) -> str:
    """Return one reason in the reader's language; a code without words, itself."""
    language = language_of(locale)
    template = _sentences().get(reason.code)
    if template is None:
        return reason.code
    return template[language].format(
        **{name: _shown(name, value, language) for name, value in reason.parameters.items()}
    )


def _standing(reading: str, capacity: Capacity | None) -> Iterator[Reason]:
    if capacity is not None and capacity is not Capacity.NAMED:
        yield Reason(f"capacity.{capacity.value}", {"reading": reading})


def _read_as(name: ComparableName, code: str) -> Iterator[Reason]:
    """Say how a name in another script is read, for whoever does not read the script."""
    if any(letter.isalpha() and ord(letter) > _LAST_OF_LATIN for letter in name.text):
        yield Reason(code, {"written": name.text, "words": list(name.words)})


def _shared(explained: Explanation) -> Iterator[Reason]:
    same = [match.word for match in explained.one if match.relation is Relation.SAME]
    if same:
        yield Reason("words.same", {"words": same})
    told: set[tuple[str, str]] = set()
    sides = ((explained.one, False), (explained.other, True))
    for match, turned in ((match, turned) for side, turned in sides for match in side):
        if match.other is None or match.relation is Relation.SAME:
            continue
        pair = (match.other, match.word) if turned else (match.word, match.other)
        # Seen from the list a word is told only where the line did not name it already.
        if pair in told or (turned and _partnered(match, told)):
            continue
        told.add(pair)
        yield Reason(f"word.{match.relation.value}", {"word": pair[0], "other": pair[1]})


def _partnered(match: WordMatch, told: set[tuple[str, str]]) -> bool:
    return any(match.word == listed for _, listed in told)


def _alone(explained: Explanation) -> Iterator[Reason]:
    for side, code in ((explained.one, "line"), (explained.other, "list")):
        missing = [match for match in side if match.relation is Relation.MISSING]
        for words, kind in (
            ([match.word for match in missing if not match.formal], "words"),
            ([match.word for match in missing if match.formal], "form"),
        ):
            if words:
                yield Reason(f"{kind}.{code}_only", {"words": words})


def _costs(explained: Explanation) -> Iterator[Reason]:
    for measure, cost in explained.costs:
        if cost >= LEAST_COST:
            yield Reason("cost", {"measure": measure, "cost": round(cost, 2)})


def _shown(name: str, value: Any, language: str) -> str:
    if name == "kind":
        return code_list("identifier_kinds").label(str(value), language)
    if name == "measure":
        return code_list("name_measures").label(str(value), language)
    if isinstance(value, float):
        return str(format_decimal(value, format="0.00", locale=language))
    if isinstance(value, list):
        return " ".join(map(str, value))
    return str(value)


@cache
def _sentences() -> Mapping[str, Mapping[str, str]]:
    text = (files("isthmus.parties") / "data" / "reasons.csv").read_text(encoding="utf-8")
    return {row["code"]: row for row in csv.DictReader(text.splitlines())}
