"""What a node sees of the story: read from its database, as its pages read it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from isthmus.access.gate import scope
from isthmus.access.model import Permission, Role
from isthmus.cases import partner_store
from isthmus.cli.demo.stage import Desk
from isthmus.exchange import recall
from isthmus.intelligence import keeping, reading, store
from isthmus.kernel.errors import Erased
from isthmus.platform.transaction import Transaction
from isthmus.risk import assessments
from isthmus.risk.objectives import Objective

if TYPE_CHECKING:
    from isthmus.cli.demo.story import Story

CHAIN = ("id", "container", "cued_by", "asked", "ours", "state", "result", "seizure")


def risk(tx: Transaction, desk: Desk, unit: str, above: float) -> float | None:
    """Return the contraband score of a unit if it is above a score."""
    told = assessments.tell_current(tx, desk.person(Role.ANALYST), [unit], "en").get(unit, ())
    scores = [one.score for one in told if one.objective == Objective.CONTRABAND]
    return next((score for score in scores if score is not None and score > above), None)


def body(tx: Transaction, item: str) -> Mapping[str, Any]:
    """Return what the newest copy of an item says here; empty where there is none."""
    row = _newest(tx, item)
    try:
        return keeping.load(tx, row).body if row is not None else {}
    except Erased:
        return {}


def seals(tx: Transaction, item: str) -> list[str]:
    """Return the seals that an item names here."""
    return list(body(tx, item).get("seals", ()))


def state(tx: Transaction, item: str) -> str | None:
    """Return how an item stands here; none where it never came."""
    row = store.item(tx, item)
    return None if row is None else str(row["state"])


def _newest(tx: Transaction, item: str) -> Any:
    copies = store.copies_of(tx, item)
    return copies[-1] if copies else None


def seen(story: "Story") -> dict[str, Any]:
    """Return what each node has of the story at its end."""
    return {
        "story": {
            "chain": story.chain,
            "seizure": story.number,
            "alert": story.alert,
            "recalled": story.recalled,
            "offline": story.offline,
            "seconds": story.seconds,
        },
        "told": [
            {
                "at": one.at.isoformat(),
                "step": one.step,
                "node": one.node,
                "words": one.words,
                "clauses": list(one.clauses),
            }
            for one in story.stage.told
        ],
        "saw": {
            desk.code: desk.see(lambda tx, d=desk: _of(tx, d, story))
            for desk in story.stage.desks.values()
        },
    }


def _of(tx: Transaction, desk: Desk, story: "Story") -> dict[str, Any]:
    chain = partner_store.chain_row(tx, story.chain)
    readable = scope(desk.person(Role.AUDITOR), Permission.SEIZURE_READ)
    credits = partner_store.credits_of(tx, readable, [story.number])
    return {
        "chain": {name: chain[name] for name in CHAIN} if chain else None,
        "credits": {f"{row['node']} {row['role']}": row["share"] for row in credits},
        "alert": {
            "state": state(tx, story.alert),
            "version": (_newest(tx, story.alert) or {}).get("version"),
            "seals": seals(tx, story.alert),
            "persons": len(body(tx, story.alert).get("persons", ())),
        },
        "recalled": state(tx, story.recalled),
        "lookouts": sorted(one.item.id for one in reading.lookouts_in_force(tx)),
        "following": {
            one.partner: f"{one.state} {one.code}".strip()
            for one in recall.following(tx, story.recalled)
        },
    }
