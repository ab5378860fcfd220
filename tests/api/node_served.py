"""A node to test the API on: somebody in each role, a system's token, traffic in every state."""

import io
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient

from builders import hasher, person
from isthmus.access import service, sessions, store, tokens
from isthmus.access.model import Actor, Role
from isthmus.access.service import RoleRequest
from isthmus.api.app import create_app
from isthmus.cargo.formats.cuscar_writer import write_cuscar
from isthmus.cargo.formats.shape import schema
from isthmus.cargo.formats.source import Source
from isthmus.cargo.model import (
    Consignment,
    Container,
    Function,
    GoodsItem,
    Manifest,
    Party,
    PartyRole,
    Regime,
    Seal,
)
from isthmus.cases import holds, picks
from isthmus.flow import inspect, target
from isthmus.kernel.time import SetClock
from isthmus.node import Node
from isthmus.parties import hits
from isthmus.parties.hit_store import Wanted
from isthmus.parties.lists import lookout
from isthmus.parties.lists import service as lists
from isthmus.parties.lists.service import File
from isthmus.platform.settings import AgencySettings, LimitSettings, NodeSettings, Settings
from isthmus.reference.check_digits import container_check_digit

PEOPLE = tuple(role for role in Role if role is not Role.SYSTEM)
DECLARATION = schema("declaration.schema.json")["examples"][0]
EVENT = schema("event.schema.json")["examples"][0]


@dataclass(slots=True)
class Api:
    """A served node: its application, its people, and the tokens they come with."""

    node: Node
    clock: SetClock
    app: FastAPI
    agency: str
    actors: dict[Role, Actor]
    sessions: dict[Role, str]
    ids: dict[str, str] = field(default_factory=dict)

    def client(self, role: Role | None = None, **headers: str) -> TestClient:
        """Return a client that comes as somebody, by bearer token, or as nobody."""
        if role is not None:
            headers["Authorization"] = f"Bearer {self.sessions[role]}"
        return TestClient(self.app, base_url="http://node.test", headers=headers)

    def browser(self, role: Role) -> TestClient:
        """Return a client that comes with a session in a cookie, and no form token."""
        client = TestClient(self.app, base_url="http://node.test")
        client.cookies.set("isthmus_session", self.sessions[role])
        return client

    def enter(self, role: Role) -> str:
        """Return the token of a new session of the person in a role; a system has its own."""
        if role is Role.SYSTEM:
            return self.sessions[role]

        def begin(tx: Any) -> str:
            known = store.person(tx, self.actors[role].id)
            return sessions.start(tx, known, self.node.session_terms)[1]

        return self.node.database.write(begin)

    def audit(self, action: str) -> list[dict[str, Any]]:
        """Return the audit entries of an action, newest first."""
        with self.client(Role.AUDITOR) as client:
            return client.get("/api/audit", params={"action": action}).json()["items"]


def box(number: int) -> str:
    """A container number with its check digit."""
    start = f"ISTU{number:06d}"
    return f"{start}{container_check_digit(start)}"


def manifest(count: int = 12) -> bytes:
    """A manifest of boxes that a ship brings, each with its bill and parties."""
    head = Manifest(
        reference="MAN2026001",
        function=Function.ORIGINAL,
        carrier="MAEU",
        vessel_imo="9321483",
        vessel_name="EXAMPLE",
        voyage="601W",
        mode="1",
        direction="arrival",
        port="PAMIT",
        arrival_at=datetime(2026, 1, 4, 12, tzinfo=UTC),
    )
    consignments = [
        Consignment(
            manifest=head,
            bill=f"ISTHBL{number:04d}",
            regime=Regime.TRANSHIPMENT if number % 2 else Regime.IMPORT,
            place_loading="COCTG",
            place_discharge="PAMIT",
            place_delivery="NLRTM" if number % 2 else "PAMIT",
            parties=(
                Party(PartyRole.CONSIGNOR, name=f"Exportadora {number}", country="CO"),
                Party(PartyRole.CONSIGNEE, name="Maria Example", identifier="8-000-1234"),
            ),
            goods=(
                GoodsItem(
                    number=1,
                    description="FROZEN SHRIMP IN CARTONS",
                    hs="030617",
                    gross_kg=Decimal(18_000),
                    containers=(box(number),),
                ),
            ),
            containers=(
                Container(
                    box(number), size_type="45R1", seals=(Seal(f"CO{number:05d}"),), empty=False
                ),
            ),
        )
        for number in range(1, count + 1)
    ]
    return write_cuscar(
        head,
        consignments,
        profile="D.95B",
        sender="MAEU",
        recipient="PACUSTOMS",
        control_reference="REF1",
    )


