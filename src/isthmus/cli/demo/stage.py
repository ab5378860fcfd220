"""The stage of the demonstration's story: the desks of three nodes, and who tells what happens.

The nodes run in processes of their own. What a person does is written into the node's database as
any command beside a running node is, by that person; what follows from it, the nodes do.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from isthmus.access.model import Actor, Role
from isthmus.cli.demo import staff
from isthmus.cli.demo.places import Place
from isthmus.cli.demo.processes import Processes
from isthmus.flow.share import Sent
from isthmus.kernel.errors import Unavailable
from isthmus.node import Node
from isthmus.platform.transaction import Transaction

T = TypeVar("T")

PATIENCE = 60.0  # seconds within which a node does what follows from an act
_LOOK = 0.05


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that happened: when, at which node, in words, by which clause."""

    at: datetime
    step: int
    node: str
    words: str
    clauses: tuple[str, ...] = ()

    def line(self) -> str:
        """Return it as the console shows it."""
        cited = f"  [{', '.join(self.clauses)}]" if self.clauses else ""
        return f"{self.at:%H:%M:%S}  {self.step}  {self.node:<10} {self.words}{cited}"


@dataclass(slots=True)
class Desk:
    """One node, where its people act."""

    place: Place
    node: Node
    wake: Callable[[Place], None]  # has the node's process look at once
    people: dict[tuple[Role, int], Actor] = field(default_factory=dict)

    @property
    def code(self) -> str:
        """The node's code."""
        return self.place.code

    def person(self, role: Role, number: int = 1) -> Actor:
        """Return a person of the node."""
        if (role, number) not in self.people:
            self.people[role, number] = staff.actor(self.node, role, number)
        return self.people[role, number]

    def act(self, role: Role, act: Callable[..., T], *arguments: Any, **named: Any) -> T:
        """Let a person of this role do something, in a transaction of its own."""
        actor = self.person(role)
        done = self.node.database.write(lambda tx: act(tx, actor, *arguments, **named))
        self.wake(self.place)
        return done

    def see(self, read: Callable[..., T], *arguments: Any, **named: Any) -> T:
        """Read something."""
        return self.node.database.read(lambda tx: read(tx, *arguments, **named))

    def until(self, what: str, read: Callable[[Transaction], T | None]) -> T:
        """Wait until something is there and return it; ``Unavailable`` says what did not come."""
        end = time.monotonic() + PATIENCE
        while not (found := self.node.database.read(read)):
            if time.monotonic() > end:
                words = f"{what}: not within {PATIENCE:.0f} seconds"
                raise Unavailable("story_stalled", words, node=self.code)
            time.sleep(_LOOK)
        return found


@dataclass(slots=True)
class Stage:
    """The desks, the processes behind them, and what was told so far."""

    desks: dict[Place, Desk]
    processes: Processes
    pace: float  # seconds between two steps
    say: Callable[[str], None]
    told: list[Told] = field(default_factory=list)
    step: int = 0

    def tell(self, desk: Desk, words: str, clauses: Sequence[str] = ()) -> None:
        """Tell what happened at a node just now, and by which clauses."""
        one = Told(datetime.now().astimezone(), self.step, desk.code, words, tuple(clauses))
        self.told.append(one)
        self.say(one.line())

    def next(self, words: str) -> None:
        """Begin the next step, after a while in which people look at the pages."""
        if self.step:
            time.sleep(self.pace)
        self.step += 1
        self.say(f"\n{self.step}. {words}")


def clauses(sent: Sent) -> list[str]:
    """Return the clauses by which something went."""
    return sorted({sent.decision.released[path].citation for path in sent.paths})
