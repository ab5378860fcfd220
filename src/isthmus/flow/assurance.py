"""Assurance: one signed pack that shows a partner how this node kept to what was agreed.

It says how fast, what went under which clause, what was refused and corrected, and whether anything
went that no clause then in force let pass, with the places in audit and ledger where that can be
checked. Counts, codes and ids alone: nothing of what was said, and nobody is named. The pack speaks
for the node, so that it says the same whoever makes it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import RowMapping

from isthmus.access.gate import check, scope
from isthmus.access.model import Actor, Permission, node_actor
from isthmus.agreements import store as agreements
from isthmus.exchange import copy_store, inbox
from isthmus.exchange import terms as terms_
from isthmus.exchange.proof import ledger_store
from isthmus.exchange.trust import identity, key_store
from isthmus.flow import assurance_pack, partnership, partnership_store
from isthmus.flow.partnership import Accuracy, Figure
from isthmus.flow.redecide import LEFT, redecide
from isthmus.intelligence import store as items
from isthmus.intelligence.model import ItemKind
from isthmus.intelligence.objects import ObjectKind
from isthmus.kernel.canonical import canonical
from isthmus.kernel.errors import Erased, Invalid
from isthmus.kernel.time import isoformat
from isthmus.platform import audit
from isthmus.platform.database import Database
from isthmus.platform.transaction import Transaction

MOST_FAULTS = 20
LONGEST = timedelta(days=400)  # a year and what a late pack needs; ours
# What answers another item calls for no feedback of its own.
_UNASKED = ("feedback", "correction", "recall")


def make(
    database: Database,
    actor: Actor,
    partner: str,
    since: datetime,
    until: datetime,
    head: Path | None = None,
) -> bytes:
    """Make and sign the pack of a partner and a period, and note in the audit that it was made.

    ``head`` is where the head of the audit's chain is noted apart. Everything is read before
    anything is written, so that a long period holds no other writer up.
    """
    said = database.read(lambda tx: gather(tx, actor, partner, since, until, head))
    return database.write(lambda tx: _signed(tx, actor, partner, said))


def _signed(tx: Transaction, actor: Actor, partner: str, said: Mapping[str, Any]) -> bytes:
    check(tx, actor, Permission.LEDGER_READ, object_id=partner)
    raw = assurance_pack.sign(identity.signer(tx), said)
    audit.record(
        tx, actor.id, "assurance.make", "partner", partner, agency=actor.agency,
        object_digest=sha256(raw).digest(), since=said["from"], until=said["until"],
        leaks=len(said["leaks"]["found"]),
    )  # fmt: skip
    return raw


def gather(
    tx: Transaction,
    actor: Actor,
    partner: str,
    since: datetime,
    until: datetime,
    head: Path | None = None,
) -> dict[str, Any]:
    """Return what the pack of a partner and a period says, before it is signed."""
    check(tx, actor, Permission.PARTNER_READ, object_id=partner)
    check(tx, actor, Permission.LEDGER_READ, object_id=partner)
    # First, while nothing was read: the head noted apart must not be newer than what is read.
    audited = _audit(tx, head)
    if not since < until <= tx.now or until - since > LONGEST:
        raise Invalid("period_wrong", "a period over, of 400 days at most", field="from")
    node = node_actor()
    sent = scope(node, Permission.PARTNER_READ)
    rows = partnership_store.exchanged(tx, sent, partner, since, until)
    mine = partnership.of_partner(tx, node, partner, since, until)
    again = redecide(tx, node, rows)
    checkpoint = ledger_store.newest(tx, identity.me(tx)["node"])
    return {
        "node": identity.me(tx)["node"],
        "partner": partner,
        "from": isoformat(since),
        "until": isoformat(until),
        "made_at": isoformat(tx.now),
        "keys": _keys(tx, checkpoint),
        "times": [_times(one) for one in mine.figures if one.span.begun],
        "accuracy": {"ours": _accuracy(mine.ours), "theirs": _accuracy(mine.theirs)},
        "feedback": _feedback(tx, partner, rows),
        "disclosures": _disclosures(tx, partner, since, until),
        "refusals": _refusals(tx, partner, rows, since, until),
        "follow": _follow(tx, partner, rows, since, until),
        "leaks": {
            "checked": again.checked,
            "not_checkable": dict(again.not_checkable),
            "found": [
                {"envelope": one.envelope, "item": one.item, "path": one.path, "code": one.code}
                for one in again.leaks
            ],
        },
        "audit": audited,
        "ledger": {"checkpoint": orjson.loads(checkpoint["body"]) if checkpoint else None},
        "evidence": _evidence(tx, rows),
    }


def _keys(tx: Transaction, checkpoint: RowMapping | None) -> list[str]:
    """Return the public keys that the pack is verified by, the checkpoint's too."""
    wanted = {identity.signer(tx).fingerprint}
    if checkpoint is not None:
        wanted.add(orjson.loads(checkpoint["body"])["key"])
    held = {row["fingerprint"]: row["public"].hex() for row in key_store.own_keys(tx)}
    return sorted(held[one] for one in wanted)


