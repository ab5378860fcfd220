"""Hits as they come and go: entered, found again after a list changed, ended, swept away."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping

from isthmus.access.gate import check, scope
from isthmus.access.model import Actor, Permission
from isthmus.kernel.ids import new_id
from isthmus.parties import hit_store, store
from isthmus.parties.hit import (
    KEEP_SETTLED,
    REVIEW_AFTER,
    STANDING,
    Ending,
    Finding,
    HitState,
    Line,
    facts,
    state_by,
)
from isthmus.parties.hit_store import Wanted
from isthmus.parties.listed import Match
from isthmus.platform import audit
from isthmus.platform.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of the hits on entries that changed, and whose lines are concerned."""

    found: int
    ended: int
    again: int
    lines: frozenset[str]


def enter(
    tx: Transaction, findings: Sequence[Finding], versions: Mapping[str, int]
) -> list[dict[str, Any]]:
    """Enter what screening lines gave, also nothing; return the rows of the hits.

    A pair that was judged keeps its verdict: nobody is asked again while the facts are the same.
    """
    rows = _rows(tx, [(one.line, match) for one in findings for match in one.matches])
    hit_store.insert_screenings(
        tx,
        [
            {
                "line": one.line.id,
                "subject": one.line.subject,
                "kind": one.line.kind.value,
                "at": tx.now,
                "versions": dict(versions),
                "hits": len(one.matches),
                "retain_until": one.line.retain_until,
            }
            for one in findings
        ],
    )
    hit_store.insert_hits(tx, rows)
    return rows


def settle(
    tx: Transaction,
    list_code: str,
    gone: Iterable[str],
    changed: Iterable[str],
    found: Sequence[tuple[Line, Match]],
) -> Settled:
    """Bring the hits on changed entries of a list up to date.

    ``found`` are all pairs in which a known line matches an entry that is new or changed. Hits on
    entries that are gone end, and so do those on changed ones that match no longer.
    """
    gone, changed = set(gone), set(changed)
    before = {(row["line"], row["key"]): row for row in _before(tx, list_code, gone | changed)}
    rows = {(row["line"], row["key"]): row for row in _rows(tx, found)}
    keep = (tx.now + KEEP_SETTLED).date()
    lost = {pair for pair, row in before.items() if pair not in rows and _stands(row)}
    for ending, keys in ((Ending.ENTRY_LEFT, gone), (Ending.ENTRY_CHANGED, changed)):
        ids = [before[pair]["id"] for pair in lost if pair[1] in keys]
        hit_store.end_hits(tx, ids, ending, keep)
    again = {pair for pair in rows.keys() & before.keys() if _renew(tx, before[pair], rows[pair])}
    fresh = [row for pair, row in rows.items() if pair not in before]
    hit_store.insert_hits(tx, fresh)
    lines = {line for line, _ in lost | again} | {row["line"] for row in fresh}
    return Settled(len(fresh), len(lost), len(again), frozenset(lines))


def _before(tx: Transaction, list_code: str, keys: Iterable[str]) -> list[RowMapping]:
    return hit_store.hits_of_entries(tx, list_code, keys)


def _stands(row: RowMapping) -> bool:
    return HitState(row["state"]) is not HitState.ENDED


def _renew(tx: Transaction, old: RowMapping, new: Mapping[str, Any]) -> bool:
    """Write down what a hit rests on now; say whether it says something else than before."""
    names = ("score", "basis", "algorithm", "facts", "entry_kind", "state")
    if all(old[name] == new[name] for name in names):
        return False
    values = {name: new[name] for name in (*names, "retain_until")}
    hit_store.update_hit(tx, old["id"], values | {"ended_by": None})
    return True


def _rows(tx: Transaction, found: Sequence[tuple[Line, Match]]) -> list[dict[str, Any]]:
    judged = hit_store.judgements_of(
        tx, {(line.subject, match.list, match.key) for line, match in found}
    )
    return [_row(tx, line, match, judged) for line, match in found]


