"""Find alerts by unit and parties by review."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("alert", schema=None) as batch_op:
        batch_op.create_index("ix_alert_unit_id", ["unit_id"], unique=False)

    with op.batch_alter_table("declared_party", schema=None) as batch_op:
        batch_op.create_index("ix_declared_party_review_on", ["review_on"], unique=False)
