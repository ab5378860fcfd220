"""Asking: the items that requests, chains and seizures are told by, drafted for a person to send.

A draft says what the act itself says and, where it is about a box, what its papers say of objects;
nobody who is named on them. Who sends it sees in the composer what would go to whom.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping

from isthmus.access.gate import scope
from isthmus.access.model import Actor, Permission
from isthmus.cargo import service as cargo
from isthmus.cases import chains, partner_record, partner_store, requests, seizures
from isthmus.cases import store as cases
from isthmus.cases.chains import Cue, Outcome
from isthmus.cases.partner_model import PACE, Pace
from isthmus.cases.requests import Question
from isthmus.flow.sharing import draft
from isthmus.flow.sharing.together import newest_unit
from isthmus.intelligence import items, keeping, store
from isthmus.intelligence.model import (
    Classification,
    Handling,
    Item,
    ItemKind,
    Marking,
    Tlp,
)
from isthmus.intelligence.objects import ObjectKind
from isthmus.intelligence.validation import known
from isthmus.kernel.errors import Conflict, Invalid
from isthmus.kernel.time import isoformat
from isthmus.platform.transaction import Transaction

# What of a box's papers answers which question: no more is drafted than was asked.
_ANSWERS: Mapping[str, frozenset[str]] = {
    "container_history": frozenset({"vessels", "documents", "events"}),
    "seal_history": frozenset({"seals", "events"}),
    "consignment_documents": frozenset({"documents"}),
    "goods_and_value": frozenset({"goods", "customs_value", "price"}),
    "origin": frozenset({"goods", "suppliers"}),
    "vessel": frozenset({"vessels"}),
    "inspection": frozenset({"goods"}),
    "seizures": frozenset({"goods", "seizures"}),
}
# What is told between authorities is not evidence by itself: the strictest mark that still works.
MARKING = Marking(None, frozenset({Handling.H1}), Classification.NONE, Tlp.AMBER)


@dataclass(frozen=True, slots=True)
class Words:
    """Free text, in the language it was written in."""

    text: str = ""
    language: str = "en"

    def plain(self) -> dict[str, str] | None:
        """Return the text as an item holds it, or nothing where there is none."""
        return {"language": self.language, "text": self.text} if self.text else None


# -- requests -----------------------------------------------------------------------------


def ask(
    tx: Transaction,
    actor: Actor,
    node: str,
    asked: Question,
    containers: Sequence[str] = (),
    words: Words | None = None,
) -> str:
    """Draft a request to a partner, complete but for its sending; returns the item's id."""
    if not asked.own_case:
        raise Invalid("case_missing", "a request is tied to a case", field="own_case")
    body: dict[str, Any] = {
        "questions": list(asked.questions),
        "case_number": asked.own_case,
        "urgency": asked.urgency,
        "held": asked.held,
        "containers": list(containers),
        "wording": words.plain() if words else None,
    }
    item = _draft(tx, actor, node, ItemKind.REQUEST, body)
    requests.draft(tx, actor, item.id, asked)
    requests.complete(tx, actor, item.id)
    return item.id


def answer(
    tx: Transaction,
    actor: Actor,
    node: str,
    request_id: str,
    outcome: str,
    *,
    ground: str | None = None,
    containers: Sequence[str] = (),
    words: Words | None = None,
) -> str:
    """Draft the answer to a partner's request, with what is known of the boxes in question.

    It is answered once the item is sent. Returns the item's id.
    """
    row = requests.request(tx, actor, request_id)
    if not row["incoming"]:
        raise Conflict("request_own", "a partner answers it", request=request_id)
    body: dict[str, Any] = {
        "request": request_id,
        "outcome": outcome,
        "answered_at": isoformat(tx.now.replace(microsecond=0)),
        "case_number": row["own_case"] or row["partner_case"],
        "remarks": words.plain() if words else None,
    }
    if outcome == "refused":
        body["refusal_grounds"] = [ground] if ground else []
    elif outcome != "nothing_held":
        asked: frozenset[str] = frozenset().union(
            *(_ANSWERS.get(one, frozenset()) for one in row["questions"])
        )
        body |= _of_boxes(tx, actor, containers, asked)
    return _draft(tx, actor, node, ItemKind.ANSWER, body).id


