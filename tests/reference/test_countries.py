"""Countries: ISO 3166-1 and the user-assigned codes."""

import pytest

from isthmus.reference import countries
from isthmus.reference.codelist import LOCALES


def test_every_country_has_a_name_in_every_language() -> None:
    assert len(countries.codes()) >= 249 + 11
    for code in countries.codes():
        for locale in LOCALES:
            label = countries.label(code, locale)
            assert label.strip() == label != "", (code, locale)
            assert label != code, (code, locale)


@pytest.mark.parametrize(
    ("code", "locale", "name"),
    [
        ("NL", "es", "Países Bajos"),
        ("NLD", "pt", "Países Baixos"),
        ("IR", "pt", "Irão"),
        ("PA", "nl", "Panama"),
        ("XI", "fr", "Irlande du Nord"),
        ("XK", "es-PA", "Kosovo"),
        ("AA", "es", "AA"),
    ],
)
def test_names(code: str, locale: str, name: str) -> None:
    assert countries.label(code, locale) == name


def test_alpha3_leads_to_alpha2() -> None:
    assert countries.alpha2("PAN") == "PA"
    assert countries.alpha2("PA") == "PA"
    assert countries.alpha2("XKX") == "XK"
    assert countries.alpha2("QQQ") is None
    assert countries.alpha2("") is None


def test_user_assigned_codes_are_told_apart() -> None:
    northern_ireland, panama = countries.country("XI"), countries.country("PA")
    assert northern_ireland is not None
    assert panama is not None
    assert northern_ireland.user_assigned
    assert not panama.user_assigned
    assert (panama.alpha3, panama.numeric) == ("PAN", "591")


def test_own_codes_never_shadow_iso() -> None:
    iso = [code for code in countries.codes() if not countries.country(code).user_assigned]  # type: ignore[union-attr]
    assert len(iso) == 249
    assert len(set(countries.codes())) == len(countries.codes())


@pytest.mark.parametrize("code", ["pa", "P", "", "U.K", "UK", "XX"])
def test_unknown_codes(code: str) -> None:
    assert not countries.country_known(code)
