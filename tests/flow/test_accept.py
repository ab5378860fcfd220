"""What partners send, in the loop: a lookout raises a risk, mandates nothing, and ends."""

from dataclasses import replace
from datetime import timedelta

from flow.loop_node import Loop, box
from isthmus.access.model import Purpose, Role, node_actor
from isthmus.intelligence import arrivals
from isthmus.intelligence.keeping import Came
from isthmus.intelligence.model import (
    Classification,
    Evaluation,
    Handling,
    Item,
    ItemKind,
    Marking,
    Scale,
    Tlp,
)
from isthmus.kernel.time import isoformat
from isthmus.risk import assessments

MARKING = Marking(
    Evaluation(Scale.POLICE_4X4, "B", "2"), frozenset({Handling.H0}), Classification.NONE, Tlp.AMBER
)


def lookout(loop: Loop, number: int) -> Item:
    now = loop.clock.now()
    body = {
        "reason": "intelligence",
        "action": "inspect",
        "containers": [box(number)],
        "expires_at": isoformat(now + timedelta(days=30)),
    }
    return Item("BE-DOUANE:alr_1", ItemKind.ALERT, 1, "BE-DOUANE", now, MARKING, body)


def arrive(loop: Loop, item: Item, purpose: Purpose = Purpose.TARGETING, source: str = "env_1"):
    came = Came(source=source, partner="BE-DOUANE", purposes=frozenset({purpose}))
    return loop.write(lambda tx: arrivals.receive(tx, node_actor(), item, came))


def told(loop: Loop, number: int):
    unit = loop.unit(number).id
    found = loop.read(
        lambda tx: assessments.tell_current(tx, loop.people[Role.ANALYST], [unit], "en")
    )
    return next(one for one in found[unit] if one.objective == "contraband")


def test_a_partners_lookout_raises_a_reason_and_mandates_nothing(loop: Loop):
    loop.manifest(1)
    loop.manifest(2)
    loop.node.scorer.score_all()
    before = told(loop, 1)
    arrive(loop, lookout(loop, 1))
    assert loop.node.scorer.score_due() == 1
    after = told(loop, 1)
    assert any("partner authority" in text and "BE-DOUANE" in text for text in after.reasons)
    assert after.score > before.score
    assert after.mandated_by is None
    assert not any("partner authority" in text for text in told(loop, 2).reasons)


def test_what_came_for_judicial_use_changes_no_score(loop: Loop):
    loop.manifest(1)
    loop.node.scorer.score_all()
    arrive(loop, lookout(loop, 1), Purpose.JUDICIAL)
    assert loop.node.scorer.score_due() == 0
    assert not any("partner authority" in text for text in told(loop, 1).reasons)


def test_a_recall_takes_the_reason_away(loop: Loop):
    loop.manifest(1)
    item = lookout(loop, 1)
    arrive(loop, item)
    loop.node.scorer.score_all()
    assert any("partner authority" in text for text in told(loop, 1).reasons)
    body = {"about": item.id, "about_kind": "alert", "reason": "source_withdrawn"}
    arrive(
        loop,
        replace(item, id="BE-DOUANE:rcl_1", kind=ItemKind.RECALL, body=body),
        source="env_2",
    )
    assert loop.node.scorer.score_due() == 1
    assert not any("partner authority" in text for text in told(loop, 1).reasons)
