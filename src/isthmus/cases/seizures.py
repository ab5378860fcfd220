"""Seizures: one number each, issued once by who found it, and shares of credit by that number.

Totals count numbers, never reports: two countries that worked on one seizure have made one
(double counting between authorities is what GAO-02-13 found).
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from isthmus.access.gate import check, scope
from isthmus.access.model import Actor, Permission, Purpose
from isthmus.cases import partner_store, store
from isthmus.cases.model import Result
from isthmus.cases.partner_model import PACE, Pace
from isthmus.kernel.errors import Conflict, Denied, Invalid, NotFound
from isthmus.platform import audit, events
from isthmus.platform.transaction import Transaction
from isthmus.reference.codelist import code_list

NUMBER = re.compile(r"SZ-([A-Z]{2}-[A-Z0-9-]{1,30})-([0-9]{4})-([0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class Credit:
    """A node's part in a seizure: its role (code list ``credit_roles``), its share in percent."""

    node: str
    role: str
    share: int


@dataclass(frozen=True, slots=True)
class Goods:
    """One line of what was seized, as it was reported."""

    goods: str  # code list seized_goods
    quantity: float | None = None
    unit: str | None = None
    packages: int | None = None
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What its finder tells of a seizure, and the item by which it does."""

    number: str
    seized_at: datetime
    credits: tuple[Credit, ...] = ()
    goods: tuple[Goods, ...] = ()
    container: str | None = None
    chain: str | None = None
    item: str | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """How many seizures there were, and each node's credit in them; the credits sum to it."""

    seizures: int
    credit: dict[str, float]


def check_credits(credits: Sequence[Credit]) -> None:
    """Raise ``Invalid`` unless the shares are of known roles, each once, and make 100 percent."""
    for credit in credits:
        if credit.role not in code_list("credit_roles"):
            raise Invalid("code_unknown", "no such role", field="role", value=credit.role)
        if not 0 <= credit.share <= 100:
            raise Invalid("value_impossible", "0 to 100", field="share", value=credit.share)
    if len({(credit.node, credit.role) for credit in credits}) != len(credits):
        raise Invalid("credit_twice", "a node has each role once", field="credits")
    total = sum(credit.share for credit in credits)
    if total != 100:
        raise Invalid("credit_sum", "the shares make 100 percent", field="credits", value=total)


def register(
    tx: Transaction,
    actor: Actor,
    inspection_id: str,
    node: str,
    credits: Sequence[Credit] = (),
    pace: Pace = PACE,
) -> str:
    """Give the seizure of an inspection its number and return it.

    ``node`` is the code of this node, the finder; without credits all of it is the finder's, or,
    where a partner's cue led to it, half of it that partner's until the two agree otherwise.
    Raises ``Conflict`` when the inspection seized nothing or has its number already.
    """
    found = store.inspection(tx, scope(actor, Permission.INSPECTION_READ), inspection_id)
    _check(tx, actor, found, inspection_id)
    if found["result"] != Result.SEIZURE:
        raise Conflict("nothing_seized", "this inspection seized nothing", inspection=inspection_id)
    tx.lock([f"seizure-{node}"])
    if (known := partner_store.seizure_of(tx, inspection_id)) is not None:
        raise Conflict("seizure_numbered", "it has its number already", seizure=known)
    container = store.container_of(tx, found["unit_id"])
    chain = _chain(tx, container, found)
    shares = tuple(credits) or _first_shares(node, chain)
    check_credits(shares)
    year = found["done_at"].year
    serial = partner_store.last_serial(tx, node, year) + 1
    number = f"SZ-{node}-{year}-{serial}"
    if not NUMBER.fullmatch(number):
        raise Invalid("node_code", "no code of a node", field="node", value=node)
    row = _row(number, found["done_at"], actor, tx.now) | {
        "own": True,
        "inspection_id": inspection_id,
        "unit_id": found["unit_id"],
        "container": container,
        "office": found["office"],
        "terminal": found["terminal"],
        "notice_by": found["done_at"] + pace.notice,
        "chain": chain["id"] if chain else None,
    }
    partner_store.insert_seizure(tx, row)
    lines = store.findings(tx, scope(actor, Permission.INSPECTION_READ), [inspection_id])
    _goods(tx, number, [Goods(one["goods"], one["quantity"], one["unit"], one["pieces"],
                              one["zone"]) for one in lines])  # fmt: skip
    if chain:
        partner_store.change_chain(tx, chain["id"], seizure=number)
    _credit(tx, actor, number, shares, "seizure.register")
    return number


def _chain(tx: Transaction, container: str | None, found: RowMapping) -> RowMapping | None:
    """Return the chain in which a partner asked this node for the inspection."""
    if container is None:
        return None
    for row in partner_store.chains_of(tx, container):
        if row["ours"] and row["cued_at"] <= found["done_at"] < row["guards_until"]:
            return row
    return None


def _first_shares(node: str, chain: RowMapping | None) -> tuple[Credit, ...]:
    if chain is None:
        return (Credit(node, "seized", 100),)
    return (Credit(node, "seized", 50), Credit(chain["cued_by"], "cued", 50))


