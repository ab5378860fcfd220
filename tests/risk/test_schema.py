from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone

import orjson
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.cargo.unit import Unit, UnitState
from isthmus.kernel.errors import Invalid
from isthmus.kernel.time import from_micros
from isthmus.risk import schema
from isthmus.risk.schema import Kind

moments = st.integers(-(10**15), 4 * 10**15).map(from_micros)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = {
    Kind.TEXT: texts,
    Kind.INTEGER: st.integers(-(2**60), 2**60),
    Kind.NUMBER: st.floats(allow_nan=False, allow_infinity=False),
    Kind.BOOLEAN: st.booleans(),
    Kind.MOMENT: moments,
    Kind.LABELS: st.lists(texts, max_size=3).map(tuple),
    Kind.PAIRS: st.lists(st.tuples(texts, texts), max_size=3).map(tuple),
}
OPTIONAL = {field.name for field in fields(Unit) if field.default is None}
units = st.builds(
    Unit,
    **{
        name: st.none() | VALUES[kind] if name in OPTIONAL else VALUES[kind]
        for name, kind in schema.unit_kinds().items()
    },
)


def test_a_column_for_every_field_in_its_order():
    assert list(schema.unit_schema()) == [field.name for field in fields(Unit)]
    assert schema.unit_schema()["lodged_at"] == pl.Datetime("us", "UTC")
    assert schema.unit_meanings()["gross_kg"] == "gross mass declared"


@given(st.lists(units, max_size=4))
def test_the_frame_says_what_the_units_say(rows):
    frame = schema.frame(rows)
    assert frame.schema == schema.unit_schema()
    for unit, row in zip(rows, frame.iter_rows(named=True), strict=True):
        for name, kind in schema.unit_kinds().items():
            value = getattr(unit, name)
            if kind is Kind.LABELS:
                value = list(value)
            if kind is Kind.PAIRS:
                value = [{"name": key, "value": text} for key, text in value]
            assert row[name] == value, name


@given(st.lists(units, min_size=1, max_size=4))
def test_a_stored_row_gives_back_the_same_frame(rows):
    frame = schema.frame(rows, extras=["office_use"])
    stored = [orjson.loads(row) for row in schema.stored_rows(frame)]
    again = schema.frame_from_plain(stored, frame.schema)
    assert again.schema == frame.schema
    assert again.equals(frame, null_equal=True)
    assert schema.stored_rows(again) == schema.stored_rows(frame)


def test_extras_become_columns_and_null_where_absent():
    rows = [
        Unit(id="a", kind="declaration", extra=(("use", "21"),)),
        Unit(id="b", kind="declaration"),
    ]
    assert schema.frame(rows, extras=["use"])["extra_use"].to_list() == ["21", None]


def test_enumerated_codes_and_foreign_zones_are_read():
    at = datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    frame = schema.frame([Unit(id="a", kind="container", state=UnitState.CLOSED, lodged_at=at)])
    assert frame["state"].to_list() == ["closed"]
    assert frame["lodged_at"].to_list() == [datetime(2026, 1, 1, tzinfo=UTC)]


def test_a_number_that_is_not_finite_is_no_value():
    rows = [Unit(id=name, kind="container", gross_kg=float(name)) for name in ("nan", "inf", "2")]
    assert schema.frame(rows)["gross_kg"].to_list() == [None, None, 2.0]


def test_a_moment_without_zone_is_refused_by_field():
    naive = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)
    with pytest.raises(Invalid, match="arrival_at"):
        schema.frame([Unit(id="a", kind="container", arrival_at=naive)])


def test_a_value_of_another_kind_is_refused_by_field():
    with pytest.raises(Invalid, match="goods_lines"):
        schema.frame([Unit(id="a", kind="container", goods_lines="many")])


def test_a_stored_row_with_a_strange_column_is_refused():
    with pytest.raises(Invalid, match="nationality"):
        schema.frame_from_plain([{"id": "a", "nationality": "x"}], schema.unit_schema())
