"""Items in words: the same codes in five languages, and nothing left as a code."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intelligence.items import KINDS, full_item, items
from isthmus.intelligence import schema
from isthmus.intelligence.model import (
    Classification,
    Evaluation,
    Handling,
    Item,
    ItemKind,
    Marking,
    Scale,
    Tlp,
    nested,
)
from isthmus.intelligence.render import label, render
from isthmus.reference.codelist import LOCALES, code_list

BODIES = {"places", "countries", "hs"}
MARKING = Marking(
    Evaluation(Scale.POLICE_4X4, "B", "2"),
    frozenset({Handling.H1, Handling.H3}),
    Classification.RESTRICTED,
    Tlp.AMBER_STRICT,
    "Sólo para esta operación.",
)
CARD = Item(
    "NL-DOUANE:met_1",
    ItemKind.METHOD_CARD,
    1,
    "NL-DOUANE",
    datetime(2026, 3, 1, 14, 5, tzinfo=UTC),
    MARKING,
    {
        "method": "M5",
        "title": {"language": "nl", "text": "Koelmotor opengeschroefd"},
        "description": {"language": "nl", "text": "Verse kit rond de achterwand."},
        "concealment_zones": ["reefer_unit", "front_wall"],
        "goods_classes": ["cocaine"],
        "indicators": ["reefer_warm", "tare_deviates"],
        "seizures": ["SZ-NL-DOUANE-2026-12"],
        "first_seen": "2026-02-03",
    },
)


def test_a_card_written_in_dutch_is_read_in_spanish_by_its_codes() -> None:
    found = render(CARD, "es-PA")
    said = {one.path: (one.label, one.value) for one in found.lines}
    assert found.title == "Ficha de método"
    assert said["method"] == ("Método", "Unidad de refrigeración o estructura del frigorífico")
    assert said["concealment_zones"] == (
        "Zonas de ocultación",
        "Unidad de refrigeración; Pared frontal",
    )
    assert said["first_seen"] == ("Visto por primera vez", "3 feb 2026")
    assert said["seizures"][1] == "SZ-NL-DOUANE-2026-12"
    text = next(one for one in found.lines if one.path == "title")
    assert (text.value, text.language, text.language_name) == (
        "Koelmotor opengeschroefd",
        "nl",
        "neerlandés",
    )


def test_the_marking_is_shown_in_words() -> None:
    said = {one.path: one.value for one in render(CARD, "en").marking}
    assert said == {
        "originator": "NL-DOUANE",
        "version": "1",
        "made_at": "Mar 1, 2026, 2:05:00\u202fPM UTC",
        "evaluation": "B2 (Police scale 4x4): Mostly reliable; Known to the source at first hand",
        "handling": (
            "H1: Not in judicial proceedings without the originator’s permission; "
            "H3: Other limits, in words beside it"
        ),
        "handling_note": "Sólo para esta operación.",
        "classification": "Restricted",
        "tlp": "TLP:AMBER+STRICT, within the organisation, need to know",
    }
    admiralty = replace(
        CARD, marking=replace(MARKING, evaluation=Evaluation(Scale.ADMIRALTY, "B", "2"))
    )
    other = {one.path: one.value for one in render(admiralty, "en").marking}
    assert other["evaluation"] == "B2 (Admiralty scale): Usually reliable; Probably true"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("locale", LOCALES)
def test_no_label_and_no_code_is_left_untranslated(kind: ItemKind, locale: str) -> None:
    for seed in range(5):
        item = full_item(kind, seed)
        values = item.paths()
        for one in render(item, locale).lines:
            name = schema.field_name(one.path)
            last = one.label.rpartition(": ")[2]
            own = schema.fields(kind)[name]
            assert last == code_list("item_fields").label(own.label, locale)
            field = schema.field_at(item, one.path)
            assert field is not None
            told = field if own.name == "changes.value" else own
            if told.vocabulary is None or told.vocabulary in BODIES or one.path not in values:
                continue
            value = values[one.path]
            for code in value if isinstance(value, list) else [value]:
                word = code_list(told.vocabulary).label(code, locale)
                assert word in one.value
                assert one.value != code


@pytest.mark.parametrize("kind", KINDS)
def test_every_language_has_the_same_lines(kind: ItemKind) -> None:
    told = {locale: render(full_item(kind), locale) for locale in LOCALES}
    assert len({tuple(one.path for one in found.lines) for found in told.values()}) == 1
    assert len({found.title for found in told.values()}) >= 4
    assert all(one.value for found in told.values() for one in found.lines)


@settings(deadline=None, max_examples=60)
@given(items(), st.randoms(use_true_random=False), st.sampled_from(LOCALES))
def test_any_part_can_be_read(item: Item, random, locale: str) -> None:
    kept = {path: value for path, value in item.paths().items() if random.random() < 0.5}
    found = render(replace(item, body=nested(kept)), locale)
    shown = [one.path for one in found.lines if one.path in kept]
    assert shown == list(nested_paths(kept))


def nested_paths(kept: dict[str, object]) -> list[str]:
    return list(replace(CARD, body=nested(kept)).paths())


def _lines(kind: ItemKind, body: dict[str, object], locale: str) -> dict[str, str]:
    return {
        one.path: one.value for one in render(replace(CARD, kind=kind, body=body), locale).lines
    }


def test_numbers_money_and_places_are_written_as_the_reader_writes_them() -> None:
    body = {
        "customs_value": {"amount": "12345.60", "currency": "USD"},
        "goods": [{"hs": "080390", "quantity": "1234.5", "unit": "KGM", "packages": 1936}],
        "events": [{"event": "GTIN", "at": "2026-03-01T14:05:00Z", "place": "NLRTM"}],
        "companies": [{"country": "BE"}],
    }
    dutch, english = (_lines(ItemKind.ANSWER, body, locale) for locale in ("nl", "en"))
    assert dutch["customs_value"] == "US$\xa012.345,60"
    assert english["customs_value"] == "$12,345.60"
    assert (dutch["goods.0.quantity"], english["goods.0.quantity"]) == ("1.234,5", "1,234.5")
    assert dutch["goods.0.packages"] == "1.936"
    assert dutch["events.0.event"] == "Inrijden bij de poort"
    assert dutch["events.0.place"].endswith("(NLRTM)")
    assert (dutch["companies.0.country"], english["companies.0.country"]) == ("België", "Belgium")


def test_a_correction_shows_the_field_it_corrects() -> None:
    body = {
        "about_kind": "alert",
        "changes": [
            {"path": "persons.1.role", "value": "driver", "category": "suspect"},
            {"path": "budget_share"},
        ],
    }
    found = render(replace(CARD, kind=ItemKind.CORRECTION, body=body), "fr")
    said = {one.path: (one.value, one.personal) for one in found.lines}
    assert said["changes.0.path"] == ("Personnes 2: Rôle", True)
    assert said["changes.0.value"] == ("Chauffeur routier", True)
    assert said["changes.1.path"] == ("Part suggérée du budget de contrôle (%)", False)
    assert said["changes.1.value"] == ("supprimé", False)


def test_a_network_is_read_with_its_grades() -> None:
    body = {
        "containers": ["MSCU1234566"],
        "persons": [{"category": "suspect", "name": "A. Ríos"}],
        "links": [
            {
                "from": "persons.0",
                "to": "MSCU1234566",
                "relation": "used",
                "scale": "admiralty",
                "source": "B",
                "information": "2",
            }
        ],
    }
    said = _lines(ItemKind.ALERT, body, "pt")
    assert said["links.0.from"] == "Pessoas 1 (A. Ríos)"
    assert said["links.0.to"] == "MSCU1234566"
    assert said["links.0.relation"] == "Utilizou"
    assert said["links.0.source"] == "B: Habitualmente fiável"


def test_a_rule_is_shown_in_signs() -> None:
    rule = {
        "any": [
            {"field": "weighed_over_kg", "op": "ge", "value": 1500},
            {"all": [
                {"field": "regime", "op": "in", "value": ["import", "transit"]},
                {"not": {"hours": ["arrival", "amended"], "op": "lt", "value": {"threshold": "h"}}},
            ]},
        ]
    }  # fmt: skip
    assert _lines(ItemKind.RISK_PROFILE, {"rule": rule}, "es")["rule"] == (
        "([weighed_over_kg ≥ 1.500] ∨ ([regime ∈ {“import”; “transit”}] ∧ ¬[h(arrival → amended) < h]))"
    )


def test_every_operator_of_a_rule_has_its_sign() -> None:
    tests = schema.definition("#/$defs/condition")["oneOf"][3:]
    for one in tests:
        for operator in one["properties"]["op"]["enum"]:
            rule = {"field": "net_mass", "op": operator, "value": 1}
            said = _lines(ItemKind.RISK_PROFILE, {"rule": rule}, "nl")["rule"]
            assert operator not in said


def test_a_path_of_no_field_is_called_by_itself() -> None:
    assert label(ItemKind.ALERT, "no_such", "es") == "no_such"
