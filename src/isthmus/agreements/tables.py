"""Tables of agreements: their versions and what people did with them at this node."""

from sqlalchemy import Boolean, Column, Date, Index, Integer, LargeBinary, Table, Text

from isthmus.platform.columns import Instant, Json, Sequence
from isthmus.platform.database import metadata

version_table = Table(
    "agreement_version",
    metadata,
    Column("id", Text, primary_key=True),  # agreement and version, such as PA-NL-2026@1
    Column("agreement", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("hash", Text, nullable=False),  # hex SHA-256 of the canonical form
    Column("state", Text, nullable=False),  # code list agreement_states
    Column("source", Text, nullable=False),  # the file as it was entered
    Column("drafted_by", Text, nullable=False),
    Column("drafted_at", Instant, nullable=False),
    Column("reviewed_by", Text),  # the first of the two who review it
    Column("reviewed_at", Instant),
    Column("tested_by", Text),  # the second; every example came out as meant
    Column("tested_at", Instant),
    Column("activated_by", Text),
    Column("activated_at", Instant),
    Column("ended_at", Instant),
    Index("uq_agreement_version_agreement_version", "agreement", "version", unique=True),
    Index("ix_agreement_version_state", "state"),
)

# A party's signature over the hash of a version: what widening needs from every node.
signature_table = Table(
    "agreement_signature",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("agreement", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("node", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("recorded_by", Text, nullable=False),
    Index("uq_agreement_signature_node", "agreement", "hash", "node", unique=True),
    sqlite_autoincrement=True,
)

# What this node narrowed by itself: a clause, or all of an agreement, for a time.
suspension_table = Table(
    "clause_suspension",
    metadata,
    Column("id", Text, primary_key=True),
    Column("agreement", Text, nullable=False),
    Column("clause", Text),  # nothing: every clause
    Column("since", Instant, nullable=False),
    Column("until", Instant),
    Column("ground", Text, nullable=False),  # code list refusal_grounds
    Column("suspended_by", Text, nullable=False),
    Column("lifted_by", Text),
    Index("ix_clause_suspension_agreement", "agreement"),
)

# A change of the overlay: a rule added or taken out, by two persons.
overlay_table = Table(
    "overlay_change",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("rule", Text, nullable=False),
    Column("body", Json),  # the rule; nothing when it is taken out
    Column("proposed_by", Text, nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("approved_by", Text),
    Column("approved_at", Instant),
    sqlite_autoincrement=True,
)

# What a partner last said is the hash of an agreement at its node.
partner_hash_table = Table(
    "partner_hash",
    metadata,
    Column("partner", Text, primary_key=True),
    Column("agreement", Text, primary_key=True),
    Column("hash", Text, nullable=False),
    Column("noted_at", Instant, nullable=False),
    Column("agrees", Boolean, nullable=False),  # with the hash here, when it was noted
)

# Which clause would have let pass what stayed: counts for whoever negotiates. No item is named.
gap_table = Table(
    "agreement_gap",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("clause", Text, nullable=False),  # a citation, or empty where no clause is near
    Column("recipient", Text, nullable=False),
    Column("code", Text, nullable=False),  # code list withholding_reasons
    Column("kind", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("count", Integer, nullable=False),
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
    Index("uq_agreement_gap_clause", "clause", "recipient", "code", "kind", "field", unique=True),
    sqlite_autoincrement=True,
)

commitment_table = Table(
    "commitment",
    metadata,
    Column("id", Text, primary_key=True),  # agreement and clause
    Column("agreement", Text, nullable=False),
    Column("clause", Text, nullable=False),
    Column("owners", Json, nullable=False),  # per state, the body that owes it
    Column("horizon", Text, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("state", Text, nullable=False),  # code list commitment_states
    Column("evidence", Json, nullable=False),  # ids of events offered as evidence
    Column("waived_by", Json, nullable=False),  # per state, the service number of its officer
    Column("offered_by", Text),
    Column("verified_by", Text),
    Column("changed_at", Instant, nullable=False),
    Index("ix_commitment_agreement", "agreement"),
)

# An agreement known by a row of a table alone: no text, no authority.
listed_table = Table(
    "listed_agreement",
    metadata,
    Column("id", Text, primary_key=True),  # set and number, such as PA-MX-2016/7
    Column("collection", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("title", Text),
    Column("theme", Text),  # code list agreement_themes
    Column("parties", Text),
    Column("owner", Text),
    Column("signed_on", Date),
    Column("status", Text),  # code list party_standings
    Column("text_at", Text),  # where its text can be read
    Column("completeness", Integer, nullable=False),  # per cent of what a row should hold
    Column("lacks", Json, nullable=False),
    Column("imported_at", Instant, nullable=False),
    Column("imported_by", Text, nullable=False),
    Index("uq_listed_agreement_number", "collection", "number", unique=True),
)
