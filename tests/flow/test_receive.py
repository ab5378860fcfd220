"""Documents of every kind become records or a reason why not; nothing is lost, nothing doubled."""

import io
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from cargo.formats.table_samples import HEADER, ROW
from cargo.intake_samples import BOXES, Port, consignment, declaration, event
from isthmus.access.model import Actor, ActorKind, Reach, node_actor
from isthmus.access.permission import Permission
from isthmus.cargo import store
from isthmus.cargo.formats.cuscar_writer import write_cuscar
from isthmus.cargo.formats.declaration_json import encode_declaration
from isthmus.cargo.formats.source import Source
from isthmus.cargo.formats.wco_writer import write_wco
from isthmus.cargo.model import Declaration, Function
from isthmus.cargo.tables import unit_table
from isthmus.cargo.versions import Tally
from isthmus.flow import receive
from isthmus.flow.receive import Receipt, Receiver
from isthmus.kernel.errors import Conflict, Denied, Invalid, TooLarge
from isthmus.platform import jobs
from isthmus.platform.database import Database
from isthmus.platform.documents import document_table
from isthmus.platform.settings import LimitSettings

A, B, *_ = BOXES
HOME = Port.__init__.__defaults__[0]


@pytest.fixture
def receiver(database: Database) -> Receiver:
    return Receiver(database, HOME, LimitSettings().of)


@pytest.fixture
def on_sqlite(sqlite_database: Database) -> Receiver:
    return Receiver(sqlite_database, HOME, LimitSettings().of)


def send(receiver: Receiver, content: bytes | str, name: str = "d", **more) -> Receipt:
    """Receive a document as the node itself."""
    raw = content.encode() if isinstance(content, str) else content
    source = Source(name, mapping=more.pop("mapping", None))
    return receiver.receive(more.pop("actor", node_actor()), io.BytesIO(raw), source, **more)


def table(count: int, start: int = 0) -> str:
    """A table of so many declarations."""
    body = ROW.split(",", 1)[1]
    return "\n".join([HEADER, *(f"{start + n},{body}" for n in range(count))]) + "\n"


def lines(*events) -> str:
    """Events as JSON lines, as our own format has them."""
    return "\n".join(
        orjson.dumps(
            {
                "event_id": one.event_id,
                "sender": one.sender,
                "code": one.code,
                "container": one.container,
                "at": one.at.isoformat(),
            }
        ).decode()
        for one in events
    )


def edifact(*reports) -> bytes:
    """A manifest of these consignments."""
    return write_cuscar(
        reports[0].manifest,
        reports,
        profile="D.95B",
        sender="CARRIER",
        recipient="CUSTOMS",
        control_reference="1",
    )


def whole(tally: Tally) -> bool:
    return tally.received == (tally.accepted + tally.quarantined + tally.parked + tally.duplicates)


# -- the formats, end to end -----------------------------------------------------------------


def test_a_table_is_read_and_read_again_changes_nothing(receiver):
    first = send(receiver, table(7), "k.csv")
    assert (first.state, first.format) == ("read", "tabular")
    assert first.tally == Tally(received=7, accepted=7)
    again = send(receiver, table(7), "k.csv")
    assert again.duplicate
    assert again.document_id == first.document_id
    assert again.tally == Tally(received=7, duplicates=7)
    overlap = send(receiver, table(9), "more.csv")
    assert overlap.tally == Tally(received=9, accepted=2, duplicates=7)


def test_the_shipped_korean_files_are_accounted_for_row_by_row(on_sqlite, shared_data):
    rows = (shared_data / "declarations" / "korea_test.csv").read_bytes().splitlines(keepends=True)
    receipt = send(on_sqlite, b"".join(rows[:2501]), "korea_test.csv")
    assert receipt.tally.received == 2500
    assert whole(receipt.tally)
    assert receipt.tally.quarantined == 0


def test_of_46_declarations_42_are_taken_3_wait_and_1_is_set_apart(receiver, shared_data):
    total = Tally()
    for path in sorted((shared_data / "messages" / "wco_declarations").glob("*.xml")):
        receipt = send(receiver, path.read_bytes(), path.name)
        assert whole(receipt.tally), path.name
        total.add(receipt.tally)
    assert (total.received, total.accepted, total.parked, total.quarantined) == (46, 42, 3, 1)
    port = Port(receiver.database)
    (entry,) = port.quarantined()
    assert "line" in entry["position"] + entry["message"]
    assert "column" in entry["position"] + entry["message"]
    waiting = {row["parent_key"]: row for row in port.parked()}
    assert len(waiting) == 3
    row = next(row for row in waiting.values() if row["function"] == "change")
    parent = declaration(row["parent_key"], A, parties=(), office="PABLB")
    receipt = send(receiver, write_wco(replace(parent, type_code="IMA")), "parent.xml")
    assert receipt.tally == Tally(received=1, accepted=1)
    unit = next(u for u in port.units() if u.declaration_key == row["parent_key"])
    assert unit.amendments == 1
    assert len(port.parked()) == 2
    port.check()


