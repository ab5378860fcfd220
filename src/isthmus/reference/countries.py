"""Countries and territories: ISO 3166-1 and the user-assigned codes in customs use.

Codes come from pycountry (ISO 3166-1), names in the five languages from Unicode CLDR through
Babel; Portuguese is that of Portugal, as in every list here. The codes that customs authorities
assign themselves (Northern Ireland XI, stores and provisions QQ, unknown ZZ ...) are the own list
``customs_territories``. A country here is one of goods, addresses, places and flags, never the
nationality of a person.
"""

from dataclasses import dataclass
from functools import cache

import pycountry
from babel import Locale

from isthmus.reference.codelist import CodeList, code_list, language_of

_CLDR_LOCALE = {"es": "es", "en": "en", "fr": "fr", "nl": "nl", "pt": "pt_PT"}


@dataclass(frozen=True, slots=True)
class Country:
    """A country or territory: alpha-2 code, and alpha-3 and numeric where ISO 3166-1 has them."""

    alpha2: str
    alpha3: str | None
    numeric: str | None
    user_assigned: bool


def country(code: str) -> Country | None:
    """The country of an alpha-2 or alpha-3 code in upper case, or None."""
    by_code = _by_alpha2()
    return by_code.get(code) or by_code.get(_alpha2_of_alpha3().get(code, ""))


def alpha2(code: str) -> str | None:
    """The alpha-2 code of an alpha-2 or alpha-3 code, or None when neither knows it."""
    found = country(code)
    return None if found is None else found.alpha2


def country_known(code: str) -> bool:
    """Whether the code is an alpha-2 or alpha-3 code of this list."""
    return country(code) is not None


def codes() -> tuple[str, ...]:
    """Every alpha-2 code, ISO ones first, each part in alphabetical order."""
    return tuple(_by_alpha2())


def label(code: str, locale: str) -> str:
    """The name of the country in the reader's language; an unknown code, itself."""
    found = country(code)
    if found is None:
        return code
    language = language_of(locale)
    if found.user_assigned:
        return _own().label(found.alpha2, language)
    return _names(language)[found.alpha2]


@cache
def _own() -> CodeList:
    return code_list("customs_territories")


@cache
def _names(language: str) -> dict[str, str]:
    return dict(Locale.parse(_CLDR_LOCALE[language]).territories)


@cache
def _by_alpha2() -> dict[str, Country]:
    known: dict[str, Country] = {}
    for iso in sorted(pycountry.countries, key=lambda one: str(one.alpha_2)):
        known[iso.alpha_2] = Country(iso.alpha_2, iso.alpha_3, iso.numeric, user_assigned=False)
    for entry in sorted(_own(), key=lambda one: one.code):
        alpha3 = entry.extra["alpha3"] or None
        known[entry.code] = Country(entry.code, alpha3, None, user_assigned=True)
    return known


@cache
def _alpha2_of_alpha3() -> dict[str, str]:
    return {one.alpha3: one.alpha2 for one in _by_alpha2().values() if one.alpha3}
