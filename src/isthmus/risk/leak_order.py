"""Whether ids and the order of rows know the label: neither means anything in the trade.

Every mark of an id or place is correlated with the label within blocks of rows of one time, so
that lawful drift does not count. The labels are then shuffled within the blocks; the largest of
all marks' deviations in each shuffle is what chance alone reaches (Westfall and Young 1993, max-T),
and its tail is a Gumbel law fitted to the shuffles. A mark is a leak when chance would reach it in
fewer than one set of a thousand *and* it matters: an area off .5 by .02, or a group of rows with
half or one and a half times the positives expected.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from isthmus.risk.labelled import I64, Coded, Field
from isthmus.risk.leak_findings import Finding
from isthmus.risk.metrics import F64, Bools, auc

CHANCE = 0.001
SHUFFLES = 200
AREA_OFF = 0.02
_RATIO = 1.5
_EXPECTED = 5.0
_WINDOW = 100
_PREFIXES = 10
_ADVICE = {
    True: "Shuffle the rows, or name the column of their time if that is their order.",
    False: "Shuffle rows of one time.",
}
_EULER = 0.5772156649
_SEED = 20_240_501


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark that knows the label: how far, and how likely by chance over all marks tried."""

    name: str
    z: float
    chance: float
    area: float
    rate: float | None
    expected_rate: float | None

    def figures(self) -> Mapping[str, float]:
        """The figures of a finding."""
        named = {"z": self.z, "chance": self.chance, "auc": self.area}
        if self.rate is not None and self.expected_rate is not None:
            named |= {"rate": self.rate, "expected_rate": self.expected_rate}
        return named


def order(coded: Coded) -> list[Finding]:
    """Whether a row's place in its file, or its neighbour's label, tells its own.

    Place is compared among rows of one time only; when rows come strictly in order of time, place
    says no more than time does and only neighbours are looked at.
    """
    label = coded.positive.astype(np.float64)
    place = np.arange(len(label), dtype=np.float64)
    blocks = moments(coded)
    marks = strong({"place": place}, label, blocks) if _place_is_free(coded) else []
    found = [
        Finding(
            "order",
            "leak",
            (),
            mark.figures(),
            f"A row's place in its file tells its label (AUC {mark.area:.3f} among rows of the "
            "same time). " + _ADVICE[coded.time is None],
        )
        for mark in marks
    ]
    return found + _neighbours(label, blocks)


def ids(coded: Coded) -> list[Finding]:
    """Whether the id's number, digits, length or beginning tells the label."""
    if coded.id is None:
        return []
    marks = strong(_marks(coded.id), coded.positive.astype(np.float64), moments(coded))
    return [_id_finding(coded.id.name, mark, "id") for mark in marks]


def entities(coded: Coded) -> list[Finding]:
    """Whether the *name* of an actor, not its history, tells how often its rows are positive.

    The actor is the unit here: its rate is shuffled among actors with as many rows that appeared
    at about the same time, so that newcomers may lawfully be riskier.
    """
    found = []
    for field in coded.entities:
        _, first, place, rows = np.unique(
            field.codes, return_index=True, return_inverse=True, return_counts=True
        )
        rate = np.bincount(place, coded.positive) / rows
        activity = np.floor(np.log2(rows)).astype(np.int64)
        since = np.argsort(np.argsort(_first_seen(coded, place, len(rows)))) * 10 // len(rows)
        chosen = _only(field, first)
        marks = strong(_marks(chosen), rate, activity * 10 + since)
        found += [_id_finding(field.name, mark, "identity") for mark in marks]
    return found


def moments(coded: Coded) -> I64:
    """Blocks of rows of one time: equal times where there are any, else a hundred rows in order."""
    if coded.time is None:
        return coded.file
    _, exact = np.unique(coded.time, return_inverse=True)
    blocks = exact
    if len(exact) < 2 * (exact.max() + 1):
        later = np.argsort(coded.time, kind="stable")
        blocks = np.empty(len(later), dtype=np.int64)
        blocks[later] = np.arange(len(later)) // _WINDOW
    joined: I64 = blocks.astype(np.int64) * 2 + coded.file
    return np.unique(joined, return_inverse=True)[1].astype(np.int64)


