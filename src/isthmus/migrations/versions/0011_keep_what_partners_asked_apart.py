"""Keep what partners asked apart from a node's own scores, and what share of a budget each has."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "partner_share",
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("share", sa.Float(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("partner", name=op.f("pk_partner_share")),
    )
    with op.batch_alter_table("assessment", schema=None) as batch_op:
        batch_op.add_column(sa.Column("asked_by", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("own_score", sa.Float(), nullable=True))
        batch_op.create_index(
            "ix_assessment_asked_by",
            ["unit_id"],
            unique=False,
            sqlite_where=sa.text("asked_by IS NOT NULL"),
            postgresql_where=sa.text("asked_by IS NOT NULL"),
        )
