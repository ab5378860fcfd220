"""A sample of traffic: documents in order of time, and apart from them what was planted."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

import orjson

from isthmus.cargo.model import Regime
from isthmus.kernel.errors import Conflict, Invalid
from isthmus.simulator import faults, schemes, world
from isthmus.simulator.calls import calls as calls_of
from isthmus.simulator.declarations import Declarations
from isthmus.simulator.dice import Dice
from isthmus.simulator.faults import Fault
from isthmus.simulator.life import Port
from isthmus.simulator.manifests import Manifests
from isthmus.simulator.numbers import Numbers
from isthmus.simulator.planted import Planted
from isthmus.simulator.post import Document, event_documents, write
from isthmus.simulator.shipment import Shipment
from isthmus.simulator.traces import ON_MOVES, ON_PAPERS, Kit
from isthmus.simulator.trade import LONGEST_STAY, Trade

DOCUMENTS = "documents"
TRUTH = "truth.jsonl"
RATE = 0.04  # share of consignments in which something is planted
DAYS = 14  # over which ships arrive
# Papers run ahead of ships: the first arrival is this long after the first paper.
AHEAD = timedelta(days=4)
FEWEST = 50


@dataclass(frozen=True, slots=True)
class Summary:
    """What was made."""

    consignments: int
    containers: int
    documents: dict[str, int]  # by format
    declarations: int
    events: int
    by_regime: dict[str, int]
    planted: dict[str, int]  # by method
    look_alikes: int
    faults: dict[str, int]  # by what a node is to do with them
    first: datetime  # the first document and the last
    last: datetime


def generate(
    out: Path,
    consignments: int,
    seed: int,
    start: datetime,
    *,
    days: int = DAYS,
    rate: float = RATE,
    world_name: str = "panama",
) -> Summary:
    """Write a sample of traffic to a folder: ``documents/`` and ``truth.jsonl``.

    Ships arrive over ``days`` from four days after ``start``; papers of a ship come before it and
    events after it. Raises ``Conflict`` when something is in the folder and ``Invalid`` for
    fewer consignments than make a world.
    """
    if out.exists() and any(out.iterdir()):
        raise Conflict("folder_not_empty", "the folder is not empty", folder=str(out))
    if consignments < FEWEST:
        raise Invalid("simulator.few", f"at least {FEWEST} consignments", value=consignments)
    if not 0 <= rate <= 0.2:
        raise Invalid("simulator.rate", "the rate lies between 0 and 0.2", value=rate)
    made = _make(world.load(world_name), consignments, seed, start, days, rate)
    documents = write(made.documents, out / DOCUMENTS)
    with (out / TRUTH).open("wb") as file:
        for row in _truth(made):
            file.write(orjson.dumps(row, option=orjson.OPT_SORT_KEYS) + b"\n")
    return _summary(made, documents)


@dataclass(frozen=True, slots=True)
class _Made:
    shipments: Sequence[Shipment]
    documents: Sequence[Document]
    planted: Sequence[Planted]
    faults: Sequence[Fault]
    declarations: int


def _make(
    here: world.World, count: int, seed: int, start: datetime, days: int, rate: float
) -> _Made:
    opens = start + AHEAD
    ahead = LONGEST_STAY + timedelta(days=2)
    calls = calls_of(here, seed, opens, days + ahead.days)
    arrivals = sum(call.arrival < opens + timedelta(days=days) for call in calls)
    trade = Trade(here, seed, calls, arrivals)
    shipments = trade.shipments(count)
    port = Port.open(here, seed)
    planted = schemes.choose(schemes.shipped(), shipments, rate, seed)
    kit = Kit(here, Dice(seed, "traces"), trade.traders, Numbers(seed, "traces"), port)
    schemes.leave(planted, kit, ON_PAPERS)
    for shipment in shipments:
        port.live(shipment)
    schemes.leave(planted, kit, ON_MOVES)
    wrong = faults.in_papers(here, shipments, seed)
    declarations = Declarations(here, seed, trade.traders)
    documents = [*declarations.documents(shipments)]
    documents += Manifests(here, seed).documents(calls, shipments)
    documents += event_documents(here, shipments, seed)
    wrong += faults.in_documents(documents, seed)
    plan, fault = faults.stowage(calls[len(calls) // 3], Dice(seed, "stowage"))
    return _Made(shipments, [*documents, plan], planted, [*wrong, fault], declarations.declared)


def _truth(made: _Made) -> Iterator[dict[str, object]]:
    """What a generator alone can know, a row each: planted, look-alike, clerical error."""
    rows = sorted(made.planted, key=lambda entry: entry.shipment.bill)
    for entry in rows:
        box = entry.shipment.box
        row: dict[str, object] = {
            "kind": "planted" if entry.guilty else "look_alike",
            # Empty boxes have no bill: a report names them by its own number and theirs.
            "bill": entry.shipment.bill if entry.shipment.goods else None,
            "container": box.number,
            "regime": entry.shipment.regime.value,
            "method": entry.scheme.code,
            "traces": entry.left,
        }
        if entry.guilty:
            row |= {
                "objective": entry.scheme.objective,
                "goods": entry.scheme.goods,
                "kilograms": entry.kilograms,
                "zone": entry.scheme.zone,
            }
        yield row
    for fault in made.faults:
        yield {"kind": "fault", **asdict(fault)}


def truth(out: Path) -> Iterable[dict[str, object]]:
    """Return the rows of a sample's truth."""
    return [orjson.loads(line) for line in (out / TRUTH).read_bytes().splitlines()]


def _summary(made: _Made, documents: Sequence[Document]) -> Summary:
    return Summary(
        consignments=len(made.shipments),
        containers=len({box.number for shipment in made.shipments for box in shipment.boxes}),
        documents=dict(sorted(Counter(document.kind for document in documents).items())),
        declarations=made.declarations,
        events=sum(len(shipment.moves) for shipment in made.shipments),
        by_regime={
            regime.value: count
            for regime in Regime
            if (count := sum(shipment.regime is regime for shipment in made.shipments))
        },
        planted=dict(sorted(Counter(e.scheme.code for e in made.planted if e.guilty).items())),
        look_alikes=sum(not entry.guilty for entry in made.planted),
        faults=dict(sorted(Counter(fault.expected for fault in made.faults).items())),
        first=documents[0].at,
        last=documents[-1].at,
    )
