"""Traces that a scheme, or an innocent look-alike, leaves in papers and events.

Every trace is one small act with a name, by which schemes ask for it. It says whether it left
anything: a box that is never fetched cannot be fetched early. Acts on papers come before the
box's stay is told, acts on its moves after.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from isthmus.cargo.model import ContainerEvent, Seal
from isthmus.simulator import life
from isthmus.simulator.dice import Dice
from isthmus.simulator.life import Port
from isthmus.simulator.numbers import Numbers
from isthmus.simulator.shipment import Shipment
from isthmus.simulator.traders import Traders
from isthmus.simulator.world import World


@dataclass(slots=True)
class Kit:
    """What traces need to be left."""

    world: World
    dice: Dice
    traders: Traders
    numbers: Numbers
    port: Port


Act = Callable[[Shipment, Kit, float], bool]
"""Leaves a trace in a shipment that carries so many hidden kilograms; whether it did."""


# -- on papers ------------------------------------------------------------------------------


def heavier(shipment: Shipment, kit: Kit, kilograms: float) -> bool:
    """A scale on the way shows more than the papers say."""
    box = shipment.box
    box.scaled = True
    box.hidden = round(kilograms) or kit.dice.whole(80, 700)
    return True


def tare_deviates(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """The box itself weighs more than its kind does: something was built in, or repaired."""
    shipment.box.tare += kit.dice.whole(15, 45) * 10
    return True


def machinery_off(shipment: Shipment, _kit: Kit, _kilograms: float) -> bool:
    """A reefer travels without its set point."""
    there = shipment.box.set_point is not None
    shipment.box.set_point = None
    return there


def new_shipper(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """A shipper that nobody has seen before, in a mature trade."""
    if shipment.shipper is None:
        return False
    shipment.shipper = kit.traders.newcomer(shipment.shipper.country)
    return True


def new_consignee(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """A consignee that nobody has seen before."""
    if shipment.consignee is None:
        return False
    shipment.consignee = kit.traders.newcomer(shipment.consignee.country)
    return True


def consignee_changed(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """Two days before arrival the manifest is changed and names another consignee."""
    if shipment.consignee is None or shipment.arrival is None or shipment.master:
        return False
    shipment.consignee_after = kit.traders.newcomer(shipment.consignee.country)
    return True


def consignee_forwards(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """The consignee is a forwarder: the true buyer is on no paper."""
    if shipment.consignee is None:
        return False
    shipment.consignee = shipment.forwarder = kit.traders.forwarder(shipment.consignee.country)
    return True


def vague(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """The goods are described in words that say nothing."""
    shipment.text = kit.dice.pick(kit.world.texts["vague"][shipment.language])
    return True


def cheap(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """The value declared is a fraction of what such goods cost."""
    if shipment.goods is None:
        return False
    low = Decimal(f"{kit.dice.between(0.18, 0.5):.3f}")
    shipment.value = (shipment.value * low).quantize(Decimal("0.01"))
    return True


def other_heading(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """The code declared is of other goods than the text."""
    others = [goods.hs for goods in kit.world.goods.values() if goods.hs != shipment.hs]
    shipment.hs = kit.dice.pick(others)
    return shipment.goods is not None


def lighter_on_paper(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """Less is declared than the box holds."""
    if not shipment.loads:
        return False
    box = shipment.box
    box.scaled = True
    box.hidden += round(box.gross * kit.dice.between(0.08, 0.2))
    return True


# -- on moves -------------------------------------------------------------------------------


def seal_swapped(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """From some moment on the box carries a seal that no paper explains."""
    moves = _of_first(shipment)
    if len(moves) < 2:
        return False
    cut = kit.dice.whole(1, len(moves) - 1)
    other = (Seal(kit.numbers.seal(kit.dice.pick(("EC", "ML", "HL", "UL")))),)
    for at, move in enumerate(moves):
        if at >= cut and (move.seals or at == len(moves) - 1) and move.code != "RSEA":
            _replace(shipment, move, replace(move, seals=other))
    return True


def seal_by_customs(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """Customs opened the box on its way, sealed it again and wrote it down."""
    moves = _of_first(shipment)
    if len(moves) < 2 or any(move.code == "RSEA" for move in moves):
        return False
    after = moves[0]
    at = after.at + (moves[-1].at - after.at) * kit.dice.between(0.35, 0.8)
    here = kit.world.terminals[_last_before(moves, at).terminal or ""]
    told = life.stay(kit.port, shipment, shipment.box).opened_by_customs(at, here)
    fresh = tuple(Seal(seal.number) for seal in told[-1].seals)
    for move in moves:
        if move.at > at and move.seals:
            _replace(shipment, move, replace(move, seals=fresh))
    shipment.moves += told
    return True


def moved_often(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """Moves in the yard that loading does not explain, most of them at night."""
    moves = _of_first(shipment)
    if len(moves) < 2:
        return False
    stay = life.stay(kit.port, shipment, shipment.box)
    for _ in range(kit.dice.whole(2, 4)):
        at = moves[0].at + (moves[-1].at - moves[0].at) * kit.dice.between(0.1, 0.9)
        night = at.replace(hour=kit.dice.whole(3, 9))  # 22 to 4 o'clock in Panama
        at = night if moves[0].at < night < moves[-1].at else at
        here = kit.world.terminals[_last_before(moves, at).terminal or ""]
        slot = f"{kit.dice.pick('ABCDEFGH')}{kit.dice.whole(1, 40):02d}-1"
        shipment.moves.append(stay.event("isth:yard_move", at, here, position=slot))
    return True


def seen_elsewhere(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """The number passes a gate at the other coast minutes after it was seen here."""
    moves = _of_first(shipment)
    seen = moves[kit.dice.whole(0, max(0, len(moves) - 2))]
    here = kit.world.terminals[seen.terminal or ""]
    far = [t for t in kit.world.terminals.values() if t.coast != here.coast]
    at = seen.at + timedelta(minutes=kit.dice.whole(4, 25))
    stay = life.stay(kit.port, shipment, shipment.box)
    made = stay.event("GTIN", at, kit.dice.pick(far), mode=life.ROAD, haulier=kit.port.stranger())
    shipment.moves.append(replace(made, bill=None))  # the far gate knows no bill of it
    return True


def misread(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """A gate camera misreads one sign of the number: the check digit tells."""
    moves = _of_first(shipment)
    seen = kit.dice.pick(moves)
    at = kit.dice.whole(4, 9)
    digit = str((int(seen.container[at]) + kit.dice.whole(1, 9)) % 10)
    number = seen.container[:at] + digit + seen.container[at + 1 :]
    _replace(shipment, seen, replace(seen, container=number))
    return True


def looked_up_often(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """Many users look up the right of release, at odd hours."""
    fetched = _fetched(shipment)
    if fetched is None:
        return False
    stay = life.stay(kit.port, shipment, shipment.box)
    here = kit.world.terminals[fetched.terminal or ""]
    for _ in range(kit.dice.whole(4, 8)):
        at = fetched.at - timedelta(minutes=kit.dice.whole(60, 3 * 24 * 60))
        shipment.moves.append(stay.right("lookup", at, here))
    return True


def passed_on_late(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """Hours before the box is fetched its right passes to a haulier that never came before."""
    fetched = _fetched(shipment)
    if fetched is None:
        return False
    haulier = kit.port.stranger()
    stay = life.stay(kit.port, shipment, shipment.box)
    here = kit.world.terminals[fetched.terminal or ""]
    at = fetched.at - timedelta(minutes=kit.dice.whole(40, 300))
    passed = [move.at for move in shipment.moves if move.code == "isth:release_right_transfer"]
    at = min(max(at, *passed) + timedelta(minutes=5), fetched.at - timedelta(minutes=10))
    shipment.moves.append(stay.right("transfer", at, here, haulier))
    _replace(shipment, fetched, replace(fetched, haulier=haulier))
    return True


def fetched_early(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """The box is fetched as soon as it stands on the ground."""
    fetched = _fetched(shipment)
    moves = _of_first(shipment)
    if fetched is None or len(moves) < 2:
        return False
    landed = moves[0].at
    early = landed + timedelta(minutes=kit.dice.whole(5 * 60, 12 * 60))
    pace = (early - landed) / (fetched.at - landed)
    for move in moves:
        if move.at > landed:
            at = (landed + (move.at - landed) * pace).replace(microsecond=0)
            _replace(shipment, move, replace(move, at=at))
    return True


def slow_transfer(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """Between two terminals it is on the road for far longer than the road takes."""
    moves = _of_first(shipment)
    for before, after in pairwise(moves):
        if before.code == "GTOT" and after.code == "GTIN":
            room = moves[-1].at - after.at - timedelta(hours=1)
            delay = min(timedelta(hours=kit.dice.between(5, 12)), room)
            for move in moves:
                if move.at >= after.at and move.code != "LOAD":
                    at = min(move.at + delay, moves[-1].at - timedelta(minutes=20))
                    _replace(shipment, move, replace(move, at=at.replace(microsecond=0)))
            return True
    return False


ON_PAPERS: Mapping[str, Act] = {
    act.__name__: act
    for act in (
        heavier,
        tare_deviates,
        machinery_off,
        new_shipper,
        new_consignee,
        consignee_changed,
        consignee_forwards,
        vague,
        cheap,
        other_heading,
        lighter_on_paper,
    )
}
ON_MOVES: Mapping[str, Act] = {
    act.__name__: act
    for act in (
        seal_by_customs,
        fetched_early,
        slow_transfer,
        seal_swapped,
        moved_often,
        passed_on_late,
        looked_up_often,
        seen_elsewhere,
        misread,
    )
}
"""The acts on moves, in the order in which they are done: first what shifts moments."""


def _of_first(shipment: Shipment) -> list[ContainerEvent]:
    """Return the moves of its first box, in order of time, told by its own terminals."""
    own = {call.service.terminal.code for call in (shipment.arrival, shipment.departure) if call}
    moves = [m for m in shipment.moves if m.container == shipment.box.number and m.terminal in own]
    return sorted(moves, key=lambda move: move.at)


def _last_before(moves: list[ContainerEvent], at: datetime) -> ContainerEvent:
    return [moves[0], *(move for move in moves if move.at <= at)][-1]


def _fetched(shipment: Shipment) -> ContainerEvent | None:
    if shipment.departure is not None:
        return None
    return next((move for move in reversed(_of_first(shipment)) if move.code == "GTOT"), None)


def _replace(shipment: Shipment, old: ContainerEvent, new: ContainerEvent) -> None:
    shipment.moves[next(i for i, move in enumerate(shipment.moves) if move is old)] = new
