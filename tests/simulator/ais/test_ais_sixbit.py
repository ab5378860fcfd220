"""Bits as the standard's own text puts them: checked against strings of 0 and 1."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from isthmus.simulator.ais.sixbit import pack, signed, text

ALPHABET = "0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVW`abcdefghijklmnopqrstuvw"
fields = st.lists(
    st.integers(1, 60).flatmap(lambda w: st.tuples(st.just(w), st.integers(0, 2**w - 1))),
    min_size=1,
    max_size=25,
)


def armoured(values: list[tuple[int, int]]) -> str:
    bits = "".join(format(value, f"0{width}b") for width, value in values)
    bits += "0" * (-len(bits) % 6)
    return "".join(ALPHABET[int(bits[at : at + 6], 2)] for at in range(0, len(bits), 6))


@given(fields)
def test_constant_and_drawn_fields_pack_like_a_string_of_bits(values):
    widths = [width for width, _ in values]
    constant = pack(widths, [value for _, value in values])
    columns = [np.array([value, 0, value], np.uint64) for _, value in values]
    drawn = pack(widths, columns)
    assert constant[:, 0].tobytes().decode() == armoured(values)
    assert drawn[:, 2].tobytes().decode() == armoured(values)
    assert set(drawn[:, 1].tobytes()) == {ord("0")}


@given(
    st.integers(2, 30).flatmap(
        lambda w: st.tuples(st.just(w), st.integers(-(2 ** (w - 1)), 2 ** (w - 1) - 1))
    )
)
def test_signed_numbers_are_twos_complement(case):
    width, value = case
    (bits,) = signed(np.array([value]), width)
    assert int(bits) - (2**width if int(bits) >> (width - 1) else 0) == value


def test_what_ais_cannot_say_is_a_space_and_what_is_missing_is_filled():
    assert text("é", 2) == [32 << 6]
    assert text("AB", 12) == [(1 << 54) | (2 << 48), 0]
