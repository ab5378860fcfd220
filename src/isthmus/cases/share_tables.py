"""The table of what was learned and waits for a person to share it."""

from sqlalchemy import Column, Index, Table, Text, UniqueConstraint

from isthmus.platform.columns import Instant
from isthmus.platform.database import metadata

to_share_table = Table(
    "to_share",
    metadata,
    Column("id", Text, primary_key=True),
    Column("about_kind", Text, nullable=False),  # pick, inspection, seizure, request, stopped
    Column("about_id", Text, nullable=False),
    Column("unit_id", Text),
    Column("office", Text),
    Column("terminal", Text),
    Column("item_id", Text),  # made of it; null where a person words it first
    Column("item_kind", Text, nullable=False),  # code list item_kinds: what would tell it
    Column("state", Text, nullable=False),  # waiting, sent, kept, overtaken
    Column("raised_at", Instant, nullable=False),
    Column("settled_at", Instant),
    Column("settled_by", Text),
    UniqueConstraint("about_kind", "about_id", name="uq_to_share_about_kind_about_id"),
    Index("ix_to_share_state", "state", "raised_at"),
    Index("ix_to_share_item_id", "item_id"),
)
