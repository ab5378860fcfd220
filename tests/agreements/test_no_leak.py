"""Nothing leaves that no clause releases: measured on the bytes of the envelopes themselves.

Random items under random clauses and overlays go the real way: drafted, sent, sealed in the
outbox, dispatched, received, passed on, corrected. What may leave is told by the second evaluator
(``naive``), not by the code that shares. Then every envelope that was ever sealed is searched for
every value that must have stayed.
"""

import json
import os
from base64 import b64encode, urlsafe_b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from sqlalchemy import select

from agreements import leaks, naive
from agreements.cases import Dice, some_duties
from exchange import conftest as nodes
from exchange.test_post import carry
from exchange.world import MARKING, Party, befriend
from intelligence import items as made
from isthmus.access.model import Purpose, Role, node_actor
from isthmus.agreements.model import (
    Clause,
    InForce,
    Mode,
    Onward,
    Permit,
    Prohibition,
    TransferBasis,
)
from isthmus.exchange import envelope, outbox, post_store, vault
from isthmus.exchange.by_agreements import ByAgreements
from isthmus.exchange.model import Lane
from isthmus.exchange.policy import Verdict
from isthmus.exchange.tables import envelope_table
from isthmus.flow import accept, share
from isthmus.flow.share import Said
from isthmus.flow.sharing.follow import follow_correction
from isthmus.intelligence import items, schema, store
from isthmus.intelligence.model import Classification, Evaluation, Handling, ItemKind, Scale, Tlp
from isthmus.kernel.errors import Conflict, Denied, NotFound

make = nodes.make
ROUNDS = int(os.environ.get("ISTHMUS_LEAKS", "40"))
NODES = ("PA-ANA", "BE-DOUANE", "NL-DOUANE")
SUBJECTS = ("suspect", "convicted", "witness", "victim", "minor", "contact", "unclassified")
CONDITIONS = ("case_number", "dual_criminality", "derogation_recorded", "originator_consent")
USES = ("interdiction", "capital_offence", "lethal_targeting")
# Until when an item may be used is a term of every release, whether or not the field goes.
OPEN = frozenset({"expires_at"})


class World:
    """Three nodes that trust each other, under clauses and overlays that change."""

    since = datetime(2025, 1, 1, tzinfo=UTC)

    def __init__(self, make, monkeypatch):
        self.make = make
        self.clauses: list[InForce] = []
        self.overlay: list[Prohibition] = []
        monkeypatch.setattr(share.service, "clauses_between", lambda *_: self.clauses)
        monkeypatch.setattr(share, "overlay", lambda _tx: self.overlay)
        monkeypatch.setattr("isthmus.flow.sharing.follow.overlay", lambda _tx: self.overlay)
        monkeypatch.setattr(made, "_FORMS", {**made._FORMS, **leaks.FORMS})
        known = {name.partition(".")[0] for kind in leaks.KINDS for name in schema.fields(kind)}
        monkeypatch.setattr(naive, "KNOWN", sorted(known))
        self.nodes = {code: self.join(code) for code in NODES}
        for one, other in pairwise([*self.nodes.values(), self.nodes["PA-ANA"]]):
            befriend(one, other)
        self.searched: set[str] = set()
        self.held: dict[tuple[str, str], set[str]] = {}  # by item and partner
        self.refused: dict[str, int] = {}
        self.envelopes = self.corrections = self.stayed = self.released = 0

    def join(self, code: str) -> Party:
        """Make a node that decides by the clauses and the overlay of this world."""
        node = self.make(code)
        node.policy = ByAgreements(lambda *_: self.clauses, lambda _tx: self.overlay)
        node.database.reactions = {
            "item.received": (accept.accept_soon,),
            "item.corrected": (follow_correction,),
        }
        return node


@pytest.fixture
def world(make, monkeypatch) -> World:
    return World(make, monkeypatch)


# -- drawing ------------------------------------------------------------------------------


