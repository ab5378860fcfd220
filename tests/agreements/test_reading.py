"""Agreement files: what is refused with which words, and what the hash is over."""

import json
import random
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from isthmus.access.model import Purpose
from isthmus.agreements import reading, shipped
from isthmus.agreements.model import Instrument, Mode, TransferBasis
from isthmus.intelligence.model import Classification, Handling, ItemKind
from isthmus.kernel.errors import Invalid
from isthmus.reference.codelist import code_list


def text() -> str:
    return shipped.text_of("PA-NL-2026")


def document() -> Any:
    return yaml.load(text(), reading._Loader)


def written(held: Any) -> str:
    return json.dumps(held)  # JSON is YAML


def clause(held: Any, number: str) -> Any:
    return next(one for one in held["clauses"] if one["id"] == number)


def mixed(value: Any, dice: random.Random) -> Any:
    """The same content in another order of keys and of lists of codes."""
    if isinstance(value, dict):
        keys = list(value)
        dice.shuffle(keys)
        return {key: mixed(value[key], dice) for key in keys}
    if isinstance(value, list):
        rows = [mixed(one, dice) for one in value]
        if all(isinstance(one, str) for one in rows):
            dice.shuffle(rows)
        return rows
    return value


@pytest.mark.parametrize("seed", range(5))
def test_the_hash_knows_no_order_of_keys_nor_of_codes(seed: int) -> None:
    held = reading.read(written(mixed(document(), random.Random(seed))), "mixed.json")
    assert held.hash == reading.read(text(), "pa-nl.yaml").hash
    assert len(held.hash) == 64


def test_the_hash_changes_with_every_word() -> None:
    before = reading.read(text(), "pa-nl.yaml").hash
    changed = document()
    clause(changed, "art-6")["text"]["en"] += " "
    assert reading.read(written(changed), "changed.json").hash != before
    emptied = document()
    clause(emptied, "art-3")["until"] = None  # an empty part says nothing
    assert reading.read(written(emptied), "emptied.json").hash == before


def refused(held: Any) -> Invalid:
    with pytest.raises(Invalid) as caught:
        reading.read(held if isinstance(held, str) else written(held), "wrong.yaml")
    assert caught.value.where["file"] == "wrong.yaml"
    return caught.value


def test_a_joint_declaration_carries_no_permit() -> None:
    held = document() | {"instrument": "joint_declaration"}
    assert "joint declaration" in refused(held).message
    held["binding"] = False
    assert refused(held).message == "only a binding instrument carries permits"


def test_a_text_that_is_not_public_gives_no_authority() -> None:
    assert "not public" in refused(document() | {"public": False}).message


def test_personal_data_need_a_basis_on_record() -> None:
    held = document()
    del clause(held, "art-7")["permits"]["basis"]
    error = refused(held)
    assert error.where["path"] == "art-7.permits.basis"
    assert "basis" in error.message


def test_a_clause_that_permits_needs_both_kinds_of_examples() -> None:
    held = document()
    examples = clause(held, "art-6")["examples"]
    clause(held, "art-6")["examples"] = [one for one in examples if "allow" in one]
    assert refused(held).where["path"] == "art-6.examples"


def test_the_european_police_clocks_bind_member_states_alone() -> None:
    held = document()
    clause(held, "art-4")["clocks"] = "european_police"
    assert "member states" in refused(held).message
    (own,) = [one for one in shipped.fictional() if one.id == "BE-NL-2026"]
    found = own.clause("art-4")
    assert found is not None
    hours = {(c.urgency, c.held): c.within.total_seconds() / 3600 for c in found.clocks}
    assert hours["urgent", "directly"] == 8
    assert hours["urgent", "indirectly"] == 72
    assert {hours["normal", "directly"], hours["normal", "indirectly"]} == {168}


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("permits", "kinds"), ["gossip"], "gossip"),
        (("permits", "from"), ["FR-DGD"], "no party has the node FR-DGD"),
        (("until",), "2025-01-01T00:00:00Z", "ends before it begins"),
        (("since",), "2026-13-01T00:00:00Z", "no such moment"),
        (("since",), "2026-06-01", "does not match"),
        (("permits", "fields"), [], "[] should be non-empty"),
        (("id",), "art-4", "two clauses have this number"),
        (("forbids",), {}, "Additional properties"),
    ],
)
def test_a_fault_is_named_with_its_place(path: tuple[str, ...], value: Any, words: str) -> None:
    held = document()
    target = clause(held, "art-3")
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    error = refused(held)
    assert words in error.message
    assert error.where["path"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("agreement: [", "not YAML"),
        ("agreement: A-1\nagreement: A-2\n", "stands twice"),
        ("a: &x 1\nb: *x\n", "aliases"),
        ("- 1\n", "is not of type 'object'"),
        ("x: " + "[" * 5000, "not YAML"),
        ("", "None is not of type 'object'"),
    ],
)
def test_what_is_no_agreement_at_all_is_refused_in_order(wrong: str, words: str) -> None:
    assert words in refused(wrong).message


def test_norway_is_no_truth_value() -> None:
    held = text().replace("- state: NL\n", "- state: NO\n").replace("      NL: ", "      NO: ")
    assert "NO" in {party.state for party in reading.read(held, "no.yaml").parties}


def test_the_schema_is_one_and_names_the_codes_there_are() -> None:
    schema = reading.schema()
    Draft202012Validator.check_schema(schema)
    parts = schema["$defs"]
    permit = parts["permit"]["properties"]
    for held, wanted in (
        (permit["kinds"]["items"], ItemKind),
        (permit["purposes"]["items"], Purpose),
        (permit["modes"]["items"], Mode),
        (permit["basis"], TransferBasis),
        (permit["most_secret"], Classification),
        (parts["duties"]["properties"]["handling"]["items"], Handling),
        (schema["properties"]["instrument"], Instrument),
    ):
        assert held["enum"] == [one.value for one in wanted]
    for held, name in (
        (permit["conditions"]["items"], "share_conditions"),
        (schema["properties"]["themes"]["items"], "agreement_themes"),
        (parts["party"]["properties"]["standing"], "party_standings"),
        (parts["example"]["properties"]["uses"]["items"], "intended_uses"),
    ):
        assert held["enum"] == list(code_list(name).codes())
    reasons = [one for one in code_list("withholding_reasons").codes() if one != "consent_missing"]
    assert parts["example"]["properties"]["because"]["enum"] == reasons  # of clauses, not of terms
    categories = list(code_list("data_subject_categories").codes())
    assert permit["subjects"]["items"]["enum"] == ["*", *categories]
    assert list(code_list("instruments").codes()) == [one.value for one in Instrument]
    assert list(code_list("share_modes").codes()) == [one.value for one in reversed(Mode)] or set(
        code_list("share_modes").codes()
    ) == set(Mode)