def _row(
    tx: Transaction,
    line: Line,
    match: Match,
    judged: Mapping[hit_store.Pair, Sequence[RowMapping]],
) -> dict[str, Any]:
    said = facts(tx.keys, match)
    past = judged.get((line.subject, match.list, match.key), ())
    today = tx.now.date()
    return {
        "id": new_id("hit"),
        "line": line.id,
        "subject": line.subject,
        "line_kind": line.kind.value,
        "list": match.list,
        "key": match.key,
        "entry_kind": match.kind,
        "score": match.score,
        "basis": match.basis.value,
        "algorithm": match.algorithm,
        "facts": said,
        "state": state_by(past, said, today).value,
        "found_at": tx.now,
        "settled_at": None,
        "ended_by": None,
        "category": line.category,
        "purpose": "targeting",
        "review_on": today + REVIEW_AFTER,
        "retain_until": line.retain_until,
        "legal_hold": None,
    }


# -- what a desk reads ----------------------------------------------------------------------


def desk(
    tx: Transaction, actor: Actor, wanted: Wanted, limit: int, offset: int = 0
) -> list[RowMapping]:
    """Return hits to be judged, best first; no name in them."""
    check(tx, actor, Permission.HIT_READ)
    return hit_store.hits(tx, scope(actor, Permission.HIT_READ), wanted, limit, offset)


def counts(tx: Transaction, actor: Actor) -> dict[str, int]:
    """Return how many hits stand in each state."""
    return hit_store.count_hits(tx, scope(actor, Permission.HIT_READ))


def find(tx: Transaction, actor: Actor, hit_id: str) -> RowMapping:
    """Return one hit; raises ``NotFound``."""
    return hit_store.hit(tx, scope(actor, Permission.HIT_READ), hit_id)


def entry_of(tx: Transaction, actor: Actor, hit: RowMapping) -> RowMapping | None:
    """Return the entry of a hit as the list has it now, or had it last."""
    return store.entry(tx, scope(actor, Permission.LIST_READ), hit["list"], hit["key"])


def on_lines(tx: Transaction, actor: Actor, lines: Iterable[str]) -> list[RowMapping]:
    """Return every hit of some lines, best first."""
    return hit_store.hits_on(tx, scope(actor, Permission.HIT_READ), lines)


# -- upkeep -----------------------------------------------------------------------------------


def expire(tx: Transaction) -> frozenset[str]:
    """End hits on lookouts that ran out, and ask again where a judgement ran out.

    Returns the lines concerned.
    """
    today = tx.now.date()
    expired = hit_store.hits_on_expired(tx, today)
    keep = (tx.now + KEEP_SETTLED).date()
    hit_store.end_hits(tx, [row["id"] for row in expired], Ending.LOOKOUT_EXPIRED, keep)
    lines = {row["line"] for row in expired if row["state"] in STANDING}
    run_out = hit_store.pairs_run_out(tx, today)
    past = hit_store.judgements_of(tx, {(r["subject"], r["list"], r["key"]) for r in run_out})
    for row in run_out:
        state = state_by(past[row["subject"], row["list"], row["key"]], row["facts"], today)
        if state != row["state"]:
            hit_store.update_hit(tx, row["id"], {"state": state.value})
            lines.add(row["line"])
    return frozenset(lines)


def sweep(tx: Transaction, actor: Actor) -> dict[str, int]:
    """Erase hits, judgements and screenings past their retention, unless held; audited."""
    erased = hit_store.sweep(tx, tx.now.date())
    if erased:
        audit.record(
            tx, actor.id, "hits.swept", "hit", "retention", agency=actor.agency, rows=erased
        )
    return erased


def erase_entry(tx: Transaction, list_code: str, key: str) -> frozenset[str]:
    """End the hits on an entry that was lawfully erased; return the lines they stood on."""
    rows = [row for row in hit_store.hits_of_entries(tx, list_code, [key]) if _stands(row)]
    keep = (tx.now + KEEP_SETTLED).date()
    hit_store.end_hits(tx, [row["id"] for row in rows], Ending.ENTRY_ERASED, keep)
    return frozenset(row["line"] for row in rows)
