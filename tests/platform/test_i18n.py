"""Texts, plurals, numbers and dates in five languages."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from isthmus.kernel.errors import Invalid
from isthmus.platform import i18n
from isthmus.platform.i18n import MissingText, choose
from isthmus.platform.settings import LOCALES

_HEAD = """msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=2; plural={plural};\\n"

msgid "queue.title"
msgstr "{title}"

msgid "queue.units"
msgid_plural "queue.units"
msgstr[0] "{count} {one}"
msgstr[1] "{count} {many}"
"""
_TEXTS = {
    "es": ("Cola de selección", "partida", "partidas", "(n != 1)"),
    "en": ("Target queue", "consignment", "consignments", "(n != 1)"),
    "fr": ("File de ciblage", "envoi", "envois", "(n > 1)"),
    "nl": ("Selectielijst", "zending", "zendingen", "(n != 1)"),
    "pt": ("Fila de seleção", "remessa", "remessas", "(n != 1)"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for locale, (title, one, many, plural) in _TEXTS.items():
        text = _HEAD.replace("{title}", title).replace("{one}", one).replace("{many}", many)
        (tmp_path / f"{locale}.po").write_text(text.replace("{plural}", plural), encoding="utf-8")
    return tmp_path


def test_every_language_has_its_texts_and_plurals(folder: Path) -> None:
    found = i18n.load(folder)
    assert set(found) == set(LOCALES)
    assert found["nl"].text("queue.title") == "Selectielijst"
    shown = {name: [c.text("queue.units", count=n) for n in (0, 1, 2)] for name, c in found.items()}
    assert shown["es"] == ["0 partidas", "1 partida", "2 partidas"]
    assert shown["fr"] == ["0 envoi", "1 envoi", "2 envois"]
    assert found["es"].text("queue.units", count=12500) == "12.500 partidas"


def test_a_missing_text_or_value_fails_loudly(folder: Path) -> None:
    english = i18n.load(folder)["en"]
    with pytest.raises(MissingText, match=r"queue\.nothing"):
        english.text("queue.nothing")
    with pytest.raises(MissingText, match="wants a count"):
        english.text("queue.units")


def test_a_text_that_one_language_lacks_stops_the_loading(folder: Path) -> None:
    path = folder / "pt.po"
    path.write_text(path.read_text(encoding="utf-8").replace("Fila de seleção", ""), "utf-8")
    with pytest.raises(Invalid) as caught:
        i18n.load(folder)
    assert caught.value.where == {"locale": "pt", "first": "queue.title"}
    path.write_text('msgid "unfinished', "utf-8")
    with pytest.raises(Invalid, match=r"not a \.po file"):
        i18n.load(folder)
    path.unlink()
    with pytest.raises(Invalid, match="no texts in this language"):
        i18n.load(folder)


def test_a_fuzzy_text_counts_as_missing(folder: Path) -> None:
    path = folder / "fr.po"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('msgid "queue.title"', '#, fuzzy\nmsgid "queue.title"'), "utf-8")
    with pytest.raises(Invalid):
        i18n.load(folder)


def test_numbers_and_dates_are_written_as_each_language_does(folder: Path) -> None:
    found = i18n.load(folder)
    assert [found[name].number(Decimal("1234567.5"), 2) for name in ("es", "en", "nl")] == [
        "1.234.567,50",
        "1,234,567.50",
        "1.234.567,50",
    ]
    assert found["en"].number(1234, 0) == "1,234"
    assert found["en"].percent(0.1234, 1) == "12.3%"
    assert found["en"].date(date(2026, 3, 1)) == "Mar 1, 2026"
    assert found["nl"].date(date(2026, 3, 1)) == "1 mrt 2026"


def test_moments_carry_their_zone(folder: Path) -> None:
    english = i18n.load(folder)["en"]
    moment = datetime(2026, 3, 1, 2, 30, tzinfo=UTC)
    assert english.iso(moment) == "2026-03-01T02:30:00Z"
    assert english.iso(moment, "America/Panama") == "2026-02-28T21:30:00-05:00"
    assert english.moment(moment, "America/Panama").endswith("EST")
    assert "Feb 28" in english.moment(moment, "America/Panama")


@pytest.mark.parametrize(
    ("setting", "accepted", "chosen"),
    [
        ("pt", "es", "pt"),
        (None, "es-PA,es;q=0.9,en;q=0.8", "es"),
        (None, "de-DE,de;q=0.9,nl;q=0.5,en;q=0.7", "en"),
        (None, "de", "fr"),
        (None, "en;q=0, nl;q=0.1", "nl"),
        (None, ";;q=x,,es;q=abc", "fr"),
        (None, None, "fr"),
        ("xx", "", "fr"),
    ],
)
def test_a_language_is_chosen(setting: str | None, accepted: str | None, chosen: str) -> None:
    assert choose(setting, accepted, "fr") == chosen
