from hypothesis import given
from hypothesis import strategies as st

from isthmus.parties.line import Number, read_line
from isthmus.parties.model import IdentifierKind
from isthmus.parties.numbers import NumberHit, NumberIndex, screen_numbers

LISTED = NumberIndex(
    [
        (IdentifierKind.IMO, "IMO 9074729", 0),
        (IdentifierKind.TAX, "155612-2-44 DV 7", 1),
        (IdentifierKind.TAX, "155612244DV7", 2),
        (IdentifierKind.IMO, "9074728", 3),
    ]
)


def test_a_number_is_found_however_it_is_marked():
    line = read_line("MV OTHER NAME IMO: 9074729, RUC 155612.2.44 D.V. 7")
    hits = screen_numbers(line.numbers, {"x": LISTED})
    assert [(hit.place, hit.number.kind) for hit in hits] == [
        (0, IdentifierKind.IMO),
        (1, IdentifierKind.TAX),
        (2, IdentifierKind.TAX),
    ]


def test_a_wrong_imo_number_hits_nothing_on_either_side():
    assert screen_numbers(read_line("IMO 9074728").numbers, {"x": LISTED}) == ()


def test_a_number_of_another_kind_is_another_number():
    number = Number(IdentifierKind.REGISTRATION, "9074729", True)
    assert screen_numbers([number], {"x": LISTED}) == ()


@given(st.lists(st.sampled_from(("AB12", "77-1", "9.9")), max_size=4))
def test_a_further_list_takes_no_hit_away(values):
    numbers = [Number(IdentifierKind.TAX, "AB12", True)]
    more = NumberIndex([(IdentifierKind.TAX, value, at) for at, value in enumerate(values)])
    one = NumberIndex([(IdentifierKind.TAX, "ab 12", 5)])
    hits = screen_numbers(numbers, {"one": one, "two": more})
    assert NumberHit("one", 5, numbers[0]) in hits
    assert len(hits) == 1 + values.count("AB12")
