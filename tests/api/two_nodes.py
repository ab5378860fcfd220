"""A served node that exchanges: its partner in the same process, an agreement in force on both."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from api.node_served import Api, make
from builders import person
from exchange.test_post import carry
from exchange.world import MARKING, Party, befriend, party
from isthmus.access.model import Actor, Role
from isthmus.access.service import RoleRequest
from isthmus.agreements import lifecycle, shipped
from isthmus.agreements.prohibitions import overlay
from isthmus.agreements.service import clauses_between
from isthmus.exchange import dispatch, post_store
from isthmus.exchange.by_agreements import ByAgreements
from isthmus.exchange.model import Lane
from isthmus.exchange.policy import Policy
from isthmus.exchange.trust import identity, ratify
from isthmus.flow import accept, share
from isthmus.flow.reactions import REACTIONS
from isthmus.intelligence import items
from isthmus.intelligence.model import Handling, Item, ItemKind
from isthmus.kernel.time import SetClock
from isthmus.migrations import tables
from isthmus.platform.database import Database
from isthmus.platform.keys import KeyRing

OWN, PARTNER = "PA-ANA", "NL-DOUANE"
AGREEMENT, VERSION = "PA-NL-2026", "PA-NL-2026@1"
BODY = {
    "reason": "intelligence",
    "action": "inspect",
    "expires_at": "2026-03-01T00:00:00Z",
    "containers": ["MSKU1234565"],
    "persons": [{"name": "A. Someone", "category": "suspect"}],
}


@dataclass
class Two:
    """The served node, and the partner that it exchanges with."""

    api: Api
    here: Party
    there: Party
    lawyers: tuple[Actor, Actor, Actor]

    def alert(self, **changes: Any) -> Item:
        """Draft an alert here."""
        marking = replace(MARKING, handling=frozenset({Handling.H0}))
        officer = self.here.staff[Role.ANALYST]
        return self.here.database.write(
            lambda tx: items.draft(tx, officer, OWN, ItemKind.ALERT, BODY | changes, marking)
        )

    def send(self, item: Item, lane: Lane = Lane.IMMEDIATE) -> str:
        """Put an item in the outbox for the partner; return the envelope."""
        officer = self.here.staff[Role.ANALYST]
        sent = self.here.database.write(
            lambda tx: share.send(tx, officer, item.id, PARTNER, lane=lane)
        )
        return sent.envelope

    def carry(self, lane: Lane = Lane.IMMEDIATE) -> Any:
        """Bring what waits over, and the receipts back."""
        return carry(self.here, self.there, lane)

    def arrive(self, item: Item) -> str:
        """Have the partner read what came; return its envelope there."""
        rows = self.there.database.read(lambda tx: post_store.arrived(tx, item.id))
        accept.accept(self.there.database, rows[-1]["id"])
        return str(rows[-1]["id"])

    def back(self) -> None:
        """Bring the partner's later receipts here."""
        rows = self.there.database.read(lambda tx: post_store.unsent(tx, OWN))
        dispatch.settle(self.here.database, PARTNER, [row["body"] for row in rows])


def policy() -> Policy:
    return ByAgreements(clauses_between, overlay)


def make_two(root: Path, clock: SetClock) -> Two:
    """Make both, trusting each other, with the fictional agreement in force on both."""
    root.mkdir(parents=True, exist_ok=True)
    api = make(root / "node", clock)
    here = _served(api)
    here.database.reactions = dict(REACTIONS)
    database = Database(f"sqlite:///{root / 'partner.db'}", clock, KeyRing.generate())
    database.reactions = dict(REACTIONS)
    tables.metadata.create_all(database.migrator())
    there = party(database, PARTNER, address="127.0.0.1:9", listen="")
    here.policy, there.policy = policy(), policy()
    befriend(here, there)
    lawyers = [
        person(api.node.database, here.staff[Role.ADMINISTRATOR], RoleRequest(Role.LEGAL_OFFICER))
        for _ in range(2)
    ]
    first = here.staff[Role.LEGAL_OFFICER]
    two = Two(api, here, there, (first, lawyers[0], lawyers[1]))
    in_force(two, shipped.text_of(AGREEMENT))
    return two


def _served(api: Api) -> Party:
    database, staff = api.node.database, api.actors
    database.write(
        lambda tx: identity.found(
            tx, staff[Role.SUPERVISOR], node=OWN, country="PA", name="Aduana de Panamá",
            address="127.0.0.1:9", listen="",
        )
    )  # fmt: skip
    second = person(database, staff[Role.ADMINISTRATOR], RoleRequest(Role.SUPERVISOR))
    return Party(OWN, database, staff, second)


def in_force(two: Two, text: str, version: str = VERSION) -> None:
    """Bring a version into force on both nodes, by three persons on each and both signatures."""
    there = two.there
    others = tuple(
        person(there.database, there.staff[Role.ADMINISTRATOR], RoleRequest(Role.LEGAL_OFFICER))
        for _ in range(3)
    )
    sides = ((two.here, two.lawyers), (there, others))
    signatures = {}
    for node, (drafter, one, other) in sides:
        node.database.write(lambda tx, by=drafter: lifecycle.enter(tx, by, text))
        for reviewer in (one, other):
            node.database.write(lambda tx, by=reviewer: lifecycle.review(tx, by, version))
        signatures[node.code] = node.database.write(
            lambda tx, by=other: ratify.sign(tx, by, version)
        )
    for node, (_, _, other) in sides:
        for code, raw in signatures.items():
            if code != node.code:
                node.database.write(
                    lambda tx, by=other, c=code, r=raw: ratify.record(tx, by, version, c, r)
                )
        node.database.write(
            lambda tx, by=other: lifecycle.activate(tx, by, version, fictional=True)
        )
