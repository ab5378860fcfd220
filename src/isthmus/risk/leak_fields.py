"""Fields that know the label: pure values, actors that never vary, repeats, and the future.

In lawful trade no trace is certain and none is exclusive to crime, so a value, an actor or a field
that settles the label was made from it.
"""

from collections.abc import Iterator

import numpy as np

from isthmus.risk.copier import lookup
from isthmus.risk.labelled import I64, Coded, Field, bins, together
from isthmus.risk.leak_findings import Finding, Kind, Severity
from isthmus.risk.metrics import F64, Bools, auc, average_precision

CHANCE = 0.001
PURE = 0.95
PURE_ROWS = 20
SETTLED = 0.95
PRECISE = 0.9
CONSTANT_ACTORS = 0.8
LATE_AREA = 0.05
COUNTER_AREA = 0.75
DRIFT_NOTICE, DRIFT_LEAK = 0.05, 0.30
REPEATED = 0.01
_QUANTILES = 64
_UNIQUE = 0.99
_LEAST = 10


def pure(coded: Coded) -> Iterator[Finding]:
    """Values whose rows are nearly all of the rarer label, and fields that settle it alone.

    A value needs twenty rows, 95 % of the rarer label, and a chance below .001 for all values
    tried, by the bound exp(-n·KL(share, base)) on a binomial tail (Hoeffding 1963). A field settles
    the label when its rates, fitted on training, reach an area of .95 on the test; for an actor,
    whose history may lawfully rank well, an average precision of .9 as well.
    """
    rare = _rare(coded.positive)
    base = float(rare.mean())
    looked = [(field, codes) for field in coded.searched for codes in _views(field)]
    tried = sum(int(codes.max()) + 1 for _, codes in looked)
    named: set[str] = set()
    for field, codes in looked:
        if field.name in named:
            continue
        rows = np.bincount(codes)
        share = np.bincount(codes, rare) / np.maximum(rows, 1)
        certain = (rows >= PURE_ROWS) & (share >= PURE)
        limit = rows * _divergence(share, base) > np.log(tried / CHANCE)
        scores = lookup(codes, coded.positive, coded.train)[0][coded.test]
        area = auc(scores, coded.positive[coded.test])
        kind: Kind = "identity" if field.kind == "entity" else "label_pure"
        if (certain & limit).any():
            held = int(rows[certain & limit].sum())
            values = int((certain & limit).sum())
            figures = {"values": values, "rows": held, "least_share": float(share[certain].min())}
            words = f"{field.name} settles the label at {values} of its values, over {held:,} rows."
        elif area >= SETTLED and (field.kind != "entity" or _precise(scores, rare[coded.test])):
            figures = {"auc": area}
            words = f"{field.name} alone ranks the test almost rightly (AUC {area:.3f})."
        else:
            continue
        named.add(field.name)
        yield Finding(kind, "leak", (field.name,), figures, words)


def constant_actors(coded: Coded) -> Iterator[Finding]:
    """Actors whose every row has the rarer label, so that one row gives the others away.

    Looked up from training, and for actors that training has never seen from their later rows in
    the test, which no history could know. Convicts when the label copied is right with a lower
    bound above .8 (Wilson's, at 99.9 %), over twenty rows.
    """
    rare = _rare(coded.positive)
    for field in (*coded.entities, *filter(None, (coded.id,))):
        known = np.bincount(field.codes[coded.train], minlength=int(field.codes.max()) + 1)
        fresh = coded.test & (known[field.codes] == 0)
        told = {
            "history": _copied(field.codes, rare, coded.train, coded.test),
            "later rows": _from_later(field.codes, rare, fresh, coded.time),
        }
        for source, (right, rows) in told.items():
            low = _wilson(right, rows)
            if rows >= PURE_ROWS and low > CONSTANT_ACTORS:
                words = (
                    f"A {field.name} that was only ever of the rarer label remains so in "
                    f"{right / rows:.1%} of {rows:,} rows ({source}): its name is the label."
                )
                figures = {"right": right / rows, "rows": rows, "right_low": low}
                yield Finding("identity", "leak", (field.name,), figures, words)


def overlap(coded: Coded) -> Iterator[Finding]:
    """Rows of the test that stand in training: the same id, or the same in every field."""
    if coded.id is not None:
        again = coded.test & np.isin(coded.id.codes, coded.id.codes[coded.train])
        share = float(again.sum() / coded.test.sum())
        if again.sum() >= _LEAST:
            words = f"{share:.1%} of the test's rows have an id that stands in training."
            yield Finding("overlap", "leak", (coded.id.name,), {"share": share}, words)
    codes = whole(coded)
    in_train = np.bincount(codes[coded.train], minlength=int(codes.max()) + 1)
    again = coded.test & (in_train[codes] > 0)
    share = float(again.sum() / coded.test.sum())
    unique = float((in_train > 0).sum() / coded.train.sum())
    if again.sum() < _LEAST or share < REPEATED:
        return
    leak = unique >= _UNIQUE and share > 5 * (1 - unique)
    words = f"{share:.1%} of the test's rows equal a training row in every field; "
    words += f"within training {1 - unique:.1%} do."
    figures = {"share": share, "within_training": 1 - unique}
    yield Finding("overlap", "leak" if leak else "notice", (), figures, words)


def time_travel(coded: Coded) -> Iterator[Finding]:
    """Fields that know what came after the record's own time.

    Dates later than it that predict by their presence, lag or day (area off .5 by .05 and four
    standard errors), and running figures of an actor that move *with* the row's own label rather
    than after it: such a figure was counted with the outcome in it.
    """
    if coded.time is None:
        return
    for field in coded.searched:
        if field.instant is not None:
            yield from _late(field, field.instant, coded)
    for actor in coded.entities:
        yield from _counted(actor, coded)


