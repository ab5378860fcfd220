"""Dispatch: lines of work that bring what waits to the partners, oldest first, flash first.

Each partner has two lines, each with connections of its own: one for flash, one for everything
else, so that a catch-up of any length never stands before a flash. A line wakes when a commit
brought work, and looks by itself once a second. A long backlog goes as one flow (``backlog``).
When a partner is away a line waits longer each time.
"""

import random
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import orjson

from isthmus.exchange import backlog, epochs, inbox, outbox, outgoing, post_store, receipts
from isthmus.exchange.calls import receipts_in
from isthmus.exchange.connection import Connection
from isthmus.exchange.model import Head, Lane
from isthmus.exchange.outgoing import Batch
from isthmus.exchange.policy import Policy
from isthmus.exchange.proof import witness
from isthmus.exchange.trust import identity, partners, shape
from isthmus.exchange.trust.signing import Signer
from isthmus.kernel.canonical import canonical
from isthmus.kernel.errors import Invalid, IsthmusError, Unavailable
from isthmus.platform import telemetry
from isthmus.platform.database import Database
from isthmus.platform.transaction import Transaction

FLASH = (Lane.FLASH,)
REST = (Lane.IMMEDIATE, Lane.ROUTINE)
POLL = 1.0
LONGEST = {FLASH: 5.0, REST: 60.0}  # seconds between two tries when the partner is away
WITNESS_EVERY = 30.0
POLL_WAIT = 20

# A refusal that says the two sides see the chain differently; anything else is about the envelope.
CHAIN = frozenset({"sequence_gap", "sequence_taken", "chain_forked", "epoch_closed"})
LATER = frozenset({"clock_skew"})

_log = telemetry.log("exchange.dispatch")

Dial = Callable[[str, str], Connection]


class Line:
    """Brings the envelopes of some lanes to one partner."""

    def __init__(
        self,
        database: Database,
        policy: Policy,
        partner: str,
        lanes: tuple[Lane, ...],
        dial: Dial,
    ) -> None:
        self.database, self.policy, self.partner, self.lanes = database, policy, partner, lanes
        self.dial = dial
        self.stopping = threading.Event()
        self._called = threading.Event()
        self._connection: Connection | None = None
        self._more: list[Connection] = []  # for a backlog
        self._own: Signer
        self._thread = threading.Thread(
            target=self._run, name=f"line-{partner}-{lanes[0].value}", daemon=True
        )

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def call(self) -> None:
        """Have the line look at once."""
        self._called.set()

    def stop(self) -> None:
        """Finish what is under way and end."""
        self.stopping.set()
        self._called.set()

    def join(self, timeout: float) -> None:
        """Wait for the end."""
        self._thread.join(timeout)
        self._hang_up()

    def _hang_up(self) -> None:
        for one in (self._connection, *self._more):
            if one is not None:
                one.close()

    def _run(self) -> None:
        wait = 0.0
        while not self.stopping.is_set():
            self._called.clear()
            try:
                if self.turn():
                    wait = 0.0
                    continue
                wait = 0.0
            except IsthmusError as error:  # away, refusing, or our own database: try again later
                wait = min(LONGEST.get(self.lanes, 60.0), max(0.2, wait * 2))
                _log.info("line_waits", partner=self.partner, code=error.code, seconds=wait)
            except Exception as error:  # noqa: BLE001 - whatever an answer provokes, the line stands
                wait = min(60.0, max(1.0, wait * 2))
                _log.error("line_failed", partner=self.partner, exc_info=error)
            if wait:
                self.stopping.wait(wait * random.uniform(0.8, 1.2))  # noqa: S311 - spreads load
            else:
                self._called.wait(POLL)

    def turn(self) -> bool:
        """Send one batch and what goes with it; false when nothing waits."""
        if not self._reachable():
            return False
        found = outgoing.ready(self.database, self.policy, self.partner, self.lanes)
        if found is not None and found.full:
            self._flow(found)
        elif found is not None:
            told = self._send(self.connection, found)
            self._settle(told)
            self._refused(backlog.Refused(found, told.get("refused", [])))
        sent = found is not None
        if Lane.FLASH not in self.lanes or not sent:
            sent = self._send_receipts() or sent
        return sent

    def _reachable(self) -> bool:
        def work(tx: Transaction) -> tuple[str, Signer]:
            row = partners.partner(tx, self.partner)
            return row.address if row.trusted else "", identity.signer(tx)

        address, self._own = self.database.read(work)
        if not address:
            return False
        if self._connection is None or self._connection.address != address:
            self._hang_up()
            self._connection = self.dial(self.partner, address)
            self._more = []
        return True

    @property
    def connection(self) -> Connection:
        """The connection, once the partner is known to be reachable."""
        if self._connection is None:
            raise Unavailable("partner_away", "no connection", partner=self.partner)
        return self._connection

    def _send(self, connection: Connection, batch: Batch) -> dict[str, Any]:
        body = b"\n".join(one.raw for one in batch.parcels)
        return _object(connection.post(self._own, f"/exchange/envelopes/{batch.lane.value}", body))

    def _settle(self, told: Mapping[str, Any]) -> None:
        settle(self.database, self.partner, receipts_in(told))

    def _flow(self, first: Batch) -> None:
        """Send a backlog, a few batches at a time."""
        while len(self._more) < backlog.WIRES - 1:
            self._more.append(self.dial(self.partner, self.connection.address))
        wires = [partial(self._send, one) for one in (self.connection, *self._more)]
        refused = backlog.send(first, self._ahead, self._leaves, wires, self._settle)
        if refused is not None:
            self._refused(refused)

    def _ahead(self, after: Mapping[Lane, int]) -> Batch | None:
        if self.stopping.is_set():
            return None
        return outgoing.ahead(self.database, self.partner, self.lanes, after)

    def _leaves(self, batch: Batch) -> bool:
        return outgoing.leaves(self.database, self.policy, self.partner, batch)

    def _refused(self, told: backlog.Refused) -> None:
        """Go on after refusals: drop what is wrong by itself, else agree on the chain again."""
        lane, parcels, refused = told.batch.lane, told.batch.parcels, told.refused
        if not refused:
            return
        own: dict[str, str] = {}
        codes = set()
        for one in refused:
            shape.check(one, {"index": int, "code": str}, "the refusal")
            codes.add(one["code"])
            if one["code"] not in CHAIN | LATER | {"epoch_unknown"} and one["index"] < len(parcels):
                own[parcels[one["index"]].id] = one["code"]
        _log.warning("envelopes_refused", partner=self.partner, codes=sorted(codes))
        if own:
            self.database.write(lambda tx: outbox.stop(tx, self.partner, lane, own))
        elif "epoch_unknown" in codes:
            self._tell_epoch()
        elif codes & CHAIN:
            self.agree(lane)
        else:
            raise Unavailable("partner_later", "the partner takes it later", partner=self.partner)

    def agree(self, lane: Lane) -> None:
        """Learn where the partner sees the end of the chain, and go on from there."""
        while True:
            known = self.database.read(lambda tx: outbox.acknowledged(tx, self.partner, lane))
            asked = {"lane": lane.value, "after": known.sequence}
            told = self.connection.ask(self._own, "/exchange/heads", asked)
            settle(self.database, self.partner, receipts_in(told))
            if told.get("complete") is not False:
                break
        head = told["head"]
        shape.check(head, {"epoch": int, "sequence": int, "hash": str}, "the head")
        found = Head(head["epoch"], head["sequence"], shape.digest(head, "hash"))
        self.database.write(lambda tx: epochs.go_on(tx, self.partner, lane, found))

    def _tell_epoch(self) -> None:
        statement = self.database.read(lambda tx: bytes(identity.me(tx)["statement"]))
        body = statement
        while True:
            told = _object(self.connection.post(self._own, "/exchange/epoch", body))
            epochs.resynchronise(self.database, self.policy, self.partner, told)
            if told.get("next") is None:
                break
            body = statement + b"\n" + canonical(told["next"])

    def _send_receipts(self) -> bool:
        rows = self.database.read(lambda tx: post_store.unsent(tx, self.partner))
        if not rows:
            return False
        body = b"\n".join(row["body"] for row in rows)
        self.connection.post(self._own, "/exchange/receipts", body)
        self.database.write(lambda tx: post_store.mark_sent(tx, [row["id"] for row in rows]))
        return True


