"""Files that no honest sender sends: each has a clear outcome, and none does harm."""

import random
from pathlib import Path

import holdings
import pytest
import traffic
from node_process import Ended, here, init, isthmus, verify

GIGABYTE = 1 << 30
NAMESPACE = "urn:wco:datamodel:WCO:DocumentMetaData-DMS:2"
HEADS = {
    "xml": f'<?xml version="1.0"?><MetaData xmlns="{NAMESPACE}"><Declaration>',
    "csv": traffic.COLUMNS + "\n",
    "edi": "UNB+UNOA:2+S+R+260101:0900+1'UNH+1+CUSCAR:D:95B:UN'",
    "json": '[{"reference": "R1", "function": "original"}, ',
    "jsonl": '{"event_id": "e1", ',
    "": "",
}
LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE MetaData [<!ENTITY a "ha">'
    + "".join(
        f'<!ENTITY {c} "{10 * f"&{b};"}">' for b, c in zip("abcdefghi", "bcdefghij", strict=True)
    )
    + f']><MetaData xmlns="{NAMESPACE}"><Declaration><ID>&j;</ID></Declaration></MetaData>'
)
OUTSIDE = (
    '<?xml version="1.0"?><!DOCTYPE MetaData [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    f'<MetaData xmlns="{NAMESPACE}"><Declaration><ID>&x;</ID></Declaration></MetaData>'
)
TABLE = "".join(traffic.rows(20))
COUNTS = ("documents", "received", "accepted", "quarantined", "unsupported")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One node for all of them: what one leaves behind must not disturb the next."""
    return init(tmp_path_factory.mktemp("hostile") / "node")


@pytest.mark.parametrize("head", [pytest.param(True, id="head"), pytest.param(False, id="zeros")])
@pytest.mark.parametrize("suffix", HEADS)
def test_a_gigabyte_is_refused_before_it_is_stored(
    root: Path, tmp_path: Path, suffix: str, head: bool
) -> None:
    file = tmp_path / f"large{'.' * bool(suffix)}{suffix}"
    with file.open("wb") as stream:
        stream.write(HEADS[suffix].encode() if head else b"")
        stream.truncate(GIGABYTE)
    before = holdings.rows(root, "SELECT count(*) FROM document_chunk")
    ended = here(root, "receive", file)
    assert ended.status == 2
    assert ended.told["documents"] == 0
    assert f"{GIGABYTE:,} bytes; this format may have" in ended.err
    assert holdings.rows(root, "SELECT count(*) FROM document_chunk") == before
    assert list((root / "tmp").iterdir()) == []


CASES = {
    # name: content, exit status, counts of COUNTS, words of the reason kept
    "laughs.xml": (LAUGHS, 1, (1, 1, 0, 1, 0), "entit"),
    "outside.xml": (OUTSIDE, 1, (1, 1, 0, 1, 0), "entit"),
    "binary.dat": (random.Random(1).randbytes(40_000), 0, (1, 0, 0, 0, 1), None),
    "binary.xml": (random.Random(2).randbytes(40_000), 0, (1, 0, 0, 0, 1), None),
    "binary.csv": (random.Random(3).randbytes(40_000), 1, (1, 1, 0, 1, 0), ""),
    "empty.csv": (b"", 1, (1, 1, 0, 1, 0), "empty"),
    "cut.csv": (TABLE[:-30], 1, (1, 20, 19, 1, 0), ""),
    "header.csv": (TABLE.replace("Importer ID", "Nobody"), 1, (1, 1, 0, 1, 0), "Importer ID"),
    "cut.json": (traffic.declaration("C1")[:-40], 1, (1, 1, 0, 1, 0), "Line 1"),
    "deep.json": ("[" * 200_000, 1, (1, 1, 0, 1, 0), "deep"),
    "cut.xml": (HEADS["xml"] + "<FunctionCode>9</Func", 1, (1, 1, 0, 1, 0), "line 1"),
    "cut.edi": (HEADS["edi"] + "BGM+785+X+9'DTM+13", 1, None, ""),
}


@pytest.mark.parametrize("name", CASES)
def test_each_has_a_clear_outcome(root: Path, tmp_path: Path, name: str) -> None:
    content, status, counts, reason = CASES[name]
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    ended = here(root, "receive", file)
    assert ended.status == status, ended.out + ended.err
    if counts is not None:
        assert tuple(ended.told[count] for count in COUNTS) == counts
    else:
        assert (ended.told["accepted"], ended.told["quarantined"] > 0) == (0, True)
    if reason is None:
        assert "no reader knows this format" in ended.err
        return
    kept = holdings.rows(
        root,
        "SELECT q.reason, q.message FROM quarantine q JOIN document d ON d.id = q.document_id "
        "WHERE d.source = ? AND q.state = 'open'",
        [name],
    )
    assert len(kept) == ended.told["quarantined"]
    assert all(code and words for code, words in kept)
    assert any(reason in f"{code} {words}" for code, words in kept), kept


def test_nothing_of_it_harmed_the_node(root: Path) -> None:
    """The last of them: everything kept is whole, and an honest document is still taken."""
    ended = verify(root)
    assert ended.status == 0, ended.out
    assert holdings.halves(root) == {}


def test_a_gigabyte_costs_the_command_no_time(root: Path, tmp_path: Path) -> None:
    """The command as people run it."""
    file = tmp_path / "large.csv"
    with file.open("wb") as stream:
        stream.write(HEADS["csv"].encode())
        stream.truncate(GIGABYTE)
    ended: Ended = isthmus("--node", root, "receive", file, "--json")
    assert ended.status == 2
    assert ended.told["documents"] == 0
    assert ended.told["seconds"] < 10
