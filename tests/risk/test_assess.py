import copy
from datetime import UTC, datetime, timedelta
from functools import cache

import orjson
import polars as pl
import pytest

from isthmus.cargo.unit import Unit
from isthmus.kernel.errors import Invalid
from isthmus.risk.assess import Assessor, assessor_from_bytes, frame_from_stored, recompute
from isthmus.risk.catalogue import field_kinds
from isthmus.risk.explain import explain, shown
from isthmus.risk.features import features
from isthmus.risk.history import History
from isthmus.risk.novelty import MATURE_UNITS, facts
from isthmus.risk.objectives import Objective
from isthmus.risk.rules import read_rule, ruleset
from isthmus.risk.schema import frame, stored_rows

from .test_model import trained
from .test_rules import FIVE, GOOD
from .test_rulesets import SHIPPED

START = datetime(2026, 1, 1, tzinfo=UTC)


@cache
def rows(size=300):
    units = [
        Unit(
            id=f"u{n}",
            kind="container",
            shipper_ref=f"s{n % 7}",
            consignee_ref=f"c{n % 11}",
            container=f"MSCU{n % 50:07}",
            hs6="080390",
            hs4="0803",
            hs2="08",
            origin_country="EC",
            place_loading="ECGYE" if n % 2 else "COBUN",
            place_discharge="NLRTM",
            seal_changes=n % 5 == 0,
            seal_unexplained=n % 5 == 0,
            gross_kg=20000.5 + n,
            net_kg=19000.1 + n * 7,
            value=1000.0 / 3 + n,
            currency="USD",
            description="general cargo" if n % 3 else "bananas",
            flags=("container_check_digit",) if n % 4 == 0 else (),
            supplementary=n % 10 == 9,
            lodged_at=START + timedelta(hours=n),
            arrival_at=START + timedelta(hours=n + 13),
            extra=(("use", str(n)),),
        )
        for n in range(size)
    ]
    return features(frame(units, extras=["use"]), History())


def rule(**changes):
    document = copy.deepcopy(GOOD) | {"objective": "contraband"}
    document.update(changes)
    return read_rule(document, "file.yaml", field_kinds(), {})


def assess(*rules, models=None, at=None):
    assessor = Assessor(ruleset(rules, {}), models or {})
    return assessor.assess(rows() if at is None else at)


@pytest.mark.parametrize("with_model", [False, True])
def test_what_is_stored_gives_the_same_bytes(with_model):
    models = {Objective.REVENUE: trained()} if with_model else {}
    assessor = Assessor(SHIPPED, models, {"code": "1"})
    stored = stored_rows(rows())
    again = assessor_from_bytes(
        SHIPPED.canonical(), [model.canonical() for model in models.values()], {"code": "1"}
    )
    for objective, assessed in assessor.assess(rows()).items():
        assert recompute(stored, again, objective) == assessed.canonical()
        assert recompute(stored[7:8], again, objective) == assessed.canonical()[7:8]


def test_a_changed_row_gives_other_bytes():
    assessor = Assessor(SHIPPED)
    stored = stored_rows(rows())[5]
    assert b'"seal_unexplained":1' in stored
    false = stored.replace(b'"seal_unexplained":1', b'"seal_unexplained":0')
    one, other = (recompute([row], assessor, Objective.CONTRABAND) for row in (stored, false))
    assert one != other


def test_stored_rows_come_back_as_they_were():
    assert frame_from_stored(stored_rows(rows())).select(rows().columns).equals(rows())
    with pytest.raises(Invalid, match="strange"):
        frame_from_stored([b'{"strange":1}'])


def test_live_rules_combine_and_shadow_ones_are_only_counted():
    heavy = {"when": {"field": "gross_kg", "op": "gt", "value": 0}, "thresholds": {}}
    plain = dict.fromkeys(FIVE, "x")
    live = [
        rule(id=name, weight=weight, explain=plain, **heavy)
        for name, weight in (("a", 0.2), ("b", 0.5))
    ]
    quiet = rule(id="c", weight=0.9, state="shadow", explain=plain, **heavy)
    bare = rows().with_columns(history_units=pl.lit(0, dtype=pl.Int64))
    held = assess(*live, quiet, at=bare)[Objective.CONTRABAND]
    assert held.table["score"].unique().to_list() == [pytest.approx(0.6)]
    assert held.table["band"].unique().to_list() == ["high"]
    assert held.shadow[0] == ("c",)
    assert [reason["code"] for reason in held.reasons[0]] == ["rule:a", "rule:b"]
    assert held.basis == "rules_and_novelty"
    other = assess(*live, at=bare)[Objective.REVENUE]
    assert other.table["score"].unique().to_list() == [0]
    assert other.table["band"].unique().to_list() == ["none"]


def test_mandates_and_lanes():
    plain = {"explain": dict.fromkeys(FIVE, "x"), "thresholds": {}}
    must = rule(
        id="must", effect="mandate", when={"field": "id", "op": "eq", "value": "u3"}, **plain
    )
    look = rule(
        id="look",
        effect="lane",
        lane="yellow",
        when={"field": "id", "op": "eq", "value": "u4"},
        **plain,
    )
    table = assess(must, look)[Objective.CONTRABAND].table
    assert table.filter("mandated")["id"].to_list() == ["u3"]
    lanes = dict(zip(table["id"], table["lane"], strict=True))
    assert (lanes["u3"], lanes["u4"], lanes["u9"]) == ("green", "yellow", "blue")


