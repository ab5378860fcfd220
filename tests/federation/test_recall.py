"""Recalls and corrections over three processes, A → B → C: acknowledged by all that are there.

The test process is A, under real agreements with B and B with C; the item went to C with A's
consent. Who is offline is named at A, and done once it is back.
"""

import time
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from exchange.world import MARKING, Party
from federation.child import open_party, running
from federation.nodes import Process
from flow.treaties import ratified, settle_in
from isthmus.access.model import Role
from isthmus.exchange import consents, post_store, recall
from isthmus.exchange.model import Lane
from isthmus.flow import share
from isthmus.intelligence import items, keeping, store
from isthmus.intelligence.model import Handling, ItemKind
from isthmus.kernel.time import isoformat

GOAL = 5.0  # seconds until every holder that is online has acknowledged
PATIENCE = 60.0
A, B, C = "PA-ANA", "BE-DOUANE", "NL-DOUANE"


@dataclass
class Three:
    """A here, B and C as processes; and hands for what people do at A and at B."""

    a: Party
    at_b: Party
    b: Process
    c: Process

    def share(self, at: Party, item, partner, **more) -> None:
        analyst = at.staff[Role.ANALYST]
        at.database.write(
            lambda tx: share.send(tx, analyst, item.id, partner, lane=Lane.IMMEDIATE, **more)
        )

    def until(self, what, wanted) -> float:
        """Wait until something is as wanted; return the seconds it took."""
        began = time.monotonic()
        while (found := what()) != wanted:
            assert time.monotonic() - began < PATIENCE, (found, wanted, self.b.log(), self.c.log())
            time.sleep(0.01)
        return time.monotonic() - began

    def spread(self):
        """An alert of A that B has, and C from B with A's consent."""
        now = self.a.database.clock.now().replace(microsecond=0)
        body = {
            "reason": "intelligence", "action": "inspect", "containers": ["MSKU1234565"],
            "seals": ["AB12345"], "expires_at": isoformat(now + timedelta(days=30)),
        }  # fmt: skip
        marking = replace(MARKING, handling=frozenset({Handling.H0}))
        analyst = self.a.staff[Role.ANALYST]
        item = self.a.database.write(
            lambda tx: items.draft(tx, analyst, A, ItemKind.ALERT, body, marking)
        )
        self.share(self.a, item, B)
        self.until(lambda: self.state(self.b, item.id), ("current", 1))
        given = self.a.database.write(lambda tx: consents.give(tx, analyst, item.id, B, C))
        self.share(self.at_b, item, C, consents=[given])
        self.until(lambda: self.state(self.c, item.id), ("current", 1))
        return item

    def state(self, process: Process, item_id: str):
        """State and version of an item at a node; None where it is not."""
        found = process.rows(f"SELECT state, version FROM item WHERE id = '{item_id}'")
        return found[0] if found else None

    def followed(self, item_id: str):
        """What A knows of its item's recall or correction, by holder."""
        found = self.a.database.read(lambda tx: recall.following(tx, item_id))
        return [(one.partner, one.state, one.code) for one in found]


@pytest.fixture
def three(federation):
    staff = {}

    def agree(parties):
        for one in parties:
            settle_in(one)
            staff[one.code] = one.staff
        ratified("PA-BE-2026", parties[0], parties[1])
        ratified("BE-NL-2026", parties[1], parties[2])

    a, b, c = federation(A, B, C, prepare=agree)
    b.start("whole")
    c.start("whole")
    here = open_party(a.root)
    there = open_party(b.root)
    here.staff, there.staff = staff[A], staff[B]
    station, worker = running(here, a.root, whole=True)
    there.policy, there.database.reactions = here.policy, here.database.reactions
    yield Three(here, there, b, c)
    station.stop()
    worker.stop()
    for one in (here, there):
        one.database.close()


def take_back(three, item):
    supervisor = three.a.staff[Role.SUPERVISOR]
    three.a.database.write(lambda tx: items.recall(tx, supervisor, item.id, "wrong"))


def test_a_correction_and_a_recall_reach_every_holder_in_seconds(three):
    item = three.spread()
    supervisor = three.a.staff[Role.SUPERVISOR]
    change = [{"path": "seals", "value": ["AB12354"]}]
    three.a.database.write(lambda tx: items.correct(tx, supervisor, item.id, change, "misread"))
    corrected = three.until(lambda: three.followed(item.id), [(B, "done", "")])
    for node in (three.b, three.c):
        assert three.state(node, item.id) == ("current", 2)
    there = open_party(three.c.root)
    held = there.database.read(lambda tx: keeping.load(tx, store.copies_of(tx, item.id)[-1]))
    there.database.close()
    assert held.body["seals"] == ["AB12354"]

    take_back(three, item)
    recalled = three.until(lambda: three.followed(item.id), [(B, "done", "")])
    for node in (three.b, three.c):
        assert three.state(node, item.id)[0] == "recalled"
    print(f"\ncorrection {corrected:.2f} s, recall {recalled:.2f} s, A → B → C and back")
    assert max(corrected, recalled) < GOAL


def test_who_is_offline_is_named_and_done_on_return(three):
    item = three.spread()
    three.c.kill()
    take_back(three, item)
    online = three.until(lambda: three.followed(item.id), [(B, "done", f"waiting {C}")])
    assert three.state(three.b, item.id)[0] == "recalled"
    assert three.state(three.c, item.id) == ("current", 1)
    time.sleep(1.0)  # it stays so for as long as C is away
    assert three.followed(item.id) == [(B, "done", f"waiting {C}")]
    three.c.start("whole")
    back = three.until(lambda: three.followed(item.id), [(B, "done", "")])
    assert three.state(three.c, item.id)[0] == "recalled"
    print(f"\nonline holders {online:.2f} s; {C} {back:.2f} s after its return")
    assert online < GOAL
    waiting = three.at_b.database.read(lambda tx: post_store.waiting(tx, C, "immediate", 10))
    assert waiting == []
