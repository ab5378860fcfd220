"""The demonstration of three nodes, as somebody starts it: its story, told once and looked at."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import text

from isthmus.access.gate import scope
from isthmus.access.model import Permission, Role
from isthmus.agreements import service
from isthmus.cases import partner_store
from isthmus.cli.demo import staff
from isthmus.cli.demo.places import BELGIUM, NETHERLANDS, PANAMA, PARTNERS, PLACES
from isthmus.cli.demo.shipment import PERSON, SEAL, SEAL_READ_AGAIN
from isthmus.exchange import inbox, recall
from isthmus.exchange.trust import partners
from isthmus.intelligence import keeping, reading, store
from isthmus.node import Node

SIZE = ("--consignments", "80")
FEWEST = 60  # units at every node: a desk worth opening
GOAL = 5.0  # seconds within which everybody online has acknowledged a recall
AGREEMENTS = ["BE-NL-2026", "PA-BE-2026", "PA-NL-2026"]


def isthmus(root: Path, *words: object) -> list[str]:
    return [
        str(Path(sys.executable).with_name("isthmus")), "--node", str(root), *map(str, words)
    ]  # fmt: skip


def free_ports() -> int:
    """A first port from which on all six that the demonstration needs are free."""
    while True:
        first = random.randrange(20_000, 32_000)
        with ExitStack() as stack:
            try:
                for port in [first + n + gap for n in range(3) for gap in (0, PARTNERS)]:
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
        return first


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """The story, told once by three processes, and what was printed."""
    root = tmp_path_factory.mktemp("story") / "demo"
    words = ("demo", "--story", "--once", "--json", "--port", free_ports(), *SIZE)
    done = subprocess.run(
        isthmus(root, *words), capture_output=True, text=True, timeout=400, check=False
    )
    assert done.returncode == 0, done.stderr
    return root, json.loads(done.stdout)


@pytest.fixture(scope="module")
def nodes(told):
    """The three nodes as the story left them, opened again."""
    root, _ = told
    with ExitStack() as stack:
        yield {place: stack.enter_context(Node.open(root / place.folder)) for place in PLACES}


def see(node, read, *arguments):
    return node.database.read(lambda tx: read(tx, *arguments))


def rows(node, query):
    return node.database.read(lambda tx: [tuple(row) for row in tx.execute(text(query))])


def newest(tx, item_id):
    return store.copies_of(tx, item_id)[-1]


def test_each_node_is_its_own_and_speaks_its_language(told, nodes):
    _, result = told
    assert [result["nodes"][place.code]["language"] for place in PLACES] == ["es", "nl", "fr"]
    for place, node in nodes.items():
        own = {one.code for one in nodes if one != place}
        auditor = staff.actor(node, Role.AUDITOR)
        assert {one.code for one in see(node, partners.directory, auditor)} == own
        assert all(one.trusted for one in see(node, partners.directory, auditor))
        assert {one.trusted_by != one.compared_by for one in see(node, partners.directory, auditor)}
        lived = result["nodes"][place.code]
        assert lived["units"] >= FEWEST
        assert lived["picked"] > lived["inspections"] > 0
        open_hits = rows(node, "SELECT count(*) FROM hit WHERE state = 'open'")[0][0]
        assert open_hits > 0
    keys = {bytes((node.folder.key_file).read_bytes()) for node in nodes.values()}
    assert len(keys) == 3


def test_the_agreements_are_fictional_and_three_persons_brought_each_in_force(told, nodes):
    _, result = told
    assert result["fictional_agreements"] == AGREEMENTS
    for place, node in nodes.items():
        auditor = staff.actor(node, Role.AUDITOR)
        held = see(node, service.agreements, auditor)
        mine = [one for one in AGREEMENTS if place.country in one]
        assert sorted(agreement.id for _, agreement in held) == mine
        for row, agreement in held:
            assert agreement.fictional
            assert row["state"] == "active"
            acted = {row[name] for name in ("drafted_by", "reviewed_by", "tested_by")}
            assert len(acted | {row["activated_by"]}) == 4


def test_one_chain_one_number_and_shared_credit(told, nodes):
    story = told[1]["story"]
    chains = {place: see(nodes[place], partner_store.chain_row, story["chain"]) for place in PLACES}
    assert chains[NETHERLANDS] is None
    for place, ours in ((PANAMA, False), (BELGIUM, True)):
        row = chains[place]
        assert (row["state"], row["result"]) == ("result", "seizure")
        assert (row["cued_by"], row["asked"], row["ours"]) == ("PA-ANA", "BE-DOUANE", ours)
        assert row["cue_reason"] == "cut_off"
        assert row["seizure"] == story["seizure"]
        seen = scope(staff.actor(nodes[place], Role.AUDITOR), Permission.SEIZURE_READ)
        shares = see(nodes[place], partner_store.credits_of, seen, [story["seizure"]])
        assert {(one["node"], one["role"], one["share"]) for one in shares} == {
            ("BE-DOUANE", "seized", 50),
            ("PA-ANA", "cued", 50),
        }
        totals = rows(nodes[place], "SELECT count(*) FROM seizure WHERE seizure.number LIKE 'SZ-%'")
        assert totals == [(1 + _own(nodes[place], story["seizure"]),)]


def _own(node, number):
    """Seizures that the two weeks before had brought."""
    query = f"SELECT count(*) FROM seizure WHERE number <> '{number}'"
    return rows(node, query)[0][0]


def test_the_box_was_picked_by_a_run_before_it_was_cued(told, nodes):
    unit = see(nodes[PANAMA], partner_store.chain_row, told[1]["story"]["chain"])["unit_id"]
    picked = rows(
        nodes[PANAMA],
        "SELECT pick.basis, pick.deadline_at IS NOT NULL, target_run.run_by FROM pick "
        f"JOIN target_run ON target_run.id = pick.run_id WHERE unit_id = '{unit}'",
    )
    assert len(picked) == 1
    assert picked[0][0] in ("ranked", "random")
    assert picked[0][1]
    assert picked[0][2] == staff.actor(nodes[PANAMA], Role.ANALYST).id


def test_the_seal_is_corrected_at_every_holder_the_onward_one_too(told, nodes):
    item = told[1]["story"]["alert"]
    for node in nodes.values():
        copies = see(node, store.copies_of, item)
        now = see(node, keeping.load, copies[-1])
        assert (now.version, now.body["seals"]) == (2, [SEAL_READ_AGAIN])
        before = see(node, keeping.load, copies[0])
        assert (before.version, before.body["seals"]) == (1, [SEAL])
    came = rows(
        nodes[NETHERLANDS],
        "SELECT DISTINCT partner, originator FROM envelope WHERE direction = 'in'",
    )
    assert came == [("BE-DOUANE", "PA-ANA")]
    for place, holder in ((PANAMA, "BE-DOUANE"), (BELGIUM, "NL-DOUANE")):
        (one,) = see(nodes[place], recall.following, item)
        assert (one.partner, one.state, one.code) == (holder, "done", "")


def test_the_person_named_stays_for_want_of_a_case_number(told, nodes):
    item = told[1]["story"]["alert"]
    for place, node in nodes.items():
        said = str(see(node, keeping.load, see(node, newest, item)).body)
        assert (PERSON["name"] in said) == (place == PANAMA)
    (line,) = (one for one in told[1]["told"] if "stays" in one["words"])
    assert line["clauses"] == ["PA-BE-2026/art-7"]


def test_the_recall_reached_who_was_online_at_once_and_the_other_by_name_and_on_return(
    told, nodes, capsys
):
    story = told[1]["story"]
    with capsys.disabled():
        print(
            f"\nacknowledged: correction {story['seconds']['correction']} s (A to B to C), "
            f"recall {story['seconds']['recall']} s (online), "
            f"{story['seconds']['return']} s after the start of the node that was away"
        )
    assert story["seconds"]["recall"] <= GOAL
    assert story["seconds"]["correction"] <= GOAL
    assert story["offline"] == "NL-DOUANE"
    for node in nodes.values():
        assert see(node, store.item, story["recalled"])["state"] == "recalled"
        assert [one.item.id for one in see(node, reading.lookouts_in_force)] == [story["alert"]]
    for place, holder in ((PANAMA, "BE-DOUANE"), (BELGIUM, "NL-DOUANE")):
        (one,) = see(nodes[place], recall.following, story["recalled"])
        assert (one.partner, one.state, one.code) == (holder, "done", "")


def test_every_envelope_arrived_and_stands_on_clauses_of_the_agreements(nodes):
    sent, came = set(), set()
    for node in nodes.values():
        for envelope, direction, state, digest in rows(
            node, "SELECT id, direction, state, hex(hash) FROM envelope"
        ):
            assert state == "delivered"
            (sent if direction == "out" else came).add(digest)
            basis = see(node, inbox.opened, envelope).envelope.basis
            assert {one.agreement for one in basis} <= set(AGREEMENTS)
            assert basis
    assert sent == came
    assert len(sent) >= 10


def test_every_act_is_of_a_person_of_that_node(nodes):
    acts = {
        PANAMA: {"target.run", "pick.take", "chain.cued", "item.send", "item.consent"},
        BELGIUM: {"chain.accepted", "inspection.order", "inspection.accept", "seizure.register"},
    }
    for place, actions in acts.items():
        people = {entry.login for entry in staff.kept(nodes[place].folder.root)}
        known = dict(rows(nodes[place], "SELECT id, login FROM person"))
        acted = [
            (action, known.get(actor))
            for action, actor in rows(nodes[place], "SELECT action, actor FROM audit_entry")
            if action in actions
        ]
        assert {action for action, _ in acted} == actions
        assert {login for _, login in acted} <= people


def test_what_was_told_names_times_nodes_and_clauses(told):
    lines = told[1]["told"]
    assert [one["step"] for one in lines] == sorted(one["step"] for one in lines)
    assert {one["step"] for one in lines} == {1, 2, 3, 4, 5, 6}
    assert {one["node"] for one in lines} == {place.code for place in PLACES}
    cited = {clause for one in lines for clause in one["clauses"]}
    assert {"PA-BE-2026/art-5", "PA-BE-2026/art-3", "PA-BE-2026/art-6"} <= cited
    assert "BE-NL-2026/art-3" in cited


def test_audit_and_ledger_hold_at_every_node(told):
    root, _ = told
    for place in PLACES:
        done = subprocess.run(
            isthmus(root / place.folder, "verify"), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_codes_are_printed_for_everybody_at_every_node(told):
    root, _ = told
    done = subprocess.run(
        isthmus(root, "demo-code", "legal_officer", "--json"),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    shown = json.loads(done.stdout)["sign_in"]
    assert {code: len(people) for code, people in shown.items()} == {
        place.code: 3 for place in PLACES
    }
    refused = subprocess.run(isthmus(root, "demo-code", "nobody"), capture_output=True, check=False)
    assert refused.returncode == 2


def test_a_node_in_earnest_is_never_removed_for_the_story(tmp_path):
    root = tmp_path / "node"
    subprocess.run(isthmus(root, "init", root), capture_output=True, check=True)
    before = (root / "node.toml").read_bytes()
    words = ("demo", "--story", "--once", "--port", free_ports())
    done = subprocess.run(isthmus(root, *words), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "left alone" in done.stderr
    assert (root / "node.toml").read_bytes() == before


def test_three_nodes_serve_until_they_are_told_to_stop(tmp_path):
    first = free_ports()
    words = ("demo", "--story", "--json", "--port", first, *SIZE)
    process = subprocess.Popen(
        isthmus(tmp_path / "demo", *words),
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        until = time.monotonic() + 300
        while not _listening(first, 3):
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.2)
    finally:
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=90)
    assert process.returncode == 0
    assert not _listening(first, 1)
    if printed:  # it was told to stop after it had said where the nodes are
        shown = json.loads(printed)
        assert {code: one["address"] for code, one in shown["nodes"].items()} == {
            place.code: place.address(first) for place in PLACES
        }


def _listening(first: int, wanted: int) -> bool:
    found = 0
    for number in range(3):
        with socket.socket() as probe:
            found += probe.connect_ex(("127.0.0.1", first + number)) == 0
    return found >= wanted
