"""Features, model and assessment: rows a second beside bare LightGBM, and skill without the leak.

    python bench/score.py [--no-skill]

Speed is measured on the Korean declarations (54,000). Skill is measured on their leak-free part
only (first row of each tuple of HS6, departure, origin, tax rate, tax type, net mass), because
the official split repeats 84.8 % of its test tuples with their labels.

Every figure of skill is of a label known seven days after its declaration. Two protocols:
- folds: five shuffled folds (seed 7), as the published anchors; a row's features see earlier rows
  of the training folds only. The peer, LightGBM on raw codes as categories, sees whole folds.
- later: trained on the first 85 % by date, measured on the last 15 %, whose features see every
  earlier label, as if all had been inspected.
"""

import argparse
import time
from collections.abc import Callable
from datetime import timedelta

import korea
import lightgbm
import numpy as np
import polars as pl
from sklearn.model_selection import StratifiedKFold

from isthmus.risk.assess import Assessor
from isthmus.risk.catalogue import field_kinds
from isthmus.risk.features import features
from isthmus.risk.history import History
from isthmus.risk.metrics import auc, average_precision, precision_at
from isthmus.risk.model import Model, matrix
from isthmus.risk.objectives import Objective
from isthmus.risk.rules import read_folder, shipped_folder
from isthmus.risk.schema import frame, stored_rows
from isthmus.risk.training import train

DELAY = timedelta(days=7)
CODES = ("hs6", "hs4", "hs2", "dispatch_country", "origin_country", "duty_regime", "office", "mode",
         "payment")  # fmt: skip
NUMBERS = ("duty_rate", "net_kg", "value")


def outcomes(rows: pl.DataFrame, positive: pl.Series) -> pl.DataFrame:
    """Labelled rows as the history takes them."""
    return rows.with_columns(
        positive.alias("positive"),
        objective=pl.lit(Objective.REVENUE.value),
        recorded_at=pl.col("lodged_at") + DELAY,
    )


def speed(rows: pl.DataFrame, positive: pl.Series) -> None:
    """Rows a second of each step, best of three."""
    history = History()
    history.add_outcomes(outcomes(rows, positive))
    whole = features(rows, history)
    model = train(whole.with_columns(positive), Objective.REVENUE)
    ready = matrix(whole, model.features)
    booster = lightgbm.Booster(model_str=model.trees)
    rules = read_folder(shipped_folder(), field_kinds())
    plain, learnt = Assessor(rules), Assessor(rules, {Objective.REVENUE: model})
    steps: list[tuple[str, Callable[[], object]]] = [
        ("bare LightGBM on a ready matrix", lambda: booster.predict(ready, num_threads=2)),
        ("features as of each moment", lambda: features(rows, history)),
        ("model on the feature frame", lambda: model.predict(whole)),
        ("features and model", lambda: model.predict(features(rows, history))),
        ("assess 3 objectives, no model, to bytes", lambda: _bytes(plain, whole)),
        ("assess 3 objectives, one model, to bytes", lambda: _bytes(learnt, whole)),
        ("feature rows to stored bytes", lambda: stored_rows(whole)),
    ]
    print(f"{rows.height:,} rows, {len(model.features)} features, {model.about['rounds']} rounds")
    for name, step in steps:
        best = min(_timed(step) for _ in range(3))
        print(f"  {name:42} {rows.height / best:>12,.0f} rows/s")
    history.append(rows)
    one = rows[-1:].with_columns(id=pl.lit("new"))
    waits = sorted(_timed(lambda: learnt.assess(features(one, history))) for _ in range(100))
    middle, worst = waits[50] * 1e3, waits[98] * 1e3
    print(f"  one row, features to assessment: p50 {middle:.1f} ms, p99 {worst:.1f} ms")
    picked = _timed(lambda: model.contributions(whole[:500]))
    print(f"  contributions, for picks only: {500 / picked:,.0f} rows/s")


