"""A node that shares: two partners under fictional agreements, one under none, and their post.

Run as a process of its own: ``python -m journeys.sharing FOLDER``. The partners live in the same
process with databases of their own; what the node sends is carried to them as its files are.
"""

import json
import socket
import sys
import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from agreements.conftest import person
from exchange.ready import Ready, ready
from exchange.test_post import carry
from isthmus.access.model import Purpose, Role
from isthmus.cli.serving import serve_node
from isthmus.exchange import dispatch, post_store, receipts
from isthmus.exchange.model import Lane, ReceiptKind
from isthmus.flow import accept, share
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
from isthmus.node import Node
from journeys.served import fill, invite, settings

MARKING = Marking(
    Evaluation(Scale.POLICE_4X4, "B", "2"),
    frozenset({Handling.H1}),
    Classification.RESTRICTED,
    Tlp.AMBER,
)
ALERT: dict[str, Any] = {
    "reason": "intelligence",
    "action": "inspect",
    "objective": "contraband",
    "methods": ["M5"],
    "concealment_zones": ["reefer_unit", "front_wall"],
    "containers": ["MSKU1234565", "ISTU0000017"],
    "seals": ["CO48213"],
    "vessels": [{"imo": "9434761", "name": "EXAMPLE PACIFIC", "flag": "PA"}],
    "documents": [{"kind": "bill_of_lading", "number": "ISTHBL0042"}],
    "persons": [{"name": "Fulano Ejemplo", "category": "suspect", "role": "driver"}],
    "goods": [{"class": "cocaine", "quantity": "212.5", "unit": "KGM"}],
    "origins": ["COCTG"],
    "transhipments": ["PAMIT"],
    "destinations": ["NLRTM", "BEANR"],
    "remarks": {
        "language": "es",
        "text": "La tapa del motor del frigorífico tiene tornillos nuevos y la tara no cuadra.",
    },
}


def draft(made: Ready) -> dict[str, str]:
    """Draft an alert that a partner had before, and one that nobody got."""
    node = made.here
    officer = replace(node.staff[Role.ANALYST], purpose=Purpose.TARGETING)
    until = node.database.clock.now() + timedelta(days=40)
    body = ALERT | {"expires_at": f"{until:%Y-%m-%dT%H:%M:%SZ}"}

    def work(tx: Any) -> dict[str, str]:
        fresh = items.draft(tx, officer, node.code, ItemKind.ALERT, body, MARKING)
        known = items.draft(
            tx, officer, node.code, ItemKind.ALERT, body | {"action": "assess"}, MARKING
        )
        share.send(tx, officer, known.id, "NL-DOUANE", Said(Purpose.TARGETING),
                   lane=Lane.IMMEDIATE, without=["seals"])  # fmt: skip
        items.amend(tx, officer, known.id, body, MARKING)
        return {"fresh": fresh.id, "known": known.id}

    return node.database.write(work)


def post(made: Ready, stop: threading.Event) -> None:
    """Carry what waits to the partners and back, over and over; who gets it opens it."""
    while not stop.is_set():
        for code, there in made.partners.items():
            for lane in Lane:
                if carry(made.here, there, lane) is None:
                    continue
                for row in there.database.read(
                    lambda tx, lane=lane: post_store.span(tx, "in", "PA-ANA", lane.value, 1, 0, 999)
                ):
                    if accept.accept(there.database, row["id"]):
                        _open(made, there, code, row["id"])
        time.sleep(0.2)


def _open(made: Ready, there: Any, code: str, envelope: str) -> None:
    def tell(tx: Any) -> bytes:
        receipt = receipts.tell(tx, envelope, ReceiptKind.OPENED)
        return bytes(post_store.receipt(tx, receipt)["body"])

    dispatch.settle(made.here.database, code, [there.database.write(tell)])


def main(folder: Path) -> None:
    """Make, befriend, draft and serve."""
    with Node.create(folder, settings()) as node:
        fill(node)
        links = invite(node)
        staff = {role: person(number, role) for number, role in enumerate(Role, 10)}
        with ready(
            node.database, staff, person(9, Role.SUPERVISOR), folder, node.clock,
            "NL-DOUANE", "BE-DOUANE", "MX-ANAM",
        ) as made:  # fmt: skip
            made.in_force("PA-NL-2026", "NL-DOUANE")
            made.in_force("PA-BE-2026", "BE-DOUANE")
            told = {"links": {**links, **draft(made)}}
            stop = threading.Event()
            courier = threading.Thread(target=post, args=(made, stop), daemon=True)
            courier.start()
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port: int = probe.getsockname()[1]
            print(json.dumps({"address": f"http://127.0.0.1:{port}", **told}), flush=True)
            serve_node(node, "127.0.0.1", port)
            stop.set()
            courier.join(5)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
