"""What a batch of new versions may touch: every record and unit that has to be looked at again.

A changed bill concerns its master and its houses, and the declarations that name it or its boxes;
a changed declaration concerns the bills and boxes it names. Nothing further off can change.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from sqlalchemy import RowMapping

from isthmus.cargo import records, store
from isthmus.cargo.model import Consignment, ContainerEvent, Declaration
from isthmus.cargo.unit import STANDING, Unit
from isthmus.cargo.versions import Version, party_of, version_of
from isthmus.platform.transaction import Transaction

# Master, house and sub-house is what the trade knows; papers that claim more are cut off here.
LEVELS = 4


class Neighbourhood:
    """Records and units around some that changed, within one unit of work."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx
        self.units: dict[str, Unit] = {}
        self.versions: dict[tuple[str, str], list[Version]] = {}  # oldest first
        self.keys_of_bill: dict[str, set[str]] = {}  # bill → consignment keys
        self.masters: dict[str, set[str]] = {}  # bill → master bills, ever
        self.events: dict[str, list[ContainerEvent]] = {}
        self.bills: set[str] = set()  # whose units are planned again
        self.declarations: set[str] = set()  # likewise
        self.changed: set[str] = set()  # bills and declarations that themselves changed
        self.boxes: set[str] = set()  # containers of which events came
        self._fetched: set[str] = set()  # bills whose records are here
        self._stored: dict[str, Version] = {}  # by id, their parties not put back yet

    def of(
        self,
        made: Sequence[Version],
        *,
        bills: Iterable[str] = (),
        declarations: Iterable[str] = (),
        containers: Iterable[str] = (),
    ) -> None:
        """Bring in what these versions touch, and these bills, declarations and boxes."""
        self.boxes = set(containers)
        bills, declarations = set(bills), set(declarations)
        fresh: set[str] = set()
        for version in made:
            self._know(version)
            record = version.record
            if isinstance(record, Consignment):
                bills.add(record.bill)
            elif isinstance(record, Declaration):
                (fresh if version.version == 1 else declarations).add(version.key)
            elif isinstance(record, ContainerEvent):
                self.boxes.add(record.container)
        declarations |= fresh - declarations
        self.changed = bills | declarations
        self._fetch_declarations(declarations - fresh)
        self._plan_bills(bills)
        self._plan_declarations(declarations, fresh)
        for unit in store.units_touched(self.tx, self.boxes, self.bills, self.declarations - fresh):
            self.units[unit.id] = unit
        self._complete()

    # -- which records are planned again --------------------------------------------------

    def _plan_bills(self, bills: set[str]) -> None:
        """Changed bills, their masters, and the declarations that name them or their boxes."""
        self._fetch_bills(bills)
        for _ in range(LEVELS):
            bills |= {master for bill in bills for master in self.masters.get(bill, ())}
            self._fetch_bills(bills)
        self.bills |= bills
        boxes = {number for bill in bills for number in self._boxes(bill)}
        self.declarations |= set(records.mentioning(self.tx, "declaration", "container", boxes))
        self.declarations |= set(records.mentioning(self.tx, "declaration", "bill", bills))

    def _plan_declarations(self, changed: set[str], fresh: set[str]) -> None:
        """Declarations to be planned, with every bill that each of them may join."""
        self.declarations |= changed
        self._fetch_declarations(self.declarations - fresh)
        own = {bill for key in changed for bill in self._bills(key)}
        self._fetch_bills(own)
        above = {master for bill in own for master in self.masters.get(bill, ())}
        rivals = set(records.mentioning(self.tx, "declaration", "bill", own | above)) - fresh
        self._fetch_declarations(rivals)
        self.declarations |= rivals
        bills = {bill for key in self.declarations for bill in self._bills(key)}
        boxes = {number for key in self.declarations for number in self._named(key)}
        bills |= set(records.bills_carrying(self.tx, boxes))
        self.bills |= bills
        self._fetch_bills(self.bills)
        self._descend()

    def _descend(self) -> None:
        """The houses of the bills that are planned are planned too."""
        open_ = set(self.bills)
        for _ in range(LEVELS):
            houses = set(records.houses_of(self.tx, open_))
            open_ = houses - self.bills
            if not open_:
                return
            self.bills |= open_
            self._fetch_bills(open_)

    def _complete(self) -> None:
        """The records behind the units found, and the events of their boxes."""
        near = [unit for unit in self.units.values() if unit.state in STANDING]
        self._fetch_bills({unit.bill for unit in near if unit.bill})
        self._fetch_declarations({unit.declaration_key for unit in near if unit.declaration_key})
        boxes = self.boxes | {unit.container for unit in near if unit.container}
        boxes |= {number for bill in self.bills for number in self._boxes(bill)}
        boxes |= {number for key in self.declarations for number in self._named(key)}
        for row in records.events_of(self.tx, boxes):
            if row["id"] not in self._stored:
                self._know(version_of(row))

    # -- fetching ---------------------------------------------------------------------------

    def _fetch_bills(self, bills: Collection[str]) -> None:
        missing = set(bills) - self._fetched
        self._fetched |= missing
        self._know_rows(records.consignments_of(self.tx, missing))

    def _fetch_declarations(self, keys: Collection[str]) -> None:
        missing = {key for key in keys if not self._whole(key)}
        self._know_rows(records.declaration_versions(self.tx, missing))

    def _whole(self, key: str) -> bool:
        return any(known.version == 1 for known in self.versions.get(("declaration", key), ()))

    def _know_rows(self, rows: Iterable[RowMapping]) -> None:
        for row in rows:
            if row["id"] not in self._stored:
                self._know(version_of(row))

    def _know(self, version: Version) -> None:
        """Take a version in; those of this batch come first and with their parties."""
        self._stored[version.id] = version
        known = self.versions.setdefault((version.kind, version.key), [])
        known.append(version)
        known.sort(key=lambda one: one.version)
        record = version.record
        if isinstance(record, Consignment):
            self.keys_of_bill.setdefault(record.bill, set()).add(version.key)
            if record.master_bill:
                self.masters.setdefault(record.bill, set()).add(record.master_bill)
        elif isinstance(record, ContainerEvent) and version.current:
            self.events.setdefault(record.container, []).append(record)

    # -- asking -----------------------------------------------------------------------------

    def newest(self, kind: str, key: str) -> Version:
        """Return the newest version of a record that is here."""
        return self.versions[kind, key][-1]

    def reports(self, bill: str) -> list[Version]:
        """Return the newest version of each report of a bill."""
        keys = sorted(self.keys_of_bill.get(bill, ()))
        newest = [self.newest("consignment", key) for key in keys]
        return [version for version in newest if version.current]

    def put_parties_back(self, versions: Iterable[Version]) -> None:
        """Give stored versions the parties they were declared with."""
        bare = {version.id: version for version in versions if version.plain is None}
        for name, people in records.parties_of(self.tx, bare).items():
            record = bare[name].record
            if isinstance(record, Consignment | Declaration) and not record.parties:
                parties = tuple(party_of(person) for person in people)
                bare[name].record = replace(record, parties=parties)

    def _boxes(self, bill: str) -> set[str]:
        """Every container that any version of any report of a bill names or named."""
        return {
            box.number
            for key in self.keys_of_bill.get(bill, ())
            for version in self.versions["consignment", key]
            if isinstance(version.record, Consignment)
            for box in version.record.containers
        }

    def _bills(self, key: str) -> set[str]:
        """Every bill that any version of a declaration names or named."""
        found: set[str] = set()
        for version in self.versions.get(("declaration", key), ()):
            if isinstance(version.record, Declaration):
                found.update(version.record.bills)
        return found

    def _named(self, key: str) -> set[str]:
        return {
            box.number
            for version in self.versions.get(("declaration", key), ())
            if isinstance(version.record, Declaration)
            for box in version.record.containers
        }