def test_a_manifest_by_edifact_meets_a_declaration_by_xml_and_events_by_lines(receiver):
    report = consignment("B1", A)
    send(receiver, edifact(report), "m.edi")
    said = Declaration("D1", Function.ORIGINAL, bills=("B1",), type_code="IMA")
    send(receiver, orjson.dumps(encode_declaration(said)), "d.json")
    receipt = send(receiver, lines(event("DISC", A, 0)), "e.jsonl")
    assert receipt.tally == Tally(received=1, accepted=1)
    assert set(Port(receiver.database).standing()) == {(A, "B1", "D1")}


@pytest.mark.parametrize(
    ("content", "name", "state", "reason"),
    [
        (b"", "empty.csv", "read", "empty_document"),
        (b"", "empty", "read", "empty_document"),
        (b"Foo,Bar\n1,2\n", "x.csv", "read", "header_unknown"),
        (b'<?xml version="1.0"?><Declaration><ID>1', "x.xml", "read", "not_well_formed"),
        (b"UNB+UNOA:2+A+B+260101:0000+1'UNH+1+CUSCAR:D:95B:UN'", "x.edi", "read", None),
    ],
)
def test_what_cannot_be_read_is_set_apart_with_a_reason(receiver, content, name, state, reason):
    receipt = send(receiver, content, name)
    assert receipt.state == state
    assert receipt.tally.quarantined == receipt.tally.received >= 1
    found = {row["reason"] for row in Port(receiver.database).quarantined()}
    assert reason is None or found == {reason}


@pytest.mark.parametrize(
    "content",
    [b"\x00\x01\x02binary\xff" * 40, b"%PDF-1.7 ...", b'<?xml version="1.0"?><Invoice/>', b"hello"],
)
def test_what_no_reader_knows_is_kept_and_counted_as_unsupported(receiver, content):
    receipt = send(receiver, content, "thing")
    assert receipt.state in ("unsupported", "read")
    if receipt.state == "unsupported":
        assert receipt.unsupported
        assert receipt.tally == Tally()
    else:
        (row,) = Port(receiver.database).quarantined()
        assert row["reason"] in ("unsupported", "binary")
    again = send(receiver, content, "thing")
    assert again.duplicate
    assert len(Port(receiver.database).rows(document_table)) == 1


def test_a_table_cut_off_keeps_its_whole_rows(receiver):
    text = table(5)
    receipt = send(receiver, text[: text.rindex(",")], "cut.csv")
    assert receipt.tally.accepted == 4
    assert receipt.tally.quarantined == 1


def test_an_entity_bomb_and_an_outside_entity_are_refused_without_harm(receiver, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("do not read me")
    bomb = '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{("&" + chr(97 + n) + ";") * 10}">' for n in range(9)
    )
    for inner in (bomb + "]>", f'<!DOCTYPE d [<!ENTITY j SYSTEM "file://{secret}">]>'):
        content = f'<?xml version="1.0"?>{inner}<Declaration>&j;</Declaration>'
        receipt = send(receiver, content, "d.xml")
        assert receipt.tally.accepted == 0
        for row in Port(receiver.database).quarantined():
            assert "do not read me" not in str(dict(row))


def test_a_document_over_its_limit_is_refused_before_it_is_stored(database):
    receiver = Receiver(database, HOME, lambda code: 100)
    with pytest.raises(TooLarge):
        send(receiver, table(20), "k.csv")
    assert Port(database).rows(document_table) == []


def test_a_channel_takes_its_own_formats_alone(receiver):
    with pytest.raises(Invalid):
        send(receiver, table(1), "k.csv", only=["events"])


# -- who may send what -----------------------------------------------------------------------


def _terminal() -> Actor:
    reach = Reach(frozenset({Permission.EVENT_RECEIVE}), "TERM")
    return Actor("terminal", ActorKind.NODE, "TERM", (reach,))


