"""How hard the simulator's sets are: what each baseline catches, over several seeds.

    python bench/baselines.py [--consignments 60000] [--days 120] [--seeds 5] [--rate 0.01]
                              [--keep FOLDER] [--processes 2] [--page]

Each set is generated, checked for leaks of its labels, and its later 30 % by time ranked by every
baseline of ``isthmus.risk.baselines``. Means over the seeds with intervals of 95 % (Student's t).
Sets kept in a folder are not made again; --page writes docs/simulator/difficulty.md as well.
"""

import argparse
import tempfile
import time
from pathlib import Path

from isthmus.cli.app import app  # noqa: F401  (commands join the application first)
from isthmus.cli.benchmark import rank
from isthmus.cli.simulate import START
from isthmus.risk import benchmark, labelled, leaks
from isthmus.risk.baselines import BASELINES
from isthmus.risk.budget import BUDGETS
from isthmus.simulator import run
from isthmus.simulator.run import Order
from isthmus.simulator.smuggling import schemes
from isthmus.simulator.truth.book import FOLDER

PAGE = Path(__file__).parent.parent / "docs" / "simulator" / "difficulty.md"
Table = dict[tuple[str, str, float, str], benchmark.Interval]


def main() -> None:
    """Generate the sets, rank, and print the table."""
    asked = _arguments()
    with tempfile.TemporaryDirectory() as scratch:
        root = asked.keep or Path(scratch)
        sets = [_one(root / f"seed-{seed}", seed, asked) for seed in range(1, asked.seeds + 1)]
    table = dict(benchmark.over_sets([found for found, _ in sets]))
    said = [
        f"{asked.seeds} seeds, {asked.consignments:,} consignments over {asked.days} days, "
        f"rate {asked.rate:.1%}. Means, with the half width of their 95 % interval.",
        "",
        *_overall(table),
        "",
        "Recall at 2 % by objective and method:",
        "",
        *_by_kind(table),
        "",
        f"Sets that leak their labels: {_convicted(sets)}.",
    ]
    print("\n" + "\n".join(said))
    if asked.page:
        head = ["# How hard the sets are", "", "Written by `python bench/baselines.py --page`.", ""]
        PAGE.write_text("\n".join([*head, *said, ""]), encoding="utf-8")


def _convicted(sets: list[tuple[list[benchmark.Line], bool]]) -> str:
    return ", ".join(str(seed) for seed, (_, clean) in enumerate(sets, 1) if not clean) or "none"


def _one(folder: Path, seed: int, asked: argparse.Namespace) -> tuple[list[benchmark.Line], bool]:
    """Make one set unless it is there; return its lines, and whether no leak was found."""
    started = time.perf_counter()
    if not (folder / FOLDER / "labelled.json").is_file():
        order = Order(asked.consignments, asked.days, seed, START, asked.rate)
        run.generate(folder, order, processes=asked.processes)
    made = time.perf_counter() - started
    given = labelled.read([folder / FOLDER])
    verdict = leaks.check(given)
    ranked = rank(given.train, schemes.gathered(), seed)
    took = time.perf_counter() - started - made
    print(f"seed {seed}: {made:.0f} s to make, {took:.0f} s to check and rank; "
          f"learnt from {dict(ranked.learnt_from)}", flush=True)  # fmt: skip
    for finding in verdict.findings:
        print(f"  {finding.severity} {finding.kind}: {finding.words}", flush=True)
    return benchmark.lines(ranked), verdict.clean


def _overall(table: Table) -> list[str]:
    heads = [f"recall {budget:.0%}" for budget in BUDGETS]
    heads += ["precision 2%", "harm recall 2%", "lift 2%"]
    rows = [_row("", *heads), _row(*["---"] * (len(heads) + 1))]
    for name in BASELINES:
        keys = [(name, benchmark.ALL, budget, "recall") for budget in BUDGETS]
        keys += [(name, benchmark.ALL, 0.02, one) for one in ("precision", "harm_recall")]
        lift = table[name, benchmark.ALL, 0.02, "lift"]
        rows.append(_row(name, *(_figure(table.get(key)) for key in keys), f"{lift.mean:.1f}"))
    return rows


def _by_kind(table: Table) -> list[str]:
    """Return recall at 2 % of each objective and method."""
    kinds = list(dict.fromkeys(kind for _, kind, _, _ in table if kind != benchmark.ALL))
    kinds.sort(key=lambda kind: (kind[0] == "M", len(kind) if kind[0] == "M" else 0, kind))
    rows = [_row("", *BASELINES), _row(*["---"] * (len(BASELINES) + 1))]
    for kind in kinds:
        figures = (_figure(table.get((name, kind, 0.02, "recall"))) for name in BASELINES)
        rows.append(_row(kind, *figures))
    return rows


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _figure(found: benchmark.Interval | None) -> str:
    if found is None:
        return "–"
    half = "" if found.half is None else f" ±{found.half:.3f}"
    return f"{found.mean:.3f}{half}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--consignments", type=int, default=60_000)
    parser.add_argument("--days", type=int, default=120)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rate", type=float, default=0.01)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--page", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
