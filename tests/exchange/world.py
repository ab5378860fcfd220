"""Nodes for tests: each with a database of its own, keys, people, and partners it trusts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from builders import people
from isthmus.access.model import Actor, Purpose, Role
from isthmus.agreements.model import Asked, Decision, Duties, Mode, Onward, Released
from isthmus.exchange import issue, outbox, release
from isthmus.exchange.model import Lane
from isthmus.exchange.policy import Verdict
from isthmus.exchange.trust import identity, partners
from isthmus.intelligence.model import (
    Classification,
    Evaluation,
    Handling,
    Item,
    ItemKind,
    Marking,
    Scale,
    Tlp,
)
from isthmus.kernel.ids import new_id
from isthmus.platform.database import Database

ALONE = Onward()
MARKING = Marking(
    Evaluation(Scale.POLICE_4X4, "B", "2"),
    frozenset({Handling.H1}),
    Classification.NONE,
    Tlp.AMBER,
)
BODY = {
    "container": "MSKU1234565",
    "reason": "weight differs by 2 t",
    "persons": [{"name": "A. Someone", "born": "1980"}, {"name": "B. Other"}],
}


@dataclass
class Told:
    """A policy that says what it was told to, by item id; everything else passes."""

    at_dispatch: dict[str, Verdict] = field(default_factory=dict)
    at_receipt: dict[str, Verdict] = field(default_factory=dict)

    def dispatch(self, tx: Any, opened: Any) -> Verdict:
        return self.at_dispatch.get(opened.presented.item.id, Verdict())

    def receipt(self, tx: Any, opened: Any) -> Verdict:
        return self.at_receipt.get(opened.presented.item.id, Verdict())


@dataclass
class Party:
    """One node: its code, database, people and policy."""

    code: str
    database: Database
    staff: Mapping[Role, Actor]
    second: Actor
    policy: Any = field(default_factory=Told)
    lawyers: tuple[Actor, ...] = ()  # three, where it works on agreements

    def card(self) -> bytes:
        return self.database.read(identity.card)

    def item(self, kind: ItemKind = ItemKind.SIGHTING, **body: Any) -> Item:
        return Item(
            f"{self.code}:{new_id('itm')}",
            kind,
            1,
            self.code,
            self.database.clock.now(),
            MARKING,
            body or BODY,
        )

    def put(
        self,
        to: str,
        item: Item | None = None,
        lane: Lane = Lane.IMMEDIATE,
        paths: list[str] | None = None,
        purpose: Purpose = Purpose.TARGETING,
        expires_at: datetime | None = None,
        onward: Onward = ALONE,
    ) -> str:
        """Issue an item and put it in the outbox for a partner."""
        item = item or self.item()
        shown = paths or list(item.paths())
        decision = released(shown, onward)
        asked = Asked(self.code, to, purpose, Mode.SPONTANEOUS)

        def work(tx):
            issued = issue.issue(item, identity.signer(tx))
            presented = issue.present(issued, shown)
            terms = release.terms_for(tx, presented, decision, asked, expires_at=expires_at)
            return outbox.put(
                tx, to, lane, presented, [terms], decision, asked, expires_at=expires_at
            )

        return self.database.write(work)


def released(paths: list[str], onward: Onward = ALONE) -> Decision:
    """A decision that one clause lets these paths pass."""
    given = Released("PA-NL-2026/art-5-2", "ab" * 32)
    return Decision(dict.fromkeys(paths, given), {}, Duties(onward=onward))


def party(database: Database, code: str, address: str = "", listen: str = "") -> Party:
    """Make a node of a database: people, and the exchange set up."""
    staff = people(database)
    from builders import person
    from isthmus.access.service import RoleRequest

    second = person(
        database,
        staff[Role.ADMINISTRATOR],
        RoleRequest(Role.SUPERVISOR),
        login="second@customs.example",
    )
    database.write(
        lambda tx: identity.found(
            tx,
            staff[Role.SUPERVISOR],
            node=code,
            country=code[:2],
            name=code,
            address=address,
            listen=listen,
        )
    )
    return Party(code, database, staff, second)


def befriend(one: Party, other: Party, **caps: int) -> None:
    """Have two nodes trust each other, by the whole ceremony on both sides."""
    for mine, theirs in ((one, other), (other, one)):
        trust(mine, theirs.card())
        if caps:
            mine.database.write(
                lambda tx, m=mine, t=theirs: partners.set_caps(
                    tx, m.staff[Role.SUPERVISOR], t.code, **caps
                )
            )


def trust(mine: Party, raw: bytes) -> None:
    """Add a card and compare it twice."""
    card = identity.read_card(raw)
    both = (card.node, card.signing_fingerprint, card.certificate_fingerprint)
    first = mine.staff[Role.SUPERVISOR]
    mine.database.write(lambda tx: partners.add(tx, first, raw))
    mine.database.write(lambda tx: partners.compare(tx, first, *both))
    mine.database.write(lambda tx: partners.trust(tx, mine.second, *both))


Make = Callable[..., Party]
