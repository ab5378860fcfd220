"""The schemas: strict, annotated, named in five languages, and without what must never be a field."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from intelligence.items import KINDS, full_item, items
from isthmus.intelligence import schema
from isthmus.intelligence.model import Item, ItemKind, nested
from isthmus.reference.codelist import LOCALES, code_list

BODIES = {"places", "countries", "hs"}  # vocabularies of international bodies
# No field may be any of these, in whatever words (Directive (EU) 2016/680, article 10, and the
# node's own rule on nationality and migration).
NEVER = (
    "nationality", "citizen", "ethnic", "race", "racial", "religio", "belief", "philosoph",
    "political", "union", "genetic", "biometric", "fingerprint", "face", "health", "sexual",
    "orientation", "gender", "migra", "asylum", "visa", "residence", "birth_place", "birth_country",
    "look_up", "lookup", "badge",
)  # fmt: skip
NAMES = [*(kind.value for kind in KINDS), schema.PARTS]


def objects(node: Any) -> list[dict[str, Any]]:
    """Every schema of an object in a document, however deep."""
    found = []
    if isinstance(node, dict):
        if "properties" in node:
            found.append(node)
        for one in node.values():
            found += objects(one)
    elif isinstance(node, list):
        for one in node:
            found += objects(one)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_one_of_its_draft_and_lets_nothing_else_in(name: str) -> None:
    document = dict(schema.document(name))
    Draft202012Validator.check_schema(document)
    assert document["$id"] == f"urn:isthmus:item:{name}:1"
    assert document["title"] == name
    assert document["description"]
    condition = document.pop("if", None)  # names a field, describes none
    assert condition is None or name == "answer"
    assert all(one.get("additionalProperties") is False for one in objects(document))


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_annotated(kind: ItemKind) -> None:
    known = code_list("item_fields")
    for field in schema.fields(kind).values():
        assert field.label in known, field
        assert (field.form in ("code", "codes")) == (
            field.vocabulary is not None and field.vocabulary not in BODIES
        ), field
        if field.vocabulary is not None and field.vocabulary not in BODIES:
            assert len(code_list(field.vocabulary)) > 0


def test_every_label_is_used() -> None:
    used = {field.label for kind in KINDS for field in schema.fields(kind).values()}
    marking = {"evaluation", "handling", "handling_note", "classification", "tlp"}
    head = {"originator", "made_at", "version"}
    assert set(code_list("item_fields").codes()) == used | marking | head


@pytest.mark.parametrize("kind", KINDS)
def test_no_field_is_what_must_never_be_one(kind: ItemKind) -> None:
    words = {field.name for field in schema.fields(kind).values()}
    words |= {field.label for field in schema.fields(kind).values()}
    words |= {code_list("item_fields").label(word, "en").lower() for word in words}
    assert not [word for word in words for never in NEVER if never in word]
    text = json.dumps(dict(schema.document(kind.value)))
    assert "x-personal" in text


def test_no_vocabulary_says_what_must_never_be_said_of_a_person() -> None:
    for kind in KINDS:
        for field in schema.fields(kind).values():
            if field.personal and field.vocabulary is not None:
                assert field.vocabulary not in BODIES, field  # a country of a person least of all


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_about_persons_is_marked_and_has_their_category(kind: ItemKind) -> None:
    for name, field in schema.fields(kind).items():
        assert field.personal == name.startswith("persons"), name
    item = full_item(kind)
    for path in schema.personal_paths(item):
        if not path.startswith("links."):
            assert schema.subject_of(item, path) in code_list("data_subject_categories"), path


def test_fields_are_found_by_their_paths() -> None:
    alert = ItemKind.ALERT
    assert schema.field_of(alert, "containers") == schema.Field(
        "containers", "containers", "containers", personal=False
    )
    person = schema.field_of(alert, "persons.12.category")
    assert person is not None
    assert (person.name, person.personal, person.vocabulary) == (
        "persons.category",
        True,
        "data_subject_categories",
    )
    assert schema.field_of(alert, "nationality") is None
    assert schema.field_of(alert, "persons.0.nationality") is None
    assert schema.field_of(alert, "persons.0.name.first") is None


def _with(kind: ItemKind, body: dict[str, Any]) -> Item:
    return replace(full_item(kind), body=body)


def test_a_correction_is_as_personal_as_what_it_corrects() -> None:
    item = _with(
        ItemKind.CORRECTION,
        {
            "about_kind": "alert",
            "changes": [
                {"path": "persons.1.name", "value": "A. Ríos", "category": "witness"},
                {"path": "containers", "value": ["MSCU1234566"]},
                {"path": "no_such_field", "value": 1},
            ],
        },
    )
    name = schema.field_at(item, "changes.0.value")
    assert name == schema.field_of(ItemKind.ALERT, "persons.1.name")
    for member in ("path", "category"):
        field = schema.field_at(item, f"changes.0.{member}")
        assert field is not None
        assert (field.name, field.personal) == ("persons.name", True)
    assert schema.subject_of(item, "changes.0.value") == "witness"
    box = schema.field_at(item, "changes.1.value")
    assert box is not None
    assert (box.name, box.personal) == ("containers", False)
    assert schema.field_at(item, "changes.2.value") is None
    untold = _with(ItemKind.CORRECTION, {"changes": [{"value": ["MSCU1234566"]}]})
    field = schema.field_at(untold, "changes.0.value")
    assert field is not None
    assert field.personal
    assert schema.subject_of(untold, "changes.0.value") is None


def test_a_link_is_about_the_persons_it_joins() -> None:
    body = {
        "persons": [{"category": "suspect"}, {"category": "suspect"}, {"category": "victim"}],
        "companies": [{"name": "X"}],
        "links": [
            {"from": "persons.0", "to": "companies.0", "relation": "director_of"},
            {"from": "persons.0", "to": "persons.1", "relation": "met"},
            {"from": "persons.0", "to": "persons.2", "relation": "met"},
            {"from": "companies.0", "to": "MSCU1234566", "relation": "used"},
            {"from": "companies.0", "relation": "used"},
        ],
    }
    item = _with(ItemKind.ALERT, body)
    told = [
        (field.personal if (field := schema.field_at(item, path)) else None)
        for path in (f"links.{place}.relation" for place in range(5))
    ]
    assert told == [True, True, True, False, True]
    about = [schema.subject_of(item, f"links.{place}.relation") for place in range(5)]
    assert about == ["suspect", "suspect", None, None, None]


@settings(deadline=None, max_examples=60)
@given(items())
def test_a_part_never_makes_a_path_less_personal(item: Item) -> None:
    """Whoever holds only some paths treats none of them as freer than their originator does."""
    paths = item.paths()
    kept = {path: value for place, (path, value) in enumerate(paths.items()) if place % 2}
    part = replace(item, body=nested(kept))
    for path in kept:
        whole, some = schema.field_at(item, path), schema.field_at(part, path)
        assert whole is not None
        assert some is not None
        if not some.personal:
            assert not whole.personal
        elif whole.personal:
            subject = schema.subject_of(part, path)
            assert subject in (None, schema.subject_of(item, path))


@pytest.mark.parametrize("locale", LOCALES)
def test_every_kind_has_a_name(locale: str) -> None:
    labels = {code_list("item_kinds").label(kind.value, locale) for kind in KINDS}
    assert len(labels) == len(KINDS)
