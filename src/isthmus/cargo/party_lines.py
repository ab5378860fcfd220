"""The lines under which parties stand in papers, as they are screened, and the units they are on.

A line is all that is declared of a party in one place: name, address, number. Equal lines are
screened once; ``declared_party.line`` names the line a row has, and is null until it was screened.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, bindparam, func, or_, select, update

from isthmus.access.gate import Scope, unscoped
from isthmus.cargo.store import slices
from isthmus.cargo.tables import party_table, record_table, unit_table
from isthmus.cargo.unit import UnitState
from isthmus.parties.hit import CONTAINER, VESSEL
from isthmus.platform.transaction import Transaction

_party = party_table.c
_COLUMNS = (
    _party.seq,
    _party.record_id,
    _party.role,
    _party.subject,
    _party.name,
    _party.identifier,
    _party.address,
    _party.category,
    _party.retain_until,
    _party.line,
)
_UNSCREENED = select(*_COLUMNS).where(_party.line.is_(None)).order_by(_party.seq)
_NAME = update(party_table).where(_party.seq == bindparam("of")).values(line=bindparam("named"))
_ON = select(*_COLUMNS).where(_party.record_id.in_(bindparam("part", expanding=True)))


def text_of(row: Mapping[Any, Any]) -> str:
    """Return the line of a declared party: its name, its address, its number, a line each.

    What the number is nobody says, so it is looked for as a tax and as a registration number.
    """
    address = row["address"] or {}
    place = " ".join(filter(None, (address.get("postcode"), address.get("city"))))
    lines = [row["name"], *address.get("lines", ()), place, address.get("country")]
    if row["identifier"]:
        lines += [f"TAX ID {row['identifier']}", f"REGISTRATION NO {row['identifier']}"]
    return "\n".join(line for line in lines if line)


@unscoped("what is not screened yet is screened, for the node and not for a person")
def unscreened(tx: Transaction, limit: int) -> list[RowMapping]:
    """Return declared parties whose line was not screened yet, oldest first."""
    return list(tx.execute(_UNSCREENED.limit(limit)).mappings())


@unscoped("a party erased meanwhile is not screened, for the node and not for a person")
def still_declared(tx: Transaction, numbers: Iterable[int]) -> set[int]:
    """Return which of these rows are still there, by their number, and keep them there."""
    wanted, found = sorted(numbers), set[int]()
    for start in range(0, len(wanted), 4000):
        part = wanted[start : start + 4000]
        found.update(
            tx.execute(select(_party.seq).where(_party.seq.in_(part)).with_for_update()).scalars()
        )
    return found


def name_lines(tx: Transaction, lines: Mapping[int, str]) -> None:
    """Note which line each declared party has."""
    if lines:
        tx.execute(_NAME, [{"of": seq, "named": line} for seq, line in lines.items()])


@unscoped("scoring reads the lines behind its own batch, for the node and not for a person")
def lines_on(tx: Transaction, record_ids: Iterable[str]) -> list[RowMapping]:
    """Return the parties that these record versions declare, without an order."""
    return [
        row for part in slices(record_ids) for row in tx.execute(_ON, {"part": part}).mappings()
    ]


@unscoped("every known line is screened again, for the node and not for a person")
def screened_after(tx: Transaction, after: int) -> Iterator[RowMapping]:
    """Yield the declared parties entered after this number whose line was screened, in order."""
    yield from tx.stream(
        select(*_COLUMNS).where(_party.seq > after, _party.line.is_not(None)).order_by(_party.seq)
    )


@unscoped("how far every line was screened is a figure of the node")
def screened_up_to(tx: Transaction) -> int:
    """Return the number up to which every declared party was screened."""
    first = tx.execute(select(func.min(_party.seq)).where(_party.line.is_(None))).scalar()
    if first is not None:
        return int(first) - 1
    return int(tx.execute(select(func.max(_party.seq))).scalar() or 0)


@unscoped("hits are entered under the rules of the party, for the node and not for a person")
def declared_by_line(tx: Transaction, lines: Iterable[str]) -> dict[str, RowMapping]:
    """Return a declared party of each of these lines, the oldest that is left."""
    found: dict[str, RowMapping] = {}
    for part in slices(lines):
        rows = tx.execute(
            select(*_COLUMNS).where(_party.line.in_(part)).order_by(_party.seq.desc())
        )
        found.update((row["line"], row) for row in rows.mappings())
    return found


@unscoped("opened by a service that checked and logged the purpose")
def declared_as(tx: Transaction, line: str) -> RowMapping | None:
    """Return a declared party of this line, the newest, while there is one."""
    rows = tx.execute(
        select(*_COLUMNS).where(_party.line == line).order_by(_party.seq.desc()).limit(1)
    )
    return rows.mappings().first()


def units_on(tx: Transaction, scope: Scope, line: str, limit: int = 50) -> list[RowMapping]:
    """Return the open units on which a line stands, the nearest deadline first."""
    units = unit_table.c
    rows = tx.execute(
        select(unit_table)
        .where(
            units.state == UnitState.OPEN,
            _concerned([line]),
            scope.where(office_column=units.office, terminal_column=units.terminal),
        )
        .order_by(units.deadline_at.is_(None), units.deadline_at, units.id)
        .limit(limit)
    )
    return list(rows.mappings())


def count_units(tx: Transaction, scope: Scope, line: str) -> int:
    """Return on how many open units a line stands."""
    units = unit_table.c
    where = (
        units.state == UnitState.OPEN,
        _concerned([line]),
        scope.where(office_column=units.office, terminal_column=units.terminal),
    )
    return int(tx.execute(select(func.count()).select_from(unit_table).where(*where)).scalar_one())


@unscoped("what changed of a party concerns every office, for the node and not for a person")
def score_again(tx: Transaction, lines: Iterable[str]) -> int:
    """Let open units on which these lines stand be due for scoring again; return how many."""
    due = 0
    for part in slices(lines):
        due += tx.execute(
            update(unit_table)
            .where(unit_table.c.state == UnitState.OPEN, _concerned(part))
            .values(scored_version=0)
        ).rowcount
    return due


def _concerned(lines: Sequence[str]) -> ColumnElement[bool]:
    """Whether a unit carries one of these lines: a party of its papers, its ship, its box."""
    units, records = unit_table.c, record_table.c
    declared = (
        select(records.bill)
        .join(party_table, _party.record_id == records.id)
        .where(_party.line.in_(lines))
    )
    keys = (
        select(records.key)
        .join(party_table, _party.record_id == records.id)
        .where(_party.line.in_(lines), records.kind == "declaration")
    )
    ships = [line.removeprefix(VESSEL) for line in lines if line.startswith(VESSEL)]
    boxes = [line.removeprefix(CONTAINER) for line in lines if line.startswith(CONTAINER)]
    return or_(
        units.bill.in_(declared.where(records.kind == "consignment")),
        units.declaration_key.in_(keys),
        units.vessel_imo.in_(ships),
        func.substr(units.container, 1, 4).in_(boxes),
    )
