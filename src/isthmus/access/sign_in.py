"""Sign-in with a password and a time code, and the lock-out of guessers.

Three steps, because hashing a password takes long on purpose and may hold up no transaction:
``begin`` counts the try, ``PasswordHasher.verify`` works outside, ``finish`` decides. The try is
counted before it is judged, so that many at once get no more guesses than one after another. A
login that nobody has is counted, locked and answered like any other.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from isthmus.access import credentials, secret_store, sessions, store
from isthmus.access.credentials import PasswordHasher, Proof
from isthmus.access.model import Actor
from isthmus.access.sessions import SessionTerms
from isthmus.kernel.errors import Limited, Unauthenticated
from isthmus.platform import audit
from isthmus.platform.database import Database
from isthmus.platform.transaction import Transaction

FREE_TRIES = 5
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)
# Tries older than this no longer count.
FORGET_AFTER = timedelta(hours=24)
LOGIN_MAX = 254


@dataclass(frozen=True, slots=True, repr=False)
class Try:
    """A counted try: whose it may be, and what the password is to be checked against."""

    login_hash: str
    person_id: str | None
    password: str | None
    locked_until: datetime | None


@dataclass(frozen=True, slots=True, repr=False)
class SignedIn:
    """A person who proved who they are, and the token for the cookie."""

    actor: Actor
    token: str


def sign_in(
    database: Database,
    hasher: PasswordHasher,
    login: str,
    *,
    password: str,
    code: str,
    terms: SessionTerms,
    previous: str | None = None,
) -> SignedIn:
    """Sign a person in with login, password and a time or recovery code.

    ``previous`` is the session token the browser came with: that session ends, and the new one
    has a token nobody knew before. Raises ``Unauthenticated`` with one answer for every wrong
    thing, and ``Limited`` with the seconds to wait after too many tries. This is a boundary of
    its own: the count of tries must outlive the refusal.
    """
    this = database.write(lambda tx: begin(tx, login))
    refuse_if_locked(this, database.clock.now())
    proof = hasher.verify(this.password, password)
    signed_in = database.write(
        lambda tx: finish(tx, this, proof, code=code, terms=terms, previous=previous)
    )
    if signed_in is None:
        raise Unauthenticated("sign_in_refused", "login, password or code is wrong")
    return signed_in


def begin(tx: Transaction, login: str) -> Try:
    """Count a try at this login and return it; a locked one is marked and not counted."""
    login = plain_login(login)
    login_hash = tx.keys.pseudonym("login", login)
    tx.lock([f"sign-in/{login_hash}"])
    row = secret_store.attempt(tx, login_hash)
    if row is not None and row["locked_until"] is not None and tx.now < row["locked_until"]:
        locked: datetime = row["locked_until"]
        return Try(login_hash, None, None, locked)
    counts = row is not None and tx.now - row["last_at"] < FORGET_AFTER
    failures = (row["failures"] if row is not None and counts else 0) + 1
    secret_store.put_attempt(tx, login_hash, failures, _locked_until(tx.now, failures))
    person = store.person_by_login(tx, login)
    if person is None or not sessions.may_enter(tx, person):
        return Try(login_hash, None, None, None)
    credential = secret_store.credential(tx, person.id)
    return Try(login_hash, person.id, credential["password"] if credential else None, None)


def _locked_until(now: datetime, failures: int) -> datetime | None:
    if failures < FREE_TRIES:
        return None
    wait: timedelta = FIRST_WAIT * 2 ** min(failures - FREE_TRIES, 16)
    return now + min(wait, LONGEST_WAIT)


def refuse_if_locked(this: Try, now: datetime) -> None:
    """Raise ``Limited`` with the seconds to wait when the login is locked."""
    if this.locked_until is not None:
        wait = max(1, int((this.locked_until - now).total_seconds()))
        raise Limited("sign_in_locked", "too many tries: wait", seconds=wait)


def finish(
    tx: Transaction,
    this: Try,
    proof: Proof,
    *,
    code: str,
    terms: SessionTerms,
    previous: str | None = None,
) -> SignedIn | None:
    """Decide a try: start a session, or write down the refusal and return nothing."""
    person = store.person(tx, this.person_id) if this.person_id else None
    if (
        person is None
        or not proof.holds
        or not sessions.may_enter(tx, person)
        or not _code_holds(tx, person.id, code)
    ):
        audit.record(tx, "unknown", "sign_in.refused", "login", this.login_hash)
        return None
    secret_store.drop_attempt(tx, this.login_hash)
    if proof.renewed:
        secret_store.put_credential(tx, person.id, password=proof.renewed)
    if previous and (row := secret_store.session_by_hash(tx, sessions.digest_of(previous))):
        secret_store.end_session(tx, row["id"])
    session_id, token = sessions.start(tx, person, terms)
    audit.record(tx, person.id, "sign_in.accepted", "session", session_id, agency=person.agency)
    return SignedIn(sessions.actor_of(tx, person, session_id=session_id), token)


def _code_holds(tx: Transaction, person_id: str, typed: str) -> bool:
    code = credentials.plain_code(typed)
    if len(code) != 6:
        hashed = tx.keys.pseudonym("recovery", f"{person_id}\0{code}")
        if not secret_store.use_recovery_code(tx, person_id, hashed):
            return False
        audit.record(tx, person_id, "recovery_code.used", "person", person_id)
        return True
    return time_code_holds(tx, person_id, code)


def time_code_holds(tx: Transaction, person_id: str, code: str) -> bool:
    """Check a time code of a person and use up its step: it holds once."""
    credential = secret_store.credential(tx, person_id)
    if credential is None or credential["totp"] is None:
        return False
    seed = tx.keys.open_secret(credential["totp"], person_id).decode()
    step = credentials.totp_step(seed, code, tx.now)
    return step is not None and secret_store.use_step(tx, person_id, step)


def plain_login(login: str) -> str:
    """Bring a login to the form in which it is kept: trimmed, lower case, bounded."""
    return login.strip().lower()[:LOGIN_MAX]


def sweep(tx: Transaction) -> int:
    """Remove forgotten tries, and sessions that ended long ago; for a daily job."""
    gone = secret_store.drop_attempts_before(tx, tx.now - FORGET_AFTER)
    return gone + secret_store.drop_sessions_before(tx, tx.now - timedelta(days=30))
