"""Signed requests: each call to a partner says who asks whom for what, over which body, and when.

The TLS certificate admits; this signature identifies. A nonce is taken once within the time for
which a request counts; after a restart of the listener the nonces are gone, which lets a replay
through that changes nothing, since every call is idempotent.
"""

import secrets
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from threading import Lock

from isthmus.exchange.issue import decode, encode
from isthmus.exchange.model import SKEW
from isthmus.exchange.trust import shape, signing
from isthmus.exchange.trust.signing import Keys, Signer
from isthmus.kernel.errors import Denied, Limited
from isthmus.kernel.time import isoformat, to_micros

KIND = "request"
HEADER = "isthmus-request"
LONGEST = 4096  # characters of the header
NONCES = 200_000
_SHAPE = {
    "from": str, "to": str, "method": str, "path": str, "body": str, "at": str, "nonce": str,
}  # fmt: skip


def header(
    signer: Signer, recipient: str, method: str, path: str, body: bytes, now: datetime
) -> str:
    """Return the header's value for one request."""
    said = {
        "from": signer.node,
        "to": recipient,
        "method": method,
        "path": path,
        "body": sha256(body).hexdigest(),
        "at": isoformat(now),
        "nonce": secrets.token_hex(16),
    }
    return encode(signing.sign(signer, KIND, said))


class Guard:
    """Tells who signed a request, and refuses what is stale, replayed, misdirected or too much."""

    def __init__(self, node: str, keys_of: Callable[[str], Keys]) -> None:
        self.node, self.keys_of = node, keys_of
        self._seen: OrderedDict[str, datetime] = OrderedDict()
        self._lock = Lock()

    def claimed(self, value: str, method: str, path: str, now: datetime) -> tuple[str, str]:
        """Check everything but the body; return the sender and the digest its body must have."""
        if len(value) > LONGEST:
            raise Denied("request_malformed", "the request's header is too long")
        statement = signing.parse(decode(value), KIND)
        said = statement.payload
        shape.check(said, _SHAPE, "the request")
        signing.verify(statement, self.keys_of(said["from"]))
        if said["to"] != self.node:
            raise Denied("request_misdirected", "meant for another node", node=said["to"])
        if (said["method"], said["path"]) != (method, path):
            raise Denied("request_misdirected", "signed for another call")
        at = shape.moment(said, "at")
        if abs(to_micros(now) - to_micros(at)) > SKEW / timedelta(microseconds=1):
            raise Denied("clock_skew", "signed too long ago, or later than now", node=said["from"])
        self._once(f"{said['from']}/{said['nonce']}", at, now)
        return said["from"], said["body"]

    def _once(self, nonce: str, at: datetime, now: datetime) -> None:
        with self._lock:
            while self._seen:
                oldest = next(iter(self._seen))
                if self._seen[oldest] > now - 2 * SKEW and len(self._seen) < NONCES:
                    break
                del self._seen[oldest]
            if nonce in self._seen:
                raise Denied("request_replayed", "this request was made before")
            self._seen[nonce] = at


class Rate:
    """A bucket for each partner that fills evenly: so many envelopes a minute, at most."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[float, datetime]] = {}
        self._lock = Lock()

    def take(self, partner: str, number: int, a_minute: int, now: datetime) -> None:
        """Take so many; raises ``Limited`` when the partner has used up its share."""
        with self._lock:
            left, since = self._held.get(partner, (float(a_minute), now))
            left = min(float(a_minute), left + (now - since).total_seconds() * a_minute / 60)
            self._held[partner] = (left - number if left >= number else left, now)
            if left < number:
                raise Limited("rate_exceeded", "more envelopes a minute than agreed",
                              partner=partner)  # fmt: skip
