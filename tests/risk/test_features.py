from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.cargo.unit import Unit
from isthmus.kernel.errors import Invalid
from isthmus.risk import schema
from isthmus.risk.catalogue import (
    derived_features,
    feature,
    field_kinds,
    model_features,
    unit_features,
)
from isthmus.risk.features import features
from isthmus.risk.history import OUTCOME_KEYS, UNIT_KEYS, History
from isthmus.risk.objectives import Objective
from isthmus.risk.schema import MOMENT, frame, unit_kinds

START = datetime(2026, 1, 1, tzinfo=UTC)
DERIVED = list(derived_features())


@st.composite
def populations(draw):
    """Units that share few parties and goods, so that histories meet; ids are unique."""
    units = []
    for number in range(draw(st.integers(2, 14))):
        pick = lambda *values: draw(st.sampled_from([None, *values]))  # noqa: E731
        units.append(
            Unit(
                id=f"u{number}",
                kind="container",
                shipper_ref=pick("s1", "s2"),
                consignee_ref=pick("c1", "c2"),
                notify_ref=pick("n"),
                container=pick("k1"),
                hs2="08",
                hs4="0803",
                hs6=pick("080390", "080310"),
                origin_country=pick("EC", "CO"),
                place_loading=pick("ECGYE"),
                place_discharge=pick("NLRTM"),
                carrier=pick("MAEU"),
                value=pick(10.0, 2000.0),
                net_kg=pick(7.0, 900.0),
                currency="USD",
                description=pick("general cargo", "bananas, green", ""),
                lodged_at=START + timedelta(days=draw(st.integers(0, 4)) * 200),
            )
        )
    return units


def outcomes_of(rows, draw_delay):
    return rows.with_columns(
        objective=pl.lit("contraband"),
        positive=pl.int_range(pl.len()) % 2 == 0,
        recorded_at=pl.col("lodged_at") + pl.Series([timedelta(days=d) for d in draw_delay]),
    )


@settings(max_examples=25, deadline=None)
@given(populations(), st.data())
def test_alone_as_in_any_batch_and_no_time_travel(units, data):
    rows = frame(units)
    delays = data.draw(st.lists(st.integers(0, 500), min_size=len(units), max_size=len(units)))
    outcomes = outcomes_of(rows, delays)
    whole_history = History()
    whole_history.add_outcomes(outcomes)
    whole = features(rows, whole_history)

    split = data.draw(st.integers(0, len(units)))
    order = data.draw(st.permutations(range(len(units))))
    history = History()
    for part in (rows[order[:split]], rows[order[split:]]):  # in two goes, in any order
        history.append(part)
    for number in order:
        history.add_outcomes(outcomes[number : number + 1])
    for number in range(len(units)):
        alone = features(rows[number : number + 1], history)
        assert alone.equals(whole[number : number + 1])

    # What is known later does not reach back: only earlier units and outcomes, same features.
    chosen = data.draw(st.integers(0, len(units) - 1))
    moment = units[chosen].lodged_at
    past = History()
    past.append(rows.filter(pl.col("lodged_at") <= moment))
    past.add_outcomes(outcomes.filter(pl.col("recorded_at") < moment))
    now = features(rows[chosen : chosen + 1], past)
    assert now[DERIVED].equals(whole[chosen : chosen + 1][DERIVED])


def simple(number, days, **fields):
    return Unit(id=f"u{number}", kind="container", lodged_at=START + timedelta(days=days), **fields)


def row(rows, history, number):
    return features(frame(rows), history).row(number, named=True)


def test_parties_counted_and_dated():
    rows = [
        simple(0, 0, shipper_ref="s", consignee_ref="c"),
        simple(1, 10, shipper_ref="s", consignee_ref="d"),
        simple(2, 400, shipper_ref="s", consignee_ref="c"),
    ]
    held = row(rows, History(), 2)
    assert (held["shipper_seen"], held["consignee_seen"], held["pair_seen"]) == (2, 1, 1)
    assert held["shipper_days_since_first"] == 400
    assert held["shipper_days_since_last"] == 390
    assert held["shipper_dormant"] is True
    assert held["triad_seen"] is None  # no notify party declared
    first = row(rows, History(), 0)
    assert first["shipper_seen"] == 0
    assert first["shipper_days_since_last"] is None
    assert first["history_units"] == 0


