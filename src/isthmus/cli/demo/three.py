"""``demo --story``: three nodes on this machine, and a story that they live through by themselves.

Nothing is opened on the network but loopback ports: three for pages, three for partners.
"""

import signal
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

import typer

from isthmus.cli.app import show
from isthmus.cli.demo import federation, staff
from isthmus.cli.demo.ending import seen
from isthmus.cli.demo.places import PARTNERS, PLACES, Place
from isthmus.cli.demo.processes import Processes
from isthmus.cli.demo.stage import Desk, Stage
from isthmus.cli.demo.story import Story
from isthmus.kernel.errors import IsthmusError
from isthmus.node import Node

PACE = 16.0  # seconds between two steps, in which people look at the pages
SHOWN = ("analyst", "supervisor", "inspector", "legal_officer")


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asked of the demonstration."""

    order: federation.Order
    once: bool
    as_json: bool
    pace: float = PACE

    @property
    def ports(self) -> list[int]:
        """Every port it needs."""
        pages = self.order.pages
        return [pages + place.number + gap for gap in (0, PARTNERS) for place in PLACES]


def run(wish: Wish) -> None:
    """Make the nodes, start them, tell the story; serve until Ctrl-C unless it runs once.

    The folder must be empty and the ports free.
    """
    started = time.perf_counter()
    _say(wish, "making three nodes and living two weeks of traffic: about a minute")
    result = federation.build(wish.order)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _ended)
    processes = Processes(wish.order.root, wish.order.pages)
    try:
        processes.start(PLACES)
        result["seconds"] = round(time.perf_counter() - started, 1)
        if wish.once:
            result |= _story(wish, processes, 0.0)
            show(result, wish.as_json, lambda: _summary(result))
            return
        people = federation.people(wish.order.root)
        show({**result, "nodes": _nodes(wish, people, result["nodes"])}, wish.as_json,
             lambda: welcome(wish, people, result))  # fmt: skip
        try:
            _story(wish, processes, wish.pace)
        except IsthmusError as error:  # the nodes are worth looking at all the same
            _say(wish, f"the story stopped: {error}")
        _say(wish, "\nThe story is told; the nodes go on. Ctrl-C ends them.")
        processes.watch()
    finally:
        processes.stop()


def _ended(_number: int, _frame: object) -> NoReturn:
    raise SystemExit(0)


def _say(wish: Wish, words: str) -> None:
    if not wish.as_json:
        typer.echo(words)


def _story(wish: Wish, processes: Processes, pace: float) -> dict[str, Any]:
    with ExitStack() as stack:
        desks = {
            place: Desk(
                place,
                stack.enter_context(Node.open(wish.order.root / place.folder)),
                processes.wake,
            )
            for place in PLACES
        }
        story = Story(Stage(desks, processes, pace, lambda line: _say(wish, line)))
        story.run()
        return seen(story)


# -- words ----------------------------------------------------------------------------------

People = dict[Place, list[staff.Entry]]


def _nodes(wish: Wish, people: People, lived: dict[str, Any]) -> dict[str, Any]:
    return {
        place.code: {
            **lived[place.code],
            "address": place.address(wish.order.pages),
            "sign_in": [{**asdict(one), "code": one.code()} for one in people[place]],
        }
        for place in PLACES
    }


def welcome(wish: Wish, people: People, result: dict[str, Any]) -> str:
    """Say where the nodes are, who signs in, and that all of it is made up."""
    lines = [
        "",
        "EVERYTHING HERE IS MADE UP: authorities, people, papers. The agreements",
        f"{', '.join(result['fictional_agreements'])} are FICTIONAL;",
        "they are in force among these three nodes only and give no authority to anybody.",
    ]
    for place in PLACES:
        lived = result["nodes"][place.code]
        lines += [
            "",
            f"{place.name} ({place.code}, {place.locale})  {place.address(wish.order.pages)}",
            f"  {lived['documents']} documents, {lived['units']} boxes and declarations, "
            f"{lived['picked']} picked, {lived['inspections']} inspected",
            *(f"  {line}" for line in table(_first(people[place]))),
        ]
    lines += [
        "",
        "A code lasts 30 seconds and works once; for new ones, and for everybody else:",
        f"  isthmus --node {wish.order.root} demo-code",
        f"Ready after {result['seconds']} s. The story begins now. Ctrl-C ends the three nodes.",
    ]
    return "\n".join(lines)


def _first(people: Sequence[staff.Entry]) -> list[staff.Entry]:
    """Return one person for each role that the story speaks of."""
    return [next(one for one in people if one.role == role) for role in SHOWN]


def table(people: Iterable[staff.Entry]) -> list[str]:
    """Lay out with what people sign in."""
    lines = [f"{'login':<40} {'password':<18} code"]
    return lines + [f"{one.login:<40} {one.password:<18} {one.code()}" for one in people]


def codes(root: Path, login: str | None) -> dict[str, Sequence[staff.Entry]]:
    """Return who signs in at which node, all or those of a login or role."""
    return {
        place.code: [one for one in entries if login in (None, one.login, one.role)]
        for place, entries in federation.people(root).items()
    }


def _summary(result: dict[str, Any]) -> str:
    seconds = result["story"]["seconds"]
    return (
        f"\nOne chain, {result['story']['chain']}; one seizure, {result['story']['seizure']}.\n"
        f"Corrected at every holder after {seconds['correction']} s; "
        f"recalled at every one online after {seconds['recall']} s."
    )