def drift(coded: Coded) -> Iterator[Finding]:
    """Whether the share of positives moves with time: lawful in measure, a leak when it decides."""
    if coded.time is None:
        return
    area = auc(coded.time, coded.positive)
    off = abs(area - 0.5)
    if off < DRIFT_NOTICE or off < 4 * _error(coded.positive):
        return
    leak = off >= DRIFT_LEAK
    words = f"Time alone ranks the rows with AUC {area:.3f}: "
    words += "the labels were given by period." if leak else "the share of positives drifts."
    yield Finding("drift", "leak" if leak else "notice", (), {"auc": area}, words)


def whole(coded: Coded) -> I64:
    """Codes of rows that are equal in every field."""
    codes = np.zeros(len(coded.positive), dtype=np.int64)
    for field in coded.searched:
        codes = together(codes, field.codes)
    return codes


def _rare(positive: Bools) -> Bools:
    return positive if positive.mean() <= 0.5 else ~positive


def _views(field: Field) -> list[I64]:
    if field.number is None or field.kind != "quantity":
        return [field.codes]
    return [field.codes, bins(field.number, _QUANTILES)]


def _divergence(share: F64, base: float) -> F64:
    """Kullback and Leibler's divergence of two coins, in nats."""
    share = np.clip(share, 1e-12, 1 - 1e-12)
    found: F64 = share * np.log(share / base) + (1 - share) * np.log((1 - share) / (1 - base))
    return np.where(share > base, found, 0.0)


def _precise(scores: F64, rare: Bools) -> bool:
    return max(average_precision(scores, rare), average_precision(-scores, rare)) >= PRECISE


def _error(positive: Bools) -> float:
    """The standard error of an area under chance (Mann and Whitney 1947)."""
    hits = int(positive.sum())
    misses = len(positive) - hits
    return float(np.sqrt((hits + misses + 1) / (12 * hits * misses)))


def _copied(codes: I64, rare: Bools, fit: Bools, copy: Bools) -> tuple[int, int]:
    count = int(codes.max()) + 1
    rows = np.bincount(codes[fit], minlength=count)
    hits = np.bincount(codes[fit], rare[fit], count)
    told = copy & ((rows > 0) & (hits == rows))[codes]
    return int(rare[told].sum()), int(told.sum())


def _from_later(codes: I64, rare: Bools, fresh: Bools, time: F64 | None) -> tuple[int, int]:
    """The label of each fresh actor's row told by the next row of the same actor."""
    rows = np.flatnonzero(fresh)
    when = rows if time is None else time[rows]
    rows = rows[np.lexsort((rows, when, codes[rows]))]
    follows = codes[rows][:-1] == codes[rows][1:]
    told = follows & rare[rows][1:]
    return int(rare[rows][:-1][told].sum()), int(told.sum())


def _wilson(right: int, rows: int, z: float = 3.09) -> float:
    """The lower bound of a share (Wilson 1927)."""
    if rows == 0:
        return 0.0
    share = right / rows
    centre = share + z * z / (2 * rows)
    reach = z * np.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows))
    return float((centre - reach) / (1 + z * z / rows))


def _late(field: Field, instant: F64, coded: Coded) -> Iterator[Finding]:
    time = coded.time
    if time is None:
        return
    shown = np.floor(instant / 86_400) * 86_400 if coded.by_day else instant
    lag = shown - time
    known = ~np.isnan(lag)
    late = float((lag[known] > 0).mean()) if known.any() else 0.0
    if late <= REPEATED:
        return
    marks = {
        "presence": known.astype(np.float64),
        "lag": np.where(known, lag, -np.inf),
        "lag where present": lag,
    }
    best, area = "", 0.5
    for name, values in marks.items():
        rows = ~np.isnan(values)
        positive = coded.positive[rows]
        if not _LEAST <= positive.sum() <= len(positive) - _LEAST:
            continue
        found = auc(values[rows], positive)
        if abs(found - 0.5) > max(abs(area - 0.5), LATE_AREA, 4 * _error(positive)):
            best, area = name, found
    predicts = best != ""
    words = f"{field.name} is later than the record's own time in {late:.1%} of rows"
    words += (
        f", and its {best} predicts (AUC {area:.3f})." if predicts else "; it does not predict."
    )
    severity: Severity = "leak" if predicts else "notice"
    figures = {"later": late, "auc": area}
    yield Finding(
        "time_travel", "leak" if severity == "leak" else "notice", (field.name,), figures, words
    )


def _counted(actor: Field, coded: Coded) -> Iterator[Finding]:
    if coded.time is None:
        return
    rows = np.lexsort((np.arange(len(coded.time)), coded.time, actor.codes))
    follows = np.diff(actor.codes[rows]) == 0
    now, before = coded.positive[rows][1:][follows], coded.positive[rows][:-1][follows]
    for field in coded.fields:
        if field.number is None or not _LEAST <= now.sum() <= len(now) - _LEAST:
            continue
        step = np.diff(field.number[rows])[follows]
        known = ~np.isnan(step)
        if min(now[known].sum(), before[known].sum()) < _LEAST or now[known].all():
            continue
        with_own, with_last = auc(step[known], now[known]), auc(step[known], before[known])
        counter = float((step[known] >= 0).mean()) >= _UNIQUE
        moved = with_own >= (COUNTER_AREA if counter else SETTLED)
        if moved and with_own - with_last > 0.2:
            words = (
                f"{field.name} moves with the label of the row itself within a {actor.name} "
                f"(AUC {with_own:.3f}; with the label before it {with_last:.3f})."
            )
            figures = {"auc_own": with_own, "auc_previous": with_last}
            yield Finding("time_travel", "leak", (field.name, actor.name), figures, words)
