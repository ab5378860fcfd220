"""What a trade remembers: its last transactions, from which the next one's actor is drawn.

To draw evenly from the list of past transactions is to draw an actor in proportion to what it has
done: preferential attachment in constant time (H. A. Simon, On a class of skew distribution
functions, 1955). The list has an end, so what was done long ago no longer counts.
"""

from typing import Generic, TypeVar

from isthmus.simulator.dice import Dice

ROOM = 2000
Actor = TypeVar("Actor")


class Past(Generic[Actor]):
    """The last transactions of one trade, at most ``room`` of them."""

    __slots__ = ("_done", "_oldest", "_room")

    def __init__(self, room: int = ROOM) -> None:
        self._done: list[Actor] = []
        self._oldest = 0
        self._room = room

    def __len__(self) -> int:
        return len(self._done)

    def add(self, actor: Actor) -> None:
        """Remember a transaction; the oldest one gives way once the list is full."""
        if len(self._done) < self._room:
            self._done.append(actor)
            return
        self._done[self._oldest] = actor
        self._oldest = (self._oldest + 1) % self._room

    def draw(self, dice: Dice) -> Actor:
        """Return who did one of them; raises ``IndexError`` when there are none."""
        return dice.pick(self._done)
