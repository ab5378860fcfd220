"""A node that has worked with two partners for three months, and got a profile from one.

Run as a process of its own: ``python -m journeys.partnered FOLDER``. Its clock runs behind while
the past is made, and goes right before anybody signs in.
"""

import json
import random
import socket
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agreements.conftest import person
from exchange.ready import Ready, ready
from exchange.test_post import carry
from exchange.world import Party
from flow.partner_nodes import MARK
from isthmus.access.model import Role, node_actor
from isthmus.cases import requests
from isthmus.cases.requests import Question
from isthmus.cli.serving import serve_node
from isthmus.exchange import dispatch, post_store, receipts
from isthmus.exchange.model import Lane, ReceiptKind
from isthmus.exchange.proof import ledger
from isthmus.flow import accept, share
from isthmus.intelligence import items
from isthmus.intelligence.model import ItemKind
from isthmus.node import Node
from isthmus.platform.upkeep import seal_audit
from isthmus.risk import store as outcomes
from journeys.served import fill, invite, settings

WEEKS = 12
PROFILE: dict[str, Any] = {
    "objective": "contraband",
    "title": {"language": "nl", "text": "Vers fruit en schroot uit Ecuador en Colombia"},
    "rule": {
        "all": [
            {"field": "place_loading", "op": "in", "value": ["ECGYE", "COCTG", "COBUN"]},
            {"field": "gross_kg", "op": "ge", "value": {"threshold": "heavy"}},
            {"field": "rotterdam_gate_score", "op": "ge", "value": 0.6},
        ]
    },
    "parameters": [{"name": "heavy", "value": "15000", "unit": "KGM"}],
    "indicators": ["words_say_nothing", "new_consignee", "hold_lifted"],
    "methods": ["M1", "M7"],
    "companies": [{"name": "Ficticia Exportaciones S.A.", "country": "EC"}],
    "back_test_assessed": 41_220,
    "back_test_picked": 312,
    "back_test_found": 19,
}


class Behind:
    """The machine's clock, some time behind; it goes right when told."""

    def __init__(self) -> None:
        self.by = timedelta(weeks=WEEKS)

    def now(self) -> datetime:
        return datetime.now(UTC) - self.by

    def later(self, **time: float) -> None:
        self.by = max(timedelta(0), self.by - timedelta(**time))


def lived(made: Ready, clock: Behind, dice: random.Random) -> None:
    """Twelve weeks: shares that take their time, questions with their answers, mistakes."""
    dutch = made.partners["NL-DOUANE"]
    told: list[str] = []
    for week in range(WEEKS - 1):
        for number in range(dice.randint(5, 8)):
            told.append(_share(made, dutch, clock, 1 + dice.expovariate(1 / 4), dice))
            if number < 2 and week > 6:
                _share(made, made.partners["BE-DOUANE"], clock, 90, dice)
        for number in range(dice.randint(1, 5)):
            _asked(made, clock, f"NL-DOUANE:req_{week}x{number}", dice)
        gone = WEEKS - 1 - week
        clock.by = min(clock.by, timedelta(weeks=gone) - timedelta(hours=1))
    officer = made.here.staff[Role.SUPERVISOR]
    for item in told[:2]:
        made.here.database.write(
            lambda tx, one=item: items.recall(tx, officer, one, "source_withdrawn")
        )
    change = [{"path": "action", "value": "observe"}]
    made.here.database.write(lambda tx: items.correct(tx, officer, told[3], change, "typing_error"))


