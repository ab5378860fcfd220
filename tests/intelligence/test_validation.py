"""Items are as their schemas say, or are refused by the path that is not."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intelligence.items import KINDS, full_item, items
from isthmus.intelligence.model import Evaluation, Handling, Item, ItemKind, Scale, nested
from isthmus.intelligence.validation import validate, validate_part
from isthmus.kernel.errors import Invalid
from isthmus.reference.codelist import code_list


@settings(deadline=None, max_examples=60)
@given(items())
def test_every_generated_item_is_valid(item: Item) -> None:
    validate(item)
    validate_part(item)


@pytest.mark.parametrize("kind", KINDS)
def test_an_item_with_every_field_is_valid(kind: ItemKind) -> None:
    validate(full_item(kind))


@settings(deadline=None, max_examples=60)
@given(items(), st.randoms(use_true_random=False))
def test_any_part_of_an_item_is_a_valid_part(item: Item, random: Any) -> None:
    kept = {path: value for path, value in item.paths().items() if random.random() < 0.5}
    validate_part(replace(item, body=nested(kept)))


BODY = {
    "reason": "intelligence",
    "action": "assess",
    "containers": ["MSCU1234566"],
    "persons": [{"category": "suspect", "name": "A. Ríos"}],
    "expires_at": "2026-12-31T00:00:00Z",
}
ALERT = replace(full_item(ItemKind.ALERT), body=BODY)


def _refused(item: Item) -> tuple[str, str]:
    with pytest.raises(Invalid) as caught:
        validate(item)
    assert caught.value.code == "item_invalid"
    return str(caught.value.where["path"]), caught.value.message


@pytest.mark.parametrize(
    ("changed", "path", "reason"),
    [
        ({"nationality": "XX"}, "nationality", "does not know"),
        ({"persons": [{"category": "suspect", "faith": "x"}]}, "persons.0.faith", "does not know"),
        ({"persons": [{"name": "A. Ríos"}]}, "persons.0", "lacks a field: category"),
        ({"reason": "because"}, "reason", "no code of the list alert_reasons"),
        ({"reason": 7}, "reason", "is no string"),
        ({"containers": ["MSCU123456"]}, "containers.0", "not written"),
        ({"containers": ["MSCU1234566\n"]}, "containers.0", "not written"),
        ({"containers": []}, "containers", "minItems"),
        ({"expires_at": "2026-12-31"}, "expires_at", "not written"),
        ({"expires_at": "2026-13-31T00:00:00Z"}, "expires_at", "no such day"),
        ({"places": ["PAZZZ"]}, "places", "no code of the list places"),
        ({"goods": [{"hs": "9999"}]}, "goods.0.hs", "no code of the list hs"),
        ({"budget_share": 101}, "budget_share", "maximum"),
        ({"remarks": "words without a language"}, "remarks", "is no object"),
        (
            {"window_from": "2026-02-01T00:00:00Z", "window_until": "2026-01-01T00:00:00Z"},
            "window_until",
            "ends before it begins",
        ),
        (
            {"links": [{"from": "persons.0", "to": "persons.1", "relation": "met"}]},
            "links.0.to",
            "does not name",
        ),
        (
            {
                "links": [
                    {"from": "persons.0", "to": "MSCU1234566", "relation": "used", "source": "A"}
                ]
            },
            "links.0.source",
            "not a grade",
        ),
    ],
)
def test_what_is_wrong_is_said_and_where(changed: dict[str, Any], path: str, reason: str) -> None:
    found, said = _refused(replace(ALERT, body=BODY | changed))
    assert found == path
    assert reason in said
    assert "Ríos" not in said  # a refusal repeats no value


def test_a_lookout_names_something_to_watch_for() -> None:
    body = {name: BODY[name] for name in ("reason", "action", "expires_at")}
    assert _refused(replace(ALERT, body=body)) == ("body", "names nothing of what it must name")


def test_a_refusal_has_its_ground() -> None:
    body = {
        "request": "PA-ANA:req_1",
        "outcome": "refused",
        "answered_at": "2026-01-01T00:00:00Z",
    }
    answer = replace(full_item(ItemKind.ANSWER), body=body)
    assert "refusal_grounds" in _refused(answer)[1]
    validate(replace(answer, body=body | {"refusal_grounds": ["essential_interests"]}))
    validate(replace(answer, body=body | {"outcome": "nothing_held"}))


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"path": "persons.0.name", "value": "B"}, "changes.0.category"),
        ({"path": "persons.0.name", "value": 7, "category": "suspect"}, "changes.0.value"),
        ({"path": "containers", "value": ["x"]}, "changes.0.value"),
        ({"path": "reason", "value": "because"}, "changes.0.value"),
        ({"path": "persons", "value": []}, "changes.0.path"),
        ({"path": "links.0.relation", "value": "met"}, "changes.0.path"),
        ({"path": "nationality", "value": "XX"}, "changes.0.path"),
    ],
)
def test_a_correction_fits_what_it_corrects(change: dict[str, Any], path: str) -> None:
    body = {
        "about": "PA-ANA:alr_1",
        "about_kind": "alert",
        "version": 1,
        "reason": "misread",
        "changes": [change],
    }
    assert _refused(replace(full_item(ItemKind.CORRECTION), body=body))[0] == path
    good = {"path": "containers", "value": ["MSCU1234566"]}
    validate(replace(full_item(ItemKind.CORRECTION), body=body | {"changes": [good]}))


@pytest.mark.parametrize(
    ("spoil", "path"),
    [
        (lambda item: replace(item, id="NL-DOUANE:alr_1", originator="PA-ANA"), "id"),
        (lambda item: replace(item, id="PA-ANA:1", originator="PA-ANA"), "id"),
        (lambda item: replace(item, originator="somebody"), "originator"),
        (lambda item: replace(item, version=0), "version"),
    ],
)
def test_the_head_of_an_item_is_right(spoil: Callable[[Item], Item], path: str) -> None:
    assert _refused(spoil(ALERT))[0] == path


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"evaluation": Evaluation(Scale.POLICE_4X4, "F", "1")}, "marking.evaluation"),
        ({"evaluation": Evaluation(Scale.POLICE_4X4, "A", "6")}, "marking.evaluation"),
        ({"evaluation": Evaluation(Scale.ADMIRALTY, "X", "1")}, "marking.evaluation"),
        ({"handling": frozenset()}, "marking.handling"),
        ({"handling": frozenset({Handling.H3}), "handling_note": " "}, "marking.handling"),
        ({"handling": frozenset({Handling.H0}), "handling_note": "x"}, "marking.handling"),
    ],
)
def test_a_marking_is_right(changed: dict[str, Any], path: str) -> None:
    assert _refused(replace(ALERT, marking=replace(ALERT.marking, **changed)))[0] == path


def test_what_is_counted_has_a_list_of_its_own() -> None:
    """Every class of goods can be seized and counted in its own unit."""
    for entry in code_list("seized_goods"):
        unit = entry.extra["counting_unit"]
        unit = "C62" if unit == "USD" else unit  # money is counted by its amount
        seized = {"class": entry.code, "quantity": "12.5", "unit": unit}
        body = {
            "number": "SZ-PA-ANA-2026-1",
            "seized_at": "2026-01-01T00:00:00Z",
            "place": "PABLB",
            "goods": [seized],
        }
        validate(replace(full_item(ItemKind.SEIZURE), body=body))
