"""The audit: whatever is altered or taken away in it is found and named."""

import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from isthmus.kernel.time import SetClock
from isthmus.migrations import tables
from isthmus.platform import audit
from isthmus.platform.audit import Fault, audit_table, seal_table
from isthmus.platform.database import Database
from isthmus.platform.keys import KeyRing

ROWS, SEALED = 9, 6


def _fill(database: Database, head: Path, clock: SetClock) -> None:
    for number in range(ROWS):
        clock.advance(timedelta(seconds=1))
        database.write(
            lambda tx, n=number: audit.record(
                tx,
                f"usr_{n}",
                "case.open",
                "case",
                f"cas_{n}",
                agency="ANA",
                purpose="inspection",
                object_digest=bytes([n] * 32),
                office="PTY",
                amount=n * 3,
            )
        )
        if number == SEALED - 1:
            database.write(audit.seal)
            audit.write_head(head, database.read(audit.head_of))


def _faults(database: Database, head: Path | None = None) -> list[Fault]:
    return database.read(lambda tx: list(audit.verify(tx, head)))


@pytest.fixture
def head(database: Database, clock: SetClock, tmp_path: Path) -> Path:
    path = tmp_path / "audit.head"
    _fill(database, path, clock)
    return path


def test_an_untouched_audit_verifies_sealed_or_not(database: Database, head: Path) -> None:
    assert _faults(database, head) == []
    assert database.read(audit.has_unsealed)
    assert database.write(audit.seal) == ROWS - SEALED
    assert database.write(audit.seal) == 0
    assert not database.read(audit.has_unsealed)
    assert _faults(database, head) == []


def test_a_removed_sealed_row_is_named(database: Database, head: Path) -> None:
    database.write(lambda tx: tx.execute(delete(audit_table).where(audit_table.c.seq == 3)))
    faults = _faults(database, head)
    assert Fault("audit_entry", "seq 3", "a sealed row is gone") in faults


def test_a_removed_unsealed_row_is_named_on_sqlite(
    sqlite_database: Database, clock: SetClock, tmp_path: Path
) -> None:
    head = tmp_path / "audit.head"
    _fill(sqlite_database, head, clock)
    for seq in (ROWS, SEALED + 2):  # the newest, and one in the middle
        sqlite_database.write(
            lambda tx, s=seq: tx.execute(delete(audit_table).where(audit_table.c.seq == s))
        )
        assert any(fault.row == f"seq {seq}" for fault in _faults(sqlite_database, head))


def test_a_chain_cut_short_is_found_by_its_head(database: Database, head: Path) -> None:
    def cut(tx: Any) -> None:
        tx.execute(delete(seal_table).where(seal_table.c.position > SEALED - 2))
        tx.execute(delete(audit_table).where(audit_table.c.seq > SEALED - 2))

    database.write(cut)
    faults = _faults(database, head)
    lacking = Fault("audit_seal", str(SEALED), "the chain lacks the head that was noted apart")
    assert lacking in faults


def test_a_missing_or_unreadable_note_of_the_head_is_a_fault(
    database: Database, head: Path
) -> None:
    head.write_bytes(b'{"position": 1')
    assert [fault.row for fault in _faults(database, head)] == [str(head)]
    head.unlink()
    assert [fault.row for fault in _faults(database, head)] == [str(head)]


def test_sealers_at_once_make_one_chain(database: Database, head: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def both(number: int) -> None:
        database.write(lambda tx: audit.record(tx, "node", "a", "b", str(number)))
        database.write(audit.seal)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(both, range(32)))
    database.write(audit.seal)
    assert _faults(database, head) == []
    positions = database.read(
        lambda tx: list(
            tx.execute(select(seal_table.c.position).order_by(seal_table.c.position)).scalars()
        )
    )
    assert positions == list(range(1, ROWS + 33))


