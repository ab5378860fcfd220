"""Receipts: what the receiver signs about envelopes of one lane, and where its ledger stood then.

One receipt may speak of a whole run of envelopes; it names each by sequence and hash, with the
outcome. That an item was opened by a person, or used, or that a recall was acted on, are receipts
of their own.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from isthmus.exchange import copy_store, post_store
from isthmus.exchange.model import EnvelopeState, ReceiptKind
from isthmus.exchange.proof import ledger
from isthmus.exchange.tables import Row
from isthmus.exchange.trust import identity, shape, signing
from isthmus.exchange.trust.signing import Keys, Statement
from isthmus.kernel.errors import Denied, Invalid, NotFound
from isthmus.kernel.ids import new_id
from isthmus.kernel.time import isoformat
from isthmus.platform import events
from isthmus.platform.transaction import Transaction

KIND = "receipt"
_SHAPE = {"from": str, "to": str, "about": str, "at": str, "lane": str, "epoch": int,
          "envelopes": [dict], "ledger": dict}  # fmt: skip
_LINE = {"sequence": int, "hash": str, "outcome": str, "code": str}
_LEDGER = {"epoch": int, "size": int, "root": str}
OUTCOMES = {
    "delivered": EnvelopeState.DELIVERED,
    "held": EnvelopeState.HELD,
    "refused": EnvelopeState.REFUSED,
}


DONE = "done"  # opened or used, and nothing besides: other outcomes are steps of what was asked


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one envelope."""

    sequence: int
    hash: bytes
    outcome: str
    code: str = ""

    def plain(self) -> dict[str, Any]:
        """Return the line as it is signed."""
        return {
            "sequence": self.sequence,
            "hash": self.hash.hex(),
            "outcome": self.outcome,
            "code": self.code,
        }


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt as it was read."""

    sender: str  # who signs it
    recipient: str
    about: ReceiptKind
    at: datetime
    lane: str
    epoch: int
    lines: tuple[Line, ...]
    statement: Statement


def write(
    tx: Transaction,
    partner: str,
    lane: str,
    epoch: int,
    lines: Sequence[Line],
    about: ReceiptKind = ReceiptKind.DELIVERED,
    *,
    sent: bool = True,
) -> tuple[str, bytes]:
    """Sign a receipt for a partner, keep it, enter it in the ledger; return its id and bytes."""
    own = identity.signer(tx)
    said = {
        "from": own.node,
        "to": partner,
        "about": about.value,
        "at": isoformat(tx.now),
        "lane": lane,
        "epoch": epoch,
        "envelopes": [line.plain() for line in lines],
        "ledger": ledger.position(tx, own.node),
    }
    statement = signing.parse(signing.sign(own, KIND, said), KIND)
    return _keep(tx, "out", partner, about, statement, sent=sent), statement.raw


def _keep(
    tx: Transaction,
    direction: str,
    partner: str,
    about: ReceiptKind,
    statement: Statement,
    *,
    sent: bool,
) -> str:
    salt = secrets.token_bytes(16)
    receipt_id = new_id("rcp")
    row = {
        "id": receipt_id,
        "direction": direction,
        "partner": partner,
        "kind": about.value,
        "hash": statement.hash,
        "salt": salt,
        "body": statement.raw,
        "at": tx.now,
        "sent": sent,
    }
    if not post_store.insert_receipt(tx, row):
        known = post_store.receipt_by_hash(tx, statement.hash)
        return str(known["id"]) if known else receipt_id
    ledger.append(tx, [ledger.entry(KIND, receipt_id, salt, statement.hash, tx)])
    if not sent:
        tx.after_commit(tx.wake)
    return receipt_id


def read(raw: bytes, keys: Keys) -> Receipt:
    """Read a receipt and verify its signature."""
    statement = signing.parse(raw, KIND)
    said = statement.payload
    shape.check(said, _SHAPE, "the receipt")
    shape.check(said["ledger"], _LEDGER, "the ledger's position")
    shape.digest(said["ledger"], "root")
    signing.verify(statement, keys)
    lines = []
    for one in said["envelopes"]:
        shape.check(one, _LINE, "the receipt's line")
        lines.append(Line(one["sequence"], shape.digest(one, "hash"), one["outcome"], one["code"]))
    try:
        about = ReceiptKind(said["about"])
    except ValueError:
        raise Invalid("member_wrong", "no such kind of receipt", member="about") from None
    return Receipt(
        said["from"], said["to"], about, shape.moment(said, "at"), said["lane"], said["epoch"],
        tuple(lines), statement,
    )  # fmt: skip


def take(tx: Transaction, partner: str, receipt: Receipt) -> int:
    """Note what a partner's receipt says; return how many envelopes it settled anew.

    A receipt may name what an envelope was before it was sealed anew: then that is what the
    partner has, and it is put back as the envelope. The same receipt twice changes nothing.
    """
    own = identity.me(tx)["node"]
    if (receipt.sender, receipt.recipient) != (partner, own):
        raise Denied("receipt_misdirected", "not from this partner to this node")
    known = post_store.by_hash(tx, [line.hash for line in receipt.lines])
    unknown = [line for line in receipt.lines if line.hash not in known]
    if unknown:
        raise Denied("receipt_unknown", "a receipt names an envelope this node did not send",
                     sequence=unknown[0].sequence)  # fmt: skip
    receipt_id = _keep(tx, "in", partner, receipt.about, receipt.statement, sent=True)
    if receipt.about is not ReceiptKind.DELIVERED:
        for line in receipt.lines:
            _told(tx, partner, receipt, line, known[line.hash])
        return 0
    settled = []
    for line in receipt.lines:
        row = known[line.hash]
        if row["partner"] != partner or line.outcome not in OUTCOMES:
            raise Denied("receipt_unknown", "the receipt is about another's envelope")
        state = OUTCOMES[line.outcome].value
        if row["state"] == state:
            continue
        if row["hash"] != line.hash:
            _put_back(tx, row, line, receipt.epoch)
        settled.append(
            {"id_": row["id"], "state_": state, "code_": line.code or None, "receipt_": receipt_id}
        )
        if row["state"] != "waiting" or state != "delivered":
            events.emit(tx, f"envelope.{state}", row["id"], partner=partner, code=line.code)
    post_store.settle(tx, settled)
    return len(settled)


def _told(tx: Transaction, partner: str, receipt: Receipt, line: Line, row: Row) -> None:
    """A later receipt: opened, used, or acted on a recall or correction."""
    if row["partner"] != partner:
        raise Denied("receipt_unknown", "the receipt is about another's envelope")
    if receipt.about is ReceiptKind.ACTED:
        copy_store.acted(tx, partner, row["item_id"], line.outcome, line.code)
    elif line.outcome == DONE and row[f"{receipt.about.value}_at"] is None:
        post_store.change(tx, row["id"], **{f"{receipt.about.value}_at": receipt.at})
    events.emit(
        tx,
        f"envelope.{receipt.about.value}",
        row["id"],
        partner=partner,
        outcome=line.outcome,
        code=line.code,
    )


def _put_back(tx: Transaction, row: Row, line: Line, epoch: int) -> None:
    earlier = post_store.earlier(tx, line.hash)
    if earlier is None:
        raise NotFound("envelope_earlier_missing", "what was sent before is not kept")
    post_store.make_room(tx, row, epoch, line.sequence)
    post_store.change(
        tx,
        row["id"],
        hash=line.hash,
        sequence=line.sequence,
        epoch=epoch,
        salt=earlier["salt"],
        wrapped=earlier["wrapped"],
        body=earlier["body"],
    )


def tell(tx: Transaction, envelope_id: str, about: ReceiptKind, outcome: str = DONE,
         code: str = "") -> str:  # fmt: skip
    """Tell the sender that an item was opened or used, or what became of a recall."""
    row = post_store.by_id(tx, envelope_id)
    if row is None or row["direction"] != "in":
        raise NotFound("envelope_unknown", "no such envelope was received", envelope=envelope_id)
    line = Line(row["sequence"], row["hash"], outcome, code)
    receipt_id, _ = write(tx, row["partner"], row["lane"], row["epoch"], [line], about, sent=False)
    return receipt_id


def hash_of(raw: bytes) -> bytes:
    """Return the hash of a receipt as it was signed."""
    return sha256(raw).digest()
