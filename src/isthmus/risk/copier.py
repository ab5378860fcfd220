"""The copier: what is gained by knowing old labels by heart, beyond what an honest rate knows.

A copier looks up the exact tuple of some fields among the training rows and copies their label to
the test. Where rows were drawn independently, the copied label knows no more than the risk of the
tuple's parts; where rows and labels were resampled together, it knows the answer. So each test row
is scored twice:

- the look-up: the tuple's mean label in training, with half a row of the base rate as prior, so
  that well-supported tuples go first; an unseen tuple gets the base rate;
- the honest rates: what is known of a tuple that was *never seen*: smoothed rates of its single
  fields, of its pairs and of its parts from coarse to fine, combined by logistic regression. Rates
  of anything joint are out of fold by tuple, so no row of the same tuple speaks, in training or in
  test (target encoding: Micci-Barreca 2001, SIGKDD Explorations 3(1)). Categories and entities
  keep their whole past: that is knowledge, not copying. An exact quantity or an identifier is no
  category, so quantities are known by their quantile alone.

Both are compared on the same rows, those whose tuple was seen, by the area under the ROC curve.
The difference is the gain; its error is that of DeLong, DeLong and Clarke-Pearson (Biometrics
1988) summed by tuple (Obuchowski, Biometrics 1997), for rows of one tuple are not independent.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations

import numpy as np

from isthmus.risk.labelled import I64, Coded, Field, bins, together
from isthmus.risk.metrics import F64, Bools, auc, average_precision, precision_at

FIELDS = 6
WIDTH = 3
FOLDS = 5
MARGIN = 0.10
SURE = 3.2
LEAST_SEEN = 20
_PRIOR_ROWS = 0.5
_SMOOTHING = 10.0
_QUANTILES = 32
_PAIRED_FIELDS = 30

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Copier:
    """What a copier of one tuple scores on the test; shares of 1, areas from 0 to 1.

    ``seen`` is the share of test rows whose tuple stands in training; ``pure`` the share whose
    tuple has one label there, ``right`` how often that label is the test's. ``gain`` is the
    look-up's area less the honest one on the seen rows, ``gain_low`` its lower bound at 3.2
    standard errors (one-sided .0007, so that a dozen tuples together stay below .01); they are
    missing when fewer than twenty seen rows have either label.
    """

    fields: tuple[str, ...]
    seen: float
    pure: float
    right: float | None
    precision_at_1: float
    precision_at_5: float
    precision_at_10: float
    auc: float
    ap: float
    lookup_auc_seen: float | None
    honest_auc_seen: float | None
    honest_auc_unseen: float | None
    gain: float | None
    gain_low: float | None

    @property
    def convicts(self) -> bool:
        """Whether knowing the tuple by heart gains more than the margin, beyond doubt.

        The margin is reasoned, then tried on simulated sets of known truth (``tests/risk``). A
        lawful interaction that no part of the tuple shows, or a habit that several fields reveal
        together, makes a look-up better than its parts, but only where support is large, and there
        the single rates know most of it. Over 247 clean sets of 4,000 rows on fresh seeds the
        largest gain was .18, on few positives, and the largest lower bound -.001: it is the bound
        that acquits, not the gain alone. Copied labels gain .18 to .42 however few the copies;
        of sets of 12,000 rows, five seeds each, all are convicted from 30 % of rows copied at 10 %
        and 22 % positive, and at 2 % positive four from 70 % and all when every row is copied.
        """
        return self.gain_low is not None and self.gain_low > MARGIN


def search(
    coded: Coded, offered: Sequence[Field], progress: Progress
) -> list[tuple[float, tuple[Field, ...]]]:
    """The best tuple of each size up to six among the fields offered, with its area.

    Greedy, keeping the three best of each size; pairs are tried exhaustively up to thirty fields,
    since a leaky pair may hide in harmless singles. Tuples are found within the training rows
    (fitted on the earlier part, copied to the later), so that the test's figures are not the best
    of many tries.
    """
    rows = np.flatnonzero(coded.train)
    fields = [field for field in offered if field.codes[rows].min() < field.codes.max()]
    codes = {field.name: field.codes[rows] for field in fields}
    positive = coded.positive[rows]
    fit = _inner(coded, rows)
    named = {field.name: field for field in fields}
    tried: dict[frozenset[str], float] = {}
    best: list[tuple[float, tuple[str, ...]]] = []
    beam: list[tuple[float, tuple[str, ...], I64]] = [(0.5, (), np.zeros(len(rows), np.int64))]
    for size in range(1, min(FIELDS, len(fields)) + 1):
        found: list[tuple[float, tuple[str, ...], I64]] = []
        for start, (_, names, known) in enumerate(beam):
            progress(f"tuples of {size}", start, len(beam))
            for name, values in codes.items():
                key = frozenset((*names, name))
                if name in names or key in tried:
                    continue
                joint = together(known, values)
                scores, _ = lookup(joint, positive, fit)
                tried[key] = auc(scores[~fit], positive[~fit])
                found.append((tried[key], (*names, name), joint))
        if not found:
            break
        found.sort(key=lambda entry: (-entry[0], entry[1]))
        best.append(found[0][:2])
        wide = size == 1 and len(fields) <= _PAIRED_FIELDS
        beam = found if wide else found[:WIDTH]
    return [(area, tuple(named[name] for name in names)) for area, names in best]


def judge(coded: Coded, fields: Sequence[Field]) -> Copier:
    """Score the test by look-up of the tuple and by honest rates."""
    positive, test, train = coded.positive, coded.test, coded.train
    codes = reduce(together, (field.codes for field in fields))
    scores, support = lookup(codes, positive, train)
    hits = np.bincount(codes[train], positive[train], len(support))
    pure = ((hits == 0) | (hits == support))[codes] & (support[codes] > 0) & test
    copied = hits[codes[pure]] > 0
    seen = (support[codes] > 0) & test
    unseen = test & ~seen
    wanted = _enough(positive[seen]) and _memorisable(fields)
    honest = honest_scores(coded, fields, codes) if wanted else None
    gain = low = None
    if honest is not None:
        gain, error = _difference(scores[seen], honest[seen], positive[seen], codes[seen])
        low = gain - SURE * error
    return Copier(
        fields=tuple(field.name for field in fields),
        seen=float(seen.sum() / test.sum()),
        pure=float(pure.sum() / test.sum()),
        right=float((copied == positive[pure]).mean()) if pure.any() else None,
        precision_at_1=precision_at(scores[test], positive[test], 0.01),
        precision_at_5=precision_at(scores[test], positive[test], 0.05),
        precision_at_10=precision_at(scores[test], positive[test], 0.10),
        auc=auc(scores[test], positive[test]),
        ap=average_precision(scores[test], positive[test]),
        lookup_auc_seen=auc(scores[seen], positive[seen]) if _enough(positive[seen]) else None,
        honest_auc_seen=None if honest is None else auc(honest[seen], positive[seen]),
        honest_auc_unseen=(
            auc(honest[unseen], positive[unseen])
            if honest is not None and _enough(positive[unseen])
            else None
        ),
        gain=gain,
        gain_low=low,
    )


def lookup(codes: I64, positive: Bools, fit: Bools) -> tuple[F64, F64]:
    """Each row's copied label as a score, and the training rows behind each code."""
    count = int(codes.max()) + 1
    base = float(positive[fit].mean())
    support = np.bincount(codes[fit], minlength=count).astype(np.float64)
    hits = np.bincount(codes[fit], positive[fit], count)
    rates = (hits + _PRIOR_ROWS * base) / (support + _PRIOR_ROWS)
    return rates[codes], support


