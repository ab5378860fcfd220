import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.risk.timeline import NEVER, Entries, Questions, Segment, Timeline

rows = st.lists(
    st.tuples(st.integers(-3, 3), st.integers(1, 12), st.integers(0, 3), st.integers(-5, 5)),
    max_size=30,
)


def entries(held):
    times, ids, keys, sums = (np.array(column) for column in zip(*held, strict=True)) if held else (
        np.zeros(0, dtype=np.int64),
    ) * 4  # fmt: skip
    return Entries(
        times.astype(np.int64),
        ids.astype(np.uint64),
        {"key": keys.astype(np.uint64), "bare": keys.astype(np.uint64)},
        {"key": (sums.astype(np.int64),)},
    )


def first_of_each(held):
    seen = {}
    for row in held:
        seen.setdefault(row[1], row)
    return list(seen.values())


@settings(deadline=None)
@given(rows, st.lists(st.integers(1, 10), max_size=4), rows.filter(bool))
def test_counts_first_last_and_sums_as_a_naive_reader_finds_them(held, cuts, asked):
    timeline, start = Timeline(["key", "bare"]), 0
    for size in [*cuts, len(held)]:
        timeline.append(entries(held[start : start + size]))
        start += size
    kept = first_of_each(held)
    assert len(timeline) == len(kept)
    times, ids, keys, _ = (np.array(column) for column in zip(*asked, strict=True))
    ties, own = ids.astype(np.uint64), ids.astype(np.uint64)
    view = timeline.view(Questions(times.astype(np.int64), ties, own))
    answer = view.ask("key", keys.astype(np.uint64), sums=1)
    bare = view.ask("bare", keys.astype(np.uint64))
    assert bare.count.tolist() == answer.count.tolist()
    for place, (time, tie, key, _) in enumerate(asked):
        before = [row for row in kept if (row[0], row[1]) < (time, tie) and row[1] != tie]
        same = [row for row in before if row[2] == key and key]
        assert view.total()[place] == len(before)
        assert answer.count[place] == len(same)
        assert answer.sums[0][place] == sum(row[3] for row in same)
        assert answer.first[place] == min((row[0] for row in same), default=NEVER)
        assert answer.last[place] == max((row[0] for row in same), default=NEVER)


@given(rows)
def test_a_segment_gives_its_entries_back(held):
    held = first_of_each(held)
    again = Segment(entries(held)).entries()
    told = zip(
        again.times, again.ids, again.keys["key"], again.measures["key"][0] if held else [],
        strict=True,
    )  # fmt: skip
    ordered = sorted(held)
    for got, said in zip(told, ordered, strict=True):
        assert got[:3] == said[:3]
        assert got[3] == (said[3] if said[2] else 0)  # without a key nothing is summed


def test_few_segments_whatever_the_number_of_appends():
    timeline = Timeline(["key", "bare"])
    for number in range(1, 500):
        timeline.append(entries([(number, number, 1, 1)]))
    assert len(timeline) == 499
    question = Questions(np.array([10**6]), np.zeros(1, np.uint64), np.zeros(1, np.uint64))
    assert timeline.view(question).ask("key", np.ones(1, np.uint64), sums=1).sums[0][0] == 499
    assert len(timeline.view(question)._parts) <= 8
