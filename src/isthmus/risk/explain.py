"""Reasons in words: the codes and parameters of an assessment, read in one of five languages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from babel.core import Locale
from babel.dates import format_datetime
from babel.numbers import format_decimal

from isthmus.reference.codelist import language_of
from isthmus.risk.catalogue import feature
from isthmus.risk.novelty import facts
from isthmus.risk.rules import Ruleset

_WORDS: Mapping[str, Mapping[str, str]] = {
    "yes": {"es": "sí", "en": "yes", "fr": "oui", "nl": "ja", "pt": "sim"},
    "no": {"es": "no", "en": "no", "fr": "non", "nl": "nee", "pt": "não"},
    "unknown": {
        "es": "no consta",
        "en": "not stated",
        "fr": "non indiqué",
        "nl": "niet vermeld",
        "pt": "não consta",
    },
    "hour": {"es": "hora", "en": "hour", "fr": "heure", "nl": "uur", "pt": "hora"},
    "hours": {"es": "horas", "en": "hours", "fr": "heures", "nl": "uur", "pt": "horas"},
    "before_arrival": {
        "es": "{span} antes de la llegada",
        "en": "{span} before arrival",
        "fr": "{span} avant l’arrivée",
        "nl": "{span} voor aankomst",
        "pt": "{span} antes da chegada",
    },
    "after_arrival": {
        "es": "{span} después de la llegada",
        "en": "{span} after arrival",
        "fr": "{span} après l’arrivée",
        "nl": "{span} na aankomst",
        "pt": "{span} depois da chegada",
    },
    "raises": {
        "es": "{name}: {value}; aumenta el riesgo estimado.",
        "en": "{name}: {value}; raises the estimated risk.",
        "fr": "{name} : {value} ; augmente le risque estimé.",
        "nl": "{name}: {value}; verhoogt het geschatte risico.",
        "pt": "{name}: {value}; aumenta o risco estimado.",
    },
    "lowers": {
        "es": "{name}: {value}; reduce el riesgo estimado.",
        "en": "{name}: {value}; lowers the estimated risk.",
        "fr": "{name} : {value} ; réduit le risque estimé.",
        "nl": "{name}: {value}; verlaagt het geschatte risico.",
        "pt": "{name}: {value}; reduz o risco estimado.",
    },
}


def explain(reason: Mapping[str, Any], ruleset: Ruleset, locale: str) -> str:
    """One reason of an assessment in the reader's language.

    ``ruleset`` is the one that the assessment was made with. A reason whose rule is no longer at
    hand is shown as its code: it is never left out.
    """
    kind, _, name = str(reason["code"]).partition(":")
    language = language_of(locale)
    parameters = reason.get("parameters") or {}
    if kind == "model":
        return _contribution(name, parameters, language)
    if kind == "novelty" and name in facts():
        template = facts()[name].explain[language]
    else:
        rules = [rule for rule in ruleset.rules if kind == "rule" and rule.id == name]
        if not rules:
            return str(reason["code"])
        template = rules[0].explain[language]
    return template.format(**{key: _Value(value, language) for key, value in parameters.items()})


@dataclass(frozen=True, slots=True)
class _Value:
    """A parameter in an explanation: ``{name}`` as it is, ``{name:arrival}`` in words."""

    value: Any
    language: str

    def __format__(self, spec: str) -> str:
        if spec != "arrival" or isinstance(self.value, bool | str | list | None):
            return shown(self.value, self.language)
        number = abs(self.value)
        one = Locale.parse(self.language).plural_form(number) == "one"
        word = _WORDS["hour" if one else "hours"][self.language]
        span = f"{shown(number, self.language)} {word}"
        side = "after_arrival" if self.value < 0 else "before_arrival"
        return _WORDS[side][self.language].format(span=span)


def shown(value: Any, locale: str) -> str:
    """A value as a reader of this language writes it."""
    language = language_of(locale)
    if value is None:
        return _WORDS["unknown"][language]
    if isinstance(value, bool):
        return _WORDS["yes" if value else "no"][language]
    if isinstance(value, int | float):
        return format_decimal(value, format="#,##0.###", locale=language)
    if isinstance(value, list):
        return ", ".join(shown(one, language) for one in value)
    moment = _moment(value)
    if moment is not None:
        return f"{format_datetime(moment, 'medium', locale=language)} UTC"
    return str(value)


def _moment(text: str) -> datetime | None:
    if len(text) != 20 or text[10] != "T" or text[19] != "Z":
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def _contribution(name: str, parameters: Mapping[str, Any], language: str) -> str:
    known = feature(name)
    label = name if known is None else known.names[language]
    word = "raises" if parameters["contribution"] > 0 else "lowers"
    return _WORDS[word][language].format(name=label, value=shown(parameters["value"], language))
