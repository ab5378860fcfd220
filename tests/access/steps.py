"""What tests of sign-in do again and again."""

from datetime import timedelta

import pytest

from isthmus.access import sign_in
from isthmus.access.sessions import SessionTerms
from isthmus.kernel.errors import Limited, Unauthenticated

TERMS = SessionTerms(idle=timedelta(minutes=30), absolute=timedelta(hours=12))


def attempt(database, cheap, login, password, code, **more):
    """Try to sign in."""
    return sign_in.sign_in(
        database, cheap, login, password=password, code=code, terms=TERMS, **more
    )


def refused(database, cheap, login, password, code):
    """Return the kind, code, message and place of the refusal that must come."""
    with pytest.raises((Unauthenticated, Limited)) as caught:
        attempt(database, cheap, login, password, code)
    return caught.value.kind, caught.value.code, caught.value.message, dict(caught.value.where)
