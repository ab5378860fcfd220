"""All the SQL of agreements."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, select, update

from isthmus.access.gate import Scope, unscoped
from isthmus.agreements.tables import (
    commitment_table,
    gap_table,
    listed_table,
    overlay_table,
    partner_hash_table,
    signature_table,
    suspension_table,
    version_table,
)
from isthmus.kernel.errors import NotFound
from isthmus.platform.transaction import Transaction

# Asked for every share and every envelope, and made once.
_ACTIVE = select(version_table).where(version_table.c.state == "active").order_by("agreement")
_SUSPENSIONS = select(suspension_table).order_by(suspension_table.c.since, suspension_table.c.id)

# -- versions -----------------------------------------------------------------------------


def versions(tx: Transaction, scope: Scope) -> list[RowMapping]:
    """Return every version of every agreement, newest version first."""
    columns = version_table.c
    rows = tx.execute(
        select(version_table)
        .where(scope.where())
        .order_by(columns.agreement, columns.version.desc())
    )
    return list(rows.mappings())


def version(tx: Transaction, scope: Scope, version_id: str) -> RowMapping:
    """Return one version by its id (``agreement@version``); raises ``NotFound``."""
    found = select(version_table).where(version_table.c.id == version_id, scope.where())
    row = tx.execute(found).mappings().first()
    if row is None:
        raise NotFound("agreement_unknown", "no such version", agreement=version_id)
    return row


@unscoped("a version is numbered after all that were ever entered")
def newest_version(tx: Transaction, agreement: str) -> int:
    """Return the highest version of an agreement here, 0 where there is none."""
    columns = version_table.c
    rows = tx.execute(select(columns.version).where(columns.agreement == agreement)).scalars()
    return max(rows, default=0)


@unscoped("deciding reads every agreement in force, for the node and not for a person")
def active(tx: Transaction) -> list[RowMapping]:
    """Return the active version of each agreement."""
    return list(tx.execute(_ACTIVE).mappings())


@unscoped("deciding reads every agreement in force, for the node and not for a person")
def active_of(tx: Transaction, agreement: str) -> RowMapping | None:
    """Return the active version of an agreement, if there is one."""
    columns = version_table.c
    found = select(version_table).where(columns.agreement == agreement, columns.state == "active")
    return tx.execute(found).mappings().first()


def insert_version(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Enter a version."""
    tx.insert(version_table, [row])


def change_version(tx: Transaction, version_id: str, **values: Any) -> None:
    """Change the state of a version; its text never changes."""
    tx.execute(update(version_table).where(version_table.c.id == version_id).values(**values))


# -- signatures ---------------------------------------------------------------------------


@unscoped("whether all parties signed is a fact of the agreement, asked before it is activated")
def signers(tx: Transaction, agreement: str, agreement_hash: str) -> set[str]:
    """Return the nodes whose signatures over a hash are on record."""
    columns = signature_table.c
    rows = tx.execute(
        select(columns.node).where(columns.agreement == agreement, columns.hash == agreement_hash)
    )
    return set(rows.scalars())


def insert_signature(tx: Transaction, row: Mapping[str, Any]) -> bool:
    """Record a signature; say whether it is new."""
    return tx.insert_new(signature_table, row)


# -- suspensions --------------------------------------------------------------------------


@unscoped("deciding reads every suspension, for the node and not for a person")
def suspensions(tx: Transaction) -> list[RowMapping]:
    """Return every suspension there ever was, oldest first."""
    return list(tx.execute(_SUSPENSIONS).mappings())


def suspension(tx: Transaction, scope: Scope, suspension_id: str) -> RowMapping:
    """Return one suspension; raises ``NotFound``."""
    found = select(suspension_table).where(suspension_table.c.id == suspension_id, scope.where())
    row = tx.execute(found).mappings().first()
    if row is None:
        raise NotFound("suspension_unknown", "no such suspension", suspension=suspension_id)
    return row


