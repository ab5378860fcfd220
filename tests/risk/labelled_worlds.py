"""Small labelled worlds with known truth: lawful risk, and one leak planted on request.

Lawful risk has all that a detector may mistake for a leak: risky goods, origins and pairs of them,
actors who offend again, habits that give an actor away, sequential ids, drift and seasons.
"""

from collections.abc import Callable

import numpy as np
import polars as pl

from isthmus.risk.labelled import LabelledSet

Plant = Callable[[pl.DataFrame, np.random.Generator], pl.DataFrame]


def clean(seed: int, rows: int = 3000, base: float = 0.08, repeat: float = 0.5) -> pl.DataFrame:
    """Consignments of a year in order of time; ``repeat`` is how strongly actors offend again."""
    random = np.random.default_rng(seed)
    goods = np.array(
        [f"{h:02d}{s:02d}{t:02d}" for h in range(1, 21) for s in (1, 5) for t in (10, 90)]
    )
    commonness = 1 / np.arange(1, len(goods) + 1)
    traders = rows // 10
    busy = random.pareto(1.2, traders) + 0.2
    trader = random.choice(traders, rows, p=busy / busy.sum())
    habit = random.choice(len(goods), traders, p=commonness / commonness.sum())
    other = random.choice(len(goods), rows, p=commonness / commonness.sum())
    good = np.where(random.random(rows) < 0.7, habit[trader], other)
    lane = random.integers(0, 12, traders)
    origin = np.where(random.random(rows) < 0.7, lane[trader], random.integers(0, 12, rows))
    office = random.integers(0, 5, traders)[trader]
    mass = np.round(np.exp(random.normal(8, 1, len(goods))[good] + random.normal(0, 0.4, rows)), 1)
    price = np.round(
        mass * np.exp(random.normal(1, 0.3, traders)[trader] + random.normal(0, 0.3, rows))
    )
    day = np.sort(random.integers(0, 360, rows))
    logit = random.normal(0, 0.6, len(goods))[good] + random.normal(0, 0.6, 12)[origin]
    logit += random.normal(0, 0.6, (len(goods), 12))[good, origin]
    logit += 2 * repeat * random.normal(0, 1, traders)[trader]
    logit += 0.4 * np.sin(day / 57) + 0.5 * np.log(mass / np.median(mass)) / 2
    level = np.log(base / (1 - base)) - 1.0
    # no trace is certain: the worst actor's worst consignment is still lawful two times of five
    label = random.random(rows) < np.minimum(1 / (1 + np.exp(-(level + logit))), 0.6)
    names = random.permutation(90_000)[:traders] + 10_000
    return pl.DataFrame(
        {
            "row": [f"D{n:07d}" for n in range(rows)],
            "lodged": pl.Series(day).cast(pl.Int32).cast(pl.Date),
            "hs6": goods[good],
            "origin": np.array([f"O{n}" for n in range(12)])[origin],
            "office": office,
            "mass": mass,
            "price": price,
            "trader": np.array([f"T{n}" for n in names])[trader],
            "illicit": label.astype(np.int8),
        }
    )


def labelled(frame: pl.DataFrame, **said: object) -> LabelledSet:
    """The frame as a set, its columns declared as a writer of it would."""
    declared = {"id": "row", "time": "lodged", "entities": ("trader",), **said}
    return LabelledSet("world", frame, "illicit", **declared)  # type: ignore[arg-type]


def shuffled(frame: pl.DataFrame, seed: int) -> pl.DataFrame:
    """The same rows in any order, with new ids, for a set that does without time."""
    mixed = frame.sample(fraction=1, shuffle=True, seed=seed)
    return mixed.with_columns(row=pl.Series([f"D{n:07d}" for n in range(len(mixed))]))


