"""Told: what was learned here becomes an item and goes to partners, by itself or by a person.

A confirmed pick, a finding, a seizure, an answer: each stands once among what is to be shared. An
item made of it says what was found and on which objects, never who. Where a clause marked
automatic lets it pass the node sends it at once; as long as a partner could get more by a person's
hand, it waits for one, who sends it or keeps it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping

from isthmus.access.gate import check, scope
from isthmus.access.model import Actor, Permission, node_actor
from isthmus.agreements.model import Asked, Decision, Mode
from isthmus.cases import partner_store, share_store
from isthmus.cases import store as cases
from isthmus.cases.inspections import IRREGULAR
from isthmus.cases.model import Result
from isthmus.cases.partner_model import ChainState
from isthmus.exchange import copy_store, inbox, post_store
from isthmus.exchange.trust import key_store, partners
from isthmus.flow import share
from isthmus.flow.sharing import asking, draft, went
from isthmus.flow.sharing.shareable import Shareable, shareable
from isthmus.intelligence import items, keeping, store
from isthmus.intelligence.keeping import ItemState
from isthmus.intelligence.model import ItemKind
from isthmus.intelligence.objects import ObjectKind, objects_of
from isthmus.kernel.errors import Conflict, Invalid
from isthmus.kernel.ids import new_id
from isthmus.kernel.time import isoformat
from isthmus.platform import audit, events, jobs
from isthmus.platform.transaction import Event, Transaction

JOB = "share"
# How a control saw what it found (code list sighting_means).
_MEANS = {"documentary": "declaration", "scan_xray": "scan", "scan_gamma": "scan"}
# Which event tells of what.
LEARNED: Mapping[str, str] = {
    "hold.confirmed": "pick",
    "inspection.done": "inspection",
    "seizure.register": "seizure",
    "request.answered": "request",
    "envelope.stopped": "stopped",
}


def share_soon(tx: Transaction, event: Event) -> None:
    """Something was learned: see to whom it goes. A reaction to the events of ``LEARNED``."""
    if key_store.myself(tx) is None:
        return  # a node that exchanges with nobody
    kind, told = LEARNED[event.kind], event.payload
    about = {"pick": told.get("hold"), "inspection": told.get("inspection")}.get(kind)
    about = about or event.object_id
    jobs.enqueue(tx, JOB, {"kind": kind, "id": about}, key=f"{kind}/{about}")


def learn(tx: Transaction, kind: str, about_id: str) -> str | None:
    """Enter what was learned, once, and send what goes by itself; return the entry if it waits."""
    me = key_store.myself(tx)
    if me is None or share_store.known(tx, kind, about_id) is not None:
        return None
    lesson = _LESSONS[kind](tx, me["node"], about_id)
    if lesson is None:
        return None
    by_itself, item_id = lesson.pop("by_itself"), lesson["item_id"]
    if item_id is not None and by_itself and _stands(tx, item_id):
        share.send_automatically(tx, node_actor(), item_id)
    waits = item_id is None or (_stands(tx, item_id) and bool(_lacking(tx, item_id)))
    entry = {
        "id": new_id("shr"),
        "about_kind": kind,
        "about_id": about_id,
        "state": "waiting" if waits else _settled(tx, item_id),
        "raised_at": tx.now,
        "settled_at": None if waits else tx.now,
        **lesson,
    }
    if not share_store.enter(tx, entry) or not waits:
        return None
    events.emit(tx, "share.waiting", entry["id"], about=kind, item=item_id)
    return str(entry["id"])


def _settled(tx: Transaction, item_id: str | None) -> str:
    """How something stands that needs nobody: it went, or no agreement lets anybody get it."""
    return "sent" if item_id and copy_store.copies(tx, item_id) else "kept"


def _stands(tx: Transaction, item_id: str) -> bool:
    """Whether an item can be shared at all: it may have been recalled or have run out meanwhile."""
    row = store.item(tx, item_id)
    return row is not None and row["state"] in (ItemState.CURRENT, ItemState.CORRECTED)


def _overtake(tx: Transaction, unit_id: str) -> None:
    """What was found tells more than that somebody looked: a pick waits to be worded no longer."""
    for row in share_store.waiting_as(tx, ItemKind.ALERT.value, ""):
        if row["about_kind"] == "pick" and row["unit_id"] == unit_id:
            _settle(tx, row, "overtaken", None)


# -- what is made of what was learned --------------------------------------------------------


def _of_pick(tx: Transaction, _node: str, hold_id: str) -> dict[str, Any]:
    """A pick that two persons hold: whoever knows why words the lookout."""
    row = cases.hold(tx, scope(node_actor(), Permission.HOLD_READ), hold_id)
    return _lesson(row, ItemKind.ALERT)


def _of_inspection(tx: Transaction, node: str, inspection_id: str) -> dict[str, Any] | None:
    """A result: for the chain that asked for it, or a finding worth telling.

    A seizure is told once it has its number; that nothing was found is told to whoever asked.
    """
    row = cases.inspection(tx, scope(node_actor(), Permission.INSPECTION_READ), inspection_id)
    _overtake(tx, row["unit_id"])
    container = cases.container_of(tx, row["unit_id"])
    open_ = (ChainState.CUED, ChainState.ACCEPTED)
    if container and any(
        one["ours"] and one["state"] in open_ for one in partner_store.chains_of(tx, container)
    ):
        return _lesson(row, ItemKind.INSPECTION_RESULT)
    if row["result"] not in IRREGULAR or row["result"] == Result.SEIZURE:
        return None
    return _lesson(row, ItemKind.SIGHTING, _made(lambda: _sighting(tx, node, row)))


def _sighting(tx: Transaction, node: str, row: RowMapping) -> str:
    made = draft.of_unit(tx, node_actor(), row["unit_id"], ItemKind.SIGHTING)
    body = {
        **made.body,
        "seen_at": isoformat(row["done_at"].replace(microsecond=0)),
        "means": _MEANS.get(row["control_type"], "officer"),
    }
    return items.draft(tx, node_actor(), node, made.kind, body, asking.MARKING).id


def _of_seizure(tx: Transaction, node: str, number: str) -> dict[str, Any] | None:
    row = partner_store.seizure_row(tx, number)
    if row is None or not row["own"]:
        return None
    made = _made(lambda: asking.seizure(tx, node_actor(), node, number))
    return _lesson(row, ItemKind.SEIZURE, made)


def _made(draft: Callable[[], str]) -> str | None:
    """Draft an item, or nothing where too little is known for one: then a person words it."""
    try:
        return draft()
    except Invalid:
        return None


def _of_request(tx: Transaction, _node: str, request_id: str) -> dict[str, Any] | None:
    """What a partner answered stays the partner's: it goes on as far as its terms let it."""
    row = partner_store.request_of_item(tx, request_id)
    if row is None or row["incoming"] or row["answer_item"] is None:
        return None
    return _lesson({}, ItemKind.ANSWER, row["answer_item"])


