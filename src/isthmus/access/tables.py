"""The tables of access. Names, logins and reasons stand here only, where they can be erased."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
)

from isthmus.platform.columns import Instant, Json
from isthmus.platform.database import metadata

agency_table = Table(
    "agency",
    metadata,
    Column("id", Text, primary_key=True),
    Column("code", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("active", Boolean, nullable=False),
)

person_table = Table(
    "person",
    metadata,
    Column("id", Text, primary_key=True),
    Column("agency_id", Text, ForeignKey("agency.id"), nullable=False),
    Column("name", Text),  # null until the invitation is accepted, and once erased
    Column("login", Text, unique=True),  # e-mail in lower case; null likewise
    Column("locale", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("access_until", Instant),  # end of a secondment, exclusive
    Column("category", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("review_on", Date, nullable=False),
    Column("retain_until", Date, nullable=False),
    Column("legal_hold", Boolean, nullable=False),
    Column("erased_at", Instant),
    Index("ix_person_agency_id", "agency_id"),
)

grant_table = Table(
    "role_grant",
    metadata,
    Column("id", Text, primary_key=True),
    Column("person_id", Text, ForeignKey("person.id"), nullable=False),
    Column("role", Text, nullable=False),
    Column("agency_id", Text, ForeignKey("agency.id"), nullable=False),
    Column("offices", Json),  # null: every office
    Column("terminals", Json),
    Column("since", Instant, nullable=False),
    Column("until", Instant),
    Index("ix_role_grant_person_id", "person_id"),
)

credential_table = Table(
    "credential",
    metadata,
    Column("person_id", Text, ForeignKey("person.id"), primary_key=True),
    Column("password", Text, nullable=False),  # argon2id, with its parameters and salt
    Column("totp", LargeBinary),  # seed, encrypted; null while a new one must be set up
    Column("totp_step", BigInteger, nullable=False),  # newest time step used: none is taken twice
    Column("changed_at", Instant, nullable=False),
)

recovery_table = Table(
    "recovery_code",
    metadata,
    Column("person_id", Text, ForeignKey("person.id"), primary_key=True),
    Column("code", Text, primary_key=True),  # keyed hash
    Column("used_at", Instant),
)

# Kept by a keyed hash of the login as typed, so that an unknown account behaves as a known one.
attempt_table = Table(
    "sign_in_attempt",
    metadata,
    Column("login_hash", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("locked_until", Instant),
)

session_table = Table(
    "session",
    metadata,
    Column("id", Text, primary_key=True),
    Column("token_hash", Text, nullable=False, unique=True),
    Column("person_id", Text, ForeignKey("person.id"), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("idle_seconds", Integer, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Index("ix_session_person_id", "person_id"),
)

token_table = Table(
    "api_token",
    metadata,
    Column("id", Text, primary_key=True),
    Column("token_hash", Text, nullable=False, unique=True),
    Column("label", Text, nullable=False),
    Column("agency_id", Text, ForeignKey("agency.id"), nullable=False),
    Column("role", Text, nullable=False),
    Column("permissions", Json, nullable=False),
    Column("offices", Json),
    Column("terminals", Json),
    Column("issued_by", Text, ForeignKey("person.id"), nullable=False),
    Column("issued_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
    Column("revoked_at", Instant),
)

invitation_table = Table(
    "invitation",
    metadata,
    Column("id", Text, primary_key=True),
    Column("secret_hash", Text, nullable=False, unique=True),
    Column("person_id", Text, ForeignKey("person.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("totp", LargeBinary),  # the new seed, encrypted, shown to whoever holds the link
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
    Index("ix_invitation_person_id", "person_id"),
)

purpose_table = Table(
    "purpose",
    metadata,
    Column("code", Text, primary_key=True),
    Column("active", Boolean, nullable=False),
)

assignment_table = Table(
    "assignment",
    metadata,
    Column("id", Text, primary_key=True),
    Column("person_id", Text, nullable=False),
    Column("object_kind", Text, nullable=False),
    Column("object_id", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("since", Instant, nullable=False),
    Column("until", Instant),
    Index("ix_assignment_person_id_object_id", "person_id", "object_id"),
    Index("ix_assignment_object_id", "object_id"),
)

# Only for supervision (permission lookup.read); never joined to what a model learns from.
lookup_table = Table(
    "lookup_log",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("agency_id", Text, nullable=False),
    Column("subject_kind", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("assignment_id", Text),
    Column("reason", LargeBinary),  # encrypted words of who looked; null with a task, or erased
    Index("ix_lookup_log_subject_id_at", "subject_id", "at"),
    Index("ix_lookup_log_actor_id_at", "actor_id", "at"),
)

denial_table = Table(
    "denial_rate",
    metadata,
    Column("actor_id", Text, primary_key=True),
    Column("since", Instant, nullable=False),
    Column("count", Integer, nullable=False),
)