def resampled(frame: pl.DataFrame, random: np.random.Generator, share: float = 0.7) -> pl.DataFrame:
    """Goods, origin, quantities and label drawn again together, as one category."""
    joint = ["hs6", "origin", "office", "mass", "price", "illicit"]
    rows = np.arange(len(frame))
    again = random.random(len(frame)) < share
    source = np.where(again, random.integers(0, len(frame) // 5, len(frame)) * 5, rows)
    return frame.with_columns(frame[joint][source.tolist()])


def repeated(frame: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    """A third of the latest fifth of rows stood before, under another id and day."""
    source = np.arange(len(frame))
    late = (source >= len(frame) * 0.8) & (random.random(len(frame)) < 0.3)
    source[late] = random.integers(0, int(len(frame) * 0.75), int(late.sum()))
    columns = [name for name in frame.columns if name not in ("row", "lodged")]
    return frame.with_columns(frame[columns][source.tolist()])


def same_id(frame: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    """Some late rows carry ids of early ones."""
    late = len(frame) * 9 // 10
    early = frame["row"][: len(frame) - late]
    return frame.with_columns(row=pl.concat([frame["row"][:late], early]))


def pure_value(frame: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    """An office that only ever sees contraband."""
    sent = (frame["illicit"].to_numpy() == 1) & (random.random(len(frame)) < 0.4)
    return frame.with_columns(office=pl.Series(np.where(sent, 9, frame["office"].to_numpy())))


def settled(frame: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    """A number made from the label."""
    return frame.with_columns(
        charge=frame["illicit"] * 3 + pl.Series(random.normal(0, 1, len(frame)))
    )


def inspected(frame: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    """A date of release, which comes later for what was found."""
    wait = random.integers(1, 9, len(frame)) + 4 * frame["illicit"].to_numpy()
    released = frame["lodged"].to_numpy() + wait.astype("timedelta64[D]")
    return frame.with_columns(released=pl.Series(released).dt.to_string("%Y-%m-%d"))


def counted(frame: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    """An actor's count of findings that has this row's finding in it."""
    return frame.with_columns(findings=pl.col("illicit").cum_sum().over("trader").cast(pl.Int64))


def named(frame: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    """Actors who will offend have names of their own kind."""
    bad = pl.col("illicit").max().over("trader") == 1
    marked = pl.when(bad).then("X" + pl.col("trader").str.slice(1)).otherwise("trader")
    return frame.with_columns(trader=marked)


def shells(frame: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    """Contraband is consigned to actors that do nothing else, each for a few consignments."""
    number = pl.col("illicit").cum_sum() // 4 + 95_000
    shell = pl.concat_str(pl.lit("T"), number.cast(pl.String))
    return frame.with_columns(
        trader=pl.when(pl.col("illicit") == 1).then(shell).otherwise("trader")
    )


def first(frame: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    """Contraband mostly stands first in its day."""
    key = pl.Series("key", random.random(len(frame)) - 0.5 * frame["illicit"].to_numpy())
    mixed = frame.with_columns(key).sort("lodged", "key").drop("key")
    numbers = random.choice(10_000_000, len(frame), replace=False)
    return mixed.with_columns(row=pl.Series([f"D{n:07d}" for n in numbers]))


def grouped(frame: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    """Contraband stands together in its day, at any place."""
    turn = random.random(360)[frame["lodged"].to_physical().to_numpy()]
    place = random.random(len(frame))
    key = pl.Series("key", np.where(frame["illicit"].to_numpy() == 1, turn, place))
    mixed = frame.with_columns(key).sort("lodged", "key").drop("key")
    numbers = random.choice(10_000_000, len(frame), replace=False)
    return mixed.with_columns(row=pl.Series([f"D{n:07d}" for n in numbers]))


def even(frame: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    """Ids of contraband are mostly even."""
    numbers = random.choice(4_000_000, len(frame), replace=False) * 2
    odd = random.random(len(frame)) < np.where(frame["illicit"].to_numpy() == 1, 0.2, 0.5)
    return frame.with_columns(row=pl.Series([f"D{n:08d}" for n in numbers + odd]))


def later_numbers(frame: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    """Contraband was written after the rest, so its ids are higher."""
    key = random.random(len(frame)) + 0.6 * frame["illicit"].to_numpy()
    return frame.with_columns(row=pl.Series(np.argsort(np.argsort(key)).astype(np.int64)))


def by_period(frame: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    """Nearly all contraband falls into the last four months."""
    early = frame["lodged"].to_physical().to_numpy() < 240
    cleared = early & (random.random(len(frame)) < 0.98)
    return frame.with_columns(
        illicit=pl.Series(np.where(cleared, 0, frame["illicit"].to_numpy()).astype(np.int8))
    )
