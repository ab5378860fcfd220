"""The oracle's odds, worked out by hand."""

import math

import polars as pl
import pytest

from isthmus.risk.trace_odds import Confused, Scheme, log_odds

ONE = Scheme("X", 1, {"regime": ["import"]}, {"a": 0.6, "b": 0.5}, [Confused(2, {"a": 0.9})])


def odds(rows: list[tuple[str | None, list[str]]], *schemes: Scheme) -> list[float]:
    table = pl.DataFrame(
        {"regime": [regime for regime, _ in rows], "traces": [left for _, left in rows]},
        schema={"regime": pl.String, "traces": pl.List(pl.String)},
    )
    return [round(float(value), 9) for value in log_odds(table, schemes, 0.01)]


def test_odds_weigh_crime_against_look_alikes() -> None:
    found = odds([("import", ["a"]), ("import", ["b", "a"]), ("import", [])], ONE)
    assert found[0] == pytest.approx(math.log(0.6 * 0.5 / (2 * 0.9)))
    assert found[1] == pytest.approx(math.log(0.6 * 0.5 / 1e-12))
    assert found[2] == pytest.approx(math.log(0.4 * 0.5 / (100 + 2 * 0.1)))


def test_a_scheme_that_cannot_use_a_row_says_nothing_of_it() -> None:
    found = odds([("import", ["a"]), ("export", ["a"]), (None, ["a"])], ONE)
    assert found[1] == 0.0
    assert found[0] == found[2]  # what papers hide speaks for no one


def test_a_scheme_for_few_rows_weighs_more_on_each_of_them() -> None:
    narrow = Scheme("N", 1, {"regime": ["empty"]}, {"c": 0.5}, [Confused(1, {"a": 1.0})])
    wide = Scheme("W", 1, {}, {"a": 0.5}, [Confused(1, {"c": 0.5})])
    rows: list[tuple[str | None, list[str]]] = [("empty", ["a"]), ("empty", ["c"])]
    rows += [("import", [])] * 8
    assert odds(rows, narrow, wide)[0] == pytest.approx(math.log(0.5 / 5), abs=1e-6)
    assert odds(rows, narrow, wide)[1] == pytest.approx(math.log(2.5 / 0.5), abs=1e-6)