def skill(rows: pl.DataFrame, positive: pl.Series) -> None:
    """Skill of ours beside chance, a lookup of rates, and plain LightGBM, in the same folds."""
    truth = positive.to_numpy()
    names = ("random", "rates by goods and origin", "LightGBM on codes", "ours")
    scores = {name: np.zeros(len(truth)) for name in names}
    scores["random"] = np.random.default_rng(7).random(len(truth))
    folds = StratifiedKFold(5, shuffle=True, random_state=7)
    for taught, asked in folds.split(truth, truth):
        history = History()
        history.add_outcomes(outcomes(rows[taught], positive[taught]))
        history.append(rows)  # that a unit was declared is known whatever its label
        held = features(rows, history)
        model = train(held[taught].with_columns(positive[taught]), Objective.REVENUE)
        scores["ours"][asked] = model.predict(held[asked])
        rate = held["revenue_rate_hs6_origin"].fill_null(0).to_numpy()
        scores["rates by goods and origin"][asked] = rate[asked]
        scores["LightGBM on codes"][asked] = _plain(rows, truth, taught, asked)
    print(f"leak-free, five folds: {len(truth):,} rows, {truth.mean():.1%} fraud")
    _table(scores, truth)
    print("  anchors: rates .264 at 10 %, AUC .580; out-of-fold encodings + LightGBM .332, .627")

    cut = round(len(truth) * 0.85)
    history = History()
    history.add_outcomes(outcomes(rows, positive))
    held = features(rows, history)
    model = train(held[:cut].with_columns(positive[:cut]), Objective.REVENUE)
    asked = np.arange(cut, len(truth))
    print(f"leak-free, later: trained to {held['as_of'][cut]:%Y-%m-%d}, {len(asked):,} rows after")
    rate = held["revenue_rate_hs6_origin"].fill_null(0).to_numpy()[asked]
    later = {
        "random": scores["random"][asked],
        "rates by goods and origin": rate,
        "LightGBM on codes": _plain(rows, truth, np.arange(cut), asked),
        "ours": model.predict(held[asked]),
    }
    _table(later, truth[asked])
    _calibration(model, later["ours"], truth[asked])


def _plain(
    rows: pl.DataFrame, truth: np.ndarray, taught: np.ndarray, asked: np.ndarray
) -> np.ndarray:
    codes = rows.select(pl.col(name).rank("dense").fill_null(0) for name in CODES)
    numbers = np.column_stack([codes.to_numpy(), rows.select(NUMBERS).to_numpy()])
    data = lightgbm.Dataset(
        numbers[taught],
        truth[taught],
        categorical_feature=list(range(len(CODES))),
        params={"verbosity": -1},
    )
    settings = {"objective": "binary", "learning_rate": 0.05, "num_leaves": 31, "seed": 7,
                "min_data_in_leaf": 40, "num_threads": 2, "verbosity": -1}  # fmt: skip
    return lightgbm.train(settings, data, num_boost_round=150).predict(numbers[asked])


def _table(scores: dict[str, np.ndarray], truth: np.ndarray) -> None:
    print(f"  {'':28} {'P@1':>6} {'P@5':>6} {'P@10':>6} {'AUC':>6} {'AP':>6}")
    for name, held in scores.items():
        figures = [precision_at(held, truth, share) for share in (0.01, 0.05, 0.1)]
        figures += [auc(held, truth), average_precision(held, truth)]
        print(f"  {name:28} " + " ".join(f"{figure:6.3f}" for figure in figures))


def _calibration(model: Model, chance: np.ndarray, truth: np.ndarray) -> None:
    print(f"  calibration: mean probability {chance.mean():.3f}, found {truth.mean():.3f}")
    print("  as the model states it, on the last 15 % of what it was given:")
    for name, (value, low, high) in model.about["metrics"].items():
        print(f"    {name} {value:.3f} ({low:.3f} to {high:.3f})")


def _bytes(assessor: Assessor, rows: pl.DataFrame) -> None:
    for assessed in assessor.assess(rows).values():
        assessed.canonical()


def _timed(step: Callable[[], object]) -> float:
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--no-skill", action="store_true")
    wanted = parser.parse_args()
    if not korea.present():
        print("the Korean declarations are not at ../shared/data: nothing measured")
        return
    units, fraud = korea.units()
    rows = frame(units)
    speed(rows, fraud)
    if not wanted.no_skill:
        kept = korea.leak_free(rows.with_columns(fraud))
        skill(kept.drop("positive"), kept["positive"])


if __name__ == "__main__":
    main()
