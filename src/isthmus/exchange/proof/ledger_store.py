"""All the SQL of the ledger and of checkpoints."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, bindparam, func, select, update

from isthmus.access.gate import Scope, unscoped
from isthmus.exchange.tables import (
    Row,
    checkpoint_table,
    ledger_entry_table,
    ledger_leaf_table,
    ledger_node_table,
)
from isthmus.platform.transaction import Transaction

# So many row numbers may be taken by others between a row's number and its commit.
LATE = 100_000
_entry, _leaf, _node, _check = (
    ledger_entry_table.c, ledger_leaf_table.c, ledger_node_table.c, checkpoint_table.c,
)  # fmt: skip
_HASH = select(_node.hash).where(
    _node.epoch == bindparam("epoch_"),
    _node.level == bindparam("level_"),
    _node.index == bindparam("index_"),
)
_NEWEST = (
    select(checkpoint_table)
    .where(_check.node == bindparam("node_"), _check.state.in_(("own", "consistent")))
    .order_by(_check.epoch.desc(), _check.size.desc())
    .limit(1)
)


def insert_entries(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Enter what is to stand in the ledger."""
    if rows:
        tx.insert(ledger_entry_table, rows)


@unscoped("the ledger holds commitments only, and is sealed for the node")
def unsealed(tx: Transaction, most: int) -> list[RowMapping]:
    """Return entries without a place, in the order in which they were written."""
    placed = select(_leaf.index).where(_leaf.entry_seq == _entry.seq)
    newest: int = tx.execute(select(func.max(_leaf.entry_seq))).scalar() or 0
    # On PostgreSQL a smaller number may still appear for as long as its transaction runs.
    settled = newest if tx.is_sqlite else newest - LATE
    rows = tx.execute(
        select(ledger_entry_table)
        .where(_entry.seq > settled, ~placed.exists())
        .order_by(_entry.seq)
        .limit(most)
    )
    return list(rows.mappings())


@unscoped("the ledger holds commitments only, and is sealed for the node")
def size(tx: Transaction, epoch: int) -> int:
    """Return how many leaves the ledger of an epoch has."""
    newest = tx.execute(select(func.max(_leaf.index)).where(_leaf.epoch == epoch)).scalar()
    return 0 if newest is None else int(newest) + 1


@unscoped("the ledger holds commitments only, and proofs serve whoever holds the envelope")
def node(tx: Transaction, epoch: int, level: int, index: int) -> bytes | None:
    """Return the hash of a complete subtree."""
    values = {"epoch_": epoch, "level_": level, "index_": index}
    found: bytes | None = tx.execute(_HASH, values).scalar()
    return found


def insert_leaves(
    tx: Transaction, leaves: Sequence[Mapping[str, Any]], nodes: Sequence[Mapping[str, Any]]
) -> None:
    """Give entries their places and keep the subtrees that are complete by that."""
    tx.insert(ledger_leaf_table, leaves)
    tx.insert(ledger_node_table, nodes)


@unscoped("proofs serve whoever holds the envelope or receipt")
def leaf_of(tx: Transaction, object_id: str) -> RowMapping | None:
    """Return the newest leaf that commits to a thing, with its entry."""
    rows = tx.execute(
        select(ledger_entry_table, _leaf.epoch, _leaf.index)
        .join_from(ledger_entry_table, ledger_leaf_table, _leaf.entry_seq == _entry.seq)
        .where(_entry.object_id == object_id)
        .order_by(_entry.seq.desc())
        .limit(1)
    )
    return rows.mappings().first()


@unscoped("checkpoints are shown to partners and hold no record")
def newest(tx: Transaction, node_code: str) -> RowMapping | None:
    """Return the newest checkpoint of a node that is its own or proved consistent."""
    return tx.execute(_NEWEST, {"node_": node_code}).mappings().first()


@unscoped("checkpoints are shown to partners and hold no record")
def newest_of_all(tx: Transaction) -> list[RowMapping]:
    """Return the newest checkpoint that was seen of each node."""
    newest_ = (
        select(_check.node, func.max(_check.seen_at).label("seen_at"))
        .where(_check.state.in_(("own", "consistent")))
        .group_by(_check.node)
        .subquery()
    )
    rows = tx.execute(
        select(checkpoint_table).join(
            newest_, (_check.node == newest_.c.node) & (_check.seen_at == newest_.c.seen_at)
        )
    )
    return list(rows.mappings())


@unscoped("checkpoints are compared for the node, not for a person")
def at_size(tx: Transaction, node_code: str, epoch: int, size_: int) -> list[RowMapping]:
    """Return the checkpoints seen of a node at one size."""
    rows = tx.execute(
        select(checkpoint_table).where(
            _check.node == node_code, _check.epoch == epoch, _check.size == size_
        )
    )
    return list(rows.mappings())


@unscoped("checkpoints are compared for the node, not for a person")
def unproven(tx: Transaction, node_code: str) -> list[RowMapping]:
    """Return checkpoints of a node that others showed and the node has not yet proved."""
    rows = tx.execute(
        select(checkpoint_table)
        .where(_check.node == node_code, _check.state == "unproven")
        .order_by(_check.epoch, _check.size)
        .limit(50)
    )
    return list(rows.mappings())


def insert_checkpoint(tx: Transaction, row: Mapping[str, Any]) -> bool:
    """Enter a checkpoint; false when it was seen before."""
    return tx.insert_new(checkpoint_table, row)


def judge(tx: Transaction, row: Row, state: str) -> None:
    """Set what a checkpoint was found to be."""
    tx.execute(
        update(checkpoint_table)
        .where(
            _check.node == row["node"],
            _check.epoch == row["epoch"],
            _check.size == row["size"],
            _check.root == row["root"],
        )
        .values(state=state)
    )


def checkpoints(tx: Transaction, scope: Scope, limit: int = 200) -> list[RowMapping]:
    """Return checkpoints, newest first, for people who may see the ledger."""
    rows = tx.execute(
        select(checkpoint_table).where(scope.where()).order_by(_check.seen_at.desc()).limit(limit)
    )
    return list(rows.mappings())
