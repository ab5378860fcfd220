"""``isthmus simulate check-leaks``: whether a labelled set gives its labels away."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from isthmus.cli.app import SET_APART, Json, show
from isthmus.cli.simulate import simulate
from isthmus.risk import labelled, leaks
from isthmus.risk.copier import MARGIN, Copier


@simulate.command(name="check-leaks")
def check_leaks(
    paths: Annotated[
        list[Path], typer.Argument(help="A folder with labelled.json, or CSV and Parquet files.")
    ],
    label: Annotated[str | None, typer.Option(help="Column of the label, 0 or 1.")] = None,
    id: Annotated[str | None, typer.Option(help="Column that names the row.")] = None,
    time_column: Annotated[
        str | None, typer.Option("--time", help="Column of the record's own time.")
    ] = None,
    test: Annotated[Path | None, typer.Option(help="The test set, if it is apart.")] = None,
    entity: Annotated[
        list[str] | None, typer.Option(help="Column of an actor with a lawful history; repeatable.")
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(help="Column no model would see; repeatable.")
    ] = None,
    tuples: Annotated[
        list[str] | None,
        typer.Option("--tuple", help="Columns to copy by, comma between them; repeatable."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Say whether a labelled set leaks its labels, and what a copier would score on it.

    Exit status 0: clean. 1: it leaks. 2: refused.
    """
    started = time.perf_counter()
    with Progress(console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, Any] = {}

        def advance(name: str, done: int, total: int) -> None:
            task = tasks.setdefault(name, bar.add_task(name, total=total))
            bar.update(task, completed=done, total=total)

        bar.add_task("reading", total=None)
        given = labelled.read(
            paths,
            label=label,
            id=id,
            time=time_column,
            test=test,
            entities=entity or (),
            ignored=ignore or (),
        )
        verdict = leaks.check(given, advance, [names.split(",") for names in tuples or ()])
    result = {**verdict.as_dict(), "seconds": round(time.perf_counter() - started, 3)}
    show(result, as_json, lambda: "\n".join(_words(verdict)))
    if not verdict.clean:
        raise typer.Exit(SET_APART)


def _words(verdict: leaks.Verdict) -> list[str]:
    lines = [
        f"{verdict.name}",
        f"{verdict.train_rows:,} training rows ({verdict.train_positive:.1%} positive), "
        f"{verdict.test_rows:,} test rows ({verdict.test_positive:.1%}); split {verdict.split}",
    ]
    if verdict.left_out:
        lines.append(f"{verdict.left_out:,} rows far from the split were left out")
    lines += ["", "What a copier of old labels scores on the test, the best tuple first:"]
    lines.append("  seen   pure   right  P@1   P@5   P@10  AUC   AP    gain          fields")
    lines += [_row(copier) for copier in (verdict.copier, *verdict.tuples)]
    lines += _notes()
    for finding in verdict.findings:
        lines.append(f"{finding.severity.upper():<7} {finding.kind}: {finding.words}")
    lines.append("clean" if verdict.clean else "NOT clean: it leaks its labels")
    return lines


def _notes() -> Sequence[str]:
    return (
        f"gain: AUC of the look-up less that of rates that have not seen the tuple, on the rows "
        f"seen, with its lower bound; up to {MARGIN:.2f} is clean",
        "",
    )


def _row(copier: Copier) -> str:
    right = "   –  " if copier.right is None else f"{copier.right:6.1%}"
    points = (copier.precision_at_1, copier.precision_at_5, copier.precision_at_10)
    figures = " ".join(f"{value:5.3f}" for value in (*points, copier.auc, copier.ap))
    gain = "     –       "
    if copier.gain is not None and copier.gain_low is not None:
        gain = f"{copier.gain:+5.3f} ({copier.gain_low:+5.3f})"
    fields = ", ".join(copier.fields)
    return f"  {copier.seen:5.1%}  {copier.pure:5.1%}  {right} {figures} {gain}  {fields}"
