"""Decisions in words: why a field may go or stays, in one of five languages, from codes alone.

The sentences are code lists (``withholding_reasons``, ``refusal_grounds``, ``decision_phrases``);
nothing here is prose of its own, so that every reader is told the same.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from isthmus.agreements.model import Decision, Duties, Released, Withheld
from isthmus.reference.codelist import code_list

# The code list in which what is needed and given stands, by the code of the reason.
_LISTS: Mapping[str, str] = {
    "condition_missing": "share_conditions",
    "mode_not_allowed": "share_modes",
    "purpose_not_allowed": "purposes",
    "too_secret": "classifications",
    "subject_not_named": "data_subject_categories",
    "kind_not_covered": "item_kinds",
}


@dataclass(frozen=True, slots=True)
class Explained:
    """A decision in words: what may go at all, each path with its reason, the duties."""

    summary: str
    paths: Mapping[str, str]
    duties: tuple[str, ...]


def explain(decision: Decision, locale: str) -> Explained:
    """Return a whole decision in the reader's language."""
    answers: dict[str, Released | Withheld] = {**decision.released, **decision.withheld}
    cited = sorted({one.citation for one in decision.released.values()})
    if decision.nothing:
        summary = phrase("nothing", locale)
    else:
        counts = {"released": str(len(decision.released)), "all": str(len(answers))}
        summary = phrase("some", locale, clauses=", ".join(cited), **counts)
    return Explained(
        summary,
        {path: reason(answer, locale) for path, answer in answers.items()},
        () if decision.nothing else duties(decision.duties, locale),
    )


def reason(answer: Released | Withheld, locale: str) -> str:
    """Say why one path may go or stays, with the clause and what lacks."""
    if isinstance(answer, Released):
        return phrase("released", locale, clause=answer.citation)
    listed = _LISTS.get(answer.code, "")
    detail = answer.detail
    words = {
        "clause": answer.clause or "",
        "needed": _words(detail.get("needed", "").split(), listed, locale),
        "given": _words(detail.get("given", "").split(), listed, locale),
        "sender": detail.get("sender", ""),
        "recipient": detail.get("recipient", ""),
        "prohibition": detail.get("prohibition", ""),
        "ground": code_list("refusal_grounds").label(detail.get("ground", ""), locale),
    }
    said = [code_list("withholding_reasons").label(answer.code, locale).format_map(words)]
    if "unless" in detail:
        needed = _words(detail["unless"].split(), "share_conditions", locale)
        said.append(phrase("unless", locale, needed=needed))
    if others := [code for code in detail.get("lacks", "").split() if code != answer.code]:
        said.append(phrase("also", locale, needed=_words(others, "clause_lacks", locale)))
    return " ".join(said)


def duties(owed: Duties, locale: str) -> tuple[str, ...]:
    """Say what the recipient owes and must keep to."""
    said = []
    if owed.handling:
        said.append(phrase("handling", locale, codes=", ".join(sorted(owed.handling))))
    nodes = ", ".join(sorted(owed.onward.nodes))
    if not nodes:
        said.append(phrase("onward_none", locale))
    else:
        code = "onward_consent" if owed.onward.consent else "onward"
        said.append(phrase(code, locale, nodes=nodes))
    if owed.keep_for is not None:
        said.append(phrase("keep", locale, days=str(owed.keep_for.days)))
    if owed.feedback_within is not None:
        said.append(phrase("feedback", locale, days=str(owed.feedback_within.days)))
    if owed.separate_issue:
        said.append(phrase("separate", locale))
    if owed.never_for:
        uses = _words(sorted(owed.never_for), "intended_uses", locale)
        said.append(phrase("never_for", locale, uses=uses))
    return tuple(said)


def phrase(code: str, locale: str, **words: str) -> str:
    """Return one sentence of the list ``decision_phrases`` with its words filled in."""
    return code_list("decision_phrases").label(code, locale).format_map(words)


def _words(codes: Iterable[str], listed: str, locale: str) -> str:
    if not listed:
        return ", ".join(codes)
    return ", ".join(code_list(listed).label(code, locale) for code in codes)
