"""Goods headings of HS 2022."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.reference import harmonised
from isthmus.reference.codelist import LOCALES, code_list
from isthmus.reference.harmonised import Level, is_known


@pytest.mark.parametrize(
    ("hs", "level"),
    [
        ("0803", Level.HEADING),
        ("080390", Level.SUBHEADING),
        ("0803.90-10", Level.SUBHEADING),
        ("08039010", Level.SUBHEADING),
        ("080399", None),
        ("08", Level.CHAPTER),
        ("080", Level.CHAPTER),
        ("08039", Level.HEADING),
        ("0899", None),
        ("77", None),
        ("7701", None),
        ("98", None),
        ("9999", None),
        ("999999", None),
        ("8", None),
        ("", None),
        ("BANANA", None),
        ("٠٨٠٣", None),
    ],
)
def test_levels(hs: str, level: Level | None) -> None:
    assert is_known(hs) is level


def test_the_same_codes_as_an_independent_table(shared_data: Path) -> None:
    with (shared_data / "reference" / "hs2022.csv").open(encoding="utf-8") as file:
        table = {row["hscode"]: row for row in csv.DictReader(file)}
    expected = {code for code in table if code.isdigit() and not code.startswith("99")}
    ours = {
        code
        for level in (Level.CHAPTER, Level.HEADING, Level.SUBHEADING)
        for code in harmonised.codes(level)
    }
    assert ours == expected
    for code in ours:
        assert harmonised.section(code) == table[code]["section"], code
    same = sum(
        text.text == table[code]["description"]
        for code in ours
        if (text := harmonised.description(code)) is not None
    )
    assert same > 0.999 * len(ours)


def test_chapters_and_sections_are_whole() -> None:
    chapters = code_list("hs_chapters")
    assert set(chapters.codes()) == set(harmonised.codes(Level.CHAPTER))
    sections = code_list("hs_sections")
    assert len(sections) == 21
    for section in sections:
        within = [one.code for one in chapters if one.extra["section"] == section.code]
        assert (within[0], within[-1]) == (section.extra["first"], section.extra["last"])
    assert {one.extra["section"] for one in chapters} == set(sections.codes())


def test_labels_say_which_language_they_are_in() -> None:
    spanish = harmonised.label("0803", "es")
    assert spanish.startswith("Frutas y frutos comestibles – ")
    assert spanish.endswith("[en]")
    assert not harmonised.label("0803", "en").endswith("]")
    assert harmonised.label("08", "nl") == "Eetbare vruchten en noten"
    assert harmonised.label("7701", "nl") == "7701"
    assert harmonised.label("080399", "pt") == harmonised.label("0803", "pt")
    text = harmonised.description("0803")
    assert text is not None
    assert text.language == "en"
    assert harmonised.description("7701") is None
    assert harmonised.section("7701") is None


@given(st.text("0123456789", min_size=0, max_size=10))
def test_what_is_known_has_a_known_beginning(hs: str) -> None:
    level = is_known(hs)
    if level is not None:
        assert is_known(hs[:level]) == level
        assert is_known(hs[:2]) is Level.CHAPTER
        assert harmonised.section(hs) is not None
    for locale in LOCALES:
        assert harmonised.label(hs, locale) or hs == ""
