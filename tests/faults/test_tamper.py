"""One byte changed behind the node's back is named; what was lawfully erased is told apart."""

import io
import random
import shutil
import sqlite3
import struct
from contextlib import closing
from pathlib import Path
from typing import Any

import holdings
import pytest
import traffic
from node_process import here, init, isthmus, verify

from isthmus.cargo.formats.source import Source
from isthmus.node import Node
from isthmus.platform import upkeep

SENT = 12
# A document of three chunks that no reader knows.
BULK = random.Random(3).randbytes(2_300_000)

# Where the rows of a table are named, if not under its own name alone: keys and chunks are the
# document's, a feature row is its assessments', a batch's root that of the assessments in it.
NAMED_UNDER = {
    "document_key": {"document"},
    "document_chunk": {"document"},
    "feature_row": {"feature_row", "assessment"},
    "scoring_batch": {"scoring_batch", "assessment"},
    "audit_seal": {"audit_seal", "audit_entry"},
    "audit_entry": {"audit_entry", "audit_seal"},
}


NUMBERS = ("seq", "position")  # columns that are a table's row number


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A node with declarations received, scored and sealed, and a last one that is not sealed."""
    root = init(tmp_path_factory.mktemp("tamper") / "node")
    with Node.open(root) as node:
        for number in range(SENT):
            _send(node, traffic.declaration(traffic.reference(1, number)), "one.json")
        _send(node, BULK, "scan.bin")
        assert node.scorer.score_all() == SENT
        assert upkeep.seal_audit(node.database, node.folder) > 3 * SENT
        _send(node, traffic.declaration(traffic.reference(1, SENT)), "one.json")
    ended = verify(root)
    assert ended.status == 0, ended.out
    return root


def _send(node: Node, content: bytes, name: str) -> str:
    return node.receiver.receive(node.actor, io.BytesIO(content), Source(name)).document_id


@pytest.fixture
def root(original: Path, tmp_path: Path) -> Path:
    """A copy of the node, to be spoilt."""
    copy = tmp_path / "node"
    shutil.copytree(original, copy)
    return copy


def flipped(value: Any, dice: random.Random, *, numbered: bool = False) -> Any:
    """Return a stored value with one bit of one byte changed; a null becomes a value.

    A row's own number is changed in its third byte, so that it does not meet another row's.
    """
    if value is None:
        return "x"
    if isinstance(value, int):
        return value ^ (1 << (dice.randrange(8) + 16 * numbered))
    if isinstance(value, float):
        raw = bytearray(struct.pack("<d", value))
        raw[dice.randrange(6)] ^= 1
        return struct.unpack("<d", bytes(raw))[0]
    raw = bytearray(value if isinstance(value, bytes) else value.encode())
    raw[dice.randrange(len(raw))] ^= 1 << dice.randrange(7)
    return bytes(raw) if isinstance(value, bytes) else raw.decode()


def columns(root: Path, table: str) -> list[str]:
    """Return the names of a table's columns."""
    return [
        str(name)
        for (name,) in holdings.rows(root, "SELECT name FROM pragma_table_info(?)", [table])
    ]


