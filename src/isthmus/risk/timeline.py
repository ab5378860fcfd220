"""What was seen before a moment: counts, first, last and sums per key, as of any moment.

Entries are kept in sorted segments that are merged as they grow, so adding one entry to a million
is cheap and asking is a few binary searches. Sums are sums of integers: they do not depend on the
order of adding, on batches or on threads.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

U64 = NDArray[np.uint64]
I64 = NDArray[np.int64]
U32 = NDArray[np.uint32]
NEVER = np.iinfo(np.int64).min

_GROWTH = 8  # a segment is merged with the one before it when that is less than 8 times as large

_FEW = 4


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """Entries to add: moments in microseconds, a hash of the id, and keys of each kind.

    A key of 0 means that the entry has none of this kind. ``measures`` gives for some kinds the
    integers to be summed, one array per sum.
    """

    times: I64
    ids: U64
    keys: Mapping[str, U64]
    measures: Mapping[str, tuple[I64, ...]]

    def take(self, chosen: NDArray[Any]) -> "Entries":
        """The entries at these positions."""
        return Entries(
            self.times[chosen],
            self.ids[chosen],
            {kind: keys[chosen] for kind, keys in self.keys.items()},
            {kind: tuple(one[chosen] for one in sums) for kind, sums in self.measures.items()},
        )


@dataclass(frozen=True, slots=True, eq=False)
class Questions:
    """Of when and for whom: moments, ids that break ties at the same moment, the asker's own id.

    Entries at (moment, id) strictly before (time, tie) count, except those of the asker itself.
    """

    times: I64
    ties: U64
    own: U64


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What had been seen: how often, the first and last moment (``NEVER`` if not), and sums."""

    count: I64
    first: I64
    last: I64
    sums: tuple[I64, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """Entries by key: those of ``keys[i]`` are ``ranks[starts[i]:starts[i + 1]]``, ascending."""

    keys: U64
    starts: U32
    ranks: U32
    cumulated: tuple[I64, ...]  # per sum, over the entries in this order, with a leading 0


class Segment:
    """Entries in the order of (moment, id), indexed by key."""

    __slots__ = ("_by_id", "_groups", "_ids", "_times")

    def __init__(self, entries: Entries) -> None:
        order = np.lexsort((entries.ids, entries.times))
        self._times = entries.times[order]
        self._ids = entries.ids[order]
        self._by_id = np.argsort(self._ids, kind="stable").astype(np.uint32)
        self._groups = {
            kind: _group(keys[order], [one[order] for one in entries.measures.get(kind, ())])
            for kind, keys in entries.keys.items()
        }

    def __len__(self) -> int:
        return len(self._times)

    @property
    def nbytes(self) -> int:
        """Bytes held in arrays."""
        arrays: list[NDArray[Any]] = [self._times, self._ids, self._by_id]
        for group in self._groups.values():
            arrays += [group.keys, group.starts, group.ranks, *group.cumulated]
        return sum(array.nbytes for array in arrays)

    def entries(self) -> Entries:
        """The entries again, in order."""
        keys, measures = {}, {}
        for kind, group in self._groups.items():
            held = np.zeros(len(self), dtype=np.uint64)
            held[group.ranks] = np.repeat(group.keys, group.starts[1:] - group.starts[:-1])
            keys[kind] = held
            if group.cumulated:
                sums = []
                for cumulated in group.cumulated:
                    one = np.zeros(len(self), dtype=np.int64)
                    one[group.ranks] = np.diff(cumulated)
                    sums.append(one)
                measures[kind] = tuple(sums)
        return Entries(self._times, self._ids, keys, measures)

    def rank_of(self, ids: U64) -> I64:
        """The place of each id in the order, -1 where it is not here."""
        if not len(self):
            return np.full(len(ids), -1, dtype=np.int64)
        whole = np.full(len(ids), len(self), dtype=np.int64)
        place = _bisect(self._ids, np.zeros_like(whole), whole, ids, self._by_id)
        rank = self._by_id[np.minimum(place, len(self) - 1)].astype(np.int64)
        return np.where(self._ids[rank] == ids, rank, -1)

    def before(self, questions: Questions) -> I64:
        """How many entries stand strictly before each (moment, tie)."""
        low = np.searchsorted(self._times, questions.times, side="left")
        high = np.searchsorted(self._times, questions.times, side="right")
        return _bisect(self._ids, low.astype(np.int64), high.astype(np.int64), questions.ties)

    def ask(self, kind: str, keys: U64, before: I64, own: I64) -> Answer:
        """Answer for one kind, given ``before`` and ``rank_of`` of the askers."""
        group = self._groups[kind]
        count = np.zeros(len(keys), dtype=np.int64)
        first = np.full(len(keys), NEVER)
        last = first.copy()
        sums = tuple(np.zeros(len(keys), dtype=np.int64) for _ in group.cumulated)
        if len(group.keys):
            place = np.minimum(np.searchsorted(group.keys, keys), len(group.keys) - 1)
            at = np.flatnonzero((group.keys[place] == keys) & (keys != 0))
            if len(at):
                self._fill(group, place[at], before[at], own[at], (at, count, first, last, sums))
        return Answer(count, first, last, sums)

    def _fill(
        self,
        group: _Group,
        place: NDArray[np.intp],
        before: I64,
        own: I64,
        into: tuple[NDArray[np.intp], I64, I64, I64, tuple[I64, ...]],
    ) -> None:
        at, count, first, last, sums = into
        low = group.starts[place].astype(np.int64)
        high = group.starts[place + 1].astype(np.int64)
        end = _bisect(group.ranks, low, high, before)
        mine = _bisect(group.ranks, low, end, own)
        # Where the asker itself is among those before: its place; else nothing is taken off.
        held = mine < end
        held[held] = group.ranks[mine[held]] == own[held]
        seen = end - low - held
        count[at] = seen
        some = seen > 0
        head = low + (held & (mine == low))
        tail = end - 1 - (held & (mine == end - 1))
        first[at[some]] = self._times[group.ranks[head[some]]]
        last[at[some]] = self._times[group.ranks[tail[some]]]
        for total, cumulated in zip(sums, group.cumulated, strict=True):
            total[at] = cumulated[end] - cumulated[low]
            total[at[held]] -= cumulated[mine[held] + 1] - cumulated[mine[held]]


class Timeline:
    """Entries of several kinds of keys, each id once: the first that was added stays."""

    def __init__(self, kinds: Sequence[str]) -> None:
        self.kinds = tuple(kinds)
        self._segments: list[Segment] = []

    def __len__(self) -> int:
        return sum(len(segment) for segment in self._segments)

    @property
    def nbytes(self) -> int:
        """Bytes held in arrays."""
        return sum(segment.nbytes for segment in self._segments)

    def holds(self, ids: U64) -> NDArray[np.bool_]:
        """Whether an entry of each id is here."""
        held = np.zeros(len(ids), dtype=bool)
        for segment in self._segments:
            held |= segment.rank_of(ids) >= 0
        return held

    def fresh(self, entries: Entries) -> Entries:
        """Those of the entries whose id is not here yet, of doubles the first."""
        new = np.zeros(len(entries.ids), dtype=bool)
        new[np.unique(entries.ids, return_index=True)[1]] = True
        new &= ~self.holds(entries.ids)
        return entries if new.all() else entries.take(np.flatnonzero(new))

    def append(self, entries: Entries) -> int:
        """Add entries and say how many were new."""
        new = self.fresh(entries)
        if not len(new.ids):
            return 0
        self._segments.append(Segment(new))
        while len(self._segments) > 1 and len(self._segments[-2]) < _GROWTH * len(
            self._segments[-1]
        ):
            last, one = self._segments.pop(), self._segments.pop()
            self._segments.append(Segment(_joined(one.entries(), last.entries())))
        return len(new.ids)

    def view(self, questions: Questions, batch: Segment | None = None) -> "View":
        """What these askers may see: all entries before them, those of the batch too."""
        segments = [*self._segments, *([batch] if batch is not None else [])]
        return View(
            [(part, part.before(questions), part.rank_of(questions.own)) for part in segments],
            len(questions.times),
        )


class View:
    """A timeline as its askers see it."""

    def __init__(self, parts: Sequence[tuple[Segment, I64, I64]], size: int) -> None:
        self._parts = parts
        self._size = size

    def total(self) -> I64:
        """How many entries each asker sees, without itself."""
        count = np.zeros(self._size, dtype=np.int64)
        for _, before, own in self._parts:
            count += before - ((own >= 0) & (own < before))
        return count

    def ask(self, kind: str, keys: U64, sums: int = 0) -> Answer:
        """Counts, first, last and sums of the entries with the asker's key."""
        count = np.zeros(self._size, dtype=np.int64)
        first = np.full(self._size, NEVER)
        last = first.copy()
        totals = tuple(np.zeros(self._size, dtype=np.int64) for _ in range(sums))
        for segment, before, own in self._parts:
            part = segment.ask(kind, keys, before, own)
            earlier = (part.count > 0) & ((first == NEVER) | (part.first < first))
            first = np.where(earlier, part.first, first)
            last = np.maximum(last, part.last)
            count += part.count
            for total, one in zip(totals, part.sums, strict=True):
                np.add(total, one, out=total)
        return Answer(count, first, last, totals)


def _group(keys: U64, measures: Sequence[I64]) -> _Group:
    held = np.flatnonzero(keys)
    order = held[np.argsort(keys[held], kind="stable")]
    unique, starts = np.unique(keys[order], return_index=True)
    bounds = np.append(starts, len(order)).astype(np.uint32)
    sums = tuple(np.concatenate(([0], np.cumsum(one[order]))).astype(np.int64) for one in measures)
    return _Group(unique, bounds, order.astype(np.uint32), sums)


def _joined(one: Entries, other: Entries) -> Entries:
    return Entries(
        np.concatenate((one.times, other.times)),
        np.concatenate((one.ids, other.ids)),
        {kind: np.concatenate((one.keys[kind], other.keys[kind])) for kind in one.keys},
        {
            kind: tuple(
                np.concatenate(pair) for pair in zip(sums, other.measures[kind], strict=True)
            )
            for kind, sums in one.measures.items()
        },
    )


def _bisect(
    values: NDArray[Any],
    low: I64,
    high: I64,
    sought: NDArray[Any],
    order: U32 | None = None,
) -> I64:
    """For each i the first place in ``values[low[i]:high[i]]``, ascending, not below sought[i].

    ``order`` names the places of values that do not stand in ascending order themselves.
    """
    if len(low) <= _FEW and order is None:
        # NumPy's own search is one call a slice: quicker for the one declaration just lodged.
        targets = np.maximum(sought, 0).astype(values.dtype)
        bounds = zip(low.tolist(), high.tolist(), targets, strict=True)
        found = [start + values[start:end].searchsorted(target) for start, end, target in bounds]
        return np.array(found, dtype=np.int64)
    low, high = low.copy(), high.copy()
    for _ in range(int((high - low).max(initial=0)).bit_length()):
        open_ = low < high
        middle = (low + high) // 2
        below = np.zeros(len(low), dtype=bool)
        at = middle[open_]
        below[open_] = values[at if order is None else order[at]] < sought[open_]
        low = np.where(below, middle + 1, low)
        high = np.where(open_ & ~below, middle, high)
    return low
