"""``isthmus exchange ask``: a blind question from the console to a node that runs."""

import pytest

from cli.test_exchange import befriend, run, second_officer
from exchange.test_inquiry import ASKABLE, BOX, GRADED, OTHER
from federation.nodes import free_port
from isthmus.cases import partner_store
from isthmus.cli import commands
from isthmus.intelligence import items
from isthmus.intelligence.model import ItemKind
from isthmus.node import Node


@pytest.fixture
def two(tmp_path, monkeypatch):
    pytest.importorskip("private_set_intersection", reason="the extra is not installed")
    commands.load()
    monkeypatch.setattr("isthmus.node.clauses_between", lambda *_: [ASKABLE])
    monkeypatch.setattr("isthmus.node.overlay", lambda _tx: [])
    made = []
    for country, agency in (("PA", "ANA"), ("BE", "DOUANE")):
        root = tmp_path / agency
        run(None, "init", root, "--country", country, "--agency", agency)
        run(root, "exchange", "init", "--address", f"127.0.0.1:{free_port()}")
        second_officer(root)
        card = root.with_suffix(".card")
        with Node.open(root) as node:
            from isthmus.exchange.trust import identity

            card.write_bytes(node.database.read(identity.card))
        made.append(root)
    befriend(*made)
    befriend(*reversed(made))
    return made


def test_a_hit_is_drafted_as_an_ordinary_request(two, tmp_path):
    panama, antwerp = two
    boxes = tmp_path / "boxes"
    boxes.write_text(f"{BOX}\n{OTHER}\nseal: AB123\n")
    with Node.open(antwerp) as node:
        body = {
            "reason": "seal_anomaly", "action": "assess", "containers": [BOX],
            "expires_at": "2099-12-31T00:00:00Z",
        }  # fmt: skip
        node.database.write(
            lambda tx: items.draft(tx, node.actor, "BE-DOUANE", ItemKind.ALERT, body, GRADED)
        )
        node.station.start()
        told = run(panama, "exchange", "ask", "BE-DOUANE", boxes)
        assert told == {"asked": 3, "known": [f"container:{BOX}"], "request": None}
        told = run(panama, "exchange", "ask", "BE-DOUANE", boxes, "--case", "PA-77/2026")
        node.station.stop()
    with Node.open(panama) as node:
        row = node.database.read(lambda tx: partner_store.request_of_item(tx, told["request"]))
    assert (row["partner"], row["own_case"], row["state"]) == (
        "BE-DOUANE",
        "PA-77/2026",
        "complete",
    )
