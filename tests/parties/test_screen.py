from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.parties.index import NameIndex
from isthmus.parties.match import FIND, compare
from isthmus.parties.name import read_name
from isthmus.parties.screen import matches, screen, screen_all

LISTED = (
    "IVANOV, Sergey Petrovich", "OCEAN STAR", "ZARYA STROY LIMITED LIABILITY COMPANY",
    "AL-RASHIDI, Muhammad Ali", "BANCO DEL LAGO S.A.", "GOLDEN LOTUS SHIPPING CO., LTD.",
    "PEREZ HERMANOS IMPORT", "OCEAN STAR 7", "COMPANY", "GARCIA LOPEZ, Juan", "ZHANG WEI",
)  # fmt: skip
SOME = st.lists(st.sampled_from(LISTED), min_size=1, max_size=6, unique=True)
TEXTS = st.sampled_from((
    "Serg. Ivanov", "MV OCEAN STAR", "ООО ЗАРЯ СТРОЙ, Moscow", "M. RASHIDI C/O BANCO DEL LAGO",
    "golden lotus shpg", "Perez Hermanos", "张伟", "TO ORDER OF BANCO DE LAGO SA, PANAMA",
))  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(TEXTS, SOME, SOME)
def test_a_further_list_never_lowers_a_score(text, one, other):
    first = NameIndex(one)
    alone = screen(text, {"one": first}, threshold=0.01)
    both = screen(text, {"one": first, "two": NameIndex(other)}, threshold=0.01)
    assert [hit for hit in both if hit.list_ == "one"] == list(alone)


@settings(max_examples=60, deadline=None)
@given(TEXTS, SOME)
def test_the_index_scores_as_the_comparison_does(text, names):
    query = read_name(text)
    told = list(matches([query], NameIndex(names), 0.0))
    assert told == [(0, at, compare(query, read_name(names[at]), FIND).score) for _, at, _ in told]
    assert {at for _, at, _ in told} == set(NameIndex(names).near(query).tolist())


@settings(max_examples=100, deadline=None)
@given(TEXTS, SOME, st.data())
def test_the_hits_on_a_list_are_the_hits_on_its_parts(text, names, data):
    cut = data.draw(st.integers(0, len(names)))

    def found(part):
        return {
            (hit.name, hit.reading, hit.score)
            for hit in screen(text, {"x": NameIndex(part)}, threshold=0.01)
        }

    assert found(names) == found(names[:cut]) | found(names[cut:])


@settings(max_examples=60, deadline=None)
@given(st.lists(TEXTS, max_size=8), SOME)
def test_many_texts_are_screened_as_each_by_itself(texts, names):
    lists = {"x": NameIndex(names)}
    assert screen_all(texts, lists, 0.01) == [screen(text, lists, 0.01) for text in texts]


def test_a_line_is_screened_in_all_its_names():
    index = NameIndex(LISTED)
    hits = screen("PEREZ HERMANOS IMPORT C/O AL RASHIDI MUHAMMAD ALI, COLON", {"x": index})
    assert {hit.name for hit in hits if hit.score > 0.85} == {
        "PEREZ HERMANOS IMPORT",
        "AL-RASHIDI, Muhammad Ali",
    }


def test_an_empty_list_and_an_empty_text_give_no_hits():
    assert screen("OCEAN STAR", {"x": NameIndex([])}) == ()
    assert screen("", {"x": NameIndex(LISTED)}) == ()
    assert screen("???", {"x": NameIndex(LISTED)}) == ()


def test_searching_leaves_the_index_as_it_was():
    index = NameIndex(LISTED)
    first = screen("OCEAN STAR", {"x": index})
    screen("GARCIA", {"x": index})
    assert screen("OCEAN STAR", {"x": index}) == first
