"""Selection under a budget: which units an office inspects in a shift, and with what chance.

The budget is spent in four parts. A share of it, the floor, is drawn at random from what is not
picked otherwise; it cannot be set to zero, because without it nothing is ever learnt about what
rules and models let pass. The rest goes first to units that a rule mandates, best first; then to
what partners asked for, each within its share (``shares``); then to the highest scores, as they
are without any partner's asking. So a partner moves no more picks than its share holds, however
much it asks. Every candidate gets the exact probability with which this procedure, over all
seeds, would pick it. Those propensities make honest estimates possible (``effectiveness``).

All chance comes from keyed hashes of unit ids under the run's seed. A run therefore replays from
its seed whatever the order of the candidates, and ties in score are not broken by who was
registered first. What a share takes is no draw: its propensity is 1.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from types import MappingProxyType

import numpy as np
import polars as pl

from isthmus.kernel.errors import Invalid
from isthmus.risk import shares

MINIMUM_FLOOR = 0.01
"""The smallest share of a budget drawn at random. A default of ours: one pick in a hundred."""


class Basis(StrEnum):
    """Why a unit was picked (code list ``pick_bases``)."""

    MANDATED = "mandated"
    RANKED = "ranked"
    RANDOM = "random"
    PARTNER = "partner"  # within the share of whoever asked for it


class Lane(StrEnum):
    """Where a unit goes after selection (code list ``lanes``)."""

    RED = "red"  # physical examination
    YELLOW = "yellow"  # documentary check
    GREEN = "green"  # release without check
    BLUE = "blue"  # audit after release


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """What a run chose.

    ``candidates`` has a row per candidate in the order given: ``id``, ``propensity`` (0 to 1),
    ``basis`` (null when not picked), ``rank`` (1 is the first to be offered, null when not
    picked) and ``lane``.
    """

    candidates: pl.DataFrame
    budget: int
    floor: float
    seed: bytes
    random_slots: int
    mandated: int  # candidates that a rule mandates
    overflow: tuple[str, ...]  # ids mandated but not picked: the budget did not hold them
    taken: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # by partner, what its share took

    @property
    def picks(self) -> pl.DataFrame:
        """The picked candidates in the order in which they are offered."""
        return self.candidates.filter(pl.col("rank").is_not_null()).sort("rank")


def select(
    candidates: pl.DataFrame,
    budget: int,
    floor: float,
    seed: bytes,
    shares_: Mapping[str, float] | None = None,
) -> Selection:
    """Choose at most ``budget`` of the candidates.

    ``candidates`` has ``id`` (text, unique), ``score`` (finite, without any partner's asking) and
    ``mandated`` (boolean), and may have ``lane``, the lane that a unit goes to when it is not
    picked (green where absent or null), and ``asked_by``, a list of the partners who asked for
    it. ``floor`` is the share of the budget drawn at random,
    ``MINIMUM_FLOOR`` to 1. The number drawn is ``budget * floor`` rounded up or down by chance so
    that its expectation is exact. ``shares_`` are the shares of partners; without any nobody's
    asking takes a pick. Raises ``Invalid`` when an argument is out of range or a candidate has no
    score.
    """
    _check(candidates, budget, floor, seed)
    ids = candidates["id"].to_list()
    whole = math.floor(budget * floor)
    part = budget * floor - whole
    drawn = whole + (_unit_interval(seed, "round", "") < part)

    wishes = shares.wishes(candidates)
    asked = shares.fill(wishes, budget, _free(candidates, budget - drawn), shares_)
    order, mandates = _order(candidates, seed), candidates["mandated"].to_numpy()
    wished = {one for taken in asked.values() for one in taken}
    slots = budget - drawn - len(wished)
    own = {int(i) for i in [one for one in order if one not in wished][:slots]}
    kept = [int(i) for i in order if i in own or i in wished]
    rest = np.setdiff1d(np.arange(len(ids)), kept)
    lots = sorted(rest.tolist(), key=lambda i: _hash(seed, "draw", ids[i]))
    random_picks = lots[:drawn]

    basis: list[str | None] = [None] * len(ids)
    for i in kept:
        basis[i] = Basis.MANDATED if mandates[i] else Basis.RANKED
    for i in wished:
        basis[i] = Basis.PARTNER
    for i in random_picks:
        basis[i] = Basis.RANDOM
    rank: list[int | None] = [None] * len(ids)
    for place, i in enumerate([*kept, *random_picks], start=1):
        rank[i] = place
    chance = (1 - part) * _chance(candidates, wishes, budget, whole, shares_)
    if part > 0:
        chance = chance + part * _chance(candidates, wishes, budget, whole + 1, shares_)
    table = pl.DataFrame(
        {
            "id": candidates["id"],
            "propensity": np.minimum(chance, 1.0),
            "basis": pl.Series(basis, dtype=pl.String),
            "rank": pl.Series(rank, dtype=pl.Int64),
            "lane": _lanes(candidates, rank),
        }
    )
    overflow = tuple(ids[i] for i in order if mandates[i] and rank[i] is None)
    taken = {partner: tuple(ids[i] for i in of) for partner, of in asked.items()}
    return Selection(
        table, budget, floor, seed, drawn, int(mandates.sum()), overflow, MappingProxyType(taken)
    )


def _free(candidates: pl.DataFrame, slots: int) -> int:
    """How many of the slots that are not drawn no mandate fills."""
    return max(0, slots - int(candidates["mandated"].sum()))


def _chance(
    candidates: pl.DataFrame,
    wishes: shares.Wishes,
    budget: int,
    drawn: int,
    shares_: Mapping[str, float] | None,
) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """The chance of each candidate when exactly ``drawn`` slots are random.

    What a share takes it takes for certain; what is left of the slots is for the others.
    """
    asked = shares.fill(wishes, budget, _free(candidates, budget - drawn), shares_)
    wished = np.zeros(candidates.height, dtype=bool)
    wished[[i for taken in asked.values() for i in taken]] = True
    if not wished.any():
        return _propensity(candidates, budget, drawn)
    chance = np.ones(candidates.height)
    others = candidates.filter(pl.Series(~wished))
    chance[~wished] = _propensity(others, budget - int(wished.sum()), drawn)
    return chance


def _check(candidates: pl.DataFrame, budget: int, floor: float, seed: bytes) -> None:
    if budget < 0:
        raise Invalid("risk.budget", "a budget is a number of inspections, not negative", it=budget)
    if not MINIMUM_FLOOR <= floor <= 1:
        words = f"the share drawn at random lies between {MINIMUM_FLOOR} and 1"
        raise Invalid("risk.random_floor", words, floor=floor)
    if not seed:
        raise Invalid("risk.seed", "a run needs a seed")
    if candidates["id"].null_count() or candidates["id"].n_unique() < candidates.height:
        raise Invalid("risk.candidates", "a candidate stands twice or has no id")
    if candidates["mandated"].null_count():
        raise Invalid("risk.candidates", "whether a rule mandates a candidate must be known")
    if not np.isfinite(candidates["score"].cast(pl.Float64).fill_null(np.nan).to_numpy()).all():
        raise Invalid("risk.candidates", "a candidate has no finite score")


def _order(candidates: pl.DataFrame, seed: bytes) -> "np.ndarray[tuple[int], np.dtype[np.intp]]":
    """Positions of the candidates: mandated first, then by score, ties by keyed hash."""
    ties = [_hash(seed, "tie", unit) for unit in candidates["id"].to_list()]
    scores = candidates["score"].to_numpy()
    first = candidates["mandated"].to_numpy()
    return np.lexsort((np.array(ties, dtype=np.uint64), -scores, ~first))


def _propensity(
    candidates: pl.DataFrame, budget: int, drawn: int
) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """The chance of each candidate when exactly ``drawn`` slots are random.

    Over all seeds every order among equals is equally likely. So of a group of g equals with
    r slots left each gets r/g of the ordered slots; and whoever is not picked by order, whichever
    they are, has the chance drawn/pool of being drawn.
    """
    slots = budget - drawn
    keys = candidates.select(pl.col("mandated"), pl.col("score").cast(pl.Float64))
    groups = (
        keys.group_by("mandated", "score")
        .agg(pl.len().alias("size"))
        .sort(["mandated", "score"], descending=True)
        .with_columns((pl.col("size").cum_sum() - pl.col("size")).alias("before"))
    )
    left = (pl.lit(slots, dtype=pl.Int64) - pl.col("before").cast(pl.Int64)).clip(0, None)
    share = pl.min_horizontal(left, pl.col("size")) / pl.col("size")
    ordered = (
        keys.join(groups.with_columns(share.alias("share")), on=["mandated", "score"], how="left",
                  maintain_order="left")["share"].to_numpy()
    )  # fmt: skip
    pool = max(candidates.height - slots, 0)
    lot = min(drawn / pool, 1.0) if pool else 0.0
    chance: np.ndarray[tuple[int], np.dtype[np.float64]] = ordered + (1 - ordered) * lot
    return chance


def _lanes(candidates: pl.DataFrame, rank: Sequence[int | None]) -> pl.Series:
    advised = pl.lit(Lane.GREEN.value)
    if "lane" in candidates.columns:
        advised = pl.col("lane").fill_null(Lane.GREEN.value)
    picked = pl.Series("picked", [place is not None for place in rank], dtype=pl.Boolean)
    lane = pl.when(pl.col("picked")).then(pl.lit(Lane.RED.value)).otherwise(advised)
    return candidates.with_columns(picked).select(lane.alias("lane")).to_series()


def _hash(seed: bytes, use: str, unit: str) -> int:
    text = f"{use}\x00{unit}".encode()
    return int.from_bytes(blake2b(text, digest_size=8, key=_key(seed)).digest())


def _key(seed: bytes) -> bytes:
    return seed if len(seed) <= 64 else blake2b(seed).digest()


def _unit_interval(seed: bytes, use: str, unit: str) -> float:
    return _hash(seed, use, unit) / 2.0**64
