"""The tables of items: which are known, the copies of their versions, and the objects they name.

What an item says stands in a stored document under a key of its own; the rows hold what must be
searched, and no data about persons.
"""

from sqlalchemy import Boolean, Column, Date, ForeignKey, Index, Integer, Table, Text

from isthmus.platform import columns
from isthmus.platform.columns import Instant, Json
from isthmus.platform.database import metadata

# An item by its id among all nodes. A recall that overtakes its item leaves version 0 here.
item_table = Table(
    "item",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text),  # code list item_kinds; null while only its recall is known
    Column("originator", Text, nullable=False),
    Column("own", Boolean, nullable=False),
    Column("version", Integer, nullable=False),  # the newest that is here
    Column("state", Text, nullable=False),  # code list item_states
    Column("changed_at", Instant, nullable=False),
    Column("recall", Text),  # id of the recall, while it stands recalled
    Column("recall_reason", Text),  # code list recall_reasons
    Column("replaced_by", Text),
    Index("ix_item_kind_state", "kind", "state"),
    Index("ix_item_changed_at", "changed_at"),
)

# A version of an item as one envelope brought it, or as it was made here. Copies of one version
# stay apart: each came for its own purposes, with its own paths, and is kept for its own time.
copy_table = Table(
    "item_copy",
    metadata,
    Column("seq", columns.Sequence, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("item", Text, ForeignKey("item.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),  # code list item_states
    Column("source", Text, nullable=False),  # id of the envelope, or "own"
    Column("partner", Text),  # code of the node that sent it; null for an own item
    Column("purposes", Json, nullable=False),  # for which it came; an own one serves any
    Column("targeting", Boolean, nullable=False),  # whether targeting is among them
    Column("document_id", Text),  # null where nothing of it is kept
    Column("made_at", Instant, nullable=False),  # by the originator
    Column("entered_at", Instant, nullable=False),
    Column("entered_by", Text, nullable=False),
    Column("expires_at", Instant),  # from then on it is not used
    Column("categories", Json, nullable=False),  # data-subject categories of its persons
    Column("purpose", Text, nullable=False),  # for which persons' data are kept
    Column("review_on", Date),  # set where it is about persons
    Column("retain_until", Date, nullable=False),
    Column("legal_hold", Text),
    Column("erasure_id", Text),
    Index("uq_item_copy_item_version_source", "item", "version", "source", unique=True),
    Index("ix_item_copy_kind_state", "kind", "state"),
    Index("ix_item_copy_state_expires_at", "state", "expires_at"),
    Index("ix_item_copy_retain_until", "retain_until"),
    sqlite_autoincrement=True,
)

# What the copies in force name, so that screening and questions find them.
object_table = Table(
    "item_object",
    metadata,
    Column("kind", Text, primary_key=True),  # see isthmus.intelligence.objects
    Column("value", Text, primary_key=True),
    Column("copy_id", Text, ForeignKey("item_copy.id"), primary_key=True),
    Index("ix_item_object_copy_id", "copy_id"),
)
