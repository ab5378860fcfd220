"""What partners send, in the loop: a lookout raises a risk, mandates nothing, and ends."""

from dataclasses import replace
from datetime import timedelta

import pytest

from exchange import conftest as nodes
from exchange.world import befriend
from flow.loop_node import Loop, box
from flow.treaties import act, bring, ratified, see, settle_in
from isthmus.access.gate import scope
from isthmus.access.model import Permission, Purpose, Role, node_actor
from isthmus.agreements.model import Mode
from isthmus.cases import partner_store, requests, seizures
from isthmus.exchange.model import Lane as Wire
from isthmus.flow import share
from isthmus.flow.share import Said
from isthmus.flow.sharing import heard, telling, together
from isthmus.intelligence import arrivals, items, store
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
from isthmus.platform import jobs
from isthmus.platform.events import event_table
from isthmus.risk import assessments

make = nodes.make  # the fixture of the exchange's own tests
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


# -- over the wire, under real agreements -----------------------------------------------------


@pytest.fixture
def both(make):
    """Panama and Antwerp under their agreement."""
    both = make("PA-ANA"), make("BE-DOUANE")
    for one in both:
        settle_in(one)
    befriend(*both)
    ratified("PA-BE-2026", *both)
    return both


def work(node) -> None:
    """Let what came take effect, as the node's workers would."""
    while job := act(node, jobs.lease, "test", [telling.JOB]):
        together.do(node.database, job.payload)
        act(node, jobs.finish, job, "test")


def came(one, other, kind, body, said=None, **more):
    """Draft, send and bring an item, and let it take effect there."""
    officer = one.staff[Role.ANALYST]
    item = act(one, items.draft, officer, one.code, kind, body, MARKING)
    act(one, share.send, officer, item.id, other.code, said, lane=Wire.IMMEDIATE, **more)
    assert bring(one, other, item)
    work(other)
    return item


def unheeded(node):
    return see(node, lambda tx: [
        row.payload["code"]
        for row in tx.execute(event_table.select().order_by(event_table.c.seq))
        if row.kind == "item.unheeded"
    ])  # fmt: skip


def seizures_of(node):
    seen = scope(node_actor(), Permission.SEIZURE_READ)
    return see(node, partner_store.newest_seizures, seen, 10)


SEIZURE = {
    "number": "SZ-BE-DOUANE-2026-1",
    "seized_at": "2026-01-01T00:00:00Z",
    "place": "BEANR",
    "goods": [{"class": "cocaine", "quantity": "4.5", "unit": "KGM"}],
    "credits": [
        {"node": "BE-DOUANE", "role": "seized", "share": 60},
        {"node": "PA-ANA", "role": "informed", "share": 40},
    ],
}


def test_a_seizure_keeps_its_number_and_the_credit_is_shared(both):
    panama, antwerp = both
    came(antwerp, panama, ItemKind.SEIZURE, SEIZURE)
    (row,) = seizures_of(panama)
    assert (row["number"], row["finder"], row["own"]) == (
        "SZ-BE-DOUANE-2026-1", "BE-DOUANE", False,
    )  # fmt: skip
    officer = panama.staff[Role.SUPERVISOR]
    since = panama.database.clock.now() - timedelta(days=1)
    totals = see(panama, seizures.totals, officer, since, since + timedelta(days=2))
    assert totals.seizures == 1
    assert totals.credit == {"BE-DOUANE": 0.6, "PA-ANA": 0.4}


def test_what_came_for_a_court_reaches_no_desk_of_targeting(both):
    panama, antwerp = both
    item = came(antwerp, panama, ItemKind.SEIZURE, SEIZURE, Said(Purpose.JUDICIAL))
    assert seizures_of(panama) == []
    assert unheeded(panama) == ["purpose_other"]
    assert [row["state"] for row in see(panama, store.copies_of, item.id)] == ["current"]


def test_a_seizure_of_anothers_number_is_kept_and_counted_nowhere(both):
    panama, antwerp = both
    came(antwerp, panama, ItemKind.SEIZURE, SEIZURE | {"number": "SZ-PA-ANA-2026-9"})
    assert seizures_of(panama) == []
    assert unheeded(panama) == ["seizure_foreign"]


def test_a_seizure_whose_credit_is_told_in_part_is_its_finders(both):
    panama, antwerp = both
    came(antwerp, panama, ItemKind.SEIZURE, SEIZURE, without=["credits.1.share"])
    assert len(seizures_of(panama)) == 1
    officer = panama.staff[Role.SUPERVISOR]
    since = panama.database.clock.now() - timedelta(days=1)
    totals = see(panama, seizures.totals, officer, since, since + timedelta(days=2))
    assert totals.credit == {"BE-DOUANE": 1.0}


def test_a_request_without_its_question_is_set_aside_by_name_once(both):
    panama, antwerp = both
    said = Said(conditions=frozenset({"case_number"}), mode=Mode.ON_REQUEST)
    body = {"questions": ["seal_history"], "case_number": "BE-1", "urgency": "urgent"}
    came(antwerp, panama, ItemKind.REQUEST, body, said, without=["questions"])
    assert unheeded(panama) == ["part_missing"]
    assert see(panama, requests.tasks, panama.staff[Role.ANALYST]) == []
    item = came(antwerp, panama, ItemKind.REQUEST, body, said)
    (task,) = see(panama, requests.tasks, panama.staff[Role.ANALYST])
    assert task["id"] == item.id
    # The clause gives 24 hours to answer what is urgent and held directly.
    assert task["answer_by"] - task["sent_at"] == timedelta(hours=24)


def test_feedback_stands_on_the_item_that_it_is_about(both):
    panama, antwerp = both
    body = {
        "reason": "intelligence", "action": "inspect", "containers": [box(1)],
        "expires_at": "2026-03-01T00:00:00Z",
    }  # fmt: skip
    alert = came(panama, antwerp, ItemKind.ALERT, body)
    given = {
        "about": alert.id, "outcome": "led_to_seizure", "given_at": "2026-01-01T00:00:00Z",
        "picks": 3, "found": 1, "seizures": ["SZ-BE-DOUANE-2026-1"],
    }  # fmt: skip
    came(antwerp, panama, ItemKind.FEEDBACK, given | {"outcome": "not_used"},
         Said(Purpose.EXERCISE))  # fmt: skip
    assert unheeded(panama) == ["purpose_other"]
    told_back = came(antwerp, panama, ItemKind.FEEDBACK, given)
    officer = panama.staff[Role.ANALYST]
    said = see(panama, heard.feedback, officer, alert.id)
    assert [(one.partner, one.outcome, one.found) for one in said] == [
        ("BE-DOUANE", "led_to_seizure", 1)
    ]
    assert said[0].item == told_back.id
    nothing = {**given, "about": "PA-ANA:alr_0"}
    came(antwerp, panama, ItemKind.FEEDBACK, nothing)
    assert unheeded(panama) == ["purpose_other", "item_unknown"]
