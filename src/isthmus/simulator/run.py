"""A run: a world lived day by day, what it writes, and apart from it what was so."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path

from isthmus.cargo.model import Regime
from isthmus.kernel.errors import Conflict, Invalid
from isthmus.simulator import world
from isthmus.simulator.ais import write as ais
from isthmus.simulator.ais.acts import SeaAct
from isthmus.simulator.dice import Dice
from isthmus.simulator.papers import stowage
from isthmus.simulator.papers.declarations import Declarations
from isthmus.simulator.papers.events import Events
from isthmus.simulator.papers.faults import Faults
from isthmus.simulator.papers.gateway import Gateway
from isthmus.simulator.papers.manifests import Manifests
from isthmus.simulator.papers.mirrors import Mirrors
from isthmus.simulator.papers.post import Draft, Outbox, Share
from isthmus.simulator.smuggling import schemes as shipped_schemes
from isthmus.simulator.smuggling.officers import Inspection, Inspector
from isthmus.simulator.smuggling.planted import Planted, PlantedVoyage
from isthmus.simulator.smuggling.traces import Kit
from isthmus.simulator.smuggling.underworld import Underworld
from isthmus.simulator.traffic.calls import AHEAD, Call, calls
from isthmus.simulator.traffic.life import Port
from isthmus.simulator.traffic.numbers import Numbers
from isthmus.simulator.traffic.shipment import Shipment
from isthmus.simulator.traffic.trade import LONGEST_STAY, Trade
from isthmus.simulator.truth.book import Truth

DOCUMENTS = "documents"
RATE = 0.01  # share of consignments in which something is planted
RATES = (0.0, 0.2)
FEWEST = 50
ALONE = 5_000  # consignments up to which a second process is not worth its start
Progress = Callable[[int], None]
"""Told how many more consignments were made."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked of a run: ``consignments`` over ``days`` of arrivals from ``start``."""

    consignments: int
    days: int
    seed: int
    start: datetime
    rate: float = RATE
    world: str = "panama"
    schemes: tuple[Path, ...] = ()  # folders or files of schemes beside the shipped ones
    ais_days: int = 0  # days of ship tracks, from the first arrivals on


@dataclass(slots=True)
class Summary:
    """What was made."""

    consignments: int = 0
    containers: int = 0
    declarations: int = 0
    events: int = 0
    bytes: int = 0
    documents: dict[str, int] = field(default_factory=dict)  # by format
    by_regime: dict[str, int] = field(default_factory=dict)
    ais_messages: int = 0
    ais_bytes: int = 0
    radar_plots: int = 0
    ships: int = 0  # and small craft, whose tracks were made
    planted: dict[str, int] = field(default_factory=dict)  # in consignments, by method
    at_sea: dict[str, int] = field(default_factory=dict)  # on ships and small craft, by method
    look_alikes: int = 0
    inspected: dict[str, int] = field(default_factory=dict)  # by result
    faults: dict[str, int] = field(default_factory=dict)  # by what a node is to do with them
    first: datetime | None = None  # the first document and the last
    last: datetime | None = None


def generate(
    out: Path, order: Order, *, processes: int = 1, advance: Progress = lambda _: None
) -> Summary:
    """Live a world and write it to a folder: ``documents/``, ``truth/``, ``ais/`` and ``radar/``.

    Ships arrive over ``days`` from four days after ``start``; papers of a ship come before it and
    events after it. The bytes do not depend on the number of processes.

    Raises ``Conflict`` when something is in the folder, ``Invalid`` for an order that makes no
    world or a scheme that is wrong.
    """
    if out.exists() and any(out.iterdir()):
        raise Conflict("folder_not_empty", "the folder is not empty", folder=str(out))
    if order.consignments < FEWEST:
        value = order.consignments
        raise Invalid("simulator.few", f"at least {FEWEST} consignments", value=value)
    if not RATES[0] <= order.rate <= RATES[1]:
        raise Invalid("simulator.rate", "the rate lies between 0 and 0.2", value=order.rate)
    shipped_schemes.gathered(order.schemes)  # refused before anything is made
    processes = 1 if order.consignments <= ALONE else processes
    if processes == 1:
        return _live(out, order, Share(), advance)
    with ProcessPoolExecutor(processes - 1, mp_context=get_context("spawn")) as pool:
        others: list[Future[Summary]] = [
            pool.submit(_live, out, order, Share(number, processes))
            for number in range(1, processes)
        ]
        made = _live(out, order, Share(0, processes), advance)
        for other in others:
            part = other.result()
            made.bytes += part.bytes
            made.ais_messages += part.ais_messages
            made.ais_bytes += part.ais_bytes
            made.radar_plots += part.radar_plots
    return made


def _live(out: Path, order: Order, share: Share, advance: Progress = lambda _: None) -> Summary:
    """Live the whole world and write a share of its documents."""
    run = _Run(out, order, share)
    for day, arriving in run.days():
        advance(run.live(day, arriving))
    return run.end()


