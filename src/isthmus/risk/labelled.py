"""A labelled set: consignments whose truth is claimed to be known, as tables of any origin.

A set is a training table and a test table, or one table that is split here: by time (the latest
fifth is the test) or, lacking a time, by a hash of the row's place. Rows without a label are left
out. What is declared about the columns decides how they are judged:

- the label is 0 or 1 (also false or true);
- the id names the row and should mean nothing;
- the time is when the declarant had to commit (lodging), as ISO 8601, date, datetime or number;
- entities are actors with a lawful history: traders, declarants, hauliers;
- ignored columns are not offered to a model, such as a second label.

A folder may describe its own set, so that whatever writes it says once what the columns are. It
holds ``labelled.parquet`` or ``labelled.csv``, optionally ``labelled.test.parquet`` or ``.csv``,
and ``labelled.json``::

    {"label": "illicit", "id": "row", "time": "lodged_at",
     "entities": ["consignee_ref"], "ignore": ["objective"]}

where only ``label`` is required.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl
from numpy.typing import NDArray

from isthmus.kernel.errors import Invalid
from isthmus.risk.metrics import F64, Bools

I64 = NDArray[np.int64]
MAX_ROWS = 150_000
TEST_SHARE = 0.2
LEAST_OF_EACH = 10
_STEM = "labelled"
_TRUTH = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "false": 0, "true": 1}
_QUANTITY_VALUES = 50
_FEW_ROWS = 5
_MANY_ROWS = 100


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """Tables with a label, and what their columns are."""

    name: str
    train: pl.DataFrame
    label: str
    test: pl.DataFrame | None = None
    id: str | None = None
    time: str | None = None
    entities: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One column as codes of equal values.

    A quantity is a number of more than fifty values with few rows each (below five; below a
    hundred where it has decimals), so that nearness means something. A category has values that
    repeat, at least five rows each. Anything else is an identifier, which a model could only learn
    by heart, unless it is declared as an entity.
    """

    name: str
    kind: str
    codes: I64
    number: F64 | None = None
    text: pl.Series | None = None
    instant: F64 | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """The whole set as arrays: all rows in the order of their files, the test marked."""

    positive: Bools
    test: Bools
    file: I64
    fields: tuple[Field, ...]
    entities: tuple[Field, ...]
    id: Field | None
    time: F64 | None
    by_day: bool
    split: str
    left_out: int

    @property
    def train(self) -> Bools:
        """The rows to fit on."""
        return ~self.test

    @property
    def searched(self) -> tuple[Field, ...]:
        """What a copier may look up: every field and entity, never the id or the time."""
        return self.fields + self.entities


def read(
    paths: Sequence[Path],
    *,
    label: str | None = None,
    id: str | None = None,
    time: str | None = None,
    test: Path | None = None,
    entities: Sequence[str] = (),
    ignored: Sequence[str] = (),
) -> LabelledSet:
    """Read a folder that describes itself, or CSV and Parquet files taken as one training table.

    What is named here goes before what the folder's ``labelled.json`` says. Raises ``Invalid``
    when a file is unreadable or no label is named.
    """
    said: dict[str, Any] = {}
    if len(paths) == 1 and paths[0].is_dir():
        folder = paths[0]
        said = _description(folder / f"{_STEM}.json")
        paths = [_one(folder, _STEM, required=True)]
        test = test or next(iter(_several(folder, f"{_STEM}.test")), None)
    label = label or said.get("label")
    if label is None:
        raise Invalid("leaks_label_missing", "name the label's column: --label COLUMN")
    tables = [_table(path) for path in paths]
    for path, table in zip(paths, tables, strict=True):
        if table.columns != tables[0].columns:
            raise Invalid("leaks_columns", "the files have different columns", file=str(path))
    return LabelledSet(
        name=" + ".join(str(path) for path in paths),
        train=pl.concat(tables, how="vertical_relaxed"),
        test=None if test is None else _table(test),
        label=label,
        id=id or said.get("id"),
        time=time or said.get("time"),
        entities=tuple(entities) or tuple(said.get("entities", ())),
        ignored=tuple(ignored) or tuple(said.get("ignore", ())),
    )


