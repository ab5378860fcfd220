"""Schemes as data: what is shipped is sound, what is wrong is refused with file, key and reason."""

from datetime import timedelta
from itertools import pairwise

import pytest
import yaml
from sample_traffic import START

from isthmus.cargo.model import Consignment, ContainerEvent
from isthmus.kernel.errors import Invalid
from isthmus.reference.codelist import LOCALES
from isthmus.simulator import schemes
from isthmus.simulator.traces import ON_MOVES, ON_PAPERS

SOUND = {
    "code": "X1",
    "name": dict.fromkeys(LOCALES, "A scheme"),
    "objective": "contraband",
    "weight": 1,
    "where": {"regimes": ["import"]},
    "carries": {"goods": "cocaine", "kilograms": [1, 2], "zone": "doors"},
    "traces": {"heavier": 0.5},
    "confusers": [{"each": 1, "traces": {"heavier": 0.5}}],
    "found_by": {"physical_full": 0.9},
}


def written(tmp_path, **changes):
    file = tmp_path / "x1.yaml"
    file.write_text(yaml.safe_dump(SOUND | changes), encoding="utf-8")
    return file


def test_ten_methods_are_shipped_and_each_has_its_look_alikes():
    shipped = schemes.shipped()
    assert len({scheme.code for scheme in shipped}) == len(shipped) == 10
    for scheme in shipped:
        assert set(scheme.name) == set(LOCALES)
        assert all(0 < chance < 1 for chance in scheme.traces.values()), "no trace is certain"
        assert all(chance < 1 for chance in scheme.found_by.values())
        assert scheme.confusers


def test_no_trace_is_left_by_crime_alone():
    lawful = {name for s in schemes.shipped() for c in s.confusers for name in c.traces}
    guilty = {name for scheme in schemes.shipped() for name in scheme.traces}
    assert guilty <= lawful
    assert lawful | guilty <= set(ON_PAPERS) | set(ON_MOVES)


def test_every_trace_there_is_can_be_asked_for_by_its_name():
    used = {name for s in schemes.shipped() for name in s.traces}
    used |= {name for s in schemes.shipped() for c in s.confusers for name in c.traces}
    assert used == set(ON_PAPERS) | set(ON_MOVES)


def test_a_sound_file_is_read(tmp_path):
    scheme = schemes.read(written(tmp_path))
    assert (scheme.code, scheme.goods, scheme.kilograms) == ("X1", "cocaine", (1, 2))


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        ({"weight": 0}, "weight", "minimum"),
        ({"traces": {"heavier": 2}}, "traces.heavier", "maximum"),
        ({"traces": {"magic": 0.5}}, "traces", "no trace magic"),
        ({"confusers": [{"each": 1, "traces": {"magic": 1}}]}, "confusers", "no trace magic"),
        ({"carries": {"goods": "gold", "kilograms": [1, 2], "zone": "doors"}}, "gold", "list"),
        ({"found_by": {"guessing": 0.5}}, "guessing", "list control_types"),
        ({"where": {"planets": ["mars"]}}, "where", "planets"),
        ({"name": {"en": "only"}}, "name", "required"),
    ],
)
def test_a_wrong_file_is_refused_with_file_key_and_reason(tmp_path, changes, key, words):
    with pytest.raises(Invalid) as refused:
        schemes.read(written(tmp_path, **changes))
    assert refused.value.where["file"] == "x1.yaml"
    assert refused.value.where["key"] == key
    assert words in refused.value.message


def test_what_is_not_yaml_is_refused(tmp_path):
    file = tmp_path / "broken.yaml"
    file.write_text("code: [", encoding="utf-8")
    with pytest.raises(Invalid, match="not YAML"):
        schemes.read(file)


# -- what traces look like in documents -----------------------------------------------------


def left(traffic, trace):
    """The boxes in which a trace was left, with the events of each in order of time."""
    boxes = {r["container"] for r in traffic.truth if trace in r.get("traces", ())}
    assert boxes, f"nobody left {trace}"
    events = {box: [] for box in boxes}
    for event in traffic.records(ContainerEvent):
        if event.container in events:
            events[event.container].append(event)
    return {box: sorted(found, key=lambda e: e.at) for box, found in events.items()}


def declared(traffic):
    return {box.number: box for c in traffic.records(Consignment) for box in c.containers}


def test_a_swapped_seal_is_on_no_paper(traffic):
    papers = declared(traffic)
    for box, events in left(traffic, "seal_swapped").items():
        told = {seal.number for seal in papers[box].seals}
        seen = [{seal.number for seal in event.seals} for event in events if event.seals]
        assert seen[-1]
        assert not seen[-1] & told
        assert not any(event.code in ("RSEA", "RMVD") for event in events)


def test_customs_writes_down_that_it_sealed_a_box_again(traffic):
    for events in left(traffic, "seal_by_customs").values():
        at = next(i for i, event in enumerate(events) if event.code == "RSEA")
        assert events[at].seals[0].removed_by == "customs"
        assert any(event.code == "CUSI" for event in events[:at])
        later = [event.seals for event in events[at + 1 :] if event.seals]
        assert all(seals[0].number == events[at].seals[0].number for seals in later)


def test_a_clone_is_at_the_other_coast_minutes_later(traffic):
    for events in left(traffic, "seen_elsewhere").values():
        gaps = [
            after.at - before.at
            for before, after in pairwise(events)
            if {before.place, after.place} & {"PABLB", "PAROD"} and before.place != after.place
        ]
        assert min(gaps) <= timedelta(minutes=25)


def test_hidden_weight_shows_on_the_scale(traffic):
    papers = declared(traffic)
    for box, events in left(traffic, "heavier").items():
        shown = [event.weight_kg for event in events if event.weight_kg is not None]
        paper = papers[box]
        assert float(shown[-1]) > float(paper.tare_kg + (paper.gross_kg or 0)) - 150
        assert shown


def test_release_rights_change_hands_in_the_port_system(traffic):
    for box, events in left(traffic, "passed_on_late").items():
        out = next(event for event in reversed(events) if event.code == "GTOT")
        passed = [e for e in events if e.code == "isth:release_right_transfer"]
        assert passed[-1].haulier == out.haulier, box
        assert out.at - passed[-1].at < timedelta(hours=6)
    for events in left(traffic, "looked_up_often").values():
        assert sum(event.code == "isth:release_right_lookup" for event in events) >= 4


def test_a_slow_transfer_is_slower_than_the_road(traffic):
    for events in left(traffic, "slow_transfer").values():
        out = next(event for event in events if event.code == "GTOT")
        back = next(event for event in events if event.code == "GTIN" and event.at > out.at)
        assert back.at - out.at > timedelta(hours=2)


def test_a_failed_reefer_travels_without_its_set_point(traffic):
    papers = declared(traffic)
    for box in left(traffic, "machinery_off"):
        assert papers[box].size_type[2] == "R"
        assert papers[box].temperature_c is None


def test_start_is_in_the_past_of_every_document(traffic):
    assert all(document.at > START for document in traffic.documents)