def receive(tx: Transaction, actor: Actor, told: Told) -> bool:
    """Keep a seizure that its finder told of; return whether its number was new here.

    Where the finder says nothing of credits all of it is the finder's.
    """
    number = told.number
    check(tx, actor, Permission.ITEM_RECEIVE, object_id=number)
    if not (numbered := NUMBER.fullmatch(number)):
        raise Invalid("seizure_number", "no number of a seizure", field="number", value=number)
    credits = told.credits or (Credit(numbered[1], "seized", 100),)
    check_credits(credits)
    row = _row(number, told.seized_at, actor, tx.now) | {
        "container": told.container,
        "chain": told.chain,
        "item": told.item,
    }
    new = partner_store.insert_seizure(tx, row)
    if not new and partner_store.seizure(tx, scope(actor, Permission.ITEM_RECEIVE), number)["own"]:
        raise Conflict("seizure_own", "this node issued that number itself", seizure=number)
    _credit(tx, actor, number, credits, "seizure.receive")
    _goods(tx, number, told.goods)
    return new


def weigh(tx: Transaction, actor: Actor, number: str, place: int, quantity: float) -> None:
    """Note what a line of an own seizure weighed, in the unit in which it was reported."""
    row = _own(tx, actor, number)
    if not 0 <= quantity < 1e9:
        raise Invalid("value_impossible", "0 or more", field="weighed", value=quantity)
    weighed = {"weighed": quantity, "weighed_by": actor.id, "weighed_at": tx.now}
    if not partner_store.weigh(tx, row["number"], place, **weighed):
        raise NotFound("line_unknown", "no such line", seizure=number, place=place)
    _note(tx, actor, "seizure.weigh", number, place=place, weighed=quantity)


def share_credit(tx: Transaction, actor: Actor, number: str, credits: Sequence[Credit]) -> None:
    """Share the credit of an own seizure anew; only its finder does."""
    row = _own(tx, actor, number)
    check_credits(credits)
    _credit(tx, actor, row["number"], credits, "seizure.credit")


def notice_given(tx: Transaction, actor: Actor, number: str) -> None:
    """Note that partners were told of an own seizure: its clock ends."""
    row = _own(tx, actor, number)
    if row["noticed_at"] is not None:
        raise Conflict("notice_given", "partners were told already", seizure=number)
    partner_store.change_seizure(tx, number, noticed_by=actor.id, noticed_at=tx.now)
    _note(tx, actor, "seizure.notice", number)


def told_by(tx: Transaction, item: str, number: str) -> None:
    """Note that an item told partners of an own seizure: its clock ends. For the loop."""
    row = partner_store.seizure_row(tx, number)
    if row is not None and row["own"]:
        noticed = {} if row["noticed_at"] else {"noticed_by": "node", "noticed_at": tx.now}
        partner_store.change_seizure(tx, number, item=item, **noticed)


def goods(tx: Transaction, actor: Actor, numbers: Sequence[str]) -> list[RowMapping]:
    """Return what was seized under these numbers, as reported and as weighed."""
    return partner_store.goods_of(tx, scope(actor, Permission.SEIZURE_READ), numbers)


def totals(tx: Transaction, actor: Actor, since: datetime, until: datetime) -> Totals:
    """Return the totals of a period, by number."""
    check(tx, actor, Permission.SEIZURE_READ)
    seen = scope(actor, Permission.SEIZURE_READ)
    numbers = [row["number"] for row in partner_store.seizures(tx, seen, since, until)]
    percent: dict[str, int] = {}
    for row in partner_store.credits_of(tx, seen, numbers):
        percent[row["node"]] = percent.get(row["node"], 0) + row["share"]
    return Totals(len(numbers), {node: share / 100 for node, share in percent.items()})


def _row(number: str, seized_at: datetime, actor: Actor, now: datetime) -> dict[str, object]:
    finder, year, serial = NUMBER.fullmatch(number).groups()  # type: ignore[union-attr] # checked
    return {
        "number": number,
        "finder": finder,
        "own": False,
        "year": int(year),
        "serial": int(serial),
        "seized_at": seized_at,
        "registered_by": actor.id,
        "registered_at": now,
        "told": False,
    }


def _goods(tx: Transaction, number: str, lines: Sequence[Goods]) -> None:
    partner_store.put_goods(
        tx, [asdict(one) | {"number": number, "place": at} for at, one in enumerate(lines)]
    )


def _own(tx: Transaction, actor: Actor, number: str) -> RowMapping:
    tx.lock([number])
    row = partner_store.seizure(tx, scope(actor, Permission.SEIZURE_READ), number)
    _check(tx, actor, row, number)
    if not row["own"]:
        raise Denied("seizure_foreign", "only its finder changes it", seizure=number)
    return row


def _check(tx: Transaction, actor: Actor, placed: RowMapping, object_id: str) -> None:
    check(
        tx,
        actor,
        Permission.SEIZURE_REGISTER,
        office=placed["office"],
        terminal=placed["terminal"],
        object_id=object_id,
    )


def _credit(
    tx: Transaction, actor: Actor, number: str, credits: Sequence[Credit], action: str
) -> None:
    rows = [
        {"number": number, "node": one.node, "role": one.role, "share": one.share}
        for one in credits
    ]
    partner_store.put_credits(tx, number, rows)
    shared = [f"{one.node} {one.role} {one.share}" for one in credits]
    _note(tx, actor, action, number, credits=shared)


def _note(tx: Transaction, actor: Actor, action: str, number: str, **detail: Any) -> None:
    audit.record(
        tx,
        actor.id,
        action,
        "seizure",
        number,
        agency=actor.agency,
        purpose=Purpose.INSPECTION,
        **detail,
    )
    events.emit(tx, action, number, **detail)
