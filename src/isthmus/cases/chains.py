"""One inspection for two countries: the cue, the answer and the result form one chain.

Whoever first cues makes the chain's id; both nodes keep the chain under it. While a chain is with
another node, or once it has a result, the box is opened again only for a reason on record. It is
guarded so on the trip that the chain is about and not on the next: see ``guards_until``.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from isthmus.access.gate import check, scope
from isthmus.access.model import Actor, Permission, Purpose
from isthmus.cargo.unit import Unit
from isthmus.cases import partner_store
from isthmus.cases.model import step
from isthmus.cases.partner_model import (
    ANY_VOYAGE,
    CHAIN_STEPS,
    PACE,
    ChainState,
    Override,
    Pace,
    Voyage,
    guards,
    guards_until,
)
from isthmus.kernel.errors import Conflict, Denied, Invalid
from isthmus.kernel.ids import new_id
from isthmus.platform import audit, events
from isthmus.platform.transaction import Transaction
from isthmus.reference.codelist import code_list

CHAIN = re.compile(r"([A-Z]{2}-[A-Z0-9-]{1,30}):[a-z]{3}_[0-9a-z]{1,40}")
_OPEN = (ChainState.CUED, ChainState.ACCEPTED)


@dataclass(frozen=True, slots=True)
class Cue:
    """What one node asks another: to inspect this container by then, and why itself cannot."""

    container: str
    asked: str
    cue_reason: str  # code list cue_reasons
    deadline: datetime
    port: str | None = None  # UN/LOCODE
    voyage: Voyage = ANY_VOYAGE


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a cued inspection came out: its result, and the seizure's number where there is one."""

    result: str  # code list inspection_results
    inspection_id: str | None = None
    seizure: str | None = None


def voyage_of(unit: Unit) -> Voyage:
    """Return on which voyage a unit travels, as its papers say."""
    return Voyage(unit.vessel_imo, unit.voyage, unit.arrival_at)


def cue(tx: Transaction, actor: Actor, unit: Unit, cue: Cue, node: str, pace: Pace = PACE) -> str:
    """Ask another node to inspect a unit's box; returns the chain's id. ``node`` is this node.

    Raises ``Conflict`` while a chain about the box is open: there is one inspection, not two.
    """
    check(
        tx,
        actor,
        Permission.CHAIN_KEEP,
        office=unit.office,
        terminal=unit.terminal,
        object_id=unit.id,
    )
    if unit.container != cue.container:
        raise Invalid("container_foreign", "the box of another unit", field="container")
    if cue.asked == node:
        raise Invalid("node_own", "a node does not cue itself", field="asked", value=node)
    if cue.deadline <= tx.now:
        raise Invalid("deadline_past", "the deadline is past", field="deadline")
    tx.lock([f"chain-{cue.container}"])
    if any(
        row["state"] in _OPEN and guards(row, voyage_of(unit), tx.now)
        for row in partner_store.chains_of(tx, cue.container)
    ):
        raise Conflict("chain_open", "a chain about this box is open", container=cue.container)
    place = {"unit_id": unit.id, "office": unit.office, "terminal": unit.terminal}
    return _begin(tx, actor, f"{node}:{new_id('chn')}", cue, ours=False, place=place, pace=pace)


def receive_cue(
    tx: Transaction,
    actor: Actor,
    chain_id: str,
    cue: Cue,
    unit: Unit | None = None,
    item: str | None = None,
    pace: Pace = PACE,
) -> str:
    """Keep the chain that a partner's cue begins; a repeated cue changes nothing.

    ``unit`` is the unit of the box where this node knows it, ``item`` the item that cues.
    """
    check(tx, actor, Permission.ITEM_RECEIVE, object_id=chain_id)
    if not CHAIN.fullmatch(chain_id):
        raise Invalid("chain_id", "no id of a chain", field="chain", value=chain_id)
    place = {
        "unit_id": unit.id if unit else None,
        "office": unit.office if unit else None,
        "terminal": unit.terminal if unit else None,
        "cue_item": item,
    }
    return _begin(tx, actor, chain_id, cue, ours=True, place=place, pace=pace)


