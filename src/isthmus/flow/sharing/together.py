"""Together: what partners tell of requests, chains and seizures takes effect where officers work.

An item that asks, answers or reports is entered as what it is; so is the receipt by which a
partner tells a step, and an own item once a person sent it (``telling`` asks for all three). Each
is a job with a transaction of its own: what a partner tells may be wrong or late, and then it is
noted and nothing else stops.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from isthmus.access.model import Actor, Purpose, node_actor
from isthmus.agreements.service import clause_of
from isthmus.cargo import store as cargo
from isthmus.cargo.unit import Unit, UnitState
from isthmus.cases import chains, partner_store, requests, seizures
from isthmus.cases.chains import Cue, Outcome
from isthmus.cases.partner_model import PACE, ChainState, Pace, RequestState, Voyage
from isthmus.cases.requests import Question
from isthmus.cases.seizures import Credit, Goods
from isthmus.cases.seizures import Told as Seized
from isthmus.exchange import inbox
from isthmus.exchange.trust import identity
from isthmus.intelligence import keeping, store
from isthmus.intelligence.model import Item, ItemKind
from isthmus.kernel.errors import Conflict, Denied, Erased, Invalid, NotFound
from isthmus.platform import audit, events
from isthmus.platform.database import Database
from isthmus.platform.transaction import Transaction

# For which purposes the desks work. A question may be put for a court, too: that of requests
# answers whoever may ask. An exercise reaches no desk of real work.
_WORK = frozenset({Purpose.TARGETING, Purpose.INSPECTION})
_COURT = _WORK | {Purpose.JUDICIAL}
PURPOSES: Mapping[ItemKind, frozenset[Purpose]] = {
    ItemKind.REQUEST: _COURT,
    ItemKind.ANSWER: _COURT,
    ItemKind.FEEDBACK: _COURT,
    ItemKind.INSPECTION_REQUEST: _WORK,
    ItemKind.INSPECTION_RESULT: _WORK,
    ItemKind.SEIZURE: _WORK,
}
_ASKS = (ItemKind.REQUEST, ItemKind.INSPECTION_REQUEST)
_PARTIAL = "partial"
_REFUSED = "refused"


def do(database: Database, told: Mapping[str, str], pace: Pace = PACE) -> bool:
    """Let what was told take effect; false where it could not, which is noted with its code."""
    try:
        return database.write(lambda tx: apply(tx, node_actor(), told, pace))
    except (Invalid, Denied, Conflict, NotFound, Erased) as error:
        code, item = error.code, told.get("item") or told["sent"]
        database.write(lambda tx: _unheeded(tx, item, code))
        return False


def _unheeded(tx: Transaction, item: str, code: str) -> None:
    audit.record(tx, "node", "item.unheeded", "item", item, code=code)
    events.emit(tx, "item.unheeded", item, code=code)


def apply(tx: Transaction, actor: Actor, told: Mapping[str, str], pace: Pace = PACE) -> bool:
    """Do what a job asks for, in the caller's transaction; whether anything changed."""
    if "sent" in told:
        return _sent(tx, told, pace)
    if "outcome" in told:
        return _receipt(tx, actor, told)
    copies = [row for row in store.copies_of(tx, told["item"]) if row["id"] == told["copy"]]
    if not copies:
        raise NotFound("item_unknown", "no such copy", item=told["item"])
    item = keeping.load(tx, copies[0])
    _meant_for_work(copies[0], item)
    shown = replace(item, body=_Shown(item.body))
    return _EFFECTS[item.kind](tx, actor, shown, str(copies[0]["source"]), pace)


class _Shown(dict[str, Any]):
    """The part of a body that was released: what a desk cannot do without is named."""

    def __missing__(self, name: str) -> Any:
        raise Invalid("part_missing", "this part was not released", field=name)