def test_a_terminal_sends_events_good_and_bad_and_nothing_else(receiver):
    terminal = _terminal()
    good = send(receiver, lines(event("DISC", A, 0)), "e.jsonl", actor=terminal)
    assert good.tally.accepted == 1
    bad = lines(event("DISC", A, 0)).replace("DISC", "NONSENSE")
    assert send(receiver, bad, "f.jsonl", actor=terminal).tally.quarantined == 1
    with pytest.raises(Denied):
        send(receiver, table(1), "k.csv", actor=terminal)
    assert len(Port(receiver.database).rows(document_table)) == 2


# -- large documents, crashes, jobs ----------------------------------------------------------


@pytest.fixture
def small_steps(monkeypatch) -> None:
    monkeypatch.setattr(receive, "AT_ONCE", 100)
    monkeypatch.setattr(receive, "BATCH", 10)


class _Crash(Exception):
    """The process dies."""


@pytest.mark.parametrize("batches", [0, 1, 3])
def test_reading_goes_on_after_a_crash_without_loss_or_doubles(receiver, small_steps, batches):
    broken = table(35).replace("\n20,", "\n20,,,\n21,") + "tail"

    def crash(_count: int) -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            raise _Crash

    if batches:
        left = batches
        with pytest.raises(_Crash):
            send(receiver, broken, "k.csv", progress=crash)
    else:
        assert send(receiver, broken, "k.csv", wait=False).state == "stored"
    port = Port(receiver.database)
    (document,) = port.rows(document_table)
    receipt = receiver.read_on(node_actor(), document["id"])
    assert receipt.state == "read"
    assert whole(receipt.tally)
    straight = {row["ordinal"] for row in port.quarantined()}
    assert len(straight) == receipt.tally.quarantined
    assert receipt.tally.received == 37
    assert receiver.read_on(node_actor(), document["id"]).tally == receipt.tally
    assert send(receiver, broken, "k.csv").duplicate
    port.check()


def test_a_fault_of_the_whole_document_is_noted_once_whenever_the_crash_comes(
    receiver, small_steps
):
    text = "<Declarations>" + "x" * 200

    def crash(_count: int) -> None:
        raise _Crash

    bad = b'<?xml version="1.0"?><Declaration xmlns="urn:wco:datamodel:WCO:DEC-DMS:2">' + (
        text.encode()
    )
    with pytest.raises(_Crash):
        send(receiver, bad, "d.xml", progress=crash)
    port = Port(receiver.database)
    (document,) = port.rows(document_table)
    receipt = receiver.read_on(node_actor(), document["id"])
    assert receipt.tally.received == receipt.tally.quarantined == 1
    assert len(port.quarantined()) == 1


def test_a_stored_document_is_read_by_its_job(receiver, small_steps):
    receipt = send(receiver, table(30), "k.csv", wait=False)
    (job,) = [row for row in Port(receiver.database).rows(jobs.job_table) if row["kind"] == "read"]
    assert job["payload"] == {"document": receipt.document_id}
    assert receiver.read_on(node_actor(), receipt.document_id).tally.accepted == 30


def test_two_readers_of_one_document_do_not_double_it(receiver, small_steps):
    receipt = send(receiver, table(60), "k.csv", wait=False)
    outcomes: list[object] = []

    def read() -> None:
        try:
            outcomes.append(receiver.read_on(node_actor(), receipt.document_id).tally.accepted)
        except Conflict as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 60 in outcomes
    assert set(outcomes) <= {60, "reading_contested"}
    assert len(Port(receiver.database).units()) == 60
    Port(receiver.database).check()


# -- quarantine ------------------------------------------------------------------------------


def _with_reader(monkeypatch, change) -> None:
    """Let the tabular reader behave otherwise, as after a fix."""
    readers = tuple(
        replace(entry, read=change(entry.read)) if entry.code == "tabular" else entry
        for entry in receive.READERS
    )
    monkeypatch.setattr(receive, "READERS", readers)


def test_rows_set_apart_are_read_again_after_a_fix(receiver, monkeypatch):
    bad = table(4).replace("440890", "4408XX", 1)
    receipt = send(receiver, bad, "k.csv")
    assert (receipt.tally.accepted, receipt.tally.quarantined) == (3, 1)
    actor = node_actor()
    assert receiver.retry(actor, receipt.document_id) == Tally()

    def mended(read):
        def again(stream, source):
            good = stream.read().replace(b"4408XX", b"440890")
            return read(io.BytesIO(good), source)

        return again

    _with_reader(monkeypatch, mended)
    assert receiver.retry(actor, receipt.document_id) == Tally(received=1, accepted=1)
    port = Port(receiver.database)
    assert port.counts(receipt.document_id) == Tally(received=4, accepted=4)
    assert [row["state"] for row in port.quarantined()] == ["resolved"]
    with pytest.raises(Conflict):
        receiver.retry(actor, receipt.document_id)
    port.check()