class _Run:
    """The state of a run between two days."""

    def __init__(self, out: Path, order: Order, share: Share) -> None:
        self.order = order
        self.out = out
        self.world = here = world.load(order.world)
        seed, start = order.seed, order.start
        opens = start + AHEAD
        until = opens + timedelta(days=order.days)
        ahead = LONGEST_STAY + timedelta(days=2)
        self.calls = calls(here, seed, opens, order.days + ahead.days)
        self.trade = Trade(here, seed, self.calls, until, order.consignments)
        found = shipped_schemes.gathered(order.schemes)
        self.underworld = Underworld(here, found, seed, order.rate, start, order.days)
        self.inspector = Inspector(here, found, seed)
        self.port = Port.open(here, seed)
        self.kit = Kit(
            here, Dice(seed, "traces"), self.trade.traders, Numbers(seed, "traces"), self.port
        )
        self.outbox = Outbox(out / DOCUMENTS, share)
        self.faults = Faults(here, seed)
        self.gateway = Gateway(here, seed)
        self.manifests = Manifests(here, seed)
        self.declarations = Declarations(here, seed, self.trade.traders, self.gateway)
        self.events = Events(here, seed)
        self.mirrors = Mirrors(seed)
        self.stowage = Dice(seed, "stowage")
        self.truth = Truth(out, writes=share.number == share.of - 1)
        self.truth.ordered({**asdict(order), "schemes": [scheme.code for scheme in found]})
        self.acts: list[SeaAct] = []
        self.made = Summary()
        self.regimes: Counter[Regime] = Counter()

    def days(self) -> Iterator[tuple[date, Sequence[Call]]]:
        """Yield each day on which calls open, with those calls."""
        for day, opening in groupby(self.calls, key=lambda call: call.opens):
            yield day, list(opening)

    def live(self, day: date, arriving: Sequence[Call]) -> int:
        """Live one day; returns how many shipments it brought."""
        morning = datetime.combine(day, time(), UTC)
        self._close(morning)
        self.trade.traders.day(morning)
        shipments = self.trade.draw(arriving)
        planted = self.underworld.choose(morning, shipments)
        self.underworld.on_papers(planted, self.kit)
        self.port.live(shipments)
        self.underworld.on_moves(planted, self.kit)
        inspections = self._inspect(shipments, planted)
        self.faults.err(shipments)
        self.truth.take(shipments, planted, inspections)
        voyages = self.underworld.voyages(morning, arriving)
        self.truth.voyages(voyages, [self._board(voyage) for voyage in voyages])
        self.acts += [act for voyage in voyages for act in voyage.acts]
        self._report(arriving, shipments)
        self._count(shipments)
        return len(shipments)

    def _inspect(
        self, shipments: Sequence[Shipment], planted: Sequence[Planted]
    ) -> list[tuple[Shipment, Inspection]]:
        """Let officers inspect a few; groups learn of what is found with them."""
        by_shipment = {id(entry.shipment): entry for entry in planted}
        made = []
        for shipment in shipments:
            entry = by_shipment.get(id(shipment))
            inspection = self.inspector.inspect(shipment, entry)
            if inspection is None:
                continue
            made.append((shipment, inspection))
            if entry is not None and inspection.discovery is not None:
                self.underworld.told(entry, inspection.at)
        return made

    def _board(self, voyage: PlantedVoyage) -> Inspection | None:
        """Let officers board a vessel; her group learns of what is found."""
        boarded = self.inspector.board(voyage)
        if boarded is not None and boarded.discovery is not None:
            self.underworld.told(voyage, boarded.at)
        return boarded

    def _report(self, arriving: Sequence[Call], shipments: Sequence[Shipment]) -> None:
        """Give the shipments to every desk that reports on them."""
        self.manifests.take(arriving, shipments, self._send)
        self.declarations.take(shipments)
        self.mirrors.take(shipments)
        self.events.take(shipments)
        for plan in stowage.plans(arriving, shipments, self.stowage):
            self._send(plan)

    def _send(self, draft: Draft) -> None:
        self.faults.send(draft, self.outbox)

    def _close(self, until: datetime) -> None:
        """Send and write all that is complete before a moment."""
        for desk in (self.manifests, self.gateway, self.mirrors, self.events):
            desk.close(until, self._send)
        self.outbox.flush(until)

    def _count(self, shipments: Sequence[Shipment]) -> None:
        self.made.consignments += len(shipments)
        self.regimes.update(shipment.regime for shipment in shipments)
        self.made.containers += sum(
            len(shipment.boxes)
            for shipment in shipments
            if shipment.goods is None or not shipment.master
        ) + len({shipment.master for shipment in shipments if shipment.master})

    def end(self) -> Summary:
        """Send all that is left and return what was made."""
        self._close(datetime.max.replace(tzinfo=UTC))
        if self.order.ais_days:
            self._sail()
        self.truth.close(self.faults.made)
        faults = Counter(fault.expected for fault in self.faults.made)
        return replace(
            self.made,
            declarations=self.declarations.declared,
            events=self.events.told,
            bytes=self.outbox.written,
            documents=_ordered(self.outbox.counts),
            by_regime={r.value: self.regimes[r] for r in Regime if self.regimes[r]},
            planted=_ordered(self.truth.planted),
            at_sea=_ordered(self.truth.at_sea),
            look_alikes=self.truth.kinds["look_alike"],
            inspected=_ordered(self.truth.inspected),
            faults=_ordered(faults),
            first=self.outbox.first,
            last=self.outbox.last,
        )

    def _sail(self) -> None:
        """Write this process's share of the days of ship tracks."""
        order, share = self.order, self.outbox.share
        first = datetime.combine((order.start + AHEAD).date(), time(), UTC)
        days = min(order.ais_days, order.days)
        sailed = ais.write(
            self.world,
            self.calls,
            self.acts,
            order.seed,
            first,
            days,
            self.out,
            part=share.number,
            parts=share.of,
        )
        self.made.ais_messages, self.made.ais_bytes = sailed.messages, sailed.bytes
        self.made.radar_plots = sailed.plots
        self.made.ships = sailed.ships
        self.truth.sailed(sailed.acts)


def _ordered(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items()))
