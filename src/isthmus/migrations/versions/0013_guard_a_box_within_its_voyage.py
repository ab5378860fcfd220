"""Guard a box within its voyage, weigh what was seized, and keep what a request lacks."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0010"
branch_labels = None
depends_on = None

# Chains kept before know no voyage: they guard for the span of an unknown one, in microseconds.
UNKNOWN_VOYAGE = 30 * 86_400_000_000


def upgrade() -> None:
    op.create_table(
        "seizure_goods",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("goods", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Float(), nullable=True),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("packages", sa.Integer(), nullable=True),
        sa.Column("zone", sa.Text(), nullable=True),
        sa.Column("weighed", sa.Float(), nullable=True),
        sa.Column("weighed_by", sa.Text(), nullable=True),
        sa.Column("weighed_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["number"], ["seizure.number"], name=op.f("fk_seizure_goods_number_seizure")
        ),
        sa.PrimaryKeyConstraint("number", "place", name=op.f("pk_seizure_goods")),
    )
    with op.batch_alter_table("seizure", schema=None) as batch_op:
        batch_op.add_column(sa.Column("chain", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("item", sa.Text(), nullable=True))

    with op.batch_alter_table("inspection_chain", schema=None) as batch_op:
        batch_op.add_column(sa.Column("port", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("vessel_imo", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("voyage", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("arrives_at", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("guards_until", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("cue_item", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("result_item", sa.Text(), nullable=True))
    chain = sa.table(
        "inspection_chain",
        sa.column("guards_until", sa.BigInteger()),
        sa.column("deadline", sa.BigInteger()),
        sa.column("result_at", sa.BigInteger()),
    )
    newest = sa.case(
        (chain.c.result_at > chain.c.deadline, chain.c.result_at), else_=chain.c.deadline
    )
    op.execute(chain.update().values(guards_until=newest + UNKNOWN_VOYAGE))
    with op.batch_alter_table("inspection_chain", schema=None) as batch_op:
        batch_op.alter_column("guards_until", existing_type=sa.BigInteger(), nullable=False)

    op.create_table(
        "chain_reopening",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["chain"],
            ["inspection_chain.id"],
            name=op.f("fk_chain_reopening_chain_inspection_chain"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chain_reopening")),
    )
    with op.batch_alter_table("chain_reopening", schema=None) as batch_op:
        batch_op.create_index("ix_chain_reopening_chain", ["chain"], unique=False)

    with op.batch_alter_table("request", schema=None) as batch_op:
        batch_op.add_column(sa.Column("lacks", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("answer_item", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("sent_at", sa.BigInteger(), nullable=True))
