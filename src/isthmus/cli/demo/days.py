"""The days of a demonstration: traffic comes in as it was sent, and each morning the loop runs.

The node's clock is set to the moments of the traffic, so that what it knew when is as it would
have been; the last moment is the present.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from isthmus.access.model import Actor, Role
from isthmus.cargo import service as cargo
from isthmus.cargo.formats.source import Source
from isthmus.cargo.readings import COUNTS
from isthmus.cases import holds, inspections, picks
from isthmus.cases.inspections import Found, Report
from isthmus.cases.model import Result
from isthmus.cli.demo import staff
from isthmus.flow import inspect as flow_inspect
from isthmus.flow import target as flow_target
from isthmus.flow.receive import Receipt
from isthmus.kernel.time import SetClock
from isthmus.node import Node
from isthmus.simulator.smuggling.officers import Discovery, Officers

MORNING = timedelta(hours=12)  # 7 o'clock in Panama
BUDGET = 4  # inspections a day
TODAY = 12  # picks that stand in the queue at the end
WORK = timedelta(minutes=10)
KILOGRAM = "KGM"
# How the demonstration's inspectors work: most boxes are opened, some only scanned.
CONTROLS = ("physical_full", "physical_full", "scan_xray", "physical_partial")
_HOLDS = 3  # one pick in so many is held at the terminal until it is inspected


@dataclass(slots=True)
class Tallies:
    """What the days came to."""

    received: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("documents", *COUNTS, "unsupported"), 0)
    )
    scored: int = 0
    picked: Counter[str] = field(default_factory=Counter)  # by basis
    results: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)  # irregularities, by basis of the pick
    holds: int = 0

    def take(self, receipt: Receipt) -> None:
        """Count a document in."""
        self.received["documents"] += 1
        self.received["unsupported"] += receipt.unsupported
        for name in COUNTS:
            self.received[name] += getattr(receipt.tally, name)


@dataclass(slots=True)
class Days:
    """Runs the days of one node; ``daily`` boxes are inspected a day, ``today`` wait at the end."""

    node: Node
    clock: SetClock
    officers: Officers
    tallies: Tallies = field(default_factory=Tallies)
    daily: int = BUDGET
    today: int = TODAY
    people: dict[Role, Actor] = field(default_factory=dict)
    inspected: int = 0

    def run(
        self,
        sent: Sequence[tuple[datetime, Path]],
        now: datetime,
        advance: Callable[[int], None],
    ) -> None:
        """Let everything sent until now come in, day by day, with the loop each morning."""
        roles = (Role.ANALYST, Role.SUPERVISOR, Role.INSPECTOR, Role.TERMINAL)
        self.people = {role: staff.actor(self.node, role) for role in roles}
        morning = _next_morning(self.clock.now())
        for at, path in sent:
            while morning <= at:
                self._day(morning)
                morning += timedelta(days=1)
            self._receive(at, path)
            advance(1)
        self._until(now)
        self._score()
        self._leave_work(self._target(self.today))

    def _until(self, moment: datetime) -> None:
        self.clock.moment = max(self.clock.moment, moment)

    def _receive(self, at: datetime, path: Path) -> None:
        self._until(at)
        with path.open("rb") as stream:
            receipt = self.node.receiver.receive(self.node.actor, stream, Source(path.name))
        self.tallies.take(receipt)

    def _score(self) -> None:
        self.tallies.scored += self.node.scorer.score_all()

    def _day(self, morning: datetime) -> None:
        self._until(morning)
        self._score()
        for pick in self._target(self.daily) if self.daily else ():
            self._inspect(pick)

    def _target(self, budget: int) -> list[dict[str, Any]]:
        order = flow_target.Order(budget=budget, floor=self.node.settings.targeting.random_floor)
        analyst = self.people[Role.ANALYST]
        made = self.node.database.write(lambda tx: flow_target.run(tx, analyst, order))
        self.tallies.picked.update(str(pick["basis"]) for pick in made.picks)
        return made.picks

    def _inspect(self, pick: dict[str, Any]) -> None:
        """Take a pick to its result; some boxes are held at the terminal meanwhile."""
        write, people = self.node.database.write, self.people
        analyst, inspector = people[Role.ANALYST], people[Role.INSPECTOR]
        unit = self.node.database.read(lambda tx: cargo.find_unit(tx, analyst, pick["unit_id"]))
        control = CONTROLS[self.inspected % len(CONTROLS)]
        held = self.inspected % _HOLDS == 0 and unit.container and unit.terminal
        self.inspected += 1
        write(lambda tx: picks.take(tx, analyst, pick["id"]))
        hold = self._hold(pick["id"]) if held else None
        order = write(lambda tx: flow_inspect.order(tx, analyst, pick["id"], control))
        write(lambda tx: inspections.accept(tx, inspector, order))
        self.clock.advance(WORK)
        report = _report(self.officers.examine(unit.container, unit.bill, control), control)
        write(lambda tx: flow_inspect.report(tx, inspector, order, report))
        self.tallies.results[report.result.value] += 1
        self.tallies.found[str(pick["basis"])] += report.objective is not None
        if hold is not None:
            supervisor = people[Role.SUPERVISOR]
            write(lambda tx: holds.release(tx, supervisor, hold, ["inspection_complete"]))

    def _hold(self, pick: str) -> str:
        write, people = self.node.database.write, self.people
        reasons = ["indicator_event"]
        analyst, supervisor = people[Role.ANALYST], people[Role.SUPERVISOR]
        hold = write(lambda tx: flow_inspect.propose_hold(tx, analyst, pick, reasons))
        write(lambda tx: holds.confirm(tx, supervisor, hold))
        write(lambda tx: holds.acknowledge(tx, people[Role.TERMINAL], hold))
        self.tallies.holds += 1
        return hold

    def _leave_work(self, offered: Sequence[dict[str, Any]]) -> None:
        """Leave one hold for a supervisor to confirm and one for the terminal to acknowledge."""
        write, people = self.node.database.write, self.people
        analyst, supervisor = people[Role.ANALYST], people[Role.SUPERVISOR]
        for at, pick in enumerate([pick for pick in offered if pick["terminal"]][-2:]):
            write(lambda tx, p=pick: picks.take(tx, analyst, p["id"]))  # type: ignore[misc]
            hold = write(
                lambda tx, p=pick: flow_inspect.propose_hold(  # type: ignore[misc]
                    tx, analyst, p["id"], ["indicator_event"]
                )
            )
            if at:
                write(lambda tx, h=hold: holds.confirm(tx, supervisor, h))  # type: ignore[misc]
            self.tallies.holds += 1


def _next_morning(moment: datetime) -> datetime:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    morning = midnight + MORNING
    return morning if morning > moment else morning + timedelta(days=1)


def _report(found: Discovery | None, control: str) -> Report:
    opened = {"physical_full": 1.0, "physical_partial": 0.3}.get(control, 0.0)
    delay = {"physical_full": 300, "physical_partial": 120}.get(control, 25)
    if found is None:
        return Report(Result.NO_IRREGULARITY, control, delay, opened)
    if found.kilograms <= 0:
        return Report(Result.NON_COMPLIANT, control, delay, opened, found.objective)
    thing = Found(goods=found.goods, quantity=found.kilograms, unit=KILOGRAM, zone=found.zone)
    return Report(Result.SEIZURE, control, delay, opened, found.objective, (thing,))