def _meant_for_work(copy: RowMapping, item: Item) -> None:
    """Keep from the desks what did not come for their work, and what another node passes on: it
    cannot speak for the originator. A seizure keeps its finder's number, whoever tells of it."""
    if PURPOSES[item.kind].isdisjoint(copy["purposes"]):
        raise Denied("purpose_other", "it came for another purpose", item=item.id)
    if item.kind is not ItemKind.SEIZURE and copy["partner"] != item.originator:
        raise Denied("not_originator", "passed on by another node", item=item.id)


# -- requests -----------------------------------------------------------------------------


def _asked(tx: Transaction, actor: Actor, item: Item, source: str, pace: Pace) -> bool:
    body = item.body
    opened = _envelope(tx, source)
    asked = Question(
        item.originator,
        tuple(body["questions"]),
        body.get("urgency", "normal"),
        body.get("held", "directly"),
        citation=_citation(tx, source),
        partner_case=body.get("case_number"),
    )
    since = opened.envelope.made_at if opened else item.made_at
    return requests.receive(tx, actor, item.id, asked, since, pace)


def _answered(tx: Transaction, actor: Actor, item: Item, _source: str, pace: Pace) -> bool:
    row = partner_store.request_of_item(tx, str(item.body.get("request")))
    if row is None or row["incoming"] or row["partner"] != item.originator:
        raise NotFound("request_unknown", "answers nothing that was asked", item=item.id)
    outcome = item.body.get("outcome")
    if outcome == _REFUSED:
        if requests.told(tx, actor, row["id"], RequestState.REFUSED):
            grounds = item.body.get("refusal_grounds") or (None,)
            requests.refuse(tx, actor, row["id"], grounds[0], item.id)
        return True
    partial = outcome == _PARTIAL
    then = RequestState.PARTIAL if partial else RequestState.ANSWERED
    if row["state"] == then or requests.told(tx, actor, row["id"], then):
        requests.answer(tx, actor, row["id"], partial=partial, item=item.id, pace=pace)
    return True


def _feedback(tx: Transaction, actor: Actor, item: Item, _source: str, _pace: Pace) -> bool:
    row = partner_store.request_of_item(tx, str(item.body.get("about")))
    if row is None or not row["incoming"] or row["partner"] != item.originator:
        return _stands(tx, item)  # of an alert or a cue: it stands with its item
    requests.give_feedback(tx, actor, row["id"], item.body["outcome"])
    return True


def _stands(tx: Transaction, item: Item) -> bool:
    """Feedback stands on the item that it is about, for whoever sent that; see ``heard``."""
    about = store.item(tx, item.body["about"])
    if about is None:
        raise NotFound("item_unknown", "about nothing that is here", item=item.id)
    detail: dict[str, Any] = {
        "feedback": item.id,
        "partner": item.originator,
        "outcome": item.body["outcome"],
    }
    audit.record(tx, "node", "item.feedback", "item", about["id"], **detail)
    events.emit(tx, "item.feedback", about["id"], **detail)
    return True


# -- chains and seizures ------------------------------------------------------------------


def _cued(tx: Transaction, actor: Actor, item: Item, _source: str, pace: Pace) -> bool:
    body, own = item.body, identity.me(tx)["node"]
    chain = str(body.get("chain"))
    if chain.partition(":")[0] != item.originator:
        raise Denied("chain_foreign", "only the node that begins a chain cues", chain=chain)
    vessels = body.get("vessels") or [{}]
    voyage = Voyage(vessels[0].get("imo"), body.get("voyage"), _moment(body.get("arrives_at")))
    cue = Cue(
        body["container"],
        own,
        body["cue_reason"],
        datetime.fromisoformat(body["deadline"]),
        body.get("port"),
        voyage,
    )
    known = partner_store.chain_row(tx, chain)
    unit = newest_unit(tx, cue.container)
    chains.receive_cue(tx, actor, chain, cue, unit, item.id, pace)
    return known is None