def code(given: LabelledSet) -> Coded:
    """Turn a set into arrays; raises ``Invalid`` when it cannot be judged.

    Beyond ``MAX_ROWS`` rows only those next to the split are kept: the end of the training table
    and the start of the test, so that repeats stay as dense as they are.
    """
    _names(given)
    frames = [_labelled(given, given.train)]
    if given.test is not None:
        missing = [name for name in given.train.columns if name not in given.test.columns]
        if missing:
            raise Invalid("leaks_columns", "the test lacks columns", columns=missing)
        frames.append(_labelled(given, given.test.select(given.train.columns)))
    total = sum(map(len, frames))
    frames = _bounded(frames)
    frame = _typed(pl.concat(frames, how="vertical_relaxed"))
    file = np.repeat(np.arange(len(frames)), [len(each) for each in frames])
    time, by_day = _time(given, frame)
    test, split = _split(file, time, given.time)
    positive = frame[given.label].to_numpy() == 1
    for mask, part in ((~test, "training"), (test, "test")):
        hits = int(positive[mask].sum())
        if min(hits, int(mask.sum()) - hits) < LEAST_OF_EACH:
            words = f"the {part} part needs at least {LEAST_OF_EACH} rows of each label"
            raise Invalid("leaks_too_few", words, positive=hits, rows=int(mask.sum()))
    apart = {given.label, given.id, given.time, *given.entities, *given.ignored}
    return Coded(
        positive=positive,
        test=test,
        file=file,
        fields=tuple(_field(frame[n]) for n in frame.columns if n not in apart),
        entities=tuple(replace(_field(frame[n]), kind="entity") for n in given.entities),
        id=None if given.id is None else replace(_field(frame[given.id]), kind="identifier"),
        time=time,
        by_day=by_day,
        split=split,
        left_out=total - len(frame),
    )


def together(first: I64, second: I64) -> I64:
    """Codes of the pairs of two codes, dense from 0."""
    pairs = first * (int(second.max()) + 1) + second
    joint: I64 = np.unique(pairs, return_inverse=True)[1].astype(np.int64)
    return joint


def bins(number: F64, count: int) -> I64:
    """Codes of a quantity's quantiles; a missing value has a code of its own."""
    known = ~np.isnan(number)
    codes = np.zeros(len(number), dtype=np.int64)
    if known.any():
        edges = np.unique(np.quantile(number[known], np.linspace(0, 1, count + 1)[1:-1]))
        codes[known] = 1 + np.searchsorted(edges, number[known], side="right")
    return codes


def _description(path: Path) -> dict[str, Any]:
    try:
        said = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise Invalid("leaks_unreadable", f"cannot be read: {error}", file=str(path)) from error
    if not isinstance(said, dict):
        raise Invalid("leaks_unreadable", "is not an object of names", file=str(path))
    for key in ("entities", "ignore"):
        if not isinstance(said.get(key, []), list):
            raise Invalid("leaks_unreadable", "is not a list of columns", file=str(path), key=key)
    return said


def _several(folder: Path, stem: str) -> list[Path]:
    return [p for p in (folder / f"{stem}.parquet", folder / f"{stem}.csv") if p.is_file()]


def _one(folder: Path, stem: str, *, required: bool) -> Path:
    found = _several(folder, stem)
    if required and not found:
        raise Invalid("leaks_unreadable", f"holds no {stem}.parquet or {stem}.csv", at=str(folder))
    return found[0]


def _table(path: Path) -> pl.DataFrame:
    """A file as it stands; the values of a CSV stay text until they prove to be numbers."""
    try:
        if path.suffix == ".parquet":
            return pl.read_parquet(path)
        return pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        words = f"cannot be read: {str(error).splitlines()[0] if str(error) else error!r}"
        raise Invalid("leaks_unreadable", words, file=str(path)) from error


def _names(given: LabelledSet) -> None:
    declared = [given.label, *filter(None, (given.id, given.time)), *given.entities, *given.ignored]
    for name in declared:
        if name not in given.train.columns:
            raise Invalid("leaks_column_missing", "no such column", column=name, file=given.name)
    for name in declared:
        if declared.count(name) > 1:
            raise Invalid("leaks_column_twice", "declared as two things", column=name)
    for name, dtype in given.train.schema.items():
        if dtype.is_nested() and name not in given.ignored:
            raise Invalid("leaks_nested", "lists and records cannot be judged", column=name)