def a_clause(dice: Dice, number: int, kind: ItemKind, now) -> InForce:
    names = sorted({*schema.fields(kind), *(n.partition(".")[0] for n in schema.fields(kind))})
    permit = Permit(
        senders=dice.some(NODES, 0.9),
        recipients=dice.some(NODES, 0.9),
        kinds=dice.some((kind, ItemKind.CORRECTION), 0.9),
        fields=dice.some(names, dice.one((0.05, 0.2, 0.5))) | dice.some("*", 0.15),
        purposes=dice.some(tuple(Purpose), 0.7),
        modes=dice.some(tuple(Mode), 0.8),
        subjects=dice.some(("*", *SUBJECTS), 0.4),
        basis=dice.one((None, *TransferBasis)),
        conditions=tuple(sorted(dice.some(CONDITIONS[:2], 0.15))),
        least_source=dice.one((None, None, None, "A", "B", "C")),
        most_secret=dice.one(tuple(Classification)),
        duties=replace(
            some_duties(dice),
            onward=Onward(dice.some(NODES, 0.8), dice.chance(0.2)),
            separate_issue=False,
        ),
    )  # fmt: skip
    days = [now + timedelta(days=day) for day in range(-3, 4)]
    since = dice.one((None, days[5], *days[:3], *days[:3], *days[:3]))
    until = dice.one((None, None, None, days[2], days[6]))
    pause = ((dice.one(days[:4]), dice.one((None, *days[2:]))),) if dice.chance(0.1) else ()
    return InForce("PA-BE-2026", "ab" * 32, Clause(f"art-{number}", since, until, permit, suspended=pause))  # fmt: skip


def a_rule(dice: Dice, number: int, kind: ItemKind) -> Prohibition:
    return Prohibition(
        f"rule-{number}", "political_offence",
        recipients=dice.some(NODES, 0.3), kinds=dice.some((kind,), 0.5),
        fields=dice.some(sorted(schema.fields(kind)), 0.1), purposes=dice.some(tuple(Purpose), 0.3),
        subjects=dice.some(SUBJECTS, 0.1), uses=dice.some(USES, 0.2), unless=dice.some(CONDITIONS, 0.1),
    )  # fmt: skip


def a_marking(dice: Dice):
    handling = dice.some((Handling.H0, Handling.H1, Handling.H2), 0.3) or frozenset({Handling.H0})
    scale = Evaluation(Scale.POLICE_4X4, dice.one("AABBCX"), dice.one("1234"))
    return replace(
        MARKING,
        evaluation=dice.one((None, scale, scale, scale)),
        handling=handling,
        classification=dice.one((Classification.NONE, Classification.NONE, *Classification)),
        tlp=dice.one(tuple(Tlp)),
    )


def said(dice: Dice) -> Said:
    return Said(
        dice.one(tuple(Purpose)),
        dice.some(CONDITIONS, 0.5),
        dice.some(USES, 0.1),
        dice.one((Mode.SPONTANEOUS, Mode.SPONTANEOUS, Mode.ON_REQUEST)),
    )


# -- sending ------------------------------------------------------------------------------


def sealed(node: Party) -> list[tuple[str, bytes]]:
    """Every envelope that a node ever sealed and still keeps, sent or stopped."""
    query = select(envelope_table).where(envelope_table.c.direction == "out")

    def work(tx):
        rows = tx.execute(query).mappings().all()
        return [(row["id"], vault.unlock(tx.keys, row["id"], row)) for row in rows]

    return node.database.read(work)


def search(world: World, node: Party, item, fresh=None) -> None:
    """Search what a node sealed since the last time for what of an item must have stayed.

    ``fresh`` are the values by path that a correction brings: each is for those alone who hold
    what it corrects.
    """
    now = node.database.clock.now()
    for envelope_id, raw in sealed(node):
        if envelope_id in world.searched:
            continue
        world.searched.add(envelope_id)
        opened = envelope.reopen(raw)
        shown, asked = opened.presented, opened.envelope.asked
        meant = item if fresh is None else replace(item, kind=ItemKind.CORRECTION)
        told = naive.decide(tuple(world.clauses), tuple(world.overlay), meant, asked, now)
        held = world.held.setdefault((item.id, asked.recipient), set())
        if fresh is None:
            assert shown.paths.keys() <= told.released.keys()
            cites(opened, told)
            stays = leaks.staying(item, {*told.released, *OPEN})
            held.update(shown.paths)
        else:
            may = held & told.released.keys()
            stays = {path: marks for path, marks in fresh.items() if path not in may}
            stays |= leaks.staying(item, {*held, *OPEN, *fresh})
            world.corrections += 1
        assert leaks.found(raw, stays) == set(), envelope_id
        world.envelopes += 1
        world.stayed += len(stays)
        world.released += len(shown.paths)


def cites(opened, told) -> None:
    """Every path shown stands on a clause that holds now, for this purpose, kind and recipient."""
    for basis in opened.envelope.basis:
        citation = f"{basis.agreement}/{basis.clause}"
        for path in basis.paths:
            assert told.released[path].citation == citation
            assert told.released[path].agreement_hash == basis.agreement_hash


