"""Records of a small port, and a node that takes them in, for the tests of intake and joining."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sqlalchemy import select

from isthmus.access.model import node_actor
from isthmus.cargo import readings, service
from isthmus.cargo.derive import Home
from isthmus.cargo.model import (
    Accepted,
    Consignment,
    Container,
    ContainerEvent,
    Declaration,
    Function,
    GoodsItem,
    Manifest,
    Party,
    PartyRole,
    Record,
)
from isthmus.cargo.store import unit_of
from isthmus.cargo.tables import party_table, quarantine_table, reading_table, record_table
from isthmus.cargo.tables import unit_table as units_table
from isthmus.cargo.unit import STANDING, Unit
from isthmus.cargo.versions import Tally
from isthmus.kernel.ids import new_id
from isthmus.platform.database import Database

ARRIVAL = datetime(2026, 1, 10, 6, tzinfo=UTC)
BOXES = ("MSKU9070323", "TCLU7000150", "HLXU1234564", "CSQU3054383")
HOME = Home("PA", "PABLB")


def at(days: float) -> datetime:
    """A moment some days after the ship's arrival."""
    return ARRIVAL + timedelta(days=days)


def manifest(reference: str = "M1", function: Function = Function.ORIGINAL, **more) -> Manifest:
    """An arrival manifest issued two days before."""
    told = {"direction": "arrival", "arrival_at": ARRIVAL, "issued_at": at(-2), "port": "PABLB"}
    return Manifest(reference, function, **{**told, **more})


def consignment(bill: str, *boxes: str, head: Manifest | None = None, **more) -> Consignment:
    """A consignment of bananas in these boxes."""
    told = {
        "goods": (GoodsItem(1, "FRESH BANANAS", hs="080390", gross_kg=Decimal("18000")),),
        "containers": tuple(Container(number, size_type="45R1") for number in boxes),
        "parties": (party(PartyRole.CONSIGNEE, "Frutas del Istmo"),),
        "place_loading": "ECGYE",
        "place_discharge": "PABLB",
    }
    return Consignment(head or manifest(), bill, **{**told, **more})


def declaration(reference: str, *boxes: str, bills: tuple[str, ...] = (), **more) -> Declaration:
    """An import declaration of these boxes or bills."""
    told = {
        "function": Function.ORIGINAL,
        "lodged_at": at(-1),
        "bills": bills,
        "containers": tuple(Container(number) for number in boxes),
        "goods": (GoodsItem(1, "BANANAS", hs="080390", net_kg=Decimal("17000")),),
        "parties": (party(PartyRole.IMPORTER, identifier="RUC-1"),),
    }
    return Declaration(reference, **{**told, **more})


def event(code: str, box: str, days: float, number: str = "", **more) -> ContainerEvent:
    """Something that happened to a box some days after the ship's arrival."""
    told = {"place": "PABLB", "terminal": "PABLB1"}
    name = number or f"{code}-{box}-{days}"
    return ContainerEvent(name, "TERMINAL", code, box, at(days), **{**told, **more})


def party(role: PartyRole, name: str | None = None, identifier: str | None = None) -> Party:
    """A party by name or identifier."""
    return Party(role, name=name, identifier=identifier)


def changed(record: Consignment, function: Function = Function.CHANGE, **more) -> Consignment:
    """The same consignment in a later message of its manifest."""
    head = replace(record.manifest, function=function, issued_at=at(-1))
    return replace(record, manifest=head, **more)


class Port:
    """A node's intake, document by document."""

    def __init__(self, database: Database, home: Home = HOME) -> None:
        self.database = database
        self.home = home
        self.actor = node_actor()

    def take(self, *records: Record, document: str = "", batch: int = 0) -> Tally:
        """Take records in as one document, in batches of so many; return what became of them."""
        document = document or new_id("doc")
        size = batch or max(1, len(records))
        told = [Accepted(f"row {n}", n, record) for n, record in enumerate(records, 1)]

        def begin(tx):
            readings.begin(tx, document, format_code="json", source="t", mapping=None, actor="node")

        self.database.write(begin)
        for start in range(0, len(told), size):
            part = told[start : start + size]

            def work(tx, part=part, start=start):
                taken = service.take(tx, self.actor, self.home, document, part)
                readings.advance(tx, document, taken.tally, start + len(part))

            self.database.write(work)
        self.document = document
        return self.counts(document)

    def counts(self, document: str) -> Tally:
        """The counts of a document as they stand now."""
        row = self.database.read(lambda tx: readings.get(tx, document))
        return Tally(**{name: row[name] for name in readings.COUNTS})

    def rows(self, table, *where) -> list:
        """Rows of a table."""
        found = select(table).where(*where)
        return self.database.read(lambda tx: list(tx.execute(found).mappings()))

    def units(self) -> list[Unit]:
        """Every unit."""
        return [unit_of(row) for row in self.rows(units_table)]

    def standing(self) -> dict[tuple[str | None, str | None, str | None], Unit]:
        """The units that stand, by box, bill and declaration; no two may share these."""
        found = [unit for unit in self.units() if unit.state in STANDING]
        by_key = {(unit.container, unit.bill, unit.declaration_key): unit for unit in found}
        assert len(by_key) == len(found), "two units stand for one thing"
        return by_key

    def versions(self, key: str) -> list:
        """All versions of a record, oldest first."""
        rows = self.rows(record_table, record_table.c.key == key, record_table.c.version > 0)
        return sorted(rows, key=lambda row: row["version"])

    def parked(self) -> list:
        """What waits for its parent."""
        return self.rows(record_table, record_table.c.state == "parked")

    def parties(self) -> list:
        """Every declared party."""
        return self.rows(party_table)

    def quarantined(self) -> list:
        """Everything in quarantine."""
        return self.rows(quarantine_table)

    def check(self) -> None:
        """What holds after any sequence of messages."""
        for row in self.rows(reading_table):
            parts = ("accepted", "quarantined", "parked", "duplicates")
            assert row["received"] == sum(row[name] for name in parts), dict(row)
            assert all(row[name] >= 0 for name in parts), dict(row)
        current: dict[tuple[str, str], int] = {}
        numbers: dict[tuple[str, str], list[int]] = {}
        for row in self.rows(record_table, record_table.c.version > 0):
            key = row["kind"], row["key"]
            numbers.setdefault(key, []).append(row["version"])
            current[key] = current.get(key, 0) + (row["state"] == "current")
        assert set(current.values()) <= {1}, current
        assert all(sorted(n) == list(range(1, len(n) + 1)) for n in numbers.values())
        self.standing()
