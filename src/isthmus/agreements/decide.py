"""May this item go to that node? Path by path, with the clause that says so, or what lacks.

``decide`` is pure and total: the same input gives the same answer, and whatever is unknown is
withheld. Clauses only permit and the overlay only prohibits, so that taking a clause away or adding
a prohibition never releases more. Of several clauses that permit a path, the one with the lightest
duties is cited (then the first by its citation); see decision record 15. Of a withheld path the
nearest clause is named: the one that lacks least.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from isthmus.agreements.duties import Weight, strictest, weight
from isthmus.agreements.matter import Matter, matters
from isthmus.agreements.model import (
    SHIELDED,
    Asked,
    Decision,
    Duties,
    InForce,
    Mode,
    Permit,
    Prohibition,
    Released,
    TransferBasis,
    Withheld,
)
from isthmus.agreements.overlay import fixed
from isthmus.intelligence.model import Classification, Evaluation, Handling, Item, Scale

# What a clause may lack for a path, the easiest to bring first (code list withholding_reasons).
LACKS = (
    "condition_missing",
    "mode_not_allowed",
    "automatic_personal",
    "purpose_not_allowed",
    "source_too_low",
    "too_secret",
    "not_in_force",
    "basis_missing",
    "subject_not_named",
    "field_not_covered",
    "kind_not_covered",
)
_BIT = {code: 1 << place for place, code in enumerate(LACKS)}
_CONDITION, _MODE, _AUTOMATIC, _PURPOSE, _SOURCE, _SECRET = (_BIT[code] for code in LACKS[:6])
_FORCE, _BASIS, _SUBJECT, _FIELD, _KIND = (_BIT[code] for code in LACKS[6:])

# A derogation is for one case: the case must stand on record each time.
DEROGATION = "derogation_recorded"

_SECRECY = {level: place for place, level in enumerate(Classification)}
# Best first; who cannot be judged (X, F) stands below everybody.
_SOURCES = {Scale.POLICE_4X4: "ABCX", Scale.ADMIRALTY: "ABCDEF"}
_ORDER = {letter: place for place, letter in enumerate("ABCDE")} | {"X": 5, "F": 5}

Candidate = tuple[InForce, Permit, int]  # a clause between the two nodes, and what it lacks at all
Answer = Released | Withheld


def decide(
    clauses: Sequence[InForce],
    overlay: Sequence[Prohibition],
    item: Item,
    asked: Asked,
    now: datetime,
) -> Decision:
    """Return which paths of an item may go, each by which clause, and under which duties."""
    between = _between(clauses, item, asked, now)
    rules = [*fixed(), *overlay]
    barring = _barring(rules, item, asked)
    answers: dict[Matter, Answer] = {}
    duties: set[Duties] = set()
    released: dict[str, Released] = {}
    withheld: dict[str, Withheld] = {}
    for path, matter in matters(item).items():
        answer = answers.get(matter)
        if answer is None:
            answer = answers[matter] = _answer(matter, between, barring, item, asked, duties)
        if isinstance(answer, Released):
            released[path] = answer
        else:
            withheld[path] = answer
    if not released:
        return Decision(released, withheld, Duties())
    return Decision(released, withheld, _tightened(strictest(duties), item, rules, asked))


# -- clauses ------------------------------------------------------------------------------


def _between(
    clauses: Sequence[InForce], item: Item, asked: Asked, now: datetime
) -> list[Candidate]:
    """Return the clauses from this sender to this recipient, the lightest duties first."""
    found: list[tuple[Weight, str, Candidate]] = []
    if asked.sender == asked.recipient:
        return []
    for one in clauses:
        permit = one.clause.permit
        if permit is None or asked.sender not in permit.senders:
            continue
        if asked.recipient in permit.recipients:
            lacks = _lacks(one, permit, item, asked, now)
            found.append((weight(permit.duties), one.citation, (one, permit, lacks)))
    found.sort(key=lambda entry: entry[:2])
    return [candidate for *_, candidate in found]


def _lacks(one: InForce, permit: Permit, item: Item, asked: Asked, now: datetime) -> int:
    """Return what a clause lacks for the whole item, whatever the path."""
    lacks = 0
    if not one.clause.in_force(now):
        lacks |= _FORCE
    if item.kind not in permit.kinds:
        lacks |= _KIND
    if asked.purpose not in permit.purposes:
        lacks |= _PURPOSE
    if asked.mode not in permit.modes:
        lacks |= _MODE
    if not asked.conditions.issuperset(permit.conditions):
        lacks |= _CONDITION
    if permit.least_source is not None and not _reliable(
        item.marking.evaluation, permit.least_source
    ):
        lacks |= _SOURCE
    if _SECRECY[item.marking.classification] > _SECRECY[permit.most_secret]:
        lacks |= _SECRET
    return lacks


def _reliable(evaluation: Evaluation | None, least: str) -> bool:
    """Whether a source is graded at least so high, read by its letter on the item's own scale."""
    if evaluation is None or evaluation.source not in _SOURCES[evaluation.scale]:
        return False
    bound = _ORDER.get(least)
    held = _ORDER.get(evaluation.source)
    return bound is not None and held is not None and held <= bound


def _lacks_at(matter: Matter, permit: Permit, asked: Asked) -> int:
    """Return what a clause lacks for one path."""
    if matter.field is None:
        return _FIELD
    if not matter.personal:
        return 0 if "*" in permit.fields or covers(permit.fields, matter.field) else _FIELD
    lacks = 0 if covers(permit.fields, matter.field) else _FIELD
    if not _names(permit.subjects, matter.subject):
        lacks |= _SUBJECT
    if permit.basis is None:
        lacks |= _BASIS
    elif permit.basis is TransferBasis.DEROGATION and DEROGATION not in asked.conditions:
        lacks |= _CONDITION
    if asked.mode is Mode.AUTOMATIC:
        lacks |= _AUTOMATIC
    return lacks


