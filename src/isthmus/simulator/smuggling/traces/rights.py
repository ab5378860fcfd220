"""Traces in the rights of release: who looks, who clears, to whom a right passes, who fetches."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from isthmus.cargo.model import ContainerEvent
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


def fetched_early(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """The box is fetched as soon as it stands on the ground."""
    fetched = fetched_move(shipment)
    moves = of_first(shipment)
    if fetched is None or len(moves) < 2:
        return False
    landed = moves[0].at
    early = landed + timedelta(minutes=kit.dice.whole(5 * 60, 12 * 60))
    pace = (early - landed) / (fetched.at - landed)
    for move in moves:
        if move.at > landed:
            at = (landed + (move.at - landed) * pace).replace(microsecond=0)
            exchange(shipment, move, replace(move, at=at))
    return True


def looked_up_often(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """Many users look up the right of release, at odd hours."""
    fetched = fetched_move(shipment)
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
    fetched = fetched_move(shipment)
    if fetched is None or shipment.goods is None:
        return False
    haulier = kit.port.stranger()
    stay = life.stay(kit.port, shipment, shipment.box)
    here = kit.world.terminals[fetched.terminal or ""]
    at = fetched.at - timedelta(minutes=kit.dice.whole(40, 300))
    passed = [move.at for move in shipment.moves if move.code == "isth:release_right_transfer"]
    at = min(max([at, *passed]) + timedelta(minutes=5), fetched.at - timedelta(minutes=10))
    shipment.moves.append(stay.right("transfer", at, here, haulier))
    exchange(shipment, fetched, replace(fetched, haulier=haulier))
    return True


def asked_at_night(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """A user whose work it is not looks the box up by night, before it is cleared."""
    return _looks(shipment, kit, kit.dice.whole(1, 3), _user(shipment, kit), night=True)


def asked_by_stranger(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """A user that the port's system never had before looks the box up."""
    moves = of_first(shipment)
    if kit.hand.stranger is None and moves:
        kit.hand.stranger = kit.port.staff.user(kit.port.stranger(), moves[0].at).id
    if kit.hand.stranger is None:
        return False
    return _looks(shipment, kit, kit.dice.whole(1, 2), kit.hand.stranger, night=False)


def asked_too_late(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """The haulier that was to fetch the box looks it up after it is gone."""
    out = fetched_move(shipment)
    if out is None:
        return False
    stay = life.stay(kit.port, shipment, shipment.box)
    at = out.at + timedelta(minutes=kit.dice.whole(60, 20 * 60))
    told = stay.right("lookup", at, kit.world.terminals[out.terminal or ""], shipment.released_to)
    shipment.moves.append(told)
    return True


def read_in_bulk(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """One user reads the rights of many boxes within minutes, this one among them."""
    out = fetched_move(shipment)
    if out is None:
        return False
    user = _user(shipment, kit)
    at = out.at - timedelta(minutes=kit.dice.whole(6 * 60, 40 * 60))
    for _ in range(kit.dice.whole(5, 10) if kit.others else 0):
        other = kit.dice.pick(kit.others)
        first = next(iter(of_first(other)), None)
        if first is not None and first.at < at:
            beside = at + timedelta(minutes=kit.dice.whole(-6, 6))
            other.moves.append(_look(other, kit, beside, first, user))
    shipment.moves.append(_look(shipment, kit, at, out, user))
    return True


def cleared_by_one(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """The user that clears it has cleared the same hand's goods before."""
    cleared = next((move for move in of_first(shipment) if move.code == "CUSR"), None)
    if cleared is None:
        return False
    exchange(shipment, cleared, replace(cleared, user=_user(shipment, kit)))
    return True


def cleared_at_once(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """Customs clears it within minutes of its landing."""
    moves = of_first(shipment)
    cleared = next((move for move in moves if move.code == "CUSR"), None)
    if cleared is None:
        return False
    at = moves[0].at + timedelta(minutes=kit.dice.whole(4, 50))
    exchange(shipment, cleared, replace(cleared, at=at))
    return True


def hold_lifted(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """A hold on the box is lifted soon after, and nobody has inspected it."""
    moves = of_first(shipment)
    if len(moves) < 2 or any(move.code in ("CUSI", "CUSS", "RSEA") for move in moves):
        return False
    first, last = moves[0], moves[-1]
    at = first.at + (last.at - first.at) * kit.dice.between(0.15, 0.6)
    here = kit.world.terminals[last_before(moves, at).terminal or ""]
    stay = life.stay(kit.port, shipment, shipment.box)
    shipment.moves.append(stay.event("isth:hold", at, here))
    at += min(timedelta(minutes=kit.dice.whole(8, 240)), (last.at - at) / 2)
    shipment.moves.append(replace(stay.event("isth:release", at, here), user=_user(shipment, kit)))
    return True


ON_MOVES: Mapping[str, Act] = named(
    fetched_early,
    cleared_at_once,
    passed_on_late,
    looked_up_often,
    asked_at_night,
    asked_by_stranger,
    asked_too_late,
    read_in_bulk,
    cleared_by_one,
    hold_lifted,
)


def _user(shipment: Shipment, kit: Kit) -> str:
    """Return the official who acts for this hand: one of where its first box lands."""
    if kit.hand.user is None:
        call = shipment.arrival or shipment.departure
        if call is None:
            raise TypeError("a shipment has a ship")
        kit.hand.user = kit.port.staff.official(call.service.terminal.office, call.arrival).id
    return kit.hand.user


def _looks(shipment: Shipment, kit: Kit, count: int, user: str, *, night: bool) -> bool:
    moves = of_first(shipment)
    if len(moves) < 2:
        return False
    for _ in range(count):
        at = moves[0].at + (moves[-1].at - moves[0].at) * kit.dice.between(0.05, 0.8)
        if night:
            at = at.replace(hour=kit.dice.whole(4, 9))  # 23 to 4 o'clock in Panama
        shipment.moves.append(_look(shipment, kit, at, last_before(moves, at), user))
    return True


def _look(
    shipment: Shipment, kit: Kit, at: datetime, near: ContainerEvent, user: str
) -> ContainerEvent:
    stay = life.stay(kit.port, shipment, shipment.box)
    told = stay.right("lookup", at, kit.world.terminals[near.terminal or ""])
    return replace(told, user=user)
