import numpy as np
import polars as pl
import pytest

from isthmus.kernel.errors import Invalid
from isthmus.risk.effectiveness import effectiveness, wilson
from isthmus.risk.select import select


def picks(rows):
    schema = {"propensity": pl.Float64, "hit": pl.Boolean}
    return pl.DataFrame(rows, schema=schema, orient="row")


def world(rng, size=400):
    """Candidates whose score says something, not all, about whether they are hits."""
    score = rng.random(size)
    hit = rng.random(size) < 0.05 + 0.25 * score
    frame = pl.DataFrame({"id": [f"u{i}" for i in range(size)], "score": score.round(2)})
    return frame.with_columns(mandated=pl.Series(rng.random(size) < 0.01)), hit


def test_the_missed_are_estimated_without_bias_and_intervals_cover():
    rng = np.random.default_rng(5)
    frame, hit = world(rng)
    found, missed, covered, runs = [], [], 0, 300
    for number in range(runs):
        run = select(frame, 60, 0.4, b"%d" % number).candidates
        taken = run["rank"].is_not_null()
        held = effectiveness(
            run.with_columns(hit=pl.Series(hit)).filter(taken).select("propensity", "hit"),
            frame.height,
        )
        truth = int(hit[~taken.to_numpy()].sum())
        missed.append(held.missed.value - truth)
        covered += held.missed.low <= truth <= held.missed.high
        found.append(held.rate.value)
    error = np.std(missed) / np.sqrt(runs)
    assert abs(np.mean(missed)) < 4 * error + 0.5
    assert np.mean(found) == pytest.approx(hit.mean(), abs=0.01)
    assert covered / runs > 0.92


def test_counting_hits_among_picks_would_flatter():
    rng = np.random.default_rng(6)
    frame, hit = world(rng, 2000)
    run = select(frame, 300, 0.3, b"s").candidates
    taken = run["rank"].is_not_null()
    rows = run.with_columns(hit=pl.Series(hit)).filter(taken).select("propensity", "hit")
    held = effectiveness(rows, frame.height)
    assert held.precision.value > hit.mean() + 0.03
    assert held.rate.low <= hit.mean() <= held.rate.high


def test_certain_picks_say_nothing_of_the_rest():
    held = effectiveness(picks([(1.0, True), (1.0, False)]), 100)
    assert held.hits == 1
    assert held.missed is None
    assert held.missed_share is None
    assert held.rate is None


def test_all_inspected_means_none_missed():
    held = effectiveness(picks([(1.0, True), (1.0, False)]), 2)
    assert held.missed.value == 0
    assert held.missed_share.value == 0
    assert held.rate.value == 0.5


def test_no_hits_in_a_sample_still_leaves_room_for_some():
    held = effectiveness(picks([(0.1, False)] * 30), 330)
    assert held.missed.value == 0
    assert held.missed.high == pytest.approx(300 * wilson(0, 30).high)
    assert 30 < held.missed.high < 40
    assert held.missed_share is None


def test_weights_by_hand():
    held = effectiveness(picks([(0.5, True), (0.25, False), (1.0, True), (0.25, None)]), 14)
    assert held.inspected == 3
    assert held.rate_unpicked.value == pytest.approx(1 / 4)  # weights 1 and 3
    assert held.effective_sample == pytest.approx(16 / 10)
    assert held.missed.value == pytest.approx(10 / 4)


def test_wilson_matches_the_published_example():
    # 81 of 263: Newcombe (1998), table I, method 3: .2553 to .3662.
    held = wilson(81 / 263, 263)
    assert (round(held.low, 4), round(held.high, 4)) == (0.2553, 0.3662)


def test_what_cannot_be_is_refused():
    with pytest.raises(Invalid, match="propensity"):
        effectiveness(picks([(0.0, True)]), 3)
    with pytest.raises(Invalid, match="more picks"):
        effectiveness(picks([(0.5, True)]), 0)
