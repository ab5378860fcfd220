"""What a partner may call, and what each call does."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import orjson

from isthmus.access.model import Purpose
from isthmus.exchange import epochs, inbox, outgoing, post_store, receipts
from isthmus.exchange.issue import decode, encode
from isthmus.exchange.model import BATCH, Direction, Lane
from isthmus.exchange.order import Order
from isthmus.exchange.policy import Policy
from isthmus.exchange.proof import witness
from isthmus.exchange.questions.askable import Askable, Nothing
from isthmus.exchange.questions.blind import Desk
from isthmus.exchange.trust import identity, partners, shape
from isthmus.exchange.trust.request import Rate
from isthmus.exchange.verifiers import Verifiers
from isthmus.kernel.canonical import canonical
from isthmus.kernel.errors import Invalid, IsthmusError
from isthmus.platform import audit
from isthmus.platform.database import Database
from isthmus.platform.transaction import Transaction

LONGEST_WAIT = 25.0
LANES = tuple(Lane)
NOTHING = Nothing()
# Receipts for a resynchronising sender, at a time.
RESYNC = 2_000


@dataclass(frozen=True, slots=True)
class Act:
    """One call: which line of work it stands in, and what it does with sender and body."""

    line: str  # flash, bulk, wait
    run: Callable[[str, bytes], bytes]


class Calls:
    """The calls of one node."""

    def __init__(self, database: Database, policy: Policy, askable: Askable = NOTHING) -> None:
        self.database, self.policy = database, policy
        self.desk = Desk(askable, time.monotonic)
        bulk = inbox.Reception(Verifiers(), Order(), Rate(), threading.Lock())
        # A flash waits for nobody who reads a backlog.
        flash = replace(bulk, reading=nullcontext())
        self.verifiers = bulk.verifiers
        self.stopping = False
        self._acts: dict[str, Act] = {
            f"/exchange/envelopes/{lane.value}": Act("bulk", partial(self._envelopes, bulk))
            for lane in LANES
        }
        self._acts["/exchange/envelopes/flash"] = Act("flash", partial(self._envelopes, flash))
        self._acts |= {
            "/exchange/receipts": Act("flash", self._receipts),
            "/exchange/heads": Act("bulk", self._heads),
            "/exchange/poll": Act("wait", self._poll),
            "/exchange/checkpoints": Act("bulk", self._checkpoints),
            "/exchange/card": Act("bulk", self._card),
            "/exchange/epoch": Act("bulk", self._epoch),
            "/exchange/blind/set": Act("bulk", self._blind_set),
            "/exchange/blind/ask": Act("bulk", self._blind_ask),
        }

    def act(self, path: str) -> Act | None:
        """Return what a path does."""
        return self._acts.get(path)

    def _envelopes(self, reception: inbox.Reception, sender: str, body: bytes) -> bytes:
        return _told(inbox.receive(self.database, self.policy, sender, _lines(body), reception))

    def _receipts(self, sender: str, body: bytes) -> bytes:
        raws = _lines(body)

        def work(tx: Transaction) -> int:
            partners.trusted(tx, sender)
            keys = partners.keys_of(tx, sender)
            return sum(receipts.take(tx, sender, receipts.read(raw, keys)) for raw in raws)

        return orjson.dumps({"settled": self.database.write(work)})

    def _heads(self, sender: str, body: bytes) -> bytes:
        """Tell a sender where the chains from it end, with receipts for what it does not know."""
        asked = _object(body)
        shape.check(asked, {"lane": str, "after": int}, "the call")
        lane = _lane(asked["lane"])

        def work(tx: Transaction) -> bytes:
            partner = partners.trusted(tx, sender)
            head = inbox.head_of(tx, partner, lane)
            last = min(head.sequence, asked["after"] + RESYNC)
            rows = post_store.span(
                tx, Direction.IN.value, sender, lane.value, head.epoch, asked["after"], last
            )
            lines = [inbox.line_of(row) for row in rows]
            told = []
            for start in range(0, len(lines), BATCH):
                part = lines[start : start + BATCH]
                told.append(receipts.write(tx, sender, lane.value, head.epoch, part)[1])
            return _joined({"head": head.plain(), "complete": last == head.sequence}, told)

        return self.database.write(work)

    def _poll(self, sender: str, body: bytes) -> bytes:
        """Hand what waits to a node that only dials out; wait a while when there is nothing.

        Envelopes wait until their receipt comes, receipts until the next call says that it got
        them: told twice is no harm.
        """
        asked = _object(body)
        shape.check(asked, {"wait": int, "got": [str]}, "the call")
        self.database.read(lambda tx: partners.trusted(tx, sender))
        if asked["got"]:
            got = [shape.digest({"got": one}, "got") for one in asked["got"][:BATCH]]
            self.database.write(lambda tx: post_store.mark_got(tx, sender, got))
        end = time.monotonic() + min(float(asked["wait"]), LONGEST_WAIT)
        while True:
            found = outgoing.ready(self.database, self.policy, sender, LANES)
            waiting = self.database.read(lambda tx: post_store.unsent(tx, sender))
            if found is not None or waiting or time.monotonic() > end or self.stopping:
                break
            time.sleep(0.05)
        if found is None and not waiting:
            return b""
        parcels = found.parcels if found else []
        told = {
            "envelopes": [orjson.Fragment(one.raw) for one in parcels],
            "receipts": [orjson.Fragment(row["body"]) for row in waiting],
        }
        return orjson.dumps(told)

    def _checkpoints(self, sender: str, body: bytes) -> bytes:
        asked = _object(body)
        return orjson.dumps(self.database.write(lambda tx: witness.asked_by(tx, sender, asked)))

    def _epoch(self, sender: str, body: bytes) -> bytes:
        statement, more, place = body.partition(b"\n")
        after = _object(place) if more else None
        return orjson.dumps(
            self.database.write(lambda tx: epochs.take(tx, sender, statement, after))
        )

    def _blind_set(self, sender: str, body: bytes) -> bytes:
        """Prepare the set that a partner may ask about blindly for a purpose."""
        asked = _object(body)
        shape.check(asked, {"purpose": str}, "the call")
        try:
            purpose = Purpose(asked["purpose"])
        except ValueError:
            raise Invalid("purpose_unknown", "no such purpose") from None
        with self._noted(sender):
            held = self.database.read(lambda tx: self.desk.held(tx, sender, purpose))
            ticket, setup = self.desk.prepare(held)
        return orjson.dumps({"ticket": ticket, "setup": encode(setup)})

    def _blind_ask(self, sender: str, body: bytes) -> bytes:
        asked = _object(body)
        shape.check(asked, {"ticket": str, "request": str}, "the call")
        request = decode(asked["request"])
        with self._noted(sender):
            answer = self.database.write(
                lambda tx: self.desk.answer(tx, sender, asked["ticket"], request)
            )
        return orjson.dumps({"response": encode(answer)})

    @contextmanager
    def _noted(self, sender: str) -> Iterator[None]:
        """Put a blind question that is refused on record; one that is answered is there anyway."""
        try:
            yield
        except IsthmusError as error:
            code = error.code
            self.database.write(
                lambda tx: audit.record(tx, "node", "blind.refused", "partner", sender, code=code)
            )
            raise

    def _card(self, sender: str, body: bytes) -> bytes:
        """Take a partner's card (its next key) and show this node's own."""
        if body:
            card = identity.read_card(body)
            if card.node != sender:
                raise Invalid("card_wrong", "not the sender's own card", node=card.node)
            self.database.write(lambda tx: partners.rotated(tx, body))
        return self.database.read(identity.card)


def _lines(body: bytes) -> list[bytes]:
    raws = body.split(b"\n") if body else []
    if len(raws) > BATCH:
        raise Invalid("batch_too_long", f"more than {BATCH} in one call", given=len(raws))
    return raws


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        held = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Invalid("call_malformed", "not JSON") from None
    if not isinstance(held, dict):
        raise Invalid("call_malformed", "no object")
    return held


def _lane(text: str) -> Lane:
    try:
        return Lane(text)
    except ValueError:
        raise Invalid("lane_unknown", "no such lane", lane=text[:40]) from None


def _told(answer: inbox.Answer) -> bytes:
    return _joined({"refused": answer.refused, "heads": answer.heads}, answer.receipts)


def _joined(told: dict[str, Any], raws: list[bytes]) -> bytes:
    """Write an answer; receipts stand in it in the very bytes that were signed."""
    return orjson.dumps({**told, "receipts": [orjson.Fragment(raw) for raw in raws]})


def receipts_in(answer: Any) -> list[bytes]:
    """Return the receipts of an answer as they were signed."""
    held = answer.get("receipts") if isinstance(answer, dict) else None
    if not isinstance(held, list):
        raise Invalid("answer_malformed", "the partner's answer holds no receipts")
    return [canonical(one) for one in held]
