"""All SQL on what proves who someone is: credentials, tries, sessions, tokens, invitations.

Secrets that people and systems carry are never kept: passwords as argon2id, random tokens as
SHA-256 (they hold 256 bits, so nothing slower adds safety), TOTP seeds encrypted.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, delete, or_, select, update

from isthmus.access.tables import (
    attempt_table,
    credential_table,
    invitation_table,
    recovery_table,
    session_table,
    token_table,
)
from isthmus.platform.transaction import Transaction


def credential(tx: Transaction, person_id: str) -> RowMapping | None:
    """Return a person's credential row, if one is set."""
    found = select(credential_table).where(credential_table.c.person_id == person_id)
    return tx.execute(found).mappings().first()


def put_credential(tx: Transaction, person_id: str, **values: Any) -> None:
    """Set or change a person's credential; the first time, password and TOTP are needed."""
    values["changed_at"] = tx.now
    changed = tx.execute(
        update(credential_table).where(credential_table.c.person_id == person_id).values(**values)
    )
    if changed.rowcount == 0:
        tx.insert(credential_table, [{"person_id": person_id, **values}])


def use_step(tx: Transaction, person_id: str, step: int) -> bool:
    """Take a TOTP time step; false when it or a later one was taken before."""
    taken = tx.execute(
        update(credential_table)
        .where(credential_table.c.person_id == person_id, credential_table.c.totp_step < step)
        .values(totp_step=step)
    )
    return taken.rowcount == 1


def drop_credential(tx: Transaction, person_id: str) -> None:
    """Forget a person's password, TOTP seed and recovery codes."""
    tx.execute(delete(recovery_table).where(recovery_table.c.person_id == person_id))
    tx.execute(delete(credential_table).where(credential_table.c.person_id == person_id))


def put_recovery_codes(tx: Transaction, person_id: str, codes: Sequence[str]) -> None:
    """Replace a person's recovery codes (keyed hashes)."""
    tx.execute(delete(recovery_table).where(recovery_table.c.person_id == person_id))
    tx.insert(
        recovery_table,
        [{"person_id": person_id, "code": code, "used_at": None} for code in codes],
    )


def use_recovery_code(tx: Transaction, person_id: str, code: str) -> bool:
    """Take a recovery code; false when there is none such or it was used."""
    codes = recovery_table.c
    taken = tx.execute(
        update(recovery_table)
        .where(codes.person_id == person_id, codes.code == code, codes.used_at.is_(None))
        .values(used_at=tx.now)
    )
    return taken.rowcount == 1


def attempt(tx: Transaction, login_hash: str) -> RowMapping | None:
    """Return the tries at one login, if any count."""
    found = select(attempt_table).where(attempt_table.c.login_hash == login_hash)
    return tx.execute(found).mappings().first()


def put_attempt(
    tx: Transaction, login_hash: str, failures: int, locked_until: datetime | None
) -> None:
    """Set the tries at one login."""
    values = {"failures": failures, "last_at": tx.now, "locked_until": locked_until}
    changed = tx.execute(
        update(attempt_table).where(attempt_table.c.login_hash == login_hash).values(values)
    )
    if changed.rowcount == 0:
        tx.insert(attempt_table, [{"login_hash": login_hash, **values}])


def drop_attempt(tx: Transaction, login_hash: str) -> None:
    """Forget the tries at one login."""
    tx.execute(delete(attempt_table).where(attempt_table.c.login_hash == login_hash))


def drop_attempts_before(tx: Transaction, moment: datetime) -> int:
    """Forget tries whose newest is older; return how many logins."""
    return tx.execute(delete(attempt_table).where(attempt_table.c.last_at < moment)).rowcount


def insert_session(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Enter a session."""
    tx.insert(session_table, [row])


def session_by_hash(tx: Transaction, token_hash: str) -> RowMapping | None:
    """Return the session with this token hash, ended or not."""
    found = select(session_table).where(session_table.c.token_hash == token_hash)
    return tx.execute(found).mappings().first()


def see_session(tx: Transaction, session_id: str) -> None:
    """Note that a session was used now."""
    sessions = session_table.c
    tx.execute(
        update(session_table)
        .where(sessions.id == session_id, sessions.ended_at.is_(None))
        .values(seen_at=tx.now)
    )


def end_session(tx: Transaction, session_id: str) -> bool:
    """End one session; false when it had ended."""
    sessions = session_table.c
    ended = tx.execute(
        update(session_table)
        .where(sessions.id == session_id, sessions.ended_at.is_(None))
        .values(ended_at=tx.now)
    )
    return ended.rowcount == 1


def end_sessions(tx: Transaction, person_id: str) -> int:
    """End all sessions of a person; return how many."""
    sessions = session_table.c
    return tx.execute(
        update(session_table)
        .where(sessions.person_id == person_id, sessions.ended_at.is_(None))
        .values(ended_at=tx.now)
    ).rowcount


def drop_sessions_before(tx: Transaction, moment: datetime) -> int:
    """Remove sessions that ended or expired before a moment; return how many."""
    sessions = session_table.c
    return tx.execute(
        delete(session_table).where(or_(sessions.ended_at < moment, sessions.expires_at < moment))
    ).rowcount


def insert_token(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Enter an API token."""
    tx.insert(token_table, [row])


def token_by_hash(tx: Transaction, token_hash: str) -> RowMapping | None:
    """Return the token with this hash, in force or not."""
    found = select(token_table).where(token_table.c.token_hash == token_hash)
    return tx.execute(found).mappings().first()


def token(tx: Transaction, token_id: str) -> RowMapping | None:
    """Return one token's row."""
    return tx.execute(select(token_table).where(token_table.c.id == token_id)).mappings().first()


def tokens(tx: Transaction) -> list[dict[str, Any]]:
    """Return every token without its hash, newest first."""
    shown = [column for column in token_table.c if column.name != "token_hash"]
    rows = tx.execute(select(*shown).order_by(token_table.c.id.desc())).mappings()
    return [dict(row) for row in rows]


def see_token(tx: Transaction, token_id: str) -> None:
    """Note that a token was used now."""
    tx.execute(update(token_table).where(token_table.c.id == token_id).values(used_at=tx.now))


def revoke_token(tx: Transaction, token_id: str) -> bool:
    """Revoke a token; false when it was revoked before or does not exist."""
    tokens_ = token_table.c
    revoked = tx.execute(
        update(token_table)
        .where(tokens_.id == token_id, tokens_.revoked_at.is_(None))
        .values(revoked_at=tx.now)
    )
    return revoked.rowcount == 1


def insert_invitation(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Enter a one-time link."""
    tx.insert(invitation_table, [row])


def invitation_by_hash(tx: Transaction, secret_hash: str) -> RowMapping | None:
    """Return the link with this hash, used or not."""
    found = select(invitation_table).where(invitation_table.c.secret_hash == secret_hash)
    return tx.execute(found).mappings().first()


def use_invitation(tx: Transaction, invitation_id: str) -> bool:
    """Use up a one-time link; false when it was used. Its seed is forgotten."""
    links = invitation_table.c
    used = tx.execute(
        update(invitation_table)
        .where(links.id == invitation_id, links.used_at.is_(None))
        .values(used_at=tx.now, totp=None)
    )
    return used.rowcount == 1


def drop_invitations(tx: Transaction, person_id: str) -> None:
    """Remove the links of a person, used or not."""
    tx.execute(delete(invitation_table).where(invitation_table.c.person_id == person_id))
