"""Traces: what a scheme, or an innocent look-alike, leaves in papers and events.

Every trace is one small act with a name, by which schemes ask for it; its first sentence says what
shows. It says whether it left anything: a box that is never fetched cannot be fetched early. Acts
on papers come before the box's stay is told, acts on its moves after. Acts at sea are the kinds
of ``ais.acts``.
"""

from collections.abc import Mapping

from isthmus.simulator.traces import goods, moves, parties, rights
from isthmus.simulator.traces.kit import Act, Kit

__all__ = ["ON_MOVES", "ON_PAPERS", "Act", "Kit"]

ON_PAPERS: Mapping[str, Act] = {**parties.ON_PAPERS, **goods.ON_PAPERS}
"""The acts on papers, in the order in which they are done."""

ON_MOVES: Mapping[str, Act] = {**rights.ON_MOVES, **moves.ON_MOVES}
"""The acts on moves, in the order in which they are done: first what shifts moments."""
