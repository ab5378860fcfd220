"""The memory against which a unit is judged: who and what was seen before, and what was found.

It is held in memory, rebuilt from the stored units and outcomes when a node starts, and keeps
hashes only: no name and no identifier can be read from it. Parties are keys to look up, never
features themselves.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from hashlib import blake2b
from types import MappingProxyType

import numpy as np
import polars as pl

from isthmus.kernel.errors import Invalid
from isthmus.risk.objectives import Objective
from isthmus.risk.timeline import NEVER, U64, Entries, Timeline

UNIT_KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "shipper": ("shipper_ref",),
        "consignee": ("consignee_ref",),
        "pair": ("shipper_ref", "consignee_ref"),
        "triad": ("shipper_ref", "consignee_ref", "notify_ref"),
        "declarant": ("declarant_ref",),
        "seller": ("seller_ref",),
        "container": ("container",),
        "hs6": ("hs6",),
        "hs6_origin": ("hs6", "origin_country"),
        "hs6_loading": ("hs6", "place_loading"),
        "port_pair": ("place_loading", "place_discharge"),
        "carrier_route": ("carrier", "place_loading", "place_discharge"),
        "price_hs6_origin": ("hs6", "origin_country", "currency"),
        "price_hs4": ("hs4", "currency"),
    }
)
"""What is counted among earlier units, and the fields that make each key."""

OUTCOME_KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "all": (),
        "hs2": ("hs2",),
        "hs4": ("hs4",),
        "hs6": ("hs6",),
        "hs6_origin": ("hs6", "origin_country"),
        "origin": ("origin_country",),
        "dispatch": ("dispatch_country",),
        "loading": ("place_loading",),
        "carrier": ("carrier",),
        "office": ("office",),
        "mode": ("mode",),
        "procedure": ("procedure",),
        "type_code": ("type_code",),
        "payment": ("payment",),
        "duty_regime": ("duty_regime",),
        "extra": ("extra",),
        "shipper": ("shipper_ref",),
        "consignee": ("consignee_ref",),
        "declarant": ("declarant_ref",),
        "seller": ("seller_ref",),
        "container": ("container",),
    }
)
"""By what known outcomes are counted."""

# All declared fields without a home together, as one code; none declared is no key.
_PAIR = pl.concat_str(
    [pl.element().struct.field(part) for part in ("name", "value")], separator="="
)
_EXTRA = pl.when(pl.col("extra").list.len() > 0).then(
    pl.col("extra").list.eval(_PAIR).list.sort().list.join("\x1e")
)

PRICE_STEP = 10_000
"""Logarithms of prices are whole numbers of ten-thousandths, so that their sums are exact.

With this step the sum of squares of 200 million rows stays within 64 bits.
"""


class History:
    """Earlier units and known outcomes, asked as of any moment."""

    def __init__(self) -> None:
        self.units = Timeline(tuple(UNIT_KEYS))
        self.outcomes = {objective: Timeline(tuple(OUTCOME_KEYS)) for objective in Objective}

    def __len__(self) -> int:
        return len(self.units)

    @property
    def nbytes(self) -> int:
        """Bytes held in arrays."""
        return self.units.nbytes + sum(one.nbytes for one in self.outcomes.values())

    def append(self, frame: pl.DataFrame) -> int:
        """Add the units of a unit frame; returns how many were new.

        A unit enters at the moment the authority was told of it (``lodged_at``, else
        ``created_at``); one without either cannot be placed in time and is left out. A later
        version of a unit already here changes nothing: what was first seen stays seen.
        """
        return self.units.append(unit_entries(frame))

    def add_outcomes(self, frame: pl.DataFrame) -> int:
        """Add known outcomes; returns how many were new.

        ``frame`` is a unit frame with the columns ``objective`` (text), ``positive`` (boolean)
        and ``recorded_at`` (moment): an outcome counts for decisions after it was recorded. The
        first outcome of a unit and objective stays; a corrected one takes effect when the
        history is rebuilt. Raises ``Invalid`` when one of the three is missing in a row or names
        no objective.
        """
        for column in ("objective", "positive", "recorded_at"):
            if column not in frame.columns or frame[column].null_count():
                raise Invalid("risk.outcome", "an outcome needs it", field=column)
        strange = set(frame["objective"].unique()) - set(Objective)
        if strange:
            raise Invalid("risk.outcome", "no such objective", objective=sorted(strange))
        added = 0
        for objective, timeline in self.outcomes.items():
            rows = frame.filter(pl.col("objective") == objective.value)
            if rows.height:
                keys = hashed(rows, OUTCOME_KEYS)
                positive = rows["positive"].cast(pl.Int64).to_numpy()
                added += timeline.append(
                    Entries(
                        micros(rows["recorded_at"]),
                        id_hashes(rows["id"]),
                        keys,
                        dict.fromkeys(keys, (positive,)),
                    )
                )
        return added


_MASS = pl.coalesce("net_kg", "gross_kg")
_RATIO = pl.when((_MASS > 0) & (pl.col("value") > 0)).then(pl.col("value") / _MASS)
LOG_PRICE = (_RATIO.log() * PRICE_STEP).round().cast(pl.Int64, strict=False)
"""The logarithm of value per kilogram in steps of 1 / ``PRICE_STEP``, null where unknown.

