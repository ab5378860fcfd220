"""After an agreement changed: what waits, is held or could not follow is decided once more."""

import pytest

from exchange import conftest as nodes
from exchange.test_post import carry
from exchange.world import befriend
from flow.partner_nodes import MARK
from flow.treaties import act, bring, drafted, ratified, receipts_back, see, settle_in, take_in
from isthmus.access.model import Role, node_actor
from isthmus.agreements import lifecycle, service, shipped
from isthmus.exchange import erasure, greeting, post_store, recall, standing
from isthmus.exchange.model import Lane
from isthmus.flow import share
from isthmus.flow.sharing import reconsider, told
from isthmus.intelligence import items, reading, store
from isthmus.intelligence.model import ItemKind
from isthmus.platform import jobs

make = nodes.make  # the fixture of the exchange's own tests
NAME = "PA-BE-2026"
BODY = {
    "reason": "intelligence",
    "action": "inspect",
    "expires_at": "2026-03-01T00:00:00Z",
    "containers": ["MSKU1234565"],
}
# Narrower alerts: kept for less long.
NARROWER = (
    shipped.text_of(NAME)
    .replace("\nversion: 1\n", "\nversion: 2\n", 1)
    .replace("keep_days: 180", "keep_days: 90", 1)
)


@pytest.fixture
def both(make):
    """Panama and Antwerp under their agreement."""
    panama, antwerp = both = make("PA-ANA"), make("BE-DOUANE")
    for one in both:
        settle_in(one)
    befriend(panama, antwerp)
    ratified(NAME, panama, antwerp)
    for one in both:
        work(one)
    return both


def work(node) -> list[str]:
    """Do the jobs that follow from changed agreements."""
    done = []
    while job := act(node, jobs.lease, "test", [reconsider.JOB, told.JOB]):
        if job.kind == reconsider.JOB:
            reconsider.reconsider(node.database, node.policy)
        else:
            act(node, told.learn, job.payload["kind"], job.payload["id"])
        act(node, jobs.finish, job, "test")
        done.append(job.kind)
    return done


def drafted_alert(node, **changes):
    officer = node.staff[Role.ANALYST]
    return act(node, items.draft, officer, node.code, ItemKind.ALERT, BODY | changes, MARK)


def send(node, item, partner) -> str:
    officer = node.staff[Role.ANALYST]
    sent = act(node, share.send, officer, item.id, partner.code, lane=Lane.IMMEDIATE)
    return sent.envelope


def narrow(node) -> None:
    """Put the narrower version in force at one node alone: narrowing needs no partner."""
    drafted(node, f"{NAME}@2", NARROWER)
    act(node, lifecycle.activate, node.lawyers[2], f"{NAME}@2", fictional=True)


def greet(one, other) -> None:
    """Let two nodes tell each other what they hold of the agreements between them."""
    for mine, theirs in ((one, other), (other, one)):
        held = see(theirs, greeting.texts, mine.code)
        act(mine, greeting.heard, theirs.code, {"agreements": held})


def envelope(node, envelope_id):
    row = see(node, post_store.by_id, envelope_id)
    return row["state"], row["code"]


def differing(node):
    found = see(node, standing.status, node.staff[Role.SUPERVISOR])
    return [one["differing"] for one in found["partners"]]


def held_there(antwerp):
    return [row["code"] for row in see(antwerp, post_store.held)]


def test_a_mismatch_is_held_there_shown_on_both_sides_and_goes_on_once_they_agree(both):
    panama, antwerp = both
    narrow(panama)
    item = drafted_alert(panama)
    sent = send(panama, item, antwerp)
    assert carry(panama, antwerp).refused == []
    assert held_there(antwerp) == ["agreement_differs"]
    assert envelope(panama, sent) == ("held", "agreement_differs")
    greet(panama, antwerp)
    assert differing(panama) == [[NAME]]
    assert differing(antwerp) == [[NAME]]
    work(antwerp)
    assert held_there(antwerp) == ["agreement_differs"]  # nothing changed there yet
    narrow(antwerp)
    assert work(antwerp) == ["reconsider"]
    assert held_there(antwerp) == []
    assert take_in(antwerp, item)
    receipts_back(antwerp, panama)
    assert envelope(panama, sent) == ("delivered", None)
    greet(panama, antwerp)
    assert differing(panama) == differing(antwerp) == [[]]


def test_once_the_partner_told_another_text_nothing_leaves_and_nothing_else_waits_behind(both):
    panama, antwerp = both
    narrow(panama)
    greet(panama, antwerp)
    assert not see(panama, service.hashes_agree, antwerp.code, NAME)
    first, second = drafted_alert(panama), drafted_alert(panama)
    sent = [send(panama, one, antwerp) for one in (first, second)]
    assert carry(panama, antwerp) is None
    assert [envelope(panama, one) for one in sent] == [("held", "agreement_differs")] * 2
    assert see(panama, post_store.waiting, antwerp.code, "immediate", 9) == []
    work(panama)
    assert carry(panama, antwerp) is None
    narrow(antwerp)
    greet(panama, antwerp)
    assert "reconsider" in work(panama)
    assert carry(panama, antwerp).refused == []
    assert [envelope(panama, one)[0] for one in sent] == ["delivered"] * 2
    for one in (first, second):
        assert take_in(antwerp, one)
    assert len(see(antwerp, reading.lookouts_in_force)) == 2


