"""A run: repeatable, in order, readable, and silent about what was planted."""

import json
from collections import Counter
from datetime import timedelta

import polars as pl
import pytest
from pydifact.parser import Parser
from sample_traffic import START

from isthmus import __version__
from isthmus.cargo.formats import events_jsonl
from isthmus.cargo.formats.edifact import segments
from isthmus.cargo.model import Consignment, ContainerEvent, Declaration, Function, Regime
from isthmus.kernel.errors import Conflict, Invalid
from isthmus.reference.check_digits import container_number_valid, imo_valid
from isthmus.simulator import run
from isthmus.simulator.run import Order
from isthmus.simulator.traffic.calls import AHEAD


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def faults(traffic, expected):
    return [row for row in traffic.faults if row["expected"] == expected]


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tmp_path):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        run.generate(tmp_path / name, Order(60, 14, seed, START))
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert contents(tmp_path / "a").keys() != contents(tmp_path / "c").keys()


def test_the_bytes_do_not_depend_on_the_number_of_processes(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "ALONE", 0)
    for name, processes in (("one", 1), ("two", 2)):
        run.generate(tmp_path / name, Order(120, 14, 3, START, 0.1), processes=processes)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_the_truth_says_how_to_make_the_run_again(traffic):
    said = json.loads((traffic.folder / "truth" / "run.json").read_bytes())
    assert said["isthmus"] == __version__
    assert (said["consignments"], said["days"], said["seed"], said["rate"]) == (900, 14, 7, 0.06)
    assert said["start"] == START.isoformat()
    assert {"M1", "M25"} <= set(said["schemes"])


def test_documents_come_in_order_of_time_and_say_it_in_their_names(traffic):
    moments = [document.at for document in traffic.documents]
    assert moments == sorted(moments)
    assert START < moments[0] < START + AHEAD
    assert (moments[0], moments[-1]) == (traffic.summary.first, traffic.summary.last)


def test_the_summary_counts_what_was_written(traffic):
    summary = traffic.summary
    kinds = Counter(document.path.name.split(".")[1] for document in traffic.documents)
    assert summary.documents == dict(sorted(kinds.items()))
    assert summary.consignments == 900 == sum(summary.by_regime.values())
    planted = Counter(row["method"] for row in traffic.planted if row["kind"] == "planted")
    assert summary.planted == dict(sorted(planted.items()))
    assert planted.total() > 20
    # Clerical errors aside: what was told twice, and the lines that are in quarantine.
    events = traffic.records(ContainerEvent)
    once = {(event.sender, event.event_id) for event in events}
    spoilt = sum(row["fault"] == "impossible_event_month" for row in traffic.faults)
    # One spoilt may be the copy of an event that was told before.
    assert summary.events - spoilt <= len(once) <= summary.events
    assert len(events) > len(once)


def test_only_planted_errors_are_rejected(traffic):
    """A document may be sent twice, spoilt as it is."""
    rejected = Counter(
        document.path.read_bytes() for document in traffic.documents if document.rejected
    )
    assert len(rejected) == len(faults(traffic, "quarantined")) > 0
    for document in traffic.documents:
        for reading in document.rejected:
            assert reading.reason in ("segment_malformed", "value_impossible")


def test_what_nobody_reads_is_named_by_its_format(traffic):
    unread = {d.path.name.split(".")[1] for d in traffic.documents if d.format is None}
    assert unread == {"baplie", "cusdec"}


def test_errors_that_the_trade_lives_with_end_as_flags(traffic):
    said = {
        consignment.bill: consignment
        for consignment in traffic.records(Consignment)
        if consignment.containers
    }
    flagged = faults(traffic, "flagged")
    assert {row["fault"] for row in flagged} == {"check_digit", "description"}
    for row in flagged:
        consignment = said[row["reference"]]
        wrong = [b for b in consignment.containers if not container_number_valid(b.number)]
        if row["fault"] == "check_digit":
            assert wrong
        else:
            assert not consignment.goods[0].hs or len(consignment.goods[0].description) < 30
    flags = [f for d in traffic.documents for reading in d.accepted for f in reading.flags]
    assert {flag.code for flag in flags} == {"container_check_digit"}


@pytest.mark.filterwarnings("ignore:segments.xml not found")
def test_every_manifest_has_the_segments_of_an_independent_reader(traffic):
    spoilt = {row["reference"] for row in faults(traffic, "quarantined")}
    compared = 0
    for document in traffic.documents:
        content = document.path.read_bytes()
        if document.format != "cuscar" or any(name.encode() in content for name in spoilt):
            continue
        with document.path.open("rb") as stream:
            ours = [
                (s.tag, [list(e) if isinstance(e, tuple) else e for e in s.elements])
                for s in segments(stream)
            ]
        theirs = Parser().parse(content.decode("utf-8" if b"UNOW" in content[:20] else "latin-1"))
        assert ours == [(s.tag, list(s.elements)) for s in theirs if s.tag != "UNA"]
        compared += 1
    assert compared > 40


