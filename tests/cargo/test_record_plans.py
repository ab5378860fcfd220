"""Reads of records go by an index: a scan of all records at every post would grow without end."""

import pytest

from isthmus.cargo import records
from isthmus.platform.database import Database
from isthmus.platform.transaction import Transaction

READS = [
    lambda tx: records.current_records(tx, "declaration", ["a", "b"]),
    lambda tx: records.current_by_other_key(tx, "declaration", ["a", "b"]),
    lambda tx: records.parked(tx, ["a", "b"]),
    lambda tx: records.consignments_of(tx, ["a", "b"]),
    lambda tx: records.declaration_versions(tx, ["a", "b"]),
    lambda tx: records.digests(tx, "declaration", "a"),
    lambda tx: records.events_of(tx, ["a", "b"]),
]


@pytest.mark.parametrize("read", READS)
def test_no_read_scans_all_records(sqlite_database: Database, read) -> None:
    plans: list[str] = []

    def work(tx: Transaction) -> None:
        raw = tx.connection.connection.dbapi_connection
        plain = tx.execute

        def explained(statement, values=None):
            compiled = statement.compile(tx.connection)
            expanded = compiled.construct_expanded_state(values or {})
            names = expanded.positiontup or []
            rows = raw.execute(
                f"EXPLAIN QUERY PLAN {expanded.statement}",
                [expanded.parameters[name] for name in names],
            )
            plans.extend(row[3] for row in rows)
            return plain(statement, values)

        tx.execute = explained
        read(tx)

    sqlite_database.read(work)
    assert plans
    assert not [plan for plan in plans if plan.startswith("SCAN record")], plans