def honest_scores(coded: Coded, fields: Sequence[Field], codes: I64) -> F64:
    """Each row's score as if its tuple had never been seen, fitted on the training rows."""
    by_tuple = _mixed(codes) % FOLDS
    by_row = np.where(coded.test, FOLDS, _mixed(np.arange(len(codes))) % FOLDS)
    columns = []
    for field in dict.fromkeys((*fields, *coded.entities)):
        columns += [rates(levels, by_row, coded) for levels in _single(field)]
    ordered = sorted(fields, key=lambda field: (int(field.codes.max()), field.name))
    if len(ordered) > 1:
        columns += [rates([f.codes], by_tuple, coded) for f in ordered if _loose(f)]
    if 2 < len(ordered) <= FIELDS:
        for first, second in combinations(ordered, 2):
            columns.append(rates([together(first.codes, second.codes)], by_tuple, coded))
        chain = [ordered[0].codes]
        for field in ordered[1:-1]:
            chain.append(together(chain[-1], field.codes))
        columns.append(rates(chain, by_tuple, coded))
    if not columns:
        return np.full(len(codes), float(coded.positive[coded.train].mean()))
    return _regress(np.column_stack(columns), coded.positive, coded.train)


def rates(levels: Sequence[I64], folds: I64, coded: Coded) -> F64:
    """Smoothed rates from coarse to fine, as log-odds, each row by the other folds' training rows.

    At each level the rate is (hits + 10 × coarser rate) / (rows + 10).
    """
    train, positive = coded.train, coded.positive
    known = np.empty(len(positive))
    for fold in np.unique(folds):
        fit, rows = train & (folds != fold), folds == fold
        prior = np.full(int(rows.sum()), float(positive[train].mean()))
        for codes in levels:
            count = int(codes.max()) + 1
            support = np.bincount(codes[fit], minlength=count)[codes[rows]]
            hits = np.bincount(codes[fit], positive[fit], count)[codes[rows]]
            prior = (hits + _SMOOTHING * prior) / (support + _SMOOTHING)
        known[rows] = prior
    return np.log(known / (1 - known))


