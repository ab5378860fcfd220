"""Draw the pictures of this folder from a generated set.

    isthmus simulate generate --out DIR --consignments 60000 --days 120 --seed 1
    python docs/simulator/plots.py DIR

Writes ``*.svg``, ``examples.md`` and ``marginals.md`` beside this file. Tracks are
sailed anew, for the seed given.
"""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl
from drawing import BLUE, FAINT, INK, LAND, RED, Axis, Picture

from isthmus.cli.app import app  # noqa: F401  (commands join the application first)
from isthmus.cli.simulate import START
from isthmus.simulator import world
from isthmus.simulator.ais.lanes import lanes
from isthmus.simulator.ais.liners import liners
from isthmus.simulator.ais.passages import passages
from isthmus.simulator.ais.track import Track
from isthmus.simulator.ais.voyages import sail_calls, sail_passages
from isthmus.simulator.smuggling import schemes
from isthmus.simulator.traffic.calls import calls
from isthmus.simulator.truth import marginals
from isthmus.simulator.truth.book import FOLDER

HERE = Path(__file__).parent
DAYS = 5  # of ship tracks
TRACKS = 90  # tracks that are drawn, evenly out of all
PRICED = 16  # commodities whose prices are drawn
SHOWN = 28  # traces that are drawn
_AMERICAS = ((-125.0, -28.0), (-42.0, 45.0))
_CANAL = ((-80.45, -79.05), (8.35, 9.75))


def main() -> None:
    """Draw every picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    rows = pl.read_parquet(asked.folder / FOLDER / "labelled.parquet")
    tracks = _tracks(asked.seed)
    pictures = {
        "lanes": _map(tracks, *_AMERICAS, far=True),
        "canal": _map(tracks, *_CANAL, far=False),
        "activity": _activity(rows),
        "prices": _prices(rows),
        "traces": _traces(rows),
    }
    for name, picture in pictures.items():
        (HERE / f"{name}.svg").write_text(picture.text(), encoding="utf-8")
    (HERE / "examples.md").write_text(_examples(rows), encoding="utf-8")
    (HERE / "marginals.md").write_text(_marginals(asked.folder), encoding="utf-8")


def _marginals(folder: Path) -> str:
    """Set the world's marginals beside public facts and assumptions."""
    lines = [
        "# The world beside what is known",
        "",
        "Made by `docs/simulator/plots.py`; `isthmus simulate stats DIR` prints it for any set.",
        "",
        "| what | unit | here | known | source |",
        "|---|---|---|---|---|",
    ]
    for row in marginals.of(folder, world.load()).compared:
        source = row.source if row.public else f"*assumed*: {row.source}"
        figures = f"{row.here:.3g} | {row.known:.3g}"
        lines.append(f"| {row.words} | {row.unit} | {figures} | {source} |")
    return "\n".join(lines) + "\n"


# -- maps -------------------------------------------------------------------------------------


