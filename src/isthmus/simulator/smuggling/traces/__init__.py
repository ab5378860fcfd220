"""Traces: what a scheme, or an innocent look-alike, leaves in papers and events.

Every trace is one small act with a name, by which schemes ask for it; its first sentence says what
shows. It says whether it left anything: a box that is never fetched cannot be fetched early. Acts
on papers come before the box's stay is told, acts on its moves after. Acts at sea are the kinds
of ``ais.acts``.
"""

from collections.abc import Mapping

from isthmus.simulator.ais.acts import SeaKind
from isthmus.simulator.smuggling.traces import goods, moves, parties, rights
from isthmus.simulator.smuggling.traces.kit import Act, Kit

__all__ = ["AT_SEA", "ON_MOVES", "ON_PAPERS", "Act", "Kit", "sentences"]

ON_PAPERS: Mapping[str, Act] = {**parties.ON_PAPERS, **goods.ON_PAPERS}
"""The acts on papers, in the order in which they are done."""

ON_MOVES: Mapping[str, Act] = {**rights.ON_MOVES, **moves.ON_MOVES}
"""The acts on moves, in the order in which they are done: first what shifts moments."""

AT_SEA: Mapping[str, str] = {
    SeaKind.SPEED_DIP: (
        "A ship under way slows to a fraction of her speed for a while and makes it good."
    ),
    SeaKind.DRIFT: "A vessel stops and is carried by wind and current.",
    SeaKind.GAP: "A vessel's AIS transmitter is off for hours.",
    SeaKind.DEVIATION: "A ship leaves her lane to one side and comes back to it.",
    SeaKind.RENDEZVOUS: "A vessel at sea slows and a small craft comes close to her.",
    SeaKind.LOITER: "A vessel goes to and fro slowly in one area.",
    SeaKind.ANCHORED_AT_NIGHT: (
        "A ship comes early and lies at anchor through the night before she berths."
    ),
    SeaKind.SMALL_CRAFT_ALONGSIDE: "A small craft lies alongside a ship at anchor or at berth.",
    SeaKind.FAST_RUN: "A boat without AIS runs at 25 to 45 knots; only radar sees it.",
    SeaKind.LOW_PROFILE_RUN: (
        "A low vessel makes 5 to 9 knots on a long way; radar sees it at times."
    ),
    SeaKind.FISHING_WITHOUT_LANDING: (
        "A fishing vessel's trip ends at anchor, never at a landing place."
    ),
}
"""What ships and craft do, by the names of ``ais.acts``, and what shows."""


def sentences() -> Mapping[str, str]:
    """Return every trace by its name, with the one sentence that says what shows."""
    acts = {**ON_PAPERS, **ON_MOVES}
    return {
        **{name: (act.__doc__ or "").splitlines()[0] for name, act in acts.items()},
        **AT_SEA,
    }
