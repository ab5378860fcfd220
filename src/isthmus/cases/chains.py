"""One inspection for two countries: the cue, the answer and the result form one chain.

Whoever first cues makes the chain's id; both nodes keep the chain under it. While a chain is with
another node, or once it has a result, the box is opened again only for a reason on record.
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
from isthmus.cases.partner_model import CHAIN_STEPS, ChainState
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


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a cued inspection came out: its result, and the seizure's number where there is one."""

    result: str  # code list inspection_results
    inspection_id: str | None = None
    seizure: str | None = None


def cue(tx: Transaction, actor: Actor, unit: Unit, cue: Cue, node: str) -> str:
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
    if any(row["state"] in _OPEN for row in partner_store.chains_of(tx, cue.container)):
        raise Conflict("chain_open", "a chain about this box is open", container=cue.container)
    place = {"unit_id": unit.id, "office": unit.office, "terminal": unit.terminal}
    return _begin(tx, actor, f"{node}:{new_id('chn')}", cue, ours=False, place=place)


def receive_cue(
    tx: Transaction, actor: Actor, chain_id: str, cue: Cue, unit: Unit | None = None
) -> str:
    """Keep the chain that a partner's cue begins; a repeated cue changes nothing.

    ``unit`` is the unit of the box where this node knows it.
    """
    check(tx, actor, Permission.ITEM_RECEIVE, object_id=chain_id)
    if not CHAIN.fullmatch(chain_id):
        raise Invalid("chain_id", "no id of a chain", field="chain", value=chain_id)
    place = {
        "unit_id": unit.id if unit else None,
        "office": unit.office if unit else None,
        "terminal": unit.terminal if unit else None,
    }
    return _begin(tx, actor, chain_id, cue, ours=True, place=place)


def accept(tx: Transaction, actor: Actor, chain_id: str) -> None:
    """Accept a cue: by a person where this node is asked, else as the partner told."""
    _move(tx, actor, chain_id, ChainState.ACCEPTED, answered_at=tx.now)


def decline(tx: Transaction, actor: Actor, chain_id: str, reason: str) -> None:
    """Decline a cue with a reason (code list ``cue_reasons``)."""
    _code("cue_reasons", reason, "reason")
    _move(tx, actor, chain_id, ChainState.DECLINED, answered_at=tx.now, decline_reason=reason)


def result(tx: Transaction, actor: Actor, chain_id: str, outcome: Outcome) -> None:
    """Enter the result of a chain: the end that both nodes see."""
    _code("inspection_results", outcome.result, "result")
    _move(
        tx,
        actor,
        chain_id,
        ChainState.RESULT,
        result_at=tx.now,
        result=outcome.result,
        inspection_id=outcome.inspection_id,
        seizure=outcome.seizure,
    )


def chains(tx: Transaction, actor: Actor, states: tuple[ChainState, ...] = _OPEN) -> list[Any]:
    """Return chains in these states, those with the nearest deadline first."""
    return partner_store.chains(tx, scope(actor, Permission.CHAIN_READ), states)


def guard_opening(
    tx: Transaction, container: str | None, control_type: str, override: str | None
) -> str | None:
    """Return the chain that an opening overrides, if any; for whoever orders an inspection.

    Raises ``Conflict`` when the control opens the box, a chain about it is open at another node
    or has a result, and no override (code list ``override_reasons``) is given.
    """
    if override is not None:
        _code("override_reasons", override, "override")
    if (
        container is None
        or code_list("control_types").entries[control_type].extra["intrusive"] != "yes"
    ):
        return None
    tx.lock([f"chain-{container}"])
    for row in partner_store.chains_of(tx, container):
        elsewhere = row["state"] in _OPEN and not row["ours"]
        if not elsewhere and row["state"] != ChainState.RESULT:
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


def _begin(
    tx: Transaction, actor: Actor, chain_id: str, cue: Cue, *, ours: bool, place: dict[str, Any]
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
    }
    if partner_store.insert_chain(tx, row):
        _note(tx, actor, "chain.cued", chain_id, reason=cue.cue_reason)
    return chain_id


def _move(tx: Transaction, actor: Actor, chain_id: str, then: ChainState, **values: Any) -> None:
    tx.lock([chain_id])
    own_act = actor.is_person
    seen = scope(actor, Permission.CHAIN_READ if own_act else Permission.ITEM_RECEIVE)
    row = partner_store.chain(tx, seen, chain_id)
    if own_act != row["ours"]:
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
