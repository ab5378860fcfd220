"""The words of the pages in five languages, and numbers and moments as each reader writes them.

The words stand in ``locales/*.po``, those of a desk with many words in a folder of its own there,
under symbolic keys, and are read once. A key that is missing in one language is a fault that a
test finds; at run time it is an error, never a key shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from zoneinfo import ZoneInfo

from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent

from isthmus.reference.codelist import LOCALES, language_of

NAMES: Mapping[str, str] = MappingProxyType(
    {"es": "Español", "en": "English", "fr": "Français", "nl": "Nederlands", "pt": "Português"}
)
"""Each language by its own name, as its readers look for it."""

# Colours of a clock: what ends within these is marked (workflow W1 decides six hours before).
SOON = timedelta(hours=6)


@cache
def catalogue(locale: str) -> Mapping[str, str]:
    """All texts of one of the five languages, by key."""
    top = files(__package__).joinpath("locales")
    texts: dict[str, str] = {}
    for folder in [top, *(one for one in top.iterdir() if one.is_dir())]:
        with folder.joinpath(f"{locale}.po").open("rb") as stream:
            held = read_po(stream, locale=locale)
        texts |= {str(message.id): str(message.string) for message in held if message.id}
    return MappingProxyType(texts)


def preferred(accepted: str, otherwise: str) -> str:
    """The first of the five languages that a browser asks for (``Accept-Language``)."""
    wanted: list[tuple[float, int, str]] = []
    for place, part in enumerate(accepted.split(",")[:20]):
        tag, _, weight = part.strip().partition(";q=")
        primary = tag.partition("-")[0].lower()
        try:
            quality = float(weight or 1)
        except ValueError:
            continue
        if primary in LOCALES:
            wanted.append((-quality, place, primary))
    return min(wanted)[2] if wanted else otherwise


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads a page: their language, the zone of the node's clocks, and the moment."""

    locale: str
    zone: str
    now: datetime

    def t(self, key: str, **values: object) -> str:
        """The text of a key, with its values filled in; numbers as this reader writes them."""
        text = catalogue(language_of(self.locale))[key]
        if not values:
            return text
        return text.format(**{name: self._shown(value) for name, value in values.items()})

    def has(self, key: str) -> bool:
        """Whether there is a text of this key."""
        return key in catalogue(language_of(self.locale))

    def number(self, value: float | None, digits: int = 0) -> str:
        """A number with at most so many decimals; nothing for nothing."""
        if value is None:
            return ""
        pattern = "#,##0" + ("." + "#" * digits if digits else "")
        return str(format_decimal(value, format=pattern, locale=self.locale))

    def exact(self, value: float | None, digits: int) -> str:
        """A number with exactly so many decimals, so that columns stand under each other."""
        if value is None:
            return ""
        return str(format_decimal(value, format="#,##0." + "0" * digits, locale=self.locale))

    def percent(self, value: float | None, digits: int = 1) -> str:
        """A share of one as per cent."""
        if value is None:
            return ""
        pattern = "#,##0" + ("." + "0" * digits if digits else "") + "\N{NO-BREAK SPACE}%"
        return str(format_percent(value, format=pattern, locale=self.locale))

    def local(self, moment: datetime) -> datetime:
        """A moment in the node's zone."""
        return moment.astimezone(ZoneInfo(self.zone))

    def moment(self, moment: datetime | None) -> str:
        """A moment as ISO 8601 with the offset of the node's zone, to the minute."""
        if moment is None:
            return ""
        here = self.local(moment)
        return f"{here:%Y-%m-%d %H:%M}{self._offset(here)}"

    def short(self, moment: datetime | None) -> str:
        """Day and clock without the offset, for columns whose head names the zone."""
        return "" if moment is None else f"{self.local(moment):%Y-%m-%d %H:%M}"

    def day(self, moment: datetime | date | None) -> str:
        """The day."""
        if moment is None:
            return ""
        return f"{self.local(moment) if isinstance(moment, datetime) else moment:%Y-%m-%d}"

    def clock(self, moment: datetime) -> str:
        """The time of the day."""
        return f"{self.local(moment):%H:%M}"

    @property
    def zone_now(self) -> str:
        """The node's zone with its present offset."""
        return f"{self.zone} (UTC{self._offset(self.local(self.now))})"

    def left(self, moment: datetime | None) -> str:
        """How long until a moment, or since it, in words: ``in 3 h 20 min``."""
        if moment is None:
            return ""
        gap = moment - self.now
        key = "time.left" if gap >= timedelta(0) else "time.ago"
        return self.t(key, span=self.span(abs(gap)))

    def span(self, gap: timedelta) -> str:
        """A span of time in its two largest units."""
        minutes = int(gap.total_seconds() // 60)
        days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
        if days >= 10:
            return self.t("time.days", days=days)
        if days:
            return self.t("time.days_hours", days=days, hours=hours)
        if hours:
            return self.t("time.hours_minutes", hours=hours, minutes=f"{rest:02d}")
        return self.t("time.minutes", minutes=rest)

    def urgency(self, moment: datetime | None) -> str:
        """How a clock is marked: ``late``, ``soon`` or nothing."""
        if moment is None:
            return ""
        gap = moment - self.now
        return "late" if gap < timedelta(0) else "soon" if gap < SOON else ""

    @staticmethod
    def machine(moment: datetime) -> str:
        """A moment for the ``datetime`` of a ``<time>``."""
        return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"

    def _shown(self, value: object) -> str:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return str(value)
        return self.number(value, 3)

    @staticmethod
    def _offset(here: datetime) -> str:
        text = f"{here:%z}"
        return f"{text[:3]}:{text[3:5]}"