def make(root: Path, clock: SetClock, limits: LimitSettings | None = None) -> Api:
    """Make a node with people and their sessions, and nothing received yet."""
    settings = Settings(
        node=NodeSettings(name="Test", locale="en"),
        agency=AgencySettings(code="ANA", name="National Customs", country="PA", office="PAMIT"),
        limits=limits or LimitSettings(),
    )
    node = Node.create(root, settings, clock)
    staff, given = node.database.write(lambda tx: _first(tx, node))
    for role in PEOPLE:
        if role is not Role.ADMINISTRATOR:
            staff[role] = person(node.database, staff[Role.ADMINISTRATOR], RoleRequest(role))

    def begin(tx: Any) -> dict[Role, str]:
        made = {
            role: sessions.start(tx, store.person(tx, actor.id), node.session_terms)[1]
            for role, actor in staff.items()
        }
        made[Role.SYSTEM] = tokens.issue_token(
            tx, staff[Role.ADMINISTRATOR], label="Port system", agency=given, role=Role.SYSTEM
        ).secret
        return made

    held = node.database.write(begin)
    return Api(node, clock, create_app(node, hasher()), given, staff, held)


def _first(tx: Any, node: Node) -> tuple[dict[Role, Actor], str]:
    agency = store.agencies(tx)[0].id
    invited = service.invite_first_administrator(tx, agency)
    store.update_person(tx, invited.person_id, name="First", login="first@customs.example")
    return {Role.ADMINISTRATOR: sessions.actor_of(tx, store.person(tx, invited.person_id))}, agency


def seed(api: Api) -> None:
    """Bring traffic through the loop: things received, set apart, scored, picked, held, inspected."""
    node, officer = api.node, api.actors[Role.SUPERVISOR]
    analyst = api.actors[Role.ANALYST]

    def take(content: bytes, name: str) -> str:
        return node.receiver.receive(officer, io.BytesIO(content), Source(name)).document_id

    api.ids["document"] = take(manifest(), "manifest.edi")
    take(json.dumps([DECLARATION, {**DECLARATION, "reference": 7}]).encode(), "d.json")
    take(json.dumps(EVENT).encode() + b"\n{broken\n", "events.jsonl")
    node.scorer.score_all()
    made = node.database.write(
        lambda tx: target.run(tx, officer, target.Order(budget=8, floor=0.05))
    )
    chosen = [pick["id"] for pick in made.picks]
    api.ids["unit"] = made.picks[0]["unit_id"]
    api.ids["pick"] = chosen[0]

    def work(tx: Any) -> None:
        for pick in chosen[1:7]:
            picks.take(tx, officer, pick)
        api.ids["taken"] = chosen[1]
        api.ids["watched"] = chosen[6]
        picks.watch(tx, officer, chosen[6], ["capacity"], agrees=None)
        for pick in chosen[2:4]:
            picks.put_back(tx, officer, pick)
            picks.take(tx, analyst, pick)
        api.ids["proposed"] = inspect.propose_hold(tx, analyst, chosen[2], ["indicator_seal"])
        api.ids["hold"] = inspect.propose_hold(tx, analyst, chosen[3], ["indicator_seal"])
        holds.confirm(tx, officer, api.ids["hold"])
        api.ids["inspection"] = inspect.order(tx, officer, chosen[4], "physical_full")

    node.database.write(work)
    row = node.database.read(lambda tx: holds_row(tx, api.ids["hold"]))
    gone = {
        **EVENT,
        "event_id": "GONE-1",
        "code": "GTOT",
        "container": row["container"],
        "at": "2026-01-01T00:00:00Z",
    }
    take(json.dumps(gone).encode(), "events.jsonl")
    api.ids["hit"] = _hit(api)
    administrator = api.actors[Role.ADMINISTRATOR]
    spare = person(node.database, administrator, RoleRequest(Role.ANALYST))
    former = person(node.database, administrator, RoleRequest(Role.ANALYST))
    node.database.write(lambda tx: service.deactivate(tx, administrator, former.id))
    api.ids |= {"person": spare.id, "former": former.id, "agency": api.agency}
    with api.client(Role.TERMINAL) as client:
        api.ids["alert"] = client.get("/api/alerts").json()["items"][0]["id"]
    api.ids["token"] = node.database.write(
        lambda tx: tokens.issue_token(
            tx, administrator, label="Old", agency=api.agency, role=Role.TERMINAL
        )
    ).id


def _hit(api: Api) -> str:
    """Take in a lookout that the consignees' name is near; return the hit."""
    row = "P-0,person,Marya Exampell,,,,,targeting,Risk analysis,2027-06-30"
    file = File("own.csv", "\n".join([",".join(lookout.COLUMNS), row, ""]).encode())
    api.node.database.write(lambda tx: lists.take(tx, api.actors[Role.SUPERVISOR], "csv", [file]))
    api.node.rescreener.rescreen_due()
    analyst = api.actors[Role.ANALYST]
    (hit,) = api.node.database.read(lambda tx: hits.desk(tx, analyst, Wanted(), 10))
    return str(hit["id"])


def holds_row(tx: Any, hold_id: str) -> Any:
    from isthmus.access.gate import scope
    from isthmus.access.model import Permission, node_actor
    from isthmus.cases import store as cases

    return cases.hold(tx, scope(node_actor(), Permission.HOLD_READ), hold_id)
