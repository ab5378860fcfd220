"""Backup under load and restore: nothing acknowledged is missing, what was erased stays erased."""

import shutil
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import select

from isthmus.kernel.errors import Conflict, Damaged, Denied, Erased, Invalid, Unavailable
from isthmus.kernel.time import SetClock
from isthmus.platform import audit, documents
from isthmus.platform.backup import MANIFEST, Manifest, backup, open_keys, seal_keys
from isthmus.platform.database import Database
from isthmus.platform.erasure import DOCUMENTS
from isthmus.platform.journal import Journal
from isthmus.platform.restore import Restored, restore
from isthmus.platform.settings import NodeFolder
from isthmus.platform.verification import ErasedNotice, verify

Node = Any  # see conftest


@pytest.fixture
def restored(
    backend: str,
    clock: SetClock,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    open_database: Callable[..., Database],
) -> Iterator[Callable[..., tuple[Restored, NodeFolder, Database]]]:
    """Restore a backup into a folder of its own and open what came out."""
    made: list[str] = []

    def run(place: Path, **options: Any) -> tuple[Restored, NodeFolder, Database]:
        root = tmp_path / f"restored{len(made)}"
        url = None
        made.append("")
        if backend == "postgresql":
            engine: sqlalchemy.Engine = request.getfixturevalue("postgresql")
            made[-1] = f"isthmus_test_{uuid.uuid4().hex}"
            with engine.connect() as connection:
                connection.exec_driver_sql(f'CREATE DATABASE "{made[-1]}"')
            url = engine.url.set(database=made[-1]).render_as_string(hide_password=False)
        outcome = restore(
            place, root, clock, DOCUMENTS, prepare=lambda _db: None, database_url=url, **options
        )
        folder = NodeFolder.open(root)
        database = open_database(folder.database_url(folder.settings({})))
        database.keys = folder.keys()
        return outcome, folder, database

    yield run
    for name in filter(None, made):
        with request.getfixturevalue("postgresql").connect() as connection:
            connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _backup(node: Node, place: Path, **options: Any) -> Manifest:
    return backup(node.database, node.folder, place, node.register, **options)


def _read(database: Database, name: str) -> bytes:
    return database.read(lambda tx: b"".join(documents.read(tx, name)))


def test_a_backup_under_load_holds_all_that_was_acknowledged(
    node: Node, tmp_path: Path, restored: Callable[..., Any]
) -> None:
    for number in range(30):
        node.receive(f"before {number}".encode() * 3000)
    told: list[str] = []
    stop = threading.Event()

    def write(writer: int) -> None:
        turn = 0
        while not stop.is_set():
            told.append(node.receive(f"load {writer} {turn}".encode() * 500))
            turn += 1

    writers = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for writer in writers:
        writer.start()
    while len(told) < 40:
        time.sleep(0.001)
    acknowledged = list(told)
    steps: list[tuple[int, int]] = []
    manifest = _backup(node, tmp_path / "backup", progress=lambda *step: steps.append(step))
    went_on = len(told)
    stop.set()
    for writer in writers:
        writer.join()
    assert went_on > len(acknowledged)  # writers were not held up
    outcome, folder, database = restored(tmp_path / "backup")
    kept = database.read(
        lambda tx: set(tx.execute(select(documents.document_table.c.id)).scalars())
    )
    assert set(acknowledged) <= kept
    assert manifest.counts["document"] == len(kept)
    assert list(verify(database, folder)) == []
    assert outcome.replayed == ()
    if node.database.is_sqlite:
        assert steps[-1][0] == steps[-1][1] > 0


def test_the_folder_holds_one_sound_database_and_private_files(node: Node, tmp_path: Path) -> None:
    node.receive(b"content")
    node.seal()
    manifest = _backup(node, tmp_path / "backup")
    names = {path.name for path in (tmp_path / "backup").iterdir()}
    stored = "isthmus.db" if node.database.is_sqlite else "isthmus.dump"
    assert names == {
        stored,
        "node.toml",
        "node.key",
        "audit.head",
        "erasures.jsonl",
        MANIFEST,
    }
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "backup").iterdir()} == {0}
    assert manifest.audit_head is not None
    assert Manifest.load(tmp_path / "backup" / MANIFEST)[0] == manifest
    with pytest.raises(Conflict):
        _backup(node, tmp_path / "backup")


def test_what_was_erased_after_the_backup_stays_erased(
    node: Node, tmp_path: Path, restored: Callable[..., Any]
) -> None:
    before, after, kept = (node.receive(text) for text in (b"one", b"two", b"three"))
    first = node.erase(before)
    _backup(node, tmp_path / "backup")
    second = node.erase(after)
    outcome, folder, database = restored(tmp_path / "backup")
    assert outcome.replayed == (second,)
    for gone in (before, after):
        with pytest.raises(Erased):
            _read(database, gone)
    assert _read(database, kept) == b"three"
    assert sorted(f.erasure for f in verify(database, folder) if isinstance(f, ErasedNotice)) == (
        sorted([first, second])
    )
    assert all(isinstance(finding, ErasedNotice) for finding in verify(database, folder))
    assert len(Journal(folder.erasures).lines()) == 2


