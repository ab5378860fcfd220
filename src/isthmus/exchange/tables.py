"""The tables of the exchange: keys, partners, channels, envelopes, receipts, ledger, copies."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    RowMapping,
    Table,
    Text,
    text,
)

from isthmus.platform import columns
from isthmus.platform.columns import Instant, Json
from isthmus.platform.database import metadata

# A row as it is read, or is to be written.
Row = Mapping[str, Any] | RowMapping

# Keys of this node; the private part is sealed under the node's key file.
own_key_table = Table(
    "exchange_key",
    metadata,
    Column("fingerprint", Text, primary_key=True),
    Column("node", Text, nullable=False),
    Column("kind", Text, nullable=False),  # signing, tls
    Column("public", LargeBinary, nullable=False),  # raw key, or the certificate in DER
    Column("sealed", LargeBinary, nullable=False),
    Column("since", Instant, nullable=False),
    Column("until", Instant, nullable=False),
    Column("retired_at", Instant),
)

# The one row of a node that exchanges: who it is, where partners reach it, its epoch.
self_table = Table(
    "exchange_self",
    metadata,
    Column("node", Text, primary_key=True),
    Column("country", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("address", Text, nullable=False),  # as partners dial it; empty: dials out only
    Column("listen", Text, nullable=False),  # host:port of the partner listener; empty: none
    Column("epoch", Integer, nullable=False),
    Column("statement", LargeBinary, nullable=False),  # the signed opening of the epoch
    Column("opened_at", Instant, nullable=False),
)

partner_table = Table(
    "partner",
    metadata,
    Column("code", Text, primary_key=True),
    Column("country", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("signing", Text, nullable=False),
    Column("certificate", Text, nullable=False),
    Column("compared_by", Text),
    Column("trusted_by", Text),
    Column("caps", Json, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("since", Instant, nullable=False),
    Column("seen_at", Instant),  # when it last answered or called
)

# Every key a partner ever had. A compromised one counts for nothing from ``until`` on.
partner_key_table = Table(
    "partner_key",
    metadata,
    Column("fingerprint", Text, primary_key=True),
    Column("partner", Text, nullable=False),
    Column("kind", Text, nullable=False),  # signing, tls
    Column("public", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),  # current, previous, compromised
    Column("since", Instant, nullable=False),
    Column("until", Instant, nullable=False),
    Index("ix_partner_key_partner", "partner"),
)

channel_table = Table(
    "channel",
    metadata,
    Column("direction", Text, primary_key=True),
    Column("partner", Text, primary_key=True),
    Column("lane", Text, primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)

envelope_table = Table(
    "envelope",
    metadata,
    Column("seq", columns.Sequence, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("direction", Text, nullable=False),
    Column("partner", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("sequence", Integer),  # null: stopped before it took a place
    Column("hash", LargeBinary, nullable=False),
    Column("item_id", Text, nullable=False),
    Column("item_version", Integer, nullable=False),
    Column("item_kind", Text, nullable=False),
    Column("originator", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("code", Text),  # why it is held, refused or stopped
    Column("expires_at", Instant),
    Column("at", Instant, nullable=False),  # put in the outbox, or received
    Column("settled_at", Instant),
    Column("opened_at", Instant),  # the recipient's receipt that a person opened it
    Column("used_at", Instant),  # ... and that it was of use
    Column("receipt_id", Text),
    Column("salt", LargeBinary),  # null once erased, like the next two
    Column("wrapped", LargeBinary),
    Column("body", LargeBinary),
    Column("erasure_id", Text),
    Index(
        "ix_envelope_waiting",
        "partner",
        "lane",
        "seq",
        sqlite_where=text("state = 'waiting'"),
        postgresql_where=text("state = 'waiting'"),
    ),
    Index(
        "ix_envelope_unplaced",
        "partner",
        "lane",
        sqlite_where=text("state = 'waiting' AND sequence IS NULL"),
        postgresql_where=text("state = 'waiting' AND sequence IS NULL"),
    ),
    Index(
        "uq_envelope_place",
        "direction",
        "partner",
        "lane",
        "epoch",
        "sequence",
        unique=True,
        sqlite_where=text("sequence IS NOT NULL"),
        postgresql_where=text("sequence IS NOT NULL"),
    ),
    Index("ix_envelope_hash", "hash"),
    Index("ix_envelope_item_id", "item_id"),
    Index(
        "ix_envelope_lookouts",
        "partner",
        "expires_at",
        sqlite_where=text("direction = 'in' AND item_kind = 'alert' AND state = 'delivered'"),
        postgresql_where=text("direction = 'in' AND item_kind = 'alert' AND state = 'delivered'"),
    ),
    sqlite_autoincrement=True,
)

# What an envelope was before it was sealed anew, where it may have reached the partner.
earlier_table = Table(
    "envelope_earlier",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("envelope_id", Text, nullable=False),
    Column("salt", LargeBinary),
    Column("wrapped", LargeBinary),
    Column("body", LargeBinary),
    Index("ix_envelope_earlier_envelope_id", "envelope_id"),
)

# A version of an own item as it was issued: the signed record with all its salts, so that whoever
# gets a part of it gets a part of one record. The row goes when the item is erased.
issued_table = Table(
    "issued_item",
    metadata,
    Column("item_id", Text, primary_key=True),
    Column("item_version", Integer, primary_key=True),
    Column("partner", Text, primary_key=True),  # whose separate issue it is; empty: everybody's
    Column("key", Text, nullable=False),  # fingerprint of the key that signed it
    Column("issued_at", Instant, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

receipt_table = Table(
    "receipt",
    metadata,
    Column("id", Text, primary_key=True),
    Column("direction", Text, nullable=False),  # out: ours; in: the partner's
    Column("partner", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("salt", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("at", Instant, nullable=False),
    Column("sent", Boolean, nullable=False),
    Index(
        "ix_receipt_unsent",
        "partner",
        sqlite_where=text("NOT sent"),
        postgresql_where=text("NOT sent"),
    ),
)

# What is to stand in the ledger, in no order yet; the sealing job gives each its place.
ledger_entry_table = Table(
    "ledger_entry",
    metadata,
    Column("seq", columns.Sequence, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),  # envelope, receipt, stopped, epoch
    Column("object_id", Text, nullable=False),
    Column("commitment", LargeBinary, nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_ledger_entry_object_id", "object_id"),
    sqlite_autoincrement=True,
)

ledger_leaf_table = Table(
    "ledger_leaf",
    metadata,
    Column("epoch", Integer, primary_key=True),
    Column("index", columns.Sequence, primary_key=True, autoincrement=False),
    Column("entry_seq", columns.Sequence, nullable=False, unique=True),
)

# Hashes of all complete subtrees: level 0 are leaves.
ledger_node_table = Table(
    "ledger_node",
    metadata,
    Column("epoch", Integer, primary_key=True),
    Column("level", Integer, primary_key=True),
    Column("index", columns.Sequence, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
)

# Signed tree heads: our own and those that partners showed us.
checkpoint_table = Table(
    "checkpoint",
    metadata,
    Column("node", Text, primary_key=True),
    Column("epoch", Integer, primary_key=True),
    Column("size", columns.Sequence, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("via", Text, nullable=False),  # who showed it
    Column("state", Text, nullable=False),  # own, consistent, unproven, split
)

# A copy of an item at a partner, and what became of recalls and corrections that follow it.
copy_table = Table(
    "onward_copy",
    metadata,
    Column("item_id", Text, primary_key=True),
    Column("partner", Text, primary_key=True),
    Column("item_version", Integer, nullable=False),
    Column("envelope_id", Text, nullable=False),
    Column("terms", LargeBinary, nullable=False),
    Column("at", Instant, nullable=False),
    Column("follow_id", Text),  # item id of the newest recall or correction sent after it
    Column("follow_state", Text),  # asked, done, refused, withheld
    Column("follow_code", Text),
    Column("follow_at", Instant),
)

alarm_table = Table(
    "exchange_alarm",
    metadata,
    Column("id", Text, primary_key=True),
    Column("partner", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("code", Text, nullable=False),
    Column("detail", Json, nullable=False),
    Column("ended_at", Instant),
    Index("ix_exchange_alarm_partner_code", "partner", "code"),
)

# How much a partner has asked blindly, by day.
question_table = Table(
    "blind_question",
    metadata,
    Column("partner", Text, primary_key=True),
    Column("day", Text, primary_key=True),  # ISO date, UTC
    Column("asked", Integer, nullable=False),
)
