"""Migrations: they make exactly the areas' tables, from nothing and from every earlier schema."""

import re
import shutil
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Boolean, LargeBinary, MetaData, Table, inspect, text

from isthmus.kernel.errors import Conflict
from isthmus.migrations import migrate, revise, tables
from isthmus.platform import audit, jobs
from isthmus.platform.database import Database


@pytest.fixture
def empty(empty_url: str, open_database: Callable[..., Database]) -> Database:
    """A database without any table."""
    return open_database(empty_url)


def _schema(database: Database) -> Mapping[str, Any]:
    """Describe all tables as the database itself does: columns, keys, indexes, numbering."""
    if database.is_sqlite:
        query = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"
        rows = database.read(lambda tx: tx.connection.exec_driver_sql(query).all())
        return {name: _parts(sql) for name, sql in rows if not name.startswith("sqlite_")}
    found: dict[str, Any] = {}

    def read(tx: Any) -> None:
        seen = inspect(tx.connection)
        for name in seen.get_table_names():
            columns = [
                (c["name"], str(c["type"]), c["nullable"], c["default"])
                for c in seen.get_columns(name)
            ]
            found[name] = (
                sorted(columns),
                seen.get_pk_constraint(name),
                sorted(map(str, seen.get_foreign_keys(name))),
                sorted(map(str, seen.get_check_constraints(name))),
            )
        indexes = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
        for name, definition in tx.connection.exec_driver_sql(indexes):
            found[f"index {name}"] = definition

    database.read(read)
    return found


def _parts(sql: str) -> tuple[str, ...]:
    """Break a CREATE statement into its parts, whatever their order and spacing."""
    flat = re.sub(r"\s+", " ", sql.replace('"', "").replace("( ", "(").replace(" )", ")"))
    head, _, body = flat.partition("(")
    inner, _, tail = body.rpartition(")")
    pieces, depth, piece = [], 0, ""
    for sign in inner:
        depth += (sign == "(") - (sign == ")")
        if sign == "," and depth == 0:
            pieces.append(piece.strip())
            piece = ""
        else:
            piece += sign
    return (head.strip(), *sorted([*pieces, piece.strip()]), tail.strip())


def test_migrations_make_exactly_the_areas_tables(
    empty: Database,
    open_database: Callable[..., Database],
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    applied = migrate.upgrade(empty)
    assert applied == [
        script.revision for script in reversed(list(migrate.scripts().walk_revisions()))
    ]
    with empty.migrator().connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []
    migrated = dict(_schema(empty))
    migrated.pop("alembic_version", None)
    migrated.pop("index alembic_version_pkc", None)
    with empty.migrator().begin() as connection:
        tables.metadata.drop_all(connection)
        tables.metadata.create_all(connection)
    made = dict(_schema(empty))
    made.pop("alembic_version", None)
    made.pop("index alembic_version_pkc", None)
    assert migrated == made


def test_every_table_of_every_area_is_known() -> None:
    """A module with tables that ``tables`` does not import would be left out of migrations."""
    source = Path(tables.__file__).parent.parent
    declared = {
        name
        for path in source.rglob("*.py")
        for name in re.findall(r'Table\(\s*"(\w+)"', path.read_text(encoding="utf-8"))
    }
    assert declared == set(tables.metadata.tables)


def test_partial_indexes_and_numbering_without_gaps_are_kept(empty: Database) -> None:
    migrate.upgrade(empty)
    if not empty.is_sqlite:
        found = _schema(empty)["index ix_job_kind_key_open"]
        assert "WHERE" in found
        return
    rows = empty.read(
        lambda tx: dict(
            tx.connection.exec_driver_sql("SELECT name, sql FROM sqlite_master").all()  # type: ignore[arg-type]
        )
    )
    assert "WHERE state IN ('queued', 'running')" in rows["ix_job_kind_key_open"]
    assert "AUTOINCREMENT" in rows["audit_entry"]
    assert "AUTOINCREMENT" in rows["event"]


def test_upgrading_twice_does_nothing(empty: Database) -> None:
    assert migrate.upgrade(empty)
    assert migrate.upgrade(empty) == []
    migrate.check(empty)
    assert migrate.current(empty) == migrate.head()


def test_a_database_of_another_schema_is_refused(empty: Database) -> None:
    with pytest.raises(Conflict, match="no schema yet") as missing:
        migrate.check(empty)
    assert missing.value.code == "schema_missing"
    migrate.upgrade(empty)
    with empty.migrator().begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Conflict, match="newer schema") as newer:
        migrate.check(empty)
    assert newer.value.code == "schema_newer"
    with pytest.raises(Conflict, match="newer schema"):
        migrate.upgrade(empty)


def _filler(column: Any, number: int) -> Any:
    if isinstance(column.type, Boolean):
        return number % 2 == 0
    if column.type.python_type is date:
        return date(2026, 1, number)
    if issubclass(column.type.python_type, int | float | Decimal):
        return number
    if isinstance(column.type, LargeBinary):
        return bytes([number])
    return f"{column.name}{number}"


def _fill(database: Database) -> dict[str, list[Any]]:
    """Put three rows into every table there is, parents first; return them."""
    known = MetaData()
    with database.migrator().connect() as connection:
        known.reflect(connection)
    written: dict[str, list[Any]] = {}
    for table in known.sorted_tables:
        if table.name == "alembic_version":
            continue
        rows = [
            {column.name: _filler(column, number) for column in table.columns}
            for number in (1, 2, 3)
        ]
        for row in rows:
            for column in table.columns:
                for key in column.foreign_keys:
                    parent = key.column
                    place = rows.index(row)
                    row[column.name] = (
                        None
                        if parent.table is table
                        else written[parent.table.name][place][parent.name]
                    )
        database.write(lambda tx, t=table, r=rows: tx.insert(t, r))  # type: ignore[misc]
        written[table.name] = rows
    return written


