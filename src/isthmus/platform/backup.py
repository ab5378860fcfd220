"""Online backup: one consistent copy of a node, made while it works.

A backup is a folder: the database, node.toml, the keys, the head of the audit's chain, the
journal of erasures (which goes on growing: later erasures are noted there too) and, written last,
``manifest.json`` with the SHA-256 of every other file. A folder without a manifest is no backup.

Everything acknowledged before the backup began is in it: the copy is of one snapshot taken
afterwards. The keys go with it, since without them nothing can be read; sealed with a passphrase
when one is given, else plain for the owner's eyes only, and then whoever holds the backup can
read the node.
"""

import hashlib
import hmac
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import NoSuchTableError
from sqlalchemy.pool import NullPool

from isthmus import __version__
from isthmus.kernel.canonical import canonical
from isthmus.kernel.errors import Conflict, Damaged, Denied, Invalid, Unavailable
from isthmus.kernel.time import isoformat
from isthmus.platform import audit
from isthmus.platform.database import Database
from isthmus.platform.erasure import Register
from isthmus.platform.keys import KeyRing
from isthmus.platform.settings import NodeFolder, sync_folder
from isthmus.platform.transaction import Transaction

MANIFEST = "manifest.json"
# Pages copied at a time; between two lots the writers' checkpoint may go on.
_PAGES = 2048
_SCRYPT = {"length": 32, "n": 1 << 16, "r": 8, "p": 1}

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds."""

    node: str
    made_at: str
    version: str  # of the program
    revision: str | None  # of the schema
    database: str  # "sqlite" or "postgresql"
    keys: str  # "plain" or "sealed"
    source: str  # the node's folder
    audit_head: tuple[int, str] | None
    counts: dict[str, int]
    files: dict[str, str]  # SHA-256 by name

    def save(self, path: Path, keys: KeyRing) -> None:
        """Write the manifest with a code under the node's audit key."""
        body = canonical(asdict(self))
        code = hmac.digest(keys.audit, body, "sha256").hex()
        _write(path, canonical({"manifest": orjson.loads(body), "code": code}))

    @staticmethod
    def load(path: Path) -> tuple["Manifest", str]:
        """Read a manifest and its code, which ``check`` tests once the keys are known."""
        try:
            raw = orjson.loads(path.read_bytes())
            fields = raw["manifest"]
            head = fields["audit_head"]
            fields["audit_head"] = (head[0], head[1]) if head else None
            return Manifest(**fields), raw["code"]
        except FileNotFoundError:
            raise Invalid("backup_missing", "no backup here", file=str(path)) from None
        except (orjson.JSONDecodeError, KeyError, TypeError, IndexError):
            raise Damaged("backup_damaged", "the manifest is not whole", file=str(path)) from None

    def check(self, code: str, keys: KeyRing) -> None:
        """Raise ``Damaged`` unless the manifest is as this node wrote it."""
        right = hmac.digest(keys.audit, canonical(asdict(self)), "sha256").hex()
        if not hmac.compare_digest(right.encode(), str(code).encode()):
            raise Damaged("backup_damaged", "the manifest was altered")


def backup(
    database: Database,
    folder: NodeFolder,
    place: Path,
    register: Register,
    *,
    passphrase: str | None = None,
    progress: Progress | None = None,
) -> Manifest:
    """Make a backup of a working node in the new or empty folder ``place``.

    Raises ``Conflict`` when the folder is not empty, ``Unavailable`` when PostgreSQL's own
    ``pg_dump`` is needed and missing or fails.
    """
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise Conflict("folder_not_empty", "the backup's folder is not empty", folder=str(place))
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    place.chmod(0o700)
    # Before the copy: an erasure made while it is on its way is then noted beside it.
    register.add_place(place)
    began = database.clock.now()
    if database.is_sqlite:
        head, revision, counts = _copy_sqlite(database, place / "isthmus.db", progress)
    else:
        head, revision, counts = _dump(database, place / "isthmus.dump")
    if head is not None:
        audit.write_head(place / "audit.head", head)
    _write(place / "node.toml", folder.config.read_bytes())
    if passphrase is None:
        _write(place / "node.key", folder.key_file.read_bytes())
    else:
        _write(place / "node.key.sealed", seal_keys(folder.key_file.read_bytes(), passphrase))
    return _manifest(database, folder, place, began, passphrase is not None, head, revision, counts)