def test_traffic_is_what_panama_sees(traffic):
    by_regime = traffic.summary.by_regime
    assert by_regime["transhipment"] > traffic.summary.consignments / 2
    assert set(by_regime) >= {"import", "export", "free_zone_in", "free_zone_out", "empty"}
    consignments = traffic.records(Consignment)
    assert {c.manifest.direction for c in consignments} == {"arrival", "departure"}
    assert any(c.master_bill for c in consignments)
    assert any(c.manifest.function is Function.CHANGE for c in consignments)
    assert any(c.regime is Regime.EMPTY for c in consignments)
    languages = {line.language for c in consignments for line in c.goods}
    assert languages == {"ES", "EN", "FR", "NL", "PT"}
    assert all(imo_valid(c.manifest.vessel_imo) for c in consignments)
    directories = {
        document.path.read_bytes().split(b"CUSCAR:")[1][:5]
        for document in traffic.documents
        if document.format == "cuscar"
    }
    assert directories == {b"D:95B", b"D:11A"}


def test_declarations_name_their_box_or_their_bill_or_neither(traffic):
    made = traffic.records(Declaration)
    originals = [d for d in made if d.function is Function.ORIGINAL]
    assert any(d.containers for d in originals)
    assert any(d.bills and not d.containers for d in originals)
    assert any(not d.bills and not d.containers for d in originals)
    assert any(d.supplementary for d in originals)
    assert any(d.pre_lodged for d in originals)
    known = {d.reference for d in originals}
    changes = [d for d in made if d.function is not Function.ORIGINAL]
    assert changes
    assert {d.parent_reference for d in changes} <= known
    regimes = {d.regime.value for d in originals}
    assert regimes == {"import", "export", "free_zone_in", "free_zone_out"}


def test_a_manifest_is_changed_two_days_before_arrival(traffic):
    """A change names another consignee, or gives the mass that the first manifest got wrong."""
    table = pl.read_parquet(traffic.folder / "truth" / "labelled.parquet")
    renamed = set(table.filter("consignee_changed")["bill"])
    corrected = set(table.filter("mass_corrected")["bill"])
    first: dict[str, Consignment] = {}
    changed = set()
    for consignment in traffic.records(Consignment):
        bill = consignment.bill
        if consignment.manifest.direction != "arrival" or consignment.master_bill:
            continue
        before = first.setdefault(bill, consignment)
        if consignment.manifest.function is Function.CHANGE:
            assert before.manifest.reference == consignment.manifest.reference
            takers, masses = zip(*map(_taken, (before, consignment)), strict=True)
            assert bill in renamed | corrected
            assert (takers[0] != takers[1]) or bill in corrected
            assert (masses[0] != masses[1]) == (bill in corrected)
            ahead = consignment.manifest.arrival_at - consignment.manifest.issued_at
            assert timedelta(hours=39) < ahead < timedelta(hours=53)
            changed.add(bill)
    assert changed & renamed
    assert changed & corrected


def _taken(consignment):
    takers = {p.name.upper() for p in consignment.parties if p.role in ("consignee", "notify")}
    return takers, [box.gross_kg for box in consignment.containers]


def test_a_box_is_loaded_after_it_came(traffic):
    moves: dict[str, list[ContainerEvent]] = {}
    for event in traffic.records(ContainerEvent):
        if event.code in ("DISC", "LOAD", "GTOT") and event.bill:
            moves.setdefault(f"{event.container}/{event.bill}", []).append(event)
    whole = 0
    for events in moves.values():
        at = {event.code: event.at for event in events}
        if "DISC" in at and "LOAD" in at:
            assert at["DISC"] < at.get("GTOT", at["LOAD"]) <= at["LOAD"]
            whole += 1
    assert whole > 100


def test_the_truth_stands_in_no_document(traffic):
    planted = [row for row in traffic.planted if row["kind"] == "planted"]
    assert planted
    forbidden = {row["method"] for row in planted} | {row["goods"] for row in planted}
    forbidden |= {trace for row in traffic.planted for trace in row.get("traces", ())}
    # "repaired" is what a depot says of any repair, lawful ones too.
    words = {f'"{word}"'.encode() for word in forbidden - {"vague", "cheap", "repaired"}}
    for document in traffic.documents:
        content = document.path.read_bytes().lower()
        assert not [word for word in words if word.lower() in content]
        assert b"planted" not in content


def test_what_is_planted_stands_anywhere_in_the_order(traffic):
    """The place of a planted consignment in the traffic tells nothing: mean rank near a half."""
    bills = list(dict.fromkeys(c.bill for c in traffic.records(Consignment)))
    rank = {bill: at / len(bills) for at, bill in enumerate(bills)}
    found = [rank[r["bill"]] for r in traffic.planted if r["kind"] == "planted" and r["bill"]]
    assert 0.25 < sum(found) / len(found) < 0.75


def test_an_event_is_sent_again_as_it_was(traffic):
    lines = Counter(
        line
        for content in {d.path.read_bytes() for d in traffic.documents if d.format == "events"}
        for line in content.splitlines()
    )
    assert max(lines.values()) == 2
    assert all(events_jsonl.recognise(line, None) for line in lines)


@pytest.mark.parametrize(
    ("consignments", "rate", "code"), [(10, 0.04, "simulator.few"), (60, 0.5, "simulator.rate")]
)
def test_what_makes_no_world_is_refused(tmp_path, consignments, rate, code):
    with pytest.raises(Invalid) as refused:
        run.generate(tmp_path / "out", Order(consignments, 14, 1, START, rate))
    assert refused.value.code == code


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(Conflict):
        run.generate(tmp_path, Order(60, 14, 1, START))
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
