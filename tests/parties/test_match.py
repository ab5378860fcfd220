import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.parties.explain import Relation, explain
from isthmus.parties.features import FEATURES
from isthmus.parties.match import FIND, SAME, SAME_THRESHOLD, compare, score
from isthmus.parties.name import read_name

WORDS = (
    "mohammed", "muhammad", "ali", "ALI", "garcia", "trading", "Ltd", "S.A.", "OOO", "Иванов",
    "محمد", "中国远洋", "J.", "al", "12", "iv", "Ørsted", "intl", "international", "xq", "Бank",
)  # fmt: skip
NAMES = st.one_of(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join),
    st.text(min_size=1, max_size=30),
)


@settings(max_examples=300, deadline=None)
@given(NAMES, NAMES, st.sampled_from((FIND, SAME)))
def test_a_comparison_is_the_same_the_other_way_round(one, other, algorithm):
    a, b = read_name(one), read_name(other)
    assert compare(a, b, algorithm) == compare(b, a, algorithm)


@settings(max_examples=200, deadline=None)
@given(NAMES, st.sampled_from((FIND, SAME)))
def test_a_name_and_itself_give_one(text, algorithm):
    name = read_name(text)
    assert compare(name, name, algorithm).score == (1.0 if name.words else 0.0)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.floats(0, 1, width=32), min_size=len(FEATURES), max_size=len(FEATURES)),
    st.integers(0, len(FEATURES) - 1),
    st.floats(0, 1, width=32),
    st.sampled_from((FIND, SAME)),
)
def test_a_larger_difference_never_raises_a_score(row, at, more, algorithm):
    worse = list(row)
    worse[at] += more
    less, greater = score(np.array([row, worse], dtype=np.float32), algorithm)
    assert greater <= less


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Mohammed al-Rashidi", "AL RASHIDY, Muhammad"),
        ("Иванов Сергей Петрович", "IVANOV, Sergey Petrovich"),
        ("OCEANSTAR SHIPPING LTD", "Ocean Star Shpg Limited"),
        ("ZARYA STROY OOO", "Zarya Stroy LLC"),
        ("KHARTUM PETR0LEUM", "KHARTUM PETROLEUM"),
    ],
)
def test_one_name_written_in_two_ways(one, other):
    assert compare(read_name(one), read_name(other)).score >= SAME_THRESHOLD


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Sergey Ivanov", "Nikolay Ivanov"),
        ("Blue Harbour Trading Ltd", "Red Mountain Trading Ltd"),
        ("OCEAN STAR 3", "OCEAN STAR 7"),
    ],
)
def test_two_names_that_are_near(one, other):
    assert compare(read_name(one), read_name(other)).score < SAME_THRESHOLD


def test_an_explanation_names_every_word_and_what_it_cost():
    told = explain(read_name("J. Rashidi Trading LLC"), read_name("Jamal Rashidy GmbH"))
    relations = {match.word: (match.other, match.relation) for match in told.one}
    assert relations["j"] == ("jamal", Relation.INITIAL)
    assert relations["rashidi"] == ("rashidy", Relation.SOUND)
    assert relations["trading"] == (None, Relation.MISSING)
    assert [match.formal for match in told.one] == [False, False, False, True]
    assert (
        told.score
        == compare(read_name("Jamal Rashidy GmbH"), read_name("J. Rashidi Trading LLC")).score
    )
    assert all(cost > 0 and name in FEATURES for name, cost in told.costs)
    assert explain(read_name("Li Wei"), read_name("Li Wei")).costs == ()