def test_novelty_weighs_little_and_less_while_history_is_short():
    held = assess()[Objective.CONTRABAND]
    early, late = held.table["score"][1], held.table["score"].max()
    assert held.table["score"][0] == 0  # before any history nothing is new
    assert 0 < early < 0.01
    assert late < 1 - 0.8
    assert {reason["code"] for reason in held.reasons[1]} >= {"novelty:consignee_new"}
    weight, units = facts()["consignee_new"].weight, 8
    expected = 1 - (1 - weight * units / (units + MATURE_UNITS))
    fresh = rows()[8:9]
    only = assess(at=fresh)[Objective.REVENUE]
    assert [reason["code"] for reason in only.reasons[0]] == [
        "novelty:consignee_new", "novelty:declarant_new",
    ][: len(only.reasons[0])]  # fmt: skip
    assert only.table["score"][0] == pytest.approx(expected, abs=1e-6)


def test_a_model_is_the_score_and_rules_still_speak():
    held = Assessor(SHIPPED, {Objective.REVENUE: trained()}).assess(rows())[Objective.REVENUE]
    assert held.basis == "model"
    assert held.table["score"].to_list() == [round(x, 6) for x in trained().predict(rows())]
    assert not [one for told in held.reasons for one in told if one["code"].startswith("novelty")]
    body = orjson.loads(held.canonical()[0])
    assert len(body["versions"]["model"]) == 64
    assert body["basis"] == "model"


def test_contributions_only_where_there_is_a_model():
    assessor = Assessor(SHIPPED, {Objective.REVENUE: trained()})
    told = assessor.contributions(rows()[:3], Objective.REVENUE)
    assert all(0 < len(one) <= 5 for one in told)
    sizes = [abs(part["parameters"]["contribution"]) for part in told[0]]
    assert sizes == sorted(sizes, reverse=True)
    for locale in ("es", "en", "fr", "nl", "pt"):
        assert "{" not in explain(told[0][0], SHIPPED, locale)
    assert assessor.contributions(rows()[:2], Objective.CONTRABAND) == [[], []]


def test_every_reason_reads_in_five_languages():
    assessed = Assessor(SHIPPED).assess(rows())
    reasons = [one for held in assessed.values() for told in held.reasons for one in told]
    assert len({one["code"] for one in reasons}) > 5
    for reason in {one["code"]: one for one in reasons}.values():
        texts = {explain(reason, SHIPPED, locale) for locale in ("es", "en", "fr", "nl", "pt")}
        assert len(texts) == 5
        assert not [text for text in texts if "{" in text]


@pytest.mark.parametrize(
    ("hours", "told"),
    [
        (5, ["5 horas antes de la llegada", "5 hours before arrival", "5 heures avant l’arrivée",
             "5 uur voor aankomst", "5 horas antes da chegada"]),
        (1.0, ["1 hora antes de la llegada", "1 hour before arrival", "1 heure avant l’arrivée",
               "1 uur voor aankomst", "1 hora antes da chegada"]),
        (-5.25, ["5,25 horas después de la llegada", "5.25 hours after arrival",
                 "5,25 heures après l’arrivée", "5,25 uur na aankomst",
                 "5,25 horas depois da chegada"]),
    ],
)  # fmt: skip
def test_hours_before_and_after_arrival_read_well(hours, told):
    """Each rule that tells such hours, in each language, on both sides of the arrival."""
    signed = ("last_amendment_hours", "hours_told_before_arrival")
    rules = [one for one in SHIPPED.rules if set(signed) & set(one.parameters)]
    assert len(rules) == 3
    for one in rules:
        given = dict.fromkeys(one.parameters, 24) | {
            name: hours for name in signed if name in one.parameters
        }
        for locale, words in zip(("es", "en", "fr", "nl", "pt"), told, strict=True):
            text = explain({"code": f"rule:{one.id}", "parameters": given}, SHIPPED, locale)
            assert words in text.replace("\N{NO-BREAK SPACE}", " "), text
            assert "-" not in text


def test_hours_that_are_not_known_are_said_to_be_so():
    reason = {"code": "rule:amended_late", "parameters": {"amendments": 1, "hours": 24,
                                                          "last_amendment_hours": None}}  # fmt: skip
    assert "not stated" in explain(reason, SHIPPED, "en")


def test_novelty_facts_are_told_in_five_languages_with_their_values():
    for fact in facts().values():
        given = dict.fromkeys(fact.parameters, 3)
        texts = {explain({"code": f"novelty:{fact.id}", "parameters": given}, SHIPPED, locale)
                 for locale in fact.explain}  # fmt: skip
        assert len(texts) == 5


def test_a_reason_whose_rule_is_gone_is_not_left_out():
    assert explain({"code": "rule:old", "parameters": {}}, SHIPPED, "es") == "rule:old"


def test_values_read_as_people_write_them():
    assert shown(1234.5, "en") == "1,234.5"
    assert shown(1234.5, "nl") == "1.234,5"
    assert shown(True, "fr") == "oui"
    assert shown(None, "pt") == "não consta"
    assert shown(["a", "b"], "es") == "a, b"
    assert "2026" in shown("2026-01-01T10:00:00Z", "en")
    assert shown("ECGYE", "en") == "ECGYE"
