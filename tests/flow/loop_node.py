"""A node with an officer in each role, and the boxes that come to it."""

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson

from builders import person
from isthmus.access import service, sessions, store, tokens
from isthmus.access.gate import scope
from isthmus.access.model import Actor, Permission, Role, node_actor
from isthmus.access.service import RoleRequest
from isthmus.cargo import service as cargo
from isthmus.cargo.formats.cuscar_writer import write_cuscar
from isthmus.cargo.formats.declaration_json import encode_declaration
from isthmus.cargo.formats.events_jsonl import write_events
from isthmus.cargo.formats.source import Source
from isthmus.cargo.model import (
    Consignment,
    Container,
    ContainerEvent,
    Declaration,
    Function,
    GoodsItem,
    Manifest,
    Party,
    PartyRole,
    Regime,
    Seal,
)
from isthmus.cargo.unit import Unit
from isthmus.cases import store as cases
from isthmus.flow import target
from isthmus.flow.receive import Receipt
from isthmus.kernel.time import SetClock
from isthmus.node import Node
from isthmus.platform.settings import (
    AgencySettings,
    DatabaseSettings,
    NodeSettings,
    Settings,
)
from isthmus.reference.check_digits import container_check_digit

START = datetime(2026, 1, 1, tzinfo=UTC)
ARRIVES = datetime(2026, 1, 4, 12, tzinfo=UTC)
TERMINAL = "MIT"
OTHER_TERMINAL = "CCT"


@dataclass(slots=True)
class Loop:
    """A node and who works at it."""

    node: Node
    clock: SetClock
    people: dict[Role, Actor]
    agency: str

    def write(self, work: Callable[[Any], Any]) -> Any:
        return self.node.database.write(work)

    def read(self, work: Callable[[Any], Any]) -> Any:
        return self.node.database.read(work)

    def later(self, **time: float) -> None:
        self.clock.advance(timedelta(**time))

    def receive(self, content: bytes, name: str) -> Receipt:
        return self.node.receiver.receive(
            self.people[Role.ANALYST], io.BytesIO(content), Source(name)
        )

    def manifest(self, *numbers: int, **changes: Any) -> Receipt:
        return self.receive(manifest(numbers, **changes), "manifest.edi")

    def event(self, code: str, number: int, **values: Any) -> Receipt:
        return self.receive(
            write_events([event(code, number, at=self.clock.now(), **values)]), "events.jsonl"
        )

    def unit(self, number: int) -> Unit:
        def find(tx: Any) -> str:
            return cases_unit(tx, box(number))

        return self.read(lambda tx: cargo.find_unit(tx, node_actor(), find(tx)))

    def run(self, budget: int = 10, **order: Any) -> target.Run:
        """Pick by a seed that is the same on every day: a run draws a few at random."""
        seed = order.pop("seed", b"the seed of the tests")
        who = order.pop("who", self.people[Role.ANALYST])
        return self.write(
            lambda tx: target.run(tx, who, target.Order(budget=budget, **order), seed)
        )

    def pick(self, pick_id: str) -> Any:
        return self.read(lambda tx: cases.pick(tx, everything(Permission.PICK_READ), pick_id))

    def hold(self, hold_id: str) -> Any:
        return self.read(lambda tx: cases.hold(tx, everything(Permission.HOLD_READ), hold_id))

    def alerts(self) -> list[Any]:
        return self.read(lambda tx: cases.alerts(tx, everything(Permission.HOLD_READ)))

    def token(self, *terminals: str) -> Actor:
        """A terminal operator's system with a token limited to these terminals."""
        issued = self.write(
            lambda tx: tokens.issue_token(
                tx,
                self.people[Role.ADMINISTRATOR],
                label="Gate system",
                agency=self.agency,
                role=Role.TERMINAL,
                terminals=frozenset(terminals),
            )
        )
        return self.read(lambda tx: tokens.actor_from_token(tx, issued.secret).actor)

    def second(self, role: Role) -> Actor:
        return person(self.node.database, self.people[Role.ADMINISTRATOR], RoleRequest(role))


