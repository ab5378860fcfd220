"""Lookouts for the nodes of these tests, taken in as a supervisor brings them. Nobody is real."""

from collections.abc import Iterable

from flow.loop_node import Loop
from isthmus.access.model import Role
from isthmus.parties.lists import lookout, service
from isthmus.parties.lists.service import File, Outcome

SHADOW = "CONSTELACION FICTICIA TRADING S.A."


def row(key: str, name: str, *, kind: str = "company", numbers: str = "", until: str = "") -> str:
    cells = (
        key, kind, name, "", "", numbers, "", "targeting", "Risk analysis", until or "2027-06-30",
    )  # fmt: skip
    return ",".join(f'"{cell}"' for cell in cells)


def lookouts(loop: Loop, rows: Iterable[str]) -> Outcome:
    """Take these lookouts in; they replace all that were there."""
    text = "\n".join([",".join(lookout.COLUMNS), *rows])
    return loop.write(
        lambda tx: service.take(
            tx,
            loop.people[Role.SUPERVISOR],
            "csv",
            [File("lookouts.csv", text.encode())],
            overrule="They change as these tests need it.",
        )
    )
