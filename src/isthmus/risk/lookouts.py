"""What partners asked to watch for on a unit, as columns that rules may read.

No model uses them: a partner's lookout raises a risk by a rule that says so in words.
"""

from collections.abc import Mapping
from typing import Any

import polars as pl

from isthmus.risk.schema import DTYPES, Kind


def with_lookouts(frame: pl.DataFrame, found: Mapping[str, Mapping[str, str]]) -> pl.DataFrame:
    """Return the feature frame with the lookouts on each unit: by its id, partner by item."""
    rows = [found.get(unit, {}) for unit in frame["id"].to_list()]
    columns: dict[str, tuple[list[Any], Kind]] = {
        "partner_lookouts": ([len(row) for row in rows], Kind.INTEGER),
        "lookout_partners": ([sorted(set(row.values())) for row in rows], Kind.LABELS),
    }
    return frame.with_columns(
        pl.Series(name, values, dtype=DTYPES[kind]) for name, (values, kind) in columns.items()
    )
