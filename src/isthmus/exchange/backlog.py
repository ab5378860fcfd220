"""A backlog: batch after batch to one partner, with no pause between them.

A few batches are on their way at a time, each on a connection of its own, in the order of the
chain: the partner reads the next while it writes the one before, and neither distance nor the work
here stops the flow. What waits behind them is made ready meanwhile, and receipts are noted as they
come. Whether a batch may leave is decided when it leaves, never while it is made ready: a clause
suspended meanwhile ends the flow. So does the first refusal; everything under way is waited for.
"""

import contextlib
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from isthmus.exchange.model import Lane
from isthmus.exchange.outgoing import Batch
from isthmus.kernel.errors import IsthmusError

WIRES = 3  # batches under way at a time

Answer = Mapping[str, Any]
# Brings a batch to the partner and returns its answer.
Wire = Callable[[Batch], Answer]
# Returns the next batch behind the places (by lane) that are under way; nothing when there is
# none, or when something has to be stopped or sealed anew first.
Ahead = Callable[[Mapping[Lane, int]], Batch | None]
# Decides whether a batch that was read ahead may leave now, whole.
Leaves = Callable[[Batch], bool]
# Notes the receipts of an answer.
Settle = Callable[[Answer], None]


@dataclass(frozen=True, slots=True)
class Refused:
    """A batch of which the partner took a part only, and what it said of the rest."""

    batch: Batch
    refused: Sequence[Mapping[str, Any]]


def send(
    first: Batch, ahead: Ahead, leaves: Leaves, wires: Sequence[Wire], settle: Settle
) -> Refused | None:
    """Send a batch, which was decided just now, and all that follows it, until nothing waits that
    may leave, or the partner refuses.

    An answer that is lost is lost as any other: what it would have told is told again.
    """
    under_way: deque[tuple[Batch, Future[Answer]]] = deque()
    after: dict[Lane, int] = {}
    number = 0
    prepared: Batch | None = first
    told: Answer | None = None
    with ThreadPoolExecutor(len(wires), "wire") as pool:
        while True:
            if prepared is not None and prepared is not first and not leaves(prepared):
                prepared = None
            if prepared is not None:
                after[prepared.lane] = prepared.parcels[-1].seq
                # Batches end in their order, so that the next connection in turn is free.
                wire = wires[number % len(wires)]
                under_way.append((prepared, pool.submit(wire, prepared)))
                number += 1
            if told is not None:
                settle(told)
                told = None
            prepared = None if prepared is None else ahead(after)
            if prepared is not None and len(under_way) < len(wires):
                continue
            if not under_way:
                return None
            batch, answer = under_way.popleft()
            told = answer.result()
            if told.get("refused"):
                settle(told)
                for _, later in under_way:
                    with contextlib.suppress(IsthmusError):
                        settle(later.result())
                return Refused(batch, told["refused"])
