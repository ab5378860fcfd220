"""As-of sums against a plain loop; a later label never reaches an earlier row."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.risk.encodings import LABEL_DELAY, SMOOTHING, earlier, general_rate, rate

START = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = st.lists(
    st.tuples(
        st.integers(0, 12),
        st.sampled_from(["a", "b", None]),
        st.sampled_from([0, 1, None]),
    ),
    min_size=1,
    max_size=30,
)


def table(rows: list[tuple[int, str | None, int | None]]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "at": [START + timedelta(days=day) for day, _, _ in rows],
            "who": [who for _, who, _ in rows],
            "label": [label for _, _, label in rows],
        },
        schema={"at": pl.Datetime("us", "UTC"), "who": pl.String, "label": pl.Float64},
    )


@settings(max_examples=60, deadline=None)
@given(ROWS, st.integers(0, 3))
def test_sums_are_those_of_a_plain_loop(
    rows: list[tuple[int, str | None, int | None]], delay: int
) -> None:
    found = earlier(
        table(rows), ["who"], {"n": pl.len()}, moment="at", delay=timedelta(days=delay)
    )["n"].to_list()
    for (day, who, _), count in zip(rows, found, strict=True):
        expected = sum(other == who and then < day - delay for then, other, _ in rows)
        assert count == (None if who is None else expected)


@settings(max_examples=60, deadline=None)
@given(ROWS, st.data())
def test_a_later_label_never_reaches_an_earlier_row(
    rows: list[tuple[int, str | None, int | None]], data: st.DataObject
) -> None:
    """Changing any label leaves all rows as they were that its delay has not passed."""
    changed = data.draw(st.integers(0, len(rows) - 1))
    day, who, label = rows[changed]
    other = [*rows]
    other[changed] = (day, who, 1 if label != 1 else 0)
    before, after = (_rates(table(one)) for one in (rows, other))
    for (then, _, _), was, now in zip(rows, before, after, strict=True):
        if then <= day + LABEL_DELAY.days:
            assert was == now


def _rates(rows: pl.DataFrame) -> list[float | None]:
    general = general_rate(rows, "label", moment="at")
    return rate(rows, ["who"], "label", moment="at", general=general).to_list()


def test_a_rate_is_mixed_with_the_general_one() -> None:
    rows = table([(0, "a", 1), (0, "b", 0), (0, "b", 0), (0, "b", None), (20, "b", None)])
    assert _rates(rows)[-1] == pytest.approx((0 + SMOOTHING / 3) / (2 + SMOOTHING))