def one_round(world: World, number: int, seed: int) -> None:
    dice, random = Dice(seed * 100_003 + number), Random(seed * 100_019 + number)
    panama, antwerp, rotterdam = world.nodes.values()
    now = panama.database.clock.now()
    kind = dice.one(leaks.KINDS)
    world.clauses[:] = [a_clause(dice, place, kind, now) for place in range(1 + dice.number(6))]
    world.overlay[:] = [a_rule(dice, place, kind) for place in range(dice.one((0, 0, 1, 2)))]
    body, marking = leaks.an_item_body(random, kind), a_marking(dice)
    officer = panama.staff[Role.ANALYST]
    item = panama.database.write(
        lambda tx: items.draft(tx, officer, panama.code, kind, body, marking)
    )
    if dice.chance(0.3):
        panama.database.write(lambda tx: share.send_automatically(tx, node_actor(), item.id))
    for partner in (antwerp, rotterdam):
        attempt(world, panama, item.id, partner, said(dice))
    search(world, panama, item)
    deliver(panama, antwerp, item.id)
    deliver(panama, rotterdam, item.id)
    attempt(world, antwerp, item.id, rotterdam, said(dice))
    search(world, antwerp, item)
    deliver(antwerp, rotterdam, item.id)
    if dice.chance(0.5):
        correct(world, panama, item, random)


def attempt(world: World, node: Party, item_id: str, partner: Party, how: Said) -> None:
    """Send what may go; often that is nothing, or the node has no such item."""
    officer = node.staff[Role.ANALYST]
    try:
        node.database.write(lambda tx: share.send(tx, officer, item_id, partner.code, how))
    except (Denied, NotFound, Conflict) as error:
        world.refused[error.code] = world.refused.get(error.code, 0) + 1


def deliver(one: Party, other: Party, item_id: str) -> None:
    """Bring what waits to the other side; what is refused there stops here, as a line does it."""
    for lane in Lane:
        while (answer := carry(one, other, lane)) is not None:
            if answer.refused:
                one.database.write(lambda tx, on=lane: stop_first(tx, other.code, on))
    for row in other.database.read(lambda tx: post_store.arrived(tx, item_id)):
        accept.accept(other.database, row["id"])


def stop_first(tx, partner: str, lane: Lane) -> None:
    row = post_store.waiting(tx, partner, lane.value, 1)[0]
    outbox.stop(tx, partner, lane, {row["id"]: "refused_there"})


def correct(world: World, node: Party, item, random: Random) -> None:
    """Correct some paths: who holds one hears its new value, and nobody else does."""
    able = [
        path
        for path in item.paths()
        if (field := schema.field_of(item.kind, path)) and field.form in ("name", "number")
    ]
    fresh = {path: leaks.word(random) for path in random.sample(able, min(3, len(able)))}
    changes = []
    for path, value in fresh.items():
        change = {"path": path, "value": value}
        if path.startswith("persons."):
            change["category"] = schema.subject_of(item, path)
        changes.append(change)
    if changes:
        officer = node.staff[Role.SUPERVISOR]
        node.database.write(lambda tx: items.correct(tx, officer, item.id, changes, "typing_error"))
        marks = {path: {value.encode()} for path, value in fresh.items()}
        search(world, node, item, marks)


