"""Size and type of a container, read from its four-character ISO 6346 code.

The first character is the length, the second height and width, the third the type group, the
fourth a detail of the group (ISO 6346:1995 annexes D and E). The all-digit codes of the edition
of 1984, which manifests in D.95B still carry (``2210``, ``4310``, ``4532``), are read as well:
there an odd second digit means a gooseneck tunnel, and the third digit is the group.

Tares are nominal: the rounded middle of what container lines publish for their fleets, good for
telling an absurd weight, not for a bill. Maximum gross masses are the rating R of ISO 668:2020
(36,000 kg for 20 to 45 ft, 10,160 kg for 10 ft) except for flat racks, whose plates go higher;
a plate may be lower (30,480 kg on older boxes), so a weight above the limit here is surely wrong.
"""

from dataclasses import dataclass
from functools import cache

from isthmus.reference.codelist import code_list, read_rows

# ISO 6346:1984: third digit -> type group of 1995, and second digit -> height.
_GROUP_1984 = {"0": "G", "3": "R", "4": "H", "5": "U", "6": "P", "7": "T", "8": "B", "9": "A"}
_HEIGHT_1984 = {"0": "0", "1": "0", "2": "2", "3": "2", "4": "5", "5": "5", "6": "8", "7": "8"}
_EDITION_1984, _EDITION_1995 = "1984", "1995"


@dataclass(frozen=True, slots=True)
class SizeType:
    """A decoded size-type code. Lengths in millimetres, masses in kilograms."""

    code: str
    edition: str  # of ISO 6346: 1984 or 1995
    length_mm: int
    height_mm: int
    wide: bool  # wider than 2,438 mm
    group: str  # letter of list size_groups
    detail: str | None  # code of list container_types, where the standard names it
    nominal_tare_kg: int | None
    max_gross_kg: int | None
    teu: float  # 20 ft and less: 1; longer: 2; over 45 ft: 2.25

    @property
    def reefer(self) -> bool:
        """Whether it cools its cargo by machinery of its own or clipped on."""
        return self.group == "R" or (self.group == "H" and self.detail not in {"H5", "H6"})

    @property
    def tank(self) -> bool:
        """Whether it is a tank for liquids or gases."""
        return self.group == "T"

    @property
    def open(self) -> bool:
        """Whether goods can be reached past the doors and their seal: open top or flat rack."""
        return self.group in {"U", "P"}


@cache
def size_type(code: str) -> SizeType | None:
    """The meaning of a size-type code such as ``45R1``, or None when it is none."""
    text = code.strip().upper()
    if len(text) != 4:
        return None
    read = _read_1984(text) if text.isdigit() else _read_1995(text)
    if read is None:
        return None
    edition, height_code, group, detail = read
    length = code_list("size_lengths").entry(text[0])
    height = code_list("size_heights").entry(height_code)
    if length is None or height is None:
        return None
    length_mm, height_mm = int(length.extra["length_mm"]), int(height.extra["height_mm"])
    tare, gross = _masses(length_mm, height_mm, group)
    return SizeType(
        code=text,
        edition=edition,
        length_mm=length_mm,
        height_mm=height_mm,
        wide=height.extra["wide"] == "yes",
        group=group,
        detail=detail,
        nominal_tare_kg=tare,
        max_gross_kg=gross,
        teu=1.0 if length_mm <= 6_058 else 2.0 if length_mm <= 13_716 else 2.25,
    )


def label(code: str, locale: str) -> str:
    """What a reader is shown for a size-type code: length, height, and the type in words."""
    found = size_type(code)
    if found is None:
        return code
    kind = (
        code_list("container_types").label(found.detail, locale)
        if found.detail
        else code_list("size_groups").label(found.group, locale)
    )
    length = code_list("size_lengths").label(found.code[0], locale)
    height_code = found.code[1]
    if found.edition == _EDITION_1984:
        height_code = _HEIGHT_1984[height_code]
    return f"{kind}; {length}; {code_list('size_heights').label(height_code, locale)}"


def _read_1995(text: str) -> tuple[str, str, str, str | None] | None:
    """Edition, height code, group and detail; a group letter with any detail is accepted."""
    group = text[2]
    if group not in code_list("size_groups"):
        return None
    detail = text[2:] if text[2:] in code_list("container_types") else None
    return _EDITION_1995, text[1], group, detail


def _read_1984(text: str) -> tuple[str, str, str, str | None] | None:
    height = _HEIGHT_1984.get(text[1])
    # 10 to 12 are closed boxes with vents, 13 to 19 ventilated ones; 20 to 24 insulated boxes,
    # 25 to 29 livestock and automobile carriers.
    group = _GROUP_1984.get(text[2])
    if text[2] == "1":
        group = "G" if text[3] in "012" else "V"
    elif text[2] == "2":
        group = "H" if text[3] in "01234" else "S"
    if height is None or group is None:
        return None
    detail = "H5" if text[2] == "2" and group == "H" else None
    return _EDITION_1984, height, group, detail


def _masses(length_mm: int, height_mm: int, group: str) -> tuple[int | None, int | None]:
    """Nominal tare and maximum gross mass of the nearest common box, or None for odd ones."""
    high = "high" if height_mm > 2_743 else "standard"
    row = _common_masses().get((length_mm, high, group))
    return row if row is not None else (None, None)


@cache
def _common_masses() -> dict[tuple[int, str, str], tuple[int, int]]:
    return {
        (int(row["length_mm"]), row["height"], row["group"]): (
            int(row["tare_kg"]),
            int(row["max_gross_kg"]),
        )
        for row in read_rows("container_masses.csv")
    }
