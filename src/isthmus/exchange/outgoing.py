"""What may leave now: the second decision, made when an envelope is about to be sent.

In a backlog the next batch is read while others are on their way, and decided when it leaves: what
was suspended meanwhile stops it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from isthmus.exchange import envelope, outbox, post_store, vault
from isthmus.exchange.envelope import Opened
from isthmus.exchange.model import BATCH, BATCH_BYTES, Lane
from isthmus.exchange.policy import HELD, PASS, Policy
from isthmus.exchange.tables import Row
from isthmus.exchange.trust import partners
from isthmus.kernel.errors import IsthmusError
from isthmus.platform.database import Database
from isthmus.platform.transaction import Transaction

NOWHERE: Mapping[Lane, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Parcel:
    """An envelope that is to leave: its id and bytes, and whether it has its place in the chain."""

    id: str
    raw: bytes
    placed: bool
    seq: int  # its row in the outbox
    expires_at: datetime | None
    opened: Opened


@dataclass(frozen=True, slots=True)
class Batch:
    """The next envelopes of one lane; what may not leave any more, or not yet (id → code)."""

    lane: Lane
    parcels: list[Parcel] = field(default_factory=list)
    stopped: dict[str, str] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    full: bool = False  # so much waits that another batch follows

    @property
    def clean(self) -> bool:
        """Whether it can leave as it is."""
        taken_out = self.stopped or self.held
        return bool(self.parcels) and not taken_out and all(one.placed for one in self.parcels)


def ready(
    database: Database,
    policy: Policy,
    partner: str,
    lanes: Sequence[Lane],
    most: int = BATCH,
    most_bytes: int = BATCH_BYTES,
) -> Batch | None:
    """Return the next batch for a partner on the first of these lanes where something waits.

    What the agreements no longer permit, or whose time is over, is stopped first; what the two
    sides do not agree on is held.
    """
    while True:
        found = database.read(
            lambda tx: _decided(tx, policy, _look(tx, partner, lanes, most, most_bytes))
        )
        if found is None or found.clean:
            return found
        database.write(lambda tx, batch=found: _prepare(tx, partner, batch, most))  # type: ignore[misc]


def _prepare(tx: Transaction, partner: str, batch: Batch, most: int) -> None:
    if batch.stopped:
        outbox.stop(tx, partner, batch.lane, batch.stopped)
    if batch.held:
        outbox.hold(tx, partner, batch.lane, batch.held)
    if not batch.stopped and not batch.held:
        outbox.place(tx, partner, batch.lane, most)


def ahead(
    database: Database, partner: str, lanes: Sequence[Lane], after: Mapping[Lane, int]
) -> Batch | None:
    """Return the batch behind those that are under way (``after``: the last row by lane); it is
    not decided yet.

    Nothing when it cannot leave as it is: what is under way comes first then.
    """
    found = database.read(lambda tx: _look(tx, partner, lanes, BATCH, BATCH_BYTES, after))
    return found if found is not None and found.clean else None


def leaves(database: Database, policy: Policy, partner: str, batch: Batch) -> bool:
    """Decide a batch that was read ahead, at the moment when it leaves: all of it or nothing."""

    def work(tx: Transaction) -> bool:
        if not partners.partner(tx, partner).trusted:
            return False
        if post_store.still_waiting(tx, [one.id for one in batch.parcels]) < len(batch.parcels):
            return False
        decided = _decided(tx, policy, batch)
        return decided is not None and decided.clean

    return database.read(work)


def _look(
    tx: Transaction,
    partner: str,
    lanes: Sequence[Lane],
    most: int,
    most_bytes: int,
    after: Mapping[Lane, int] = NOWHERE,
) -> Batch | None:
    if not partners.partner(tx, partner).trusted:
        return None
    for lane in lanes:
        rows = post_store.waiting(tx, partner, lane.value, most, after.get(lane, 0))
        if rows:
            return _batch(tx, lane, rows, most, most_bytes)
    return None


def _batch(tx: Transaction, lane: Lane, rows: Sequence[Row], most: int, most_bytes: int) -> Batch:
    """Read what waits; what is erased or damaged is stopped."""
    parcels: list[Parcel] = []
    stopped: dict[str, str] = {}
    size = 0
    for row in rows:
        try:
            raw = vault.unlock(tx.keys, row["id"], row)
        except IsthmusError as error:
            stopped[row["id"]] = error.code
            continue
        if parcels and size + len(raw) > most_bytes:
            return Batch(lane, parcels, stopped, full=True)
        placed = row["sequence"] is not None
        opened = envelope.reopen(raw)
        parcels.append(Parcel(row["id"], raw, placed, row["seq"], row["expires_at"], opened))
        size += len(raw)
    return Batch(lane, parcels, stopped, full=len(rows) == most)


def _decided(tx: Transaction, policy: Policy, batch: Batch | None) -> Batch | None:
    """Take out of a batch what may not leave any more, or not yet."""
    if batch is None:
        return None
    parcels: list[Parcel] = []
    stopped, held = dict(batch.stopped), dict(batch.held)
    for one in batch.parcels:
        if one.expires_at is not None and one.expires_at <= tx.now:
            stopped[one.id] = "expired"
            continue
        verdict = policy.dispatch(tx, one.opened)
        if verdict.outcome == PASS:
            parcels.append(one)
        else:
            (held if verdict.outcome == HELD else stopped)[one.id] = verdict.code
    return replace(batch, parcels=parcels, stopped=stopped, held=held)
