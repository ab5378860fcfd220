"""Judgements: what a person found of a party and a list entry, why, and until when.

An edge between the two, never a merger of them. A judgement is not changed: second thoughts are
another one, and the newest that still speaks holds. It speaks for every line of the party in
which the same was read, as long as the entry says the same.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import RowMapping

from isthmus.access.gate import REASON_MAX, check, scope
from isthmus.access.model import Actor, Permission
from isthmus.kernel.errors import Conflict, Invalid
from isthmus.kernel.ids import new_id
from isthmus.parties import hit_store
from isthmus.parties.hit import KEEP_SETTLED, NOT_SAME_FOR, NOT_SAME_MOST, HitState, Verdict
from isthmus.platform import audit
from isthmus.platform.transaction import Transaction
from isthmus.reference.codelist import code_list


@dataclass(frozen=True, slots=True)
class Given:
    """What a person says of a hit. ``note`` is free text in the language ``language``.

    ``until`` ends the judgement (exclusive); "not the same" always ends.
    """

    verdict: Verdict
    reason: str
    until: date | None = None
    note: str = ""
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A judgement as it is shown. The note is null where there is none."""

    id: str
    verdict: Verdict
    reason: str
    note: str | None
    language: str | None
    by: str
    at: Any
    until: date | None
    speaks: bool  # about the hit as it stands: the same facts, and not run out


def judge(tx: Transaction, actor: Actor, hit_id: str, given: Given) -> frozenset[str]:
    """Judge a hit, and with it every hit of the same party, entry and facts.

    Only a person may. Returns the lines concerned. Raises ``Conflict`` when the hit has ended and
    ``Invalid`` for a reason that does not fit the verdict or an end that is none.
    """
    check(tx, actor, Permission.HIT_JUDGE, object_id=hit_id)
    tx.lock([f"hit:{hit_id}"])
    hit = hit_store.hit(tx, scope(actor, Permission.HIT_READ), hit_id)
    if hit["state"] == HitState.ENDED:
        raise Conflict("hit_ended", "this hit no longer stands", hit=hit_id)
    until = _until(tx, given)
    _check_reason(given)
    judgement_id = new_id("jdg")
    note = " ".join(given.note.split())
    if len(note) > REASON_MAX:
        raise Invalid("reason_too_long", f"at most {REASON_MAX} characters", field="note")
    hit_store.insert_judgement(
        tx,
        {
            "id": judgement_id,
            "subject": hit["subject"],
            "list": hit["list"],
            "key": hit["key"],
            "facts": hit["facts"],
            "verdict": given.verdict.value,
            "reason": given.reason,
            "note": tx.keys.seal_secret(note.encode(), judgement_id) if note else None,
            "language": given.language if note else None,
            "by": actor.id,
            "at": tx.now,
            "until": until,
            "retain_until": _keep(tx, hit, until),
            "legal_hold": hit["legal_hold"],
        },
    )
    lines = _apply(tx, hit, given.verdict, until)
    audit.record(
        tx,
        actor.id,
        "hit.judge",
        "hit",
        hit_id,
        agency=actor.agency,
        purpose=hit["purpose"],
        judgement=judgement_id,
        verdict=given.verdict.value,
        reason=given.reason,
        list=hit["list"],
        until=until,
    )
    return lines


def history(tx: Transaction, actor: Actor, hit: RowMapping) -> list[Judgement]:
    """Return what was found of a hit's party and entry so far, newest first."""
    check(tx, actor, Permission.HIT_READ)
    pair = (hit["subject"], hit["list"], hit["key"])
    rows = hit_store.judgements_of(tx, [pair]).get(pair, [])
    today = tx.now.date()
    return [
        Judgement(
            row["id"],
            Verdict(row["verdict"]),
            row["reason"],
            tx.keys.open_secret(row["note"], row["id"]).decode() if row["note"] else None,
            row["language"],
            row["by"],
            row["at"],
            row["until"],
            row["facts"] == hit["facts"] and (row["until"] is None or today < row["until"]),
        )
        for row in reversed(rows)
    ]


def _apply(
    tx: Transaction, hit: RowMapping, verdict: Verdict, until: date | None
) -> frozenset[str]:
    lines = set()
    for row in hit_store.like(tx, hit):
        values: dict[str, Any] = {"state": HitState(verdict.value).value, "settled_at": tx.now}
        if verdict is Verdict.NOT_SAME:
            values["retain_until"] = _keep(tx, row, until)
        hit_store.update_hit(tx, row["id"], values)
        lines.add(row["line"])
    return frozenset(lines)


def _keep(tx: Transaction, hit: RowMapping, until: date | None) -> date:
    """Return until when it is kept: as long as it speaks and a year beyond; no longer than the
    line itself where it has no end."""
    kept: date = hit["retain_until"] if until is None else until + KEEP_SETTLED
    return max(kept, (tx.now + KEEP_SETTLED).date())


def _until(tx: Transaction, given: Given) -> date | None:
    today = tx.now.date()
    until = given.until
    if until is None and given.verdict is Verdict.NOT_SAME:
        until = today + NOT_SAME_FOR
    if until is not None and not today < until <= today + NOT_SAME_MOST:
        most = f"a judgement ends between tomorrow and {today + NOT_SAME_MOST}"
        raise Invalid("judgement_end_impossible", most, field="until", value=until.isoformat())
    return until


def _check_reason(given: Given) -> None:
    entry = code_list("judgement_reasons").entry(given.reason)
    if entry is None:
        raise Invalid("code_unknown", "no such reason", field="reason", value=given.reason)
    if given.verdict.value not in entry.extra["verdicts"].split():
        words = f"no reason for the verdict {given.verdict.value}"
        raise Invalid("reason_unfit", words, field="reason", value=given.reason)
