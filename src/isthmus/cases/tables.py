"""The tables of picks, holds, inspections, findings and alerts."""

from sqlalchemy import Boolean, Column, Float, Index, Integer, LargeBinary, Table, Text, text

from isthmus.platform.columns import Instant, Json
from isthmus.platform.database import metadata

run_table = Table(
    "target_run",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("run_by", Text, nullable=False),
    Column("office", Text),
    Column("shift", Text, nullable=False),
    Column("objective", Text, nullable=False),
    Column("budget", Integer, nullable=False),
    Column("floor", Float, nullable=False),
    Column("seed", Text, nullable=False),
    Column("candidates", Integer, nullable=False),
    Column("overflow", Integer, nullable=False),  # mandated beyond the budget
    Column("lanes", Json, nullable=False),  # by lane its budget and how many it chose from
    Column("pool", LargeBinary, nullable=False),  # the assessments chosen from; see flow.replay
    Index("ix_target_run_at", "at"),
)

pick_table = Table(
    "pick",
    metadata,
    Column("id", Text, primary_key=True),
    Column("run_id", Text, nullable=False),
    Column("unit_id", Text, nullable=False),
    Column("unit_version", Integer, nullable=False),
    Column("assessment_id", Text),
    Column("office", Text),
    Column("terminal", Text),
    Column("lane", Text, nullable=False),
    Column("basis", Text, nullable=False),  # mandated, ranked, random, partner
    Column("rule_id", Text),  # of a mandated pick
    Column("rank", Integer, nullable=False),
    Column("score", Float),
    Column("propensity", Float, nullable=False),
    Column("deadline_at", Instant),
    Column("state", Text, nullable=False),
    Column("taken_by", Text),
    Column("taken_until", Instant),
    Column("decided_by", Text),
    Column("decided_at", Instant),
    Column("reasons", Json),
    Column("agrees", Boolean),  # whether the officer agrees with the assessment
    Column("created_at", Instant, nullable=False),
    Index("ix_pick_state_office", "state", "office"),
    Index("ix_pick_unit_id", "unit_id"),
    Index("ix_pick_run_id", "run_id"),
    # A unit stands in the queue once, whatever runs pick it.
    Index(
        "uq_pick_unit_id_open",
        "unit_id",
        unique=True,
        sqlite_where=text("state NOT IN ('cleared', 'inspected', 'released', 'expired')"),
        postgresql_where=text("state NOT IN ('cleared', 'inspected', 'released', 'expired')"),
    ),
)

hold_table = Table(
    "hold",
    metadata,
    Column("id", Text, primary_key=True),
    Column("pick_id", Text),
    Column("unit_id", Text, nullable=False),
    Column("container", Text),
    Column("office", Text),
    Column("terminal", Text),
    Column("state", Text, nullable=False),
    Column("reasons", Json, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("confirmed_by", Text),
    Column("confirmed_at", Instant),
    Column("acknowledge_by", Instant),  # until when the terminal owes its answer
    Column("acknowledged_by", Text),
    Column("acknowledged_at", Instant),
    Column("holds_until", Instant),
    Column("extended_by", Text),  # the newest extension; the audit has them all
    Column("extended_at", Instant),
    Column("extension_reasons", Json),
    Column("ended_by", Text),
    Column("ended_at", Instant),
    Column("end_reasons", Json),
    Index("ix_hold_state_terminal", "state", "terminal"),
    Index("ix_hold_container_state", "container", "state"),
    Index("ix_hold_unit_id", "unit_id"),
)

inspection_table = Table(
    "inspection",
    metadata,
    Column("id", Text, primary_key=True),
    Column("pick_id", Text),
    Column("unit_id", Text, nullable=False),
    Column("office", Text),
    Column("terminal", Text),
    Column("state", Text, nullable=False),
    Column("control_type", Text, nullable=False),  # ordered; done when the result says another
    Column("ordered_by", Text, nullable=False),
    Column("ordered_at", Instant, nullable=False),
    Column("accepted_by", Text),
    Column("accepted_at", Instant),
    Column("done_by", Text),
    Column("done_at", Instant),
    Column("result", Text),
    Column("objective", Text),  # which kind of irregularity was found, if any
    Column("share_unloaded", Float),  # 0 to 1
    Column("minutes_delay", Integer),
    Column("decline_reason", Text),
    Column("override", Text),  # why the box is opened again, code list override_reasons
    Column("chain", Text),  # the chain that was overridden
    Index("ix_inspection_state_office", "state", "office"),
    Index("ix_inspection_unit_id", "unit_id"),
)

finding_table = Table(
    "finding",
    metadata,
    Column("id", Text, primary_key=True),
    Column("inspection_id", Text, nullable=False),
    Column("goods", Text, nullable=False),  # code list seized_goods
    Column("quantity", Float),
    Column("unit", Text),
    Column("pieces", Integer),
    Column("zone", Text),  # code list concealment_zones
    Column("note", Text),
    Column("language", Text),  # of the note
    Index("ix_finding_inspection_id", "inspection_id"),
)

alert_table = Table(
    "alert",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("unit_id", Text),
    Column("hold_id", Text),
    Column("container", Text),
    Column("office", Text),
    Column("terminal", Text),
    Column("detail", Json, nullable=False),
    Column("state", Text, nullable=False),  # open, seen
    Column("seen_by", Text),
    Column("seen_at", Instant),
    Index("ix_alert_state_at", "state", "at"),
    Index("ix_alert_unit_id", "unit_id"),
)
