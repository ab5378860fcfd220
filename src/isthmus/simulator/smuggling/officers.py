"""Officers as data: whom they inspect, and what an inspection finds of what is truly there.

A control finds a hidden thing with the probability that its scheme states for that control, and
nothing where nothing is; without an inspection nothing is ever found. Whom to inspect is chosen as
targeting does today: at random by regime, somewhat more often where papers look odd, whether
anybody is guilty or not.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from isthmus.simulator.dice import Dice
from isthmus.simulator.smuggling.planted import Planted, PlantedVoyage
from isthmus.simulator.smuggling.scheme import CRAFT, Scheme
from isthmus.simulator.smuggling.traces import ON_PAPERS
from isthmus.simulator.traffic.shipment import Shipment
from isthmus.simulator.world import World

NOTHING, SEIZURE, WRONG_PAPERS, NON_COMPLIANT = (
    "no_irregularity",
    "seizure",
    "documentary_irregularity",
    "non_compliant",
)
_OPENED = frozenset(("CUSI", "RSEA"))
_SCANNED = frozenset(("CUSS", "isth:scan"))


@dataclass(frozen=True, slots=True)
class Discovery:
    """What was found: goods and zone by their code lists, the mass in kilograms."""

    objective: str
    goods: str
    kilograms: float
    zone: str


@dataclass(frozen=True, slots=True)
class Inspection:
    """One inspection: its control (list ``control_types``) and result (``inspection_results``)."""

    at: datetime
    control: str
    result: str
    discovery: Discovery | None = None


class Inspector:
    """Chooses and inspects shipments of a run, and boards vessels."""

    def __init__(self, world: World, schemes: Iterable[Scheme], seed: int) -> None:
        self._inspected = world.inspected
        opened = world.shares["scanned"] + world.shares["customs_seal"]
        self._told = habits()["told"] / opened if opened else 0.0
        self._untold = (1 - habits()["told"]) / (1 - opened) if opened else 1.0
        self._odd: float = 1 + habits()["uplift"] * habits()["most"]
        highest = max(self._told, self._untold, 1.0)
        self._most = {regime: share * highest for regime, share in world.inspected.items()}
        self._chances = {scheme.code: scheme.found_by for scheme in schemes}
        self._chooses = Dice(seed, "inspector", "chooses")
        self._dice = Dice(seed, "inspector")

    def inspect(self, shipment: Shipment, planted: Planted | None) -> Inspection | None:
        """Inspect a shipment once its stay is told, if it is chosen."""
        dice, said = self._dice, habits()
        # Every shipment draws once here, so that one more inspection does not shift the others.
        drawn = self._chooses.between(0, 1)
        if drawn >= self._most[shipment.regime.value] * (1 if planted is None else self._odd):
            return None  # however the port tells of it
        how = _how(shipment)
        if drawn >= self._chance(shipment, planted, how):
            return None
        control = dice.weighed(said["controls"][how])
        at = _moment(shipment, dice)
        found = planted is not None and planted.guilty
        chance = self._chances[planted.scheme.code].get(control, 0.0) if planted else 0.0
        if planted is not None and found and dice.chance(chance):
            result = _result(planted.scheme, control)
            scheme = planted.scheme
            hidden = Discovery(scheme.objective, scheme.goods, planted.kilograms, scheme.zone)
            return Inspection(at, control, result, hidden)
        others = said["otherwise"].get(control, {})
        result = dice.weighed({**others, NOTHING: 1 - sum(others.values())})
        return Inspection(at, control, result)

    def board(self, voyage: PlantedVoyage) -> Inspection | None:
        """Board a vessel or survey her hull, if she is chosen."""
        # What draws nobody's eye is not boarded.
        if not self._dice.chance(habits()["boarded"]) or not voyage.acts:
            return None
        at = max(act.end for act in voyage.acts)
        how = "craft" if voyage.scheme.uses == CRAFT else "ship"
        control = self._dice.weighed(habits()["controls"][how])
        chance = voyage.scheme.found_by.get(control, 0.0)
        if voyage.guilty and self._dice.chance(chance):
            scheme = voyage.scheme
            hidden = Discovery(scheme.objective, scheme.goods, voyage.kilograms, scheme.zone)
            return Inspection(at, control, _result(scheme, control), hidden)
        return Inspection(at, control, NOTHING)

    def _chance(self, shipment: Shipment, planted: Planted | None, how: str) -> float:
        base: float = self._inspected[shipment.regime.value]
        if how != "empty":
            base *= self._untold if how == "untold" else self._told
        shown = sum(name in ON_PAPERS for name in planted.left) if planted else 0
        uplift: float = 1 + habits()["uplift"] * min(shown, habits()["most"])
        return min(1.0, base * uplift)


@cache
def habits() -> Mapping[str, Any]:
    """Return how officers inspect, as data."""
    text = files(__package__).joinpath("officers.yaml").read_text(encoding="utf-8")
    read: Mapping[str, Any] = yaml.safe_load(text)
    return read


def _how(shipment: Shipment) -> str:
    """Return what the port tells of a box: opened, scanned, neither; or that it is empty."""
    if shipment.goods is None:
        return "empty"
    codes = {move.code for move in shipment.moves}
    if codes & _OPENED:
        return "opened_reefer" if shipment.reefer else "opened"
    return "scanned" if codes & _SCANNED else "untold"


def _moment(shipment: Shipment, dice: Dice) -> datetime:
    """Return when: as customs' own move is told, else somewhere in the stay."""
    moves = [move for move in shipment.moves if move.code in _OPENED | _SCANNED]
    if moves:
        return min(move.at for move in moves)
    told = sorted(move.at for move in shipment.moves) or [shipment.reported]
    return (told[0] + (told[-1] - told[0]) * dice.between(0.2, 0.8)).replace(microsecond=0)


def _result(scheme: Scheme, control: str) -> str:
    if scheme.objective == "contraband" or control in ("physical_full", "physical_partial"):
        return NON_COMPLIANT if scheme.objective == "revenue" else SEIZURE
    return WRONG_PAPERS if control == "documentary" else NON_COMPLIANT


class Officers:
    """Inspectors who know nothing of the truth but what they find."""

    def __init__(
        self, truth: Iterable[Mapping[str, Any]], schemes: Iterable[Scheme], seed: int
    ) -> None:
        self._hidden = {
            (row["container"], row["bill"]): row for row in truth if row["kind"] == "planted"
        }
        self._chances = {scheme.code: scheme.found_by for scheme in schemes}
        self._dice = Dice(seed, "officers")

    def examine(self, container: str | None, bill: str | None, control: str) -> Discovery | None:
        """Examine a consignment's box with one type of control."""
        row = self.hidden_in(container, bill)
        # Every examination draws once, so that one result does not shift the others.
        drawn = self._dice.between(0, 1)
        if row is None or drawn >= self._chances[row["method"]].get(control, 0.0):
            return None
        return Discovery(row["objective"], row["goods"], row["kilograms"], row["zone"])

    def hidden_in(self, container: str | None, bill: str | None) -> Mapping[str, Any] | None:
        """Return what the truth has of a box under a bill; empty boxes go by their number."""
        return self._hidden.get((container, bill)) or self._hidden.get((container, None))
