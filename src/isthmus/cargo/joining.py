"""Which units new records touch: consignments, declarations and events meet at the container.

The rules, in order:

* A consignment makes one unit for each of its containers; one without a container is a unit by
  itself until its container is known.
* House consignments take over from their master: the master's unit of the same box is superseded.
* A declaration joins the units of the containers it names, or of the bill it names. While it
  matches none it stands alone; once one is known its own unit is superseded.
* An event touches every unit of its box that was still within reach at the time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from isthmus.cargo import store
from isthmus.cargo.derive import Facts, Home, Known, R, derive
from isthmus.cargo.model import Consignment, ContainerEvent, Declaration
from isthmus.cargo.unit import Unit, UnitState
from isthmus.cargo.versions import Version, version_of
from isthmus.kernel.ids import new_id
from isthmus.platform.transaction import Transaction

# A box number comes back on later voyages: events this far from a unit's lodging are not its own.
VOYAGE = timedelta(days=45)
# After leaving, late reports of the same visit still arrive for this long.
AFTERMATH = timedelta(days=14)


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
        self.before: dict[str, Unit] = {}
        self.units: dict[str, Unit] = {}
        self.touched: set[str] = set()
        self.versions: dict[tuple[str, str], list[Version]] = {}
        self.by_bill: dict[str, set[str]] = {}  # bill → consignment keys
        self.events: dict[str, list[ContainerEvent]] = {}
        self.by_box: dict[tuple[str | None, str | None], str] = {}
        self.boxes: dict[str, list[str]] = {}
        self.of_bill: dict[str, list[str]] = {}
        self.of_master: dict[str, list[str]] = {}
        self.of_declaration: dict[str, list[str]] = {}

    def join(self, made: Sequence[Version]) -> Joined:
        """Bring units up to date with these versions and write them."""
        self._prefetch(made)
        for key in dict.fromkeys(v.key for v in made if v.kind == "consignment"):
            self._consignment(self.versions["consignment", key][-1])
        for key in dict.fromkeys(v.key for v in made if v.kind == "declaration"):
            self._declaration(self.versions["declaration", key][-1])
        for version in made:
            if isinstance(version.record, ContainerEvent):
                self.touched.update(self.boxes.get(version.record.container, ()))
        return self._settle()

    # -- what is known ------------------------------------------------------------------

    def _prefetch(self, made: Sequence[Version]) -> None:
        containers, bills, declarations = _mentions(version.record for version in made)
        for unit in store.units_touched(self.tx, containers, bills, declarations):
            self._know(unit)
            self.before[unit.id] = replace(unit)
            containers |= {unit.container} if unit.container else set()
            bills |= {unit.bill} if unit.bill else set()
            declarations |= {unit.declaration_key} if unit.declaration_key else set()
        fresh = {(v.kind, v.key) for v in made if v.version == 1}
        older = {key for key in declarations if ("declaration", key) not in fresh}
        rows = [*store.consignments_of(self.tx, bills)]
        rows += store.declaration_versions(self.tx, older)
        rows += store.events_of(self.tx, containers)
        people = store.parties_of(self.tx, [row["id"] for row in rows if row["kind"] != "event"])
        stored = {row["id"]: version_of(row, people.get(row["id"], [])) for row in rows}
        for version in made:
            stored.setdefault(version.id, version)
        for version in sorted(stored.values(), key=lambda v: v.version):
            self._know_version(version)

    def _know_version(self, version: Version) -> None:
        known = self.versions.setdefault((version.kind, version.key), [])
        known.append(version)
        if isinstance(version.record, Consignment):
            self.by_bill.setdefault(version.record.bill, set()).add(version.key)
        if isinstance(version.record, ContainerEvent) and version.current:
            self.events.setdefault(version.record.container, []).append(version.record)

    def _know(self, unit: Unit) -> None:
        self.units[unit.id] = unit
        if unit.state != UnitState.SUPERSEDED:
            self.by_box.setdefault((unit.container, unit.bill), unit.id)
        if unit.container:
            self.boxes.setdefault(unit.container, []).append(unit.id)
        if unit.bill:
            self.of_bill.setdefault(unit.bill, []).append(unit.id)
        if unit.master_bill:
            self.of_master.setdefault(unit.master_bill, []).append(unit.id)
        if unit.declaration_key:
            self.of_declaration.setdefault(unit.declaration_key, []).append(unit.id)

    def _new(self, kind: str, container: str | None, bill: str | None) -> Unit:
        unit = Unit(id=new_id("unit"), kind=kind, container=container, bill=bill, version=0)
        unit.created_at = unit.changed_at = self.tx.now
        self._know(unit)
        self.touched.add(unit.id)
        return unit

    def _standing(self, ids: Iterable[str]) -> list[Unit]:
        found = [self.units[unit_id] for unit_id in dict.fromkeys(ids)]
        return [unit for unit in found if unit.state != UnitState.SUPERSEDED]

    # -- consignments -------------------------------------------------------------------

    def _reports(self, bill: str) -> list[Version]:
        keys = sorted(self.by_bill.get(bill, ()))
        return [self.versions["consignment", key][-1] for key in keys]

    def _consignment(self, version: Version) -> None:
        record = version.record
        if not isinstance(record, Consignment):
            return
        bill = record.bill
        boxes = dict.fromkeys(
            box.number
            for report in self._reports(bill)
            if isinstance(report.record, Consignment) and not report.cancelled
            for box in report.record.containers
        )
        alone = self._standing(self.of_bill.get(bill, ()))
        declaration = next((unit.declaration_key for unit in alone if unit.declaration_key), None)
        houses = self._standing(self.of_master.get(bill, ()))
        for number in boxes:
            if any(house.container == number for house in houses):
                continue  # the house bills say more of this box than their master
            unit = self._box_unit(number, bill)
            unit.consignment_key = version.key
            if unit.declaration_key is None:
                self._link(unit, declaration)
            self.touched.add(unit.id)
            if record.master_bill:
                self._take_over(number, record.master_bill, unit)
        if not boxes and not version.cancelled:
            unit = self._loose_unit(bill)
            unit.consignment_key = version.key
        self._let_go(bill, boxes, version)

    def _box_unit(self, number: str, bill: str) -> Unit:
        if unit_id := self.by_box.get((number, bill)):
            return self.units[unit_id]
        if unit_id := self.by_box.get((number, None)):
            unit = self.units[unit_id]
            if unit.state == UnitState.OPEN:  # a declaration named the box before the manifest did
                del self.by_box[number, None]
                unit.bill = bill
                self.by_box[number, bill] = unit_id
                self.of_bill.setdefault(bill, []).append(unit_id)
                return unit
        return self._new("container", number, bill)

    def _loose_unit(self, bill: str) -> Unit:
        unit_id = self.by_box.get((None, bill))
        unit = self.units[unit_id] if unit_id else self._new("consignment", None, bill)
        self.touched.add(unit.id)
        return unit

    def _take_over(self, number: str, master: str, house: Unit) -> None:
        unit_id = self.by_box.get((number, master))
        if unit_id is None or unit_id == house.id:
            return
        unit = self.units[unit_id]
        if house.declaration_key is None:
            self._link(house, unit.declaration_key)
        self._supersede(unit, house)

    def _let_go(self, bill: str, boxes: Iterable[str], version: Version) -> None:
        """Units of this bill that its newest reports no longer speak of."""
        listed = set(boxes)
        standing = self._standing(self.of_bill.get(bill, ()))
        carriers = [unit for unit in standing if unit.container in listed]
        for unit in standing:
            if unit.container in listed:
                continue
            self.touched.add(unit.id)
            if unit.container is None and carriers:
                self._supersede(unit, carriers[0])  # its container is known now
            elif unit.container is not None and unit.consignment_key and not version.cancelled:
                unit.state = UnitState.CANCELLED

    def _supersede(self, unit: Unit, by: Unit) -> None:
        unit.state, unit.superseded_by = UnitState.SUPERSEDED, by.id
        self.touched.add(unit.id)

    def _link(self, unit: Unit, declaration: str | None) -> None:
        if declaration is not None:
            unit.declaration_key = declaration
            self.of_declaration.setdefault(declaration, []).append(unit.id)
            self.touched.add(unit.id)

    # -- declarations -------------------------------------------------------------------

    def _declaration(self, version: Version) -> None:
        record = version.record
        if not isinstance(record, Declaration):
            return
        named = [box.number for box in record.containers]
        bill = record.bills[0] if record.bills else None
        matched = self._matches(version.key, set(named), set(record.bills))
        for number in named:
            if not any(unit.container == number for unit in matched):
                matched.append(self._new("container", number, bill))
        own = self._standing(self.of_declaration.get(version.key, ()))
        if not matched and not own:
            unit = self._new("declaration", None, bill)
            self._link(unit, version.key)
            return
        for unit in matched:
            if unit.declaration_key != version.key:
                self._link(unit, version.key)
        for unit in own:
            self.touched.add(unit.id)
            if unit.container is None and unit.kind == "declaration" and matched:
                self._supersede(unit, matched[0])

    def _matches(self, key: str, containers: set[str], bills: set[str]) -> list[Unit]:
        """Open container units that a declaration speaks of and that no other has joined.

        Where it names both boxes and bills, both must agree; a box whose bill is not known yet
        agrees with any. Two declarations of one box are two consignments in it.
        """
        ids = [unit_id for number in containers for unit_id in self.boxes.get(number, ())]
        ids += [unit_id for bill in sorted(bills) for unit_id in self.of_bill.get(bill, ())]
        return [
            unit
            for unit in self._standing(sorted(ids))
            if unit.container is not None
            and unit.state == UnitState.OPEN
            and unit.declaration_key in (None, key)
            and (not containers or unit.container in containers)
            and (not bills or unit.bill is None or unit.bill in bills)
        ]

    # -- the result ---------------------------------------------------------------------

    def _settle(self) -> Joined:
        joined = Joined()
        for unit_id in sorted(self.touched):
            unit = self.units[unit_id]
            derived = derive(unit, self._facts(unit), self.home, self.tx.keys)
            before = self.before.get(unit_id)
            if before is not None and _same(before, derived):
                continue
            derived.version = (before.version if before else 0) + 1
            derived.changed_at = self.tx.now
            (joined.changed if before else joined.created).append(derived)
        store.insert_units(self.tx, joined.created)
        store.update_units(self.tx, joined.changed)
        return joined

    def _facts(self, unit: Unit) -> Facts:
        consignments = []
        for version in self._reports(unit.bill) if unit.bill else ():
            record = version.record
            if isinstance(record, Consignment) and (
                unit.container is None
                or version.cancelled
                or any(box.number == unit.container for box in record.containers)
            ):
                consignments.append(self._known(version, record))
        declaration = None
        if unit.declaration_key:
            newest = self.versions["declaration", unit.declaration_key][-1]
            if isinstance(newest.record, Declaration):
                declaration = self._known(newest, newest.record)
        return Facts(consignments, declaration, self._events_of(unit))

    def _known(self, version: Version, record: R) -> Known[R]:
        versions = self.versions[version.kind, version.key]
        consignees = {v.consignee_ref for v in versions if v.consignee_ref}
        return Known(
            record=record,
            versions=len(versions),
            received_at=version.received_at,
            consignees=len(consignees),
            flags=tuple(flag.code for flag in version.flags),
            cancelled=version.cancelled,
        )

    def _events_of(self, unit: Unit) -> list[ContainerEvent]:
        if unit.container is None:
            return []
        anchor = unit.lodged_at or unit.created_at or self.tx.now
        until = unit.gate_out_at + AFTERMATH if unit.gate_out_at else anchor + VOYAGE
        found = [
            event
            for event in self.events.get(unit.container, ())
            if anchor - VOYAGE <= event.at <= until
            and (
                event.bill is None
                or unit.bill is None
                or event.bill in (unit.bill, unit.master_bill)
            )
        ]
        return sorted(found, key=lambda event: (event.at, event.sender, event.event_id))


def _mentions(
    records: Iterable[Consignment | Declaration | ContainerEvent | object],
) -> tuple[set[str], set[str], set[str]]:
    """Return the containers, bills and declarations that records speak of."""
    containers: set[str] = set()
    bills: set[str] = set()
    declarations: set[str] = set()
    for record in records:
        if isinstance(record, Consignment):
            bills.add(record.bill)
            bills |= {record.master_bill} if record.master_bill else set()
            containers |= {box.number for box in record.containers}
        elif isinstance(record, Declaration):
            declarations.add(record.reference)
            bills |= set(record.bills)
            containers |= {box.number for box in record.containers}
        elif isinstance(record, ContainerEvent):
            containers.add(record.container)
    return containers, bills, declarations


def _same(before: Unit, after: Unit) -> bool:
    return replace(before, changed_at=None) == replace(after, changed_at=None)
