"""What proves who a person is: a password (argon2id), time codes (TOTP), recovery codes.

Sources: RFC 9106 for argon2id and its second recommended set of parameters (64 MiB, 3 passes, 4
lanes); RFC 6238 for TOTP (30 s, 6 digits, SHA-1, as all authenticator apps read), where a code
is taken one step early or late and never twice; NIST SP 800-63B for the length of passwords.
"""

import hmac
import secrets
import threading
from dataclasses import dataclass
from datetime import datetime

import argon2
import pyotp
from argon2.exceptions import InvalidHashError, VerificationError

from isthmus.kernel.errors import Invalid
from isthmus.kernel.ids import encode
from isthmus.kernel.time import to_micros

PASSWORD_MIN = 12
PASSWORD_MAX = 256
DIFFERENT_MIN = 5
STEP_SECONDS = 30
RECOVERY_CODES = 10
_RECOVERY_BITS = 80


@dataclass(frozen=True, slots=True)
class HashCost:
    """What one password hash costs."""

    memory_kib: int = 65_536
    passes: int = 3
    lanes: int = 4


@dataclass(frozen=True, slots=True, repr=False)
class Proof:
    """What checking a password gave; a fresh hash when the stored one costs too little by now."""

    holds: bool
    renewed: str | None = None


class PasswordHasher:
    """Hashes passwords, a bounded number at a time, since each takes 64 MiB.

    Slow on purpose: never call it inside a transaction, and never once per request.
    """

    def __init__(self, cost: HashCost | None = None, at_once: int = 2) -> None:
        cost = cost or HashCost()
        self._argon2 = argon2.PasswordHasher(
            time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=cost.lanes
        )
        self._room = threading.BoundedSemaphore(at_once)
        # An unknown account is checked against this, so that it takes as long as a known one.
        self._nobody = self._argon2.hash(secrets.token_urlsafe(32))

    def hash(self, password: str) -> str:
        """Hash a password under a fresh salt."""
        with self._room:
            return self._argon2.hash(password)

    def verify(self, stored: str | None, password: str) -> Proof:
        """Check a password against a stored hash; without one, work as long and refuse."""
        if len(password) > PASSWORD_MAX:
            return Proof(False)
        with self._room:
            try:
                self._argon2.verify(stored or self._nobody, password)
            except (VerificationError, InvalidHashError):
                return Proof(False)
            if stored is None:
                return Proof(False)
            renewed = self._argon2.check_needs_rehash(stored)
            return Proof(True, self._argon2.hash(password) if renewed else None)


def check_password(password: str, login: str | None) -> None:
    """Refuse a password that is too short, too long, too uniform, or holds the login."""
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        raise Invalid(
            "password_length",
            f"a password has {PASSWORD_MIN} to {PASSWORD_MAX} characters",
            field="password",
        )
    if len(set(password)) < DIFFERENT_MIN:
        raise Invalid(
            "password_uniform",
            f"a password has at least {DIFFERENT_MIN} different characters",
            field="password",
        )
    name = (login or "").split("@")[0]
    if len(name) >= 4 and name.casefold() in password.casefold():
        raise Invalid("password_has_login", "a password may not hold the login", field="password")


def new_totp_seed() -> str:
    """Make a TOTP seed of 160 random bits, in base 32 as authenticator apps take it."""
    return pyotp.random_base32()


def totp_uri(seed: str, login: str, issuer: str) -> str:
    """Return the ``otpauth:`` address that an authenticator app reads from a QR code."""
    return pyotp.TOTP(seed).provisioning_uri(name=login, issuer_name=issuer)


def totp_step(seed: str, code: str, now: datetime) -> int | None:
    """Return the time step a code belongs to: this one, the one before or the one after."""
    if len(code) != 6 or not code.isascii() or not code.isdigit():
        return None
    current = to_micros(now) // 1_000_000 // STEP_SECONDS
    totp = pyotp.TOTP(seed)
    found = None
    for step in (current - 1, current, current + 1):
        # No early end: the time taken says nothing about which step fitted.
        if hmac.compare_digest(totp.at(step * STEP_SECONDS), code):
            found = step
    return found


def new_recovery_codes() -> tuple[str, ...]:
    """Make single-use codes of 80 bits, as ``xxxx-xxxx-…``, for when the authenticator is lost."""
    return tuple(_grouped(secrets.randbits(_RECOVERY_BITS)) for _ in range(RECOVERY_CODES))


def _grouped(number: int) -> str:
    letters = encode(number, _RECOVERY_BITS // 5)
    return "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))


def plain_code(typed: str) -> str:
    """Bring a typed code to its plain form: no spaces or hyphens, lower case."""
    return typed.replace(" ", "").replace("-", "").lower()
