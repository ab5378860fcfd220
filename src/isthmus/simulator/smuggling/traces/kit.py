"""What traces need to be left, and what a trace is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from isthmus.cargo.model import ContainerEvent
from isthmus.simulator.actors.traders import Traders
from isthmus.simulator.dice import Dice
from isthmus.simulator.smuggling.groups import Hand
from isthmus.simulator.traffic.life import Port
from isthmus.simulator.traffic.numbers import Numbers
from isthmus.simulator.traffic.shipment import Shipment
from isthmus.simulator.world import World


@dataclass(slots=True)
class Kit:
    """What traces need to be left."""

    world: World
    dice: Dice
    traders: Traders
    numbers: Numbers
    port: Port
    hand: Hand = field(default_factory=Hand)  # who is behind the shipment at hand
    others: Sequence[Shipment] = ()  # other shipments whose boxes stand in port then


Act = Callable[[Shipment, Kit, float], bool]
"""Leaves a trace in a shipment that carries so many hidden kilograms; whether it did."""


def named(*acts: Act) -> Mapping[str, Act]:
    """Return acts by their names, in this order."""
    return {act.__name__: act for act in acts}


def resize(shipment: Shipment, factor: float, *, packages: float | None = None) -> None:
    """Multiply the masses of every load, and the packages by the same factor or another one."""
    for box, load in zip(shipment.boxes, shipment.loads, strict=True):
        gross = max(2, round(load.gross * factor))
        box.gross += gross - load.gross  # a box of groupage holds others' goods as well
        load.gross = gross
        load.net = max(1, round(load.net * factor))
        load.packages = max(1, round(load.packages * (factor if packages is None else packages)))


def of_first(shipment: Shipment) -> list[ContainerEvent]:
    """Return the moves of its first box, in order of time, told by its own terminals."""
    own = {call.service.terminal.code for call in (shipment.arrival, shipment.departure) if call}
    moves = [m for m in shipment.moves if m.container == shipment.box.number and m.terminal in own]
    return sorted(moves, key=lambda move: move.at)


def last_before(moves: Sequence[ContainerEvent], at: datetime) -> ContainerEvent:
    """Return the last of these moves before a moment, or the first of all."""
    return [moves[0], *(move for move in moves if move.at <= at)][-1]


def fetched_move(shipment: Shipment) -> ContainerEvent | None:
    """Return the gate-out by which a landed box is fetched; none when it leaves by ship."""
    if shipment.departure is not None:
        return None
    return next((move for move in reversed(of_first(shipment)) if move.code == "GTOT"), None)


def exchange(shipment: Shipment, old: ContainerEvent, new: ContainerEvent) -> None:
    """Put a move in another's place."""
    shipment.moves[next(i for i, move in enumerate(shipment.moves) if move is old)] = new
