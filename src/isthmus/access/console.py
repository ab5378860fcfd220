"""Acts from the console: a person stands behind them too, and the audit names that person.

Whoever can run commands in the node's folder holds its keys. Such acts are written down under a
person of their own, the console's operator, unless an officer is named.
"""

from isthmus.access import service, sessions, store
from isthmus.access.model import Actor, Role
from isthmus.kernel.errors import Denied, NotFound
from isthmus.platform import audit
from isthmus.platform.transaction import Transaction

LOGIN = "console"
ROLES = (
    Role.SUPERVISOR,
    Role.INSPECTOR,
    Role.DATA_PROTECTION_OFFICER,
    Role.AUDITOR,
    Role.LEGAL_OFFICER,
)


def operator(tx: Transaction, agency_code: str) -> Actor:
    """Return the console's operator, entered at the first use. It has no password: it cannot
    sign in from anywhere else."""
    person = store.person_by_login(tx, LOGIN)
    if person is None:
        agency = store.agency_by_code(tx, agency_code)
        if agency is None:
            raise NotFound("agency_unknown", "no such agency", agency=agency_code)
        person = service.enter_console(tx, agency.id, LOGIN, ROLES)
    return sessions.actor_of(tx, person)


def officer(tx: Transaction, login: str) -> Actor:
    """Return the officer named at the console; refuses one whose access has ended."""
    person = store.person_by_login(tx, login)
    if person is None:
        raise NotFound("person_unknown", "nobody has this login", login=login)
    if not sessions.may_enter(tx, person):
        raise Denied("person_inactive", "this person no longer uses the node", login=login)
    audit.record(tx, person.id, "console.act", "person", person.id, agency=person.agency)
    return sessions.actor_of(tx, person)
