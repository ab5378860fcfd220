"""Keep why a hold was extended."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("hold", schema=None) as batch_op:
        batch_op.add_column(sa.Column("extended_by", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("extended_at", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("extension_reasons", sa.Text(), nullable=True))
