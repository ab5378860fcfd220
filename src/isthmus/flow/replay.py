"""Replay: a targeting run again, from its seed and the assessments it chose from."""

from collections.abc import Iterator

from isthmus.cases import runs
from isthmus.flow.target import Choice, Order, Pool, choose, pool_frame
from isthmus.kernel.errors import Invalid
from isthmus.platform.transaction import Transaction
from isthmus.risk.objectives import Objective
from isthmus.risk.select import Basis, Lane


def replay(tx: Transaction, run_id: str) -> tuple[Choice, ...]:
    """Choose again as a run chose; it must come out as its picks stand, to the last bit.

    Raises ``NotFound`` when there is no such run, ``Damaged`` when what it chose from cannot be
    read, ``Invalid`` when it no longer makes a pool.
    """
    row = runs.run_row(tx, run_id)
    budgets = {name: told["budget"] for name, told in row["lanes"].items()}
    order = Order(
        budget=budgets[Lane.RED],
        documentary=budgets[Lane.YELLOW],
        audits=budgets[Lane.BLUE],
        office=row["office"],
        shift=row["shift"],
        objective=Objective(row["objective"]),
        floor=row["floor"],
    )
    pools = []
    for numbers in runs.unpack_pool(row["pool"]):
        rated = runs.rated(tx, numbers)
        if len(rated) != len(numbers):
            raise Invalid("pool_incomplete", "assessments that it chose from are gone", run=run_id)
        pools.append(pool_frame(rated))
    shares = row["lanes"][Lane.RED].get("shares")  # runs before there were shares kept none
    return choose(Pool(*pools), order, bytes.fromhex(row["seed"]), shares).choices


def differences(tx: Transaction, run_id: str) -> Iterator[str]:
    """Name the units whose picks are not those that a replay of the run makes."""
    again = {choice.unit_id: choice for choice in replay(tx, run_id)}
    for row in runs.picks_of_run(tx, run_id):
        stored = Choice(row["unit_id"], Lane(row["lane"]), Basis(row["basis"]), row["rank"],
                        row["propensity"])  # fmt: skip
        if again.pop(row["unit_id"], None) != stored:
            yield row["unit_id"]
    yield from sorted(again)
