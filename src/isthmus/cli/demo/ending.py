"""What each node has of the story at its end: told whole, for whoever checks it."""

from typing import Any

from isthmus.access.gate import scope
from isthmus.access.model import Permission, Role
from isthmus.cases import partner_store
from isthmus.cli.demo.sight import body, newest, seals, state
from isthmus.cli.demo.stage import Desk
from isthmus.cli.demo.story import Story
from isthmus.exchange import recall
from isthmus.intelligence import reading
from isthmus.platform.transaction import Transaction

CHAIN = ("id", "container", "cued_by", "asked", "ours", "state", "result", "seizure")


def seen(story: Story) -> dict[str, Any]:
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


def _of(tx: Transaction, desk: Desk, story: Story) -> dict[str, Any]:
    chain = partner_store.chain_row(tx, story.chain)
    readable = scope(desk.person(Role.AUDITOR), Permission.SEIZURE_READ)
    credits = partner_store.credits_of(tx, readable, [story.number])
    return {
        "chain": {name: chain[name] for name in CHAIN} if chain else None,
        "credits": {f"{row['node']} {row['role']}": row["share"] for row in credits},
        "alert": {
            "state": state(tx, story.alert),
            "version": (newest(tx, story.alert) or {}).get("version"),
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
