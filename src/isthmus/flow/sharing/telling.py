"""Telling: what happens to requests, chains and seizures is passed on, here and to the partner.

What an officer does here about what a partner asked goes back as a receipt of its envelope (kind
``used``, the act as its outcome): it needs no clause, for it says nothing but what became of the
partner's own item. What says more is an item, which a person sends. All here are reactions: they
sign a receipt, or ask for the job that does the rest (``together``).
"""

from isthmus.cases import partner_store
from isthmus.exchange import post_store, receipts
from isthmus.exchange.model import ReceiptKind
from isthmus.intelligence import store
from isthmus.intelligence.model import ItemKind
from isthmus.platform import jobs
from isthmus.platform.transaction import Event, Transaction

JOB = "together"
HEEDED = frozenset(
    {
        ItemKind.REQUEST,
        ItemKind.ANSWER,
        ItemKind.FEEDBACK,
        ItemKind.INSPECTION_REQUEST,
        ItemKind.INSPECTION_RESULT,
        ItemKind.SEIZURE,
    }
)


def heed_item(tx: Transaction, event: Event) -> None:
    """An item of a partner was entered: have it take effect. A reaction to ``item.entered``."""
    told = event.payload
    if told["item_kind"] in HEEDED and told["state"] == "current":
        jobs.enqueue(tx, JOB, {"item": event.object_id, "copy": told["copy"]}, key=told["copy"])


def heed_receipt(tx: Transaction, event: Event) -> None:
    """A partner says what became of an item it got. A reaction to ``envelope.used``."""
    row = post_store.by_id(tx, event.object_id)
    act, dot, _ = str(event.payload["outcome"]).partition(".")
    if row is None or not dot or act not in ("request", "chain"):
        return
    told = {
        "item": row["item_id"],
        "partner": event.payload["partner"],
        "outcome": event.payload["outcome"],
        "code": event.payload["code"],
        "envelope": row["id"],
    }
    jobs.enqueue(tx, JOB, told, key=f"{row['id']} {told['outcome']}")


def heed_sent(tx: Transaction, event: Event) -> None:
    """A person sent an own item: it is the act that it is. A reaction to ``item.sent``."""
    row = store.item(tx, event.object_id)
    if row is not None and row["own"] and row["kind"] in HEEDED:
        told = {"sent": event.object_id, **{n: event.payload[n] for n in ("partner", "envelope")}}
        jobs.enqueue(tx, JOB, told, key=event.payload["envelope"])


def tell_request(tx: Transaction, event: Event) -> None:
    """An officer took a step of a request that is no item: tell the partner. A reaction.

    The steps of the node that is asked are told of the request, and its closing of the answer.
    """
    row = partner_store.request_of_item(tx, event.object_id)
    closing = event.kind == "request.closed"
    if row is None or row["incoming"] == closing:
        return
    if closing:
        _tell(tx, row["answer_item"], event.kind, "")
        return
    told = event.payload
    code = told.get("refusal_ground") or ",".join(told.get("lacks", ())) or row["own_case"] or ""
    _tell(tx, row["id"], event.kind, code)


def tell_chain(tx: Transaction, event: Event) -> None:
    """An officer answered a cue, or a box is opened again: tell the partner. A reaction."""
    row = partner_store.chain_row(tx, event.object_id)
    if row is None or (event.kind != "chain.reopened" and not row["ours"]):
        return
    told = event.payload
    code = told.get("decline_reason") or told.get("reason") or ""
    item = row["cue_item"] if row["ours"] else row["result_item"]
    if _tell(tx, item, event.kind, code) and event.kind == "chain.reopened":
        partner_store.change_reopening(tx, told["inspection"], told_at=tx.now)


def _tell(tx: Transaction, item: str | None, outcome: str, code: str) -> bool:
    """Sign a receipt about the envelope that brought an item; false where none brought it."""
    copies = store.copies_of(tx, item) if item else []
    for copy in reversed(copies):
        envelope = str(copy["source"]).partition(">")[0]
        row = post_store.by_id(tx, envelope)
        if row is not None and row["direction"] == "in":
            receipts.tell(tx, envelope, ReceiptKind.USED, outcome, code[:200])
            return True
    return False