def everything(permission: Permission) -> Any:
    return scope(node_actor(), permission)


def cases_unit(tx: Any, container: str) -> str:
    from sqlalchemy import select

    from isthmus.cargo.tables import unit_table

    rows = tx.execute(
        select(unit_table.c.id)
        .where(unit_table.c.container == container, unit_table.c.state != "superseded")
        .order_by(unit_table.c.seq.desc())
    )
    return rows.scalars().first()


def open_loop(root: Path, clock: SetClock, url: str = "") -> Loop:
    """Make a node in Panama with one person in each role."""
    settings = Settings(
        node=NodeSettings(name="Test", locale="en"),
        agency=AgencySettings(code="ANA", name="National Customs", country="PA", office="PAMIT"),
        database=DatabaseSettings(url=url),
    )
    node = Node.create(root, settings, clock)

    def first(tx: Any) -> tuple[Actor, str]:
        agency = store.agencies(tx)[0].id
        invited = service.invite_first_administrator(tx, agency)
        store.update_person(tx, invited.person_id, name="First", login="first@customs.example")
        return sessions.actor_of(tx, store.person(tx, invited.person_id)), agency

    administrator, agency = node.database.write(first)
    people = {Role.ADMINISTRATOR: administrator}
    for role in Role:
        if role not in (Role.ADMINISTRATOR, Role.SYSTEM):
            people[role] = person(node.database, administrator, RoleRequest(role))
    return Loop(node, clock, people, agency)


def box(number: int) -> str:
    """A container number with its check digit."""
    start = f"ISTU{number:06d}"
    return f"{start}{container_check_digit(start)}"


def manifest(
    numbers: Iterable[int],
    *,
    regime: Regime = Regime.TRANSHIPMENT,
    arrives: datetime = ARRIVES,
    consignee: str = "Importadora {}",
    function: Function = Function.ORIGINAL,
    reference: str = "MAN1",
    description: str = "FROZEN SHRIMP IN CARTONS",
) -> bytes:
    """A manifest of boxes that a ship brings from Cartagena."""
    numbers = list(numbers)
    head = Manifest(
        reference=f"{reference}{numbers[0]:04d}",
        function=function,
        carrier="MAEU",
        vessel_imo="9321483",
        vessel_name="EXAMPLE",
        voyage="601W",
        mode="1",
        direction="arrival",
        port="PAMIT",
        arrival_at=arrives,
    )
    consignments = [
        Consignment(
            manifest=head,
            function=function,
            bill=f"ISTHBL{number:04d}",
            regime=regime,
            place_loading="COCTG",
            place_discharge="PAMIT",
            place_delivery="NLRTM" if regime is Regime.TRANSHIPMENT else "PAMIT",
            parties=(
                Party(PartyRole.CONSIGNOR, name=f"Exportadora {number}", country="CO"),
                Party(PartyRole.CONSIGNEE, name=consignee.format(number), country="NL"),
            ),
            goods=(
                GoodsItem(
                    number=1,
                    description=description,
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
        for number in numbers
    ]
    return write_cuscar(
        head,
        consignments,
        profile="D.95B",
        sender="MAEU",
        recipient="PACUSTOMS",
        control_reference="REF1",
        character_set="UNOY",
    )


def event(code: str, number: int, *, at: datetime, **values: Any) -> ContainerEvent:
    """Something that happened to a box at the terminal."""
    told = {
        "event_id": f"{code}-{number}-{at.isoformat()}",
        "code": code,
        "container": box(number),
        "at": at,
        "terminal": TERMINAL,
        "sender": "MIT",
        "place": "PAMIT",
    }
    return ContainerEvent(**{**told, **values})


def declarations(entries: Sequence[Declaration]) -> bytes:
    return orjson.dumps([encode_declaration(entry) for entry in entries])
