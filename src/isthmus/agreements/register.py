"""The register: every agreement this node knows of, whole or by its name alone, and how it stands.

What is known of real instruments comes with the product; what was entered here stands in its
versions. An instrument that is only known has no authority at this node, whatever it says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping

from isthmus.access.gate import check, scope
from isthmus.access.model import Actor, Permission
from isthmus.agreements import service, shipped, store
from isthmus.agreements.agreement import Agreement
from isthmus.agreements.model import Prohibition, Standing
from isthmus.agreements.overlay import fixed
from isthmus.agreements.prohibitions import overlay
from isthmus.kernel.errors import NotFound
from isthmus.platform.transaction import Transaction

KNOWN = "known"  # not entered at this node

# What a complete entry tells. Nothing is made up for what is not known.
WANTED = ("text", "clauses", "signed", "standings", "bodies", "authentic", "titles")


@dataclass(frozen=True, slots=True)
class Entry:
    """One agreement: the version that counts, its rows here, what is suspended of it."""

    agreement: Agreement
    versions: tuple[RowMapping, ...] = ()  # newest first; none: only known
    suspensions: tuple[RowMapping, ...] = ()  # that hold now
    row: RowMapping | None = None  # of the version that counts

    @property
    def standing(self) -> str:
        """How it stands (code list ``agreement_states``), or ``known``."""
        if self.row is None:
            return KNOWN
        if self.row["state"] == Standing.ACTIVE and any(
            one["clause"] is None for one in self.suspensions
        ):
            return Standing.SUSPENDED
        return str(self.row["state"])

    @property
    def lacks(self) -> tuple[str, ...]:
        """What is not known of it, by the names of ``WANTED``."""
        held = self.agreement
        parties = held.parties
        known = {
            "text": held.public,
            "clauses": bool(held.clauses),
            "signed": held.signed is not None,
            "standings": all(one.standing != "unknown" for one in parties),
            "bodies": all(one.bodies for one in parties),
            "authentic": bool(held.authentic),
            "titles": len(held.title) == 5,
        }
        return tuple(name for name in WANTED if not known[name])

    @property
    def completeness(self) -> int:
        """How much of what an entry should tell is known, in per cent."""
        return round(100 * (len(WANTED) - len(self.lacks)) / len(WANTED))


def entries(tx: Transaction, actor: Actor) -> list[Entry]:
    """Return every agreement: those in force first, then what is prepared, then what is known."""
    pairs = service.agreements(tx, actor)
    held: dict[str, list[tuple[RowMapping, Agreement]]] = {}
    for row, agreement in pairs:
        held.setdefault(agreement.id, []).append((row, agreement))
    paused = open_suspensions(tx, actor)
    found = [_entry(versions, paused) for versions in held.values()]
    found += [Entry(one) for one in shipped.register() if one.id not in held]
    return sorted(found, key=lambda one: (_ORDER.get(one.standing, 9), one.agreement.id))


_ORDER = {
    standing: place
    for place, standing in enumerate(
        ("active", "suspended", "tested", "legal_review", "draft", KNOWN, "amended", "withdrawn")
    )
}


def entry(tx: Transaction, actor: Actor, agreement: str, version: int | None = None) -> Entry:
    """Return one agreement, by the version that counts or by another; raises ``NotFound``."""
    pairs = [pair for pair in service.agreements(tx, actor) if pair[1].id == agreement]
    if not pairs and version is None:
        known = [one for one in shipped.register() if one.id == agreement]
        if known:
            return Entry(known[0])
    found = _entry(pairs, open_suspensions(tx, actor), version) if pairs else None
    if found is None or (version is not None and found.agreement.version != version):
        raise NotFound("agreement_unknown", "no such agreement", agreement=agreement)
    return found


def _entry(
    pairs: Sequence[tuple[RowMapping, Agreement]],
    paused: Sequence[RowMapping],
    version: int | None = None,
) -> Entry:
    """The version that counts is the active one, else the newest."""
    wanted = [pair for pair in pairs if version is None or pair[1].version == version] or pairs
    row, agreement = next((one for one in wanted if one[0]["state"] == "active"), wanted[0])
    here = tuple(one for one in paused if one["agreement"] == agreement.id)
    active = row["state"] == Standing.ACTIVE
    return Entry(agreement, tuple(one for one, _ in pairs), here if active else (), row)


def open_suspensions(tx: Transaction, actor: Actor) -> list[RowMapping]:
    """Return the suspensions that hold now."""
    return [row for row in suspensions(tx, actor) if row["until"] is None or row["until"] > tx.now]


def suspensions(tx: Transaction, actor: Actor) -> list[RowMapping]:
    """Return every suspension there ever was, oldest first."""
    check(tx, actor, Permission.AGREEMENT_READ)
    return store.suspensions(tx)


def signers(tx: Transaction, actor: Actor, agreement: str, agreement_hash: str) -> set[str]:
    """Return the nodes whose signatures over a hash are on record."""
    check(tx, actor, Permission.AGREEMENT_READ, object_id=agreement)
    return store.signers(tx, agreement, agreement_hash)


@dataclass(frozen=True, slots=True)
class Overlay:
    """What this node forbids itself: the rules in force, those that are fixed, every change."""

    rules: tuple[Prohibition, ...]
    fixed: tuple[Prohibition, ...]
    changes: tuple[RowMapping, ...]  # newest first, proposed ones too

    @property
    def proposed(self) -> tuple[RowMapping, ...]:
        """The changes that wait for a second person."""
        return tuple(one for one in self.changes if one["approved_at"] is None)


def forbidden(tx: Transaction, actor: Actor) -> Overlay:
    """Return the overlay of this node as people see it."""
    check(tx, actor, Permission.AGREEMENT_READ)
    changes = store.overlay_history(tx, scope(actor, Permission.AGREEMENT_READ))
    return Overlay(tuple(overlay(tx)), fixed(), tuple(changes))


def differences(tx: Transaction, actor: Actor) -> list[dict[str, Any]]:
    """Return where a partner holds another text: agreement, partner, both hashes, since when."""
    return [
        {**row, "own": service.hash_of(tx, row["agreement"])}
        for row in service.differences(tx, actor)
    ]


def partner_texts(tx: Transaction, actor: Actor, agreement: str | None = None) -> list[RowMapping]:
    """Return what every partner last said is the hash of an agreement, or of all, at its node."""
    check(tx, actor, Permission.AGREEMENT_READ, object_id=agreement)
    rows = store.partner_hashes(tx, scope(actor, Permission.AGREEMENT_READ))
    return [row for row in rows if agreement in (None, row["agreement"])]
