"""What is learned here goes by itself where a clause lets it, and waits for a person otherwise."""

from datetime import timedelta

import pytest

from exchange import conftest as nodes
from exchange.world import befriend
from flow.loop_node import Loop, box
from flow.partner_nodes import as_party
from flow.test_learn import CLEAN, inspect_one, seizure
from flow.treaties import act, bring, ratified, see, settle_in
from isthmus.access.model import Role, node_actor
from isthmus.agreements import lifecycle
from isthmus.agreements.model import Mode
from isthmus.cases import chains, inspections, picks, seizures
from isthmus.cases.chains import Cue
from isthmus.cases.inspections import Found, Report
from isthmus.cases.model import Result
from isthmus.cases.share_tables import to_share_table
from isthmus.cases.tables import inspection_table
from isthmus.exchange import copy_store, post_store
from isthmus.exchange.model import Lane
from isthmus.flow import inspect, share
from isthmus.flow.share import Said
from isthmus.flow.sharing import asking, told
from isthmus.intelligence import items, keeping, schema, store
from isthmus.intelligence.model import ItemKind
from isthmus.kernel.errors import Conflict, Denied
from isthmus.platform import jobs

make = nodes.make  # the fixture of the exchange's own tests
UNLADEN = Report(
    Result.NON_COMPLIANT, "physical_full", 60, objective="revenue",
    findings=(Found("ipr_goods", 40.0, "H87"),),
)  # fmt: skip


@pytest.fixture
def loop(any_loop: Loop) -> Loop:
    """On SQLite and on PostgreSQL in turn."""
    return any_loop


@pytest.fixture
def three(loop: Loop, make):
    """Panama with its own traffic, Antwerp and Rotterdam, under their agreements."""
    panama, antwerp, rotterdam = three = as_party(loop), make("BE-DOUANE"), make("NL-DOUANE")
    for one in three:
        settle_in(one)
    for partner, agreement in ((antwerp, "PA-BE-2026"), (rotterdam, "PA-NL-2026")):
        befriend(panama, partner)
        ratified(agreement, panama, partner)
    return three


def learn(panama) -> list[str]:
    """Do the jobs that were asked for, and say about what."""
    done = []
    while job := act(panama, jobs.lease, "test", [told.JOB]):
        act(panama, told.learn, job.payload["kind"], job.payload["id"])
        act(panama, jobs.finish, job, "test")
        done.append(job.payload["kind"])
    return done


def waiting(panama):
    return see(panama, share.waiting, panama.staff[Role.ANALYST])


def content(panama, item_id):
    return see(panama, lambda tx: keeping.load(tx, store.copies_of(tx, item_id)[-1]))


def own(panama, kind):
    rows = see(panama, lambda tx: list(tx.execute(store.item_table.select()).mappings()))
    return [row["id"] for row in rows if row["own"] and row["kind"] == kind]


def send(panama, item_id, partner, said=None):
    officer = panama.staff[Role.ANALYST]
    return act(panama, share.send, officer, item_id, partner.code, said, lane=Lane.IMMEDIATE)


def test_a_finding_goes_by_itself_where_a_clause_is_automatic(loop: Loop, three):
    panama, antwerp, rotterdam = three
    loop.manifest(1)
    loop.node.scorer.score_all()
    inspect_one(loop, 1, UNLADEN)
    assert learn(panama) == ["inspection"]
    (made,) = own(panama, "sighting")
    item = content(panama, made)
    assert item.body["containers"] == [box(1)]
    assert item.body["means"] == "officer"
    assert schema.personal_paths(item) == ()
    assert "Importadora" not in str(item.body)
    assert "Exportadora" not in str(item.body)
    for partner in (antwerp, rotterdam):
        assert bring(panama, partner, item, Lane.ROUTINE)
        (row,) = see(partner, store.copies_of, item.id)
        assert row["purposes"] == ["targeting"]
    # Everything went, so that nobody needs to be asked.
    assert waiting(panama) == []


