"""Code lists: the coded words of the trade, each with a label in five languages.

A list is a CSV file in ``data/`` with the columns ``code,es,en,fr,nl,pt`` and, where the trade
needs them, extra columns (an EDIFACT qualifier, a counting unit). ``data/lists.csv`` names every
list, where its codes come from, and the version of it that the file follows. A code list of an
international body keeps that body's codes; the labels in the five languages are ours.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from isthmus.kernel.errors import NotFound

LOCALES = ("es", "en", "fr", "nl", "pt")
"""The languages in which every label exists."""

FALLBACK_LOCALE = "en"


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One code with its label in each of the five languages and its extra columns as text."""

    code: str
    labels: Mapping[str, str]
    extra: Mapping[str, str]

    def label(self, locale: str) -> str:
        """The label for a reader of this locale; regions (``pt-BR``) read their language."""
        return self.labels[language_of(locale)]


@dataclass(frozen=True, slots=True, eq=False)
class CodeList:
    """A named list of codes, in the order of its file, with its source and version."""

    name: str
    source: str
    version: str
    entries: Mapping[str, Entry]

    def __contains__(self, code: object) -> bool:
        return code in self.entries

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries.values())

    def __len__(self) -> int:
        return len(self.entries)

    def entry(self, code: str) -> Entry | None:
        """The entry of this code, or None when the list does not have it."""
        return self.entries.get(code)

    def label(self, code: str, locale: str) -> str:
        """The label in the reader's language; a code that the list does not have, itself."""
        found = self.entries.get(code)
        return code if found is None else found.label(locale)

    def codes(self) -> tuple[str, ...]:
        """Every code, in the order of the file."""
        return tuple(self.entries)


def language_of(locale: str) -> str:
    """The one of the five languages that serves this locale: ``es-PA`` is es, ``de`` is en."""
    language = locale.replace("_", "-").partition("-")[0].lower()
    return language if language in LOCALES else FALLBACK_LOCALE


def read_rows(file_name: str) -> list[dict[str, str]]:
    """Rows of a CSV file of this package's ``data`` folder, as written there."""
    text = files(__package__).joinpath("data", file_name).read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text), strict=True))


@cache
def code_list(name: str) -> CodeList:
    """The list of this name, read once.

    Raises NotFound when no such list is shipped. A file with a doubled code or a missing column
    is a fault of the package and fails as ValueError.
    """
    listed = _index().get(name)
    if listed is None:
        raise NotFound("reference.list_unknown", "No code list of this name", name=name)
    entries: dict[str, Entry] = {}
    for row in read_rows(f"{name}.csv"):
        entry = _entry(name, row)
        if entry.code in entries:
            raise ValueError(f"code list {name}: code {entry.code!r} stands twice")
        entries[entry.code] = entry
    return CodeList(name, listed["source"], listed["version"], MappingProxyType(entries))


def all_lists() -> tuple[CodeList, ...]:
    """Every list shipped, in the order of the index."""
    return tuple(code_list(name) for name in _index())


@cache
def _index() -> dict[str, dict[str, str]]:
    return {row["name"]: row for row in read_rows("lists.csv")}


def _entry(name: str, row: dict[str, str]) -> Entry:
    missing = [column for column in ("code", *LOCALES) if not row.get(column)]
    # A short row gives None values, a long one a None key: both mean a comma out of place.
    if missing or None in row or None in row.values():
        raise ValueError(f"code list {name}: row {row!r} lacks {missing} or has stray columns")
    labels = {locale: row[locale] for locale in LOCALES}
    extra = {key: value for key, value in row.items() if key != "code" and key not in LOCALES}
    return Entry(row["code"], MappingProxyType(labels), MappingProxyType(extra))