# -- the measure --------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(2))
def test_no_value_that_stays_is_in_any_envelope(world: World, seed: int) -> None:
    for number in range(ROUNDS // 2):
        one_round(world, number, seed)
    print(f"{world.envelopes} envelopes, {world.corrections} of them corrections; "
          f"{world.released} paths went, {world.stayed} values looked for, 0 found; "
          f"refused: {world.refused}")  # fmt: skip
    # Enough left, enough stayed and enough was refused for the measure to mean something.
    assert world.envelopes >= ROUNDS / 8
    assert world.released > world.envelopes
    assert world.stayed > 3 * world.envelopes
    assert len(world.refused) >= 4


# -- the search finds what is planted -----------------------------------------------------

ANOTHER = 'Ñandú "QWRTZPLMKJHGFD" é\\'
PLANTED = {
    "plain": lambda text: text.encode(),
    "JSON": lambda text: json.dumps(text).encode(),
    "JSON in JSON": lambda text: json.dumps({"a": json.dumps([text])}).encode(),
    "base64": lambda text: b'{"x":"' + b64encode(text.encode()) + b'"}',
    "base64 at an offset": lambda text: b'{"x":"' + b64encode(b"ab" + text.encode()) + b'"}',
    "base64 behind letters": lambda text: b"abc" + urlsafe_b64encode(text.encode()),
    "base64 of JSON of base64": lambda text: urlsafe_b64encode(
        json.dumps(["salt", b64encode(text.encode()).decode()]).encode()
    ).rstrip(b"="),
    "hexadecimal": lambda text: text.encode().hex().encode(),
    "percent signs": lambda text: "".join(f"%{one:02X}" for one in text.encode()).encode(),
    "UTF-16": lambda text: text.encode("utf-16-le"),
}


@pytest.mark.parametrize("form", PLANTED)
def test_the_search_finds_a_planted_value_however_it_is_written(form: str) -> None:
    raw = b'{"from":"PA-ANA",' + PLANTED[form](ANOTHER) + b"}"
    assert leaks.found(raw, {"name": leaks.needles("persons.0.name", ANOTHER)}) == {"name"}
    other = {"name": leaks.needles("persons.0.name", ANOTHER.replace("Q", "X"))}
    assert leaks.found(raw, other) == set()


def leaky(world: World, monkeypatch) -> tuple[Party, Party, object]:
    """A sender that shows one path more than was decided, in an envelope it has sealed."""
    panama, antwerp, _ = world.nodes.values()
    now = panama.database.clock.now()
    permit = Permit(
        frozenset(NODES), frozenset(NODES), frozenset({ItemKind.ALERT}), frozenset({"reason"}),
        frozenset(Purpose), frozenset(Mode),
    )  # fmt: skip
    clause = Clause("art-1", now - timedelta(days=1), None, permit)
    world.clauses[:] = [InForce("PA-BE-2026", "ab" * 32, clause)]
    body = {"reason": "intelligence", "action": "inspect", "expires_at": "2026-12-01T00:00:00Z",
            "companies": [{"name": ANOTHER}], "containers": ["MSKU1234565"]}  # fmt: skip
    officer = panama.staff[Role.ANALYST]
    item = panama.database.write(
        lambda tx: items.draft(tx, officer, panama.code, ItemKind.ALERT, body, MARKING)
    )
    honest = share.issue.present
    monkeypatch.setattr(
        share.issue, "present", lambda held, paths: honest(held, [*paths, "companies.0.name"])
    )
    return panama, antwerp, item


def test_a_leaking_sender_is_stopped_at_its_own_outbox(world: World, monkeypatch) -> None:
    panama, antwerp, item = leaky(world, monkeypatch)
    officer = panama.staff[Role.ANALYST]
    with pytest.raises(Denied) as refused:
        panama.database.write(lambda tx: share.send(tx, officer, item.id, antwerp.code))
    assert refused.value.code == "path_not_released"
    assert sealed(panama) == []


def test_a_leak_past_the_outbox_is_found_by_the_search_and_never_dispatched(
    world: World, monkeypatch
) -> None:
    panama, antwerp, item = leaky(world, monkeypatch)
    strict = envelope.basis_of
    monkeypatch.setattr(
        outbox.envelope, "basis_of",
        lambda released, shown: strict(released, [path for path in shown if path in released]),
    )  # fmt: skip
    officer = panama.staff[Role.ANALYST]
    sent = panama.database.write(lambda tx: share.send(tx, officer, item.id, antwerp.code))
    ((_, raw),) = sealed(panama)
    stays = leaks.staying(item, {*sent.decision.released, *OPEN})
    assert leaks.found(raw, stays) == {"companies.0.name"}
    with pytest.raises(AssertionError):
        search(world, panama, item)
    assert carry(panama, antwerp, Lane.ROUTINE) is None
    row = panama.database.read(lambda tx: post_store.by_id(tx, sent.envelope))
    assert (row["state"], row["code"]) == ("stopped", "field_not_covered")


def test_a_leak_that_was_dispatched_is_refused_where_it_arrives(world: World, monkeypatch) -> None:
    panama, antwerp, item = leaky(world, monkeypatch)
    strict = envelope.basis_of
    monkeypatch.setattr(
        outbox.envelope, "basis_of",
        lambda released, shown: strict(dict.fromkeys(shown, released["reason"]), shown),
    )  # fmt: skip
    panama.policy = type("Lax", (), {"dispatch": lambda *_: Verdict()})()
    officer = panama.staff[Role.ANALYST]
    sent = panama.database.write(lambda tx: share.send(tx, officer, item.id, antwerp.code))
    carry(panama, antwerp, Lane.ROUTINE)
    row = panama.database.read(lambda tx: post_store.by_id(tx, sent.envelope))
    assert row["state"] == "refused"
    assert antwerp.database.read(lambda tx: store.item(tx, item.id)) is None
