"""Texts in the languages of the node's people, with plurals, numbers and dates.

Texts stand in ``.po`` files, one a language, read as they are: there is no compile step to forget.
English is a file like the others. Keys are dotted names, so a changed English text does not
orphan four translations.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from gettext import c2py
from pathlib import Path
from types import MappingProxyType
from typing import Any

from babel import Locale, dates, numbers
from babel.messages.pofile import PoFileError, read_po

from isthmus.kernel.errors import Invalid
from isthmus.kernel.time import isoformat
from isthmus.platform.settings import LOCALES

DEFAULT = "en"


class MissingText(Invalid):
    """A key that has no text: a fault of the program, found by its tests."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The texts of one language, and how it writes numbers and dates."""

    locale: str
    texts: Mapping[str, tuple[str, ...]]  # one form, or one for each plural
    plural: Callable[[int], int]

    def text(self, key: str, **values: Any) -> str:
        """Return the text of a key with values filled in; ``count`` chooses the plural.

        Raises ``MissingText`` when there is no such text or a value it wants is not given.
        """
        forms = self.texts.get(key)
        if not forms:
            raise MissingText("text_missing", "no such text", key=key, locale=self.locale)
        form = forms[0]
        if len(forms) > 1:
            if not isinstance(values.get("count"), int):
                raise MissingText(
                    "text_missing", "this text wants a count", key=key, locale=self.locale
                )
            form = forms[self.plural(values["count"])]
        shown = {name: self._shown(value) for name, value in values.items()}
        try:
            return form.format_map(shown)
        except KeyError as error:
            raise MissingText(
                "text_missing", f"the text wants {error}", key=key, locale=self.locale
            ) from None

    def number(self, value: int | float | Decimal, digits: int | None = None) -> str:
        """Write a number as this language does, with so many digits after the comma."""
        if digits is None:
            return numbers.format_decimal(value, locale=self.locale)
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        return numbers.format_decimal(value, format=pattern, locale=self.locale)

    def percent(self, share: float, digits: int = 0) -> str:
        """Write a share from 0 to 1 as a percentage."""
        pattern = Locale.parse(self.locale).percent_formats[None].pattern
        if digits:
            pattern = pattern.replace("##0", "##0." + "0" * digits)
        return numbers.format_percent(share, format=pattern, locale=self.locale)

    def date(self, value: date) -> str:
        """Write a day as this language does."""
        return dates.format_date(value, format="medium", locale=self.locale)

    def moment(self, value: datetime, zone: str = "UTC") -> str:
        """Write a moment as this language does, in a zone and naming it."""
        place = dates.get_timezone(zone)
        shown = dates.format_datetime(value, format="medium", tzinfo=place, locale=self.locale)
        return f"{shown} {value.astimezone(place).tzname()}"

    def iso(self, value: datetime, zone: str | None = None) -> str:
        """Write a moment as ISO 8601: in UTC with ``Z``, or in a zone with its offset."""
        if zone is None:
            return isoformat(value)
        return value.astimezone(dates.get_timezone(zone)).isoformat(timespec="seconds")

    def _shown(self, value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            return value
        return self.number(value)


def load(folder: Path, locales: Iterable[str] = LOCALES) -> Mapping[str, Catalogue]:
    """Read ``folder``/xx.po for each language.

    Raises ``Invalid`` when a file is missing or wrong, or when a text that one language has is
    missing in another: a page half in another language is a fault.
    """
    found = {locale: _read(folder / f"{locale}.po", locale) for locale in locales}
    every = {key for catalogue in found.values() for key in catalogue.texts}
    for locale, catalogue in found.items():
        lacking = sorted(every - set(catalogue.texts))
        if lacking:
            raise Invalid(
                "text_missing", f"{len(lacking)} texts are missing", locale=locale, first=lacking[0]
            )
    return MappingProxyType(found)


def _read(path: Path, locale: str) -> Catalogue:
    try:
        with path.open("rb") as file:
            catalog = read_po(file, locale=locale, abort_invalid=True)
    except FileNotFoundError:
        raise Invalid("texts_missing", "no texts in this language", file=str(path)) from None
    except PoFileError as error:
        raise Invalid("texts_invalid", f"not a .po file: {error}", file=str(path)) from None
    texts: dict[str, tuple[str, ...]] = {}
    for message in catalog:
        if not message.id or message.fuzzy:
            continue
        key = message.id[0] if isinstance(message.id, tuple | list) else message.id
        forms = message.string if isinstance(message.string, tuple | list) else (message.string,)
        if all(forms):
            texts[key] = tuple(str(form) for form in forms)
    return Catalogue(locale, MappingProxyType(texts), c2py(catalog.plural_expr))


def choose(setting: str | None, accepted: str | None, default: str = DEFAULT) -> str:
    """Choose a language: the person's own setting, else the browser's wish, else the node's.

    ``accepted`` is an Accept-Language header (RFC 9110, 12.5.4); what is not well formed in it is
    passed over.
    """
    if setting in LOCALES:
        return str(setting)
    wishes: list[tuple[float, int, str]] = []
    for place, part in enumerate((accepted or "")[:1000].split(",")):
        name, _, rest = part.strip().partition(";")
        language = name.strip().split("-")[0].lower()
        weight = rest.strip().removeprefix("q=") if rest else "1"
        try:
            quality = float(weight)
        except ValueError:
            continue
        if language in LOCALES and 0 < quality <= 1:
            wishes.append((-quality, place, language))
    return min(wishes)[2] if wishes else default
