"""Agreements known by a row of a table alone: which there are, and what is not known of each.

A set of agreements (the 43 of Panama and Mexico) comes as a table, CSV or the rows of a
spreadsheet. Nothing is made up for what a row lacks: it is counted and listed, and a row gives no
authority to share. Authority comes from an agreement file with reviewed clauses.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import RowMapping

from isthmus.access.gate import check, scope
from isthmus.access.model import Actor, Permission
from isthmus.agreements import store
from isthmus.kernel.errors import Invalid
from isthmus.platform import audit
from isthmus.platform.transaction import Transaction
from isthmus.reference.codelist import code_list

COLUMNS = ("number", "title", "theme", "parties", "owner", "signed_on", "status", "text_at")
# What a complete row holds, besides its number.
WANTED = COLUMNS[1:]
MOST_ROWS = 10_000
_MOST_CHARACTERS = 2_000  # of a cell


@dataclass(frozen=True, slots=True)
class Listed:
    """One row: an agreement by its number, and what is known of it."""

    number: int
    known: Mapping[str, Any]

    @property
    def lacks(self) -> tuple[str, ...]:
        """What is not known, in the order of the columns."""
        return tuple(name for name in WANTED if not self.known.get(name))

    @property
    def completeness(self) -> int:
        """How much of a row is known, in per cent."""
        return round(100 * (len(WANTED) - len(self.lacks)) / len(WANTED))


def read_csv(text: str) -> list[Listed]:
    """Read the rows of a CSV file. Raises ``Invalid`` with line and reason."""
    try:
        return read_rows(csv.reader(text.splitlines(), strict=True))
    except csv.Error as error:
        raise Invalid("listing.invalid", f"not CSV: {error}") from None


def read_rows(rows: Iterable[Sequence[str]]) -> list[Listed]:
    """Read rows under a head row with the columns of ``COLUMNS``, in any order.

    Only ``number`` must be there. Raises ``Invalid`` with line and reason.
    """
    lines = iter(rows)
    head = [cell.strip().lower() for cell in next(lines, ())]
    strange = sorted(set(head) - set(COLUMNS))
    if "number" not in head or strange or len(set(head)) != len(head):
        words = f"unknown {', '.join(strange)}" if strange else "needs a column number, once"
        raise Invalid("listing.invalid", f"the head row: {words}", line=1)
    found: dict[int, Listed] = {}
    for line, row in enumerate(lines, start=2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) > len(head):
            raise Invalid("listing.invalid", "more cells than columns", line=line)
        one = _listed(dict(zip(head, (cell.strip() for cell in row), strict=False)), line)
        if one.number in found:
            raise Invalid("listing.invalid", f"number {one.number} stands twice", line=line)
        found[one.number] = one
        if len(found) > MOST_ROWS:
            raise Invalid("listing.invalid", f"more than {MOST_ROWS} rows", line=line)
    return [found[number] for number in sorted(found)]


def _listed(cells: Mapping[str, str], line: int) -> Listed:
    number = cells.get("number", "")
    if not (number.isascii() and number.isdigit() and len(number) < 7):
        raise Invalid("listing.invalid", "number is no number", line=line, value=number[:40])
    known: dict[str, Any] = {}
    for name in WANTED:
        cell = cells.get(name, "")
        if len(cell) > _MOST_CHARACTERS:
            raise Invalid("listing.invalid", f"{name} is too long", line=line)
        known[name] = cell or None
    for name, listed in (("theme", "agreement_themes"), ("status", "party_standings")):
        if known[name] and known[name] not in code_list(listed):
            words = f"{name} is no code of {listed}"
            raise Invalid("listing.invalid", words, line=line, value=known[name][:40])
    try:
        known["signed_on"] = date.fromisoformat(known["signed_on"]) if known["signed_on"] else None
    except ValueError:
        raise Invalid("listing.invalid", "signed_on is no day", line=line) from None
    return Listed(int(number), known)


def take(tx: Transaction, actor: Actor, collection: str, rows: Sequence[Listed]) -> dict[str, int]:
    """Enter the rows of a collection, in place of older ones of their numbers; return counts."""
    check(tx, actor, Permission.AGREEMENT_DRAFT)
    new = 0
    for row in rows:
        new += store.put_listed(
            tx,
            {
                "id": f"{collection}/{row.number}",
                "collection": collection,
                "number": row.number,
                **row.known,
                "completeness": row.completeness,
                "lacks": list(row.lacks),
                "imported_at": tx.now,
                "imported_by": actor.id,
            },
        )
    counts = {"rows": len(rows), "new": new}
    audit.record(
        tx,
        actor.id,
        "agreement.list",
        "listing",
        collection,
        agency=actor.agency,
        rows=len(rows),
        new=new,
    )
    return counts


def listed(tx: Transaction, actor: Actor, collection: str | None = None) -> Sequence[RowMapping]:
    """Return the rows of a collection, or of all."""
    check(tx, actor, Permission.AGREEMENT_READ)
    return store.listed(tx, scope(actor, Permission.AGREEMENT_READ), collection)


def lacking(rows: Iterable[RowMapping]) -> Iterator[tuple[str, int]]:
    """Yield what rows lack, with how many lack it, the most frequent first."""
    yield from Counter(name for row in rows for name in row["lacks"]).most_common()
