"""The tables of official lists and lookouts: versions, entries by version, and alarms."""

from sqlalchemy import Column, Date, Index, Integer, LargeBinary, Table, Text, text

from isthmus.platform import columns
from isthmus.platform.columns import Instant, Json
from isthmus.platform.database import metadata

version_table = Table(
    "list_version",
    metadata,
    Column("id", Text, primary_key=True),
    Column("list", Text, nullable=False),  # code of the list, such as ofac
    Column("number", Integer, nullable=False),  # from 1, without gaps
    Column("state", Text, nullable=False),  # in_force, superseded
    Column("published_on", Date),  # as whoever brought the file states it
    Column("taken_at", Instant, nullable=False),
    Column("taken_by", Text, nullable=False),
    Column("confirmed_at", Instant, nullable=False),  # when the same content last came in
    Column("licence", Text),
    Column("documents", Json, nullable=False),  # ids, in the order in which they were given
    Column("counts", Json, nullable=False),  # entries, names, addresses, identifiers, rejected
    Column("changes", Json, nullable=False),  # added, removed, changed against the one before
    Column("accepted", Json, nullable=False),  # alarms that a person overruled, with the reason
    Column("root", LargeBinary, nullable=False),  # digest over all entries, whatever their order
    Index("uq_list_version_list_number", "list", "number", unique=True),
    Index(
        "uq_list_version_list_in_force",
        "list",
        unique=True,
        sqlite_where=text("state = 'in_force'"),
        postgresql_where=text("state = 'in_force'"),
    ),
)

# An entry as it stood from one version until, exclusively, another; null while it stands.
entry_table = Table(
    "list_entry",
    metadata,
    Column("seq", columns.Sequence, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("list", Text, nullable=False),
    Column("key", Text, nullable=False),  # the list's own identifier
    Column("from_version", Integer, nullable=False),
    Column("until_version", Integer),
    Column("kind", Text, nullable=False),  # person, company, vessel, aircraft, address, unknown
    Column("body", Json),  # names, addresses, identifiers and so on; null once erased
    Column("digest", LargeBinary),  # null once erased: a guess could be tested against it
    Column("expires_on", Date),  # of an own lookout
    Column("category", Text),  # data-subject category, where it is or may be a person
    Column("purpose", Text),
    Column("review_on", Date),
    Column("retain_until", Date),  # set when it leaves the list
    Column("erasure_id", Text),
    Index("uq_list_entry_list_key_from_version", "list", "key", "from_version", unique=True),
    Index(
        "ix_list_entry_standing",
        "list",
        "kind",
        sqlite_where=text("until_version IS NULL"),
        postgresql_where=text("until_version IS NULL"),
    ),
    Index("ix_list_entry_retain_until", "retain_until"),
    sqlite_autoincrement=True,
)

# A file that was not taken, or a list grown stale: what is wrong, as codes with particulars.
alarm_table = Table(
    "list_alarm",
    metadata,
    Column("seq", columns.Sequence, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("list", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("raised_by", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("detail", Json, nullable=False),
    Column("documents", Json, nullable=False),
    Column("in_force", Integer),  # number of the version that stays in force, if there is one
    Column("ended_at", Instant),  # when a good version came in
    Index("ix_list_alarm_list_ended_at", "list", "ended_at"),
    sqlite_autoincrement=True,
)
