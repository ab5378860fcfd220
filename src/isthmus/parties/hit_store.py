"""All the SQL of screening: screened lines, hits, judgements and screenings again."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, case, delete, func, select, tuple_, update

from isthmus.access.gate import Scope, unscoped
from isthmus.kernel.errors import NotFound
from isthmus.parties.hit import UNDECIDED, Ending, HitState, LineKind
from isthmus.parties.store import slices
from isthmus.parties.tables import (
    entry_table,
    hit_table,
    judgement_table,
    rescreening_table,
    screening_table,
)
from isthmus.platform.transaction import Transaction

Pair = tuple[str, str, str]  # subject, list, key

# -- screened lines -----------------------------------------------------------------------


@unscoped("what was screened already is not screened again, for the node and not for a person")
def screened(tx: Transaction, lines: Iterable[str]) -> set[str]:
    """Return which of these lines were screened."""
    column = screening_table.c.line
    found: set[str] = set()
    for part in slices(lines):
        found.update(tx.execute(select(column).where(column.in_(part))).scalars())
    return found


def insert_screenings(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Enter lines as screened; one that is entered already stays as it is."""
    tx.insert_all_new(screening_table, rows)


@unscoped("every thing that was screened is looked at again, for the node and not for a person")
def things_screened(tx: Transaction) -> dict[str, date]:
    """Return the lines of ships and container prefixes, with until when each is kept."""
    columns = screening_table.c
    rows = tx.execute(
        select(columns.line, columns.retain_until).where(columns.kind != LineKind.PARTY.value)
    )
    return {row.line: row.retain_until for row in rows}


# -- hits ---------------------------------------------------------------------------------