def covers(fields: frozenset[str], field: str) -> bool:
    """Whether a field or one above it is named."""
    while field not in fields:
        field, dot, _ = field.rpartition(".")
        if not dot:
            return False
    return True


def _names(subjects: frozenset[str], subject: str | None) -> bool:
    """Whether a clause reaches persons of this category; one that nobody knows, none reaches."""
    if subject is None:
        return False
    return subject in subjects or ("*" in subjects and subject not in SHIELDED)


# -- one path -----------------------------------------------------------------------------


def _answer(
    matter: Matter,
    between: Sequence[Candidate],
    barring: Sequence[Prohibition],
    item: Item,
    asked: Asked,
    duties: set[Duties],
) -> Answer:
    if matter.field is None:
        return Withheld("field_unknown")
    nearest: tuple[int, int, str] | None = None
    best: Candidate | None = None
    for candidate in between:
        one, permit, lacks = candidate
        lacks |= _lacks_at(matter, permit, asked)
        key = (lacks.bit_count(), lacks, one.citation)
        if not lacks:
            best, nearest = candidate, key
            break
        if nearest is None or key < nearest:
            best, nearest = candidate, key
    clause = best[0].citation if best else None
    for rule in barring:
        if _bars(rule, matter):
            detail = {"prohibition": rule.id, "ground": rule.ground}
            if rule.unless:
                detail["unless"] = _listed(rule.unless)
            return Withheld("prohibited", detail, clause)
    if best is None or nearest is None:
        detail = {"sender": asked.sender, "recipient": asked.recipient}
        return Withheld("no_clause", detail)
    one, permit, _ = best
    if nearest[1] == 0:
        duties.add(permit.duties)
        return Released(one.citation, one.agreement_hash)
    return _withheld(nearest[1], one, matter, item, asked)


def _withheld(lacks: int, one: InForce, matter: Matter, item: Item, asked: Asked) -> Withheld:
    """Say what lacks: the hardest to bring as the code, all of them in the detail."""
    missing = [code for code in LACKS if lacks & _BIT[code]]
    code = missing[-1]
    detail = _particulars(code, one, matter, item, asked)
    if len(missing) > 1:
        detail["lacks"] = " ".join(missing)
    return Withheld(code, detail, one.citation)


def _particulars(
    code: str, one: InForce, matter: Matter, item: Item, asked: Asked
) -> dict[str, str]:
    permit = one.clause.permit
    if permit is None:
        return {}
    evaluation = item.marking.evaluation
    needed = set(permit.conditions)
    if permit.basis is TransferBasis.DEROGATION and matter.personal:
        needed.add(DEROGATION)
    said: dict[str, tuple[Iterable[str], str]] = {
        "condition_missing": (needed - asked.conditions, ""),
        "mode_not_allowed": (permit.modes, asked.mode),
        "purpose_not_allowed": (permit.purposes, asked.purpose),
        "source_too_low": ([permit.least_source or ""], evaluation.source if evaluation else ""),
        "too_secret": ([permit.most_secret], item.marking.classification),
        "subject_not_named": (permit.subjects, matter.subject or ""),
        "kind_not_covered": (permit.kinds, item.kind),
        "field_not_covered": ((), matter.field or ""),
    }
    wanted, given = said.get(code, ((), ""))
    detail = {"needed": _listed(wanted), "given": str(given)}
    return {name: text for name, text in detail.items() if text}


def _listed(codes: Iterable[str]) -> str:
    return " ".join(sorted(str(code) for code in codes))


# -- overlay and marking ------------------------------------------------------------------


def _barring(rules: Sequence[Prohibition], item: Item, asked: Asked) -> list[Prohibition]:
    """Return the rules that match but for the path, by their id."""
    found = [
        rule
        for rule in rules
        if _meets(rule, item, asked) and (not rule.uses or rule.uses & asked.uses)
    ]
    return sorted(found, key=lambda rule: rule.id) if len(found) > 1 else found


def _meets(rule: Prohibition, item: Item, asked: Asked) -> bool:
    """Whether a rule concerns this share, the uses left aside, and is not lifted."""
    return (
        (not rule.recipients or asked.recipient in rule.recipients)
        and (not rule.kinds or item.kind in rule.kinds)
        and (not rule.purposes or asked.purpose in rule.purposes)
        and (not rule.modes or asked.mode in rule.modes)
        and (not rule.handling or not rule.handling.isdisjoint(item.marking.handling))
        and (not rule.onward or item.originator != asked.sender)
        and (not rule.unless or not asked.conditions.issuperset(rule.unless))
    )


def _bars(rule: Prohibition, matter: Matter) -> bool:
    """Whether a rule matches a path; a person of unknown category is one it may mean."""
    if rule.subjects and not (
        matter.personal and (matter.subject is None or matter.subject in rule.subjects)
    ):
        return False
    field = matter.field or ""
    if not rule.fields or "*" in rule.fields or covers(rule.fields, field):
        return True
    return any(name.startswith(f"{field}.") for name in rule.fields)  # the whole holds the part


def _tightened(duties: Duties, item: Item, rules: Sequence[Prohibition], asked: Asked) -> Duties:
    """Add what the originator's mark and the overlay ask beyond the clauses."""
    handling = duties.handling | item.marking.handling
    if len(handling) > 1:
        handling -= {Handling.H0}
    never = [rule.uses for rule in rules if rule.uses and _meets(rule, item, asked)]
    return replace(
        duties,
        handling=handling,
        onward=replace(duties.onward, consent=duties.onward.consent or Handling.H2 in handling),
        never_for=duties.never_for.union(*never),
    )