class Witness(Line):
    """Exchanges checkpoints and cards with one partner from time to time."""

    def turn(self) -> bool:
        """Ask once, then wait."""
        if self._reachable():
            ask = self.database.read(lambda tx: witness.question(tx, self.partner))
            told = self.connection.ask(self._own, "/exchange/checkpoints", ask)
            self.database.write(lambda tx: witness.take(tx, self.partner, told))
            self._show_card()
            self.connection.close()  # seldom used: not kept open
        self.stopping.wait(WITNESS_EVERY)
        return False

    def _show_card(self) -> None:
        """Show the next key, and learn the partner's."""
        mine = self.database.read(lambda tx: identity.card(tx) if identity.rotating(tx) else b"")
        theirs = self.connection.post(self._own, "/exchange/card", mine)
        fingerprint = identity.read_card(theirs).signing_fingerprint
        known = self.database.read(lambda tx: partners.partner(tx, self.partner).signing)
        if fingerprint != known:
            self.database.write(lambda tx: partners.rotated(tx, theirs))


class Poll(Line):
    """Fetches what a partner has for a node that nobody can dial."""

    _got: tuple[str, ...] = ()

    def turn(self) -> bool:
        """Ask once; the partner answers when there is something, or after a while."""
        if not self._reachable():
            return False
        asked = {"wait": POLL_WAIT, "got": list(self._got)}
        told = self.connection.ask(self._own, "/exchange/poll", asked, POLL_WAIT + 20.0)
        if told is None:
            self._got = ()
            return True
        came = receipts_in(told)
        settle(self.database, self.partner, came)
        self._got = tuple(receipts.hash_of(raw).hex() for raw in came)
        raws = [canonical(one) for one in told["envelopes"]]
        if raws:
            answer = inbox.receive(self.database, self.policy, self.partner, raws)
            if answer.receipts:
                body = b"\n".join(answer.receipts)
                self.connection.post(self._own, "/exchange/receipts", body)
        return True


def settle(database: Database, partner: str, raws: Sequence[bytes]) -> None:
    """Check a partner's receipts and note what they say."""

    def work(tx: Transaction) -> None:
        keys = partners.keys_of(tx, partner)
        for raw in raws:
            receipts.take(tx, partner, receipts.read(raw, keys))

    if raws:
        database.write(work)


def _object(raw: bytes) -> dict[str, Any]:
    try:
        held = orjson.loads(raw)
    except orjson.JSONDecodeError:
        held = None
    if not isinstance(held, dict):
        raise Invalid("answer_malformed", "the partner's answer is no object")
    return held
