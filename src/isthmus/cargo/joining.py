"""The units of the queue are brought up to date with new records.

Which units there should be follows from the newest records alone (``plan``); here the rows that
stand are matched with them. A unit keeps its row, and so its picks and holds, while what it is
about becomes better known: a declaration's container, the bill of a declared box. A row that no
record speaks for any more is superseded by the unit that says more, else cancelled; it keeps what
it said when it lapsed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from isthmus.cargo import plan, store, visits
from isthmus.cargo.derive import Facts, Home, Known, R, derive
from isthmus.cargo.model import Consignment, ContainerEvent, Declaration
from isthmus.cargo.neighbourhood import Neighbourhood
from isthmus.cargo.plan import Slot, Stock, Wanted
from isthmus.cargo.unit import STANDING, Unit, UnitState
from isthmus.cargo.versions import Version
from isthmus.kernel.ids import new_id
from isthmus.platform.transaction import Transaction

Key = tuple[str | None, str | None, str | None]  # container, bill, declaration


@dataclass(slots=True)
class Joined:
    """What a batch did to the units."""

    created: list[Unit] = field(default_factory=list)
    changed: list[Unit] = field(default_factory=list)


class Joiner:
    """Joins the new versions of one batch to units, within one unit of work."""

    def __init__(self, tx: Transaction, home: Home) -> None:
        self.tx = tx
        self.home = home
        self.near = Neighbourhood(tx)
        self.before: dict[str, Unit] = {}
        self.touched: dict[str, Unit] = {}
        self.forgetting = False
        self._visits: dict[str, list[visits.Visit]] = {}

    def join(self, made: Sequence[Version]) -> Joined:
        """Bring units up to date with these versions and write them."""
        if not any(version.kind in ("consignment", "declaration", "event") for version in made):
            return Joined()
        self.near.of(made)
        return self._settle()

    def forget(
        self, bills: Iterable[str], declarations: Iterable[str], containers: Iterable[str]
    ) -> Joined:
        """Bring units up to date after records were erased; what lapses is emptied."""
        self.forgetting = True
        self.near.of((), bills=bills, declarations=declarations, containers=containers)
        return self._settle()

    def _settle(self) -> Joined:
        near = self.near
        self.before = {unit.id: replace(unit) for unit in near.units.values()}
        newest = [v[-1] for (kind, _), v in near.versions.items() if kind != "event"]
        stock = Stock(version for version in newest if version.current)
        wanted = plan.units(stock, near.bills, near.declarations, self._held())
        rows = [unit for unit in near.units.values() if self._planned(unit)]
        self._match(wanted, rows, stock)
        for unit in near.units.values():
            if unit.state in STANDING and (
                not self._planned(unit)
                or unit.container in near.boxes
                or near.changed & {unit.bill, unit.declaration_key}
            ):
                self.touched.setdefault(unit.id, unit)
        return self._write()

    def _planned(self, unit: Unit) -> bool:
        return unit.bill in self.near.bills or unit.declaration_key in self.near.declarations

    def _held(self) -> dict[Slot, list[str]]:
        """Declarations that joined a planned bill and are not planned again themselves."""
        held: dict[Slot, list[str]] = {}
        for unit in self.near.units.values():
            key = unit.declaration_key
            if unit.state not in STANDING or unit.bill not in self.near.bills:
                continue
            if key and key not in self.near.declarations:
                held.setdefault((unit.container, unit.bill), []).append(key)
        return held

    # -- rows and what there should be ----------------------------------------------------

    def _match(self, wanted: Sequence[Wanted], rows: Sequence[Unit], stock: Stock) -> None:
        by_key: dict[Key, Unit] = {}
        for unit in sorted(rows, key=lambda unit: (unit.state in STANDING, unit.id)):
            by_key[unit.container, unit.bill, unit.declaration_key] = unit
        missing, kept = [], set()
        for want in sorted(wanted, key=_order):
            row = by_key.get((want.container, want.bill, want.declaration))
            if row is None:
                missing.append(want)
            else:
                kept.add(row.id)
                self._set(row, want)
        free = [unit for unit in rows if unit.id not in kept and unit.state in STANDING]
        for want in missing:
            row = _fitting(free, want)
            if row is None:
                row = Unit(id=new_id("unit"), kind=want.kind, version=0)
                row.created_at = row.changed_at = self.tx.now
            else:
                free.remove(row)
            self._set(row, want)
        heirs = [unit for unit in self.touched.values() if unit.state in STANDING]
        for unit in free:
            self._lapse(unit, heirs, stock)
        if self.forgetting:
            for unit in rows:
                erased = self.near.changed & {unit.bill, unit.declaration_key}
                if erased and unit.id not in self.touched:
                    self._empty(unit)

    def _set(self, unit: Unit, want: Wanted) -> None:
        same = (unit.container, unit.bill, unit.declaration_key, unit.kind) == (
            want.container,
            want.bill,
            want.declaration,
            want.kind,
        )
        unit.container, unit.bill, unit.kind = want.container, want.bill, want.kind
        unit.declaration_key = want.declaration
        changed = self.near.changed & {want.bill, want.declaration}
        if not same or changed or unit.version == 0 or unit.state not in STANDING:
            unit.state, unit.superseded_by = UnitState.OPEN, None
            self.touched[unit.id] = unit
        elif self.forgetting:
            self.touched[unit.id] = unit

    def _lapse(self, unit: Unit, heirs: Sequence[Unit], stock: Stock) -> None:
        heir = next((other for other in heirs if _says_more(other, unit, stock)), None)
        unit.state = UnitState.SUPERSEDED if heir else UnitState.CANCELLED
        unit.superseded_by = heir.id if heir else None
        if self.forgetting:
            self._empty(unit)
        else:
            self.touched[unit.id] = unit

    def _empty(self, unit: Unit) -> None:
        """Take everything out of a row whose records were erased; its id stays."""
        blank = Unit(id=unit.id, kind=unit.kind, version=unit.version, state=UnitState.CANCELLED)
        blank.created_at, blank.superseded_by = unit.created_at, unit.superseded_by
        self.touched[unit.id] = blank

    # -- what the rows say ------------------------------------------------------------------

    def _write(self) -> Joined:
        joined = Joined()
        standing = [unit for unit in self.touched.values() if unit.state in STANDING]
        self.near.put_parties_back(self._sources(standing))
        for unit_id, unit in sorted(self.touched.items()):
            made = unit
            if unit.state in STANDING:
                made = derive(unit, self._facts(unit), self.home, self.tx.keys)
            before = self.before.get(unit_id)
            if before is not None and _same(before, made):
                continue
            made.version = (before.version if before else 0) + 1
            made.changed_at = self.tx.now
            (joined.changed if before else joined.created).append(made)
        store.insert_units(self.tx, joined.created)
        store.update_units(self.tx, joined.changed)
        return joined

    def _sources(self, units: Iterable[Unit]) -> Iterable[Version]:
        for unit in units:
            yield from self.near.reports(unit.bill) if unit.bill else ()
            if unit.declaration_key:
                yield self.near.newest("declaration", unit.declaration_key)

    def _facts(self, unit: Unit) -> Facts:
        consignments = []
        for version in self.near.reports(unit.bill) if unit.bill else ():
            record = version.record
            if isinstance(record, Consignment) and (
                unit.container is None
                or version.cancelled
                or not record.containers
                or any(box.number == unit.container for box in record.containers)
            ):
                consignments.append(self._known(version, record))
        declaration = None
        if unit.declaration_key:
            newest = self.near.newest("declaration", unit.declaration_key)
            if isinstance(newest.record, Declaration):
                declaration = self._known(newest, newest.record)
        facts = Facts(consignments, declaration)
        return replace(facts, events=self._events(unit, facts)) if unit.container else facts

    def _known(self, version: Version, record: R) -> Known[R]:
        versions = self.near.versions[version.kind, version.key]
        return Known(
            key=version.key,
            record=record,
            versions=len(versions),
            received_at=version.received_at,
            first_received_at=versions[0].received_at,
            consignees=tuple(v.consignee_ref for v in versions if v.consignee_ref),
            documents=frozenset(v.document_id for v in versions),
            flags=tuple(flag.code for flag in version.flags),
            cancelled=version.cancelled,
        )

    def _events(self, unit: Unit, facts: Facts) -> list[ContainerEvent]:
        number = unit.container
        if number is None or number not in self.near.events:
            return []
        if number not in self._visits:
            self._visits[number] = visits.visits(self.near.events[number])
        masters = {known.record.master_bill for known in facts.consignments}
        bills = {bill for bill in (unit.bill, *masters) if bill}
        empty = any(
            box.number == number and box.empty
            for known in facts.consignments
            for box in known.record.containers
        )
        return visits.of_unit(
            self.near.events[number], self._visits[number], _anchor(facts), bills, empty=empty
        )


def _anchor(facts: Facts) -> datetime:
    """The moment that the papers give for a unit: arrival, else departure, else lodging."""
    heads = [known.record.manifest for known in facts.consignments]
    arrivals = [m.arrival_at for m in heads if m.arrival_at and m.direction != "departure"]
    departures = [m.departure_at for m in heads if m.departure_at]
    declared = facts.declaration.record if facts.declaration else None
    lodged = [declared.lodged_at or declared.accepted_at] if declared else []
    issued = [m.issued_at for m in heads]
    received = [known.first_received_at for known in facts.consignments]
    received += [facts.declaration.first_received_at] if facts.declaration else []
    for told in (arrivals, departures, lodged, issued, received):
        if moments := [moment for moment in told if moment is not None]:
            return min(moments)
    raise ValueError("a unit without a record has no moment")


def _fitting(rows: Sequence[Unit], want: Wanted) -> Unit | None:
    """The free row that is about the same thing, known less well or otherwise."""

    def rank(unit: Unit) -> int | None:
        same_bill = unit.bill is not None and unit.bill == want.bill
        declared = unit.declaration_key is not None and unit.declaration_key == want.declaration
        if unit.container is not None and unit.container == want.container:
            if same_bill:
                return 0  # its declaration has come, gone or been replaced
            if declared and (unit.bill is None or want.bill is None):
                return 1  # the bill of a declared box
        elif unit.container is None or want.container is None:
            if declared and unit.container is None:
                return 2  # the container of a declaration
            if same_bill and unit.container is None:
                return 3  # the container of a bill
        return None

    ranked = [(place, unit.id, unit) for unit in rows if (place := rank(unit)) is not None]
    return min(ranked, key=lambda entry: entry[:2])[2] if ranked else None


def _says_more(other: Unit, unit: Unit, stock: Stock) -> bool:
    """Whether another unit stands for what a lapsed one was about."""
    if unit.container is not None and other.container != unit.container:
        return False
    if unit.bill and other.bill and other.bill in stock.houses.get(unit.bill, ()):
        return True  # a house bill took over from its master
    if unit.container is not None:
        return unit.bill is None and unit.declaration_key == other.declaration_key
    same_bill = unit.bill is not None and unit.bill == other.bill
    return same_bill or (
        unit.declaration_key is not None and unit.declaration_key == other.declaration_key
    )


def _order(want: Wanted) -> tuple[str, str, str]:
    return want.container or "", want.bill or "", want.declaration or ""


def _same(before: Unit, after: Unit) -> bool:
    return replace(before, changed_at=None) == replace(after, changed_at=None)
