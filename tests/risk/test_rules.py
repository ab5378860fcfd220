import copy

import pytest
import yaml

from isthmus.kernel.errors import Invalid
from isthmus.risk.catalogue import field_kinds
from isthmus.risk.firing import compile_rules, example_frame, fire, run_examples
from isthmus.risk.rules import read_rule, read_rules, ruleset

FIVE = dict.fromkeys(("es", "en", "fr", "nl", "pt"), "gross {gross_kg}, limit {limit}")
GOOD = {
    "id": "heavy",
    "version": 1,
    "state": "live",
    "objective": "revenue",
    "effect": "score",
    "weight": 0.2,
    "names": dict.fromkeys(FIVE, "heavy"),
    "explain": FIVE,
    "citation": {"text": "a source", "verified": False},
    "owner": "somebody's office",
    "thresholds": {"limit": {"value": 10, "source": "default of ours"}},
    "when": {"field": "gross_kg", "op": "gt", "value": {"threshold": "limit"}},
    "examples": {"fires": [{"gross_kg": 11}], "silent": [{"gross_kg": 10}, {}]},
}


def rule(**changes):
    document = copy.deepcopy(GOOD)
    document.update(changes)
    return read_rule(document, "file.yaml", field_kinds(), {})


@pytest.mark.parametrize("nested", [False, True])
def test_what_partners_ask_for_mandates_nothing(nested):
    asked = {"field": "lookout_partners", "op": "has_any", "value": ["BE-DOUANE"]}
    when = {"all": [{"not": {"any": [asked]}}]} if nested else asked
    with pytest.raises(Invalid, match="what partners ask for mandates nothing"):
        rule(effect="mandate", when=when)


def test_a_rule_is_read_and_tried():
    held = rule(expires="2027-01-31", controls=["weighing"])
    assert held.parameters == ("gross_kg", "limit")
    assert held.expires.isoformat() == "2027-01-31"
    assert run_examples(held, field_kinds()) == []


@pytest.mark.parametrize(
    ("changes", "path", "reason"),
    [
        ({"colour": 1}, "", "unknown keys"),
        ({"id": "two words"}, "id", "letters"),
        ({"version": 0}, "version", "whole number"),
        ({"version": True}, "version", "whole number"),
        ({"state": "on"}, "state", "draft"),
        ({"objective": "people"}, "objective", "contraband"),
        ({"effect": "seize"}, "effect", "mandate"),
        ({"weight": 1.2}, "weight", "0 to 1"),
        ({"lane": "yellow"}, "lane", "effect lane"),
        ({"effect": "lane", "lane": "red"}, "lane", "yellow or blue"),
        ({"controls": ["torture"]}, "controls", "control types"),
        ({"names": {"en": "heavy"}}, "names", "each of"),
        ({"explain": FIVE | {"nl": "zwaar"}}, "explain.nl", "other values"),
        ({"explain": dict.fromkeys(FIVE, "{colour}")}, "explain", "neither"),
        ({"explain": FIVE | {"fr": "{"}}, "explain.fr", "Single"),
        ({"explain": dict.fromkeys(FIVE, "{gross_kg:>9}")}, "explain.es", "plain"),
        ({"explain": dict.fromkeys(FIVE, "{gross_kg:departure}")}, "explain.es", "plain"),
        ({"explain": dict.fromkeys(FIVE, "{gross_kg!r:arrival}")}, "explain.es", "plain"),
        ({"explain": dict.fromkeys(FIVE, "{gross_kg.real}")}, "explain", "neither"),
        ({"citation": {"text": "x"}}, "citation", "verified"),
        ({"owner": ""}, "owner", "text"),
        ({"expires": "soon"}, "expires", "date"),
        ({"thresholds": {"limit": {"value": 10}}}, "thresholds", "source"),
        (
            {"when": {"field": "nationality", "op": "eq", "value": "x"}},
            "when.field",
            "no such field",
        ),
        ({"examples": {"fires": [], "silent": [{}]}}, "examples", "at least one"),
        ({"examples": {"fires": [{"x": 1}], "silent": [{}]}}, "examples", "no field"),
    ],
)
def test_a_wrong_rule_is_refused_with_file_rule_place_and_reason(changes, path, reason):
    with pytest.raises(Invalid, match=reason) as caught:
        rule(**changes)
    where = caught.value.where
    assert (where["file"], where["rule"], where["path"]) == (
        "file.yaml", changes.get("id", "heavy"), path,
    )  # fmt: skip


def test_a_missing_part_is_named():
    document = {key: value for key, value in GOOD.items() if key != "citation"}
    with pytest.raises(Invalid, match="citation"):
        read_rule(document, "file.yaml", field_kinds(), {})


def test_files_that_are_no_rules_are_refused():
    with pytest.raises(Invalid, match="not YAML"):
        read_rules("a: [", "f", field_kinds(), {})
    with pytest.raises(Invalid, match="list of rules"):
        read_rules("a: 1", "f", field_kinds(), {})
    with pytest.raises(Invalid, match="not YAML"):
        read_rules("- !!python/object/apply:os.system ['true']", "f", field_kinds(), {})


def test_dates_in_yaml_stay_text():
    text = yaml.safe_dump([GOOD]) + "  expires: 2027-01-31\n"
    (held,) = read_rules(text, "f", field_kinds(), {})
    assert held.document["expires"] == "2027-01-31"


def test_an_example_that_fails_is_reported():
    held = rule(
        examples={"fires": [{"gross_kg": 11}, {"gross_kg": 9}], "silent": [{"gross_kg": 12}]}
    )
    assert [one.example for one in run_examples(held, field_kinds())] == ["fires[1]", "silent[0]"]


def test_an_example_of_the_wrong_kind_is_refused():
    held = rule(examples={"fires": [{"gross_kg": "much"}], "silent": [{}]})
    with pytest.raises(Invalid, match="kind"):
        run_examples(held, field_kinds())


def test_an_id_stands_once():
    with pytest.raises(Invalid, match="heavy"):
        ruleset([rule(), rule(version=2)], {})


def test_firing_needs_its_columns_but_not_homeless_ones():
    frame = example_frame([{"gross_kg": 11}], field_kinds())
    homeless = rule(
        id="homeless",
        explain=dict.fromkeys(FIVE, "x"),
        when={"field": "extra_use", "op": "null"},
        examples={"fires": [{}], "silent": [{"extra_use": "1"}]},
    )
    fired = fire(frame, compile_rules([rule(), homeless]))
    assert fired.rows(named=True) == [{"heavy": True, "homeless": True}]
    with pytest.raises(Invalid, match="gross_kg"):
        fire(frame.drop("gross_kg"), compile_rules([rule()]))
    assert run_examples(homeless, field_kinds()) == []


def test_no_rules_fire_nothing():
    assert fire(example_frame([{}], field_kinds()), compile_rules([])).columns == []