def test_a_row_that_commits_late_is_sealed_later(database: Database, head: Path) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite has one writer: no row commits late there")
    with database.migrator().begin() as connection:
        audit.record(database._transaction(connection), "late", "a", "b", "c")
        database.write(lambda tx: audit.record(tx, "early", "a", "b", "c"))
        database.write(audit.seal)
    assert database.write(audit.seal) == 1
    assert _faults(database, head) == []


def _altered(value: Any, where: int, mask: int) -> Any:
    """Change one byte of a stored value, whatever its type."""
    if value is None:
        return "x"
    if isinstance(value, int):
        return value ^ (mask << 8 * (where % 6)) if where % 6 else value ^ mask
    if isinstance(value, bytes):
        place = where % len(value)
        return value[:place] + bytes([value[place] ^ mask]) + value[place + 1 :]
    raw = bytearray(value.encode())
    raw[where % len(raw)] ^= mask
    return bytes(raw)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, KeyRing, list[str]]:
    folder = tmp_path_factory.mktemp("audit")
    keys, clock = KeyRing.generate(), SetClock()
    database = Database(f"sqlite:///{folder / 'a.db'}", clock, keys)
    tables.metadata.create_all(database.migrator())
    _fill(database, folder / "audit.head", clock)
    names = database.read(
        lambda tx: list(tx.execute(select(audit_table.c.id).order_by(audit_table.c.seq)).scalars())
    )
    database.flush_erased()
    database.close()
    return folder, keys, names


_PLACES = [("audit_entry", column.name) for column in audit_table.c]
_PLACES += [("audit_seal", column.name) for column in seal_table.c]


@given(
    place=st.sampled_from(_PLACES),
    row=st.integers(1, ROWS),
    where=st.integers(0, 200),
    mask=st.integers(1, 255),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_one_byte_changed_in_any_column_is_found_and_named(
    place: tuple[str, str],
    row: int,
    where: int,
    mask: int,
    template: tuple[Path, KeyRing, list[str]],
) -> None:
    folder, keys, names = template
    table, column = place
    key = "seq" if table == "audit_entry" else "position"
    row = row if table == "audit_entry" else min(row, SEALED)
    copy = folder / "copy.db"
    shutil.copyfile(folder / "a.db", copy)
    with closing(sqlite3.connect(copy, isolation_level=None)) as raw:
        (value,) = raw.execute(f"SELECT {column} FROM {table} WHERE {key} = {row}").fetchone()
        changed = _altered(value, where, mask)
        as_text = "CAST(? AS TEXT)" if isinstance(value, str) else "?"
        try:
            raw.execute(f"UPDATE {table} SET {column} = {as_text} WHERE {key} = {row}", (changed,))
        except sqlite3.IntegrityError:
            reject()  # the number of another row: the database itself refuses
    database = Database(f"sqlite:///{copy}", SetClock(), keys)
    found = _faults(database, folder / "audit.head")
    database.close()
    assert found, (value, changed)
    told = {part for fault in found for part in (fault.row, fault.message)}
    name = names[row - 1]
    if column == "id":
        assert any("gone" in fault.message or "altered" in fault.message for fault in found)
    elif column == key or column == "entry_seq":
        assert told & {f"seq {row}", f"position {row} is missing", f"seq {changed}", name}
    else:
        assert name in told


def test_an_altered_row_is_named_on_both(database: Database, head: Path) -> None:
    for seq, values in (
        (2, {"actor": "usr_x"}),
        (3, {"detail": {"office": "PTY", "amount": 7}}),
        (ROWS, {"purpose": None}),
    ):
        name = database.read(
            lambda tx, s=seq: tx.execute(
                select(audit_table.c.id).where(audit_table.c.seq == s)
            ).scalar()
        )
        database.write(
            lambda tx, s=seq, v=values: tx.execute(
                update(audit_table).where(audit_table.c.seq == s).values(**v)
            )
        )
        assert name in {fault.row for fault in _faults(database, head)}
