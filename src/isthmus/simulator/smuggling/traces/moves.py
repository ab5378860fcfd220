"""Traces in what happens to a box in port: seals, yard, gates, scale, machinery."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from isthmus.cargo.model import Seal
from isthmus.simulator.smuggling.traces.kit import (
    Act,
    Kit,
    exchange,
    fetched_move,
    last_before,
    named,
    of_first,
)
from isthmus.simulator.traffic import life
from isthmus.simulator.traffic.shipment import Shipment


def seal_swapped(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """From some moment on the box carries a seal that no paper explains."""
    moves = of_first(shipment)
    if len(moves) < 2:
        return False
    cut = kit.dice.whole(1, len(moves) - 1)
    other = (Seal(kit.numbers.seal(kit.dice.pick(("EC", "ML", "HL", "UL")))),)
    for at, move in enumerate(moves):
        if at >= cut and (move.seals or at == len(moves) - 1) and move.code != "RSEA":
            exchange(shipment, move, replace(move, seals=other))
    return True


def seal_by_customs(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """Customs opened the box on its way, sealed it again and wrote it down."""
    moves = of_first(shipment)
    if len(moves) < 2 or any(move.code == "RSEA" for move in moves):
        return False
    after = moves[0]
    at = after.at + (moves[-1].at - after.at) * kit.dice.between(0.35, 0.8)
    here = kit.world.terminals[last_before(moves, at).terminal or ""]
    told = life.stay(kit.port, shipment, shipment.box).opened_by_customs(at, here)
    fresh = tuple(Seal(seal.number) for seal in told[-1].seals)
    for move in moves:
        if move.at > at and move.seals:
            exchange(shipment, move, replace(move, seals=fresh))
    shipment.moves += told
    return True


def moved_often(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """Moves in the yard that loading does not explain, most of them at night."""
    moves = of_first(shipment)
    if len(moves) < 2:
        return False
    stay = life.stay(kit.port, shipment, shipment.box)
    for _ in range(kit.dice.whole(2, 4)):
        at = moves[0].at + (moves[-1].at - moves[0].at) * kit.dice.between(0.1, 0.9)
        night = at.replace(hour=kit.dice.whole(3, 9))  # 22 to 4 o'clock in Panama
        at = night if moves[0].at < night < moves[-1].at else at
        here = kit.world.terminals[last_before(moves, at).terminal or ""]
        slot = f"{kit.dice.pick('ABCDEFGH')}{kit.dice.whole(1, 40):02d}-1"
        shipment.moves.append(stay.event("isth:yard_move", at, here, position=slot))
    return True


def seen_elsewhere(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """The number passes a gate at the other coast minutes after it was seen here."""
    moves = of_first(shipment)
    if not moves:
        return False
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
    moves = of_first(shipment)
    if not moves:
        return False
    seen = kit.dice.pick(moves)
    at = kit.dice.whole(4, 9)
    digit = str((int(seen.container[at]) + kit.dice.whole(1, 9)) % 10)
    number = seen.container[:at] + digit + seen.container[at + 1 :]
    exchange(shipment, seen, replace(seen, container=number))
    return True


def slow_transfer(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """Between two terminals it is on the road for far longer than the road takes."""
    moves = of_first(shipment)
    for before, after in pairwise(moves):
        if before.code == "GTOT" and after.code == "GTIN":
            room = moves[-1].at - after.at - timedelta(hours=1)
            delay = min(timedelta(hours=kit.dice.between(5, 12)), room)
            for move in moves:
                if move.at >= after.at and move.code != "LOAD":
                    at = min(move.at + delay, moves[-1].at - timedelta(minutes=20))
                    exchange(shipment, move, replace(move, at=at.replace(microsecond=0)))
            return True
    return False


def moved_at_night(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """Between two terminals it goes by night."""
    moves = of_first(shipment)
    for at, (before, after) in enumerate(pairwise(moves)):
        if (before.code, after.code) == ("GTOT", "GTIN"):
            hour, minute = kit.dice.whole(4, 9), kit.dice.whole(0, 59)  # 23 to 4 in Panama
            night = before.at.replace(hour=hour, minute=minute)
            for days in (0, -1, 1):
                by = night + timedelta(days=days) - before.at
                moved = moves[at : at + 2] if by < timedelta() else moves[at:-1]
                # Nothing may come before what went before it, nor after the ship has left.
                if (at == 0 or moves[at - 1].at < before.at + by) and (
                    by < timedelta() or moves[-2].at + by < moves[-1].at
                ):
                    for move in moved:
                        exchange(shipment, move, replace(move, at=move.at + by))
                    return True
    return False


def stood_long(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """A landed box stands for days longer than others before it is fetched."""
    out = fetched_move(shipment)
    if out is None:
        return False
    longer = timedelta(minutes=kit.dice.whole(4 * 24 * 60, 14 * 24 * 60))
    landed = of_first(shipment)[0].at
    for move in list(shipment.moves):
        if move.container == out.container and move.at > landed + (out.at - landed) / 2:
            exchange(shipment, move, replace(move, at=move.at + longer))
    return True


def gated_out_twice(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """A box that has left by the gate leaves by it a second time."""
    out = fetched_move(shipment)
    if out is None:
        return False
    at = out.at + timedelta(minutes=kit.dice.whole(90, 30 * 60))
    again = replace(out, at=at, haulier=kit.port.stranger(), seals=())
    shipment.moves.append(again)
    return True


def gate_unseen(shipment: Shipment, _kit: Kit, _kilograms: float) -> bool:
    """Nobody tells of a gate that the box must have passed."""
    gates = [move for move in of_first(shipment) if move.code in ("GTIN", "GTOT")]
    if not gates:
        return False
    for gate in gates:
        shipment.moves.remove(gate)
    return True


def warm_spell(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """A reefer's log, read when it is moved, shows hours far above its set point."""
    point = shipment.box.set_point
    moves = of_first(shipment)
    if point is None or not moves:
        return False
    read = kit.dice.pick(moves)
    shown = f"{point + kit.dice.between(4, 14):.1f}"
    exchange(shipment, read, replace(read, detail=(*read.detail, ("supply_air_c", shown))))
    return True


def repaired(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """The depot tells of a fresh repair: floor, wall, or the reefer's machinery."""
    moves = of_first(shipment)
    if not moves:
        return False
    part = "machinery" if shipment.reefer and kit.dice.chance(0.6) else None
    part = part or kit.dice.pick(("floor", "side_wall", "front_wall", "roof", "cross_member"))
    first = moves[0]
    at = first.at + timedelta(minutes=kit.dice.whole(20, 180))
    stay = life.stay(kit.port, shipment, shipment.box)
    told = stay.event("INSP", at, kit.world.terminals[first.terminal or ""])
    shipment.moves.append(replace(told, detail=(("repaired", part),)))
    return True


# First what shifts moments, then what adds to them.
ON_MOVES: Mapping[str, Act] = named(
    stood_long,
    slow_transfer,
    moved_at_night,
    seal_by_customs,
    seal_swapped,
    moved_often,
    warm_spell,
    repaired,
    gated_out_twice,
    gate_unseen,
    seen_elsewhere,
    misread,
)