def accept(tx: Transaction, actor: Actor, chain_id: str) -> None:
    """Accept a cue: by a person where this node is asked, else as the partner told."""
    _move(tx, actor, chain_id, ChainState.ACCEPTED, answered_at=tx.now)


def decline(tx: Transaction, actor: Actor, chain_id: str, reason: str) -> None:
    """Decline a cue with a reason (code list ``cue_reasons``)."""
    _code("cue_reasons", reason, "reason")
    _move(tx, actor, chain_id, ChainState.DECLINED, answered_at=tx.now, decline_reason=reason)


def result(
    tx: Transaction, actor: Actor, chain_id: str, outcome: Outcome, pace: Pace = PACE
) -> None:
    """Enter the result of a chain: the end that both nodes see. The box stays guarded from then."""
    _code("inspection_results", outcome.result, "result")
    row = _seen(tx, actor, chain_id)
    known = Voyage(row["vessel_imo"], row["voyage"], row["arrives_at"])
    _move(
        tx,
        actor,
        chain_id,
        ChainState.RESULT,
        result_at=tx.now,
        result=outcome.result,
        inspection_id=outcome.inspection_id,
        seizure=outcome.seizure,
        guards_until=guards_until(known, row["deadline"], tx.now, pace),
    )


def chain(tx: Transaction, actor: Actor, chain_id: str) -> RowMapping:
    """Return one chain; raises ``NotFound``."""
    return partner_store.chain(tx, scope(actor, Permission.CHAIN_READ), chain_id)


def reopenings(tx: Transaction, actor: Actor, chain_id: str) -> list[RowMapping]:
    """Return when a chain's box was opened again, at either node, oldest first."""
    return partner_store.reopenings_of(tx, scope(actor, Permission.CHAIN_READ), chain_id)


def chains(
    tx: Transaction, actor: Actor, states: tuple[ChainState, ...] = _OPEN, limit: int = 200
) -> list[RowMapping]:
    """Return chains in these states, those with the nearest deadline first."""
    return partner_store.chains(tx, scope(actor, Permission.CHAIN_READ), states, limit)


def guard_opening(
    tx: Transaction, unit: Unit, control_type: str, override: Override | None
) -> str | None:
    """Return the chain that an opening overrides, if any; for whoever orders an inspection.

    Raises ``Conflict`` when the control opens the box, a chain about this trip of it is open at
    another node or has a result, and no override is given.
    """
    if override is not None:
        _code("override_reasons", override.reason, "override")
        if override.words and not override.language:
            raise Invalid("language_missing", "say the language of the words", field="language")
    if (
        unit.container is None
        or code_list("control_types").entries[control_type].extra["intrusive"] != "yes"
    ):
        return None
    tx.lock([f"chain-{unit.container}"])
    for row in partner_store.chains_of(tx, unit.container):
        elsewhere = row["state"] in _OPEN and not row["ours"]
        if not elsewhere and row["state"] != ChainState.RESULT:
            continue
        if not guards(row, voyage_of(unit), tx.now):
            continue
        if override is None:
            raise Conflict(
                "second_opening",
                "this box is inspected in a chain: opening it again needs a reason",
                chain=row["id"],
                state=row["state"],
            )
        return str(row["id"])
    return None


def reopen(tx: Transaction, actor: Actor, chain_id: str, inspection_id: str, why: Override) -> None:
    """Keep that a guarded box is opened again at this node; for whoever orders the inspection."""
    row = partner_store.chain_row(tx, chain_id)
    node = None if row is None else row["asked"] if row["ours"] else row["cued_by"]
    partner_store.insert_reopening(
        tx,
        {
            "id": inspection_id,
            "chain": chain_id,
            "node": node,
            "at": tx.now,
            "by": actor.id,
            "reason": why.reason,
            "words": why.words or None,
            "language": why.language if why.words else None,
        },
    )
    _note(tx, actor, "chain.reopened", chain_id, reason=why.reason, inspection=inspection_id)


