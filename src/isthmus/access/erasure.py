"""Review, retention, legal hold and erasure of the records of the node's own people.

An erased person leaves an id: the audit keeps saying that somebody did it, and no longer who.
"""

from datetime import date

from isthmus.access import secret_store, store
from isthmus.access.gate import check
from isthmus.access.model import Actor, Permission, Person
from isthmus.access.service import RETAIN
from isthmus.kernel.errors import Conflict, Invalid
from isthmus.platform import audit
from isthmus.platform.transaction import Transaction


def due_reviews(tx: Transaction, actor: Actor, on: date) -> list[Person]:
    """Return the people whose record is due for review on that day, longest due first."""
    check(tx, actor, Permission.ERASURE_PERFORM)
    return store.due_for_review(tx, on)


def due_erasures(tx: Transaction, actor: Actor, on: date) -> list[Person]:
    """Return the former users whose retention has ended and who are under no legal hold."""
    check(tx, actor, Permission.ERASURE_PERFORM)
    return store.due_for_erasure(tx, on)


def reviewed(tx: Transaction, actor: Actor, person_id: str, next_review: date) -> None:
    """Note that a person's record was reviewed and is still needed; retention starts anew."""
    check(tx, actor, Permission.ERASURE_PERFORM, object_id=person_id)
    person = store.person(tx, person_id)
    if next_review <= tx.now.date():
        raise Invalid("review_past", "the next review lies ahead", field="next_review")
    values = {"review_on": next_review}
    if person.active:
        values["retain_until"] = (tx.now + RETAIN).date()
    store.update_person(tx, person_id, **values)
    audit.record(
        tx,
        actor.id,
        "person.reviewed",
        "person",
        person_id,
        agency=actor.agency,
        next_review=next_review,
    )


def set_legal_hold(tx: Transaction, actor: Actor, person_id: str, *, held: bool) -> None:
    """Put a person's record under legal hold, or lift it: what is held is not erased."""
    check(tx, actor, Permission.LEGAL_HOLD_SET, object_id=person_id)
    store.person(tx, person_id)
    store.update_person(tx, person_id, legal_hold=held)
    audit.record(
        tx, actor.id, "legal_hold.set", "person", person_id, agency=actor.agency, held=held
    )


def erase_person(tx: Transaction, actor: Actor, person_id: str) -> None:
    """Erase a former user: name, login, credentials, links and reasons go, the id stays.

    Raises ``Conflict`` while the person is active or under legal hold. Erased twice is erased.
    """
    check_erasable(tx, actor, person_id)
    if store.person(tx, person_id).erased_at is not None:
        return
    erase_person_rows(tx, person_id)
    audit.record(tx, actor.id, "person.erased", "person", person_id, agency=actor.agency)


def check_erasable(tx: Transaction, actor: Actor, person_id: str) -> None:
    """Refuse to erase without permission, while active, or under legal hold."""
    check(tx, actor, Permission.ERASURE_PERFORM, object_id=person_id)
    person = store.person(tx, person_id)
    if person.legal_hold:
        raise Conflict("legal_hold", "the record is under legal hold", person=person_id)
    if person.active:
        raise Conflict("person_active", "deactivate the person first", person=person_id)


def erase_person_rows(tx: Transaction, person_id: str) -> None:
    """Erase a person's rows; also what a restore calls to replay an erasure. May be repeated."""
    secret_store.drop_credential(tx, person_id)
    secret_store.drop_invitations(tx, person_id)
    secret_store.end_sessions(tx, person_id)
    store.end_grants(tx, person_id)
    store.end_assignments(tx, person_id)
    store.erase_reasons_by(tx, person_id)
    store.erase_reasons(tx, person_id)
    store.update_person(tx, person_id, active=False, name=None, login=None, erased_at=tx.now)


def erase_reasons(tx: Transaction, subject_id: str) -> int:
    """Forget the words that justified look-ups of a subject, when that subject is erased.

    Called from above by the erasure that passed its own check; returns how many were forgotten.
    Who looked, when and for which purpose stays, for supervision.
    """
    return store.erase_reasons(tx, subject_id)
