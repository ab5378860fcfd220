"""Bring a database to this program's schema, and refuse one that is not there.

Each revision is one plain file in ``versions/``; all that are missing are applied in one
transaction (both databases can undo a change of schema), so a migration that fails leaves the
database as it was. There is no way back but a backup: data that a later schema holds may have no
place in an earlier one.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from isthmus.kernel.errors import Conflict, Damaged
from isthmus.migrations.tables import metadata
from isthmus.platform.database import Database
from isthmus.platform.transaction import Transaction

PLACE = Path(__file__).parent
# Two programs started at once: the second waits here, then finds nothing left to do.
_LOCK = 0x15717405


def scripts(place: Path = PLACE) -> ScriptDirectory:
    """Return the revision scripts kept under ``place``/versions."""
    return ScriptDirectory(str(place), file_template="%(rev)s_%(slug)s")


def head(place: Path = PLACE) -> str | None:
    """Return the newest revision this program knows."""
    return scripts(place).get_current_head()


def current(database: Database) -> str | None:
    """Return the revision a database stands at, or nothing when it was never migrated."""
    return database.read(_current)


def _current(tx: Transaction) -> str | None:
    return MigrationContext.configure(tx.connection).get_current_revision()


def check(database: Database, place: Path = PLACE) -> None:
    """Raise ``Conflict`` unless the database stands at exactly this program's schema."""
    stands, wanted = current(database), head(place)
    if stands == wanted:
        return
    if stands is None:
        code, why = "schema_missing", "the database has no schema yet; run `isthmus migrate`"
    elif _known(stands, place):
        code, why = "schema_older", "the database has an older schema; run `isthmus migrate`"
    else:
        code, why = "schema_newer", "the database has a newer schema than this program knows"
    raise Conflict(code, why, database=stands, program=wanted)


def upgrade(database: Database, to: str = "head", place: Path = PLACE) -> list[str]:
    """Apply the revisions that are missing and return their ids, oldest first.

    Raises ``Conflict`` when the database is newer than this program, ``Damaged`` when a foreign
    key points nowhere afterwards (then nothing is changed).
    """
    stands = current(database)
    if stands is not None and not _known(stands, place):
        check(database, place)
    directory, applied = scripts(place), list[str]()

    def steps(revision: Any, _context: MigrationContext) -> Any:
        found = directory._upgrade_revs(to, revision)
        applied.extend(step.revision.revision for step in found)
        return found

    run(database, directory, steps)
    return applied


def run(
    database: Database,
    directory: ScriptDirectory,
    steps: Callable[[Any, MigrationContext], Any],
    **options: Any,
) -> None:
    """Run alembic's steps on a database in one transaction of its own."""
    with database.migrator().connect() as connection:
        # SQLite rebuilds a table to change it, which foreign keys would take for a deletion; it
        # can be told so only outside a transaction.
        _foreign_keys(connection, "OFF")
        try:
            with connection.begin():
                if not database.is_sqlite:
                    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
                with EnvironmentContext(Config(), directory, fn=steps, **options) as context:
                    context.configure(
                        connection=connection,
                        target_metadata=metadata,
                        render_as_batch=True,
                        render_item=plain_type,
                        compare_type=True,
                        transactional_ddl=True,
                    )
                    context.run_migrations()
                _sound(connection)
        finally:
            _foreign_keys(connection, "ON")


def plain_type(kind: str, thing: Any, _context: Any) -> str | Literal[False]:
    """Write our own column types as the plain ones they are kept in, so scripts stand alone."""
    from isthmus.platform.columns import Instant, Json

    if kind == "type" and isinstance(thing, Instant):
        return "sa.BigInteger()"
    if kind == "type" and isinstance(thing, Json):
        return "sa.Text()"
    return False


def _known(revision: str, place: Path) -> bool:
    return revision in {script.revision for script in scripts(place).walk_revisions()}


def _foreign_keys(connection: Connection, state: str) -> None:
    if connection.dialect.name == "sqlite":
        raw = connection.connection.dbapi_connection
        if raw is not None:
            raw.execute(f"PRAGMA foreign_keys={state}")


def _sound(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        return
    for table, row, target, _ in connection.exec_driver_sql("PRAGMA foreign_key_check"):
        raise Damaged(
            "schema_unsound",
            "a migration would leave a row without its parent",
            table=table,
            row=row,
            parent=target,
        )


def is_empty(database: Database) -> bool:
    """Whether a database has no tables at all."""
    return not database.read(lambda tx: inspect(tx.connection).get_table_names())
