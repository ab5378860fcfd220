"""A node takes all that a simulated run writes, and sets apart only what was spoilt on purpose."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from isthmus.access.model import node_actor
from isthmus.cargo.derive import Home
from isthmus.cargo.formats.source import Source
from isthmus.flow.receive import Receiver
from isthmus.kernel.time import SetClock
from isthmus.migrations import tables
from isthmus.platform.database import Database
from isthmus.platform.keys import KeyRing
from isthmus.simulator import run
from isthmus.simulator.truth import book

START = datetime(2026, 8, 31, 6, tzinfo=UTC)
NOT_READ = {"baplie", "cusdec", "nmea", "radar"}


@pytest.fixture(scope="module")
def taken(tmp_path_factory):
    """A run received file by file: its folder, and what became of each kind of document."""
    folder = tmp_path_factory.mktemp("simulated")
    run.generate(folder / "run", run.Order(700, 14, 5, START, ais_days=1))
    database = Database(f"sqlite:///{folder}/node.db", SetClock(START), KeyRing.generate())
    tables.metadata.create_all(database.migrator())
    receiver = Receiver(database, Home("PA"), lambda _: 1 << 24)
    counts: Counter[tuple[str, str]] = Counter()
    for part in (run.DOCUMENTS, "ais", "radar"):
        for path in sorted((folder / "run" / part).rglob("*.*")):
            kind = {"ais": "nmea", "radar": "radar"}.get(part) or path.name.split(".")[1]
            with path.open("rb") as stream:
                receipt = receiver.receive(node_actor(), stream, Source(path.name))
            counts[kind, "documents"] += not receipt.duplicate
            counts[kind, "unsupported"] += receipt.unsupported
            for name in ("accepted", "quarantined", "parked"):
                counts[kind, name] += getattr(receipt.tally, name)
    database.close()
    return folder / "run", counts


def test_only_what_has_no_reader_is_unsupported(taken):
    _, counts = taken
    for kind, what in [key for key in counts if key[1] == "documents"]:
        unread = counts[kind, "unsupported"]
        assert unread == (counts[kind, what] if kind in NOT_READ else 0), kind
    assert {kind for kind, _ in counts} >= NOT_READ | {"cuscar", "wco", "json", "table", "events"}


def test_only_what_was_spoilt_is_set_apart(taken):
    folder, counts = taken
    spoilt = [r for r in book.rows(folder, book.FAULTS) if r["expected"] == "quarantined"]
    assert spoilt
    assert sum(n for (_, what), n in counts.items() if what == "quarantined") == len(spoilt)
    # What amends a declaration that was spoilt waits for it.
    assert sum(n for (_, what), n in counts.items() if what == "parked") <= len(spoilt)
