"""What other areas ask of agreements: the clauses between two nodes, the overlay, the hashes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from isthmus.access.gate import check, scope
from isthmus.access.model import Actor, Permission
from isthmus.agreements import store
from isthmus.agreements.agreement import Agreement
from isthmus.agreements.model import Clause, Decision, InForce
from isthmus.agreements.reading import read_kept
from isthmus.intelligence.model import Item
from isthmus.intelligence.schema import field_name
from isthmus.platform import audit, events
from isthmus.platform.transaction import Transaction


def clauses_between(tx: Transaction, sender: str, recipient: str, now: datetime) -> list[InForce]:
    """Return the clauses by which one node may send to another, as they stand at this node.

    All clauses of active agreements are given, those out of force at ``now`` too: ``decide``
    refuses them and names them as the nearest. Suspensions here are written into them; one that
    ended before ``now`` is left out.
    """
    return [
        one
        for one in clauses_in_force(tx, now)
        if (permit := one.clause.permit)
        and sender in permit.senders
        and recipient in permit.recipients
    ]


def clauses_in_force(tx: Transaction, now: datetime) -> list[InForce]:
    """Return every clause of an active agreement that permits, as ``clauses_between`` does."""
    pauses = _pauses(tx, now)
    found = []
    for row in store.active(tx):
        for clause in read_kept(row["source"]).clauses:
            if clause.permit:
                paused = (*pauses.get((row["agreement"], None), ()),)
                paused += (*pauses.get((row["agreement"], clause.id), ()),)
                held = replace(clause, suspended=paused) if paused else clause
                found.append(InForce(row["agreement"], row["hash"], held))
    return found


Pause = tuple[datetime, datetime | None]


def _pauses(tx: Transaction, now: datetime) -> dict[tuple[str, str | None], list[Pause]]:
    held: dict[tuple[str, str | None], list[Pause]] = {}
    for row in store.suspensions(tx):
        if row["until"] is None or row["until"] > now:
            key = (row["agreement"], row["clause"])
            held.setdefault(key, []).append((row["since"], row["until"]))
    return held


def clause_of(tx: Transaction, citation: str) -> Clause | None:
    """Return a clause of an active agreement by its citation: for reply clocks and the like."""
    agreement, _, clause = citation.partition("/")
    row = store.active_of(tx, agreement)
    return None if row is None else read_kept(row["source"]).clause(clause)


def hash_of(tx: Transaction, agreement: str) -> str | None:
    """Return the hash of the active version of an agreement here, None where there is none."""
    row = store.active_of(tx, agreement)
    return None if row is None else str(row["hash"])


def agreements(tx: Transaction, actor: Actor) -> list[tuple[RowMapping, Agreement]]:
    """Return every version of every agreement with the record that its text makes."""
    check(tx, actor, Permission.AGREEMENT_READ)
    rows = store.versions(tx, scope(actor, Permission.AGREEMENT_READ))
    return [(row, read_kept(row["source"])) for row in rows]


def version(tx: Transaction, actor: Actor, version_id: str) -> RowMapping:
    """Return one version as it is kept; raises ``NotFound``."""
    check(tx, actor, Permission.AGREEMENT_READ, object_id=version_id)
    return store.version(tx, scope(actor, Permission.AGREEMENT_READ), version_id)


def texts_between(tx: Transaction, one: str, other: str) -> dict[str, str]:
    """Return the hashes of the active agreements to which both nodes are parties, by code."""
    both = {one, other}
    return {
        row["agreement"]: row["hash"]
        for row in store.active(tx)
        if both <= read_kept(row["source"]).nodes
    }


# -- hashes of partners -------------------------------------------------------------------


def note_partner_hash(tx: Transaction, partner: str, agreement: str, their_hash: str) -> bool:
    """Keep what a partner says is the hash of an agreement; return whether both hold the same.

    A difference is told as an event and stays until the two agree: see ``hashes_agree``.
    """
    own = hash_of(tx, agreement)
    agrees = own == their_hash
    known = store.partner_hash(tx, partner, agreement)
    if known is None or known["hash"] != their_hash or known["agrees"] != agrees:
        store.put_partner_hash(
            tx,
            {
                "partner": partner,
                "agreement": agreement,
                "hash": their_hash,
                "noted_at": tx.now,
                "agrees": agrees,
            },
        )
        detail: dict[str, Any] = {"partner": partner, "own": own, "theirs": their_hash}
        action = "agreement.hash_agrees" if agrees else "agreement.hash_differs"
        audit.record(tx, "node", action, "agreement", agreement, **detail)
        events.emit(tx, action, agreement, **detail)
    return agrees


def hashes_agree(tx: Transaction, partner: str, agreement: str) -> bool:
    """Whether envelopes under an agreement may go to a partner and come from it.

    They are held while the hash that the partner last told differs from the active one here.
    Before it has told any, its first envelope or poll decides.
    """
    own, told = hash_of(tx, agreement), store.partner_hash(tx, partner, agreement)
    return own is not None and (told is None or told["hash"] == own)


def hash_told(tx: Transaction, partner: str, agreement: str) -> str | None:
    """Return what a partner last said is the hash of an agreement: empty where it is not in force
    there, None before it has said any."""
    row = store.partner_hash(tx, partner, agreement)
    return None if row is None else str(row["hash"])


def differences(tx: Transaction, actor: Actor) -> list[RowMapping]:
    """Return what partners told of hashes that are not the active ones here."""
    check(tx, actor, Permission.AGREEMENT_READ)
    rows = store.partner_hashes(tx, scope(actor, Permission.AGREEMENT_READ))
    return [row for row in rows if row["hash"] != hash_of(tx, row["agreement"])]


# -- gaps ---------------------------------------------------------------------------------


def note_withheld(tx: Transaction, decision: Decision, item: Item, recipient: str) -> None:
    """Count what stayed, by the clause that would have let it pass, for whoever negotiates.

    Fields and codes are counted, no item is named. A field that stays in several objects of a
    list counts once.
    """
    kinds = {
        (one.clause or "", one.code, field_name(path)) for path, one in decision.withheld.items()
    }
    for clause, code, field in sorted(kinds):
        store.count_gap(
            tx,
            {
                "clause": clause,
                "recipient": recipient,
                "code": code,
                "kind": item.kind,
                "field": field,
            },
        )


def gaps(tx: Transaction, actor: Actor) -> Sequence[RowMapping]:
    """Return the counts of what stayed, the most frequent first."""
    check(tx, actor, Permission.AGREEMENT_READ)
    return store.gaps(tx, scope(actor, Permission.AGREEMENT_READ))
