"""Values the trade lives with are flagged, and every flag has a name in five languages."""

import ast
from dataclasses import replace
from pathlib import Path

import pytest
from intake_samples import BOXES, consignment, event, manifest

from isthmus.cargo import quality
from isthmus.cargo.model import Container, GoodsItem, Packages
from isthmus.cargo.unit import Unit
from isthmus.reference.codelist import code_list

CARGO = Path(quality.__file__).parent


def _codes(tree: ast.AST) -> set[str]:
    """Every text given first to a flag's constructor, or added to the flags of a unit."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        on_flags = getattr(getattr(node.func, "value", None), "id", "") == "flags"
        if name == "Flag" or (name == "add" and on_flags):
            texts = ast.walk(node.args[0])
            found |= {one.value for one in texts if isinstance(one, ast.Constant)}
    return {code for code in found if isinstance(code, str)}


def test_every_flag_that_is_raised_is_in_the_list():
    raised = {code for path in CARGO.rglob("*.py") for code in _codes(ast.parse(path.read_text()))}
    assert {"weight_over_limit", "duplicate_original", "encoding_undeclared"} <= raised
    assert raised <= set(code_list("quality_flags").codes())


@pytest.mark.parametrize(
    ("number", "code"), [("MSKU9070324", "container_check_digit"), ("BOX1", "container_shape")]
)
def test_a_container_number_that_is_none(number, code):
    assert [flag.code for flag in quality.of_record(consignment("B", number))] == [code]
    assert [flag.code for flag in quality.of_record(event("DISC", number, 0))] == [code]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (GoodsItem(1, hs="0803"), "hs_heading_only"),
        (GoodsItem(1, hs="999999"), "hs_unknown"),
        (GoodsItem(1, hs="9999"), "hs_unknown"),
        (GoodsItem(1, origin="XQ"), "country_unknown"),
        (GoodsItem(1, packages=(Packages(1, "??"),)), "package_unknown"),
    ],
)
def test_goods_codes_that_say_little_or_nothing(line, code):
    assert [flag.code for flag in quality.of_record(consignment("B", goods=(line,)))] == [code]


def test_codes_of_ship_place_and_size():
    record = consignment("B", head=manifest(vessel_imo="9074728"), place_delivery="XXXXX", goods=())
    record = replace(record, containers=(Container(BOXES[0], size_type="ZZZZ"),))
    codes = {flag.code for flag in quality.of_record(record)}
    assert codes == {"imo_check_digit", "place_unknown", "size_type_unknown"}
    assert quality.of_record(consignment("B", BOXES[0])) == []


def _unit(**values) -> Unit:
    told = {"description": "FRESH BANANAS", "seal_count": 1, "bill": "B1"}
    return Unit(id="u", kind="container", **{**told, **values})


@pytest.mark.parametrize(
    ("values", "flags"),
    [
        ({}, set()),
        ({"description": None}, {"description_missing"}),
        ({"description": None, "empty": True}, set()),
        ({"description": "General cargo"}, {"description_vague"}),
        ({"gross_kg": 10.0, "net_kg": 11.0}, {"weight_inconsistent"}),
        ({"gross_kg": 1e4, "tare_kg": 4e3, "vgm_kg": 1.5e4}, set()),
        ({"gross_kg": 1e4, "tare_kg": 4e3, "vgm_kg": 1.6e4}, {"weight_inconsistent"}),
        ({"size_type": "45R1", "vgm_kg": 36_000.0}, set()),
        ({"size_type": "45R1", "vgm_kg": 36_001.0}, {"weight_over_limit"}),
        ({"size_type": "45R1", "weighed_kg": 40_000.0}, {"weight_over_limit"}),
        ({"size_type": "45R1", "gross_kg": 33_000.0}, {"weight_over_limit"}),
        ({"size_type": "45R1", "gross_kg": 30_000.0}, set()),
        ({"size_type": "????", "gross_kg": 99_000.0}, set()),
        ({"consignee_to_order": True}, {"party_to_order"}),
        ({"seal_count": 0}, {"seal_missing"}),
        ({"seal_count": 0, "empty": True}, set()),
    ],
)
def test_what_only_the_joined_unit_shows(values, flags):
    assert quality.of_unit(_unit(**values)) == flags


@pytest.mark.parametrize(
    ("text", "vague"),
    [
        ("general cargo", True),
        ("  MERCANCÍAS, varias ", True),
        ("Mercanci\u0301as varias", True),  # the accent as a character of its own
        ("marchandises diverses", True),
        ("diverse goederen", True),
        ("mercadorias diversas", True),
        ("SAID TO CONTAIN: 20 pallets of mixed goods", True),
        ("freight of all kinds", True),
        ("machine parts", True),
        ("12/2026", True),
        ("fresh bananas, 18 kg boxes", False),
        ("pistons for diesel engines", False),
        ("bananas frescas, 1080 cajas", False),
        ("冷冻虾", False),
    ],
)
def test_a_description_without_a_telling_word_is_vague(text, vague):
    assert quality.vague(text) is vague
    assert quality.vague(text.upper()) is vague


def test_one_vague_line_of_several_is_enough():
    unit = _unit(description="fresh bananas | general cargo")
    assert quality.of_unit(unit) == {"description_vague"}


def test_words_that_say_nothing_are_plain_letters_and_stand_once():
    lines = CARGO.joinpath("vague_descriptions.txt").read_text("utf-8").splitlines()
    words = [line for line in lines if not line.startswith("#")]
    assert len(words) == len(set(words))
    assert all(word.isascii() and word.isalpha() and word.islower() for word in words)