def _of_boxes(
    tx: Transaction, actor: Actor, containers: Sequence[str], asked: frozenset[str]
) -> dict[str, Any]:
    """What the papers of boxes say of what was asked, as far as the actor may see them."""
    told: dict[str, Any] = {}
    for container in containers:
        unit = newest_unit(tx, container)
        if unit is None:
            continue
        body = draft.of_unit(tx, actor, unit.id, ItemKind.ANSWER).body
        told.setdefault("containers", []).append(container)
        for name in asked & body.keys():
            held = told.setdefault(name, [])
            held += [one for one in body[name] if one not in held]
    return told


def feedback(tx: Transaction, actor: Actor, node: str, request_id: str, outcome: str) -> str:
    """Draft what became of an answer, for whoever gave it; returns the item's id."""
    row = requests.request(tx, actor, request_id)
    if row["incoming"] or row["answer_item"] is None:
        raise Conflict("nothing_answered", "no answer came to it", request=request_id)
    body = {
        "about": row["answer_item"],
        "outcome": outcome,
        "given_at": isoformat(tx.now.replace(microsecond=0)),
        "case_number": row["partner_case"],
    }
    return _draft(tx, actor, node, ItemKind.FEEDBACK, body).id


# -- chains -------------------------------------------------------------------------------


def cue(
    tx: Transaction, actor: Actor, node: str, unit_id: str, asked: Cue, pace: Pace = PACE
) -> tuple[str, str]:
    """Begin a chain about a unit's box and draft the cue; returns the ids of chain and item."""
    unit = cargo.find_unit(tx, actor, unit_id)
    chain = chains.cue(tx, actor, unit, asked, node, pace)
    body = dict(draft.of_unit(tx, actor, unit_id, ItemKind.INSPECTION_REQUEST).body)
    body |= {
        "chain": chain,
        "port": asked.port,
        "deadline": isoformat(asked.deadline),
        "cue_reason": asked.cue_reason,
        "voyage": asked.voyage.number,
        "arrives_at": isoformat(asked.voyage.arrives_at) if asked.voyage.arrives_at else None,
    }
    item = _draft(tx, actor, node, ItemKind.INSPECTION_REQUEST, body)
    partner_store.change_chain(tx, chain, cue_item=item.id)
    return chain, item.id


def result(
    tx: Transaction, actor: Actor, chain_id: str, inspection_id: str, pace: Pace = PACE
) -> None:
    """Enter what an inspection of the box came to as the result of its chain."""
    chain = chains.chain(tx, actor, chain_id)
    done = _done(tx, actor, chain, inspection_id)
    number = partner_store.seizure_of(tx, inspection_id)
    chains.result(tx, actor, chain_id, Outcome(done["result"], inspection_id, number), pace)


def tell_result(tx: Transaction, actor: Actor, node: str, chain_id: str, inspection_id: str) -> str:
    """Draft what an inspection in a chain came to, the second of a box too; returns the item."""
    chain = chains.chain(tx, actor, chain_id)
    done = _done(tx, actor, chain, inspection_id)
    again = done["override"] is not None and done["chain"] == chain_id
    if not again and chain["inspection_id"] != inspection_id:
        raise Conflict("inspection_unfit", "not the inspection of the chain", chain=chain_id)
    body = _result(tx, actor, chain, done, partner_store.seizure_of(tx, inspection_id))
    if again:
        body["override"] = done["override"]
    return _draft(tx, actor, node, ItemKind.INSPECTION_RESULT, body).id


def _done(tx: Transaction, actor: Actor, chain: RowMapping, inspection_id: str) -> RowMapping:
    done = cases.inspection(tx, scope(actor, Permission.INSPECTION_READ), inspection_id)
    if done["result"] is None or cases.container_of(tx, done["unit_id"]) != chain["container"]:
        raise Conflict("inspection_unfit", "no result of this box", inspection=inspection_id)
    return done


def _result(
    tx: Transaction, actor: Actor, chain: RowMapping, done: RowMapping, number: str | None
) -> dict[str, Any]:
    seen = scope(actor, Permission.INSPECTION_READ)
    found = cases.findings(tx, seen, [done["id"]])
    unit = cargo.find_unit(tx, actor, done["unit_id"])
    return {
        "chain": chain["id"],
        "request": chain["cue_item"],
        "container": chain["container"],
        "result": done["result"],
        "control_type": done["control_type"],
        "inspected_at": isoformat(done["done_at"].replace(microsecond=0)),
        "place": _place(chain["port"], unit.place_discharge, done["office"]),
        "findings": [_line(row) for row in found if row["quantity"] and row["unit"]],
        "seizure": number,
    }