def test_the_journal_beside_the_backup_serves_when_the_node_is_lost(
    node: Node, tmp_path: Path, restored: Callable[..., Any]
) -> None:
    document = node.receive(b"one")
    _backup(node, tmp_path / "backup")
    node.erase(document)
    node.database.close()
    shutil.rmtree(node.folder.root)
    outcome, _, database = restored(tmp_path / "backup")
    assert len(outcome.replayed) == 1
    with pytest.raises(Erased):
        _read(database, document)


def test_a_copy_of_a_backup_wants_a_journal_that_was_kept_up(
    node: Node, tmp_path: Path, restored: Callable[..., Any]
) -> None:
    document = node.receive(b"one")
    _backup(node, tmp_path / "backup")
    shutil.copytree(tmp_path / "backup", tmp_path / "tape")
    node.erase(document)
    node.database.close()
    journal = shutil.copyfile(node.folder.erasures, tmp_path / "kept.jsonl")
    shutil.rmtree(node.folder.root)
    outcome, _, database = restored(tmp_path / "tape")  # the original place still tells
    assert len(outcome.replayed) == 1
    database.close()
    shutil.rmtree(tmp_path / "backup")
    with pytest.raises(Conflict, match="copy"):
        restored(tmp_path / "tape")
    outcome, _, database = restored(tmp_path / "tape", journals=[Path(journal)])
    assert len(outcome.replayed) == 1
    with pytest.raises(Erased):
        _read(database, document)


def test_journals_older_than_the_backup_are_refused(
    node: Node, tmp_path: Path, restored: Callable[..., Any]
) -> None:
    node.erase(node.receive(b"one"))
    _backup(node, tmp_path / "backup")
    node.folder.erasures.unlink()
    beside = tmp_path / "backup" / "erasures.jsonl"
    beside.write_bytes(beside.read_bytes().split(b"\n")[0] + b"\n")
    with pytest.raises(Conflict, match="older than the backup"):
        restored(tmp_path / "backup")
    assert not (tmp_path / "restored0" / "node.toml").exists()


def test_a_damaged_backup_is_refused_and_the_file_is_named(
    node: Node, tmp_path: Path, restored: Callable[..., Any]
) -> None:
    node.receive(b"one")
    _backup(node, tmp_path / "backup")
    for name in ("isthmus.db" if node.database.is_sqlite else "isthmus.dump", "node.toml"):
        path = tmp_path / "backup" / name
        good = path.read_bytes()
        path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
        with pytest.raises(Damaged, match=name):
            restored(tmp_path / "backup")
        path.write_bytes(good)
    manifest = tmp_path / "backup" / MANIFEST
    good = manifest.read_bytes()
    manifest.write_bytes(good.replace(b'"document":1', b'"document":2'))
    with pytest.raises(Damaged, match="manifest"):
        restored(tmp_path / "backup")
    manifest.unlink()
    with pytest.raises(Invalid):
        restored(tmp_path / "backup")


def test_a_restore_never_fills_a_folder_in_use(node: Node, tmp_path: Path, clock: SetClock) -> None:
    _backup(node, tmp_path / "backup")
    url = None if node.database.is_sqlite else "postgresql+psycopg://nobody@127.0.0.1/none"
    with pytest.raises(Conflict):
        restore(
            tmp_path / "backup",
            node.folder.root,
            clock,
            DOCUMENTS,
            prepare=lambda _db: None,
            database_url=url,
        )


def test_sealed_keys_need_their_passphrase(
    node: Node, tmp_path: Path, restored: Callable[..., Any]
) -> None:
    document = node.receive(b"one")
    manifest = _backup(node, tmp_path / "backup", passphrase="correct horse battery")
    assert manifest.keys == "sealed"
    assert not (tmp_path / "backup" / "node.key").exists()
    secret = node.folder.key_file.read_bytes()
    assert all(
        part not in path.read_bytes()
        for path in (tmp_path / "backup").iterdir()
        for part in (secret, node.database.keys.documents)
    )
    with pytest.raises(Invalid):
        restored(tmp_path / "backup")
    with pytest.raises(Denied):
        restored(tmp_path / "backup", passphrase="wrong horse battery")
    _, _, database = restored(tmp_path / "backup", passphrase="correct horse battery")
    assert _read(database, document) == b"one"


def test_short_passphrases_are_refused() -> None:
    with pytest.raises(Invalid):
        seal_keys(b"x", "short")
    assert open_keys(seal_keys(b"x", "long enough to keep"), "long enough to keep") == b"x"


def test_without_postgresqls_programs_the_error_is_clear(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if node.database.is_sqlite:
        pytest.skip("SQLite needs no other program")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Unavailable, match="pg_dump is not installed"):
        _backup(node, tmp_path / "backup")


def test_a_restored_node_works_on_and_its_audit_chain_goes_on(
    node: Node, tmp_path: Path, restored: Callable[..., Any]
) -> None:
    node.receive(b"one")
    node.seal()
    _backup(node, tmp_path / "backup")
    _, folder, database = restored(tmp_path / "backup")
    database.write(lambda tx: audit.record(tx, "usr_1", "a", "b", "c"))
    database.write(audit.seal)
    assert list(verify(database, folder)) == []
