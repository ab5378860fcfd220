"""``isthmus exchange`` and ``isthmus ledger``: from two new nodes to a proof, without a wire."""

from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from exchange.test_by_agreements import CLAUSE
from exchange.world import Party
from isthmus.access import service, sessions, store
from isthmus.access.model import Role
from isthmus.access.service import RoleRequest
from isthmus.cli import commands
from isthmus.cli.app import app
from isthmus.exchange.trust import key_store
from isthmus.intelligence.model import ItemKind
from isthmus.kernel.errors import IsthmusError
from isthmus.node import Node


@pytest.fixture(autouse=True)
def agreed(monkeypatch):
    """Both nodes hold one clause by which sightings pass."""
    commands.load()
    monkeypatch.setattr("isthmus.node.clauses_between", lambda *_: [CLAUSE])
    monkeypatch.setattr("isthmus.node.overlay", lambda _tx: [])


def run(node: Path | None, *words: object, status: int = 0) -> dict:
    before = ["--node", str(node)] if node else []
    result = CliRunner().invoke(app, [*before, *map(str, words), "--json"])
    assert result.exit_code == status, (result.output, result.exception)
    return orjson.loads(result.stdout)


def second_officer(root: Path) -> None:
    """Enter another supervisor, whose login is second@customs.example."""

    def work(tx):
        (administrator,) = (person for person in store.people(tx) if person.login is None)
        actor = sessions.actor_of(tx, administrator)
        service.invite(
            tx,
            actor,
            agency=actor.agency,
            name="A Second",
            login="second@customs.example",
            roles=[RoleRequest(Role.SUPERVISOR)],
        )

    with Node.open(root) as node:
        node.database.write(work)


@pytest.fixture
def nodes(tmp_path):
    made = []
    for country, agency in (("PA", "ANA"), ("BE", "DOUANE")):
        root = tmp_path / agency
        run(None, "init", root, "--country", country, "--agency", agency)
        run(root, "exchange", "init")
        second_officer(root)
        result = CliRunner().invoke(
            app, ["--node", str(root), "exchange", "card", "--out", str(root.with_suffix(".card"))]
        )
        assert result.exit_code == 0
        made.append(root)
    return made


def befriend(mine: Path, theirs: Path) -> None:
    added = run(mine, "exchange", "partners", "add", theirs.with_suffix(".card"))
    prints = ("--signing", added["signing"], "--certificate", added["certificate"])
    code = added["code"]
    run(mine, "exchange", "partners", "compare", code, *prints)
    found = run(
        mine, "exchange", "partners", "trust", code, *prints, "--officer", "second@customs.example"
    )
    assert found["state"] == "trusted"


def test_from_two_nodes_to_a_proof(nodes, tmp_path):
    panama, antwerp = nodes
    befriend(panama, antwerp)
    befriend(antwerp, panama)
    with Node.open(panama) as node:
        me = node.database.read(key_store.myself)["node"]
        party = Party(me, node.database, {}, None)
        sent = party.put("BE-DOUANE", party.item(ItemKind.SIGHTING, means="scan"), paths=["means"])
    post, back, proof = (tmp_path / name for name in ("post", "back", "proof"))
    told = run(panama, "exchange", "export", "BE-DOUANE", post, "--lane", "immediate")
    assert told == {"envelopes": 1}
    told = run(antwerp, "exchange", "import", "PA-ANA", post, "--answer", back)
    assert told == {"envelopes": 1, "refused": []}
    assert run(panama, "exchange", "import", "BE-DOUANE", back) == {"receipts": 1}
    status = run(panama, "exchange", "status")
    assert status["partners"][0]["envelopes"] == {"out immediate delivered": 1}

    run(panama, "ledger", "prove", sent, proof)
    found = run(None, "ledger", "verify", proof)
    assert (found["valid"], found["outcome"], found["clauses"]) == (
        True, "delivered", ["PA-NL-2026/art-5-2"],
    )  # fmt: skip
    key = found["keys"]["PA-ANA"]
    run(None, "ledger", "verify", proof, "--pin", f"PA-ANA={key}", status=2)
    raw = proof.read_bytes()
    proof.write_bytes(raw[:900] + bytes([raw[900] ^ 1]) + raw[901:])
    wrong = run(None, "ledger", "verify", proof, status=2)
    assert wrong["findings"]


def test_the_same_person_twice_is_not_two(nodes):
    panama, antwerp = nodes
    added = run(panama, "exchange", "partners", "add", antwerp.with_suffix(".card"))
    prints = ("--signing", added["signing"], "--certificate", added["certificate"])
    run(panama, "exchange", "partners", "compare", "BE-DOUANE", *prints)
    words = ["--node", str(panama), "exchange", "partners", "trust", "BE-DOUANE", *prints]
    result = CliRunner().invoke(app, words)
    assert isinstance(result.exception, IsthmusError)
    assert result.exception.code == "second_person_needed"


def test_a_restore_opens_the_next_epoch(nodes, tmp_path):
    panama, _ = nodes
    run(panama, "backup", tmp_path / "safe")
    told = run(tmp_path / "again", "restore", tmp_path / "safe")
    assert told["epoch"] == 2
    assert run(tmp_path / "again", "exchange", "status")["epoch"] == 2
