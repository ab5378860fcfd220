"""Check digits: known good numbers, and what one wrong character does."""

import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from isthmus.kernel.errors import Invalid
from isthmus.reference.check_digits import (
    container_check_digit,
    container_number_valid,
    container_remainder,
    container_shape_valid,
    imo_check_digit,
    imo_valid,
    mmsi_kind,
    mmsi_valid,
    normalise_container,
    normalise_imo,
)

owner_and_serial = st.builds(
    lambda owner, category, serial: f"{owner}{category}{serial:06d}",
    st.text(string.ascii_uppercase, min_size=3, max_size=3),
    st.sampled_from("UJZ"),
    st.integers(0, 999_999),
)


@pytest.mark.parametrize(
    "number",
    ["CSQU3054383", "MSKU0383250", "MSCU6639870", "HLXU2008419", "csqu 305438-3"],
)
def test_known_containers(number: str) -> None:
    assert container_number_valid(number)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "CSQU3054384",
        "CSQU305438",
        "CSQX3054383",
        "CS1U3054383",
        "CSQU30543833",
        "ＣSQU3054383",
        "CSQU٣054383",
    ],
)
def test_no_containers(text: str) -> None:
    assert not container_number_valid(text)


def test_shape_and_digit_are_told_apart() -> None:
    assert container_shape_valid("CSQU 305438-4")
    assert not container_number_valid("CSQU 305438-4")


def test_remainder_ten_is_written_as_nought() -> None:
    """The digit of such a number is 0, as if the remainder were 0."""
    tens = [f"ABCU{n:06d}" for n in range(200) if container_remainder(f"ABCU{n:06d}") == 10]
    assert tens
    assert all(container_check_digit(number) == 0 for number in tens)


@given(owner_and_serial)
def test_the_digit_it_gives_is_valid(number: str) -> None:
    assert container_number_valid(f"{number}{container_check_digit(number)}")


@given(owner_and_serial, st.integers(0, 10), st.data())
def test_one_changed_character_is_caught(number: str, place: int, data: st.DataObject) -> None:
    """Every change of one character fails, but for the two blind spots the module names."""
    whole = f"{number}{container_check_digit(number)}"
    alphabet = string.ascii_uppercase if place < 3 else "UJZ" if place == 3 else string.digits
    other = data.draw(st.sampled_from(alphabet))
    assume(other != whole[place])
    changed = whole[:place] + other + whole[place + 1 :]
    if place < 10:
        remainders = {container_remainder(whole[:10]), container_remainder(changed[:10])}
        blind = remainders == {0, 10} or len(remainders) == 1
        assert container_number_valid(changed) == blind
        if place >= 4:
            assert len(remainders) == 2, "two digits at one place never share a remainder"
    else:
        assert not container_number_valid(changed)


@given(owner_and_serial, st.sampled_from([" ", "-", ".", "/", "  ", "_"]))
def test_paper_noise_is_taken_off(number: str, noise: str) -> None:
    digit = container_check_digit(number)
    written = f" {number[:4].lower()}{noise}{number[4:]}{noise}{digit}\n"
    assert normalise_container(written) == f"{number}{digit}"


def test_no_digit_for_a_number_without_shape() -> None:
    with pytest.raises(Invalid, match="three letters"):
        container_check_digit("CSQU30543")


@pytest.mark.parametrize("number", ["9074729", "IMO 9074729", "imo9074729", "IMO No. 9074729"])
def test_known_ships(number: str) -> None:
    assert imo_valid(number)
    assert normalise_imo(number) == "9074729"


@pytest.mark.parametrize("text", ["", "9074728", "907472", "90747299", "0000000", "IMO", "٩074729"])
def test_no_ships(text: str) -> None:
    assert not imo_valid(text)


def test_no_ship_digit_without_six_digits() -> None:
    with pytest.raises(Invalid, match="six digits"):
        imo_check_digit("12345")


@given(st.integers(1, 999_999), st.integers(0, 5), st.integers(1, 9))
def test_one_changed_digit_of_a_ship(first_six: int, place: int, shift: int) -> None:
    """Caught unless weight times change is a multiple of 10: weights 2, 4, 5, 6 share a factor."""
    digits = f"{first_six:06d}"
    whole = f"{digits}{imo_check_digit(digits)}"
    changed_digit = (int(whole[place]) + shift) % 10
    changed = f"{whole[:place]}{changed_digit}{whole[place + 1 :]}"
    assume(changed != "0000000")
    weight = 7 - place
    assert imo_valid(changed) == (weight * shift % 10 == 0)


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("352001234", "ship"),
        ("002050000", "coast"),
        ("025300000", "group"),
        ("111232506", "aircraft"),
        ("835100001", "handheld"),
        ("982050001", "craft"),
        ("993520001", "aid_to_navigation"),
        ("970012345", "sart"),
        ("972012345", "man_overboard"),
        ("974012345", "epirb"),
        ("199999999", None),
        ("800000000", None),
        ("35200123", None),
        ("3520012345", None),
        ("٣52001234", None),
    ],
)
def test_kinds_of_mmsi(number: str, kind: str | None) -> None:
    assert mmsi_kind(number) == kind
    assert mmsi_valid(number) is (kind is not None)
