"""Keep what screening found."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hit",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("line_kind", sa.Text(), nullable=False),
        sa.Column("list", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("entry_kind", sa.Text(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("algorithm", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("found_at", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("review_on", sa.Date(), nullable=False),
        sa.Column("retain_until", sa.Date(), nullable=False),
        sa.Column("legal_hold", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_hit")),
        sa.UniqueConstraint("id", name=op.f("uq_hit_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("hit", schema=None) as batch_op:
        batch_op.create_index("ix_hit_list_key", ["list", "key"], unique=False)
        batch_op.create_index("ix_hit_retain_until", ["retain_until"], unique=False)
        batch_op.create_index("ix_hit_state_score", ["state", "score"], unique=False)
        batch_op.create_index("ix_hit_subject", ["subject"], unique=False)
        batch_op.create_index("uq_hit_line_list_key", ["line", "list", "key"], unique=True)

    op.create_table(
        "judgement",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("list", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("retain_until", sa.Date(), nullable=False),
        sa.Column("legal_hold", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_judgement")),
        sa.UniqueConstraint("id", name=op.f("uq_judgement_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("judgement", schema=None) as batch_op:
        batch_op.create_index(
            "ix_judgement_subject_list_key", ["subject", "list", "key"], unique=False
        )
        batch_op.create_index("ix_judgement_until", ["until"], unique=False)

    op.create_table(
        "rescreening",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("list", sa.Text(), nullable=False),
        sa.Column("from_version", sa.Integer(), nullable=False),
        sa.Column("to_version", sa.Integer(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.Column("ended", sa.Integer(), nullable=False),
        sa.Column("again", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rescreening")),
    )
    with op.batch_alter_table("rescreening", schema=None) as batch_op:
        batch_op.create_index("uq_rescreening_list_to_version", ["list", "to_version"], unique=True)

    op.create_table(
        "screening",
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("versions", sa.Text(), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.Column("retain_until", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("line", name=op.f("pk_screening")),
    )
    with op.batch_alter_table("screening", schema=None) as batch_op:
        batch_op.create_index("ix_screening_retain_until", ["retain_until"], unique=False)
        batch_op.create_index("ix_screening_subject", ["subject"], unique=False)

    with op.batch_alter_table("declared_party", schema=None) as batch_op:
        batch_op.add_column(sa.Column("line", sa.Text(), nullable=True))
        batch_op.create_index(
            "ix_declared_party_line",
            ["line"],
            unique=False,
            sqlite_where=sa.text("line IS NOT NULL"),
            postgresql_where=sa.text("line IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_declared_party_unscreened",
            ["seq"],
            unique=False,
            sqlite_where=sa.text("line IS NULL"),
            postgresql_where=sa.text("line IS NULL"),
        )

    with op.batch_alter_table("list_entry", schema=None) as batch_op:
        batch_op.create_index(
            "ix_list_entry_erasure_id",
            ["erasure_id"],
            unique=False,
            sqlite_where=sa.text("erasure_id IS NOT NULL"),
            postgresql_where=sa.text("erasure_id IS NOT NULL"),
        )
