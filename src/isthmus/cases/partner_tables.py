"""The tables of what two countries work on together: seizures, inspection chains, requests."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
)

from isthmus.platform.columns import Instant, Json
from isthmus.platform.database import metadata

seizure_table = Table(
    "seizure",
    metadata,
    Column("number", Text, primary_key=True),  # SZ-<node>-<year>-<serial>
    Column("finder", Text, nullable=False),  # code of the node that issued the number
    Column("own", Boolean, nullable=False),
    Column("year", Integer, nullable=False),
    Column("serial", Integer, nullable=False),
    Column("inspection_id", Text, unique=True),  # null for one that a partner told of
    Column("unit_id", Text),
    Column("container", Text),
    Column("office", Text),
    Column("terminal", Text),
    Column("seized_at", Instant, nullable=False),
    Column("registered_by", Text, nullable=False),
    Column("registered_at", Instant, nullable=False),
    Column("notice_by", Instant),  # until when partners are owed the notice
    Column("noticed_by", Text),
    Column("noticed_at", Instant),
    Column("told", Boolean, nullable=False),  # whether an alert of the late notice was raised
    Column("chain", Text),  # the inspection chain that led to it
    Column("item", Text),  # the item that tells of it
    UniqueConstraint("finder", "year", "serial", name="uq_seizure_finder_year_serial"),
    Index("ix_seizure_notice_by", "notice_by"),
)

credit_table = Table(
    "seizure_credit",
    metadata,
    Column("number", Text, ForeignKey("seizure.number"), primary_key=True),
    Column("node", Text, primary_key=True),
    Column("role", Text, primary_key=True),  # code list credit_roles
    Column("share", Integer, nullable=False),  # percent; those of one seizure make 100
)

# What was seized, line by line: as it was reported, and as it weighed on a calibrated scale.
goods_table = Table(
    "seizure_goods",
    metadata,
    Column("number", Text, ForeignKey("seizure.number"), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("goods", Text, nullable=False),  # code list seized_goods
    Column("quantity", Float),
    Column("unit", Text),
    Column("packages", Integer),
    Column("zone", Text),
    Column("weighed", Float),  # in the unit reported
    Column("weighed_by", Text),
    Column("weighed_at", Instant),
)

chain_table = Table(
    "inspection_chain",
    metadata,
    Column("id", Text, primary_key=True),  # <code of the node that cued>:chn_...
    Column("container", Text, nullable=False),
    Column("unit_id", Text),
    Column("office", Text),
    Column("terminal", Text),
    Column("cued_by", Text, nullable=False),  # code of a node
    Column("asked", Text, nullable=False),  # code of a node
    Column("ours", Boolean, nullable=False),  # whether this node is the one that is asked
    Column("state", Text, nullable=False),  # code list chain_states
    Column("cue_reason", Text, nullable=False),
    Column("deadline", Instant, nullable=False),
    Column("decline_reason", Text),
    Column("inspection_id", Text),  # where it was done at this node
    Column("result", Text),
    Column("seizure", Text),
    Column("cued_at", Instant, nullable=False),
    Column("answered_at", Instant),
    Column("result_at", Instant),
    Column("port", Text),  # where it is to be inspected, UN/LOCODE
    Column("vessel_imo", Text),
    Column("voyage", Text),
    Column("arrives_at", Instant),  # at that port, as whoever cued knew it
    Column("guards_until", Instant, nullable=False),  # until when the box is not opened twice
    Column("cue_item", Text),  # the item that asked
    Column("result_item", Text),  # the item that told the result
    Index("ix_inspection_chain_container", "container"),
    Index("ix_inspection_chain_state", "state"),
)

# A box opened again although a chain guards it, at either node, and why.
reopening_table = Table(
    "chain_reopening",
    metadata,
    Column("id", Text, primary_key=True),  # of the inspection; of the item where a partner told
    Column("chain", Text, ForeignKey("inspection_chain.id"), nullable=False),
    Column("node", Text, nullable=False),  # code of the node that opens it again
    Column("at", Instant, nullable=False),
    Column("by", Text),  # the officer, where it is this node
    Column("reason", Text, nullable=False),  # code list override_reasons
    Column("words", Text),  # in the language of who wrote them; they stay at this node
    Column("language", Text),
    Column("result", Text),
    Column("told_at", Instant),  # when the partner was told
    Index("ix_chain_reopening_chain", "chain"),
)

request_table = Table(
    "request",
    metadata,
    Column("id", Text, primary_key=True),  # of the item that asks, the same on both nodes
    Column("partner", Text, nullable=False),  # code of the other node
    Column("incoming", Boolean, nullable=False),
    Column("state", Text, nullable=False),  # code list request_states
    Column("urgency", Text, nullable=False),
    Column("held", Text, nullable=False),  # code list information_holding
    Column("oral", Boolean, nullable=False),
    Column("questions", Json, nullable=False),  # code list request_questions
    Column("citation", Text),  # the clause whose reply clock runs; null: own default
    Column("own_case", Text),
    Column("partner_case", Text),
    Column("assigned_to", Text),
    Column("refusal_ground", Text),
    Column("lacks", Json),  # which parts of the request lack, while more is needed
    Column("answer_item", Text),  # the newest answer
    Column("feedback", Text),  # code list feedback_outcomes
    Column("made_by", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("sent_at", Instant),  # from when its clocks count
    Column("acknowledge_by", Instant),
    Column("answer_by", Instant),
    Column("answer_left", BigInteger),  # microseconds, while the answer's clock stands still
    Column("feedback_by", Instant),
    Column("written_by", Instant),  # until when an oral request is owed in writing
    Column("due_at", Instant),  # the earliest clock that runs
    Column("alert_at", Instant),  # the earliest clock that runs and was not told as overdue
    Index("ix_request_due_at", "due_at"),
    Index("ix_request_alert_at", "alert_at"),
)
