"""All the SQL of keys and partners."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, bindparam, select, update

from isthmus.access.gate import Scope, unscoped
from isthmus.exchange.tables import alarm_table, own_key_table, partner_key_table, partner_table
from isthmus.exchange.tables import self_table as self_
from isthmus.platform.columns import Instant
from isthmus.platform.transaction import Transaction

_PARTNER = select(partner_table).where(partner_table.c.code == bindparam("code_"))
_SELF = select(self_)
_OWN = (
    select(own_key_table)
    .where(
        own_key_table.c.kind == bindparam("kind_"),
        own_key_table.c.since <= bindparam("now_", type_=Instant),
    )
    .order_by(own_key_table.c.since.desc())
    .limit(1)
)
_keys, _moment = partner_key_table.c, bindparam("now_", type_=Instant)
_SIGNING = (
    select(_keys.fingerprint, _keys.partner, _keys.public, partner_table.c.state)
    .join_from(partner_key_table, partner_table, partner_table.c.code == _keys.partner)
    .where(
        _keys.kind == "signing",
        _keys.state != "compromised",
        _keys.since <= _moment,
        _keys.until > _moment,
        partner_table.c.state.in_(("trusted", "suspended")),
    )
)
_OWN_SIGNING = select(
    own_key_table.c.fingerprint, own_key_table.c.node, own_key_table.c.public
).where(own_key_table.c.kind == "signing")
_KEY = select(partner_key_table).where(partner_key_table.c.fingerprint == bindparam("key_"))


@unscoped("the node signs and speaks in its own name, for no person")
def myself(tx: Transaction) -> RowMapping | None:
    """Return who this node is in the exchange; None before it was set up."""
    return tx.execute(_SELF).mappings().first()


def insert_self(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Enter who this node is."""
    tx.insert(self_, [row])


def change_self(tx: Transaction, **values: Any) -> None:
    """Change what this node is in the exchange, such as its epoch."""
    tx.execute(update(self_).values(**values))


@unscoped("the node signs and speaks in its own name, for no person")
def own_key(tx: Transaction, kind: str) -> RowMapping | None:
    """Return the key of a kind that is in use."""
    return tx.execute(_OWN, {"kind_": kind, "now_": tx.now}).mappings().first()


@unscoped("old keys are told with proofs, which anybody may check")
def own_keys(tx: Transaction) -> list[RowMapping]:
    """Return every key this node has or had, oldest first."""
    rows = tx.execute(select(own_key_table).order_by(own_key_table.c.since))
    return list(rows.mappings())


def insert_own_key(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Enter a key of this node; the one of its kind before is retired when this one begins."""
    keys = own_key_table.c
    tx.execute(
        update(own_key_table)
        .where(keys.kind == row["kind"], keys.retired_at.is_(None))
        .values(retired_at=row["since"])
    )
    tx.insert(own_key_table, [row])


@unscoped("envelopes are sent and received for the node, not for a person")
def partner(tx: Transaction, code: str) -> RowMapping | None:
    """Return one entry of the directory."""
    return tx.execute(_PARTNER, {"code_": code}).mappings().first()


@unscoped("envelopes are sent and received for the node, not for a person")
def partners(tx: Transaction) -> list[RowMapping]:
    """Return the whole directory."""
    return list(tx.execute(select(partner_table).order_by(partner_table.c.code)).mappings())


def directory(tx: Transaction, scope: Scope) -> list[RowMapping]:
    """Return the partners that somebody may see."""
    rows = tx.execute(select(partner_table).where(scope.where()).order_by(partner_table.c.code))
    return list(rows.mappings())


def key_history(tx: Transaction, scope: Scope, code: str) -> list[RowMapping]:
    """Return every key a partner has or had, newest first."""
    keys = partner_key_table.c
    rows = tx.execute(
        select(partner_key_table)
        .where(keys.partner == code, scope.where())
        .order_by(keys.since.desc())
    )
    return list(rows.mappings())


def insert_partner(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Enter a partner."""
    tx.insert(partner_table, [row])


def change_partner(tx: Transaction, code: str, **values: Any) -> None:
    """Change an entry of the directory."""
    tx.execute(update(partner_table).where(partner_table.c.code == code).values(**values))


@unscoped("a signature is checked for the node, not for a person")
def partner_key(tx: Transaction, fingerprint: str) -> RowMapping | None:
    """Return a key of any partner by its fingerprint."""
    return tx.execute(_KEY, {"key_": fingerprint}).mappings().first()


@unscoped("signatures are checked for the node, not for a person")
def signing_keys(tx: Transaction) -> list[RowMapping]:
    """Return the signing keys in force of every partner that is trusted, or was until suspended."""
    return list(tx.execute(_SIGNING, {"now_": tx.now}).mappings())


@unscoped("signatures are checked for the node, not for a person")
def own_signing_keys(tx: Transaction) -> list[RowMapping]:
    """Return every signing key this node has or had."""
    return list(tx.execute(_OWN_SIGNING).mappings())


@unscoped("the listener admits certificates for the node, not for a person")
def partner_keys(tx: Transaction, kind: str) -> list[RowMapping]:
    """Return all keys of a kind that are not compromised."""
    keys = partner_key_table.c
    rows = tx.execute(
        select(partner_key_table).where(keys.kind == kind, keys.state != "compromised")
    )
    return list(rows.mappings())


def insert_partner_key(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Enter a key of a partner as the current one of its kind."""
    keys = partner_key_table.c
    tx.execute(
        update(partner_key_table)
        .where(keys.partner == row["partner"], keys.kind == row["kind"], keys.state == "current")
        .values(state="previous")
    )
    if not tx.insert_new(partner_key_table, row):
        tx.execute(
            update(partner_key_table)
            .where(
                keys.fingerprint == row["fingerprint"],
                keys.partner == row["partner"],
                keys.state != "compromised",
            )
            .values(state="current", until=row["until"])
        )


def compromise_keys(tx: Transaction, code: str, since: datetime) -> None:
    """Let the keys of a partner count for nothing from a moment on."""
    keys = partner_key_table.c
    tx.execute(
        update(partner_key_table)
        .where(keys.partner == code)
        .values(state="compromised", until=since)
    )


def insert_alarm(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Enter an alarm of the exchange."""
    tx.insert(alarm_table, [row])


@unscoped("an alarm is raised once for the node, however often its cause shows")
def open_alarm(tx: Transaction, partner_code: str, code: str) -> bool:
    """Whether an alarm of this code stands open for a partner."""
    alarms = alarm_table.c
    return (
        tx.execute(
            select(alarms.id).where(
                alarms.partner == partner_code, alarms.code == code, alarms.ended_at.is_(None)
            )
        ).first()
        is not None
    )


def alarms(tx: Transaction, scope: Scope) -> list[RowMapping]:
    """Return the alarms that are open, newest first."""
    found = alarm_table.c
    rows = tx.execute(
        select(alarm_table)
        .where(found.ended_at.is_(None), scope.where())
        .order_by(found.at.desc())
        .limit(500)
    )
    return list(rows.mappings())
