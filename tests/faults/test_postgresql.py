"""A node on PostgreSQL: the same commands, eight writers at once, a backup and its restore."""

import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy
import traffic
from node_process import Served, here, init, token, verify
from senders import Senders, percentile
from sqlalchemy.engine import make_url

WRITERS = 8
POSTS = 400
LINES = 3_000


@pytest.fixture
def new_database(postgresql: sqlalchemy.Engine) -> Iterator[Callable[[], str]]:
    """Make empty databases and return their URLs; they are dropped after the test."""
    made: list[str] = []

    def make() -> str:
        name = f"isthmus_test_{uuid.uuid4().hex}"
        with postgresql.connect() as connection:
            connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
        made.append(name)
        return postgresql.url.set(database=name).render_as_string(hide_password=False)

    yield make
    with postgresql.connect() as connection:
        for name in made:
            connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _rows(url: str, query: str) -> list[tuple[object, ...]]:
    engine = sqlalchemy.create_engine(make_url(url))
    try:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sqlalchemy.text(query))]
    finally:
        engine.dispose()


def _received(root: Path, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("".join(traffic.rows(LINES)))
    ended = here(root, "receive", table)
    assert ended.status == 0, ended.err
    assert (ended.told["received"], ended.told["accepted"]) == (LINES, LINES)
    again = here(root, "receive", table)
    assert (again.told["accepted"], again.told["duplicates"]) == (0, LINES)


def test_the_loop_by_hand(tmp_path: Path, new_database: Callable[[], str]) -> None:
    root = init(tmp_path / "node", "--database", new_database())
    _received(root, tmp_path)
    scored = here(root, "score")
    assert (scored.status, scored.told["scored"]) == (0, LINES)
    picked = here(root, "target", "--budget", "12", "--objective", "revenue")
    assert (picked.status, picked.told["picked"]) == (0, 12)
    ended = verify(root, "--assessments", "50")
    assert ended.status == 0, ended.out
    assert (ended.told["intact"], ended.told["assessments_recomputed"]) == (True, 50)


def test_eight_writers_at_once(tmp_path: Path, new_database: Callable[[], str]) -> None:
    url = new_database()
    root = init(tmp_path / "node", "--database", url)
    with Served(root, token(root)) as node:
        with Senders(node.port, node.secret, writers=WRITERS) as senders:
            senders.until(POSTS, 120)
        log = node.log.read_text()
    assert senders.faults == []
    assert set(senders.outcomes) == {"201"}
    print(
        f"\n{WRITERS} writers: p50 {percentile(senders.seconds, 0.5):.0f} ms, "
        f"p99 {percentile(senders.seconds, 0.99):.0f} ms"
    )
    standing = dict(_rows(url, "SELECT key, document_id FROM record WHERE kind = 'declaration'"))
    told = {name: document for name, (document, _) in senders.acknowledged.items()}
    assert standing == told
    assert _rows(url, "SELECT count(*) FROM unit") == [(len(told),)]
    assert "Traceback" not in log
    ended = verify(root)
    assert ended.status == 0, ended.out


def test_one_byte_changed_is_named(tmp_path: Path, new_database: Callable[[], str]) -> None:
    url = new_database()
    root = init(tmp_path / "node", "--database", url)
    file = tmp_path / "one.json"
    file.write_bytes(traffic.declaration("ONE"))
    assert here(root, "receive", file).status == 0
    ((document,),) = _rows(url, "SELECT id FROM document")
    engine = sqlalchemy.create_engine(make_url(url))
    with engine.begin() as connection:
        connection.execute(
            sqlalchemy.text(
                "UPDATE document_chunk SET body = set_byte(body, 20, get_byte(body, 20) # 1)"
            )
        )
    engine.dispose()
    ended = verify(root)
    assert ended.status == 1
    assert [(fault["table"], fault["row"]) for fault in ended.told["faults"]] == [
        ("document", f"{document} chunk 0")
    ]


def test_a_backup_is_restored_into_another_database(
    tmp_path: Path, new_database: Callable[[], str]
) -> None:
    if shutil.which("pg_dump") is None or shutil.which("pg_restore") is None:
        pytest.skip("pg_dump and pg_restore are not installed")
    url, other = new_database(), new_database()
    root, backup, restored = (
        init(tmp_path / "node", "--database", url),
        tmp_path / "b",
        tmp_path / "r",
    )
    _received(root, tmp_path)
    file = tmp_path / "one.json"
    file.write_bytes(traffic.declaration("ERASED"))
    assert here(root, "receive", file).status == 0
    ((document,),) = _rows(url, "SELECT document_id FROM record WHERE key = 'ERASED'")
    assert here(root, "backup", backup).status == 0
    erased = here(root, "erase", "--document", str(document), "--ground", "subject_request")
    assert erased.status == 0
    refused = here(restored, "restore", backup)
    assert (refused.status, refused.told["error"]["code"]) == (2, "database_needed")
    ended = here(restored, "restore", backup, "--database", other)
    assert ended.status == 0, ended.err
    assert ended.told["erasures_replayed"] == [erased.told["erasure"]]
    counted = "SELECT count(*), count(DISTINCT key) FROM record"
    assert _rows(other, counted) == _rows(url, counted) == [(LINES, LINES)]
    told = verify(restored)
    assert told.status == 0, told.out
    assert [notice["row"] for notice in told.told["lawfully_erased"]] == [document]
