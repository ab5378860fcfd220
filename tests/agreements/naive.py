"""A second ``decide``, slow and plain: one question after the other, nothing shared, nothing cached.

It is written from the text of the decision record, not from the product's code, and borrows from
the product the records alone. Where the two differ one of them is wrong.
"""

from datetime import datetime, timedelta
from typing import Any

from isthmus.agreements.model import Asked, Decision, Duties, InForce, Onward, Prohibition
from isthmus.agreements.model import Released as Go
from isthmus.agreements.model import Withheld as Stay
from isthmus.intelligence.model import Item

SECRECY = ["none", "restricted", "confidential", "secret"]
LETTERS = {"4x4": ["A", "B", "C", "X"], "admiralty": ["A", "B", "C", "D", "E", "F"]}
RELIABILITY = {"A": 1, "B": 2, "C": 3, "D": 4, "E": 5, "F": 6, "X": 6}
NEVER_BY_WILDCARD = ["witness", "victim", "minor", "unclassified"]
KNOWN = ["containers", "remarks", "persons"]  # of the fields that the cases use
HARDEST_FIRST = [
    "kind_not_covered",
    "field_not_covered",
    "subject_not_named",
    "basis_missing",
    "not_in_force",
    "too_secret",
    "source_too_low",
    "purpose_not_allowed",
    "automatic_personal",
    "mode_not_allowed",
    "condition_missing",
]


def decide(
    clauses: tuple[InForce, ...],
    overlay: tuple[Prohibition, ...],
    item: Item,
    asked: Asked,
    now: datetime,
) -> Decision:
    """Answer for every path by itself."""
    answers = {
        path: answer(path, clauses, overlay, item, asked, now) for path in every_path(item.body)
    }
    go = {path: one for path, one in answers.items() if isinstance(one, Go)}
    stay = {path: one for path, one in answers.items() if isinstance(one, Stay)}
    cited = {one.citation for one in go.values()}
    owed = [one.clause.permit.duties for one in clauses if name_of(one) in cited]
    return Decision(go, stay, all_of(owed, overlay, item, asked) if go else Duties())


def every_path(body: Any) -> list[str]:
    """Every path of a body."""
    paths: list[str] = []
    for name in body:
        held = body[name]
        rows = [held] if not isinstance(held, list) else held
        if isinstance(held, list) and rows and all(isinstance(row, dict) for row in rows):
            paths += [f"{name}.{n}.{key}" for n in range(len(rows)) for key in rows[n]]
        else:
            paths.append(name)
    return paths


def name_of(one: InForce) -> str:
    return one.agreement + "/" + one.clause.id


def answer(path, clauses, overlay, item, asked, now):  # type: ignore[no-untyped-def]
    """Go or stay, for one path."""
    words = [word for word in path.split(".") if not word.isnumeric()]
    if words[0] not in KNOWN:
        return Stay("field_unknown")
    able = [
        one
        for one in clauses
        if asked.sender in one.clause.permit.senders
        and asked.recipient in one.clause.permit.recipients
        and asked.sender != asked.recipient
    ]
    missing = {
        id(one): [code for code in HARDEST_FIRST if lacks(code, one, words, path, item, asked, now)]
        for one in able
    }
    free = sorted((one for one in able if not missing[id(one)]), key=burden)
    near = sorted(
        able, key=lambda one: (len(missing[id(one)]), rank(missing[id(one)]), name_of(one))
    )
    closest = free[0] if free else near[0] if near else None
    rules = sorted((rule for rule in overlay if bars(rule, words, path, item, asked)), key=by_id)
    marks = broken_marks(item, asked)
    barred = sorted([rule.id for rule in rules] + marks)
    if barred:
        return Stay("prohibited", {"prohibition": barred[0]}, name_of(closest) if closest else None)
    if closest is None:
        return Stay("no_clause")
    if free:
        return Go(name_of(closest), closest.agreement_hash)
    return Stay(missing[id(closest)][0], {}, name_of(closest))


def by_id(rule: Prohibition) -> str:
    return rule.id


def rank(codes: list[str]) -> list[int]:
    """Compare what lacks by the hardest first: whoever lacks an easier thing is nearer."""
    return [len(HARDEST_FIRST) - HARDEST_FIRST.index(code) for code in codes]


def burden(one: InForce) -> tuple[Any, ...]:
    """The lightest duties first, then the name."""
    duties = one.clause.permit.duties
    days = [
        100_000_000 if term is None else term / timedelta(days=1)
        for term in (duties.keep_for, duties.feedback_within)
    ]
    limits = [code for code in duties.handling if code != "H0"]
    return (
        1 if duties.separate_issue else 0,
        len(limits),
        1 if duties.onward.consent else 0,
        0 - len(duties.onward.nodes),
        *[0 - count for count in days],
        name_of(one),
    )


