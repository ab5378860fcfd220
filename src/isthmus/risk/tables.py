"""The tables of rules, models, feature rows, assessments and outcomes."""

from sqlalchemy import Boolean, Column, Date, Float, Index, Integer, LargeBinary, Table, Text, text

from isthmus.platform import columns
from isthmus.platform.columns import Instant, Json
from isthmus.platform.database import metadata

rule_table = Table(
    "rule",
    metadata,
    Column("id", Text, primary_key=True),  # rule id and version, such as late_consignee@2
    Column("rule_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),  # code list rule_states
    Column("source", Text, nullable=False),  # the rule as YAML, as it was read
    Column("proposed_by", Text, nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("approved_by", Text),
    Column("approved_at", Instant),
    Column("expires_on", Date),
    Index("uq_rule_rule_id_version", "rule_id", "version", unique=True),
)

# What an assessment was made with, kept under the digest of its bytes for as long as it is named.
ruleset_table = Table(
    "ruleset",
    metadata,
    Column("id", Text, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("first_used_at", Instant, nullable=False),
)

model_table = Table(
    "model",
    metadata,
    Column("id", Text, primary_key=True),  # digest of the bytes
    Column("objective", Text, nullable=False),
    Column("state", Text, nullable=False),  # code list model_states
    Column("body", LargeBinary, nullable=False),
    Column("card", Json, nullable=False),  # metrics, span, counts: the model card
    Column("trained_by", Text, nullable=False),
    Column("trained_at", Instant, nullable=False),
    Column("approved_by", Text),
    Column("approved_at", Instant),
    Column("second_by", Text),
    Column("second_at", Instant),
    Column("retired_at", Instant),
    Index(
        "uq_model_objective_live",
        "objective",
        unique=True,
        sqlite_where=text("state = 'live'"),
        postgresql_where=text("state = 'live'"),
    ),
)

feature_table = Table(
    "feature_row",
    metadata,
    Column("id", Text, primary_key=True),
    Column("unit_id", Text, nullable=False),
    Column("unit_version", Integer, nullable=False),
    Column("as_of", Instant, nullable=False),
    Column("body", LargeBinary),  # canonical row, compressed; null once erased
    Column("salt", LargeBinary),  # of the digests of its assessments; null once erased
    Column("sources", Json, nullable=False),  # ids of the record versions it was made from
    Column("erasure_id", Text),
    Index("ix_feature_row_unit_id", "unit_id"),
)

assessment_table = Table(
    "assessment",
    metadata,
    Column("seq", columns.Sequence, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("unit_id", Text, nullable=False),
    Column("unit_version", Integer, nullable=False),
    Column("objective", Text, nullable=False),
    Column("batch_id", Text, nullable=False),  # whose audit row vouches for it
    Column("feature_row_id", Text, nullable=False),
    Column("ruleset_id", Text, nullable=False),
    Column("model_id", Text),
    Column("code_version", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("score", Float, nullable=False),
    Column("band", Text, nullable=False),
    Column("basis", Text, nullable=False),  # model, rules_and_novelty
    Column("mandated_by", Text),  # the rule that mandates a pick, if any
    Column("lane", Text),  # advised lane
    Column("body", Text),  # canonical assessment: score, reasons, shadow rules; null once erased
    Column("digest", LargeBinary, nullable=False),  # salted, over this row and its feature row
    Column("current", Boolean, nullable=False),
    Column("asked_by", Text),  # partners whose lookouts gave a reason, by their codes
    Column("own_score", Float),  # what the score is without them; null where nobody asked
    Index("ix_assessment_unit_id", "unit_id"),
    Index("ix_assessment_batch_id", "batch_id"),
    Index(
        "ix_assessment_asked_by",
        "unit_id",
        sqlite_where=text("asked_by IS NOT NULL"),
        postgresql_where=text("asked_by IS NOT NULL"),
    ),
    Index(
        "ix_assessment_ranking",
        "objective",
        "score",
        sqlite_where=text("current"),
        postgresql_where=text("current"),
    ),
    sqlite_autoincrement=True,
)

# One row a scored batch: how many assessments, and the digest over all of them in order.
batch_table = Table(
    "scoring_batch",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("assessments", Integer, nullable=False),
    Column("root", LargeBinary, nullable=False),
)

outcome_table = Table(
    "outcome",
    metadata,
    Column("seq", columns.Sequence, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("unit_id", Text, nullable=False),
    Column("objective", Text, nullable=False),
    Column("positive", Boolean, nullable=False),
    Column("source", Text, nullable=False),  # inspection, declared
    Column("inspection_id", Text),
    Column("propensity", Float),  # of the pick that led to it, where there was one
    Column("detail", Text),
    Column("recorded_at", Instant, nullable=False),
    # An inspection says one thing of an objective; so does, of a unit, the table it came in.
    Index(
        "uq_outcome_inspection_id_objective",
        "inspection_id",
        "objective",
        unique=True,
        sqlite_where=text("inspection_id IS NOT NULL"),
        postgresql_where=text("inspection_id IS NOT NULL"),
    ),
    Index(
        "uq_outcome_unit_id_objective_declared",
        "unit_id",
        "objective",
        unique=True,
        sqlite_where=text("inspection_id IS NULL"),
        postgresql_where=text("inspection_id IS NULL"),
    ),
    Index("ix_outcome_objective_recorded_at", "objective", "recorded_at"),
    sqlite_autoincrement=True,
)

# What each partner may take of a budget, where an office set it; see risk.shares.
share_table = Table(
    "partner_share",
    metadata,
    Column("partner", Text, primary_key=True),
    Column("share", Float, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("set_at", Instant, nullable=False),
)
