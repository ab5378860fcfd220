"""The same envelopes as a file: for a partner that no wire reaches."""

from isthmus.exchange import outgoing
from isthmus.exchange.model import Lane
from isthmus.exchange.policy import Policy
from isthmus.exchange.trust import partners
from isthmus.platform.database import Database

MOST = 100_000
MOST_BYTES = 256 << 20


def waiting(database: Database, policy: Policy, partner: str, lane: Lane) -> list[bytes]:
    """Return what waits for a partner on a lane, in order, as it would go over the wire.

    What is no longer permitted is stopped first. It all waits on until its receipts come back.
    """
    database.read(lambda tx: partners.trusted(tx, partner))
    found = outgoing.ready(database, policy, partner, [lane], MOST, MOST_BYTES)
    return [one.raw for one in found.parcels] if found else []
