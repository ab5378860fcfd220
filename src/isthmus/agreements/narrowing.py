"""Whether a new version of an agreement only narrows: then a node may put it in force alone."""

from collections.abc import Sequence

from isthmus.agreements.duties import at_least
from isthmus.agreements.model import SHIELDED, Clause, Permit
from isthmus.intelligence import schema
from isthmus.intelligence.model import Classification

_SECRECY = {level: place for place, level in enumerate(Classification)}
_SOURCES = "ABCDEFX"


def narrows(before: Sequence[Clause], after: Sequence[Clause]) -> bool:
    """Whether whatever the new clauses let pass, the old clause of the same number let pass too.

    Asked clause by clause: a clause under a new number widens, whatever it says.
    """
    held = {clause.id: clause for clause in before}
    return all(
        clause.permit is None or _clause_narrows(held.get(clause.id), clause) for clause in after
    )


def _clause_narrows(old: Clause | None, new: Clause) -> bool:
    if old is None or old.permit is None or new.permit is None:
        return False
    return _within(old, new) and _permit_narrows(old.permit, new.permit)


def _within(old: Clause, new: Clause) -> bool:
    if new.since is None:
        return True
    begun = old.since is not None and old.since <= new.since
    ended = old.until is None or (new.until is not None and new.until <= old.until)
    return begun and ended


def _permit_narrows(old: Permit, new: Permit) -> bool:
    sets = ("senders", "recipients", "kinds", "purposes", "modes")
    return (
        all(getattr(new, name) <= getattr(old, name) for name in sets)
        and _fields_narrow(old, new)
        and _subjects_narrow(old.subjects, new.subjects)
        and (new.basis is None or new.basis == old.basis)
        and set(old.conditions) <= set(new.conditions)
        and _grade_narrows(old.least_source, new.least_source)
        and _SECRECY[new.most_secret] <= _SECRECY[old.most_secret]
        and at_least(new.duties, old.duties)
    )


def _fields_narrow(old: Permit, new: Permit) -> bool:
    """Whether each new field is an old one, lies below one, or is one that ``*`` covers."""
    return all(
        any(name == held or name.startswith(f"{held}.") for held in old.fields)
        or ("*" in old.fields and _impersonal(name, new))
        for name in new.fields
    )


def _impersonal(name: str, permit: Permit) -> bool:
    found = [schema.fields(kind).get(name) for kind in permit.kinds]
    return not any(field is not None and field.personal for field in found)


def _subjects_narrow(old: frozenset[str], new: frozenset[str]) -> bool:
    return all(one in old or ("*" in old and one not in SHIELDED) for one in new)


def _grade_narrows(old: str | None, new: str | None) -> bool:
    if old is None:
        return True
    return new is not None and _SOURCES.index(new) <= _SOURCES.index(old)