def reopened(tx: Transaction, inspection_id: str, result: str) -> None:
    """Keep what a second opening came to; for whoever reports the inspection."""
    partner_store.change_reopening(tx, inspection_id, result=result)


def receive_reopening(
    tx: Transaction,
    actor: Actor,
    chain_id: str,
    told: tuple[str, str],
    reason: str,
    result: str | None = None,
) -> bool:
    """Keep that the other node opens a chain's box again; ``told`` is that node, and by what."""
    check(tx, actor, Permission.ITEM_RECEIVE, object_id=chain_id)
    partner_store.chain(tx, scope(actor, Permission.ITEM_RECEIVE), chain_id)
    _code("override_reasons", reason, "override")
    if result is not None:
        _code("inspection_results", result, "result")
    node, source = told
    for known in partner_store.reopenings_of(tx, scope(actor, Permission.ITEM_RECEIVE), chain_id):
        if (known["node"], known["reason"], known["result"]) == (node, reason, None):
            partner_store.change_reopening(tx, known["id"], result=result)
            return False
    row = {"id": source, "chain": chain_id, "node": node, "at": tx.now, "reason": reason}
    new = partner_store.insert_reopening(tx, row | {"result": result, "told_at": tx.now})
    if new:
        _note(tx, actor, "chain.reopening_told", chain_id, reason=reason, node=node)
    return new


def _begin(
    tx: Transaction,
    actor: Actor,
    chain_id: str,
    cue: Cue,
    *,
    ours: bool,
    place: dict[str, Any],
    pace: Pace,
) -> str:
    _code("cue_reasons", cue.cue_reason, "cue_reason")
    row = place | {
        "id": chain_id,
        "container": cue.container,
        "cued_by": chain_id.partition(":")[0],
        "asked": cue.asked,
        "ours": ours,
        "state": ChainState.CUED,
        "cue_reason": cue.cue_reason,
        "deadline": cue.deadline,
        "cued_at": tx.now,
        "port": cue.port,
        "vessel_imo": cue.voyage.vessel_imo,
        "voyage": cue.voyage.number,
        "arrives_at": cue.voyage.arrives_at,
        "guards_until": guards_until(cue.voyage, cue.deadline, pace=pace),
    }
    if partner_store.insert_chain(tx, row):
        _note(tx, actor, "chain.cued", chain_id, reason=cue.cue_reason)
    return chain_id


def _seen(tx: Transaction, actor: Actor, chain_id: str) -> RowMapping:
    tx.lock([chain_id])
    needed = Permission.CHAIN_READ if actor.is_person else Permission.ITEM_RECEIVE
    return partner_store.chain(tx, scope(actor, needed), chain_id)


def _move(tx: Transaction, actor: Actor, chain_id: str, then: ChainState, **values: Any) -> None:
    row = _seen(tx, actor, chain_id)
    if actor.is_person != row["ours"]:
        raise Denied("chain_elsewhere", "only the node that is asked answers", chain=chain_id)
    _check(tx, actor, row)
    step(CHAIN_STEPS, ChainState(row["state"]), then, chain_id)
    partner_store.change_chain(tx, chain_id, state=then, **values)
    detail = {name: value for name, value in values.items() if isinstance(value, str)}
    _note(tx, actor, f"chain.{then.value}", chain_id, **detail)


def _check(tx: Transaction, actor: Actor, row: RowMapping) -> None:
    check(
        tx,
        actor,
        Permission.CHAIN_KEEP if row["ours"] else Permission.ITEM_RECEIVE,
        office=row["office"],
        terminal=row["terminal"],
        object_id=row["id"],
    )


def _code(name: str, code: str, field: str) -> None:
    if code not in code_list(name):
        raise Invalid("code_unknown", f"not in the code list {name}", field=field, value=code)


def _note(tx: Transaction, actor: Actor, action: str, chain_id: str, **detail: Any) -> None:
    audit.record(
        tx,
        actor.id,
        action,
        "inspection_chain",
        chain_id,
        agency=actor.agency,
        purpose=Purpose.INSPECTION,
        **detail,
    )
    events.emit(tx, action, chain_id, **detail)
