"""``isthmus simulate bench`` and ``stats``: how hard a set is, how near its world is to life."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from isthmus.cli.app import Json, show
from isthmus.cli.loop import progress
from isthmus.cli.simulate import simulate
from isthmus.risk import baselines, benchmark, labelled, trace_odds
from isthmus.risk.budget import BUDGETS
from isthmus.simulator import world
from isthmus.simulator.smuggling import schemes
from isthmus.simulator.smuggling.scheme import SHIPMENT, Scheme
from isthmus.simulator.truth import marginals
from isthmus.simulator.truth.book import FOLDER

Set = Annotated[Path, typer.Argument(help="A folder that `isthmus simulate generate` made.")]
_TWO = 0.02
_RENAMED = frozenset(("other_heading", "foreign_goods"))  # traces that put other goods on paper


@simulate.command()
def bench(
    folder: Set,
    seed: Annotated[int, typer.Option(help="Of the lots and the learners.")] = 7,
    added: Annotated[
        list[Path] | None,
        typer.Option("--schemes", help="Schemes beside the shipped, as given to generate."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Rank the later part of a set by every baseline and say what each catches."""
    started = time.perf_counter()
    rows = labelled.read([folder / FOLDER]).train
    with progress("baselines", len(baselines.BASELINES)) as advance:
        ranked = rank(rows, schemes.gathered(added or ()), seed, lambda _: advance(1))
    found = benchmark.lines(ranked)
    about = {
        "rows": len(rows),
        "judged": len(ranked.rows),
        "positives": int(ranked.rows[baselines.LABEL].sum()),
        "learnt_from": dict(ranked.learnt_from),
    }
    result = {
        **about,
        "lines": [
            {"baseline": line.baseline, "kind": line.kind, **line.caught.as_dict()}
            for line in found
        ],
        "seconds": round(time.perf_counter() - started, 2),
    }
    show(result, as_json, lambda: _bench_words(about, found))


def rank(
    rows: pl.DataFrame,
    used: Sequence[Scheme],
    seed: int,
    advance: baselines.Advance = lambda _: None,
) -> baselines.Ranked:
    """Rank a set's later rows by every baseline; the oracle knows the schemes that were used."""
    told = [known(scheme) for scheme in used if scheme.uses == SHIPMENT]
    return baselines.rank(wide(rows), told, seed, advance)


def wide(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with what schemes ask of a shipment, as columns of text.

    Null where papers hide it: a trace that names other goods says nothing of the true ones.
    """
    arriving = pl.col("regime").is_in(["transhipment", "import", "free_zone_in"])
    places = {code: terminal.place for code, terminal in world.load().terminals.items()}
    hidden = pl.any_horizontal(pl.col("traces").list.contains(name) for name in sorted(_RENAMED))
    goods = pl.when(~hidden).then(pl.col("hs").fill_null(""))
    apart = pl.col("terminal") != pl.col("onward_terminal")
    return rows.with_columns(
        loaded_in=pl.when(arriving)
        .then("origin")
        .otherwise(pl.col("terminal").replace_strict(places, default=None)),
        true_hs=goods,
        true_chapter=goods.str.head(2),
        is_reefer=pl.col("size_type").str.slice(2, 1) == "R",
        is_transferred=apart.fill_null(False),
    )


def known(scheme: Scheme) -> trace_odds.Scheme:
    """Return what the oracle knows of a scheme, asked of the columns of ``wide``."""
    where = scheme.where
    codes = world.load().goods
    asked: dict[str, Sequence[object]] = {"groupage": [where.get("groupage", False)]}
    for key, column in (
        ("regimes", "regime"),
        ("origins", "loaded_in"),
        ("destinations", "discharge"),
        ("chapters", "true_chapter"),
        ("equipment", "size_type"),
    ):
        if key in where:
            asked[column] = where[key]
    if "goods" in where:
        asked["true_hs"] = [codes[code].hs for code in where["goods"]]
    for key, column in (("reefer", "is_reefer"), ("transferred", "is_transferred")):
        if key in where:
            asked[column] = [where[key]]
    return trace_odds.Scheme(
        code=scheme.code,
        weight=scheme.weight,
        where=asked,
        traces=scheme.traces,
        confused=[trace_odds.Confused(one.each, one.traces) for one in scheme.confusers],
    )


def _bench_words(about: Mapping[str, Any], found: Iterable[benchmark.Line]) -> str:
    table = {(line.baseline, line.kind, line.caught.budget): line.caught for line in found}
    kinds = list(dict.fromkeys(kind for _, kind, _ in table))
    rate = about["positives"] / about["judged"]
    text = [
        f"{about['judged']:,} later rows of {about['rows']:,}, "
        f"{about['positives']:,} with something hidden ({rate:.2%})",
        "",
        f"{'':36}{'recall at':>9}"
        + "".join(f"{budget:>8.0%}" for budget in BUDGETS)
        + "   at 2 %: precision  harm recall   lift",
    ]
    for name in baselines.BASELINES:
        at = [table[name, benchmark.ALL, budget] for budget in BUDGETS]
        two = table[name, benchmark.ALL, _TWO]
        harm = "–" if two.harm_recall is None else f"{two.harm_recall:.3f}"
        text.append(
            f"{name:45}"
            + "".join(f"{one.recall:8.3f}" for one in at)
            + f"{two.precision:20.3f}{harm:>13}{two.lift:7.1f}"
        )
    text += ["", "recall at 2 %, of each kind", " " * 24 + _heads()]
    for kind in kinds:
        row = "".join(f"{table[name, kind, _TWO].recall:9.3f}" for name in baselines.BASELINES)
        count = table[baselines.RANDOM, kind, _TWO].positives
        text.append(f"{kind:16}{count:8,}{row}")
    learnt = ", ".join(f"{name} {count:,}" for name, count in about["learnt_from"].items())
    return "\n".join([*text, "", f"positives learnt from: {learnt}"])


def _heads() -> str:
    short = ("random", "rules", "forest", "log-insp", "gbm-insp", "logistic", "LightGBM", "oracle")
    return "".join(f"{head:>9}" for head in short)


@simulate.command()
def stats(folder: Set, as_json: Json = False) -> None:
    """Show a set's marginals beside what is publicly known, with the sources, and its bytes."""
    started = time.perf_counter()
    with progress("reading") as advance:
        table = marginals.of(folder, world.load(), advance)
    result = {**asdict(table), "seconds": round(time.perf_counter() - started, 2)}
    show(result, as_json, lambda: _stats_words(table))


def _stats_words(table: marginals.Marginals) -> str:
    text = [f"{'':46}{'here':>10}{'known':>10}  source"]
    for one in table.compared:
        mark = "" if one.public else "assumed: "
        text.append(f"{one.words[:45]:46}{one.here:>10.4g}{one.known:>10.4g}  {mark}{one.source}")
    for name, shares in table.shares.items():
        text += ["", name]
        text += [f"  {code:24}{share:8.2%}" for code, share in shares.items()]
    text += ["", f"{'files':24}{'number':>10}{'bytes':>16}"]
    text += [f"{kind:24}{count:>10,}{size:>16,}" for kind, (count, size) in table.files.items()]
    return "\n".join(text)
