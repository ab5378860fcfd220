"""Agencies that use the node, and the purposes for which it opens data about persons."""

from isthmus.access import store
from isthmus.access.gate import check
from isthmus.access.invitations import check_name
from isthmus.access.model import Actor, Agency, AgencyKind, Permission, Purpose
from isthmus.kernel.errors import Conflict, Invalid
from isthmus.kernel.ids import new_id
from isthmus.platform import audit
from isthmus.platform.transaction import Transaction


def found(tx: Transaction, *, code: str, name: str, kind: AgencyKind, country: str) -> Agency:
    """Enter the authority that runs the node, and put every purpose in use.

    Only at set-up: raises ``Conflict`` once there is an agency.
    """
    if store.agencies(tx):
        raise Conflict("node_founded", "the node has an agency already")
    for purpose in Purpose:
        store.set_purpose(tx, purpose, active=True)
    agency = _agency(code, name, kind, country)
    store.insert_agency(tx, agency)
    audit.record(tx, "node", "agency.added", "agency", agency.id, agency=agency.id, code=code)
    return agency


def add_agency(
    tx: Transaction, actor: Actor, *, code: str, name: str, kind: AgencyKind, country: str
) -> Agency:
    """Enter another agency whose people or systems use the node."""
    check(tx, actor, Permission.ADMIN_AGENCIES)
    agency = _agency(code, name, kind, country)
    if not store.insert_agency(tx, agency):
        raise Conflict("agency_code_taken", "another agency has this code", agency_code=code)
    audit.record(tx, actor.id, "agency.added", "agency", agency.id, agency=actor.agency, code=code)
    return agency


def _agency(code: str, name: str, kind: AgencyKind, country: str) -> Agency:
    if not (2 <= len(code) <= 20 and code.isascii() and code == code.upper()):
        raise Invalid("agency_code", "an agency's code is 2 to 20 capitals or digits", field="code")
    if not (len(country) == 2 and country.isascii() and country.isalpha() and country.isupper()):
        raise Invalid("country_code", "a country is an ISO 3166-1 alpha-2 code", field="country")
    return Agency(new_id("agy"), code, kind, check_name(name), country)


def agencies(tx: Transaction, actor: Actor) -> list[Agency]:
    """Return every agency, by code."""
    check(tx, actor, Permission.ADMIN_PEOPLE)
    return store.agencies(tx)


def set_purpose(tx: Transaction, actor: Actor, purpose: Purpose, *, active: bool) -> None:
    """Put a purpose in use, or out of it: then no person's data is opened for it."""
    check(tx, actor, Permission.LEGAL_HOLD_SET)
    store.set_purpose(tx, purpose, active=active)
    audit.record(
        tx, actor.id, "purpose.set", "purpose", purpose.value, agency=actor.agency, active=active
    )