def newest_unit(tx: Transaction, container: str) -> Unit | None:
    """Return the unit of a box that stands, the newest where there are several. For the node."""
    found = [
        unit
        for unit in cargo.units_touched(tx, [container], [], [])
        if unit.state in (UnitState.OPEN, UnitState.CLOSED) and unit.created_at is not None
    ]
    return max(found, key=lambda unit: (unit.created_at, unit.id), default=None)


def _inspected(tx: Transaction, actor: Actor, item: Item, _source: str, pace: Pace) -> bool:
    body = item.body
    row = partner_store.chain_row(tx, str(body.get("chain")))
    if row is None or item.originator not in (row["cued_by"], row["asked"]):
        raise NotFound("inspection_chain_unknown", "of no chain with this partner", item=item.id)
    if "override" in body:
        told = (item.originator, item.id)
        return chains.receive_reopening(
            tx, actor, row["id"], told, body["override"], body.get("result")
        )
    if row["state"] == ChainState.CUED:
        chains.accept(tx, actor, row["id"])
    outcome = Outcome(body["result"], seizure=body.get("seizure"))
    chains.result(tx, actor, row["id"], outcome, pace)
    partner_store.change_chain(tx, row["id"], result_item=item.id)
    return True


def _seized(tx: Transaction, actor: Actor, item: Item, _source: str, _pace: Pace) -> bool:
    body = item.body
    number = seizures.NUMBER.fullmatch(str(body.get("number")))
    if number is None or number[1] != item.originator:
        raise Denied("seizure_foreign", "only its finder tells of a seizure", item=item.id)
    told = Seized(
        number[0],
        datetime.fromisoformat(body["seized_at"]),
        _credits(body.get("credits", ())),
        tuple(_goods(one) for one in body.get("goods", ()) if "class" in one),
        next(iter(body.get("containers", ())), None),
        body.get("chain"),
        item.id,
    )
    new = seizures.receive(tx, actor, told)
    chain = partner_store.chain_row(tx, told.chain) if told.chain else None
    if chain is not None and item.originator in (chain["cued_by"], chain["asked"]):
        partner_store.change_chain(tx, chain["id"], seizure=told.number)
    return new


def _credits(lines: Sequence[Mapping[str, Any]]) -> tuple[Credit, ...]:
    """The shares of credit; none where a part of them was held back, for it would not sum."""
    if any(not line.keys() >= {"node", "role", "share"} for line in lines):
        return ()
    return tuple(Credit(line["node"], line["role"], line["share"]) for line in lines)


def _goods(line: Mapping[str, Any]) -> Goods:
    quantity = line.get("quantity")
    return Goods(
        line["class"],
        float(quantity) if quantity is not None else None,
        line.get("unit"),
        line.get("packages"),
        line.get("concealment_zone"),
    )


_EFFECTS: Mapping[ItemKind, Callable[[Transaction, Actor, Item, str, Pace], bool]] = {
    ItemKind.REQUEST: _asked,
    ItemKind.ANSWER: _answered,
    ItemKind.FEEDBACK: _feedback,
    ItemKind.INSPECTION_REQUEST: _cued,
    ItemKind.INSPECTION_RESULT: _inspected,
    ItemKind.SEIZURE: _seized,
}


# -- what a receipt tells, and what an item that was sent is ---------------------------------


def _receipt(tx: Transaction, actor: Actor, told: Mapping[str, str]) -> bool:
    subject, _, act = told["outcome"].partition(".")
    if subject == "request":
        return _request_receipt(tx, actor, told, act)
    row = partner_store.chain_of_item(tx, told["item"])
    if row is None or told["partner"] not in (row["cued_by"], row["asked"]):
        raise NotFound("inspection_chain_unknown", "of no chain", item=told["item"])
    if act == ChainState.ACCEPTED:
        chains.accept(tx, actor, row["id"])
    elif act == ChainState.DECLINED:
        chains.decline(tx, actor, row["id"], told["code"])
    elif act == "reopened":
        source = (told["partner"], told["envelope"])
        return chains.receive_reopening(tx, actor, row["id"], source, told["code"])
    return True