def insert_hits(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> int:
    """Enter hits that are new; return how many were."""
    return tx.insert_all_new(hit_table, rows)


def update_hit(tx: Transaction, hit_id: str, values: Mapping[str, Any]) -> None:
    """Change how a hit stands."""
    tx.execute(update(hit_table).where(hit_table.c.id == hit_id).values(**values))


@unscoped("scoring reads the standing hits of its own batch, for the node and not for a person")
def standing_on(tx: Transaction, lines: Iterable[str]) -> list[RowMapping]:
    """Return the hits of these lines that say something about a consignment."""
    columns = hit_table.c
    found: list[RowMapping] = []
    for part in slices(lines):
        rows = tx.execute(
            select(hit_table)
            .where(columns.line.in_(part), columns.state.in_(("open", "unsure", "same")))
            .order_by(columns.seq)
        )
        found += rows.mappings()
    return found


def hits_on(tx: Transaction, scope: Scope, lines: Iterable[str]) -> list[RowMapping]:
    """Return every hit of these lines, best first."""
    columns = hit_table.c
    found: list[RowMapping] = []
    for part in slices(lines):
        rows = tx.execute(select(hit_table).where(columns.line.in_(part), scope.where()))
        found += rows.mappings()
    return sorted(found, key=lambda row: (-row["score"], row["seq"]))


@unscoped("hits of changed entries are settled, for the node and not for a person")
def hits_of_entries(tx: Transaction, list_code: str, keys: Iterable[str]) -> list[RowMapping]:
    """Return every hit on these entries of a list."""
    columns = hit_table.c
    found: list[RowMapping] = []
    for part in slices(keys):
        rows = tx.execute(
            select(hit_table)
            .where(columns.list == list_code, columns.key.in_(part))
            .order_by(columns.seq)
        )
        found += rows.mappings()
    return found


def hit(tx: Transaction, scope: Scope, hit_id: str) -> RowMapping:
    """Return one hit; raises ``NotFound``."""
    row = (
        tx.execute(select(hit_table).where(hit_table.c.id == hit_id, scope.where()))
        .mappings()
        .first()
    )
    if row is None:
        raise NotFound("hit_unknown", "no such hit", hit=hit_id)
    return row


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which hits a desk shows."""

    states: Collection[HitState] = UNDECIDED
    list: str | None = None
    line_kind: str | None = None
    entry_kind: str | None = None
    least: float = 0.0  # the lowest score

    def where(self) -> ColumnElement[bool]:
        """Return the condition for a select."""
        columns = hit_table.c
        parts: list[ColumnElement[bool]] = [
            columns.state.in_([state.value for state in self.states])
        ]
        if self.list:
            parts.append(columns.list == self.list)
        if self.line_kind:
            parts.append(columns.line_kind == self.line_kind)
        if self.entry_kind:
            parts.append(columns.entry_kind == self.entry_kind)
        if self.least:
            parts.append(columns.score >= self.least)
        return and_(*parts)


def hits(
    tx: Transaction, scope: Scope, wanted: Wanted, limit: int, offset: int = 0
) -> list[RowMapping]:
    """Return hits, best first."""
    columns = hit_table.c
    rows = tx.execute(
        select(hit_table)
        .where(wanted.where(), scope.where())
        .order_by(columns.score.desc(), columns.seq)
        .limit(limit)
        .offset(offset)
    )
    return list(rows.mappings())


def count_hits(tx: Transaction, scope: Scope) -> dict[str, int]:
    """Return how many hits stand in each state."""
    columns = hit_table.c
    rows = tx.execute(
        select(columns.state, func.count().label("hits"))
        .where(scope.where())
        .group_by(columns.state)
    )
    return {row.state: row.hits for row in rows}


@unscoped("a verdict holds for every line of the party, for the node and not for a person")
def like(tx: Transaction, row: RowMapping) -> list[RowMapping]:
    """Return the hits of the same subject, entry and facts, itself among them."""
    columns = hit_table.c
    rows = tx.execute(
        select(hit_table).where(
            columns.subject == row["subject"],
            columns.list == row["list"],
            columns.key == row["key"],
            columns.facts == row["facts"],
            columns.state != HitState.ENDED,
        )
    )
    return list(rows.mappings())


def end_hits(tx: Transaction, hit_ids: Iterable[str], ending: Ending, retain_until: date) -> int:
    """End hits; return how many stood. None is kept for longer than it was to be."""
    columns, ended = hit_table.c, 0
    for part in slices(hit_ids):
        ended += tx.execute(
            update(hit_table)
            .where(columns.id.in_(part), columns.state != HitState.ENDED)
            .values(
                state=HitState.ENDED,
                ended_by=ending,
                settled_at=tx.now,
                retain_until=case(
                    (columns.retain_until < retain_until, columns.retain_until),
                    else_=retain_until,
                ),
            )
        ).rowcount
    return ended


@unscoped("hits on lookouts that expired end, for the node and not for a person")
def hits_on_expired(tx: Transaction, today: date) -> list[RowMapping]:
    """Return hits that stand on entries whose own end has passed."""
    columns, entries = hit_table.c, entry_table.c
    rows = tx.execute(
        select(hit_table)
        .join(entry_table, and_(entries.list == columns.list, entries.key == columns.key))
        .where(
            entries.until_version.is_(None),
            entries.expires_on < today,
            columns.state != HitState.ENDED,
        )
    )
    return list(rows.mappings())


# -- judgements ---------------------------------------------------------------------------


def insert_judgement(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Enter a judgement."""
    tx.insert(judgement_table, [row])


@unscoped("a pair that was judged is not asked again, for the node and not for a person")
def judgements_of(tx: Transaction, pairs: Iterable[Pair]) -> dict[Pair, list[RowMapping]]:
    """Return the judgements of pairs, oldest first."""
    columns = judgement_table.c
    found: dict[Pair, list[RowMapping]] = {}
    wanted = sorted(set(pairs))
    for start in range(0, len(wanted), 1000):
        rows = tx.execute(
            select(judgement_table)
            .where(
                tuple_(columns.subject, columns.list, columns.key).in_(wanted[start : start + 1000])
            )
            .order_by(columns.seq)
        )
        for row in rows.mappings():
            found.setdefault((row["subject"], row["list"], row["key"]), []).append(row)
    return found


@unscoped("judgements that ran out are asked again, for the node and not for a person")
def pairs_run_out(tx: Transaction, today: date) -> list[RowMapping]:
    """Return the settled hits of which a judgement has run out."""
    columns, judged = hit_table.c, judgement_table.c
    rows = tx.execute(
        select(hit_table)
        .join(
            judgement_table,
            and_(
                judged.subject == columns.subject,
                judged.list == columns.list,
                judged.key == columns.key,
                judged.facts == columns.facts,
            ),
        )
        .where(judged.until <= today, columns.state == judged.verdict)
        .distinct()
    )
    return list(rows.mappings())


# -- screened again -----------------------------------------------------------------------


@unscoped("a list's change is followed up once, for the node and not for a person")
def last_rescreened(tx: Transaction, list_code: str) -> int:
    """Return up to which version of a list everything was screened again."""
    columns = rescreening_table.c
    newest = select(func.max(columns.to_version)).where(columns.list == list_code)
    return int(tx.execute(newest).scalar() or 0)


def insert_rescreening(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Enter what came of a list's change."""
    tx.insert(rescreening_table, [row])


def rescreenings(tx: Transaction, scope: Scope, limit: int) -> list[RowMapping]:
    """Return the newest rescreenings."""
    rows = tx.execute(
        select(rescreening_table)
        .where(scope.where())
        .order_by(rescreening_table.c.at.desc())
        .limit(limit)
    )
    return list(rows.mappings())


# -- holding and erasing ------------------------------------------------------------------

_ABOUT = (screening_table, hit_table, judgement_table)


def erase_subject(tx: Transaction, subject: str) -> dict[str, int]:
    """Erase what screening holds of a subject; return how many rows of which table."""
    return {
        table.name: tx.execute(delete(table).where(table.c.subject == subject)).rowcount
        for table in _ABOUT
    }


def set_hold(tx: Transaction, subject: str, hold: str | None) -> None:
    """Put the hits and judgements of a subject under a legal hold, or lift it with ``None``."""
    for table in (hit_table, judgement_table):
        tx.execute(update(table).where(table.c.subject == subject).values(legal_hold=hold))


@unscoped("what is past its retention goes, for the node and not for a person")
def sweep(tx: Transaction, today: date) -> dict[str, int]:
    """Erase what is past its retention and under no legal hold; return how many rows of each."""
    erased = {}
    for table in (hit_table, judgement_table):
        erased[table.name] = tx.execute(
            delete(table).where(table.c.retain_until < today, table.c.legal_hold.is_(None))
        ).rowcount
    held = select(hit_table.c.line).where(hit_table.c.line == screening_table.c.line)
    erased[screening_table.name] = tx.execute(
        delete(screening_table).where(screening_table.c.retain_until < today, ~held.exists())
    ).rowcount
    return {name: count for name, count in erased.items() if count}
