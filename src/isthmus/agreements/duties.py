"""Duties of a recipient: the strictest of several, and which of two weighs less."""

import math
from collections.abc import Iterable
from datetime import timedelta

from isthmus.agreements.model import Duties, Onward
from isthmus.intelligence.model import Handling

Weight = tuple[bool, int, bool, int, float, float]


def strictest(several: Iterable[Duties]) -> Duties:
    """Return what satisfies all of them; of none, no duties.

    Handling codes add up (H0, which limits nothing, gives way to any other), onward nodes are
    those that every one admits, the shortest term holds, and consent or separate issue is owed
    when one asks for it.
    """
    result: Duties | None = None
    for one in several:
        result = one if result is None or result == one else _both(result, one)
    return Duties() if result is None else result


def _both(a: Duties, b: Duties) -> Duties:
    handling = a.handling | b.handling
    if len(handling) > 1:
        handling -= {Handling.H0}
    return Duties(
        handling,
        Onward(a.onward.nodes & b.onward.nodes, a.onward.consent or b.onward.consent),
        _shorter(a.keep_for, b.keep_for),
        _shorter(a.feedback_within, b.feedback_within),
        a.separate_issue or b.separate_issue,
        a.never_for | b.never_for,
    )


def _shorter(a: timedelta | None, b: timedelta | None) -> timedelta | None:
    if a is None or b is None:
        return b if a is None else a
    return min(a, b)


def weight(duties: Duties) -> Weight:
    """Return how much the duties weigh, as a key that sorts the lightest first.

    A separate issue weighs most, then limits of handling, consent to onward sharing, the number
    of nodes it may go to, and short terms. The order is ours; that there is one is what counts:
    see decision record 15.
    """
    return (
        duties.separate_issue,
        len(duties.handling - {Handling.H0}),
        duties.onward.consent,
        -len(duties.onward.nodes),
        -_seconds(duties.keep_for),
        -_seconds(duties.feedback_within),
    )


def _seconds(term: timedelta | None) -> float:
    return math.inf if term is None else term.total_seconds()


def at_least(strict: Duties, light: Duties) -> bool:
    """Whether whoever keeps the first duties keeps the second as well."""
    return strictest([strict, light]) == strict
