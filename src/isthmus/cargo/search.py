"""Looking for units by what is known of them: box, bill, declaration, ship, place."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select

from isthmus.access.gate import Scope
from isthmus.cargo.store import unit_of
from isthmus.cargo.tables import unit_table
from isthmus.cargo.unit import Unit
from isthmus.platform.transaction import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a unit must match; None matches all. ``bill`` is a house or a master bill."""

    container: str | None = None
    bill: str | None = None
    declaration: str | None = None
    vessel_imo: str | None = None
    voyage: str | None = None
    regime: str | None = None
    office: str | None = None
    terminal: str | None = None
    state: str | None = None
    hs: str | None = None  # the first 2, 4 or 6 digits

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the conditions of a select."""
        units = unit_table.c
        exact = {
            units.container: self.container,
            units.declaration_key: self.declaration,
            units.vessel_imo: self.vessel_imo,
            units.voyage: self.voyage,
            units.regime: self.regime,
            units.office: self.office,
            units.terminal: self.terminal,
            units.state: self.state,
        }
        found = [column == value for column, value in exact.items() if value is not None]
        if self.bill is not None:
            found.append(or_(units.bill == self.bill, units.master_bill == self.bill))
        if self.hs is not None:
            column = {2: units.hs2, 4: units.hs4}.get(len(self.hs), units.hs6)
            found.append(column == self.hs)
        return found


def search(
    tx: Transaction, scope: Scope, wanted: Wanted, *, before: str | None = None, limit: int = 100
) -> list[Unit]:
    """Return units within the reader's scope, the newest known first.

    ``before`` is the id of the last unit of the page before.
    """
    units = unit_table.c
    found = select(unit_table).where(
        scope.where(office_column=units.office, terminal_column=units.terminal),
        *wanted.conditions(),
    )
    if before is not None:
        found = found.where(units.id < before)
    rows = tx.execute(found.order_by(units.id.desc()).limit(limit)).mappings()
    return [unit_of(row) for row in rows]
