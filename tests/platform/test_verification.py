"""Verification: any flipped byte is found and named, lawful erasure is told apart."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, update

from isthmus.kernel.time import SetClock
from isthmus.migrations import tables
from isthmus.platform import audit, documents
from isthmus.platform.audit import Fault
from isthmus.platform.database import Database
from isthmus.platform.documents import chunk_table, document_table, key_table
from isthmus.platform.erasure import DOCUMENTS, Register, Subject, erasure_table
from isthmus.platform.keys import KeyRing
from isthmus.platform.settings import NodeFolder
from isthmus.platform.verification import ErasedNotice, Finding, verify

Node = Any  # see conftest


def _found(node: Node) -> list[Finding]:
    return list(verify(node.database, node.folder))


def _change(node: Node, table: Any, **values: Any) -> None:
    node.database.write(lambda tx: tx.execute(update(table).values(**values)))


def test_a_sound_node_verifies_and_tells_what_was_erased(node: Node) -> None:
    node.receive(b"kept")
    gone = node.receive(b"gone")
    erasure = node.erase(gone)
    node.seal()
    steps: list[tuple[str, int, int]] = []
    found = list(verify(node.database, node.folder, progress=lambda *step: steps.append(step)))
    assert found == [ErasedNotice("document", gone, erasure)]
    assert ("documents", 2, 2) in steps


@pytest.mark.parametrize(
    ("table", "values", "message"),
    [
        (document_table, {"kind": "cuscar"}, "the row is not what the audit of its receipt says"),
        (document_table, {"commitment": b"x" * 32}, "the row is not what the audit of its receipt"),
        (document_table, {"name": b"x" * 32}, "the name is not that of the bytes"),
        (document_table, {"erasure_id": "ers_made_up"}, "marked as erased, yet something is left"),
        (key_table, {"wrapped": b"x" * 60}, "a stored key or secret was altered"),
        (chunk_table, {"body": b"x" * 60}, "a stored chunk was altered"),
        (chunk_table, {"number": 7}, "a chunk is gone"),
    ],
)
def test_a_changed_document_is_named(
    node: Node, table: Any, values: dict[str, Any], message: str
) -> None:
    name = node.receive(b"content")
    _change(node, table, **values)
    faults = [fault for fault in _found(node) if isinstance(fault, Fault)]
    assert any(f.row.startswith(name) and f.message.startswith(message) for f in faults)


def test_a_document_taken_away_is_named(node: Node) -> None:
    name = node.receive(b"content")
    node.database.write(
        lambda tx: [tx.execute(delete(t)) for t in (key_table, chunk_table, document_table)]
    )
    assert _found(node) == [Fault("document", name, "the document is gone")]


def test_a_document_slipped_in_is_named(node: Node) -> None:
    stored = node.database.write(
        lambda tx: documents.put(tx, b"x", kind="wco", source="api", actor="u")
    )
    assert _found(node) == [Fault("document", stored.id, "no audit row of its receipt")]


def test_destruction_dressed_up_as_an_erasure_is_damage(node: Node) -> None:
    name = node.receive(b"content")
    node.database.write(lambda tx: documents.erase(tx, name, "ers_made_up"))
    assert _found(node) == [
        Fault("document", name, "marked as erased, but there is no such erasure")
    ]
    # A register row made up as well has no audit row.
    node.database.write(
        lambda tx: tx.insert(
            erasure_table,
            [
                {
                    "id": "ers_made_up",
                    "at": tx.now,
                    "actor": "usr_dpo",
                    "basis": "retention",
                    "subject": b"x" * 16,
                    "scope": {"document": 1},
                }
            ],
        )
    )
    faults = [f for f in _found(node) if isinstance(f, Fault)]
    assert Fault("document", name, "marked as erased, but there is no such erasure") in faults
    assert Fault("erasure", "ers_made_up", "no audit row of this erasure") in faults


def test_a_changed_register_of_erasures_is_named(node: Node) -> None:
    erasure = node.erase(node.receive(b"content"))
    _change(node, erasure_table, basis="consent")
    assert Fault("erasure", erasure, "the row is not what the audit says") in _found(node)
    node.database.write(lambda tx: tx.execute(delete(erasure_table)))
    assert Fault("erasure", erasure, "the erasure's row is gone") in _found(node)


def test_a_journal_that_lacks_an_erasure_or_was_altered_is_named(node: Node) -> None:
    erasure = node.erase(node.receive(b"content"))
    raw = node.folder.erasures.read_bytes()
    node.folder.erasures.write_bytes(raw.split(b"\n")[0] + b"\n")
    missing = Fault("erasures.jsonl", erasure, "the journal lacks this erasure")
    assert missing in _found(node)
    node.folder.erasures.write_bytes(raw.replace(b'"previous":"', b'"previous":"0'))
    assert any(
        f.message == "the journal of erasures was altered"
        for f in _found(node)
        if isinstance(f, Fault)
    )


def test_areas_above_add_checks_of_their_own(node: Node) -> None:
    def check(database: Any, folder: Any, progress: Any) -> Any:
        yield Fault("assessment", "asm_1", "recomputed differently")

    assert list(verify(node.database, node.folder, [check])) == [
        Fault("assessment", "asm_1", "recomputed differently")
    ]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[NodeFolder, KeyRing, list[str]]:
    """A node on SQLite with three documents, one of them erased."""
    folder, keys = NodeFolder(tmp_path_factory.mktemp("node")), KeyRing.generate()
    database = Database(f"sqlite:///{folder.database_file}", SetClock(), keys)
    tables.metadata.create_all(database.migrator())
    names = []
    for number in range(3):
        content = bytes([65 + number]) * (400 + number)

        def work(tx: Any, content: bytes = content) -> str:
            stored = documents.put(tx, content, kind="wco", source="api", actor="usr_1")
            audit.record(
                tx, "usr_1", "document.receive", "document", stored.id, object_digest=stored.digest
            )
            return stored.id

        names.append(database.write(work))
    register = Register(database, folder, DOCUMENTS)
    register.erase(Subject("document", names[2]), actor="usr_dpo", basis="retention")
    database.write(audit.seal)
    audit.write_head(folder.audit_head, database.read(audit.head_of))
    database.flush_erased()
    database.close()
    return folder, keys, names


_PLACES = [("document", column.name) for column in document_table.c]
_PLACES += [("document_key", "wrapped"), ("document_chunk", "body"), ("document_chunk", "number")]
_PLACES += [("erasure", column.name) for column in erasure_table.c]


@given(
    place=st.sampled_from(_PLACES),
    row=st.integers(0, 2),
    where=st.integers(0, 500),
    mask=st.integers(1, 255),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_one_byte_changed_in_any_document_key_chunk_or_erasure_is_named(
    place: tuple[str, str],
    row: int,
    where: int,
    mask: int,
    template: tuple[NodeFolder, KeyRing, list[str]],
) -> None:
    folder, keys, names = template
    table, column = place
    name = names[row]
    copy = folder.root / "copy.db"
    shutil.copyfile(folder.database_file, copy)
    key = {"document": "id", "erasure": "scope"}.get(table, "document_id")
    wanted = '{"document":1}' if table == "erasure" else name
    with closing(sqlite3.connect(copy, isolation_level=None)) as raw:
        found = raw.execute(f"SELECT {column} FROM {table} WHERE {key} = ?", (wanted,)).fetchone()
        if found is None:
            return  # the erased document has no key and no chunk
        (value,) = found
        if value is None:
            changed: Any = "ers_x" if column == "erasure_id" else b"x"
        elif isinstance(value, int):
            changed = value ^ mask
        elif isinstance(value, bytes):
            at = where % len(value)
            changed = value[:at] + bytes([value[at] ^ mask]) + value[at + 1 :]
        else:
            text = bytearray(value.encode())
            text[where % len(text)] ^= mask
            changed = bytes(text)
        cast = "CAST(? AS TEXT)" if isinstance(value, str) else "?"
        raw.execute("PRAGMA foreign_keys=OFF")
        raw.execute(f"UPDATE {table} SET {column} = {cast} WHERE {key} = ?", (changed, wanted))
    database = Database(f"sqlite:///{copy}", SetClock(), keys)
    faults = [f for f in verify(database, folder) if isinstance(f, Fault)]
    database.close()
    assert faults, (value, changed)
    if table == "erasure":
        assert any(fault.table == "erasure" for fault in faults)
    else:
        assert any(fault.row.startswith(name) for fault in faults)


@given(where=st.integers(0, 10**9), mask=st.integers(1, 255))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_byte_flipped_in_the_raw_file_never_brings_the_verification_down(
    where: int, mask: int, template: tuple[NodeFolder, KeyRing, list[str]]
) -> None:
    """Most bytes of the file are free space; in pages that hold rows it must be said."""
    folder, keys, _ = template
    copy = folder.root / "raw.db"
    raw = bytearray(folder.database_file.read_bytes())
    where %= len(raw)
    raw[where] ^= mask
    copy.write_bytes(raw)
    before = folder.database_file.read_bytes()
    database = Database(f"sqlite:///{copy}", SetClock(), keys)
    found = list(verify(database, folder))
    database.close()
    assert folder.database_file.read_bytes() == before
    assert all(isinstance(finding, Fault | ErasedNotice) for finding in found)


def test_pages_destroyed_are_reported_not_raised(
    node: Node, open_database: Callable[..., Database], tmp_path: Path
) -> None:
    if not node.database.is_sqlite:
        pytest.skip("PostgreSQL keeps its files to itself")
    for number in range(40):
        node.receive(bytes([number]) * 4000)
    node.database.flush_erased()
    node.database.close()
    path = node.folder.database_file
    raw = bytearray(path.read_bytes())
    raw[8192 : len(raw) - 4096] = bytes(len(raw) - 4096 - 8192)
    path.write_bytes(raw)
    database = open_database(f"sqlite:///{path}")
    assert any(f.table == "database" for f in verify(database, node.folder))
