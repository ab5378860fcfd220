"""Two real nodes that exchange over loopback, each with its pages: Panama and the Netherlands.

Run as a process of its own: ``python -m journeys.exchanging FOLDER``. A third partner, of Belgium,
is trusted and never there; a fourth, of Mexico, is entered and not yet compared. What happens is
told by lines on standard input: each is an act of Panama or of the Netherlands.
"""

import json
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from exchange.ready import NAMES
from exchange.world import Party, party, trust
from isthmus.access import service, sessions, store
from isthmus.access.model import Actor, Purpose, Role
from isthmus.access.service import RoleRequest
from isthmus.agreements import commitments, lifecycle, listing, shipped
from isthmus.cli.serving import server
from isthmus.exchange import post_store, receipts
from isthmus.exchange.model import Lane, ReceiptKind
from isthmus.exchange.trust import identity, ratify
from isthmus.flow import share
from isthmus.flow.share import Said
from isthmus.intelligence import items
from isthmus.intelligence.model import (
    Classification,
    Evaluation,
    Handling,
    ItemKind,
    Marking,
    Scale,
    Tlp,
)
from isthmus.migrations import tables
from isthmus.node import Node
from isthmus.platform.database import Database
from isthmus.platform.keys import KeyRing
from isthmus.platform.settings import AgencySettings, NodeSettings, Settings