def _of_stopped(tx: Transaction, _node: str, envelope_id: str) -> dict[str, Any] | None:
    """What was stopped before it left, since its agreement was amended: it goes again by whoever
    sent it, the node or a person. A correction follows anew by itself (``follow``)."""
    sent = post_store.by_id(tx, envelope_id)
    row = store.item(tx, sent["item_id"]) if sent else None
    if sent is None or row is None or row["state"] != ItemState.CURRENT or sent["body"] is None:
        return None
    if row["kind"] in (ItemKind.CORRECTION, ItemKind.RECALL):
        return None
    by_itself = inbox.opened(tx, envelope_id).envelope.asked.mode is Mode.AUTOMATIC
    return _lesson({}, ItemKind(row["kind"]), row["id"], by_itself=by_itself)


def _lesson(
    row: Mapping[str, Any] | RowMapping,
    kind: ItemKind,
    item: str | None = None,
    *,
    by_itself: bool = True,
) -> dict[str, Any]:
    place = {name: row.get(name) for name in ("unit_id", "office", "terminal")}
    return {**place, "item_id": item, "item_kind": kind.value, "by_itself": by_itself}


_LESSONS = {
    "pick": _of_pick,
    "inspection": _of_inspection,
    "seizure": _of_seizure,
    "request": _of_request,
    "stopped": _of_stopped,
}