def _labelled(given: LabelledSet, frame: pl.DataFrame) -> pl.DataFrame:
    """The rows that have a label, as 0 or 1, without the ignored columns."""
    frame = frame.drop(given.ignored).filter(pl.col(given.label).is_not_null())
    text = frame[given.label].cast(pl.String).str.strip_chars().str.to_lowercase()
    strange = text.filter(~text.is_in(list(_TRUTH))).unique().sort().head(3).to_list()
    if strange:
        raise Invalid("leaks_label", "is neither 0 nor 1", column=given.label, values=strange)
    return frame.with_columns(text.replace_strict(_TRUTH, return_dtype=pl.Int8).alias(given.label))


def _bounded(frames: list[pl.DataFrame]) -> list[pl.DataFrame]:
    excess = sum(map(len, frames)) > MAX_ROWS
    if not excess:
        return frames
    if len(frames) == 1:
        return [frames[0].tail(MAX_ROWS)]
    test = frames[1].head(max(int(MAX_ROWS * TEST_SHARE), MAX_ROWS - len(frames[0])))
    return [frames[0].tail(MAX_ROWS - len(test)), test]


def _typed(frame: pl.DataFrame) -> pl.DataFrame:
    """Text that is a number throughout becomes one; a leading zero marks a code, which stays."""
    numbers = []
    for name, dtype in frame.schema.items():
        if dtype == pl.String and frame[name].null_count() < len(frame):
            text = frame[name].drop_nulls()
            if text.cast(pl.Float64, strict=False).null_count() == 0 and not bool(
                text.str.contains(r"^-?0\d").any()
            ):
                whole = text.str.contains(r"^-?\d{1,18}$").all()
                numbers.append(pl.col(name).cast(pl.Int64 if whole else pl.Float64))
    return frame.with_columns(numbers)


def _field(column: pl.Series) -> Field:
    codes = column.rank("dense").fill_null(0).to_numpy().astype(np.int64)
    values = column.n_unique()
    repeats = len(column) / values
    number = None
    if column.dtype.is_numeric():
        number = column.cast(pl.Float64).fill_nan(None).to_numpy().astype(np.float64)
        known = number[~np.isnan(number)]
        broken = bool((known != np.floor(known)).any())
        quantity = values > _QUANTITY_VALUES and repeats < (_MANY_ROWS if broken else _FEW_ROWS)
    else:
        quantity = False
    kind = "quantity" if quantity else "category" if repeats >= _FEW_ROWS else "identifier"
    text = column if column.dtype == pl.String else None
    return Field(column.name, kind, codes, number, text, _instant(column))


def _instant(column: pl.Series) -> F64 | None:
    """Seconds since 1970 for dates, instants and text that is ISO 8601 throughout, else nothing.

    Offsets from UTC are not applied to text: what leaks comes days later, not hours.
    """
    if column.dtype in (pl.Date, pl.Datetime):
        instants = column.cast(pl.Datetime("us"))
    elif column.dtype == pl.String and column.null_count() < len(column):
        text = column.str.replace("T", " ").str.slice(0, 19)
        size = text.str.len_chars()
        tails = pl.select(
            pl.when(size == 10).then(pl.lit(" 00:00:00")).when(size == 16).then(pl.lit(":00"))
            .otherwise(pl.lit(""))
        ).to_series()  # fmt: skip
        instants = (text + tails).str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False)
        if instants.null_count() > column.null_count():
            return None
    else:
        return None
    seconds = instants.dt.epoch("us").cast(pl.Float64) / 1e6
    return seconds.to_numpy().astype(np.float64)


def _time(given: LabelledSet, frame: pl.DataFrame) -> tuple[F64 | None, bool]:
    """Each row's time, and whether it is known by the day only."""
    if given.time is None:
        return None, False
    column = frame[given.time]
    found = _instant(column)
    time = column.cast(pl.Float64).to_numpy() if column.dtype.is_numeric() else found
    if time is None or np.isnan(time).any():
        raise Invalid("leaks_time", "is not a time in every row (ISO 8601)", column=given.time)
    return time.astype(np.float64), found is not None and bool((time % 86_400 == 0).all())


def _split(file: I64, time: F64 | None, name: str | None) -> tuple[Bools, str]:
    if file[-1] == 1:
        return file == 1, "given"
    if time is None:
        # a multiplicative hash of the row's place (Knuth, TAOCP 6.4): the same rows every time
        place = np.arange(len(file), dtype=np.uint64) * np.uint64(11_400_714_819_323_198_485)
        return (place >> np.uint64(32)) % np.uint64(100) < round(TEST_SHARE * 100), "by hash"
    return time > np.quantile(time, 1 - TEST_SHARE, method="lower"), f"by time ({name})"