The mass is the net mass, else the gross mass; the value is in its declared currency.
"""

_SEEN = pl.coalesce("lodged_at", "created_at").cast(pl.Int64)
_ENTRY = (
    pl.col("id"),
    _SEEN.alias("seen_at"),
    LOG_PRICE.is_not_null().alias("priced"),
    LOG_PRICE.fill_null(0).alias("log_price"),
)


def unit_entries(frame: pl.DataFrame) -> Entries:
    """The entries that the units of a frame make; those without a moment are left out."""
    told = evaluated(frame, [*_ENTRY, *key_expressions(UNIT_KEYS)])
    if told["seen_at"].null_count():
        told = told.filter(pl.col("seen_at").is_not_null())
    steps, known = told["log_price"].to_numpy(), told["priced"].to_numpy()
    keys = {kind: told[kind].to_numpy() for kind in UNIT_KEYS}
    for kind in ("price_hs6_origin", "price_hs4"):
        keys[kind] = np.where(known, keys[kind], np.uint64(0))
    sums = (steps, steps * steps)
    return Entries(
        told["seen_at"].to_numpy(),
        id_hashes(told["id"]),
        keys,
        {"price_hs6_origin": sums, "price_hs4": sums},
    )


def hashed(frame: pl.DataFrame, kinds: Mapping[str, tuple[str, ...]]) -> dict[str, U64]:
    """Per kind one 64-bit key a row from its fields; 0 where one of them is missing.

    Keys are equal when the fields are. They are good within one process, which is how long a
    history lives.
    """
    held = evaluated(frame, key_expressions(kinds))
    return {kind: held[kind].to_numpy() for kind in kinds}


def evaluated(frame: pl.DataFrame, expressions: Iterable[pl.Expr]) -> pl.DataFrame:
    """Evaluate expressions in one pass: for a few rows each pass costs more than what it does."""
    # The in-memory engine by name: results must not depend on a setting of the process.
    return frame.lazy().select(expressions).collect(engine="in-memory")


def key_expressions(kinds: Mapping[str, tuple[str, ...]]) -> list[pl.Expr]:
    """The keys of ``hashed`` as expressions, named by their kinds."""
    return [_key(kind, fields) for kind, fields in kinds.items()]


@cache
def _key(kind: str, fields: tuple[str, ...]) -> pl.Expr:
    if not fields:
        return pl.repeat(1, pl.len(), dtype=pl.UInt64).alias(kind)
    parts = [_EXTRA if name == "extra" else pl.col(name) for name in fields]
    text = parts[0] if len(parts) == 1 else pl.concat_str(parts, separator="\x1f")
    key = pl.when(text.is_not_null()).then(text.hash())
    return key.otherwise(pl.lit(0, dtype=pl.UInt64)).alias(kind)


def id_hashes(ids: pl.Series) -> U64:
    """A hash of each id that is the same for ever: it orders units of the same moment."""
    return np.array(
        [int.from_bytes(blake2b(unit.encode(), digest_size=8).digest()) for unit in ids],
        dtype=np.uint64,
    )


def micros(moments: pl.Series) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """Microseconds since 1970; ``NEVER`` where there is no moment."""
    return moments.cast(pl.Int64).fill_null(int(NEVER)).to_numpy()
