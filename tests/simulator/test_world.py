"""The shipped world: everything it names exists, and its shares hold together."""

import copy
from datetime import date
from importlib.resources import files

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from isthmus.cargo.model import Regime
from isthmus.kernel.errors import Invalid, NotFound
from isthmus.reference import harmonised, offices, places
from isthmus.reference.check_digits import imo_check_digit
from isthmus.reference.codelist import code_list
from isthmus.reference.harmonised import Level
from isthmus.reference.size_types import size_type
from isthmus.simulator import world

WORLD = world.load()
CUBIC_METRES = {"22G1": 33, "22U1": 32, "42G1": 67, "45G1": 76, "45R1": 67}
HEAVIEST = 30_500  # kilograms of cargo in any box


def test_every_port_terminal_and_office_is_known():
    assert len(WORLD.ports) >= 55
    for port in WORLD.ports:
        known = places.place(port)
        assert known is not None, port
        assert known.port, port
        assert not port.startswith(WORLD.country)
    for terminal in WORLD.terminals.values():
        assert places.terminal(terminal.place, terminal.code) is not None
        assert offices.office(terminal.office).country == WORLD.country
    assert set(WORLD.offices) >= {terminal.office for terminal in WORLD.terminals.values()}
    assert all(offices.office(code) is not None for code in WORLD.offices)
    assert set(WORLD.offices.values()) == {"wco", "json", "table"}


def test_every_code_of_the_goods_is_known():
    packages = {entry.code for entry in code_list("package_kinds")}
    assert len(WORLD.goods) >= 80
    for goods in WORLD.goods.values():
        assert harmonised.is_known(goods.hs) is Level.SUBHEADING, goods.code
        assert goods.package[0] in packages, goods.code
        assert all(size_type(box) is not None for box in goods.boxes), goods.code
        assert goods.box in goods.boxes


def test_every_commodity_is_traded_and_every_port_is_served():
    sent = {code for region in WORLD.regions.values() for code in region.sends}
    assert sent == set(WORLD.goods)
    served = {port for service in WORLD.services for port in service.ports}
    assert served == set(WORLD.ports)
    assert {service.terminal.code for service in WORLD.services} == set(WORLD.terminals)


def test_a_full_load_fits_into_its_box():
    for goods in WORLD.goods.values():
        gross = goods.load[1] / (1 - goods.tare)
        assert 0 < goods.load[0] <= goods.load[1], goods.code
        assert gross <= HEAVIEST, goods.code
        assert 0 < goods.package[1] <= goods.load[1], goods.code
        assert 0 < goods.value[0] < goods.value[1], goods.code
        for box in goods.boxes:
            assert gross / goods.density <= CUBIC_METRES[box], (goods.code, box)
            assert (box[2] == "R") or goods.set_point is None, goods.code


def test_descriptions_are_there_in_every_language():
    texts = WORLD.texts
    for goods in WORLD.goods:
        known = texts["descriptions"][goods]
        assert set(known) == set(world.LANGUAGES), goods
        for language, words in known.items():
            assert len(words) == len(set(words)) >= 1, (goods, language)
            assert all(isinstance(text, str) and text.strip() for text in words)
        assert sum(len(words) for words in known.values()) >= 8, goods
    for kind in ("vague", "to_order", "groupage", "packed", "extras"):
        assert set(texts[kind]) == set(world.LANGUAGES), kind
    languages = {WORLD.language_of(port) for port in WORLD.ports} | {WORLD.language_of("PABLB")}
    assert languages == set(world.LANGUAGES)


def test_every_country_can_name_its_firms():
    texts = WORLD.texts
    for port in ("PABLB", *WORLD.ports):
        home = texts["countries"][port[:2]]
        assert home["forms"]
        assert home["cities"]
        assert home["dial"]
        assert home["tax"]
        assert texts["firms"][home["language"]]["heads"]["any"]
        assert texts["streets"][home["language"]]
    assert set(texts["lines"]) >= {goods.sector for goods in WORLD.goods.values()}


def test_ships_have_numbers_and_names_of_their_own():
    ships = [ship for carrier in WORLD.carriers.values() for ship in carrier.ships]
    assert len({ship.imo for ship in ships}) == len({ship.name for ship in ships}) == len(ships)
    for ship in ships:
        assert ship.imo.startswith("3")  # a series that the IMO has never given out
        assert int(ship.imo[-1]) == imo_check_digit(ship.imo[:-1])
    for service in WORLD.services:
        assert set(service.ships) <= set(service.carrier.ships)
    assert sum(len(service.ships) for service in WORLD.services) == len(ships)


