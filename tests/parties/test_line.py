import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.parties.line import Capacity, Number, read_line
from isthmus.parties.model import IdentifierKind


def names(text):
    return [(part.capacity.value, part.readings) for part in read_line(text).names]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("TO THE ORDER OF BANCO GENERAL, S.A.", [("order", ("BANCO GENERAL, S.A",))]),
        ("A LA ORDEN DE ISTMO TRADING LTDA", [("order", ("ISTMO TRADING LTDA",))]),
        ("TO ORDER", []),
        (
            "PEREZ HERMANOS S.A. C/O GULF AGENCY",
            [("named", ("PEREZ HERMANOS S.A",)), ("care_of", ("GULF AGENCY",))],
        ),
        (
            "TO ORDER OF BANCO X NOTIFY: LAGO AZUL SRL",
            [("order", ("BANCO X",)), ("notify", ("LAGO AZUL SRL",))],
        ),
        ("MV OCEAN STAR IMO 9074729", [("named", ("OCEAN STAR",))]),
        ("M/T SEA LION V.34E", [("named", ("SEA LION",))]),
        ("ACME LTD 12 MAIN STREET DUBAI UAE", [("named", ("ACME LTD",))]),
        ("ACME LTD\nCALLE 50\nPANAMA", [("named", ("ACME LTD",))]),
        ("KHAN, Ali P.O. BOX 3315 BOGOTA", [("named", ("KHAN, Ali",))]),
        ("LAGO AZUL TRADING, COLON, PANAMA", None),
    ],
)
def test_names_of_a_line(text, found):
    if found is None:
        assert read_line(text).names[0].readings == (
            "LAGO AZUL TRADING, COLON",
            "LAGO AZUL TRADING",
        )
    else:
        got = [(kind, tuple(r.strip(" .") for r in readings)) for kind, readings in names(text)]
        assert got == found


def test_numbers_of_a_line():
    line = read_line("MV OCEAN STAR, IMO NO. 9074729, MMSI 538004526, CALL SIGN V7AB3")
    assert line.numbers == (
        Number(IdentifierKind.IMO, "9074729", True),
        Number(IdentifierKind.MMSI, "538004526", True),
        Number(IdentifierKind.CALL_SIGN, "V7AB3", True),
    )
    assert line.vessel
    assert not read_line("STAR IMO 9074728").numbers[0].sound
    tax = read_line("LAGO AZUL S.A. RUC 155612-2-44 DV 7").numbers
    assert tax == (Number(IdentifierKind.TAX, "155612244DV7", True),)


def test_an_order_line_without_a_name_is_said():
    assert read_line("TO ORDER").order
    assert not read_line("ORDERLY TRADE SA").order


@given(st.text(max_size=80))
def test_any_text_can_be_read(text):
    line = read_line(text)
    assert line.text == text
    assert all(part.readings and isinstance(part.capacity, Capacity) for part in line.names)
