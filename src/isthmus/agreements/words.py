"""A clause in sentences: who may send whom what, for what, on which conditions, and what is owed.

Like ``explain`` it says only what the clause's codes say, so that every reader is told the same.
The words that the parties agreed are the clause's text; these sentences are what a node does.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from babel.dates import format_date
from babel.lists import format_list

from isthmus.agreements import explain
from isthmus.agreements.agreement import Agreement
from isthmus.agreements.model import Clause, Commitment, Permit
from isthmus.reference import countries
from isthmus.reference.codelist import FALLBACK_LOCALE, code_list, language_of


@dataclass(frozen=True, slots=True)
class Sentence:
    """One thing that a clause says; ``part`` names which: who, fields, purposes, persons …"""

    part: str
    text: str


def title(agreement: Agreement, locale: str) -> str:
    """Return what an agreement is called, in the reader's language where its title is in it."""
    return _in_language(agreement.title, locale)


def text(agreement: Agreement, clause: str, locale: str) -> str:
    """Return a clause as its parties wrote it, in the reader's language where it is in it."""
    return _in_language(agreement.texts[clause], locale)


def _in_language(texts: object, locale: str) -> str:
    held = dict(texts)  # type: ignore[call-overload]
    wanted = (language_of(locale), FALLBACK_LOCALE, *held)
    return str(next((held[one] for one in wanted if held.get(one)), ""))


def authority(agreement: Agreement, locale: str) -> str:
    """Say in one sentence what an agreement is able to do at a node."""
    if not agreement.public:
        return _phrase("instrument_unseen", locale)
    code = "instrument_binding" if agreement.binding else "instrument_free"
    return _phrase(code, locale)


def sentences(clause: Clause, locale: str) -> tuple[Sentence, ...]:
    """Return everything that a clause says, in order."""
    said: list[Sentence] = []
    if clause.permit is not None:
        said += _permit(clause.permit, locale)
    if clause.commitment is not None:
        said += _commitment(clause.commitment, locale)
    for clock in clause.clocks:
        words = {
            "urgency": _label("request_urgency", clock.urgency, locale).lower(),
            "held": _lower(_label("information_holding", clock.held, locale)),
            "hours": str(round(clock.within.total_seconds() / 3600)),
        }
        said.append(Sentence("clocks", _phrase("clock", locale, **words)))
    said.append(Sentence("interval", _interval(clause, locale)))
    return tuple(said)


def _permit(permit: Permit, locale: str) -> list[Sentence]:
    kinds = _labels("item_kinds", permit.kinds, locale)
    mutual = permit.senders == permit.recipients
    who = {
        "senders": _joined(sorted(permit.senders), locale),
        "recipients": _joined(sorted(permit.recipients), locale),
        "kinds": _joined(kinds, locale),
    }
    said = [
        Sentence("who", _phrase("mutual" if mutual else "one_way", locale, **who)),
        Sentence("fields", _fields(permit, locale)),
        Sentence("persons", _persons(permit, locale)),
        _list("purposes", "purposes", permit.purposes, locale),
        _list("modes", "share_modes", permit.modes, locale, either=True),
    ]
    if permit.conditions:
        said.append(_list("conditions", "share_conditions", permit.conditions, locale))
    if permit.least_source:
        said.append(Sentence("source", _phrase("source", locale, grade=permit.least_source)))
    level = _label("classifications", permit.most_secret.value, locale)
    said.append(Sentence("secrecy", _phrase("secrecy", locale, level=level)))
    said += [Sentence("duties", one) for one in explain.duties(permit.duties, locale)]
    return said


def _fields(permit: Permit, locale: str) -> str:
    named = sorted(permit.fields - {"*"})
    if "*" not in permit.fields:
        return _phrase("fields_some", locale, fields=_joined(field_names(named, locale), locale))
    if named and permit.subjects:
        return _phrase("fields_all_and", locale, fields=_joined(field_names(named, locale), locale))
    return _phrase("fields_all", locale)


def field_names(fields: Iterable[str], locale: str) -> list[str]:
    """Return fields as their schemas name them: ``persons.name`` as ``Persons: Name``."""
    names = code_list("item_fields")
    return [": ".join(names.label(part, locale) for part in one.split(".")) for one in fields]


def _persons(permit: Permit, locale: str) -> str:
    if not permit.subjects or permit.basis is None:
        return _phrase("persons_none", locale)
    named = permit.subjects - {"*"}
    subjects = [one.lower() for one in _labels("data_subject_categories", named, locale)]
    if "*" in permit.subjects:
        subjects.insert(0, _phrase("persons_any", locale))
    basis = _lower(_label("transfer_bases", permit.basis.value, locale))
    words = {"subjects": _joined(subjects, locale), "basis": basis}
    return _phrase("persons_some", locale, **words)


def _commitment(commitment: Commitment, locale: str) -> list[Sentence]:
    owners = [
        f"{body} ({countries.label(state, locale)})"
        for state, body in sorted(commitment.owners.items())
    ]
    said = [Sentence("owners", _phrase("owes", locale, owners=_joined(owners, locale)))]
    if commitment.due is None:
        said.append(Sentence("due", _phrase(f"by_{commitment.horizon}", locale)))
    else:
        said.append(Sentence("due", _phrase("by_day", locale, day=_day(commitment.due, locale))))
    return said


def _interval(clause: Clause, locale: str) -> str:
    if clause.since is None:
        return _phrase("never", locale)
    since = _moment(clause.since, locale)
    if clause.until is None:
        return _phrase("since", locale, since=since)
    return _phrase("between", locale, since=since, until=_moment(clause.until, locale))


def _moment(moment: datetime, locale: str) -> str:
    here = moment.astimezone(UTC)
    return f"{_day(here.date(), locale)}, {here:%H:%M} UTC"


def _day(day: date, locale: str) -> str:
    language = language_of(locale)
    return format_date(day, "long", locale="en_GB" if language == "en" else language)


def _list(
    part: str, listed: str, codes: Iterable[str], locale: str, *, either: bool = False
) -> Sentence:
    said = _joined([_lower(one) for one in _labels(listed, codes, locale)], locale, either=either)
    return Sentence(part, _phrase(part, locale, **{part: said}))


def _labels(listed: str, codes: Iterable[str], locale: str) -> list[str]:
    """Return the labels of codes in the order of their list."""
    wanted = set(codes)
    return [one.label(locale) for one in code_list(listed) if one.code in wanted]


def _label(listed: str, code: str, locale: str) -> str:
    return code_list(listed).label(code, locale)


def _lower(label: str) -> str:
    """Begin small within a sentence, but for what is written in capitals."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def _joined(parts: Iterable[str], locale: str, *, either: bool = False) -> str:
    language = language_of(locale)
    return format_list(list(parts), style="or" if either else "standard", locale=language)


def _phrase(code: str, locale: str, **words: str) -> str:
    return code_list("clause_phrases").label(code, locale).format_map(words)