def test_boxes_belong_to_owners_that_do_not_exist():
    prefixes = [box for carrier in WORLD.carriers.values() for box in carrier.boxes]
    assert len(set(prefixes)) == len(prefixes)
    assert all(box[0] == "Q" and box[3] == "U" and len(box) == 4 for box in prefixes)


def test_few_are_inspected_and_most_are_transhipped():
    assert set(WORLD.inspected) == set(WORLD.regimes) <= {regime.value for regime in Regime}
    whole = sum(WORLD.regimes.values())
    inspected = sum(WORLD.regimes[name] * share for name, share in WORLD.inspected.items()) / whole
    assert inspected < WORLD.facts["inspected_share"].value
    assert inspected == pytest.approx(WORLD.facts["inspected_by_regime"].value, abs=0.002)
    shares = {name: weight / whole for name, weight in WORLD.regimes.items()}
    assert shares["transhipment"] == WORLD.facts["regime_weights"].value
    assert shares["transhipment"] > 0.5


def test_terminals_get_about_the_calls_that_the_facts_ask_for():
    facts = {"PPCBL": "balboa", "MIT": "mit", "CCT": "cct", "PPIT": "rodman", "PCPPC": "cristobal"}
    for code, name in facts.items():
        calls = sum(service.terminal.code == code for service in WORLD.services)
        share = WORLD.facts[f"teu_share_{name}"].value
        assert calls / len(WORLD.services) == pytest.approx(share, abs=0.03), code


def test_facts_name_their_source_or_own_up():
    assert WORLD.facts["base_rate"].public is False
    for fact in WORLD.facts.values():
        assert len(fact.source) > 15, fact.code
        assert fact.says, fact.code
        assert fact.unit, fact.code
        assert fact.year is not None or not fact.public or "UNODC" in fact.source, fact.code
    assert {fact.public for fact in WORLD.facts.values()} == {True, False}


@given(st.sampled_from(sorted(WORLD.goods)), st.sampled_from(sorted(WORLD.regions)))
def test_a_year_of_months_weighs_twelve(code, region):
    goods = WORLD.goods[code]
    year = [goods.season(region, month) for month in range(1, 13)]
    assert sum(year) == pytest.approx(12)
    assert min(year) > 0
    assert goods.factor(region) > 0


def test_avocados_come_from_peru_in_winter_and_from_mexico_in_summer_less():
    july, january = date(2026, 7, 1), date(2026, 1, 1)
    peru = [WORLD.sends("wcsa", day)["avocados"] for day in (july, january)]
    mexico = [WORLD.sends("nwest", day)["avocados"] for day in (july, january)]
    assert peru[0] > 3 * peru[1]
    assert mexico[0] < mexico[1]


def test_a_world_that_is_not_there_is_not_found():
    with pytest.raises(NotFound, match="no such world"):
        world.load("atlantis")


def _parts() -> tuple[dict, dict]:
    folder = files("isthmus.simulator").joinpath("worlds")
    raw: dict = {}
    for part in world.PARTS:
        raw.update(yaml.safe_load(folder.joinpath("panama", f"{part}.yaml").read_text("utf-8")))
    return raw, dict(WORLD.texts)


@pytest.mark.parametrize(
    ("spoil", "where", "key"),
    [
        (lambda raw: raw["services"][0]["ports"].append("XXXXX"), "PS1", "XXXXX"),
        (lambda raw: raw["regions"]["wcsa"]["sends"].update(moonstone=1), "wcsa", "moonstone"),
        (lambda raw: raw["regions"]["asia"]["onward"].update(moon=1), "asia", "moon"),
        (lambda raw: raw["exports"]["to"].update(moon=1), "exports", "moon"),
        (lambda raw: raw["imports"].update(moon=1), "imports", "moon"),
        (lambda raw: raw["regions"]["asia"]["ports"].update(INNSA=[1, 1]), "services", "INNSA"),
    ],
)
def test_what_a_world_does_not_explain_is_named(spoil, where, key):
    raw, texts = _parts()
    raw = copy.deepcopy(raw)
    spoil(raw)
    assert (where, key) in list(world._unknown(world._world(raw, texts)))


def test_a_carrier_with_more_ships_than_names_is_refused():
    raw, texts = _parts()
    raw["services"][0]["weeks"] = 400
    with pytest.raises(Invalid, match="more ships than names"):
        world._world(raw, texts)