# -- the parts ----------------------------------------------------------------------------


def _times(one: Figure) -> dict[str, Any]:
    targets = None if one.targets is None else [_seconds(each) for each in one.targets]
    return {
        "measure": one.measure.value,
        "agreement": one.agreement,
        "begun": one.span.begun,
        "ended": one.span.ended,
        "median_seconds": _seconds(one.span.median),
        "p95_seconds": _seconds(one.span.p95),
        "target_seconds": targets,
        "judged": one.judged,
        "in_time": one.in_time,
    }


def _seconds(span: timedelta | None) -> int | None:
    return None if span is None else round(span.total_seconds())


def _accuracy(one: Accuracy) -> dict[str, int]:
    return {"items": one.items, "corrected": one.corrected, "recalled": one.recalled}


def _feedback(tx: Transaction, partner: str, rows: Sequence[RowMapping]) -> dict[str, Any]:
    """What the terms of items received asked as feedback: given in time, late, or owed still."""
    given = _given(tx, partner, [row["item_id"] for row in rows if row["direction"] == "in"])
    asked, in_time, late, gone = 0, 0, 0, 0
    owed = []
    for row in rows:
        if row["direction"] != "in" or row["state"] != "delivered" or row["item_kind"] in _UNASKED:
            continue
        try:
            due = _due(tx, row)
        except Erased:
            gone += 1
            continue
        if due is None:
            continue
        asked += 1
        told = given.get(row["item_id"])
        if told is None:
            owed.append({"item": row["item_id"], "envelope": row["id"], "due": isoformat(due)})
        elif told <= due:
            in_time += 1
        else:
            late += 1
    requests = partnership_store.owed_feedback(tx, scope(node_actor(), Permission.REQUEST_READ),
                                               partner)  # fmt: skip
    came = Counter(row["direction"] for row in rows if row["item_kind"] == ItemKind.FEEDBACK)
    return {
        "asked": asked,
        "given_in_time": in_time,
        "given_late": late,
        "owed": owed,
        "overdue": sum(one["due"] < isoformat(tx.now) for one in owed),
        "not_checkable": gone,
        "sent": came["out"],
        "received": came["in"],
        "requests_owed": [row["id"] for row in requests if not row["incoming"]],
    }


def _due(tx: Transaction, row: RowMapping) -> datetime | None:
    links = inbox.opened(tx, row["id"]).envelope.terms
    return terms_.unverified(canonical(links[-1])).feedback_due


def _given(tx: Transaction, partner: str, about: Sequence[str]) -> dict[str, datetime]:
    """Return when this node first sent a partner feedback about items, by item."""
    found: dict[str, datetime] = {}
    named = items.naming(tx, ObjectKind.ITEM, list(dict.fromkeys(about)))
    for row in named:
        if row["kind"] != ItemKind.FEEDBACK or row["partner"] is not None:
            continue
        for copy in copy_store.copies(tx, row["item"]):
            if copy["partner"] == partner:
                known = found.get(row["value"], copy["at"])
                found[row["value"]] = min(known, copy["at"])
    return found


def _disclosures(tx: Transaction, partner: str, since: datetime, until: datetime) -> dict[str, Any]:
    """How many shares went, under which clauses, for what and how: from the audit of each."""
    seen = scope(node_actor(), Permission.ITEM_READ)
    rows = [
        row
        for row in partnership_store.shares(tx, seen, since, until)
        if row["detail"]["partner"] == partner
    ]
    clauses = Counter(clause for row in rows for clause in row["detail"]["clauses"])
    return {
        "shares": len(rows),
        "about_persons": sum(row["detail"]["personal"] > 0 for row in rows),
        "clauses": [{"clause": name, "shares": count} for name, count in sorted(clauses.items())],
        "purposes": _counted(row["purpose"] for row in rows),
        "modes": _counted(row["detail"]["mode"] for row in rows),
    }