def _request_receipt(tx: Transaction, actor: Actor, told: Mapping[str, str], act: str) -> bool:
    row = partner_store.request_of_item(tx, told["item"])
    closing = act == RequestState.CLOSED
    if row is None or row["incoming"] != closing or row["partner"] != told["partner"]:
        raise NotFound("request_unknown", "of no request to this partner", item=told["item"])
    if closing:
        requests.close(tx, actor, row["id"])
        return True
    if act not in list(RequestState):
        raise Invalid("step_unknown", "no step of a request", step=act)
    then, request, code = RequestState(act), row["id"], told["code"]
    if then is RequestState.ACKNOWLEDGED and code:
        requests.link(tx, actor, request, code)
    if not requests.told(tx, actor, request, then):
        return False  # overtaken by what came later
    match then:
        case RequestState.ACKNOWLEDGED:
            requests.acknowledge(tx, actor, request)
        case RequestState.ACCEPTED:
            requests.accept(tx, actor, request)
        case RequestState.NEED_MORE:
            requests.need_more(tx, actor, request, [one for one in code.split(",") if one])
        case RequestState.REFUSED:
            requests.refuse(tx, actor, request, code)
        case _:
            return False
    return True


def _sent(tx: Transaction, told: Mapping[str, str], pace: Pace) -> bool:
    item = keeping.load(tx, store.copies_of(tx, told["sent"])[-1])
    body, partner = item.body, told["partner"]
    if item.kind is ItemKind.SEIZURE:
        seizures.told_by(tx, item.id, body["number"])
    elif item.kind is ItemKind.INSPECTION_RESULT:
        _result_sent(tx, item)
    elif (row := _request_of(tx, item)) is not None and row["partner"] == partner:
        then, values = _step_of(item)
        if item.kind is ItemKind.REQUEST:
            values = {"citation": _citation(tx, told["envelope"])}
        requests.went(tx, row["id"], then, item.id, pace, **values)
    else:
        return False
    return True


def _result_sent(tx: Transaction, item: Item) -> None:
    chain = partner_store.chain_row(tx, item.body["chain"])
    if chain is None:
        return
    if "override" not in item.body:
        partner_store.change_chain(tx, chain["id"], result_item=item.id)
        return
    for row in partner_store.own_reopenings(tx, chain["id"]):
        if row["told_at"] is None:
            partner_store.change_reopening(tx, row["id"], told_at=tx.now)


def _request_of(tx: Transaction, item: Item) -> Any:
    about = {
        ItemKind.REQUEST: item.id,
        ItemKind.ANSWER: item.body.get("request"),
        ItemKind.FEEDBACK: item.body.get("about"),
    }
    return partner_store.request_of_item(tx, str(about.get(item.kind)))


def _step_of(item: Item) -> tuple[RequestState, dict[str, Any]]:
    outcome = item.body.get("outcome")
    if item.kind is ItemKind.FEEDBACK:
        return RequestState.USED, {"feedback": outcome}
    if item.kind is ItemKind.REQUEST:
        return RequestState.SENT, {}
    if outcome == _REFUSED:
        return RequestState.REFUSED, {"refusal_ground": item.body["refusal_grounds"][0]}
    return RequestState.PARTIAL if outcome == _PARTIAL else RequestState.ANSWERED, {}


# -- the common parts ---------------------------------------------------------------------


def _envelope(tx: Transaction, source: str) -> Any:
    try:
        return inbox.opened(tx, source.partition(">")[0])
    except Erased:
        return None


def _citation(tx: Transaction, source: str) -> str | None:
    """Name the clause that a request relies on: of several, the one with reply clocks."""
    opened = _envelope(tx, source)
    if opened is None:
        return None
    cited = [f"{one.agreement}/{one.clause}" for one in opened.envelope.basis]
    for one in cited:
        if (clause := clause_of(tx, one)) is not None and clause.clocks:
            return one
    return next(iter(cited), None)


def _moment(text: str | None) -> Any:
    return datetime.fromisoformat(text) if text else None
