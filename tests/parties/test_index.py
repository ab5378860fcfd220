from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.parties.index import NEAR, NameIndex, core_groups
from isthmus.parties.name import read_name

WORDS = st.sampled_from((
    "ivanov", "ivanof", "petrovich", "Иванов", "ocean", "star", "oceanstar", "trading", "LTD",
    "7", "12", "al", "rashidi", "rashidy", "muhammad", "mohamed", "garcia", "de", "li", "x", "0cean",
))  # fmt: skip
NAMES = st.lists(WORDS, min_size=1, max_size=4).map(" ".join)


def near(one, other):
    mine, theirs = core_groups(read_name(one)), core_groups(read_name(other))
    shared = sum(weight for group, weight in mine.items() if group in theirs)
    whole = sum(mine.values()) * sum(theirs.values())
    return shared > 0 and shared**2 >= NEAR**2 * whole


@settings(max_examples=300, deadline=None)
@given(NAMES, st.lists(NAMES, max_size=40))
def test_near_are_all_that_share_enough_and_no_other(query, names):
    found = NameIndex(names).near(read_name(query)).tolist()
    assert found == [at for at, name in enumerate(names) if near(query, name)]


@settings(max_examples=100, deadline=None)
@given(NAMES, st.lists(NAMES, min_size=1, max_size=12), st.integers(1, 400))
def test_many_alike_push_nobody_out(query, names, times):
    alone = NameIndex(names).near(read_name(query)).tolist()
    many = NameIndex([*names, *[f"{query} {names[0]}"] * times]).near(read_name(query)).tolist()
    assert [at for at in many if at < len(names)] == alone


@settings(max_examples=200, deadline=None)
@given(NAMES, NAMES)
def test_who_is_near_is_so_the_other_way_round(one, other):
    assert len(NameIndex([one]).near(read_name(other))) == len(
        NameIndex([other]).near(read_name(one))
    )


def test_a_name_without_a_word_is_near_nobody():
    assert NameIndex(["", "???"]).near(read_name("ocean")).tolist() == []
    assert NameIndex(["ocean"]).near(read_name("...")).tolist() == []
    assert NameIndex([]).near(read_name("ocean")).tolist() == []
