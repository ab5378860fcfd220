"""The tables of lists and of screening: versions, entries, alarms; hits and judgements."""

from sqlalchemy import Column, Date, Float, Index, Integer, LargeBinary, Table, Text, text

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
    Index(
        "ix_list_entry_erasure_id",
        "erasure_id",
        sqlite_where=text("erasure_id IS NOT NULL"),
        postgresql_where=text("erasure_id IS NOT NULL"),
    ),
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

# One row a distinct party line (or ship, or container prefix) that was screened, also with nothing
# found. ``line`` is a keyed hash of the text, which itself stands where it was declared.
screening_table = Table(
    "screening",
    metadata,
    Column("line", Text, primary_key=True),
    Column("subject", Text, nullable=False),  # as of the declared party; names it in erasures
    Column("kind", Text, nullable=False),  # party, vessel, container
    Column("at", Instant, nullable=False),
    Column("versions", Json, nullable=False),  # of each list it was screened with
    Column("hits", Integer, nullable=False),
    Column("retain_until", Date, nullable=False),
    Index("ix_screening_subject", "subject"),
    Index("ix_screening_retain_until", "retain_until"),
)

# A line that may mean an entry. One row for both, however often it is looked at again.
hit_table = Table(
    "hit",
    metadata,
    Column("seq", columns.Sequence, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("line", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("line_kind", Text, nullable=False),  # party, vessel, container
    Column("list", Text, nullable=False),
    Column("key", Text, nullable=False),  # the list's own identifier of the entry
    Column("entry_kind", Text, nullable=False),
    Column("score", Float, nullable=False),
    Column("basis", Text, nullable=False),  # name, number
    Column("algorithm", Text, nullable=False),
    Column("facts", Text, nullable=False),  # keyed digest of what would be judged
    Column("state", Text, nullable=False),  # code list hit_states
    Column("found_at", Instant, nullable=False),
    Column("settled_at", Instant),  # when it was last judged, or ended
    Column("ended_by", Text),  # code list hit_endings
    Column("category", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("review_on", Date, nullable=False),
    Column("retain_until", Date, nullable=False),
    Column("legal_hold", Text),
    Index("uq_hit_line_list_key", "line", "list", "key", unique=True),
    Index("ix_hit_state_score", "state", "score"),
    Index("ix_hit_list_key", "list", "key"),
    Index("ix_hit_subject", "subject"),
    Index("ix_hit_retain_until", "retain_until"),
    sqlite_autoincrement=True,
)

# What a person found of a subject and an entry. Never changed: second thoughts are a new row.
judgement_table = Table(
    "judgement",
    metadata,
    Column("seq", columns.Sequence, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("subject", Text, nullable=False),
    Column("list", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("facts", Text, nullable=False),
    Column("verdict", Text, nullable=False),  # code list verdicts
    Column("reason", Text, nullable=False),  # code list judgement_reasons
    Column("note", LargeBinary),  # sealed words, in the language of who wrote them
    Column("language", Text),
    Column("by", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("until", Date),  # from this day it no longer speaks; always set for "not the same"
    Column("retain_until", Date, nullable=False),
    Column("legal_hold", Text),
    Index("ix_judgement_subject_list_key", "subject", "list", "key"),
    Index("ix_judgement_until", "until"),
    sqlite_autoincrement=True,
)

# A change of a list, and what came of looking again at all that was screened before.
rescreening_table = Table(
    "rescreening",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("list", Text, nullable=False),
    Column("from_version", Integer, nullable=False),
    Column("to_version", Integer, nullable=False),
    Column("entries", Integer, nullable=False),  # new, changed or gone
    Column("lines", Integer, nullable=False),  # looked at
    Column("found", Integer, nullable=False),  # hits that are new
    Column("ended", Integer, nullable=False),
    Column("again", Integer, nullable=False),  # to be judged again, for the facts changed
    Index("uq_rescreening_list_to_version", "list", "to_version", unique=True),
)