def insert_suspension(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Enter a suspension."""
    tx.insert(suspension_table, [row])


def change_suspension(tx: Transaction, suspension_id: str, **values: Any) -> None:
    """End a suspension."""
    columns = suspension_table.c
    tx.execute(update(suspension_table).where(columns.id == suspension_id).values(**values))


# -- overlay ------------------------------------------------------------------------------


@unscoped("deciding reads the whole overlay, for the node and not for a person")
def overlay_changes(tx: Transaction) -> list[RowMapping]:
    """Return the approved changes of the overlay, in the order of their approval."""
    columns = overlay_table.c
    rows = tx.execute(
        select(overlay_table)
        .where(columns.approved_at.is_not(None))
        .order_by(columns.approved_at, columns.seq)
    )
    return list(rows.mappings())


def overlay_history(tx: Transaction, scope: Scope) -> list[RowMapping]:
    """Return every change of the overlay, proposed ones too, newest first."""
    rows = tx.execute(
        select(overlay_table).where(scope.where()).order_by(overlay_table.c.seq.desc())
    )
    return list(rows.mappings())


def overlay_change(tx: Transaction, scope: Scope, change_id: str) -> RowMapping:
    """Return one change of the overlay; raises ``NotFound``."""
    found = select(overlay_table).where(overlay_table.c.id == change_id, scope.where())
    row = tx.execute(found).mappings().first()
    if row is None:
        raise NotFound("overlay_change_unknown", "no such change", change=change_id)
    return row


def insert_overlay_change(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Enter a change of the overlay."""
    tx.insert(overlay_table, [row])


def approve_overlay_change(tx: Transaction, change_id: str, **values: Any) -> None:
    """Put a change of the overlay in force."""
    tx.execute(update(overlay_table).where(overlay_table.c.id == change_id).values(**values))


# -- hashes of partners -------------------------------------------------------------------


@unscoped("whether an envelope may go is asked for the node and not for a person")
def partner_hash(tx: Transaction, partner: str, agreement: str) -> RowMapping | None:
    """Return what a partner last said is the hash of an agreement."""
    columns = partner_hash_table.c
    found = select(partner_hash_table).where(
        columns.partner == partner, columns.agreement == agreement
    )
    return tx.execute(found).mappings().first()


def partner_hashes(tx: Transaction, scope: Scope) -> list[RowMapping]:
    """Return what every partner last said of every agreement."""
    rows = tx.execute(
        select(partner_hash_table).where(scope.where()).order_by("agreement", "partner")
    )
    return list(rows.mappings())


def put_partner_hash(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Keep what a partner says."""
    if not tx.insert_new(partner_hash_table, row):
        columns = partner_hash_table.c
        tx.execute(
            update(partner_hash_table)
            .where(columns.partner == row["partner"], columns.agreement == row["agreement"])
            .values(hash=row["hash"], noted_at=row["noted_at"], agrees=row["agrees"])
        )


# -- gaps ---------------------------------------------------------------------------------


def count_gap(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Count one more of its kind."""
    if not tx.insert_new(gap_table, {**row, "count": 1, "first_at": tx.now, "last_at": tx.now}):
        columns = gap_table.c
        tx.execute(
            update(gap_table)
            .where(*(columns[name] == value for name, value in row.items()))
            .values(count=columns["count"] + 1, last_at=tx.now)
        )


def gaps(tx: Transaction, scope: Scope) -> list[RowMapping]:
    """Return the counts, the most frequent first."""
    columns = gap_table.c
    rows = tx.execute(
        select(gap_table)
        .where(scope.where())
        .order_by(columns["count"].desc(), columns.clause, columns.field)
    )
    return list(rows.mappings())


# -- commitments --------------------------------------------------------------------------


def commitments(tx: Transaction, scope: Scope) -> list[RowMapping]:
    """Return all commitments, those due first."""
    columns = commitment_table.c
    rows = tx.execute(
        select(commitment_table).where(scope.where()).order_by(columns.due_on, columns.id)
    )
    return list(rows.mappings())


def commitment(tx: Transaction, scope: Scope, commitment_id: str) -> RowMapping:
    """Return one commitment; raises ``NotFound``."""
    found = select(commitment_table).where(commitment_table.c.id == commitment_id, scope.where())
    row = tx.execute(found).mappings().first()
    if row is None:
        raise NotFound("commitment_unknown", "no such commitment", commitment=commitment_id)
    return row


@unscoped("a job looks for what is due, for the node and not for a person")
def running_commitments(tx: Transaction) -> list[RowMapping]:
    """Return the commitments that were agreed and not kept yet."""
    columns = commitment_table.c
    rows = tx.execute(
        select(commitment_table)
        .where(columns.state.in_(["agreed", "on_track", "at_risk"]))
        .order_by(columns.id)
    )
    return list(rows.mappings())


def insert_commitment(tx: Transaction, row: Mapping[str, Any]) -> bool:
    """Enter a commitment, once; say whether it is new."""
    return tx.insert_new(commitment_table, row)


def change_commitment(tx: Transaction, commitment_id: str, **values: Any) -> None:
    """Move a commitment on."""
    tx.execute(
        update(commitment_table)
        .where(commitment_table.c.id == commitment_id)
        .values(**values, changed_at=tx.now)
    )


# -- agreements known by a row ------------------------------------------------------------


def put_listed(tx: Transaction, row: Mapping[str, Any]) -> bool:
    """Keep a row, in place of an older one of its number; say whether it is new."""
    if tx.insert_new(listed_table, row):
        return True
    tx.execute(update(listed_table).where(listed_table.c.id == row["id"]).values(**row))
    return False


def listed(tx: Transaction, scope: Scope, collection: str | None = None) -> Sequence[RowMapping]:
    """Return the rows of a collection, or of all, by their numbers."""
    columns = listed_table.c
    query = select(listed_table).where(scope.where())
    if collection is not None:
        query = query.where(columns.collection == collection)
    return list(tx.execute(query.order_by(columns.collection, columns.number)).mappings())
