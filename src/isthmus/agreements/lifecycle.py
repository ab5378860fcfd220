"""The life of an agreement at a node: draft, legal review by two persons, tested, active, ended.

Either node narrows alone. What widens needs the signatures of both parties over one hash. No
version is ever changed: an amendment is a new version, and the one before is kept as amended.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import RowMapping

from isthmus.access.gate import check, scope
from isthmus.access.model import Actor, Permission
from isthmus.agreements import commitments, store
from isthmus.agreements.agreement import Agreement
from isthmus.agreements.examples import run
from isthmus.agreements.model import Standing
from isthmus.agreements.narrowing import narrows
from isthmus.agreements.reading import read, read_kept
from isthmus.kernel.errors import Conflict, Denied, Invalid
from isthmus.kernel.ids import new_id
from isthmus.platform import audit, events
from isthmus.platform.transaction import Transaction
from isthmus.reference.codelist import code_list

# Whether a node signed an agreement's hash: node, agreement, hash, signature.
Verifier = Callable[[str, str, str, bytes], bool]


def enter(tx: Transaction, actor: Actor, text: str, file: str = "entered") -> str:
    """Enter a version as a draft from its file; return its id (``agreement@version``).

    Raises ``Invalid`` with file, place and reason, ``Conflict`` when the version is not newer
    than every one there is.
    """
    check(tx, actor, Permission.AGREEMENT_DRAFT)
    agreement = read(text, file)
    tx.lock([f"agreement-{agreement.id}"])
    newest = store.newest_version(tx, agreement.id)
    if agreement.version <= newest:
        words = f"version {newest} exists; raise the version"
        raise Conflict("agreement_known", words, agreement=agreement.id)
    version_id = f"{agreement.id}@{agreement.version}"
    store.insert_version(
        tx,
        {
            "id": version_id,
            "agreement": agreement.id,
            "version": agreement.version,
            "hash": agreement.hash,
            "state": Standing.DRAFT,
            "source": text,
            "drafted_by": actor.id,
            "drafted_at": tx.now,
        },
    )
    _note(tx, actor, "agreement.enter", version_id, hash=agreement.hash)
    return version_id


def review(tx: Transaction, actor: Actor, version_id: str) -> Standing:
    """Approve a version in law; return its new state.

    Two persons do so, neither of them its drafter. The second review is passed only when every
    example comes out as its authors meant (``Conflict`` names the first that does not).
    """
    check(tx, actor, Permission.AGREEMENT_REVIEW, object_id=version_id)
    row = _row(tx, actor, version_id, Standing.DRAFT, Standing.LEGAL_REVIEW)
    if actor.id in (row["drafted_by"], row["reviewed_by"]):
        raise Denied("second_person", "another person reviews an agreement", agreement=version_id)
    if row["state"] == Standing.DRAFT:
        store.change_version(
            tx, version_id, state=Standing.LEGAL_REVIEW, reviewed_by=actor.id, reviewed_at=tx.now
        )
        _note(tx, actor, "agreement.review", version_id, before=Standing.DRAFT)
        return Standing.LEGAL_REVIEW
    if failed := run(_agreement(row)):
        first = failed[0]
        raise Conflict(
            "agreement.example_failed",
            f"{first.example.title}: {'; '.join(first.wrong)}",
            agreement=version_id,
            clause=first.clause,
        )
    store.change_version(
        tx, version_id, state=Standing.TESTED, tested_by=actor.id, tested_at=tx.now
    )
    _note(tx, actor, "agreement.tested", version_id, before=Standing.LEGAL_REVIEW)
    return Standing.TESTED


def record_signature(
    tx: Transaction,
    actor: Actor,
    version_id: str,
    node: str,
    signature: bytes,
    verify: Verifier,
) -> bool:
    """Put a party's signature over the hash of a version on record; say whether it is new.

    Raises ``Invalid`` when the node is no party, ``Denied`` when the signature does not fit.
    """
    check(tx, actor, Permission.AGREEMENT_ACTIVATE, object_id=version_id)
    row = store.version(tx, scope(actor, Permission.AGREEMENT_READ), version_id)
    if node not in _agreement(row).nodes:
        raise Invalid("signer_unknown", "this node is no party", node=node, agreement=version_id)
    if not verify(node, row["agreement"], row["hash"], signature):
        raise Denied(
            "signature_wrong", "the signature does not fit", node=node, agreement=version_id
        )
    new = store.insert_signature(
        tx,
        {
            "agreement": row["agreement"],
            "hash": row["hash"],
            "node": node,
            "signature": signature,
            "recorded_at": tx.now,
            "recorded_by": actor.id,
        },
    )
    if new:
        _note(tx, actor, "agreement.signed", version_id, node=node, hash=row["hash"])
    return new


def activate(tx: Transaction, actor: Actor, version_id: str, *, fictional: bool = False) -> None:
    """Put a tested version in force in place of the one before, which is kept as amended.

    What lets more pass than the version in force needs the signatures of all nodes that are
    parties, over its hash. ``fictional`` says that this node plays: nowhere else may an agreement
    that is made up be in force. Raises ``Conflict`` naming the nodes whose signatures lack.
    """
    check(tx, actor, Permission.AGREEMENT_ACTIVATE, object_id=version_id)
    row = _row(tx, actor, version_id, Standing.TESTED)
    if row["drafted_by"] == actor.id:
        raise Denied("second_person", "another person activates it", agreement=version_id)
    agreement = _agreement(row)
    if agreement.fictional and not fictional:
        raise Conflict(
            "agreement_fictional", "a made-up agreement gives no authority", agreement=version_id
        )
    before = store.active_of(tx, row["agreement"])
    if before is None:
        widens = agreement.permits
    else:
        widens = not narrows(_agreement(before).clauses, agreement.clauses)
    lacking = agreement.nodes - store.signers(tx, row["agreement"], row["hash"])
    if widens and lacking:
        words = f"it widens, and {', '.join(sorted(lacking))} did not sign its hash"
        raise Conflict("signatures_missing", words, agreement=version_id)
    if before is not None:
        store.change_version(tx, before["id"], state=Standing.AMENDED, ended_at=tx.now)
    store.change_version(
        tx, version_id, state=Standing.ACTIVE, activated_by=actor.id, activated_at=tx.now
    )
    commitments.open_all(tx, agreement)
    _note(tx, actor, "agreement.activate", version_id, hash=row["hash"], widens=widens)
    events.emit(tx, "agreement.changed", row["agreement"], state=Standing.ACTIVE, hash=row["hash"])


def suspend(
    tx: Transaction, actor: Actor, agreement: str, ground: str, clause: str | None = None
) -> str:
    """Stop a clause, or all of an agreement, at once; return the suspension's id.

    One person is enough and no partner is asked: it only narrows.
    """
    check(tx, actor, Permission.AGREEMENT_SUSPEND, object_id=agreement)
    if ground not in code_list("refusal_grounds"):
        raise Invalid("ground_unknown", "no ground of refusal", agreement=agreement, ground=ground)
    row = store.active_of(tx, agreement)
    if row is None or (clause is not None and _agreement(row).clause(clause) is None):
        raise Conflict(
            "state_forbids", "no such clause is in force here", agreement=agreement, clause=clause
        )
    suspension = new_id("sus")
    store.insert_suspension(
        tx,
        {
            "id": suspension,
            "agreement": agreement,
            "clause": clause,
            "since": tx.now,
            "until": None,
            "ground": ground,
            "suspended_by": actor.id,
        },
    )
    _note(tx, actor, "agreement.suspend", agreement, clause=clause, suspension=suspension)
    events.emit(tx, "agreement.changed", agreement, state=Standing.SUSPENDED, clause=clause)
    return suspension


def lift(tx: Transaction, actor: Actor, suspension_id: str) -> None:
    """End a suspension of this node: back to what both parties signed, by another person."""
    check(tx, actor, Permission.AGREEMENT_SUSPEND, object_id=suspension_id)
    row = store.suspension(tx, scope(actor, Permission.AGREEMENT_READ), suspension_id)
    if row["until"] is not None:
        raise Conflict("state_forbids", "it ended already", suspension=suspension_id)
    if row["suspended_by"] == actor.id:
        raise Denied("second_person", "another person lifts it", suspension=suspension_id)
    store.change_suspension(tx, suspension_id, until=tx.now, lifted_by=actor.id)
    _note(tx, actor, "agreement.resume", row["agreement"], suspension=suspension_id)
    events.emit(
        tx, "agreement.changed", row["agreement"], state=Standing.ACTIVE, clause=row["clause"]
    )


def withdraw(tx: Transaction, actor: Actor, version_id: str) -> None:
    """Take a version out of force, or out of preparation, for good; it narrows, so one may."""
    check(tx, actor, Permission.AGREEMENT_SUSPEND, object_id=version_id)
    row = _row(
        tx,
        actor,
        version_id,
        Standing.DRAFT,
        Standing.LEGAL_REVIEW,
        Standing.TESTED,
        Standing.ACTIVE,
    )
    store.change_version(tx, version_id, state=Standing.WITHDRAWN, ended_at=tx.now)
    _note(tx, actor, "agreement.withdraw", version_id, before=row["state"])
    events.emit(tx, "agreement.changed", row["agreement"], state=Standing.WITHDRAWN)


def _row(tx: Transaction, actor: Actor, version_id: str, *states: Standing) -> RowMapping:
    tx.lock([f"agreement-{version_id.partition('@')[0]}"])
    row = store.version(tx, scope(actor, Permission.AGREEMENT_READ), version_id)
    if row["state"] not in states:
        words = f"it is {row['state']}, not {' or '.join(states)}"
        raise Conflict("state_forbids", words, agreement=version_id)
    return row


def _agreement(row: RowMapping) -> Agreement:
    return read_kept(row["source"])


def _note(tx: Transaction, actor: Actor, action: str, object_id: str, **detail: Any) -> None:
    audit.record(tx, actor.id, action, "agreement", object_id, agency=actor.agency, **detail)
