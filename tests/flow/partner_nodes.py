"""Two nodes for tests of what partners send each other: Panama with own traffic, and Rotterdam."""

import re
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from exchange.test_post import carry
from exchange.world import MARKING, Party, befriend
from flow.loop_node import Loop
from isthmus.access.model import Purpose, Role
from isthmus.agreements.model import Clause, InForce, Mode, Onward, Permit
from isthmus.agreements.model import Duties as Owed
from isthmus.cases import inspections, picks
from isthmus.cases.inspections import Found, Report
from isthmus.cases.model import Result
from isthmus.exchange import inbox, post_store
from isthmus.exchange.by_agreements import ByAgreements
from isthmus.exchange.model import Lane
from isthmus.exchange.trust import identity
from isthmus.flow import accept, inspect, share
from isthmus.intelligence.model import Handling, ItemKind

PA, NL = "PA-ANA", "NL-DOUANE"
SINCE = datetime(2025, 1, 1, tzinfo=UTC)
MARK = replace(MARKING, handling=frozenset({Handling.H0}))
NODES = frozenset({PA, NL})
CLAUSES = [
    InForce(
        "PA-NL-2026",
        "ab" * 32,
        Clause(
            "art-9",
            SINCE,
            None,
            Permit(
                NODES, NODES, frozenset(ItemKind), frozenset({"*"}), frozenset(Purpose),
                frozenset({Mode.SPONTANEOUS, Mode.ON_REQUEST}), duties=Owed(onward=Onward()),
            ),
        ),
    )
]  # fmt: skip
CLEAN = Report(Result.NO_IRREGULARITY, "physical_full", 30)
SEIZED = Report(
    Result.SEIZURE, "physical_full", 200, objective="contraband",
    findings=(Found("cocaine", 5.0, "KGM"),),
)  # fmt: skip


def as_party(loop: Loop) -> Party:
    """Give a node of the loop its exchange."""
    officer = loop.people[Role.SUPERVISOR]
    loop.write(
        lambda tx: identity.found(
            tx, officer, node=PA, country="PA", name="Aduanas", address="", listen=""
        )
    )
    return Party(PA, loop.node.database, loop.people, loop.second(Role.SUPERVISOR))


def partners(loop: Loop, rotterdam: Party) -> Party:
    """Have the two trust each other and decide by the same clauses; return Panama's party."""
    panama = as_party(loop)
    befriend(panama, rotterdam)
    for one in (panama, rotterdam):
        one.policy = ByAgreements(lambda *_: CLAUSES, lambda _tx: [])
    return panama


def bring(one: Party, other: Party, item: Any, lane: Lane = Lane.ROUTINE) -> bytes:
    """Carry what waits to the other node and have it accepted; return the bytes that travelled."""
    assert carry(one, other, lane).refused == []
    rows = other.database.read(lambda tx: post_store.arrived(tx, item.id))
    assert accept.accept(other.database, rows[-1]["id"])
    opened = other.database.read(lambda tx: inbox.opened(tx, rows[-1]["id"]))
    return opened.statement.raw + b"".join(_decoded(opened.envelope.item))


def _decoded(item: bytes) -> Iterator[bytes]:
    """What the signed record and its disclosures say: they travel as base64."""
    for part in re.split(rb"[~.]", item):
        if re.fullmatch(rb"[A-Za-z0-9_-]+", part):
            yield urlsafe_b64decode(part + b"=" * (-len(part) % 4))


def send(one: Party, other: Party, item: Any, said: share.Said | None = None) -> share.Sent:
    officer = one.staff[Role.ANALYST]
    return one.database.write(lambda tx: share.send(tx, officer, item.id, other.code, said))


def inspect_all(loop: Loop, found: Iterable[int]) -> None:
    """Pick and inspect every box; those with these numbers have cocaine in them."""
    guilty = {loop.unit(number).id for number in found}
    analyst, inspector = loop.people[Role.ANALYST], loop.people[Role.INSPECTOR]
    for pick in loop.run(budget=500).picks:
        told = SEIZED if pick["unit_id"] in guilty else CLEAN
        loop.write(lambda tx, one=pick["id"]: picks.take(tx, analyst, one))
        order = loop.write(
            lambda tx, one=pick["id"]: inspect.order(tx, analyst, one, "physical_full")
        )
        loop.write(lambda tx, one=order: inspections.accept(tx, inspector, one))
        loop.write(lambda tx, one=order, how=told: inspect.report(tx, inspector, one, how))
