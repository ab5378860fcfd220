"""The live page: what goes to and fro at this moment, in words, and who is not there.

The page is whole without script. With it, ``static/live.js`` fetches the same part again every
two seconds and puts it in place of the old one, as long as nobody pauses it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from isthmus.access.gate import scope
from isthmus.access.model import Permission
from isthmus.agreements import register
from isthmus.cases import chains
from isthmus.exchange import inbox, post_store, presence, traffic
from isthmus.exchange.presence import Presence
from isthmus.exchange.proof import ledger_store
from isthmus.exchange.tables import Row
from isthmus.exchange.trust import key_store
from isthmus.intelligence.items import PREFIXES
from isthmus.intelligence.model import ItemKind
from isthmus.intelligence.reading import Copy
from isthmus.kernel.errors import Damaged, Erased
from isthmus.platform.transaction import Transaction
from isthmus.web.items import telling
from isthmus.web.page import page
from isthmus.web.visitor import Visitor, may

router = APIRouter()

MOVES = 20
LOOKBACK = timedelta(hours=1)  # of round trips
RECALLS = timedelta(hours=12)  # how long one that is done stays on the page
EVERY = 5  # seconds between two loads, where there is no script and the reader asks for it
STATES = ("waiting", "delivered", "opened", "used", "held", "refused", "stopped", "expired")

Seen = Annotated[Visitor, Depends(may(Permission.PARTNER_READ))]
_KIND = {prefix: kind for kind, prefix in PREFIXES.items()}


@dataclass(frozen=True, slots=True)
class Move:
    """One envelope in words: what it carries, by which clause, and what became of it."""

    row: Row
    telling: Sequence[str]  # by what people know the item; nothing of it is about a person
    clauses: Sequence[str]
    erased: bool
    opened_at: datetime | None
    used_at: datetime | None

    @property
    def state(self) -> str:
        """The furthest that it came."""
        if self.row["state"] != "delivered":
            return str(self.row["state"])
        return "used" if self.used_at else "opened" if self.opened_at else "delivered"


@dataclass(frozen=True, slots=True)
class Holder:
    """One holder of what is recalled or corrected: what it did, and whom it still waits for."""

    partner: str
    state: str  # asked, done, refused, withheld
    code: str
    waits_for: Sequence[str]
    at: datetime | None
    offline: bool


@dataclass(frozen=True, slots=True)
class Followed:
    """A recall or correction on its way to everybody who has the item."""

    item: str
    kind: ItemKind
    holders: list[Holder] = field(default_factory=list)

    @property
    def open(self) -> list[Holder]:
        """Who has not answered yet."""
        return [one for one in self.holders if one.state == "asked" or one.waits_for]

    @property
    def done(self) -> int:
        """How many acted on it, with all they passed the item on to."""
        return sum(one.state == "done" and not one.waits_for for one in self.holders)


@dataclass(frozen=True, slots=True)
class Trips:
    """How long it took to a partner's receipt, of so many envelopes."""

    count: int
    p50: float | None = None  # milliseconds
    p99: float | None = None


@router.get("/live")
def live(
    request: Request,
    visitor: Seen,
    part: Annotated[bool, Query()] = False,
    every: Annotated[int, Query(ge=0, le=60)] = 0,
) -> Response:
    """Show the exchange as it stands now; ``part`` is what a script puts in place of the old."""
    found = visitor.node.database.read(lambda tx: _read(tx, visitor))
    template = "live_now.html" if part else "live.html"
    every = EVERY if every else 0  # a reader without script asked the page to load itself again
    return page(request, visitor, template, every=every, states=STATES, **found)


def _read(tx: Transaction, visitor: Visitor) -> dict[str, Any]:
    actor = visitor.actor
    seen = scope(actor, Permission.PARTNER_READ)
    there = presence.presences(tx, actor)
    me = key_store.myself(tx)
    told = traffic.told(tx, seen)
    rows = post_store.seen(tx, seen, limit=MOVES)
    ledger = me["node"] if me is not None and visitor.may(Permission.LEDGER_READ) else None
    return {
        "as_of": tx.now,
        "me": me,
        "there": there,
        "moves": [_move(tx, visitor, row, told.get(row["hash"], {})) for row in rows],
        "trips": _trips(traffic.round_trips(tx, seen, tx.now - LOOKBACK)),
        "followed": _followed(traffic.followed(tx, seen, tx.now - RECALLS), there),
        "chains": chains.chains(tx, actor) if visitor.may(Permission.CHAIN_READ) else None,
        "checkpoint": ledger_store.newest(tx, ledger) if ledger else None,
        "witnesses": [
            (one.partner.code, traffic.witnessed(tx, seen, one.partner.code))
            for one in there
            if one.partner.trusted
        ],
        "differing": register.differences(tx, actor)
        if visitor.may(Permission.AGREEMENT_READ)
        else [],
    }


def _move(tx: Transaction, visitor: Visitor, row: Row, told: dict[str, datetime]) -> Move:
    """Open an envelope for whoever may read items, as far as what names a thing."""
    known: Sequence[str] = ()
    clauses: Sequence[str] = ()
    erased = False
    try:
        opened = inbox.opened(tx, row["id"])
        clauses = sorted({f"{one.agreement}/{one.clause}" for one in opened.envelope.basis})
        if visitor.may(Permission.ITEM_READ):
            known = telling(Copy(row, opened.presented.item), visitor.reader.locale)  # type: ignore[arg-type]
    except Erased:
        erased = True
    except Damaged:
        pass
    return Move(row, known, clauses, erased, told.get("opened"), told.get("used"))


def _trips(spans: Sequence[timedelta]) -> Trips:
    if not spans:
        return Trips(0)
    ordered = sorted(span / timedelta(milliseconds=1) for span in spans)

    def at(share: float) -> float:
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)]

    return Trips(len(ordered), at(0.5), at(0.99))


def _followed(rows: Sequence[Row], there: Sequence[Presence]) -> list[Followed]:
    away = {one.partner.code for one in there if one.offline}
    found: dict[str, Followed] = {}
    for row in rows:
        prefix = row["follow_id"].rpartition(":")[2].partition("_")[0]
        kind = _KIND.get(prefix, ItemKind.RECALL)
        one = found.setdefault(row["follow_id"], Followed(row["item_id"], kind))
        code, _, waits = (row["follow_code"] or "").partition("waiting ")
        one.holders.append(
            Holder(
                row["partner"],
                row["follow_state"],
                code.strip("; "),
                [name for name in waits.split(",") if name],
                row["follow_at"],
                row["partner"] in away,
            )
        )
    return list(found.values())
