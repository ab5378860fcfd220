"""The tables of cargo.

``record`` keeps every version of every record, without what it says of people;
``record_mention`` finds records by the boxes and bills they name or named; ``declared_party``
keeps people and companies as declared, so that a person can be erased and everything else stays;
``unit`` is the flat row of the queue; ``quarantine`` keeps what could not be read.
"""

import types
from dataclasses import fields
from datetime import datetime
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    Float,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    literal_column,
    text,
)
from sqlalchemy.types import TypeEngine

from isthmus.cargo.unit import Unit
from isthmus.platform import columns
from isthmus.platform.columns import Instant, Json
from isthmus.platform.database import metadata


def _index_where_known(name: str, *columns: str) -> Index:
    """Index the rows in which the first column is known: most rows leave most of them open."""
    known = text(f"{columns[0]} IS NOT NULL")
    return Index(name, *columns, sqlite_where=known, postgresql_where=known)


record_table = Table(
    "record",
    metadata,
    Column("seq", columns.Sequence, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),  # consignment, manifest, declaration, event
    Column("key", Text, nullable=False),
    Column("version", Integer, nullable=False),  # 0 while parked
    Column("function", Text, nullable=False),  # original, change, cancel
    Column("state", Text, nullable=False),  # current, superseded, parked
    Column("other_key", Text),  # a declaration's local reference; a consignment's manifest
    Column("parent_key", Text),  # what a parked amendment waits for
    Column("bill", Text),
    Column("container", Text),  # of an event
    Column("consignee_ref", Text),
    Column("document_id", Text, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("position", Text, nullable=False),
    Column("body", Json, nullable=False),
    Column("flags", Json, nullable=False),
    Column("digest", LargeBinary, nullable=False),  # keyed digest of the whole record
    Column("received_at", Instant, nullable=False),
    Index(
        "uq_record_kind_key_version",
        "kind",
        "key",
        "version",
        unique=True,
        sqlite_where=text("version > 0"),
        postgresql_where=text("version > 0"),
    ),
    _index_where_known("ix_record_other_key", "other_key"),
    _index_where_known("ix_record_parent_key", "parent_key"),
    _index_where_known("ix_record_bill", "bill"),
    _index_where_known("ix_record_container", "container"),
    Index("ix_record_document_id", "document_id"),
    sqlite_autoincrement=True,
)

mention_table = Table(
    "record_mention",
    metadata,
    Column("what", Text, primary_key=True),  # container, bill, master, reference; seal, box
    Column("value", Text, primary_key=True),
    Column("record_kind", Text, primary_key=True),
    Column("record_key", Text, primary_key=True),
)

# Records that stand in a version, not parked. The zero is written out: SQLite takes a partial index
# only where the query repeats its condition, and a bound value does not.
STANDING = record_table.c.version > literal_column("0")

party_table = Table(
    "declared_party",
    metadata,
    Column("seq", columns.Sequence, primary_key=True, autoincrement=True),
    Column("record_id", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("ref", Text, nullable=False),  # identifier, else a keyed hash of the folded name
    Column("subject", Text, nullable=False),  # keyed hash of the reference: names it in erasures
    Column("name", Text),
    Column("identifier", Text),
    Column("address", Json),  # lines, city, postcode, country, contact as declared
    Column("category", Text, nullable=False),  # data-subject category
    Column("purpose", Text, nullable=False),
    Column("review_on", Date, nullable=False),
    Column("retain_until", Date, nullable=False),
    Column("legal_hold", Text),  # the id of the hold, while there is one
    Column("line", Text),  # keyed hash of the whole line; null until it was screened
    Index("ix_declared_party_record_id", "record_id"),
    _index_where_known("ix_declared_party_line", "line"),
    Index(
        "ix_declared_party_unscreened",
        "seq",
        sqlite_where=text("line IS NULL"),
        postgresql_where=text("line IS NULL"),
    ),
    Index("ix_declared_party_subject", "subject"),
    Index("ix_declared_party_retain_until", "retain_until"),
    Index("ix_declared_party_review_on", "review_on"),
    sqlite_autoincrement=True,
)

reading_table = Table(
    "reading",
    metadata,
    Column("document_id", Text, primary_key=True),
    Column("format", Text),  # null: no reader knows it
    Column("source", Text, nullable=False),
    Column("mapping", Text),
    Column("state", Text, nullable=False),  # stored, reading, read, unsupported (document_states)
    Column("ordinal", Integer, nullable=False),  # after how many readings to go on
    Column("received", Integer, nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("quarantined", Integer, nullable=False),
    Column("parked", Integer, nullable=False),
    Column("duplicates", Integer, nullable=False),
    Column("new_versions", Integer, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_reading_state_at", "state", "at"),
)

quarantine_table = Table(
    "quarantine",
    metadata,
    Column("id", Text, primary_key=True),
    Column("document_id", Text, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("position", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("field", Text),
    Column("value", Text),
    Column("state", Text, nullable=False),  # open, resolved, abandoned
    Column("at", Instant, nullable=False),
    Column("settled_at", Instant),
    Index("ix_quarantine_document_id", "document_id"),
    Index("ix_quarantine_state_at", "state", "at"),
)

_TYPES: dict[Any, TypeEngine[Any]] = {
    str: Text(),
    int: Integer(),
    float: Float(),
    bool: Boolean(),
    datetime: Instant(),
}


def _unit_columns() -> list[Column[Any]]:
    """Make the columns of a unit from its annotations: the dataclass is the one description."""
    hints = get_type_hints(Unit, include_extras=True)
    made: list[Column[Any]] = []
    for entry in fields(Unit):
        hint = hints[entry.name]
        if get_origin(hint) is Annotated:
            hint = get_args(hint)[0]
        optional = get_origin(hint) in (types.UnionType, Union)
        if optional:
            hint = next(part for part in get_args(hint) if part is not type(None))
        column_type = Json() if get_origin(hint) is tuple else _TYPES[hint]
        made.append(
            Column(entry.name, column_type, unique=entry.name == "id" or None, nullable=optional)
        )
    return made


unit_table = Table(
    "unit",
    metadata,
    Column("seq", columns.Sequence, primary_key=True, autoincrement=True),
    *_unit_columns(),
    Column("scored_version", Integer, nullable=False, server_default="0"),
    _index_where_known("ix_unit_container_bill", "container", "bill"),
    _index_where_known("ix_unit_bill", "bill"),
    _index_where_known("ix_unit_master_bill", "master_bill"),
    _index_where_known("ix_unit_declaration_key", "declaration_key"),
    Index("ix_unit_state_office", "state", "office"),
    Index(
        "ix_unit_due",
        "state",  # one value here; with it SQLite prefers this index to that of all open units
        "id",
        sqlite_where=text("scored_version < version AND state = 'open'"),
        postgresql_where=text("scored_version < version AND state = 'open'"),
    ),
    sqlite_autoincrement=True,
)