# -- seizures -----------------------------------------------------------------------------


def seizure(tx: Transaction, actor: Actor, node: str, number: str) -> str:
    """Draft the notice of an own seizure to partners: what was seized, whose credit it is.

    Of one seizure there is one item: drafted again it says what is known by now, and keeps what
    a person added to it.
    """
    row = partner_store.seizure(tx, scope(actor, Permission.SEIZURE_READ), number)
    if not row["own"]:
        raise Conflict("seizure_foreign", "its finder tells of it", seizure=number)
    seen = scope(actor, Permission.SEIZURE_READ)
    lines = [_line(one) for one in seizures.goods(tx, actor, [number])]
    unit = cargo.find_unit(tx, actor, row["unit_id"])
    body = {
        "number": number,
        "seized_at": isoformat(row["seized_at"].replace(microsecond=0)),
        "place": _place(unit.place_discharge, unit.place_transhipment, row["office"]),
        "goods": [line for line in lines if "quantity" in line],
        "containers": [row["container"]] if row["container"] else None,
        "vessels": [{"imo": unit.vessel_imo}] if unit.vessel_imo else None,
        "credits": [
            {"node": one["node"], "role": one["role"], "share": one["share"]}
            for one in partner_store.credits_of(tx, seen, [number])
        ],
        "chain": row["chain"],
    }
    made = told_already(tx, ItemKind.SEIZURE, ObjectKind.SEIZURE, number)
    if made is None:
        return _draft(tx, actor, node, ItemKind.SEIZURE, body).id
    before = keeping.load(tx, store.copies_of(tx, made)[-1])
    if (now := {**before.body, **_said(body)}) != before.body:
        items.amend(tx, actor, made, now)
    return made


def told_already(tx: Transaction, kind: ItemKind, names: ObjectKind, value: str) -> str | None:
    """Return the own item in force that tells of something: of one thing one item is made."""
    for row in store.naming(tx, names, [value]):
        if row["kind"] == kind and row["partner"] is None:
            return str(row["item"])
    return None


def _line(row: RowMapping) -> dict[str, Any]:
    """One line of goods as an item holds it: what it weighed, where that is known."""
    values = dict(row)
    quantity = values.get("weighed") if values.get("weighed") is not None else values["quantity"]
    line: dict[str, Any] = {"class": values["goods"]}
    if quantity and values["unit"]:
        line |= {"quantity": f"{quantity:.3f}".rstrip("0").rstrip("."), "unit": values["unit"]}
    if packages := values.get("packages") or values.get("pieces"):
        line["packages"] = packages
    if values["zone"]:
        line["concealment_zone"] = values["zone"]
    return line


def _place(*codes: str | None) -> str | None:
    return next((code for code in codes if code and known("places", code)), None)


def _draft(
    tx: Transaction, actor: Actor, node: str, kind: ItemKind, body: Mapping[str, Any]
) -> Item:
    return items.draft(tx, actor, node, kind, _said(body), MARKING)


def _said(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value not in (None, [], "")}


# -- a partner's lookouts -----------------------------------------------------------------


def lookouts(tx: Transaction, actor: Actor, node: str, partner: str) -> list[str]:
    """Draft what became of each lookout of a partner that was tried and not told so yet.

    Counts alone: how many inspections, and at how many something was found. Returns the items.
    """
    made = []
    for one in partner_record.lookouts(tx, actor, partner):
        told = _told_of(tx, one.item)
        counts = (len(one.results), one.found)
        if one.results and (told.get("picks"), told.get("found")) != counts:
            body = {
                "about": one.item,
                "outcome": one.outcome,
                "given_at": isoformat(tx.now.replace(microsecond=0)),
                "picks": counts[0],
                "found": counts[1],
            }
            made.append(_draft(tx, actor, node, ItemKind.FEEDBACK, body).id)
    return made


def _told_of(tx: Transaction, item: str) -> Mapping[str, Any]:
    """What this node's newest feedback on a lookout says."""
    said: Mapping[str, Any] = {}
    for row in store.naming(tx, ObjectKind.ITEM, [item]):
        if row["kind"] == ItemKind.FEEDBACK and row["partner"] is None:
            said = keeping.load(tx, row).body
    return said
