"""What a node's database holds after a fault: every thing whole, every acknowledged thing once.

The database is asked directly, in SQL of its own, so that a fault in the product's reading cannot
hide one in its writing.
"""

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from isthmus.node import Node
from isthmus.platform import documents

DATABASE = "isthmus.db"

TWICE = "an assessment made twice"
# Each names what must not be there: something of which a part is missing, or that stands twice.
HALVES = {
    "a document without its key": """
        SELECT d.id FROM document d LEFT JOIN document_key k ON k.document_id = d.id
        WHERE k.document_id IS NULL AND d.erasure_id IS NULL""",
    "a document that lacks chunks": """
        SELECT d.id FROM document d
        WHERE d.erasure_id IS NULL AND d.chunks !=
            (SELECT count(*) FROM document_chunk c WHERE c.document_id = d.id)""",
    "a document without a reading": """
        SELECT d.id FROM document d LEFT JOIN reading r ON r.document_id = d.id
        WHERE r.document_id IS NULL""",
    "a reading without its document": """
        SELECT r.document_id FROM reading r LEFT JOIN document d ON d.id = r.document_id
        WHERE d.id IS NULL""",
    "a document without the audit of its receipt, or with two": """
        SELECT d.id FROM document d LEFT JOIN audit_entry a
            ON a.object_id = d.id AND a.action = 'document.receive'
        GROUP BY d.id HAVING count(a.seq) != 1""",
    "a document read without the audit of its reading, or with two": """
        SELECT r.document_id FROM reading r LEFT JOIN audit_entry a
            ON a.object_id = r.document_id AND a.action = 'document.read'
        WHERE r.state = 'read' GROUP BY r.document_id HAVING count(a.seq) != 1""",
    "a reading whose records are not all there": """
        SELECT r.document_id FROM reading r
        WHERE r.accepted !=
            (SELECT count(*) FROM record e WHERE e.document_id = r.document_id)
        AND r.state = 'read'""",
    "a record of a document that is not there": """
        SELECT e.id FROM record e LEFT JOIN document d ON d.id = e.document_id
        WHERE d.id IS NULL""",
    "a record that stands twice": """
        SELECT kind || ' ' || key FROM record WHERE version > 0
        GROUP BY kind, key, version HAVING count(*) > 1""",
    "a declaration without a unit, or with two": """
        SELECT e.key FROM record e LEFT JOIN unit u ON u.declaration_key = e.key
        WHERE e.kind = 'declaration' AND e.version = 1
        GROUP BY e.key HAVING count(u.seq) != 1""",
    TWICE: """
        SELECT unit_id || ' ' || objective FROM assessment
        GROUP BY unit_id, unit_version, objective HAVING count(*) > 1""",
    "two assessments in force at once": """
        SELECT unit_id || ' ' || objective FROM assessment WHERE current
        GROUP BY unit_id, objective HAVING count(*) > 1""",
    "an assessment without its feature row": """
        SELECT a.id FROM assessment a LEFT JOIN feature_row f ON f.id = a.feature_row_id
        WHERE f.id IS NULL""",
    "a unit marked as scored without an assessment": """
        SELECT u.id FROM unit u LEFT JOIN assessment a
            ON a.unit_id = u.id AND a.unit_version = u.scored_version
        WHERE u.scored_version > 0 AND a.id IS NULL""",
    "an audit row that is sealed twice": """
        SELECT entry_seq FROM audit_seal GROUP BY entry_seq HAVING count(*) > 1""",
}


def rows(root: Path, query: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
    """Run a query on a node's database without changing anything."""
    place = f"file:{root / DATABASE}?mode=ro"
    with closing(sqlite3.connect(place, uri=True, timeout=60)) as connection:
        return connection.execute(query, tuple(values)).fetchall()


def change(root: Path, statement: str, values: Iterable[Any] = ()) -> int:
    """Change a node's database behind its back; return how many rows."""
    with closing(sqlite3.connect(root / DATABASE, timeout=60)) as connection, connection:
        return connection.execute(statement, tuple(values)).rowcount


def halves(root: Path, *but: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return what is half there or stands twice, by name; empty when all is whole.

    ``but`` names what may be there.
    """
    found = {name: rows(root, query) for name, query in HALVES.items() if name not in but}
    return {name: lines[:5] for name, lines in found.items() if lines}


def lost(root: Path, acknowledged: Mapping[str, tuple[str, bytes]]) -> dict[str, str]:
    """Return what is wrong with acknowledged declarations: by reference, in words.

    ``acknowledged`` gives by reference the id of the document that the node answered with and the
    bytes that were sent.
    """
    by_key: dict[str, list[str]] = {}
    for key, document in rows(
        root, "SELECT key, document_id FROM record WHERE kind = 'declaration' AND version > 0"
    ):
        by_key.setdefault(key, []).append(document)
    wrong = {}
    with Node.open(root) as node:
        for name, (document, sent) in acknowledged.items():
            standing = by_key.get(name, [])
            if standing != [document]:
                wrong[name] = f"acknowledged as {document}, stands in {standing}"
                continue
            kept = node.database.read(
                lambda tx, d=document: b"".join(documents.read(tx, d))  # type: ignore[misc]
            )
            if hashlib.sha256(kept).digest() != hashlib.sha256(sent).digest():
                wrong[name] = f"{document} does not hold the bytes sent"
    return wrong


def waiting(root: Path) -> int:
    """Return how many open units wait to be scored."""
    ((count,),) = rows(
        root, "SELECT count(*) FROM unit WHERE scored_version < version AND state = 'open'"
    )
    return int(count)


def run_out_leases(root: Path) -> int:
    """Let the leases of killed workers run out now rather than after minutes; return how many."""
    return change(root, "UPDATE job SET leased_until = run_at WHERE state = 'running'")
