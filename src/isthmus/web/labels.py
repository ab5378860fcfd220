"""Codes as people read them: the labels of the reference lists in the reader's language."""

from dataclasses import dataclass
from functools import cache

from isthmus.reference import countries, harmonised, offices, places, size_types
from isthmus.reference.codelist import code_list
from isthmus.risk.catalogue import feature
from isthmus.web.i18n import Reader


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels for one reader."""

    reader: Reader

    def of(self, name: str, code: str | None) -> str:
        """The label of a code of a list; a code that the list does not have, itself."""
        return "" if code is None else code_list(name).label(code, self.reader.locale)

    def choices(self, name: str) -> list[tuple[str, str]]:
        """Every code of a list with its label, in the order of the list."""
        return [(entry.code, entry.label(self.reader.locale)) for entry in code_list(name)]

    def reasons(self, decision: str) -> list[tuple[str, str]]:
        """The reasons that fit a decision (list ``decisions``)."""
        return [
            (entry.code, entry.label(self.reader.locale))
            for entry in code_list("reasons")
            if decision in entry.extra["decisions"].split()
        ]

    def first(self, name: str, code: str | None) -> str:
        """A label up to its colon: ``Red channel`` of ``Red channel: physical examination``."""
        return self.of(name, code).partition(":")[0].strip()

    def office(self, code: str | None) -> str:
        """The name of a customs office."""
        return "" if code is None else offices.label(code, self.reader.locale)

    def office_choices(self) -> list[tuple[str, str]]:
        """Every customs office."""
        return [(one.code, self.office(one.code)) for one in offices.offices()]

    def place(self, code: str | None) -> str:
        """The name of a UN/LOCODE place, or nothing when it is unknown."""
        found = places.place(code) if code else None
        return found.name if found else ""

    def terminal(self, code: str | None) -> str:
        """The name of a terminal by its code, wherever it stands; else the code."""
        return "" if code is None else _terminals().get(code, code)

    def country(self, code: str | None) -> str:
        """The name of a country."""
        return "" if code is None else countries.label(code, self.reader.locale)

    def goods(self, hs: str | None) -> str:
        """What a goods code covers."""
        return "" if hs is None else harmonised.label(hs, self.reader.locale)

    def size_type(self, code: str | None) -> str:
        """What a container size-type code says."""
        return "" if code is None else size_types.label(code, self.reader.locale)

    def alert(self, kind: str) -> str:
        """What an alert tells; a kind without words yet, itself."""
        key = f"alert.{kind}"
        return self.reader.t(key) if self.reader.has(key) else kind

    def field(self, name: str) -> str:
        """The name of a field of a record, a unit or a feature; else the field itself."""
        known = feature(name)
        if known is not None:
            return known.label(self.reader.locale)
        key = f"field.{name}"
        return self.reader.t(key) if self.reader.has(key) else name


@cache
def _terminals() -> dict[str, str]:
    return {terminal.code: terminal.name for port in places.ports()
            for terminal in places.terminals(port.code)}  # fmt: skip
