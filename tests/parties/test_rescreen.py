from itertools import islice

from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.parties import rescreen
from isthmus.parties.index import NameIndex
from isthmus.parties.rescreen import PartyIndex
from isthmus.parties.screen import screen

LISTED = (
    "IVANOV, Sergey Petrovich", "OCEAN STAR", "ZARYA STROY LIMITED LIABILITY COMPANY",
    "AL-RASHIDI, Muhammad Ali", "BANCO DEL LAGO S.A.", "GOLDEN LOTUS SHIPPING CO., LTD.",
    "PEREZ HERMANOS IMPORT", "OCEAN STAR 7", "COMPANY", "GARCIA LOPEZ, Juan", "ZHANG WEI",
    "ЗАРЯ СТРОЙ", "Zhang Wei", "Rashidi Trading",
)  # fmt: skip
LINES = (
    "Serg. Ivanov", "MV OCEAN STAR", "ООО ЗАРЯ СТРОЙ, Moscow", "M. RASHIDI C/O BANCO DEL LAGO",
    "golden lotus shpg", "Perez Hermanos", "张伟", "TO ORDER OF BANCO DE LAGO SA, PANAMA", "",
    "GARCIA LOPEZ, JUAN, CALLE 50, PANAMA", "OCEANSTAR SHIPPING", "IVANOV, SERGEI", "JUAN GARCIA",
    "MUHAMMAD ALI RASHIDY TRADING LLC NOTIFY ZHANG WEI", "LOTUS GOLDEN SHIPPING", "STAR OCEAN 7",
)  # fmt: skip
NAMES = st.lists(st.sampled_from(LISTED), max_size=8)
PARTIES = st.lists(st.sampled_from(LINES), max_size=24)


def by_screening(lines, names, threshold):
    index = NameIndex(names)
    return {
        (str(party), hit.place): (hit.name, hit.reading, hit.capacity, hit.score)
        for party, line in enumerate(lines)
        for hit in screen(line, {"list": index}, threshold)
    }


def by_names(index, names, threshold):
    return {
        (hit.party, hit.place): (hit.name, hit.reading, hit.capacity, hit.score)
        for hit in index.search(names, threshold)
    }


@settings(max_examples=150, deadline=None)
@given(NAMES, PARTIES, st.sampled_from((0.01, 0.5, 0.7, 0.9)))
def test_it_finds_what_screening_every_party_finds(names, lines, threshold):
    index = PartyIndex()
    index.add((str(at), line) for at, line in enumerate(lines))
    assert by_names(index, names, threshold) == by_screening(lines, names, threshold)


@settings(max_examples=60, deadline=None)
@given(NAMES, st.lists(PARTIES, max_size=6))
def test_parties_may_come_a_few_at_a_time(names, batches):
    lines, index = [line for batch in batches for line in batch], PartyIndex()
    numbered = iter(enumerate(lines))
    for batch in batches:
        index.add((str(at), line) for at, line in islice(numbered, len(batch)))
    assert by_names(index, names, 0.3) == by_screening(lines, names, 0.3)


def test_segments_are_joined_and_bounded(monkeypatch):
    monkeypatch.setattr(rescreen, "SEGMENT", 16)
    index = PartyIndex()
    for at in range(100):
        index.add([(str(at), LINES[at % len(LINES)])])
    assert len(index._segments) < 20
    assert max(len(segment.index) for segment in index._segments) < 40
    assert by_names(index, LISTED, 0.5) == by_screening(
        [LINES[at % len(LINES)] for at in range(100)], LISTED, 0.5
    )