def _counted(codes: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(codes).items()))


def _refusals(
    tx: Transaction, partner: str, rows: Sequence[RowMapping], since: datetime, until: datetime
) -> dict[str, Any]:
    """What was refused, by code: by the partner, here, before it left, field by field."""

    def of(direction: str, *states: str) -> dict[str, int]:
        return _counted(
            row["code"] or "unstated"
            for row in rows
            if row["direction"] == direction and row["state"] in states
        )

    node = node_actor()
    asked = partnership_store.requests(tx, scope(node, Permission.REQUEST_READ), since, until)
    refused = [row for row in asked if row["partner"] == partner and row["refusal_ground"]]
    gaps = agreements.gaps(tx, scope(node, Permission.AGREEMENT_READ))
    return {
        "by_partner": of("out", "refused"),
        "here": of("in", "refused"),
        "held_by_partner": of("out", "held"),
        "held_here": of("in", "held"),
        "stopped": of("out", "stopped", "expired"),
        "requests_here": _counted(row["refusal_ground"] for row in refused if row["incoming"]),
        "requests_by_partner": _counted(
            row["refusal_ground"] for row in refused if not row["incoming"]
        ),
        # Counted since the beginning: the clauses that would have let more pass.
        "withheld_ever": [
            {"clause": row["clause"], "code": row["code"], "fields": row["count"]}
            for row in _by_clause(gaps, partner)
        ],
    }


def _by_clause(gaps: Iterable[RowMapping], partner: str) -> list[Mapping[str, Any]]:
    counts: Counter[tuple[str, str]] = Counter()
    for row in gaps:
        if row["recipient"] == partner:
            counts[row["clause"], row["code"]] += row["count"]
    return [
        {"clause": clause, "code": code, "count": count}
        for (clause, code), count in sorted(counts.items())
    ]


def _follow(
    tx: Transaction, partner: str, rows: Sequence[RowMapping], since: datetime, until: datetime
) -> dict[str, Any]:
    """Corrections and recalls of ours with what the partner did, and those that came from it."""
    node = node_actor()
    sent = partnership_store.followed(
        tx, scope(node, Permission.PARTNER_READ), partner, since, until
    )
    came = [row for row in rows if row["direction"] == "in" and row["state"] == "delivered"]
    return {
        "sent": [
            {
                "item": row["item_id"],
                "by": row["follow_id"],
                "state": row["follow_state"],
                "code": row["follow_code"] or "",
                "at": isoformat(row["follow_at"]),
            }
            for row in sent
        ],
        "states": _counted(row["follow_state"] for row in sent),
        "corrections_received": sum(row["item_kind"] == ItemKind.CORRECTION for row in came),
        "recalls_received": sum(row["item_kind"] == ItemKind.RECALL for row in came),
        "acted_here": _counted(
            str(row["code"]).partition(" ")[0]
            for row in came
            if row["item_kind"] in ("correction", "recall") and row["code"]
        ),
    }


def _audit(tx: Transaction, head: Path | None) -> dict[str, Any]:
    faults = list(audit.verify(tx, head))
    position = audit.head_of(tx)
    return {
        "faults": len(faults),
        "first": [
            {"table": one.table, "row": one.row, "message": one.message}
            for one in faults[:MOST_FAULTS]
        ],
        "position": position[0] if position else 0,
        "chain": position[1].hex() if position else "",
        "head_noted_apart": head is not None and head.exists(),
    }


def _evidence(tx: Transaction, rows: Sequence[RowMapping]) -> list[dict[str, Any]]:
    """Every envelope that left or came, with its place in the ledger."""
    kept = [row for row in rows if row["state"] in LEFT]
    seen = scope(node_actor(), Permission.LEDGER_READ)
    places = partnership_store.places(tx, seen, [row["id"] for row in kept])
    return [
        {
            "envelope": row["id"],
            "direction": row["direction"],
            "item_kind": row["item_kind"],
            "state": row["state"],
            "at": isoformat(row["at"]),
            "epoch": places[row["id"]]["epoch"],
            "index": places[row["id"]]["index"],
        }
        for row in kept
        if row["id"] in places
    ]
