"""Judge: hits that wait for a person, one laid open beside its list entry, and the verdict.

What the papers say of a party is a person's data: it is opened for a purpose and logged. The desk
tells of a hit without it.
"""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import RowMapping

from isthmus.access.gate import open_person_data, scope
from isthmus.access.model import Actor, Permission, Purpose
from isthmus.cargo import party_lines
from isthmus.cargo import service as cargo
from isthmus.cargo.unit import Unit
from isthmus.flow.screen import heed
from isthmus.parties import hits, judgements
from isthmus.parties.explain import Explanation, explain
from isthmus.parties.hit import CONTAINER, VESSEL, LineKind, container_line, vessel_line
from isthmus.parties.hit_store import Wanted
from isthmus.parties.judgements import Given
from isthmus.parties.line import PartyLine, read_line
from isthmus.parties.listed import Basis, Listed, Match, held
from isthmus.parties.lists.remarks import may_be_person
from isthmus.parties.match import FIND
from isthmus.parties.model import EntryKind
from isthmus.parties.name import read_name
from isthmus.platform.transaction import Transaction

LOWEST = 0.01
"""A hit laid open is shown whatever it scores today: its threshold was that of its day."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A hit as the desk shows it. ``listed`` is the entry's main name where it can be no person's.

    ``role`` is that of the party in the papers; ``units`` counts the open consignments that carry
    the line, ``nearest`` is the one that is due first.
    """

    hit: RowMapping
    role: str
    listed: str | None
    units: int
    nearest: RowMapping | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A hit laid open. ``match`` is what the line and the entry give today; none when the entry
    was erased or they are no longer alike. ``explanation`` is there for a hit by name."""

    text: str
    line: PartyLine
    match: Match | None
    explanation: Explanation | None
    purpose: Purpose | None  # none where nothing of a person was opened


def waiting(
    tx: Transaction, actor: Actor, wanted: Wanted, limit: int, offset: int = 0
) -> list[Waiting]:
    """Return hits for the desk, best first."""
    rows = hits.desk(tx, actor, wanted, limit, offset)
    declared = party_lines.declared_by_line(tx, {row["line"] for row in rows})
    return [_waiting(tx, actor, row, declared.get(row["line"])) for row in rows]


def _waiting(
    tx: Transaction, actor: Actor, hit: RowMapping, declared: RowMapping | None
) -> Waiting:
    seen = scope(actor, Permission.UNIT_READ)
    nearest = party_lines.units_on(tx, seen, hit["line"], 1)
    listed = None
    if not may_be_person(EntryKind(hit["entry_kind"])):
        entry = hits.entry_of(tx, actor, hit)
        listed = held(entry).name if entry and entry["body"] else None
    return Waiting(
        hit,
        declared["role"] if declared else hit["line_kind"],
        listed,
        party_lines.count_units(tx, seen, hit["line"]) if nearest else 0,
        nearest[0] if nearest else None,
    )


def units_of(tx: Transaction, actor: Actor, hit: RowMapping) -> list[RowMapping]:
    """Return the open consignments that carry the line of a hit, the nearest deadline first."""
    return party_lines.units_on(tx, scope(actor, Permission.UNIT_READ), hit["line"])


def lay_open(
    tx: Transaction, actor: Actor, hit: RowMapping, reason: str | None = None
) -> Comparison:
    """Lay a hit open: the line as declared beside the entry. Needs a writing transaction.

    A party's line is opened for a purpose and logged; who works on one of the consignments that
    carry it needs to give no reason. Raises ``PurposeNeeded`` and ``Denied``.
    """
    purpose = None
    if hit["line_kind"] == LineKind.PARTY:
        via = [row["id"] for row in units_of(tx, actor, hit)]
        purpose = open_person_data(tx, actor, "hit", hit["id"], reason, via=via)
    text = _text(tx, hit)
    match = _match(tx, actor, hit, text)
    explanation = None
    if match is not None and match.basis is Basis.NAME:
        explanation = explain(read_name(match.reading), read_name(match.listed), FIND)
    return Comparison(text, read_line(text), match, explanation, purpose)


def _text(tx: Transaction, hit: RowMapping) -> str:
    """Return the line of a hit; nothing when every paper that had it was erased."""
    line: str = hit["line"]
    for beginning, word in ((VESSEL, "IMO"), (CONTAINER, "BIC")):
        if line.startswith(beginning):
            return f"{word} {line.removeprefix(beginning)}"
    declared = party_lines.declared_as(tx, line)
    return party_lines.text_of(declared) if declared else ""


def _match(tx: Transaction, actor: Actor, hit: RowMapping, text: str) -> Match | None:
    entry = hits.entry_of(tx, actor, hit)
    if entry is None or entry["body"] is None or not text:
        return None
    alone = Listed({hit["list"]: [held(entry)]}, ((), tx.now.date(), 0))
    return next(iter(alone.search(text, LOWEST)), None)


def judge(tx: Transaction, actor: Actor, hit_id: str, given: Given) -> None:
    """Judge a hit; the consignments that carry the party are scored again."""
    heed(tx, judgements.judge(tx, actor, hit_id, given), hit_id)


def on_unit(tx: Transaction, actor: Actor, unit: Unit) -> list[tuple[RowMapping, str]]:
    """Return every hit of a consignment's parties, ship and box, each with the role, best first."""
    behind = cargo.records_behind(tx, actor, unit)
    current = [row["id"] for row in behind if row["state"] == "current"]
    roles = {
        row["line"]: row["role"]
        for row in party_lines.lines_on(tx, current)
        if row["line"] is not None
    }
    if unit.vessel_imo:
        roles[vessel_line(unit.vessel_imo, date.max).id] = LineKind.VESSEL.value
    if unit.container:
        roles[container_line(unit.container, date.max).id] = LineKind.CONTAINER.value
    return [(row, roles[row["line"]]) for row in hits.on_lines(tx, actor, roles)]