def test_without_an_automatic_clause_it_waits_for_a_person(loop: Loop, three):
    panama, antwerp, _ = three
    loop.manifest(1)
    loop.node.scorer.score_all()
    inspect_one(loop, 1, seizure())
    assert learn(panama) == ["inspection"]
    assert waiting(panama) == []  # a seizure is told once it has its number
    inspection = see(panama, _inspection)
    officer = panama.staff[Role.SUPERVISOR]
    number = act(panama, seizures.register, officer, inspection, panama.code)
    assert learn(panama) == ["seizure"]
    assert see(panama, post_store.counts) == []
    (entry,) = waiting(panama)
    assert (entry["about_kind"], entry["about_id"]) == ("seizure", number)
    item = content(panama, entry["item_id"])
    assert item.body["number"] == number
    assert item.body["goods"] == [{"class": "cocaine", "quantity": "5", "unit": "KGM"}]
    act(panama, told.learn, "seizure", number)  # told twice it is there once
    assert len(waiting(panama)) == 1
    send(panama, item.id, antwerp, Said(mode=Mode.SPONTANEOUS))
    assert waiting(panama) == []
    assert bring(panama, antwerp, item)


def test_of_one_seizure_there_is_one_item_however_often_it_is_drafted(loop: Loop, three):
    panama, _, _ = three
    loop.manifest(1)
    loop.node.scorer.score_all()
    inspect_one(loop, 1, seizure())
    officer = panama.staff[Role.SUPERVISOR]
    number = act(panama, seizures.register, officer, see(panama, _inspection), panama.code)
    learn(panama)
    (made,) = own(panama, "seizure")
    assert act(panama, asking.seizure, officer, panama.code, number) == made
    assert content(panama, made).version == 1
    act(panama, seizures.weigh, officer, number, 0, 4.75)
    assert act(panama, asking.seizure, officer, panama.code, number) == made
    assert content(panama, made).version == 2
    assert content(panama, made).body["goods"][0]["quantity"] == "4.75"


def test_a_suspended_clause_sends_nothing_by_itself_and_says_so(loop: Loop, three):
    panama, _, rotterdam = three
    legal = panama.lawyers[1]
    act(panama, lifecycle.suspend, legal, "PA-BE-2026", "essential_interests", "art-3")
    loop.manifest(1)
    loop.node.scorer.score_all()
    inspect_one(loop, 1, UNLADEN)
    learn(panama)
    (made,) = own(panama, "sighting")
    assert [row["partner"] for row in see(panama, copy_store.copies, made)] == [rotterdam.code]
    assert _entry_state(panama) == "sent"


def test_what_no_agreement_lets_anybody_get_bothers_nobody(loop: Loop, three):
    panama, _, _ = three
    for agreement in ("PA-BE-2026", "PA-NL-2026"):
        act(panama, lifecycle.suspend, panama.lawyers[1], agreement, "essential_interests")
    loop.manifest(1)
    loop.node.scorer.score_all()
    inspect_one(loop, 1, UNLADEN)
    learn(panama)
    assert see(panama, post_store.counts) == []
    assert waiting(panama) == []
    assert _entry_state(panama) == "kept"


def test_a_confirmed_pick_waits_to_be_worded_and_its_alert_settles_it(loop: Loop, three):
    panama, antwerp, _ = three
    loop.manifest(1, 2)
    loop.node.scorer.score_all()
    (pick,) = [one for one in loop.run(50).picks if one["unit_id"] == loop.unit(1).id]
    analyst, supervisor = loop.people[Role.ANALYST], loop.people[Role.SUPERVISOR]
    loop.write(lambda tx: picks.take(tx, analyst, pick["id"]))
    hold = loop.write(
        lambda tx: inspect.propose_hold(tx, analyst, pick["id"], ["indicator_weight"])
    )
    loop.write(lambda tx: inspect.holds.confirm(tx, supervisor, hold))
    assert learn(panama) == ["pick"]
    (entry,) = waiting(panama)
    assert (entry["item_id"], entry["item_kind"]) == (None, "alert")
    assert entry["unit_id"] == loop.unit(1).id
    other = _alert(panama, 2)
    send(panama, other.id, antwerp)
    assert len(waiting(panama)) == 1  # about another box
    made = _alert(panama, 1)
    send(panama, made.id, antwerp)
    assert waiting(panama) == []