def test_a_unit_never_sees_itself_in_a_later_version():
    history = History()
    history.append(frame([simple(0, 0, shipper_ref="s"), simple(1, 1, shipper_ref="s")]))
    again = frame([simple(0, 0, shipper_ref="s")])
    held = features(again, history, as_of=START + timedelta(days=30)).row(0, named=True)
    assert held["shipper_seen"] == 1
    assert held["shipper_days_since_first"] == 29
    assert held["history_units"] == 1
    assert history.append(again) == 0


def test_price_against_its_band():
    rng = np.random.default_rng(3)
    rows = [
        simple(n, n, hs6="080390", hs4="0803", origin_country="EC", currency="USD",
               value=float(np.exp(rng.normal(0, 0.5))), net_kg=1.0)
        for n in range(60)
    ]  # fmt: skip
    dear = simple(99, 100, hs6="080390", hs4="0803", origin_country="EC", currency="USD",
                  value=float(np.exp(1.5)), net_kg=1.0)  # fmt: skip
    history = History()
    history.append(frame(rows))
    held = features(frame([dear]), history).row(0, named=True)
    logs = np.round([np.log(unit.value) * 1e4 for unit in rows])
    assert held["price_z"] == pytest.approx((15000 - logs.mean()) / logs.std(), rel=1e-9)
    assert (held["price_band"], held["price_band_rows"]) == ("hs6_origin", 60)
    other = features(frame([simple(98, 100, hs6="080310", hs4="0803", origin_country="CO",
                                   currency="USD", value=1.0, net_kg=1.0)]), history)  # fmt: skip
    assert other["price_band"].item() == "hs4"
    euros = features(frame([simple(97, 100, hs6="080390", hs4="0803", origin_country="EC",
                                   currency="EUR", value=1.0, net_kg=1.0)]), history)  # fmt: skip
    assert euros["price_z"].item() is None


def test_rates_by_hand():
    history = History()
    rows = frame([simple(n, 0, hs2="08", hs4="0803", hs6="080390") for n in range(4)])
    history.add_outcomes(
        rows.with_columns(
            objective=pl.lit("revenue"),
            positive=pl.Series([True, True, True, False]),
            recorded_at=pl.lit(START + timedelta(days=1)),
        )
    )
    now = features(frame([simple(9, 2, hs2="08", hs4="0804")]), history).row(0, named=True)
    base = (3 + 1) / (4 + 2)
    chapter = (3 + 20 * base) / 24
    assert now["revenue_rate_all"] == base
    assert now["revenue_rate_hs2"] == chapter
    assert now["revenue_rate_hs4"] == (0 + 20 * chapter) / 20
    assert now["revenue_rate_hs6"] is None
    assert now["contraband_rate_all"] is None
    early = features(frame([simple(9, 1, hs2="08")]), history).row(0, named=True)
    assert early["revenue_rate_all"] is None  # recorded at that very moment: not before it


def test_weights_texts_and_hours():
    unit = simple(
        0, 0, gross_kg=1000.0, net_kg=900.0, vgm_kg=3300.0, tare_kg=2200.0, weighed_kg=3500.0,
        package_count=10, value=500.0, freight=250.0, duty_rate=8.0,
        description="SAID TO CONTAIN: 20 pallets of mixed goods", flags=("description_vague",),
        arrival_at=START + timedelta(hours=36), deadline_at=START + timedelta(hours=30),
    )  # fmt: skip
    held = row([unit], History(), 0)
    assert held["net_share"] == 0.9
    assert held["vgm_gap_kg"] == 100
    assert held["weighed_gap_kg"] == 300
    assert held["weighed_vgm_gap_kg"] == 200
    assert held["kg_per_package"] == 100
    assert held["freight_share"] == 0.5
    assert held["duty"] == 40
    assert held["description_vague"] is True
    assert (held["hours_to_deadline"], held["hours_to_arrival"]) == (30, 36)
    assert held["dwell_hours"] is None
    box = simple(1, 3, empty=True, tare_kg=2200.0, weighed_kg=2500.0, arrival_at=START)
    assert row([box], History(), 0)["empty_excess_kg"] == 300
    assert row([box], History(), 0)["dwell_hours"] == 72