def _single(field: Field) -> list[list[I64]]:
    """What may be known of one field alone, from coarse to fine."""
    if field.kind == "quantity" and field.number is not None:
        return [[bins(field.number, _QUANTILES)]]
    if field.kind in ("category", "entity"):
        return [[*_prefixes(field), field.codes]]
    return [[*_prefixes(field)]] if _prefixes(field) else []


def _prefixes(field: Field) -> list[I64]:
    """The first two and four characters of codes of one length, such as HS 2, HS 4 of HS 6."""
    if field.text is None or field.kind == "entity":
        return []
    sizes = field.text.drop_nulls().str.len_chars().unique()
    if len(sizes) != 1 or sizes[0] < FIELDS:
        return []
    return [
        field.text.str.slice(0, size).rank("dense").fill_null(0).to_numpy().astype(np.int64)
        for size in (2, 4)
    ]


def _loose(field: Field) -> bool:
    return field.kind in ("quantity", "identifier")


def _memorisable(fields: Sequence[Field]) -> bool:
    """A single category or entity cannot be copied: its rate is knowledge, judged elsewhere."""
    return len(fields) > 1 or _loose(fields[0])


def _inner(coded: Coded, rows: I64) -> Bools:
    """The training rows to fit on while searching: the earlier ones, else four folds of five."""
    if coded.time is None:
        return _mixed(rows) % FOLDS > 0
    time = coded.time[rows]
    fit = time <= np.quantile(time, 1 - 1 / FOLDS, method="lower")
    mixed = _enough(coded.positive[rows][~fit]) and _enough(coded.positive[rows][fit])
    return fit if mixed else _mixed(rows) % FOLDS > 0


def _mixed(codes: I64) -> I64:
    """A well-spread number for each code: the finaliser of SplitMix64 (Steele et al. 2014)."""
    state = (codes.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (state >> np.uint64(33)).astype(np.int64)


def _enough(positive: Bools) -> bool:
    hits = int(positive.sum())
    return min(hits, len(positive) - hits) >= LEAST_SEEN


def _regress(columns: F64, positive: Bools, train: Bools) -> F64:
    """Ridge logistic regression by Newton's method; scores of every row."""
    centre, spread = columns[train].mean(0), columns[train].std(0)
    spread[spread == 0] = 1.0
    design = np.column_stack((np.ones(len(columns)), (columns - centre) / spread))
    known, truth = design[train], positive[train].astype(np.float64)
    ridge = np.diag([1e-6, *([1.0] * columns.shape[1])])
    weights = np.zeros(design.shape[1])
    base = truth.mean()
    weights[0] = np.log(base / (1 - base))
    for _ in range(25):
        chance = 1 / (1 + np.exp(-np.clip(known @ weights, -30, 30)))
        slope = known.T @ (truth - chance) - ridge @ weights
        curve = (known * (chance * (1 - chance))[:, None]).T @ known + ridge
        step = np.linalg.solve(curve, slope)
        weights += step
        if np.abs(step).max() < 1e-6:
            break
    scores: F64 = design @ weights
    return scores


def _difference(first: F64, second: F64, positive: Bools, cluster: I64) -> tuple[float, float]:
    """The difference of two areas on the same rows, and its standard error by cluster."""
    area, influence = _influence(first, positive)
    other, other_influence = _influence(second, positive)
    _, place = np.unique(cluster, return_inverse=True)
    sums = np.bincount(place, influence - other_influence)
    scale = len(sums) / max(len(sums) - 1, 1)
    return area - other, float(np.sqrt(scale * (sums**2).sum()))


def _influence(scores: F64, positive: Bools) -> tuple[float, F64]:
    """The area, and how much each row moves it (DeLong's placement values)."""
    high, low = np.sort(scores[positive]), np.sort(scores[~positive])
    below = np.searchsorted(low, scores[positive], "left")
    below_or_equal = np.searchsorted(low, scores[positive], "right")
    above = len(high) - np.searchsorted(high, scores[~positive], "right")
    above_or_equal = len(high) - np.searchsorted(high, scores[~positive], "left")
    placed = np.empty(len(scores))
    placed[positive] = (below + below_or_equal) / (2 * len(low))
    placed[~positive] = (above + above_or_equal) / (2 * len(high))
    area = float(placed[positive].mean())
    placed = placed - area
    placed[positive] /= len(high)
    placed[~positive] /= len(low)
    return area, placed