def _tracks(seed: int) -> list[Track]:
    """Sail the services' calls and the canal's passages of some days."""
    here = world.load()
    ships = {vessel.id: vessel for vessel in liners(here, seed)}
    sailed = sail_calls(ships, calls(here, seed, START, DAYS), [], seed)
    through = sail_passages(passages(seed, START, DAYS), [], seed)
    plans = [plan for plan in [*sailed.plans, *through] if len(plan.times) > 1]
    return [Track.of(plan) for plan in plans[:: max(1, len(plans) // TRACKS)]]


def _map(
    tracks: Iterable[Track],
    east: tuple[float, float],
    north: tuple[float, float],
    *,
    far: bool,
) -> Picture:
    """Draw tracks and berths: with the lanes' coarse land and ports, or with the anchorages."""
    width = 640.0
    height = width * (north[1] - north[0]) / (east[1] - east[0])
    picture = Picture(720, round(height) + 70)
    x = Axis(*east, 50.0, 50 + width)
    y = Axis(*north, 20 + height, 20.0)
    picture.axes(x, y, "degrees east", "")
    since = len(picture.parts)
    if far:
        for coast in lanes().land:
            picture.line([(x.at(e), y.at(n)) for n, e in coast], FAINT, 0.8, LAND)
    else:
        _waters(picture, x, y)
    for track in tracks:
        for points in _pieces(track, x, y):
            picture.line(points, BLUE, 0.4)
    berths = [*lanes().terminals.values(), *(lanes().ports.values() if far else ())]
    for n, e in sorted(approach.berth for approach in berths):
        picture.dot(x.at(e), y.at(n), RED, 2.4)
    if not far:
        _terminals(picture, x, y)
    picture.clip(x, y, since)
    return picture


def _waters(picture: Picture, x: Axis, y: Axis) -> None:
    """Draw the anchorages, each with its radius; a degree north is sixty sea miles."""
    for name, anchorage in lanes().anchorages.items():
        n, e = anchorage.at
        radius = (y.at(0) - y.at(1)) * anchorage.radius / 60
        picture.dot(x.at(e), y.at(n), LAND, radius)
        picture.words(x.at(e) - radius - 6, y.at(n), name, "end", 11)


def _terminals(picture: Picture, x: Axis, y: Axis) -> None:
    """Write the terminals' names to the right of their berths, one below the other."""
    below = 0.0
    berths = {code: approach.berth for code, approach in lanes().terminals.items()}
    for code, (n, e) in sorted(berths.items(), key=lambda item: -item[1][0]):
        at = max(y.at(n) + 4, below)
        picture.words(x.at(e) + 40, at, world.load().terminals[code].name, size=11, fill=RED)
        picture.line([(x.at(e) + 3, y.at(n)), (x.at(e) + 37, at - 4)], RED, 0.5)
        below = at + 15


def _pieces(track: Track, x: Axis, y: Axis) -> list[list[tuple[float, float]]]:
    """Return the parts of a track that lie near the picture, thinned to what can be seen."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for n, e in zip(track.latitudes, track.longitudes, strict=True):
        at = (x.at(float(e)), y.at(float(n)))
        seen = x.start - 200 < at[0] < x.end + 200 and y.end - 200 < at[1] < y.start + 200
        if not seen:
            pieces.append([])
        elif not pieces[-1] or abs(at[0] - pieces[-1][-1][0]) + abs(at[1] - pieces[-1][-1][1]) > 3:
            pieces[-1].append(at)
    return [piece for piece in pieces if len(piece) > 1]


# -- trade ------------------------------------------------------------------------------------


def _activity(rows: pl.DataFrame) -> Picture:
    """Draw how many consignments each trader has, the busiest first, both axes logarithmic."""
    picture = Picture(720, 400)
    counts = {name: rows[name].drop_nulls().value_counts()["count"].sort(descending=True).to_list()
              for name in ("shipper", "consignee")}  # fmt: skip
    most = max(len(held) for held in counts.values())
    x = Axis(1, most * 1.2, 60, 690, log=True)
    y = Axis(0.8, max(held[0] for held in counts.values()) * 1.3, 340, 30, log=True)
    picture.axes(x, y, "rank of the trader", "consignments in the set")
    for at, (name, colour) in enumerate((("shipper", BLUE), ("consignee", RED))):
        held = counts[name]
        ranks = sorted({round(1.06**power) for power in range(300) if 1.06**power <= len(held)})
        picture.line([(x.at(rank), y.at(held[rank - 1])) for rank in ranks], colour, 2)
        tenth = sum(held[: len(held) // 10]) / sum(held)
        once = sum(count == 1 for count in held) / len(held)
        picture.words(
            380,
            50 + 18 * at,
            f"{len(held):,} {name}s: a tenth has {tenth:.0%}, {once:.0%} only once",
            fill=colour,
        )
    return picture


def _prices(rows: pl.DataFrame) -> Picture:
    """Draw the declared price a kilogram of the commonest goods: 5 to 95 %, middle half, median."""
    priced = rows.filter(pl.col("value_usd") > 0).with_columns(
        price=pl.col("value_usd") / pl.col("net_kg")
    )
    spread = (
        priced.group_by("hs")
        .agg(
            pl.len().alias("rows"),
            *(pl.col("price").quantile(q).alias(f"q{q}") for q in (0.05, 0.25, 0.5, 0.75, 0.95)),
        )
        .sort("rows", "hs", descending=[True, False])
        .head(PRICED)
        .sort("q0.5", "hs")
    )
    names = {goods.hs: code.replace("_", " ") for code, goods in world.load().goods.items()}
    picture = Picture(720, 60 + 22 * PRICED)
    bottom = 20 + 22 * PRICED
    x = Axis(spread["q0.05"].min() / 1.2, spread["q0.95"].max() * 1.2, 210, 690, log=True)
    for value in x.ticks():
        picture.line([(x.at(value), 14), (x.at(value), bottom)], FAINT, 0.5)
        picture.words(x.at(value), bottom + 16, f"{value:g}", "middle", 11)
    picture.words(450, bottom + 34, "US dollars a kilogram, as declared", "middle")
    for at, row in enumerate(spread.iter_rows(named=True)):
        middle = 30 + 22 * at
        label = f"{names.get(row['hs'], row['hs'])} ({row['rows']:,})"
        picture.words(200, middle + 4, label, "end")
        picture.line([(x.at(row["q0.05"]), middle), (x.at(row["q0.95"]), middle)], BLUE, 1.5)
        start, end = x.at(row["q0.25"]), x.at(row["q0.75"])
        picture.bar(start, middle - 5, end - start, 10, BLUE)
        picture.bar(x.at(row["q0.5"]) - 1, middle - 7, 2, 14, RED)
    return picture


# -- traces -----------------------------------------------------------------------------------


def _traces(rows: pl.DataFrame) -> Picture:
    """Draw on how many guilty and on how many lawful consignments each trace was left."""
    left = (
        rows.explode("traces")
        .drop_nulls("traces")
        .group_by("traces")
        .agg(guilty=(pl.col("illicit") == 1).sum(), lawful=(pl.col("illicit") == 0).sum())
        .sort(pl.col("guilty") + pl.col("lawful"), "traces", descending=[True, False])
        .head(SHOWN)
    )
    picture = Picture(720, 70 + 20 * len(left))
    most = max(left["guilty"].max(), left["lawful"].max())
    x = Axis(0, most * 1.05, 200, 690)
    bottom = 36 + 20 * len(left)
    for value in x.ticks():
        picture.line([(x.at(value), 30), (x.at(value), bottom)], FAINT, 0.5)
        picture.words(x.at(value), bottom + 16, f"{value:g}", "middle", 11)
    picture.words(200, 18, "consignments on which it was planted:")
    picture.words(440, 18, "something hidden", fill=RED)
    picture.words(560, 18, "lawful look-alike", fill=BLUE)
    for at, row in enumerate(left.iter_rows(named=True)):
        top = 34 + 20 * at
        picture.words(192, top + 12, row["traces"].replace("_", " "), "end", fill=INK)
        picture.bar(200, top, x.at(row["guilty"]) - 200, 8, RED)
        picture.bar(200, top + 8, x.at(row["lawful"]) - 200, 8, BLUE)
    return picture


_COLUMNS = ("regime", "origin", "delivery", "hs", "value_usd", "net_kg", "weighed_over_kg",
            "seal_changes", "resealed", "yard_moves", "night_moves", "stay_hours", "road_hours",
            "elsewhere", "right_lookups", "right_users", "last_transfer_hours",
            "consignee_changed", "to_order")  # fmt: skip


def _examples(rows: pl.DataFrame) -> str:
    """Write one guilty consignment of each method, and a look-alike of it, as they appear."""
    text = ["# Each method's traces beside an innocent look-alike", "",
            "Made by `docs/simulator/plots.py`. What is shown is what papers and events showed "
            "until the last moment", "at which the box could still be stopped; the second column "
            "of each table is lawful."]  # fmt: skip
    for scheme in schemes.shipped():
        own = rows.filter(pl.col("method") == scheme.code)
        guilty = _telling(own.filter(pl.col("illicit") == 1))
        lawful = _telling(own.filter(pl.col("kind") == "look_alike"), guilty)
        if guilty is None or lawful is None:
            continue
        text += ["", f"## {scheme.code}: {scheme.name['en']}", "",
                 f"| | hidden: {guilty['carried']}, {guilty['kilograms']:,.0f} kg | lawful |",
                 "|---|---|---|",
                 f"| traces left | {_listed(guilty['traces'])} | "
                 f"{_listed(lawful['traces'])} |"]  # fmt: skip
        text += [
            f"| {name.replace('_', ' ')} | {_cell(guilty[name])} | {_cell(lawful[name])} |"
            for name in _COLUMNS
            if _says(guilty[name]) or _says(lawful[name])
        ]
    return "\n".join(text) + "\n"


def _telling(
    rows: pl.DataFrame, beside: dict[str, object] | None = None
) -> dict[str, object] | None:
    """Return the first row with most traces, or of most traces in common with another."""
    if not len(rows):
        return None
    wanted = pl.lit(beside["traces"] if beside else [], dtype=pl.List(pl.String))
    common = pl.col("traces").list.set_intersection(wanted).list.len()
    many = pl.col("traces").list.len()
    return rows.sort(common, many, "bill", descending=[True, True, False]).row(0, named=True)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in names) or "none"


def _says(value: object) -> bool:
    return value not in (None, 0, False)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.1f}"
    return "–" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


if __name__ == "__main__":
    main()