def _read(database: Database, table: str) -> list[Any]:
    with database.migrator().connect() as connection:
        reflected = Table(table, MetaData(), autoload_with=connection)
        return [dict(row) for row in connection.execute(reflected.select()).mappings()]


def test_each_earlier_schema_with_data_in_it_comes_up(
    empty_url: str, open_database: Callable[..., Database]
) -> None:
    revisions = [script.revision for script in reversed(list(migrate.scripts().walk_revisions()))]
    database = open_database(empty_url)
    migrate.upgrade(database, revisions[0])
    written = _fill(database)
    for revision in revisions[1:]:
        assert migrate.upgrade(database, revision) == [revision]
    for table, rows in written.items():
        if inspect(database.migrator()).has_table(table):
            assert len(_read(database, table)) == len(rows)
    if len(revisions) > 1:
        migrate.check(database)


_NEXT = """
import sqlalchemy as sa
from alembic import op
revision = "9001"
down_revision = "{head}"
branch_labels = None
depends_on = None

def upgrade() -> None:
    with op.batch_alter_table("audit_entry", table_kwargs={{"sqlite_autoincrement": True}}) as batch:
        batch.add_column(sa.Column("channel", sa.Text(), nullable=True))
        batch.alter_column("agency", existing_type=sa.Text(), nullable=False, server_default="?")
    with op.batch_alter_table("job") as batch:
        batch.add_column(sa.Column("weight", sa.Integer(), nullable=False, server_default="1"))
        batch.alter_column("error", existing_type=sa.Text(), nullable=False, server_default="")
    with op.batch_alter_table("document", recreate="auto") as batch:
        batch.alter_column("source", existing_type=sa.Text(), nullable=True)
    {last}
"""


def _later(tmp_path: Path, last: str = "") -> Path:
    place = tmp_path / "migrations"
    shutil.copytree(migrate.PLACE, place, ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    shutil.copytree(
        migrate.PLACE / "versions",
        place / "versions",
        dirs_exist_ok=True,
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    script = _NEXT.format(head=migrate.head(), last=last)
    (place / "versions" / "9001_later.py").write_text(script)
    return place


def _populate(database: Database) -> None:
    from isthmus.platform import documents

    for number in range(5):
        database.write(
            lambda tx, n=number: (
                audit.record(tx, "usr_1", "a.b", "thing", str(n), agency="ANA"),
                jobs.enqueue(tx, "score", {"n": n}, key=str(n)),
                tx.connection.execute(text("UPDATE job SET error = ''")),
                documents.put(tx, bytes([n]) * 9, kind="wco", source="api", actor="u"),
            )
        )


def test_a_change_of_tables_full_of_data_keeps_rows_indexes_and_numbering(
    empty: Database, tmp_path: Path
) -> None:
    migrate.upgrade(empty)
    _populate(empty)
    before = empty.read(
        lambda tx: tx.connection.execute(
            text("SELECT id, code FROM audit_entry ORDER BY seq")
        ).all()
    )
    place = _later(tmp_path)
    with pytest.raises(Conflict, match="older schema"):
        migrate.check(empty, place)
    assert migrate.upgrade(empty, place=place) == ["9001"]
    migrate.check(empty, place)
    after = empty.read(
        lambda tx: tx.connection.execute(
            text("SELECT id, code FROM audit_entry ORDER BY seq")
        ).all()
    )
    assert before == after
    assert empty.read(lambda tx: list(audit.verify(tx))) == []
    assert (
        empty.read(
            lambda tx: tx.connection.execute(text("SELECT count(*) FROM document_key")).scalar()
        )
        == 5
    )
    schema = _schema(empty)
    if empty.is_sqlite:
        assert any("AUTOINCREMENT" in part for part in schema["audit_entry"])
        assert "WHERE" in str(schema["ix_job_kind_key_open"])
        assert (
            empty.read(lambda tx: tx.connection.exec_driver_sql("PRAGMA foreign_keys").scalar())
            == 1
        )
    else:
        assert "WHERE" in schema["index ix_job_kind_key_open"]
    job = empty.write(lambda tx: jobs.lease(tx, "w", ["score"]))
    assert job is not None


def test_a_migration_that_fails_leaves_everything_as_it_was(
    empty: Database, tmp_path: Path
) -> None:
    migrate.upgrade(empty)
    _populate(empty)
    before = _schema(empty)
    place = _later(tmp_path, last='op.execute("DELETE FROM no_such_table")')
    with pytest.raises(Exception, match="no_such_table"):
        migrate.upgrade(empty, place=place)
    assert _schema(empty) == before
    migrate.check(empty)


def test_the_scripts_are_up_to_date_and_a_difference_makes_a_new_one(tmp_path: Path) -> None:
    place = tmp_path / "migrations"
    shutil.copytree(migrate.PLACE, place, ignore=shutil.ignore_patterns("__pycache__"))
    assert revise.revise("Nothing new", place) is None
    for script in (place / "versions").glob("*.py"):
        script.unlink()
    made = revise.revise("Lay the tables", place)
    assert made == place / "versions" / "0001_lay_the_tables.py"
    content = made.read_text()
    assert "sqlite_autoincrement=True" in content
    assert "isthmus" not in content