def strong(marks: Mapping[str, F64], label: F64, blocks: I64) -> list[Mark]:
    """The marks that know more of the label than chance and than what matters."""
    named = {name: values for name, values in marks.items() if np.ptp(values) > 0}
    if not named:
        return []
    centred = [_centred(values, blocks) for values in named.values()]
    values = np.column_stack([np.zeros_like(c) if not c.any() else c for c in centred])
    rest = _centred(label, blocks)
    size = np.bincount(blocks)
    spread = np.bincount(blocks, rest**2) / np.maximum(size - 1, 1)
    scale = np.sqrt(
        np.column_stack([np.bincount(blocks, v**2) * spread for v in values.T]).sum(axis=0)
    )
    scale[scale == 0] = np.inf
    z = _against(values, rest) / scale
    shuffles = _shuffles(rest, blocks)
    tops = np.array([np.abs(_against(values, shuffle) / scale).max() for shuffle in shuffles])
    chances = _tail(np.abs(z), tops)
    found = []
    for index, name in enumerate(named):
        if chances[index] >= CHANCE:
            continue
        group = np.isin(named[name], (0.0, 1.0)).all()
        area = _area(values[:, index], rest)
        rate = expected = None
        if group:
            chosen = named[name] == 1
            rate = float(label[chosen].mean())
            expected = float((label - rest)[chosen].mean())
        mark = Mark(name, float(z[index]), float(chances[index]), area, rate, expected)
        if abs(area - 0.5) >= AREA_OFF or _uneven(mark, int(group and chosen.sum())):
            found.append(mark)
    return sorted(found, key=lambda mark: -abs(mark.z))


def _against(values: F64, label: F64) -> F64:
    # not a matrix product: hundreds of small ones would wait for busy cores in the linear algebra
    sums: F64 = np.einsum("ij,i->j", values, label)
    return sums


def _uneven(mark: Mark, rows: int) -> bool:
    if mark.rate is None or not mark.expected_rate or mark.expected_rate * rows < _EXPECTED:
        return False
    return not 1 / _RATIO < mark.rate / mark.expected_rate < _RATIO


def _area(values: F64, rest: F64) -> float:
    high = rest > 0
    return auc(values, high) if 0 < high.sum() < len(high) else 0.5


def _centred(values: F64, blocks: I64) -> F64:
    size = np.maximum(np.bincount(blocks), 1)
    centred: F64 = values - (np.bincount(blocks, values) / size)[blocks]
    return np.where(np.abs(centred) < 1e-9 * max(1.0, float(np.abs(values).max())), 0.0, centred)


def _shuffles(label: F64, blocks: I64) -> Iterator[F64]:
    random = np.random.Generator(np.random.PCG64(_SEED))
    rows = np.argsort(blocks, kind="stable")
    for _ in range(SHUFFLES):
        shuffled = np.empty_like(label)
        shuffled[rows] = label[np.argsort(blocks + random.random(len(label)))]
        yield shuffled


def _tail(z: F64, tops: F64) -> F64:
    """The chance that the largest of all marks reaches z: a Gumbel law by its moments."""
    scale = max(float(tops.std(ddof=1)) * np.sqrt(6) / np.pi, 1e-9)
    centre = float(tops.mean()) - _EULER * scale
    tail: F64 = -np.expm1(-np.exp(-np.clip((z - centre) / scale, -30, 700)))
    return tail


