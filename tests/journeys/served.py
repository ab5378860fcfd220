"""A real node for the journeys: made in a folder, filled with a day's traffic, served on loopback.

Run as a process of its own: ``python -m journeys.served FOLDER``. It prints one line of JSON with
its address and the one-time links of its people, and serves until it is ended.
"""

import io
import json
import socket
import sys
from pathlib import Path
from typing import Any

from isthmus.access import service, sessions, store
from isthmus.access.model import Role
from isthmus.access.service import RoleRequest
from isthmus.cargo.formats.source import Source
from isthmus.cli.demo import lookouts
from isthmus.cli.serving import serve_node
from isthmus.flow import target
from isthmus.node import Node
from isthmus.parties.lists import service as lists
from isthmus.parties.lists.service import File
from isthmus.platform.settings import AgencySettings, NodeSettings, Settings
from isthmus.platform.transaction import Transaction
from journeys.traffic import documents

PEOPLE = {
    "ana": ("Ana Batista", (Role.ANALYST,)),
    "sofia": ("Sofía Ruiz", (Role.SUPERVISOR,)),
    "ivan": ("Iván Mora", (Role.INSPECTOR,)),
    "tomas": ("Tomás Vega", (Role.TERMINAL,)),
    "aurora": ("Aurora Díaz", (Role.AUDITOR,)),
}


def settings() -> Settings:
    """The node of the journeys."""
    return Settings(
        node=NodeSettings(name="Aduana de Cristóbal", locale="en", zone="America/Panama"),
        agency=AgencySettings(code="ANA", name="National Customs", country="PA", office="PA-MIT"),
    )


def fill(node: Node) -> None:
    """Bring lookouts and the day's traffic in, score it and run the shift's targeting."""
    for name, content in documents(node.clock.now()):
        node.receiver.receive(node.actor, io.BytesIO(content), Source(name))
    table = lookouts.table(lookouts.LOOKOUTS, node.clock.now())
    (node.folder.root / "lookouts.csv").write_bytes(table)
    file = File("lookouts.csv", table)
    node.database.write(lambda tx: lists.take(tx, node.actor, lookouts.CODE, [file]))
    for _, path in lookouts.papers(node.folder.root / "listed", node.clock.now()):
        node.receiver.receive(node.actor, io.BytesIO(path.read_bytes()), Source(path.name))
    node.scorer.score_all()
    order = target.Order(budget=12, documentary=3, floor=0.1, shift="day")
    node.database.write(lambda tx: target.run(tx, node.actor, order))


def invite(node: Node) -> dict[str, str]:
    """Enter the people; return their links, and the first administrator's as ``first``."""

    def work(tx: Transaction) -> dict[str, str]:
        agency = store.agencies(tx)[0].id
        first = service.invite_first_administrator(tx, agency)
        actor = sessions.actor_of(tx, store.person(tx, first.person_id))
        links = {"first": first.path}
        for login, (name, roles) in PEOPLE.items():
            made = service.invite(
                tx,
                actor,
                agency=agency,
                name=name,
                login=f"{login}@customs.example",
                roles=[RoleRequest(role) for role in roles],
            )
            links[login] = made.path
        return links

    return node.database.write(work)


def main(folder: Path) -> None:
    """Make, fill and serve the node."""
    with Node.create(folder, settings()) as node:
        fill(node)
        links = invite(node)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        told: dict[str, Any] = {"address": f"http://127.0.0.1:{port}", "links": links}
        print(json.dumps(told), flush=True)
        serve_node(node, "127.0.0.1", port)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
