"""Schemes as data: what is shipped is sound, what is wrong is refused with file, key and reason."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from isthmus.cargo.model import ContainerEvent
from isthmus.kernel.errors import Invalid
from isthmus.reference.codelist import LOCALES, code_list
from isthmus.simulator.smuggling import schemes
from isthmus.simulator.smuggling.scheme import SHIPMENT
from isthmus.simulator.smuggling.traces import AT_SEA, ON_MOVES, ON_PAPERS, sentences

GUIDE = Path(__file__).parents[3] / "docs" / "guide" / "schemes.md"
SOUND = {
    "code": "X1",
    "name": dict.fromkeys(LOCALES, "A scheme"),
    "source": "a test",
    "basis": "domain",
    "objective": "contraband",
    "weight": 1,
    "by": {"who": "trader"},
    "where": {"regimes": ["import"]},
    "carries": {"goods": "cocaine", "kilograms": [1, 2], "zone": "doors"},
    "traces": {"heavier": 0.5},
    "confusers": [{"why": "rain", "each": 1, "traces": {"heavier": 0.5}}],
    "adapts": {"route": 0.5, "after": [1, 2]},
    "found_by": {"physical_full": 0.9},
}


def written(tmp_path, called="x1.yaml", **changes):
    file = tmp_path / called
    file.write_text(yaml.safe_dump(SOUND | changes), encoding="utf-8")
    return file


def carrying(**changes):
    return {"carries": SOUND["carries"] | changes}


def test_all_twenty_five_methods_are_shipped_and_each_has_its_look_alikes():
    shipped = schemes.shipped()
    assert {scheme.code for scheme in shipped} == {f"M{number}" for number in range(1, 26)}
    for scheme in shipped:
        assert set(scheme.name) == set(LOCALES)
        assert all(0 < chance < 1 for chance in scheme.traces.values()), "no trace is certain"
        assert all(chance < 1 for chance in scheme.found_by.values())
        assert sum(confuser.each for confuser in scheme.confusers) >= 2
        assert all(confuser.why for confuser in scheme.confusers)
        assert scheme.source
        assert sum(scheme.adapts.chances.values()) > 0


def test_every_objective_has_its_methods():
    found = {scheme.objective for scheme in schemes.shipped()}
    assert found == set(code_list("objectives").codes())


def test_no_trace_is_left_by_crime_alone():
    for scheme in schemes.shipped():
        lawful = {name for confuser in scheme.confusers for name in confuser.traces}
        assert set(scheme.traces) <= lawful, scheme.code


def test_every_trace_there_is_is_used_by_a_shipped_scheme():
    used = {True: set(), False: set()}
    for scheme in schemes.shipped():
        used[scheme.uses == SHIPMENT] |= set(scheme.traces)
        used[scheme.uses == SHIPMENT] |= {n for c in scheme.confusers for n in c.traces}
    assert used[True] == set(ON_PAPERS) | set(ON_MOVES)
    assert used[False] == set(AT_SEA)


def test_a_sound_file_is_read(tmp_path):
    scheme = schemes.read(written(tmp_path, starts={"day": 3}))
    assert (scheme.code, scheme.goods, scheme.kilograms) == ("X1", "cocaine", (1, 2))
    assert (scheme.starts.day, scheme.adapts.chances, scheme.adapts.after) == (
        3,
        {"route": 0.5},
        (1, 2),
    )


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        ({"weight": 0}, "weight", "minimum"),
        ({"weight": "much"}, "weight", "number"),
        ({"code": "m 1"}, "code", "match"),
        ({"color": "red"}, "the file", "color"),
        ({"traces": {"heavier": 2}}, "traces.heavier", "maximum"),
        ({"traces": {"heavier": 1}}, "traces.heavier", "certain"),
        ({"traces": {"heavier": 0}}, "traces.heavier", "never"),
        ({"traces": {"magic": 0.5}}, "traces.magic", "no trace magic"),
        ({"traces": {"heavier": 0.5, "vague": 0.2}}, "traces.vague", "exclusive to crime"),
        ({"traces": {"rendezvous": 0.5}}, "traces.rendezvous", "no trace"),
        (
            {"confusers": [{"why": "x", "each": 1, "traces": {"magic": 1}}]},
            "confusers.0.traces.magic",
            "no trace magic",
        ),
        ({"confusers": []}, "confusers", "non-empty"),
        (carrying(goods="gold"), "carries.goods", "list seized_goods"),
        (carrying(zone="moon"), "carries.zone", "list concealment_zones"),
        (carrying(kilograms=[3, 2]), "carries.kilograms", "more than the most"),
        (carrying(share=[0.1, 0.2]), "carries", "either kilograms or share"),
        ({"found_by": {"guessing": 0.5}}, "found_by.guessing", "list control_types"),
        ({"found_by": {"canine": 1.5}}, "found_by.canine", "maximum"),
        ({"where": {"planets": ["mars"]}}, "where", "planets"),
        ({"where": {"regimes": ["smuggled"]}}, "where.regimes.0", "smuggled"),
        ({"where": {"origins": ["XXXXX"]}}, "where.origins", "XXXXX is unknown in the world"),
        ({"where": {"destinations": ["XXXXX"]}}, "where.destinations", "unknown"),
        ({"where": {"goods": ["moonstone"]}}, "where.goods", "moonstone"),
        ({"where": {"chapters": ["99"]}}, "where.chapters", "hs_chapters"),
        ({"where": {"equipment": ["ZZZZ"]}}, "where.equipment", "ISO 6346"),
        ({"where": {"vessels": ["submarine"]}}, "where.vessels", "submarine"),
        ({"objective": "glory"}, "objective", "glory"),
        ({"by": {"who": "front"}}, "by.roles", "front has roles"),
        ({"by": {"who": "trader", "lawful": 2}}, "by.lawful", "only a front"),
        ({"name": {"en": "only"}}, "name", "required"),
    ],
)
def test_a_wrong_file_is_refused_with_file_key_and_reason(tmp_path, changes, key, words):
    with pytest.raises(Invalid) as refused:
        schemes.read(written(tmp_path, **changes))
    assert refused.value.where["file"] == "x1.yaml"
    assert refused.value.where["key"] == key
    assert words in refused.value.message


def test_a_file_without_a_key_that_is_needed_is_refused(tmp_path):
    file = tmp_path / "x1.yaml"
    file.write_text(yaml.safe_dump({k: v for k, v in SOUND.items() if k != "found_by"}))
    with pytest.raises(Invalid, match="'found_by' is a required property"):
        schemes.read(file)


def test_what_is_not_yaml_is_refused_with_its_line(tmp_path):
    file = tmp_path / "broken.yaml"
    file.write_text("code: X1\nname: {\nsource: [", encoding="utf-8")
    with pytest.raises(Invalid, match="not YAML") as refused:
        schemes.read(file)
    assert refused.value.where["file"] == "broken.yaml"
    assert refused.value.where["key"].startswith("line ")


def test_a_list_or_nothing_is_no_scheme(tmp_path):
    for text in ("", "[1, 2]", "just words"):
        file = tmp_path / "x1.yaml"
        file.write_text(text)
        with pytest.raises(Invalid):
            schemes.read(file)


def test_a_folder_is_read_in_the_order_of_its_names(tmp_path):
    written(tmp_path, "b.yaml", code="B")
    written(tmp_path, "a.yml", code="A")
    (tmp_path / "notes.txt").write_text("no scheme")
    assert [scheme.code for scheme in schemes.read_folder(tmp_path)] == ["A", "B"]
    every = schemes.gathered([tmp_path])
    assert [scheme.code for scheme in every][-2:] == ["A", "B"]
    assert len(every) == len(schemes.shipped()) + 2


def test_two_schemes_may_not_have_one_code(tmp_path):
    written(tmp_path, "a.yaml")
    written(tmp_path, "b.yaml")
    with pytest.raises(Invalid, match=r"scheme in a\.yaml") as refused:
        schemes.read_folder(tmp_path)
    assert (refused.value.where["file"], refused.value.where["key"]) == ("b.yaml", "code")
    (tmp_path / "b.yaml").unlink()
    written(tmp_path, "a.yaml", code="M1")
    with pytest.raises(Invalid, match="the shipped schemes"):
        schemes.gathered([tmp_path])


def test_a_path_with_nothing_is_refused(tmp_path):
    with pytest.raises(Invalid, match="no file or folder"):
        schemes.gathered([tmp_path / "nowhere"])
    with pytest.raises(Invalid, match=r"\.yaml"):
        schemes.gathered([tmp_path])


# -- the guide ------------------------------------------------------------------------------


def keys_of(schema, path=""):
    for name, part in schema.get("properties", {}).items():
        yield f"{path}{name}"
        yield from keys_of(part, f"{path}{name}.")
        if "items" in part:
            yield from keys_of(part["items"], f"{path}{name}.")


def test_every_key_of_the_schema_is_described():
    def undescribed(part, name):
        for key, inner in part.get("properties", {}).items():
            if "description" not in inner and "$ref" not in inner:
                yield f"{name}.{key}"
            yield from undescribed(inner, key)

    assert not list(undescribed(schemes.schema(), ""))
    assert json.dumps(schemes.schema())


def test_the_guide_lists_every_key_and_every_trace():
    text = GUIDE.read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_.]+)`", text))
    assert set(keys_of(schemes.schema())) <= named
    for name, sentence in sentences().items():
        assert f"| `{name}` | {sentence} |" in text, name


def test_the_guides_example_is_a_sound_scheme_of_its_own(tmp_path):
    text = GUIDE.read_text(encoding="utf-8")
    example = re.search(r"```yaml\n(code: .*?)```", text, re.DOTALL)[1]
    (tmp_path / "example.yaml").write_text(example, encoding="utf-8")
    (scheme,) = schemes.gathered([tmp_path])[len(schemes.shipped()) :]
    assert scheme.code not in {shipped.code for shipped in schemes.shipped()}


# -- what a trace looks like in documents ---------------------------------------------------


def test_a_planted_trace_is_read_in_documents(traffic):
    """A right of release that passes late does so in the port system's events."""
    bills = {row["bill"] for row in traffic.planted if "passed_on_late" in row["traces"]}
    assert bills, "nobody left it"
    events = {}
    for event in traffic.records(ContainerEvent):
        events.setdefault(event.bill, []).append(event)
    for bill in bills:
        found = sorted(events[bill], key=lambda event: event.at)
        out = next(event for event in found if event.code == "GTOT")
        passed = [e for e in found if e.code == "isth:release_right_transfer" and e.at < out.at]
        assert passed[-1].haulier == out.haulier
        assert out.at - passed[-1].at < timedelta(hours=6)
