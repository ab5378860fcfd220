"""What may leave now: the second decision, made when an envelope is about to be sent."""

from collections.abc import Sequence
from dataclasses import dataclass

from isthmus.exchange import envelope, outbox, partners, post_store, vault
from isthmus.exchange.model import BATCH, BATCH_BYTES, Lane
from isthmus.exchange.policy import PASS, Policy
from isthmus.kernel.errors import IsthmusError
from isthmus.platform.database import Database
from isthmus.platform.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Parcel:
    """An envelope that leaves: its id and bytes, and whether it has its place in the chain."""

    id: str
    raw: bytes
    placed: bool


def ready(
    database: Database,
    policy: Policy,
    partner: str,
    lanes: Sequence[Lane],
    most: int = BATCH,
    most_bytes: int = BATCH_BYTES,
) -> tuple[Lane, list[Parcel]] | None:
    """Return the next batch for a partner on the first of these lanes where something waits.

    What the agreements no longer permit, or whose time is over, is stopped first.
    """
    while True:
        found = database.read(lambda tx: _look(tx, policy, partner, lanes, most, most_bytes))
        if found is None:
            return None
        lane, parcels, stopped = found
        if stopped:
            database.write(lambda tx, f=found: outbox.stop(tx, partner, f[0], f[2]))  # type: ignore[misc]
        elif parcels and all(one.placed for one in parcels):
            return lane, parcels
        else:
            database.write(lambda tx, at=lane: outbox.place(tx, partner, at, most))  # type: ignore[misc]


def _look(
    tx: Transaction,
    policy: Policy,
    partner: str,
    lanes: Sequence[Lane],
    most: int,
    most_bytes: int,
) -> tuple[Lane, list[Parcel], dict[str, str]] | None:
    if not partners.partner(tx, partner).trusted:
        return None
    for lane in lanes:
        rows = post_store.waiting(tx, partner, lane.value, most)
        if not rows:
            continue
        parcels: list[Parcel] = []
        stopped: dict[str, str] = {}
        size = 0
        for row in rows:
            if row["expires_at"] is not None and row["expires_at"] <= tx.now:
                stopped[row["id"]] = "expired"
                continue
            try:
                raw = vault.unlock(tx.keys, row["id"], row)
            except IsthmusError as error:  # erased while it waited, or damaged
                stopped[row["id"]] = error.code
                continue
            verdict = policy.dispatch(tx, envelope.reopen(raw))
            if verdict.outcome != PASS:
                stopped[row["id"]] = verdict.code
                continue
            if parcels and size + len(raw) > most_bytes:
                break
            parcels.append(Parcel(row["id"], raw, row["sequence"] is not None))
            size += len(raw)
        return lane, parcels, stopped
    return None
