"""``simulate bench`` and ``simulate stats`` on a small generated set."""

from pathlib import Path

import orjson
import polars as pl
import pytest
from typer.testing import CliRunner

from isthmus.cli import benchmark, commands
from isthmus.cli.app import app
from isthmus.cli.simulate import START
from isthmus.kernel.errors import Invalid
from isthmus.risk.baselines import BASELINES
from isthmus.risk.budget import BUDGETS
from isthmus.simulator import run, world
from isthmus.simulator.run import Order
from isthmus.simulator.smuggling import schemes
from isthmus.simulator.smuggling.scheme import SHIPMENT


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    commands.load()
    folder = tmp_path_factory.mktemp("bench") / "set"
    run.generate(folder, Order(1200, 20, seed=5, start=START, rate=0.08))
    return folder


def told(*words: object) -> dict[str, object]:
    result = CliRunner().invoke(app, ["simulate", *map(str, words), "--json"])
    assert result.exit_code == 0, result.output
    said: dict[str, object] = orjson.loads(result.stdout)
    return said


def test_bench_says_what_each_baseline_catches_at_each_budget(made: Path) -> None:
    said = told("bench", made)
    rows = pl.read_parquet(made / "truth" / "labelled.parquet")
    assert said["rows"] == len(rows)
    lines = said["lines"]
    assert isinstance(lines, list)
    whole = {(line["baseline"], line["budget"]): line for line in lines if line["kind"] == "all"}
    assert whole.keys() == {(name, budget) for name in BASELINES for budget in BUDGETS}
    assert {line["positives"] for line in whole.values()} == {said["positives"]}
    for name in BASELINES:
        recalls = [whole[name, budget]["recall"] for budget in BUDGETS]
        assert recalls == sorted(recalls)
    assert whole["oracle", 0.1]["recall"] > whole["random", 0.1]["recall"] + 0.2
    assert "objective" not in {line["kind"] for line in lines}
    assert "contraband" in {line["kind"] for line in lines}


def test_bench_in_words_names_every_baseline_and_method(made: Path) -> None:
    result = CliRunner().invoke(app, ["simulate", "bench", str(made)])
    assert result.exit_code == 0, result.output
    assert all(name in result.stdout for name in BASELINES)
    assert "\nM1 " in result.stdout


def test_the_oracle_finds_each_guilty_shipment_usable_by_its_scheme(made: Path) -> None:
    """What the oracle takes a scheme to ask of a row holds for those that the scheme used.

    A few groups change their method, and a declared code may be a clerk's: nearly all must fit.
    """
    rows = benchmark.wide(pl.read_parquet(made / "truth" / "labelled.parquet"))
    guilty = rows.filter(pl.col("illicit") == 1)
    misfits = 0
    for scheme in schemes.shipped():
        if scheme.uses == SHIPMENT:
            own = guilty.filter(pl.col("method") == scheme.code)
            for column, values in benchmark.known(scheme).where.items():
                misfits += len(own.filter(~pl.col(column).is_in(list(values)).fill_null(True)))
    assert len(guilty) > 50
    assert misfits <= 0.05 * len(guilty)


def test_stats_stand_beside_facts_with_their_sources(made: Path) -> None:
    said = told("stats", made)
    rows = pl.read_parquet(made / "truth" / "labelled.parquet")
    compared = {one["fact"]: one for one in said["compared"]}
    facts = world.load().facts
    assert compared["base_rate"]["here"] == pytest.approx(rows["illicit"].mean())
    assert compared["inspected_share"]["here"] == pytest.approx(
        rows["inspected"].is_not_null().mean()
    )
    for code, one in compared.items():
        assert (one["known"], one["source"]) == (facts[code].value, facts[code].source)
    terminals = sum(one["here"] for code, one in compared.items() if code.startswith("teu_share_"))
    assert terminals == pytest.approx(1)
    regimes = said["shares"]["share of consignments, by regime"]
    assert sum(regimes.values()) == pytest.approx(1)
    written = [path for path in made.rglob("*") if path.is_file()]
    assert sum(count for count, _ in said["files"].values()) == len(written)
    assert sum(size for _, size in said["files"].values()) == sum(
        path.stat().st_size for path in written
    )


def test_stats_in_words_mark_what_is_assumed(made: Path) -> None:
    result = CliRunner().invoke(app, ["simulate", "stats", str(made)])
    assert result.exit_code == 0, result.output
    assert "assumed: " in result.stdout
    assert "Panama Maritime Authority" in result.stdout


@pytest.mark.parametrize("command", ["bench", "stats"])
def test_a_folder_without_a_set_is_refused(command: str, tmp_path: Path) -> None:
    commands.load()
    result = CliRunner().invoke(app, ["simulate", command, str(tmp_path)])
    assert isinstance(result.exception, Invalid)
