"""What partners may take of a budget: each a share, whatever it asks for.

A partner's share is filled from what that partner asked for alone, the highest of the node's own
scores first, and whatever others asked for changes nothing of it. A unit that two partners asked
for takes a pick of both. So a partner that floods a node with lookouts moves as many picks as its
share holds, and none of anybody else's share. What a share does not use goes to the ranking.
"""

import math
from collections.abc import Mapping, Sequence
from hashlib import blake2b

import polars as pl

DEFAULT = 0.10
"""What a partner may take where nothing else was set: one inspection in ten. A default of ours: an
office of ten a shift can follow up one wish of each partner, and three partners who all use their
share leave it two thirds of its budget. Rounded down, so that it is never exceeded: an office of
fewer than ten sees what partners ask for among the reasons, and takes it up by hand."""

MOST = 0.5
"""What all partners together may take, and the most that one may be given: the larger half of a
budget goes by a node's own judgement and by chance."""

# By partner the places of what it asked for, the one that it gets first first.
Wishes = Mapping[str, Sequence[int]]


def wishes(candidates: pl.DataFrame) -> Wishes:
    """Return what each partner asked for among candidates that no rule mandates.

    Equals stand in an order fixed by their ids, which no partner knows.
    """
    if "asked_by" not in candidates.columns:
        return {}
    asked = candidates.with_row_index("place").filter(
        pl.col("asked_by").list.len() > 0, ~pl.col("mandated")
    )
    rows = asked.select("place", "id", "score", "asked_by").rows()
    rows.sort(key=lambda row: (-row[2], blake2b(row[1].encode()).digest()))
    found: dict[str, list[int]] = {}
    for place, _, _, partners in rows:
        for partner in partners:
            found.setdefault(partner, []).append(place)
    return found


def fill(
    asked: Wishes, budget: int, free: int, shares: Mapping[str, float] | None
) -> dict[str, list[int]]:
    """Return the places that each partner's share takes of the ``free`` slots.

    Where the slots do not hold all, everybody's first wish goes before anybody's second. A place
    that stands under two partners takes one slot and counts for both.
    """
    if shares is None:
        return {}
    room = min(free, math.floor(budget * MOST))
    quota = {
        partner: math.floor(budget * min(shares.get(partner, DEFAULT), MOST)) for partner in asked
    }
    taken: dict[str, list[int]] = {partner: [] for partner in sorted(asked)}
    held: set[int] = set()
    for turn in range(max(quota.values(), default=0)):
        for partner, own in taken.items():
            if turn >= min(quota[partner], len(asked[partner])):
                continue
            place = asked[partner][turn]
            if place in held or len(held) < room:
                held.add(place)
                own.append(place)
    return {partner: own for partner, own in taken.items() if own}