def _neighbours(label: F64, blocks: I64) -> list[Finding]:
    """Whether positives stand together beyond what lawful runs of one trade explain.

    Counted are pairs of neighbours of one time that are both positive, as a share of the pairs
    there would be if each time's positives stood in one run. A leak is more than half the way from
    what shuffles give to that; less is a notice, for lines of one trade lawfully stand together.
    """
    rows = np.argsort(blocks, kind="stable")
    same = np.diff(blocks[rows]) == 0
    most = float(np.maximum(np.bincount(blocks, label) - 1, 0).sum())
    if most == 0:
        return []
    tries = np.array([_pairs(shuffle[rows], same) for shuffle in _shuffles(label, blocks)]) / most
    together = _pairs(label[rows], same) / most
    expected, spread = float(tries.mean()), max(float(tries.std(ddof=1)), 1e-9)
    z = (together - expected) / spread
    chance = float(_tail(np.array([z]), (tries - expected) / spread)[0])
    if chance >= CHANCE or z < 0:
        return []
    leak = together > (1 + expected) / 2
    words = f"Positive rows of one time stand together: {together:.0%} of the pairs they could "
    words += f"form, where {expected:.0%} were expected. "
    words += "Rows are grouped by label." if leak else "Lines of one trade may explain it."
    figures = {"z": z, "chance": chance, "together": together, "expected": expected}
    return [Finding("order", "leak" if leak else "notice", (), figures, words)]


def _pairs(label: F64, same: Bools) -> float:
    """How many neighbours of one block are both positive."""
    return float((label[:-1] * label[1:] * same).sum())


def _place_is_free(coded: Coded) -> bool:
    """Whether place can say more than time: without a time, with equal times, or out of order."""
    if coded.time is None:
        return True
    step = np.diff(coded.time)[np.diff(coded.file) == 0]
    return bool((step <= 0).mean() > 0.01)


def _first_seen(coded: Coded, place: I64, count: int) -> F64:
    when = np.arange(len(place), dtype=np.float64) if coded.time is None else coded.time
    first = np.full(count, np.inf)
    np.minimum.at(first, place, when)
    return first


def _only(field: Field, rows: I64) -> Field:
    """The same field at some rows."""
    return Field(
        field.name,
        field.kind,
        field.codes[rows],
        None if field.number is None else field.number[rows],
        None if field.text is None else field.text[rows.tolist()],
    )


def _marks(field: Field) -> dict[str, F64]:
    """What can be read off an id without knowing whose it is."""
    marks = {"rank": np.unique(field.codes, return_inverse=True)[1].astype(np.float64)}
    if field.text is not None:
        text = field.text.fill_null("")
    else:
        known = field.codes if field.number is None else np.nan_to_num(field.number)
        text = pl.Series(known).cast(pl.Int64).cast(pl.String)
    marks["length"] = text.str.len_chars().to_numpy().astype(np.float64)
    marks["letters"] = text.str.count_matches(r"[A-Za-z]").to_numpy().astype(np.float64)
    marks["small letters"] = text.str.count_matches(r"[a-z]").to_numpy().astype(np.float64)
    digits = text.str.replace_all(r"\D", "").str.tail(15)
    number = digits.cast(pl.Int64, strict=False).fill_null(0).to_numpy()
    marks["number"] = np.unique(number, return_inverse=True)[1].astype(np.float64)
    for modulus in (3, 7, 10):
        for rest in range(modulus):
            marks[f"number modulo {modulus} is {rest}"] = (number % modulus == rest) * 1.0
    marks["number is even"] = (number % 2 == 0) * 1.0
    for size in (1, 2, 3):
        starts = text.str.slice(0, size)
        for start in starts.value_counts(sort=True).head(_PREFIXES)[starts.name].to_list():
            marks[f"begins with {start!r}"] = (starts == start).to_numpy() * 1.0
        ends = text.str.tail(size)
        if size == 1:
            for end in ends.value_counts(sort=True).head(_PREFIXES)[ends.name].to_list():
                marks[f"ends in {end!r}"] = (ends == end).to_numpy() * 1.0
    return marks


def _id_finding(name: str, mark: Mark, kind: str) -> Finding:
    if mark.rate is not None and mark.expected_rate is not None:
        told = f"{mark.rate:.1%} of such rows are positive, {mark.expected_rate:.1%} were expected"
    else:
        told = f"AUC {mark.area:.3f} among rows of the same time"
    words = f"{name} tells the label by itself: {mark.name} ({told})."
    return Finding("id" if kind == "id" else "identity", "leak", (name,), mark.figures(), words)
