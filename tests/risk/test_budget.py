"""What a budget catches, with figures worked out by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.reference.codelist import code_list
from isthmus.risk import benchmark
from isthmus.risk.budget import caught, harm_per_kilogram, picked

SCORES = np.array([9.0, 8, 7, 6, 5, 4, 3, 2, 1, 0])
POSITIVE = np.array([1, 0, 0, 1, 0, 0, 0, 0, 0, 1]) == 1
HARM = np.array([1.0, 0, 0, 3, 0, 0, 0, 0, 0, 6])


def test_figures_are_exact() -> None:
    found = caught(SCORES, POSITIVE, HARM, 0.4)
    assert found is not None
    assert (found.positives, found.precision, found.recall) == (3, 0.5, pytest.approx(2 / 3))
    assert found.harm_recall == pytest.approx(0.4)
    assert found.lift == pytest.approx(0.5 / 0.3)


def test_ties_at_the_edge_are_drawn_by_lot() -> None:
    found = caught(np.zeros(10), POSITIVE, HARM, 0.2)
    assert found is not None
    assert (found.recall, found.harm_recall, found.lift) == tuple(map(pytest.approx, (0.2, 0.2, 1)))


def test_nothing_positive_has_no_figures_and_no_harm_no_harm_recall() -> None:
    assert caught(SCORES, np.zeros(10, dtype=bool), HARM, 0.1) is None
    found = caught(SCORES, POSITIVE, np.zeros(10), 0.1)
    assert found is not None
    assert found.harm_recall is None


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=60), st.floats(0.01, 1))
def test_a_budget_is_spent_and_no_worse_row_goes_before_a_better(
    scores: list[int], budget: float
) -> None:
    values = np.array(scores, dtype=float)
    chance = picked(values, budget)
    assert chance.sum() == pytest.approx(max(1, round(len(scores) * budget)))
    order = chance[np.argsort(-values, kind="stable")]
    assert (np.diff(order) <= 1e-12).all()
    assert ((chance >= 0) & (chance <= 1)).all()


def test_every_kind_of_goods_has_a_harm() -> None:
    assert harm_per_kilogram().keys() == code_list("seized_goods").entries.keys()


def test_an_interval_is_students() -> None:
    found = benchmark.interval([1.0, 2.0, 3.0, 4.0, 5.0])
    assert (found.mean, found.sets) == (3.0, 5)
    assert found.half == pytest.approx(2.776 * np.sqrt(2.5) / np.sqrt(5))
    assert benchmark.interval([1.0]).half is None