def test_a_document_refused_whole_is_read_whole_after_a_fix(receiver, monkeypatch):
    receipt = send(receiver, table(23).replace("Declaration ID", "Unheard of"), "k.csv")
    assert receipt.tally == Tally(received=1, quarantined=1)
    actor = node_actor()
    assert receiver.retry(actor, receipt.document_id) == Tally()
    port = Port(receiver.database)
    assert port.counts(receipt.document_id) == Tally(received=1, quarantined=1)

    def mended(read):
        def again(stream, source):
            good = stream.read().replace(b"Unheard of", b"Declaration ID")
            return read(io.BytesIO(good.replace(b"\n7,", b"\n7,,")), source)

        return again

    _with_reader(monkeypatch, mended)
    assert receiver.retry(actor, receipt.document_id) == Tally(received=22, accepted=22)
    assert port.counts(receipt.document_id) == Tally(received=23, accepted=22, quarantined=1)
    assert [row["state"] for row in port.quarantined()].count("open") == 1
    port.check()


# -- many writers ----------------------------------------------------------------------------


def test_eight_writers_of_overlapping_records_leave_one_of_each(receiver):
    reports = [consignment(f"B{n}", A, B, master_bill="MB" if n % 2 else None) for n in range(4)]
    documents: list[tuple[bytes, str]] = [
        (edifact(one, other), "m.edi")
        for one, other in zip(reports, [*reports[1:], consignment("MB", A, B)], strict=True)
    ]
    documents += [(table(6, start).encode(), "k.csv") for start in (0, 3, 6)]
    said = [declaration(f"D{n}", bills=(f"B{n}",)) for n in range(4)]
    documents += [(orjson.dumps(encode_declaration(one)), "d.json") for one in said]
    documents += [
        (lines(event("DISC", A, 0), event("GTIN", B, n)).encode(), "e.jsonl") for n in (0, 1)
    ]

    def post(task: tuple[bytes, str]) -> Receipt:
        return send(receiver, *task)

    with ThreadPoolExecutor(8) as pool:
        receipts: Sequence[Receipt] = list(pool.map(post, documents * 3))
    port = Port(receiver.database)
    port.check()
    assert all(whole(receipt.tally) for receipt in receipts)
    standing = {key for key in port.standing() if key[0] is not None}
    assert standing == {(box, f"B{n}", f"D{n}") for box in (A, B) for n in range(4)}
    rows = [row for row in port.rows(unit_table) if row["container"] is None]
    assert len([row for row in rows if row["state"] == "open"]) == 12
    assert store.unit_row(port.standing()[A, "B1", "D1"])["master_bill"] == "MB"


# -- memory ----------------------------------------------------------------------------------

_MEASURED = """
import resource, sys
sys.path[:0] = [{tests!r}, {cargo!r}]
from pathlib import Path
from isthmus.access.model import node_actor
from isthmus.cargo.derive import Home
from isthmus.cargo.formats.declaration_json import encode_declaration
from isthmus.cargo.formats.source import Source
from isthmus.flow.receive import Receiver
from isthmus.kernel.time import SetClock
from isthmus.migrations import tables
from isthmus.platform.database import Database
from isthmus.platform.keys import KeyRing
from cargo.formats.table_samples import HEADER, ROW

folder, counts = Path(sys.argv[1]), [int(n) for n in sys.argv[2:]]
database = Database(f"sqlite:///{{folder}}/m.db", SetClock(), KeyRing.generate())
tables.metadata.create_all(database.migrator())
receiver, body, start = Receiver(database, Home("PA"), lambda _: 1 << 40), ROW.split(",", 1)[1], 0
for count in counts:
    path = folder / "k.csv"
    with path.open("w") as out:
        out.write(HEADER + "\\n")
        out.writelines(f"{{start + n}},{{body}}\\n" for n in range(count))
    start += count
    with path.open("rb") as stream:
        tally = receiver.receive(node_actor(), stream, Source("k.csv")).tally
    assert tally.accepted == count, tally
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
database.close()
"""


def test_memory_does_not_grow_with_the_rows(tmp_path):
    """Ten times the rows may cost little more than SQLite's own page cache (64 MiB)."""
    here = Path(__file__).resolve().parent.parent
    script = _MEASURED.format(tests=str(here), cargo=str(here / "cargo"))
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path), "3000", "27000"],
        capture_output=True,
        text=True,
        check=True,
    )
    few, many = (int(line) for line in done.stdout.split())
    assert (many - few) / 1024 < 100, f"{few} KiB after 3,000 rows, {many} KiB after 30,000"
