"""ISO 6346 size-type codes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.reference import size_types
from isthmus.reference.codelist import LOCALES, code_list, read_rows
from isthmus.reference.size_types import SizeType, size_type


def known(code: str) -> SizeType:
    found = size_type(code)
    assert found is not None, code
    return found


@pytest.mark.parametrize(
    ("code", "length", "height", "group", "detail"),
    [
        ("22G1", 6_058, 2_591, "G", "G1"),
        ("42G1", 12_192, 2_591, "G", "G1"),
        ("45G1", 12_192, 2_895, "G", "G1"),
        ("L5G1", 13_716, 2_895, "G", "G1"),
        ("45R1", 12_192, 2_895, "R", "R1"),
        ("22T6", 6_058, 2_591, "T", "T6"),
        ("42P3", 12_192, 2_591, "P", "P3"),
        ("22U1", 6_058, 2_591, "U", "U1"),
        ("45GP", 12_192, 2_895, "G", None),
        ("2210", 6_058, 2_591, "G", None),
        ("4310", 12_192, 2_591, "G", None),
        ("4510", 12_192, 2_895, "G", None),
        ("4532", 12_192, 2_895, "R", None),
        ("2250", 6_058, 2_591, "U", None),
        ("2270", 6_058, 2_591, "T", None),
        ("2213", 6_058, 2_591, "V", None),
        ("2220", 6_058, 2_591, "H", "H5"),
        ("4326", 12_192, 2_591, "S", None),
    ],
)
def test_codes(code: str, length: int, height: int, group: str, detail: str | None) -> None:
    found = known(code)
    assert (found.length_mm, found.height_mm, found.group, found.detail) == (
        length,
        height,
        group,
        detail,
    )


def test_what_the_group_means() -> None:
    assert known("45R1").reefer
    assert known("22H0").reefer
    assert not known("22H5").reefer
    assert not known("22G1").reefer
    assert known("22T6").tank
    assert known("42P3").open
    assert not known("42G1").open
    assert known("2EG1").wide
    assert not known("25G1").wide


def test_teu() -> None:
    assert [known(code).teu for code in ("12G1", "22G1", "42G1", "L5G1", "P5G1")] == [
        1,
        1,
        2,
        2,
        2.25,
    ]


@pytest.mark.parametrize(
    "code", ["", "22", "22G", "22G11", "X2G1", "2XG1", "22X1", "9910", "2910", "22G1 X"]
)
def test_no_codes(code: str) -> None:
    assert size_type(code) is None
    assert size_types.label(code, "es") == code


def test_lower_case_and_space_are_noise() -> None:
    assert known(" 22g1 ").code == "22G1"


def test_labels_in_words() -> None:
    assert size_types.label("45R1", "en") == (
        "Mechanically refrigerated and heated; Length 12,192 mm (40 ft); Height 2,895 mm (9 ft 6 in)"
    )
    assert size_types.label("4510", "fr").startswith("Usage général; Longueur 12 192 mm")


def test_masses_are_of_this_world() -> None:
    rows = read_rows("container_masses.csv")
    assert len(rows) > 20
    for row in rows:
        assert row["group"] in code_list("size_groups")
        assert row["length_mm"] in {one.extra["length_mm"] for one in code_list("size_lengths")}
        assert 1_000 <= int(row["tare_kg"]) <= 6_000 < 10_000 < int(row["max_gross_kg"]) <= 55_000
    common = known("22G1")
    assert (common.nominal_tare_kg, common.max_gross_kg) == (2_250, 36_000)
    assert known("M2A0").nominal_tare_kg is None


def test_every_detail_belongs_to_a_group() -> None:
    groups = code_list("size_groups")
    assert all(one.code[0] in groups for one in code_list("container_types"))


@given(
    st.sampled_from(code_list("size_lengths").codes()),
    st.sampled_from(code_list("size_heights").codes()),
    st.sampled_from(code_list("container_types").codes()),
)
def test_every_combination_reads_and_has_a_label(length: str, height: str, kind: str) -> None:
    code = f"{length}{height}{kind}"
    found = known(code)
    assert found.length_mm == int(code_list("size_lengths").entry(length).extra["length_mm"])  # type: ignore[union-attr]
    assert found.detail == kind
    assert all(size_types.label(code, locale).count(";") == 2 for locale in LOCALES)


@given(st.text("0123456789", min_size=4, max_size=4))
def test_any_digits_read_or_are_refused(code: str) -> None:
    found = size_type(code)
    assert found is None or (found.edition == "1984" and found.group in code_list("size_groups"))