def test_what_was_held_here_and_erased_meanwhile_is_stopped(both):
    panama, antwerp = both
    narrow(panama)
    greet(panama, antwerp)
    item = drafted_alert(panama)
    sent = send(panama, item, antwerp)
    assert carry(panama, antwerp) is None
    act(panama, erasure.erase_items, [item.id], "ers_1")
    narrow(antwerp)
    greet(panama, antwerp)
    work(panama)
    assert envelope(panama, sent) == ("stopped", "envelope_erased")
    assert carry(panama, antwerp) is None


def test_a_recall_waits_for_no_agreement(both):
    panama, antwerp = both
    item = drafted_alert(panama)
    send(panama, item, antwerp)
    bring(panama, antwerp, item)
    narrow(panama)
    greet(panama, antwerp)
    taken = act(panama, items.recall, panama.staff[Role.SUPERVISOR], item.id, "resolved")
    assert bring(panama, antwerp, taken)
    assert see(antwerp, reading.lookouts_in_force) == []


def test_what_waited_under_an_amended_text_is_stopped_and_waits_for_its_person(both):
    panama, antwerp = both
    item = drafted_alert(panama)
    sent = send(panama, item, antwerp)
    for one in both:
        narrow(one)
    assert carry(panama, antwerp) is None
    assert envelope(panama, sent) == ("stopped", "agreement_amended")
    assert see(antwerp, store.item, item.id) is None
    work(panama)
    (entry,) = see(panama, share.waiting, panama.staff[Role.ANALYST])
    assert (entry["about_kind"], entry["item_id"]) == ("stopped", item.id)
    (view,) = see(panama, share.compose, panama.staff[Role.ANALYST], item.id)
    assert view.last_version is None  # it never went
    send(panama, item, antwerp)
    assert bring(panama, antwerp, item)
    assert see(panama, share.waiting, panama.staff[Role.ANALYST]) == []


def test_what_the_node_sent_by_itself_goes_again_by_itself(both):
    panama, antwerp = both
    item = drafted_alert(panama)
    (sent,) = act(panama, share.send_automatically, node_actor(), item.id)
    for one in both:
        narrow(one)
    assert carry(panama, antwerp, Lane.ROUTINE) is None
    assert envelope(panama, sent.envelope) == ("stopped", "agreement_amended")
    work(panama)
    assert bring(panama, antwerp, item, Lane.ROUTINE)
    assert see(panama, share.waiting, panama.staff[Role.ANALYST]) == []


def test_a_clause_suspended_between_outbox_and_dispatch_stops_the_envelope(both):
    panama, antwerp = both
    item = drafted_alert(panama)
    sent = send(panama, item, antwerp)
    act(panama, lifecycle.suspend, panama.lawyers[1], NAME, "essential_interests", "art-3")
    assert carry(panama, antwerp) is None
    assert envelope(panama, sent) == ("stopped", "not_in_force")


def test_a_correction_held_back_by_a_suspension_follows_once_it_is_lifted(both):
    panama, antwerp = both
    item = drafted_alert(panama)
    send(panama, item, antwerp)
    bring(panama, antwerp, item)
    pause = act(panama, lifecycle.suspend, panama.lawyers[1], NAME, "essential_interests")
    supervisor = panama.staff[Role.SUPERVISOR]
    made = [
        act(panama, items.correct, supervisor, item.id, [{"path": "containers", "value": [box]}],
            "misread").correction
        for box in ("MSKU7654321", "MSKU9070323")
    ]  # fmt: skip
    (copy,) = see(panama, recall.following, item.id)
    assert copy.state == "withheld"
    work(panama)
    assert carry(panama, antwerp) is None
    act(panama, lifecycle.lift, panama.lawyers[2], pause)
    work(panama)
    assert carry(panama, antwerp).refused == []
    for one in made:
        assert take_in(antwerp, one)
    (lookout,) = see(antwerp, reading.lookouts_in_force)
    assert lookout.item.body["containers"] == ["MSKU9070323"]
    (copy,) = see(panama, recall.following, item.id)
    assert copy.state == "asked"


def test_a_correction_that_an_amendment_stopped_follows_anew(both):
    panama, antwerp = both
    item = drafted_alert(panama)
    send(panama, item, antwerp)
    bring(panama, antwerp, item)
    change = [{"path": "containers", "value": ["MSKU7654321"]}]
    made = act(panama, items.correct, panama.staff[Role.SUPERVISOR], item.id, change, "misread")
    for one in both:
        narrow(one)
    assert carry(panama, antwerp) is None
    work(panama)
    assert bring(panama, antwerp, made.correction)
    (lookout,) = see(antwerp, reading.lookouts_in_force)
    assert lookout.item.body["containers"] == ["MSKU7654321"]
