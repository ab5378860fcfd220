"""What partners asked to watch for on a unit, as columns that rules may read.

No model uses them: a partner's lookout raises a risk by a rule that says so in words. A rule that
reads them mandates nothing, and what it adds to a score is kept apart: an office ranks by what it
knows itself, and a partner's wishes have a share of the budget (``risk.select``).
"""

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from isthmus.risk.schema import DTYPES, Kind

FIELDS = frozenset({"partner_lookouts", "lookout_partners"})


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


def reads_them(when: Any) -> bool:
    """Whether a condition, as it is written, asks what partners asked for."""
    return not FIELDS.isdisjoint(_fields(when))


def _fields(when: Any) -> Iterator[str]:
    if isinstance(when, Mapping):
        if isinstance(when.get("field"), str):
            yield when["field"]
        for part in when.values():
            yield from _fields(part)
    elif isinstance(when, list):
        for part in when:
            yield from _fields(part)