def test_a_pick_that_was_inspected_waits_to_be_worded_no_longer(loop: Loop, three):
    panama, _, _ = three
    loop.manifest(1)
    loop.node.scorer.score_all()
    (pick,) = loop.run(50).picks
    analyst, supervisor = loop.people[Role.ANALYST], loop.people[Role.SUPERVISOR]
    loop.write(lambda tx: picks.take(tx, analyst, pick["id"]))
    hold = loop.write(lambda tx: inspect.propose_hold(tx, analyst, pick["id"], ["other"]))
    loop.write(lambda tx: inspect.holds.confirm(tx, supervisor, hold))
    learn(panama)
    assert len(waiting(panama)) == 1
    order = loop.write(lambda tx: inspect.order(tx, analyst, pick["id"], CLEAN.control_type))
    inspector = loop.people[Role.INSPECTOR]
    loop.write(lambda tx: inspections.accept(tx, inspector, order))
    loop.write(lambda tx: inspect.report(tx, inspector, order, CLEAN))
    learn(panama)
    assert waiting(panama) == []


def test_what_is_learned_twice_is_told_once(loop: Loop, three):
    panama, _, _ = three
    loop.manifest(1)
    loop.node.scorer.score_all()
    inspect_one(loop, 1, UNLADEN)
    learn(panama)
    inspection = see(panama, _inspection)
    assert act(panama, told.learn, "inspection", inspection) is None  # a job may be done twice
    assert len(own(panama, "sighting")) == 1


def test_a_person_keeps_what_is_not_to_be_shared(loop: Loop, three):
    panama, _, _ = three
    loop.manifest(1)
    loop.node.scorer.score_all()
    inspect_one(loop, 1, seizure())
    inspection = see(panama, _inspection)
    act(panama, seizures.register, panama.staff[Role.SUPERVISOR], inspection, panama.code)
    learn(panama)
    (entry,) = waiting(panama)
    with pytest.raises(Denied):
        act(panama, told.keep, panama.staff[Role.AUDITOR], entry["id"])
    act(panama, told.keep, panama.staff[Role.ANALYST], entry["id"])
    assert waiting(panama) == []
    with pytest.raises(Conflict):
        act(panama, told.keep, panama.staff[Role.ANALYST], entry["id"])


def test_a_result_in_a_chain_waits_for_whoever_asked(loop: Loop, three):
    panama, antwerp, _ = three
    loop.manifest(1)
    loop.node.scorer.score_all()
    unit = loop.unit(1)
    deadline = loop.clock.now() + timedelta(days=3)
    cue = Cue(box(1), panama.code, "cut_off", deadline, voyage=chains.voyage_of(unit))
    chain = f"{antwerp.code}:chn_1"
    act(panama, chains.receive_cue, node_actor(), chain, cue, unit)
    inspect_one(loop, 1)  # nothing found: worth telling to nobody but whoever asked
    learn(panama)
    (entry,) = waiting(panama)
    assert (entry["item_id"], entry["item_kind"]) == (None, "inspection_result")
    analyst = panama.staff[Role.ANALYST]
    act(panama, chains.accept, analyst, chain)
    act(panama, asking.result, analyst, chain, entry["about_id"])
    made = act(panama, asking.tell_result, analyst, panama.code, chain, entry["about_id"])
    act(panama, told.word, analyst, entry["id"], made)
    send(panama, made, antwerp)
    assert waiting(panama) == []


def test_a_node_that_exchanges_with_nobody_lists_nothing(loop: Loop):
    loop.node.database.reactions = {"inspection.done": (told.share_soon,)}
    loop.manifest(1)
    loop.node.scorer.score_all()
    inspect_one(loop, 1, UNLADEN)
    assert loop.write(lambda tx: jobs.lease(tx, "test", [told.JOB])) is None


def _entry_state(panama):
    (row,) = see(panama, lambda tx: tx.execute(to_share_table.select()).mappings().all())
    return row["state"]


def _inspection(tx):
    return tx.execute(inspection_table.select()).mappings().one()["id"]


def _alert(panama, number):
    body = {
        "reason": "risk_assessment", "action": "inspect", "containers": [box(number)],
        "expires_at": "2026-03-01T00:00:00Z",
    }  # fmt: skip
    analyst = panama.staff[Role.ANALYST]
    return act(panama, items.draft, analyst, panama.code, ItemKind.ALERT, body, asking.MARKING)