def _share(made: Ready, there: Party, clock: Behind, seconds: float, dice: random.Random) -> str:
    node = made.here
    officer = node.staff[Role.ANALYST]
    until = node.database.clock.now() + timedelta(days=40)
    body = {
        "reason": "intelligence",
        "action": "inspect",
        "containers": ["MSKU1234565"],
        "expires_at": f"{until:%Y-%m-%dT%H:%M:%SZ}",
    }

    def work(tx: Any) -> str:
        item = items.draft(tx, officer, node.code, ItemKind.ALERT, body, MARK)
        share.send(tx, officer, item.id, there.code, lane=Lane.IMMEDIATE)
        return item.id

    item = node.database.write(work)
    clock.later(seconds=seconds)
    carry(node, there, Lane.IMMEDIATE)
    row = there.database.read(lambda tx: post_store.arrived(tx, item))[-1]
    accept.accept(there.database, row["id"])
    if dice.random() < 0.8:
        clock.later(minutes=1 + dice.expovariate(1 / 30))

        def opened(tx: Any) -> bytes:
            receipt = receipts.tell(tx, row["id"], ReceiptKind.OPENED)
            return bytes(post_store.receipt(tx, receipt)["body"])

        dispatch.settle(node.database, there.code, [there.database.write(opened)])
    return item


def _asked(made: Ready, clock: Behind, name: str, dice: random.Random) -> None:
    node, officer = made.here, made.here.staff[Role.ANALYST]
    question = Question("NL-DOUANE", ("origin",), "urgent", "directly",
                        citation="PA-NL-2026/art-4")  # fmt: skip

    def come(tx: Any) -> None:
        requests.receive(tx, node_actor(), name, question, node.database.clock.now())

    node.database.write(come)
    clock.later(hours=2 + dice.expovariate(1 / 9))
    for step in (requests.acknowledge, requests.accept, requests.answer):
        node.database.write(lambda tx, act=step: act(tx, officer, name))


def profiled(made: Ready, node: Node) -> str:
    """Rotterdam sends a profile; what Panama inspected lately has outcomes."""
    there = made.partners["NL-DOUANE"]
    author = there.staff[Role.ANALYST]
    until = node.clock.now() + timedelta(days=90)
    body = PROFILE | {
        "expires_at": f"{until:%Y-%m-%dT%H:%M:%SZ}",
        "back_test_from": f"{node.clock.now() - timedelta(days=200):%Y-%m-%d}",
        "back_test_until": f"{node.clock.now() - timedelta(days=20):%Y-%m-%d}",
    }

    def work(tx: Any) -> str:
        item = items.draft(tx, author, there.code, ItemKind.RISK_PROFILE, body, MARK)
        share.send(tx, author, item.id, made.here.code)
        return item.id

    item = there.database.write(work)
    carry(there, made.here, Lane.ROUTINE)
    row = made.here.database.read(lambda tx: post_store.arrived(tx, item))[-1]
    accept.accept(made.here.database, row["id"])
    made.here.database.write(_outcomes)
    return item


def _outcomes(tx: Any) -> None:
    rows = outcomes.newest_assessed(tx, "contraband", 500)
    told = [
        {
            "id": f"out_{place}",
            "unit_id": row["unit_id"],
            "objective": "contraband",
            "positive": place % 3 == 0,
            "source": "declared",
            "inspection_id": None,
            "propensity": None,
            "detail": None,
            "recorded_at": tx.now,
        }
        for place, row in enumerate(rows)
        if place % 4
    ]
    outcomes.insert_outcomes(tx, told)


def main(folder: Path) -> None:
    """Make the past, set the clock right, and serve."""
    clock = Behind()
    with Node.create(folder, settings(), clock) as node:
        staff = {role: person(number, role) for number, role in enumerate(Role, 10)}
        with ready(
            node.database, staff, person(9, Role.SUPERVISOR), folder, node.clock,
            "NL-DOUANE", "BE-DOUANE",
        ) as made:  # fmt: skip
            made.in_force("PA-NL-2026", "NL-DOUANE")
            made.in_force("PA-BE-2026", "BE-DOUANE")
            lived(made, clock, random.Random(7))
            clock.by = timedelta(0)
            fill(node)
            told = {"links": {**invite(node), "profile": profiled(made, node)}}
            node.database.write(ledger.seal)
            seal_audit(node.database, node.folder)
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port: int = probe.getsockname()[1]
            print(json.dumps({"address": f"http://127.0.0.1:{port}", **told}), flush=True)
            serve_node(node, "127.0.0.1", port)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
