"""Check digits and shapes of the numbers that name a container, a ship and a ship's radio.

ISO 6346 container numbers: three letters of the owner, one letter of the equipment category
(U freight container, J detachable equipment, Z trailer or chassis), six digits, one check digit.

What the ISO 6346 check digit does not see, by its construction: it is a remainder modulo 11 with
remainder 10 written as 0, so a change that moves the remainder between 0 and 10 passes; and a
letter read as another letter whose value is equal modulo 11 (A, K and U; B, L and V; ...) passes.
Every other change of one character is caught. For this reason the standard recommends that
serial numbers with remainder 10 be left unused, and the trade uses them all the same: a good
check digit says that a number was probably not mistyped, never that the box exists.
"""

import re

from isthmus.kernel.errors import Invalid

_OWNER_AND_SERIAL = re.compile(r"[A-Z]{3}[UJZ][0-9]{6}")
_CONTAINER = re.compile(r"[A-Z]{3}[UJZ][0-9]{7}")
_IMO = re.compile(r"[0-9]{7}")
_MMSI = re.compile(r"[0-9]{9}")
_NOISE = re.compile(r"[\s\-./_]+")
_IMO_PREFIX = re.compile(r"IMO(?:NO|NUMBER|NUM)?[:#]?")


def _letter_values() -> dict[str, int]:
    # ISO 6346 annex A: letters count up from 10 and skip the multiples of 11.
    values: dict[str, int] = {str(digit): digit for digit in range(10)}
    value = 10
    for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ":
        if value % 11 == 0:
            value += 1
        values[letter] = value
        value += 1
    return values


_VALUES = _letter_values()


def normalise_container(text: str) -> str:
    """A container number without the spaces, hyphens, dots and slashes that papers add.

    ``"csqu 305438-3"`` becomes ``"CSQU3054383"``. No character is guessed or repaired.
    """
    return _NOISE.sub("", text).upper()


def container_remainder(owner_and_serial: str) -> int:
    """The weighted sum modulo 11 of the first ten characters, 0 to 10 (ISO 6346 annex A).

    Raises Invalid unless the text is three letters, U, J or Z, and six digits.
    """
    if not _OWNER_AND_SERIAL.fullmatch(owner_and_serial):
        raise Invalid(
            "reference.container_shape",
            "A container number begins with three letters, U, J or Z, and six digits",
            value=owner_and_serial,
        )
    total = sum(_VALUES[character] << place for place, character in enumerate(owner_and_serial))
    return total % 11


def container_check_digit(owner_and_serial: str) -> int:
    """The check digit, 0 to 9, of owner, category and serial number (remainder 10 is 0).

    Raises Invalid unless the text is three letters, U, J or Z, and six digits.
    """
    return container_remainder(owner_and_serial) % 10


def container_shape_valid(text: str) -> bool:
    """Whether the text, once normalised, has the shape of a container number."""
    return _CONTAINER.fullmatch(normalise_container(text)) is not None


def container_number_valid(text: str) -> bool:
    """Whether the text, once normalised, is a container number with the right check digit."""
    number = normalise_container(text)
    if not _CONTAINER.fullmatch(number):
        return False
    return container_check_digit(number[:10]) == int(number[10])


def normalise_imo(text: str) -> str:
    """A ship's IMO number as its digits, without the prefix ``IMO`` and the noise of papers."""
    return _IMO_PREFIX.sub("", _NOISE.sub("", text).upper(), count=1)


def imo_check_digit(first_six: str) -> int:
    """The last digit of an IMO ship number: the first six digits times 7 to 2, modulo 10.

    Source: IMO resolution A.1117(30). Raises Invalid unless there are six digits.
    """
    if len(first_six) != 6 or not (first_six.isascii() and first_six.isdigit()):
        raise Invalid(
            "reference.imo_shape", "An IMO number has six digits and a check digit", value=first_six
        )
    return (
        sum(int(digit) * weight for digit, weight in zip(first_six, range(7, 1, -1), strict=True))
        % 10
    )


def imo_valid(text: str) -> bool:
    """Whether the text is an IMO ship number: seven digits, the last one right.

    0000000 satisfies the sum and names no ship; it is refused.
    """
    number = normalise_imo(text)
    if not _IMO.fullmatch(number) or number == "0000000":
        return False
    return imo_check_digit(number[:6]) == int(number[6])


def mmsi_kind(text: str) -> str | None:
    """What sort of station an MMSI names, or None when it has no such shape.

    Source: ITU-R M.585. ``ship`` (first digit 2 to 7, then a country's three digits MID),
    ``group`` (0 MID), ``coast`` (00 MID), ``aircraft`` (111 MID), ``handheld`` (8 MID),
    ``craft`` of a parent ship (98 MID), ``aid_to_navigation`` (99 MID), ``sart`` (970),
    ``man_overboard`` (972), ``epirb`` (974). An MMSI has no check digit.
    """
    number = text.strip()
    if not _MMSI.fullmatch(number):
        return None
    fixed = {"970": "sart", "972": "man_overboard", "974": "epirb"}
    if number[:3] in fixed:
        return fixed[number[:3]]
    prefixes = (
        ("111", "aircraft"),
        ("00", "coast"),
        ("98", "craft"),
        ("99", "aid_to_navigation"),
        ("0", "group"),
        ("8", "handheld"),
        ("", "ship"),
    )
    for prefix, kind in prefixes:
        if number.startswith(prefix):
            country = number[len(prefix) : len(prefix) + 3]
            return kind if "201" <= country <= "775" else None
    return None


def mmsi_valid(text: str) -> bool:
    """Whether the text has the shape of an MMSI of any sort of station."""
    return mmsi_kind(text) is not None
