"""The loader of code lists."""

import pytest

from isthmus.kernel.errors import NotFound
from isthmus.reference import codelist
from isthmus.reference.codelist import code_list, language_of


def test_label_in_the_readers_language() -> None:
    lanes = code_list("regimes")
    assert lanes.label("transhipment", "fr") == "Transbordement"
    assert lanes.label("transhipment", "nl") == "Overlading"


def test_unknown_code_is_its_own_label() -> None:
    assert code_list("regimes").label("smuggling", "es") == "smuggling"
    assert code_list("regimes").entry("smuggling") is None
    assert "smuggling" not in code_list("regimes")


def test_extra_columns_are_kept() -> None:
    entry = code_list("party_roles").entry("consignor")
    assert entry is not None
    assert entry.extra == {"edifact": "CZ"}


def test_codes_keep_the_order_of_the_file() -> None:
    assert code_list("lanes").codes() == ("red", "yellow", "green", "blue")


def test_read_once() -> None:
    assert code_list("lanes") is code_list("lanes")


def test_unknown_list_is_named() -> None:
    with pytest.raises(NotFound, match="name='colours'"):
        code_list("colours")


@pytest.mark.parametrize(
    ("locale", "language"),
    [("es-PA", "es"), ("pt_BR", "pt"), ("NL", "nl"), ("de", "en"), ("", "en"), ("fr", "fr")],
)
def test_language_of_a_locale(locale: str, language: str) -> None:
    assert language_of(locale) == language


@pytest.mark.parametrize(
    "rows",
    [
        [{"code": "a", "es": "x", "en": "x", "fr": "x", "nl": "x", "pt": ""}],
        [{"code": "a", "es": "x", "en": "x", "fr": "x", "nl": "x"}],
        [{"code": "a", "es": "x", "en": "x", "fr": "x", "nl": "x", "pt": "x", None: ["stray"]}],
        [{"code": "", "es": "x", "en": "x", "fr": "x", "nl": "x", "pt": "x"}],
        [{"code": "a", "es": "x", "en": "x", "fr": "x", "nl": "x", "pt": "x"}] * 2,
    ],
)
def test_a_faulty_file_is_refused(monkeypatch: pytest.MonkeyPatch, rows: list[dict]) -> None:
    monkeypatch.setattr(codelist, "read_rows", lambda _: rows)
    monkeypatch.setattr(codelist, "_index", lambda: {"x": {"source": "s", "version": "1"}})
    code_list.cache_clear()
    try:
        with pytest.raises(ValueError, match="code list x"):
            code_list("x")
    finally:
        code_list.cache_clear()


def test_a_label_cannot_be_changed() -> None:
    entry = code_list("lanes").entry("red")
    assert entry is not None
    with pytest.raises(TypeError):
        entry.labels["en"] = "Scarlet"  # type: ignore[index]
