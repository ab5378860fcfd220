"""Which units there should be, given the newest records: pure, whatever order they came in.

* A bill makes one unit for each container that a report of it names; a bill without containers
  makes one unit by itself.
* House bills take over from their master, box by box.
* A declaration joins the units of the bills it names, else of the boxes it names; a master bill
  stands for its houses, but those that another declaration names themselves.
* Boxes that a declaration names and no bill knows are units of the declaration; a declaration
  with neither is a unit by itself.
* Two declarations of one box and bill make two units.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from isthmus.cargo.model import Consignment, Declaration
from isthmus.cargo.versions import Version
from isthmus.cargo.visits import RETURN, VOYAGE

Slot = tuple[str | None, str | None]  # container, bill


@dataclass(frozen=True, slots=True)
class Wanted:
    """A unit there should be: what tells it from every other."""

    container: str | None
    bill: str | None
    declaration: str | None
    reported: bool = True  # by a manifest, and not by a declaration alone

    @property
    def kind(self) -> str:
        """What the unit hangs on."""
        if self.container is not None:
            return "container"
        return "consignment" if self.reported else "declaration"


class Stock:
    """The newest versions of some consignments and declarations, and what follows from them."""

    def __init__(self, newest: Iterable[Version]) -> None:
        self.reports: dict[str, list[Version]] = {}
        self.houses: dict[str, set[str]] = {}
        self.declared: dict[str, Version] = {}
        self.named: set[str] = set()  # bills that a standing declaration names
        for version in newest:
            record = version.record
            if isinstance(record, Declaration):
                self.declared[version.key] = version
                if not version.cancelled:
                    self.named.update(record.bills)
            elif isinstance(record, Consignment) and not version.cancelled:
                self.reports.setdefault(record.bill, []).append(version)
                if record.master_bill and record.master_bill != record.bill:
                    self.houses.setdefault(record.master_bill, set()).add(record.bill)
        self._carrying: dict[str, set[str]] = {}  # container → bills
        for bill, reports in self.reports.items():
            for number in _numbers(reports):
                self._carrying.setdefault(number, set()).add(bill)
        self._slots: dict[str, tuple[Slot, ...]] = {}

    def boxes(self, bill: str) -> Collection[str]:
        """The containers that the standing reports of a bill name."""
        return _numbers(self.reports.get(bill, ()))

    def slots(self, bill: str) -> tuple[Slot, ...]:
        """The boxes of a bill that no house bill has taken over; no box at all is one slot."""
        if bill not in self._slots:
            # A bill without containers is one slot, if a standing report knows the bill at all.
            numbers: list[str | None] = [*sorted(self.boxes(bill))] or [None]
            known = numbers if bill in self.reports else []
            self._slots[bill] = tuple((n, bill) for n in known if not self._taken_over(bill, n))
        return self._slots[bill]

    def _taken_over(self, bill: str, number: str | None) -> bool:
        """Whether a house bill stands for the box. Bills that name each other in a ring take
        over nothing, so that no ring of papers can make a box vanish."""
        return any(self._ends(house, number, {bill}) for house in self._carriers(bill, number))

    def _ends(self, bill: str, number: str | None, seen: set[str]) -> bool:
        carriers = self._carriers(bill, number)
        if not carriers:
            return True
        seen = {*seen, bill}
        return any(self._ends(house, number, seen) for house in carriers if house not in seen)

    def _carriers(self, bill: str, number: str | None) -> list[str]:
        houses = sorted(self.houses.get(bill, ()))
        return [house for house in houses if number is None or number in self.boxes(house)]

    def below(self, bill: str) -> list[str]:
        """The house bills of a bill, and theirs, that no declaration names itself."""
        found: dict[str, None] = {}
        open_ = [bill]
        while open_:
            for house in sorted(self.houses.get(open_.pop(), ())):
                if house not in found and house not in self.named and house != bill:
                    found[house] = None
                    open_.append(house)
        return list(found)

    def matches(self, key: str) -> list[Slot]:
        """The slots that a declaration speaks of."""
        version = self.declared[key]
        record = version.record
        if not isinstance(record, Declaration):
            return []
        numbers = dict.fromkeys(box.number for box in record.containers)
        if record.bills:
            own = [bill for bill in dict.fromkeys(record.bills) if bill in self.reports]
            own += [house for bill in dict.fromkeys(record.bills) for house in self.below(bill)]
            bills = list(dict.fromkeys(own))
        elif numbers:
            bills = self._of_boxes(numbers, version)
        else:
            return []
        return list(dict.fromkeys(self._fitting(bills, numbers)))

    def _fitting(self, bills: Iterable[str], numbers: Collection[str]) -> Iterator[Slot]:
        for bill in bills:
            for number, _ in self.slots(bill):
                if number is None and numbers:
                    # The manifest does not know the boxes of this bill; the declaration does.
                    yield from ((named, bill) for named in numbers)
                elif not numbers or number in numbers:
                    yield number, bill

    def _of_boxes(self, numbers: Collection[str], declaration: Version) -> list[str]:
        """The bills of the voyage nearest in time among those that carry one of these boxes."""
        moment = moments(declaration)[0]
        near: dict[str, timedelta] = {}
        for bill in {bill for number in numbers for bill in self._carrying.get(number, ())}:
            near[bill] = min(
                abs(moment - told) for report in self.reports[bill] for told in moments(report)
            )
        least = min(near.values(), default=VOYAGE)
        if least > VOYAGE:
            return []
        return sorted(bill for bill, apart in near.items() if apart <= min(least + RETURN, VOYAGE))


def _numbers(reports: Iterable[Version]) -> dict[str, None]:
    return {
        box.number: None
        for version in reports
        if isinstance(version.record, Consignment)
        for box in version.record.containers
    }


def moments(version: Version) -> list[datetime]:
    """Return when a record places itself, best first; when it was received, if it does not."""
    record = version.record
    told: list[datetime | None] = []
    if isinstance(record, Consignment):
        head = record.manifest
        told = [head.arrival_at, head.departure_at]
        told = told if any(told) else [head.issued_at]
    elif isinstance(record, Declaration):
        told = [record.lodged_at or record.accepted_at]
    return [moment for moment in told if moment is not None] or [version.received_at]


def units(
    stock: Stock,
    bills: Iterable[str],
    declarations: Iterable[str],
    held: Mapping[Slot, Collection[str]],
) -> list[Wanted]:
    """Return the units there should be of these bills and declarations.

    ``held`` has the declarations outside ``declarations`` that have joined a slot: nothing that
    concerns them has changed.
    """
    joined: dict[Slot, list[str]] = {}
    past: dict[Slot, list[str]] = {}
    alone: list[Wanted] = []
    for key in sorted(declarations):
        version = stock.declared.get(key)
        if version is None:
            continue
        slots = stock.matches(key)
        for slot in slots:
            (past if version.cancelled else joined).setdefault(slot, []).append(key)
        if not version.cancelled:
            alone += _alone(version, slots)
    for slot, keys in held.items():
        for key in keys:
            cancelled = key not in stock.declared or stock.declared[key].cancelled
            (past if cancelled else joined).setdefault(slot, []).append(key)
    told = {bill for number, bill in joined if number is not None}  # by a declaration
    for bill in sorted(bills):
        for slot in stock.slots(bill):
            if slot not in joined and not (slot[0] is None and bill in told):
                joined[slot] = []
    found = [
        Wanted(number, bill, key, reported=bill in stock.reports)
        for (number, bill), keys in joined.items()
        for key in sorted(set(keys)) or _latest(stock, past.get((number, bill), ()))
    ]
    return [*found, *alone]


def _alone(version: Version, slots: Collection[Slot]) -> list[Wanted]:
    record = version.record
    if not isinstance(record, Declaration):
        return []
    bill = record.bills[0] if len(record.bills) == 1 else None
    covered = {number for number, _ in slots}
    named = dict.fromkeys(box.number for box in record.containers)
    found = [
        Wanted(number, bill, version.key, reported=False)
        for number in named
        if number not in covered
    ]
    if not found and not slots:
        found = [Wanted(None, bill, version.key, reported=False)]
    return found


def _latest(stock: Stock, keys: Collection[str]) -> list[str | None]:
    """A cancelled declaration stays with the slot it had, so that it is seen, until another
    takes its place."""
    known = [key for key in keys if key in stock.declared]
    if not known:
        return [None]
    return [max(known, key=lambda key: (moments(stock.declared[key])[0], key))]