def spoil(root: Path, table: str, column: str, row: int, value: Any) -> None:
    """Put a value into one cell, checks and references switched off."""
    with closing(sqlite3.connect(root / holdings.DATABASE, isolation_level=None)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        changed = connection.execute(
            f'UPDATE "{table}" SET "{column}" = ? WHERE rowid = ?', (value, row)
        ).rowcount
    assert changed == 1


def _row(root: Path, table: str, where: str = "1") -> tuple[int, dict[str, Any]]:
    """Return one row in the middle of a table and its number."""
    ids = [
        number for (number,) in holdings.rows(root, f'SELECT rowid FROM "{table}" WHERE {where}')
    ]
    chosen = ids[len(ids) // 2]
    (values,) = holdings.rows(root, f'SELECT * FROM "{table}" WHERE rowid = ?', [chosen])
    return int(chosen), dict(zip(columns(root, table), values, strict=True))


def _names(table: str, row: dict[str, Any]) -> set[str]:
    """Return the words by which a fault may name a row: its own id, or that of what it belongs to."""
    wanted = ("id", "document_id", "entry_seq", "seq", "position")
    return {str(row[name]) for name in wanted if row.get(name) is not None}


# The rows to spoil, and the columns that tell nothing of what was: they change as the node works.
CASES = [
    ("audit_entry", "seq IN (SELECT entry_seq FROM audit_seal)", ()),
    ("audit_entry", "seq NOT IN (SELECT entry_seq FROM audit_seal)", ()),
    ("audit_seal", "1", ()),
    ("document", "chunks = 1", ()),
    ("document", "chunks > 1", ()),
    ("document_key", "1", ()),
    ("document_chunk", "number > 0", ()),
    ("assessment", "1", ()),
    ("feature_row", "1", ()),
    # When a batch was scored is in its audit row; nobody reads it from here.
    ("scoring_batch", "1", ("at",)),
]


@pytest.mark.parametrize(
    ("table", "where", "living"),
    CASES,
    ids=[f"{case[0]}-{number}" for number, case in enumerate(CASES)],
)
def test_one_byte_in_each_column_is_named(
    root: Path, table: str, where: str, living: tuple[str, ...]
) -> None:
    dice = random.Random(f"{table}/{where}")
    missed = {}
    for column in columns(root, table):
        if column in living:
            continue
        number, row = _row(root, table, where)
        names = _belonging(root, table, row)
        changed = flipped(row[column], dice, numbered=column in (*NUMBERS, "entry_seq"))
        spoil(root, table, column, number, changed)
        ended = verify(root)
        told = [
            fault
            for fault in ended.told["faults"]
            if fault["table"] in NAMED_UNDER.get(table, {table})
            and _fits(fault["row"], names | _names(table, {**row, column: changed}))
        ]
        if ended.status != 1 or ended.told["intact"] or not told:
            missed[column] = [
                ended.status,
                [(f["table"], f["row"], f["message"]) for f in ended.told["faults"]],
            ]
        spoil(root, table, column, changed if column in NUMBERS else number, row[column])
        assert verify(root).status == 0, f"{table}.{column} was put back and is still off"
    assert missed == {}


def test_a_byte_of_the_database_file_is_named_by_the_command(root: Path) -> None:
    """The command as people run it: exit status 1, and the row in its words."""
    ((entry, detail),) = holdings.rows(
        root, "SELECT id, detail FROM audit_entry WHERE action = 'document.receive' LIMIT 1"
    )
    file = root / holdings.DATABASE
    raw = file.read_bytes()
    place = (
        raw.index(entry.encode() + b"\0")
        if entry.encode() + b"\0" in raw
        else raw.index(entry.encode())
    )
    place = raw.index(detail.encode(), place)
    with file.open("r+b") as stream:
        stream.seek(place + 2)
        stream.write(bytes([raw[place + 2] ^ 1]))
    ended = isthmus("--node", root, "verify", "--json")
    assert ended.status == 1
    faults = {(fault["table"], fault["row"]) for fault in ended.told["faults"]}
    assert ("audit_entry", entry) in faults
    words = isthmus("--node", root, "verify")
    assert words.status == 1
    assert f"ALTERED  audit_entry {entry}" in words.out


def _fits(told: str, names: set[str]) -> bool:
    words = told.split()
    return any(name in words for name in names)


def _belonging(root: Path, table: str, row: dict[str, Any]) -> set[str]:
    names = _names(table, row)
    if table == "feature_row":
        made = holdings.rows(
            root, "SELECT id FROM assessment WHERE feature_row_id = ?", [row["id"]]
        )
        names |= {str(name) for (name,) in made}
    if table == "assessment":
        names |= {row["batch_id"]}
    if table == "audit_seal":
        entry = holdings.rows(root, "SELECT id FROM audit_entry WHERE seq = ?", [row["entry_seq"]])
        following = holdings.rows(
            root,
            "SELECT e.id FROM audit_seal s JOIN audit_entry e ON e.seq = s.entry_seq "
            "WHERE s.position = ?",
            [row["position"] + 1],
        )
        names |= {str(name) for (name,) in entry + following}
    return names


# -- rows taken away ----------------------------------------------------------------------


def _faults(root: Path) -> list[tuple[str, str, str]]:
    ended = verify(root)
    assert ended.status == 1
    assert not ended.told["intact"]
    return [(fault["table"], fault["row"], fault["message"]) for fault in ended.told["faults"]]


def test_the_last_audit_row_taken_away_is_named(root: Path) -> None:
    ((last,),) = holdings.rows(root, "SELECT max(seq) FROM audit_entry")
    holdings.change(root, "DELETE FROM audit_entry WHERE seq = ?", [last])
    assert ("audit_entry", f"seq {last}", "the newest rows are gone") in _faults(root)


def test_a_sealed_row_taken_away_is_named(root: Path) -> None:
    ((entry,),) = holdings.rows(root, "SELECT entry_seq FROM audit_seal WHERE position = 20")
    holdings.change(root, "DELETE FROM audit_entry WHERE seq = ?", [entry])
    assert ("audit_entry", f"seq {entry}", "a sealed row is gone") in _faults(root)


def test_a_chain_cut_short_with_its_rows_is_named(root: Path) -> None:
    """Rows, seals and the counter that numbers rows: only the head noted apart still tells."""
    ((entry,),) = holdings.rows(root, "SELECT entry_seq FROM audit_seal WHERE position = 30")
    ((length,),) = holdings.rows(root, "SELECT max(position) FROM audit_seal")
    holdings.change(root, "DELETE FROM audit_seal WHERE position >= 30")
    holdings.change(root, "DELETE FROM audit_entry WHERE seq >= ?", [entry])
    holdings.change(
        root, "UPDATE sqlite_sequence SET seq = ? WHERE name = 'audit_entry'", [entry - 1]
    )
    words = "the chain lacks the head that was noted apart"
    assert ("audit_seal", str(length), words) in _faults(root)


def test_a_head_taken_away_is_named(root: Path) -> None:
    (root / "audit.head").unlink()
    assert [fault[0] for fault in _faults(root)] == ["audit.head"]


def test_an_assessment_taken_away_is_named(root: Path) -> None:
    ((batch,),) = holdings.rows(root, "SELECT batch_id FROM assessment LIMIT 1")
    holdings.change(
        root, "DELETE FROM assessment WHERE seq = (SELECT min(seq) + 3 FROM assessment)"
    )
    assert batch in {row for _, row, _ in _faults(root)}


def test_a_scoring_taken_away_whole_is_named(root: Path) -> None:
    ((batch,),) = holdings.rows(root, "SELECT id FROM scoring_batch")
    for table, column in (("assessment", "batch_id"), ("scoring_batch", "id")):
        holdings.change(root, f"DELETE FROM {table} WHERE {column} = ?", [batch])
    assert ("scoring_batch", batch) in [fault[:2] for fault in _faults(root)]


def test_an_assessment_put_in_is_named(root: Path) -> None:
    names = columns(root, "assessment")
    put = {
        "id": "'asm_made_up'",
        "batch_id": "'batch_made_up'",
        "seq": "seq + 1000",
        "current": "0",
    }
    holdings.change(
        root,
        f"INSERT INTO assessment ({', '.join(names)}) "
        f"SELECT {', '.join(put.get(name, name) for name in names)} FROM assessment LIMIT 1",
    )
    assert ("assessment", "asm_made_up") in [fault[:2] for fault in _faults(root)]


def test_a_document_taken_away_is_named(root: Path) -> None:
    ((document,),) = holdings.rows(root, "SELECT id FROM document WHERE chunks = 1 LIMIT 1")
    for table, column in (
        ("document_key", "document_id"),
        ("document_chunk", "document_id"),
        ("document", "id"),
    ):
        holdings.change(root, f"DELETE FROM {table} WHERE {column} = ?", [document])
    assert ("document", document, "the document is gone") in _faults(root)


# -- erased or destroyed ------------------------------------------------------------------


def _document(root: Path) -> str:
    ((document,),) = holdings.rows(
        root, "SELECT document_id FROM record WHERE key = ?", [traffic.reference(1, 4)]
    )
    return str(document)


def _erase(root: Path, document: str) -> str:
    ended = here(root, "erase", "--document", document, "--ground", "court_order")
    assert ended.status == 0, ended.err
    return str(ended.told["erasure"])


def test_what_was_lawfully_erased_is_told_apart(root: Path) -> None:
    document = _document(root)
    assessed = holdings.rows(
        root,
        "SELECT a.id FROM assessment a JOIN unit u ON u.id = a.unit_id WHERE u.declaration_key = ?",
        [traffic.reference(1, 4)],
    )
    erasure = _erase(root, document)
    ended = isthmus("--node", root, "verify", "--assessments", "1000", "--json")
    assert ended.status == 0, ended.out
    told = ended.told
    assert told["intact"]
    notices = {(notice["table"], notice["row"]) for notice in told["lawfully_erased"]}
    assert {notice["erasure"] for notice in told["lawfully_erased"]} == {erasure}
    assert notices == {("document", document), *(("assessment", name) for (name,) in assessed)}
    assert told["assessments_erased"] == len(assessed) > 0
    words = isthmus("--node", root, "verify")
    assert words.status == 0
    assert f"lawfully erased  document {document} (erasure {erasure})" in words.out


def test_a_key_destroyed_without_an_erasure_is_damage(root: Path) -> None:
    document = _document(root)
    holdings.change(root, "DELETE FROM document_key WHERE document_id = ?", [document])
    assert ("document", document, "the document's key is gone") in _faults(root)


def test_damage_dressed_as_an_erasure_is_damage(root: Path) -> None:
    """Everything an erasure leaves behind is made by hand, but for the register's own row."""
    document = _document(root)
    ((unit,),) = holdings.rows(
        root, "SELECT id FROM unit WHERE declaration_key = ?", [traffic.reference(1, 4)]
    )
    for table in ("document_key", "document_chunk"):
        holdings.change(root, f"DELETE FROM {table} WHERE document_id = ?", [document])
    invented = "ers_00000000000000000000000000"
    holdings.change(
        root, "UPDATE document SET name = NULL, erasure_id = ? WHERE id = ?", [invented, document]
    )
    holdings.change(
        root,
        "UPDATE feature_row SET body = NULL, salt = NULL, sources = '[]', erasure_id = ? "
        "WHERE unit_id = ?",
        [invented, unit],
    )
    holdings.change(root, "UPDATE assessment SET body = NULL WHERE unit_id = ?", [unit])
    words = "marked as erased, but there is no such erasure"
    faults = _faults(root)
    assert ("document", document, words) in faults
    told = [fault[2] for fault in faults if fault[0] == "assessment"]
    assert told == [words] * len(told) != []


def test_an_invented_erasure_in_the_register_is_named(root: Path) -> None:
    erasure = _erase(root, _document(root))
    invented = erasure[:-1] + ("0" if erasure[-1] != "0" else "1")
    holdings.change(
        root,
        "INSERT INTO erasure SELECT ?, at, actor, basis, subject, scope FROM erasure WHERE id = ?",
        [invented, erasure],
    )
    assert ("erasure", invented, "no audit row of this erasure") in _faults(root)


@pytest.mark.parametrize("column", ["id", "at", "actor", "basis", "subject", "scope"])
def test_one_byte_of_the_register_is_named(root: Path, column: str) -> None:
    erasure = _erase(root, _document(root))
    number, row = _row(root, "erasure")
    changed = flipped(row[column], random.Random(column))
    spoil(root, "erasure", column, number, changed)
    names = {erasure, str(changed)}
    assert [fault for fault in _faults(root) if fault[0] == "erasure" and fault[1] in names]
