"""A run sent into a node that serves: every document arrives, and again changes nothing."""

from datetime import UTC, datetime

import pytest
from node_process import Served, init, isthmus, token

from isthmus.simulator import run
from isthmus.simulator.truth import book

START = datetime(2026, 8, 31, 6, tzinfo=UTC)


@pytest.fixture(scope="module")
def streamed(tmp_path_factory):
    """A small run sent twice into one node, and what the command said each time."""
    folder = tmp_path_factory.mktemp("stream")
    made = run.generate(folder / "run", run.Order(80, 14, 3, START))
    root = init(folder / "node")
    with Served(root, token(root)) as node:
        address = f"http://127.0.0.1:{node.port}"
        words = ("simulate", "stream", folder / "run", "--to", address, "--speed", "0", "--json")
        told = [isthmus(*words, ISTHMUS_TOKEN=node.secret) for _ in range(2)]
        refused = isthmus(*words, ISTHMUS_TOKEN="wrong")
    return folder / "run", made, told, refused


def test_everything_arrives(streamed):
    folder, made, (first, _), _ = streamed
    sent = first.told
    assert sent["documents"] == sum(made.documents.values())
    assert sent["accepted"] > made.consignments
    assert sent["unsupported"] == sum(made.documents.get(k, 0) for k in ("baplie", "cusdec"))
    spoilt = [r for r in book.rows(folder, book.FAULTS) if r["expected"] == "quarantined"]
    assert bool(sent["quarantined"]) == bool(spoilt)
    assert first.status == int(bool(spoilt))


def test_sent_again_nothing_changes(streamed):
    _, _, (first, again), _ = streamed
    assert again.told["documents"] == first.told["documents"]
    assert again.told["accepted"] == again.told["new_versions"] == 0


def test_a_wrong_token_is_refused_in_words(streamed):
    *_, refused = streamed
    assert refused.status == 2
    assert refused.told["error"]["code"] == "document_refused"