PA, NL, BE, MX = "PA-ANA", "NL-DOUANE", "BE-DOUANE", "MX-ANAM"
PEOPLE = {
    PA: {
        "ana": ("Ana Batista", Role.ANALYST),
        "sofia": ("Sofía Ruiz", Role.SUPERVISOR),
        "simon": ("Simón Arce", Role.SUPERVISOR),
        "lucia": ("Lucía Peralta", Role.LEGAL_OFFICER),
        "mateo": ("Mateo Quiel", Role.LEGAL_OFFICER),
        "rosa": ("Rosa Lañón", Role.LEGAL_OFFICER),
    },
    NL: {
        "piet": ("Piet de Wit", Role.SUPERVISOR),
        "tineke": ("Tineke Bos", Role.SUPERVISOR),
        "anke": ("Anke Vos", Role.ANALYST),
        "joost": ("Joost Kamp", Role.LEGAL_OFFICER),
        "els": ("Els Bakker", Role.LEGAL_OFFICER),
        "bram": ("Bram Smit", Role.LEGAL_OFFICER),
    },
}
SETTINGS = {
    PA: Settings(
        node=NodeSettings(name="Aduana de Panamá", locale="es", zone="America/Panama"),
        agency=AgencySettings(code="ANA", name=NAMES[PA], country="PA", office="PA-MIT"),
    ),
    NL: Settings(
        node=NodeSettings(name="Douane Rotterdam", locale="nl", zone="Europe/Amsterdam"),
        agency=AgencySettings(code="DOUANE", name=NAMES[NL], country="NL", office="NLRTM"),
    ),
}
MARKING = Marking(
    Evaluation(Scale.POLICE_4X4, "B", "2"),
    frozenset({Handling.H0}),
    Classification.NONE,
    Tlp.AMBER,
)
NARROWER = shipped.text_of("PA-NL-2026").replace("\nversion: 1\n", "\nversion: 2\n", 1)
NARROWER = NARROWER.replace("keep_days: 365", "keep_days: 90", 1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Side:
    """One node with its people and its pages."""

    def __init__(self, folder: Path, code: str) -> None:
        self.code = code
        self.node = Node.create(folder / code, SETTINGS[code])
        self.links, self.actors = self._invite()
        self.address = f"127.0.0.1:{free_port()}"
        chief = self.by(Role.SUPERVISOR)
        self.write(
            lambda tx: identity.found(
                tx, chief, node=code, country=code[:2], name=NAMES[code], address=self.address,
                listen=self.address,
            )
        )  # fmt: skip
        self.pages = free_port()

    def _invite(self) -> tuple[dict[str, str], dict[str, Actor]]:
        def work(tx: Any) -> tuple[dict[str, str], dict[str, Actor]]:
            agency = store.agencies(tx)[0].id
            first = service.invite_first_administrator(tx, agency)
            chief = sessions.actor_of(tx, store.person(tx, first.person_id))
            links, actors = {}, {}
            for login, (name, role) in PEOPLE[self.code].items():
                made = service.invite(
                    tx, chief, agency=agency, name=name, login=f"{login}@customs.example",
                    roles=[RoleRequest(role)],
                )  # fmt: skip
                links[login] = made.path
                actors[login] = sessions.actor_of(tx, store.person(tx, made.person_id))
            return links, actors

        return self.node.database.write(work)

    def write(self, act: Callable[[Any], Any]) -> Any:
        return self.node.database.write(act)

    def by(self, role: Role, number: int = 0) -> Actor:
        """A person of a role."""
        found = [
            self.actors[login] for login, (_, held) in PEOPLE[self.code].items() if held is role
        ]
        return replace(found[number], purpose=Purpose.TARGETING)

    def party(self) -> Party:
        """The node as the helpers of the exchange take it."""
        staff = {role: self.by(role) for role in (Role.SUPERVISOR, Role.ANALYST)}
        return Party(self.code, self.node.database, staff, self.by(Role.SUPERVISOR, 1))

    def reviewed(self, text: str, version: str) -> None:
        """Bring a version through both reviews."""
        drafter, *others = (self.by(Role.LEGAL_OFFICER, number) for number in range(3))
        self.write(lambda tx: lifecycle.enter(tx, drafter, text))
        for one in others:
            self.write(lambda tx, who=one: lifecycle.review(tx, who, version))

    def activate(self, version: str) -> None:
        who = self.by(Role.LEGAL_OFFICER, 2)
        self.write(lambda tx: lifecycle.activate(tx, who, version, fictional=True))

    def serve(self) -> threading.Thread:
        """Serve the pages, and start the node's own work."""
        thread = threading.Thread(
            target=server(self.node, "127.0.0.1", self.pages).run, daemon=True
        )
        thread.start()
        return thread


def outsider(folder: Path, clock: Any, code: str) -> Party:
    """A node of which only the card is known here."""
    database = Database(f"sqlite:///{folder / code}.db", clock, KeyRing.generate())
    tables.metadata.create_all(database.migrator())
    made = party(database, code, address=f"127.0.0.1:{free_port()}")
    return made


def in_force(sides: tuple[Side, Side], agreement: str) -> None:
    """Bring a fictional agreement into force on both, by people and both signatures."""
    version, signed = f"{agreement}@1", {}
    for side in sides:
        side.reviewed(shipped.text_of(agreement), version)
        who = side.by(Role.LEGAL_OFFICER, 2)
        signed[side.code] = side.write(lambda tx, by=who: ratify.sign(tx, by, version))
    for side, other in (sides, sides[::-1]):
        who = side.by(Role.LEGAL_OFFICER, 2)
        side.write(
            lambda tx, by=who, code=other.code: ratify.record(tx, by, version, code, signed[code])
        )
        side.activate(version)


class Story:
    """What Panama and the Netherlands do, as the journey asks for it."""

    def __init__(self, panama: Side, rotterdam: Side) -> None:
        self.panama, self.rotterdam = panama, rotterdam
        self.sent: list[str] = []

    def alert(self, box: str = "MSKU1234565", partner: str = NL, lane: str = "immediate") -> str:
        """Panama drafts an alert and sends it."""
        side = self.panama
        officer = side.by(Role.ANALYST)
        until = side.node.database.clock.now() + timedelta(days=40)
        body = {
            "reason": "intelligence",
            "action": "inspect",
            "expires_at": f"{until:%Y-%m-%dT%H:%M:%SZ}",
            "containers": [box],
            "vessels": [{"imo": "9434761", "name": "EXAMPLE PACIFIC"}],
        }

        def work(tx: Any) -> str:
            made = items.draft(tx, officer, PA, ItemKind.ALERT, body, MARKING)
            share.send(tx, officer, made.id, partner, Said(Purpose.TARGETING), lane=Lane(lane))
            return made.id

        self.sent.append(side.write(work))
        return self.sent[-1]

    def open(self, kind: str = "opened") -> str:
        """The Netherlands says that the last alert was opened, or used."""
        side = self.rotterdam

        def work(tx: Any) -> str:
            (row,) = post_store.arrived(tx, self.sent[-1])
            return receipts.tell(tx, row["id"], ReceiptKind(kind))

        return str(side.write(work))

    def recall(self) -> str:
        """Panama recalls the last alert."""
        side, item = self.panama, self.sent[-1]
        who = side.by(Role.SUPERVISOR)
        return str(side.write(lambda tx: items.recall(tx, who, item, "source_withdrawn")).id)

    def narrow(self) -> str:
        """The Netherlands narrows the agreement alone, as either may."""
        self.rotterdam.reviewed(NARROWER, "PA-NL-2026@2")
        self.rotterdam.activate("PA-NL-2026@2")
        return "PA-NL-2026@2"


@contextmanager
def made(folder: Path) -> Iterator[tuple[Side, Side, dict[str, str]]]:
    """Make both nodes, befriend them, and bring the agreement into force."""
    folder.mkdir(parents=True, exist_ok=True)
    panama, rotterdam = Side(folder, PA), Side(folder, NL)
    one, other = panama.party(), rotterdam.party()
    trust(one, other.card())
    trust(other, one.card())
    belgium = outsider(folder, panama.node.clock, BE)
    mexico = outsider(folder, panama.node.clock, MX)
    trust(one, belgium.card())
    in_force((panama, rotterdam), "PA-NL-2026")
    lawyer = panama.by(Role.LEGAL_OFFICER)
    rows = listing.read_csv(
        "number,title,theme,parties,signed_on\n1,Acuerdo de cooperación,maritime,PA-MX,\n"
        "2,,crime_prevention,,\n3,Memorando,customs_enforcement,PA-MX,2016-05-04\n"
    )
    panama.write(lambda tx: listing.take(tx, lawyer, "PA-MX-2016", rows))
    panama.write(commitments.fall_due)
    card = identity.read_card(mexico.card())
    told = {
        "mx-card": mexico.card().decode(),
        "mx-signing": card.signing_fingerprint,
        "mx-certificate": card.certificate_fingerprint,
    }
    yield panama, rotterdam, told
    for node in (belgium, mexico):
        node.database.close()


def main(folder: Path) -> None:
    """Make both, serve both, and do what is asked."""
    with made(folder) as (panama, rotterdam, told):
        for side in (panama, rotterdam):
            side.serve()
        links = {**panama.links, **told, "other": f"http://127.0.0.1:{rotterdam.pages}"}
        links |= {f"nl-{login}": path for login, path in rotterdam.links.items()}
        address = f"http://127.0.0.1:{panama.pages}"
        print(json.dumps({"address": address, "links": links}), flush=True)
        story = Story(panama, rotterdam)
        for line in sys.stdin:
            act, *words = line.split()
            print(getattr(story, act)(*words), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
