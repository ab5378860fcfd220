"""Restore a backup into a new node folder; what was erased since stays erased.

The backup's own hashes are checked first, then the erasures noted since it was made are replayed
and the audit is verified. ``node.toml`` is put in place last: a folder whose restore failed does
not open as a node.

A journal that lacks later erasures would bring back what was lawfully erased. So the restore
wants a journal that is certainly alive: the source node's own, or the one beside the backup where
the backup was made (later erasures are noted there). A backup found elsewhere is a copy whose
journal nobody kept up; then the journal at the original place is taken, or the person restoring
names one. In every case the journals together must hold all erasures that the backup's database
knows.
"""

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.engine import make_url

from isthmus.kernel.errors import Conflict, Damaged, Invalid
from isthmus.kernel.time import Clock
from isthmus.platform import audit, upkeep
from isthmus.platform.backup import MANIFEST, Manifest, file_hash, open_keys, run_postgresql
from isthmus.platform.database import Database
from isthmus.platform.erasure import Erasers, Register, erasure_table
from isthmus.platform.journal import Journal, Line
from isthmus.platform.keys import KeyRing
from isthmus.platform.settings import NodeFolder, read, sync_folder

Prepare = Callable[[Database], object]


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did."""

    manifest: Manifest
    replayed: tuple[str, ...]  # ids of the erasures applied again
    journals: tuple[str, ...]  # the files they were read from
    audit_entries: int


def restore(
    place: Path,
    root: Path,
    clock: Clock,
    erasers: Erasers,
    *,
    prepare: Prepare,
    journals: Sequence[Path] = (),
    passphrase: str | None = None,
    database_url: str | None = None,
) -> Restored:
    """Restore the backup in ``place`` as a new node in ``root``.

    ``prepare`` brings the database to this program's schema before erasures are replayed.
    ``journals`` are further journals of erasures. ``database_url`` names the empty PostgreSQL
    database to fill, for a backup of one. Raises ``Damaged`` naming the file when the backup is
    not whole, ``Conflict`` when ``root`` is not empty or no living journal is at hand.
    """
    manifest, code = Manifest.load(place / MANIFEST)
    for name, known in manifest.files.items():
        path = place / name
        if not path.is_file() or file_hash(path) != known:
            raise Damaged("backup_damaged", "a file of the backup is not whole", file=str(path))
    lines, used = _gather(place, manifest, journals)
    if manifest.database == "postgresql" and not _is_postgresql(database_url):
        raise Invalid("database_needed", "name the empty PostgreSQL database to restore into")
    folder = NodeFolder.bare(root)
    keys = _keys(place, folder, manifest, passphrase)
    manifest.check(code, keys)
    url = _records(place, folder, manifest, database_url or "")
    database = Database(url, clock, keys)
    try:
        prepare(database)
        _complete(database, lines)
        register = Register(database, folder, erasers)
        Journal(folder.erasures).begin(lines)
        replayed = register.replay(lines)
        counted = _audit(database, folder, manifest)
    finally:
        database.close()
    _configure(place, folder, url if manifest.database == "postgresql" else "")
    return Restored(manifest, tuple(replayed), tuple(used), counted)


def _gather(place: Path, manifest: Manifest, named: Sequence[Path]) -> tuple[list[Line], list[str]]:
    beside = Journal(place / "erasures.jsonl")
    own = Path(manifest.source) / beside.path.name
    found = {path.resolve(): True for path in named}
    if beside.path.is_file():
        found.setdefault(beside.path.resolve(), not beside.moved())
        origin = beside.begun_at()
        if origin.is_file():
            found.setdefault(origin, True)
    if own.is_file():
        found.setdefault(own, True)
    if not any(found.values()):
        raise Conflict(
            "journal_needed",
            "this backup is a copy and no journal of erasures that was kept up is at hand; "
            "name one (the node's erasures.jsonl, or that of its newest backup)",
            backup=str(place),
        )
    lines: dict[str, Line] = {}
    for path in found:
        for line in Journal(path).lines():
            lines.setdefault(line["id"], line)
    ordered = sorted(lines.values(), key=lambda line: (line["at"], line["id"]))
    return ordered, [str(path) for path in found]


def _complete(database: Database, lines: Sequence[Line]) -> None:
    """Raise ``Conflict`` when the journals lack an erasure that the backup itself knows."""
    known = database.read(lambda tx: set(tx.execute(select(erasure_table.c.id)).scalars()))
    lacking = sorted(known - {line["id"] for line in lines})
    if lacking:
        raise Conflict(
            "journal_older",
            "the journals of erasures are older than the backup: later erasures are missing too",
            lacking=len(lacking),
            first=lacking[0],
        )


def _keys(place: Path, folder: NodeFolder, manifest: Manifest, passphrase: str | None) -> KeyRing:
    if manifest.keys == "plain":
        plain = (place / "node.key").read_bytes()
    elif passphrase is None:
        raise Invalid("passphrase_needed", "the keys of this backup are sealed by a passphrase")
    else:
        plain = open_keys((place / "node.key.sealed").read_bytes(), passphrase)
    folder.key_file.parent.mkdir(mode=0o700)
    handle = os.open(folder.key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(plain)
        file.flush()
        os.fsync(file.fileno())
    return KeyRing.load(folder.key_file)


def _is_postgresql(url: str | None) -> bool:
    return bool(url) and make_url(str(url)).get_backend_name() == "postgresql"


def _records(place: Path, folder: NodeFolder, manifest: Manifest, url: str) -> str:
    if (place / "audit.head").is_file():
        shutil.copyfile(place / "audit.head", folder.audit_head)
    if manifest.database == "sqlite":
        shutil.copyfile(place / "isthmus.db", folder.database_file)
        folder.database_file.chmod(0o600)
        return f"sqlite:///{folder.database_file.resolve()}"
    run_postgresql(
        "pg_restore",
        make_url(url),
        ["--no-owner", "--exit-on-error", "--single-transaction", str(place / "isthmus.dump")],
    )
    return url


def _audit(database: Database, folder: NodeFolder, manifest: Manifest) -> int:
    faults = database.read(lambda tx: list(audit.verify(tx, folder.audit_head)))
    if faults:
        first = faults[0]
        raise Damaged(
            "audit_damaged",
            f"the restored audit does not verify: {first.message}",
            table=first.table,
            row=first.row,
            faults=len(faults),
        )
    upkeep.seal_audit(database, folder)
    return int(manifest.counts.get(audit.audit_table.name, 0))


def _configure(place: Path, folder: NodeFolder, url: str) -> None:
    settings = read((place / "node.toml").read_text(encoding="utf-8"), str(place / "node.toml"))
    moved = settings.model_copy(
        update={"database": settings.database.model_copy(update={"url": url})}
    )
    folder.write_config(moved)
    sync_folder(folder.root)
    sync_folder(folder.root.parent)