# -- who would get more by a person's hand ---------------------------------------------------


def _lacking(tx: Transaction, item_id: str) -> list[str]:
    """Return the partners that a person could send something of an item that they lack."""
    me = key_store.myself(tx)
    known = shareable(tx, node_actor(), item_id)
    trusted = sorted(one.code for one in partners.directory(tx, node_actor()) if one.trusted)
    return [code for code in trusted if me and _lacks(tx, known, me["node"], code)]


def _lacks(tx: Transaction, known: Shareable, node: str, code: str) -> bool:
    if code == known.item.originator:
        return False
    _, has = went.last(tx, known.item.id, code)
    for purpose in share.FOR_WORK:
        for mode in (Mode.SPONTANEOUS, Mode.ON_REQUEST):
            decision = share.decided(tx, known, Asked(node, code, purpose, mode))
            if any(path not in has for path in _going(decision)):
                return True
    return False


def _going(decision: Decision) -> Sequence[str]:
    """The paths that may go, or would if a person stated that a condition is met."""
    stated = [path for path, one in decision.withheld.items() if one.code == "condition_missing"]
    return [*decision.released, *stated]


# -- by a person's hand ----------------------------------------------------------------------


def keep(tx: Transaction, actor: Actor, entry_id: str) -> None:
    """Decide that nothing more of it is shared; a person's act."""
    row = _entry(tx, actor, entry_id)
    _settle(tx, row, "kept", actor.id)
    audit.record(tx, actor.id, "share.keep", "to_share", entry_id, agency=actor.agency,
                 about=row["about_kind"], item=row["item_id"])  # fmt: skip


def word(tx: Transaction, actor: Actor, entry_id: str, item_id: str) -> None:
    """Say which item a person drafted to tell of it: once that is sent, it waits no longer."""
    row = _entry(tx, actor, entry_id)
    item = store.item(tx, item_id)
    if row["item_id"] is not None or item is None or not item["own"]:
        raise Conflict("entry_worded", "it is told by another item", entry=entry_id)
    share_store.change(tx, entry_id, item_id=item_id)
    audit.record(tx, actor.id, "share.word", "to_share", entry_id, agency=actor.agency,
                 item=item_id)  # fmt: skip


def _entry(tx: Transaction, actor: Actor, entry_id: str) -> RowMapping:
    tx.lock([entry_id])
    row = share_store.entry(tx, scope(actor, Permission.ITEM_READ), entry_id)
    place = {"office": row["office"], "terminal": row["terminal"]}
    check(tx, actor, Permission.ITEM_SEND, object_id=entry_id, **place)
    if row["state"] != "waiting":
        raise Conflict("state_forbids", f"it is {row['state']}", entry=entry_id)
    return row


def settle_sent(tx: Transaction, event: Event) -> None:
    """A person sent an item: what it tells of waits no longer. A reaction to ``item.sent``.

    An item that somebody drafted about the box of an entry, of the kind that tells of it, is that.
    """
    item = store.item(tx, event.object_id)
    if item is None or event.payload["mode"] == Mode.AUTOMATIC:
        return
    rows = share_store.waiting_as(tx, item["kind"], event.object_id)
    named: set[str] = set()
    if item["own"] and any(row["item_id"] is None for row in rows):
        copy = store.copies_of(tx, event.object_id)[-1]
        held = objects_of(keeping.load(tx, copy))
        named = {value for kind, value in held if kind is ObjectKind.CONTAINER}
    for row in rows:
        if row["item_id"] or cases.container_of(tx, row["unit_id"]) in named:
            _settle(tx, row, "sent", None)


def _settle(tx: Transaction, row: RowMapping, state: str, by: str | None) -> None:
    share_store.change(tx, row["id"], state=state, settled_at=tx.now, settled_by=by)
    events.emit(tx, f"share.{state}", row["id"], item=row["item_id"])