def _manifest(
    database: Database,
    folder: NodeFolder,
    place: Path,
    began: datetime,
    sealed: bool,
    head: tuple[int, bytes] | None,
    revision: str | None,
    counts: dict[str, int],
) -> Manifest:
    growing = {folder.erasures.name}
    manifest = Manifest(
        node=folder.settings().node.name,
        made_at=isoformat(began),
        version=__version__,
        revision=revision,
        database="sqlite" if database.is_sqlite else "postgresql",
        keys="sealed" if sealed else "plain",
        source=str(folder.root.resolve()),
        audit_head=(head[0], head[1].hex()) if head else None,
        counts=counts,
        files={
            path.name: file_hash(path)
            for path in sorted(place.iterdir())
            if path.name not in growing
        },
    )
    manifest.save(place / MANIFEST, database.keys)
    sync_folder(place)
    return manifest


_Told = tuple[tuple[int, bytes] | None, str | None, dict[str, int]]


def _copy_sqlite(database: Database, copy: Path, progress: Progress | None) -> _Told:
    if database.path is None:
        raise Invalid("backup_impossible", "a database in memory cannot be backed up")
    source = sqlite3.connect(f"file:{database.path}?mode=ro", uri=True, isolation_level=None)
    os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(source), closing(sqlite3.connect(copy)) as target:
        # A reading transaction kept open holds one snapshot for all lots of pages; without it
        # each commit of a writer would begin the copy anew.
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        source.backup(
            target,
            pages=_PAGES,
            sleep=0,
            progress=lambda _status, left, total: (
                progress(total - left, total) if progress else None
            ),
        )
        source.execute("ROLLBACK")
        target.execute("PRAGMA journal_mode=DELETE")  # one file, whole in itself
        for (message,) in target.execute("PRAGMA quick_check(1)"):
            if message != "ok":
                raise Damaged("database_damaged", f"the copy is not sound: {message}")
    engine = create_engine(f"sqlite:///{copy}", poolclass=NullPool)
    with engine.connect() as connection:
        told = _tell(connection)
    handle = os.open(copy, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    return told


def _dump(database: Database, file: Path) -> _Told:
    def work(tx: Transaction) -> _Told:
        # What the manifest tells and what is dumped are of one snapshot.
        snapshot = tx.connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one()
        form = ["--format=custom", "--no-owner", f"--snapshot={snapshot}", f"--file={file}"]
        run_postgresql("pg_dump", database.url, form)
        return _tell(tx.connection)

    told = database.read(work)
    file.chmod(0o600)
    with file.open("rb") as dumped:
        os.fsync(dumped.fileno())
    return told


def _tell(connection: Connection) -> _Told:
    tables = sorted(inspect(connection).get_table_names())
    counts = {
        name: int(connection.exec_driver_sql(f'SELECT count(*) FROM "{name}"').scalar_one())
        for name in tables
    }
    revision = None
    if "alembic_version" in tables:
        revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if audit.seal_table.name not in tables:
        raise NoSuchTableError(audit.seal_table.name)
    newest = connection.execute(
        audit.seal_table.select().order_by(audit.seal_table.c.position.desc()).limit(1)
    ).first()
    return ((newest.position, newest.chain) if newest else None), revision, counts


def run_postgresql(program: str, url: URL, arguments: list[str]) -> None:
    """Run one of PostgreSQL's own programs on a database; its password is not shown to others."""
    found = shutil.which(program)
    if found is None:
        raise Unavailable(
            "program_missing",
            f"{program} is not installed; PostgreSQL's own programs make and restore its backups",
        )
    place = {
        "PGHOST": url.host,
        "PGPORT": str(url.port) if url.port else None,
        "PGUSER": url.username,
        "PGPASSWORD": str(url.password) if url.password else None,
    }
    environment = os.environ | {name: value for name, value in place.items() if value}
    done = subprocess.run(  # noqa: S603 - the program was found above, arguments are ours
        [found, "--no-password", f"--dbname={url.database}", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Unavailable("program_failed", f"{program} failed: {done.stderr.strip()[-500:]}")


def seal_keys(plain: bytes, passphrase: str) -> bytes:
    """Encrypt the key file under a passphrase (scrypt, then AES-256-GCM)."""
    if len(passphrase) < 12:
        raise Invalid("passphrase_short", "a passphrase needs 12 characters or more")
    salt, nonce = os.urandom(16), os.urandom(12)
    key = Scrypt(salt=salt, **_SCRYPT).derive(passphrase.encode())
    return salt + nonce + AESGCM(key).encrypt(nonce, plain, b"node.key")


def open_keys(sealed: bytes, passphrase: str) -> bytes:
    """Decrypt the key file; raises ``Denied`` when the passphrase is wrong."""
    salt, nonce, body = sealed[:16], sealed[16:28], sealed[28:]
    key = Scrypt(salt=salt, **_SCRYPT).derive(passphrase.encode())
    try:
        return AESGCM(key).decrypt(nonce, body, b"node.key")
    except InvalidTag:
        raise Denied("passphrase_wrong", "the passphrase does not open the keys") from None


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