@pytest.mark.parametrize(
    ("text", "flags", "vague"),
    [
        ("general cargo", ("description_vague", "seal_missing"), True),
        ("pistons for diesel engines", ("seal_missing",), False),
        ("pistons for diesel engines", (), False),
        (None, ("description_missing",), None),
    ],
)
def test_a_description_is_vague_when_its_record_is_flagged_so(text, flags, vague):
    held = row([simple(0, 0, description=text, flags=flags)], History(), 0)
    assert held["description_vague"] is vague


def test_without_a_moment_nothing_of_history_is_claimed():
    rows = [Unit(id="a", kind="container", shipper_ref="s", value=2.0, net_kg=1.0)]
    history = History()
    history.append(frame([simple(0, 0, shipper_ref="s")]))
    assert history.append(frame(rows)) == 0
    held = row(rows, history, 0)
    assert held["shipper_seen"] is None
    assert held["price_per_kg"] == 2


def test_a_quotient_beyond_all_numbers_is_no_value():
    unit = simple(0, 0, value=1e300, net_kg=1e-300, freight=5e-324, gross_kg=1.0)
    held = row([unit], History(), 0)
    assert held["price_per_kg"] is None
    assert held["price_z"] is None


def test_outcomes_need_objective_result_and_moment():
    rows = frame([simple(0, 0)]).with_columns(objective=pl.lit("revenue"), positive=pl.lit(True))
    with pytest.raises(Invalid, match="recorded_at"):
        History().add_outcomes(rows)
    when = pl.lit(START).cast(MOMENT)
    with pytest.raises(Invalid, match="no such objective"):
        History().add_outcomes(rows.with_columns(recorded_at=when, objective=pl.lit("piracy")))


def test_memory_a_unit():
    size = 100_000
    rng = np.random.default_rng(1)

    def some(prefix, numbers):
        return pl.Series([f"{prefix}{n}" for n in numbers])

    relation = rng.zipf(1.3, size) % 20_000  # trade repeats itself: few relations carry most
    rows = pl.concat(
        [
            schema.unit_schema().to_frame(),
            pl.DataFrame(
                {
                    "id": [f"unit{n}" for n in range(size)],
                    "lodged_at": pl.Series(10**15 + rng.integers(0, 10**13, size)).cast(MOMENT),
                    "shipper_ref": some("s", relation // 2),
                    "consignee_ref": some("c", relation // 3),
                    "notify_ref": some("n", relation),
                    "declarant_ref": some("d", relation % 500),
                    "seller_ref": some("s", relation // 2),
                    "container": some("k", rng.integers(0, size // 3, size)),
                    "hs6": some("", relation % 3000),
                    "hs4": some("", relation % 1000),
                    "origin_country": some("", relation % 90),
                    "place_loading": some("", relation % 200),
                    "place_discharge": some("", relation % 30),
                    "carrier": some("", relation % 40),
                    "currency": some("", relation % 3),
                    "value": rng.random(size) + 1,
                    "net_kg": rng.random(size) + 1,
                }
            ),
        ],
        how="diagonal",
    )
    history = History()
    history.append(rows)
    assert history.nbytes / size < 150


def test_no_identifier_is_a_model_feature_and_no_person_either():
    keys = {name for names in (*UNIT_KEYS.values(), *OUTCOME_KEYS.values()) for name in names}
    used = {one.name for objective in Objective for one in model_features(objective)}
    assert used.isdisjoint(keys)
    assert not [name for name in used if name.endswith(("_ref", "_key", "_id"))]
    for word in ("national", "ethnic", "relig", "migra", "gender", "birth"):
        assert not [name for name in field_kinds() if word in name]


def test_models_know_only_their_own_outcomes():
    names = {one.name for one in model_features(Objective.REVENUE)}
    assert "revenue_rate_hs6" in names
    assert not [name for name in names if name.startswith(("contraband_", "strategic_"))]


def test_every_feature_is_named_in_five_languages_and_typed_as_its_column():
    for name, one in (*derived_features().items(), *unit_features().items()):
        assert set(one.names) == {"es", "en", "fr", "nl", "pt"}
        assert all(one.names.values()), name
        assert feature(name) is one
    for name, one in unit_features().items():
        assert unit_kinds()[name] is one.kind
    held = features(frame([simple(0, 0)]), History())
    assert {name: held.schema[name] for name in DERIVED} == dict(
        schema.schema_of({name: one.kind for name, one in derived_features().items()})
    )
    assert set(held.columns) == set(field_kinds())