def lacks(code, one, words, path, item, asked, now):  # type: ignore[no-untyped-def]
    """Whether the clause fails this one test."""
    permit, clause = one.clause.permit, one.clause
    person = words[0] == "persons"
    if code == "kind_not_covered":
        return item.kind not in permit.kinds
    if code == "field_not_covered":
        named = any(".".join(words[:n]) in permit.fields for n in range(1, len(words) + 1))
        return not (named or ("*" in permit.fields and not person))
    if code == "subject_not_named":
        return person and not reaches(permit.subjects, category(path, item))
    if code == "basis_missing":
        return person and permit.basis is None
    if code == "not_in_force":
        started = clause.since is not None and clause.since <= now
        ended = clause.until is not None and clause.until <= now
        paused = any(a <= now and not (b is not None and b <= now) for a, b in clause.suspended)
        return not started or ended or paused
    if code == "too_secret":
        held, most = item.marking.classification.value, permit.most_secret.value
        return SECRECY.index(held) > SECRECY.index(most)
    if code == "source_too_low":
        return permit.least_source is not None and not graded(item, permit.least_source)
    if code == "purpose_not_allowed":
        return asked.purpose not in permit.purposes
    if code == "automatic_personal":
        return person and asked.mode.value == "automatic"
    if code == "mode_not_allowed":
        return asked.mode not in permit.modes
    assert code == "condition_missing"
    wanted = set(permit.conditions)
    if person and permit.basis is not None and permit.basis.value == "derogation":
        wanted.add("derogation_recorded")
    return len(wanted - asked.conditions) > 0


def category(path: str, item: Item) -> Any:
    words = path.split(".")
    if len(words) < 3:
        return None
    told = item.body["persons"][int(words[1])].get("category")
    return told if isinstance(told, str) else None


def reaches(subjects: frozenset[str], told: Any) -> bool:
    if told is None:
        return False
    if told in subjects:
        return True
    return "*" in subjects and told not in NEVER_BY_WILDCARD


def graded(item: Item, least: str) -> bool:
    judged = item.marking.evaluation
    if judged is None:
        return False
    if judged.source not in LETTERS[judged.scale.value]:
        return False
    return RELIABILITY[judged.source] <= RELIABILITY[least]


def bars(rule, words, path, item, asked):  # type: ignore[no-untyped-def]
    """Whether the rule bears on this path."""
    if not concerns(rule, item, asked):
        return False
    if rule.uses and not (rule.uses & asked.uses):
        return False
    if rule.subjects:
        if words[0] != "persons":
            return False
        told = category(path, item)
        if told is not None and told not in rule.subjects:
            return False
    if rule.fields:
        whole = ".".join(words)
        return any(
            whole == name or whole.startswith(name + ".") or name.startswith(whole + ".")
            for name in rule.fields
        )
    return True


def concerns(rule, item, asked):  # type: ignore[no-untyped-def]
    for named, held in (
        (rule.recipients, asked.recipient),
        (rule.kinds, item.kind),
        (rule.purposes, asked.purpose),
        (rule.modes, asked.mode),
    ):
        if named and held not in named:
            return False
    if rule.handling and not (rule.handling & item.marking.handling):
        return False
    if rule.onward and asked.sender == item.originator:
        return False
    return not (rule.unless and rule.unless <= asked.conditions)


def broken_marks(item: Item, asked: Asked) -> list[str]:
    """What the originator's marks forbid, on every node."""
    onward = item.originator != asked.sender
    codes = {code.value for code in item.marking.handling}
    broken = []
    if onward and "originator_terms" not in asked.conditions:
        broken.append("originator-terms")
    if onward and "H2" in codes and "originator_consent" not in asked.conditions:
        broken.append("originator-h2")
    if (
        "H1" in codes
        and asked.purpose == "judicial"
        and "originator_consent" not in asked.conditions
    ):
        broken.append("originator-h1")
    if "H3" in codes and asked.mode == "automatic":
        broken.append("originator-h3")
    return broken


def all_of(owed: list[Duties], overlay: Any, item: Item, asked: Asked) -> Duties:
    """Whatever any of them asks."""
    codes = {code for duties in owed for code in duties.handling} | set(item.marking.handling)
    if [code for code in codes if code != "H0"]:
        codes = {code for code in codes if code != "H0"}
    nodes = {node for duties in owed for node in duties.onward.nodes}
    for duties in owed:
        nodes = {node for node in nodes if node in duties.onward.nodes}
    consent = any(duties.onward.consent for duties in owed) or "H2" in codes
    keep = [duties.keep_for for duties in owed if duties.keep_for is not None]
    tell = [duties.feedback_within for duties in owed if duties.feedback_within is not None]
    never = {use for rule in overlay if concerns(rule, item, asked) for use in rule.uses}
    return Duties(
        frozenset(codes),
        Onward(frozenset(nodes), consent),
        min(keep, default=None),
        min(tell, default=None),
        any(duties.separate_issue for duties in owed),
        frozenset(never),
    )
