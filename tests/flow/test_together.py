"""Two nodes on one question, one box, one seizure: each act at one stands at the other."""

from datetime import timedelta

import pytest

from exchange import conftest as nodes
from exchange.world import befriend
from flow.treaties import act, bring, envelope_of, ratified, receipts_back, see, settle_in
from isthmus.access.model import Purpose, Role, node_actor
from isthmus.agreements.model import Mode
from isthmus.cargo import store as cargo
from isthmus.cargo.unit import Unit
from isthmus.cases import chains, partner_store, requests, seizures, store
from isthmus.cases.chains import Cue
from isthmus.cases.partner_model import Voyage
from isthmus.cases.requests import Question
from isthmus.exchange import receipts
from isthmus.exchange.model import Lane, ReceiptKind
from isthmus.flow import share
from isthmus.flow.share import Said
from isthmus.flow.sharing import asking, telling, together
from isthmus.flow.sharing.asking import Words
from isthmus.intelligence import arrivals, keeping
from isthmus.intelligence import store as items
from isthmus.intelligence.keeping import Came
from isthmus.intelligence.model import Item, ItemKind
from isthmus.kernel.ids import new_id
from isthmus.platform import jobs

make = nodes.make  # the fixture of the exchange's own tests
BOX = "ISTU0000012"
ASKED = Said(Purpose.INSPECTION, frozenset({"case_number"}), mode=Mode.ON_REQUEST)


@pytest.fixture
def both(make):
    """Panama and Rotterdam under their agreement, each with the box on its papers."""
    two = tuple(make(code) for code in ("PA-ANA", "NL-DOUANE"))
    for one in two:
        settle_in(one)
        now = one.database.clock.now()
        unit = Unit(
            id=new_id("unit"), kind="container", container=BOX, office="X", bill="B1",
            place_discharge="NLRTM", created_at=now, changed_at=now,
        )  # fmt: skip
        one.database.write(lambda tx, u=unit: cargo.insert_units(tx, [u]))
    befriend(*two)
    ratified("PA-NL-2026", *two)
    return two


def officer(node):
    return node.staff[Role.ANALYST]


def work(node) -> None:
    """Do the jobs of this area that wait, as the node's workers would."""
    while job := node.database.write(lambda tx: jobs.lease(tx, "test", [telling.JOB])):
        together.do(node.database, job.payload)
        node.database.write(lambda tx, one=job: jobs.finish(tx, one, "test"))


def send(one, other, item_id, said=ASKED) -> None:
    """Send an item, have it come in at the other node, and let both take notice."""
    act(one, share.send, officer(one), item_id, other.code, said, lane=Lane.IMMEDIATE)
    item = see(one, lambda tx: keeping.load(tx, items.copies_of(tx, item_id)[-1]))
    assert bring(one, other, item)
    work(one)
    work(other)


def tell_back(one, other) -> None:
    """Bring the receipts that tell what was done, and take notice."""
    receipts_back(one, other)
    work(other)


def request(node, item_id):
    return see(node, requests.request, officer(node), item_id)


def asked(panama, rotterdam, **changes) -> str:
    question = Question(rotterdam.code, ("seal_history",), own_case="PA-2026-7", **changes)
    words = Words("¿Qué precintos llevaba?", "es")
    return act(panama, asking.ask, officer(panama), panama.code, question, [BOX], words)


def test_a_question_is_a_task_there_and_each_step_stands_here(both):
    panama, rotterdam = both
    item = asked(panama, rotterdam)
    send(panama, rotterdam, item)
    mine, theirs = request(panama, item), request(rotterdam, item)
    assert (mine["state"], theirs["state"]) == ("sent", "sent")
    assert theirs["partner_case"] == "PA-2026-7"
    assert mine["citation"] == theirs["citation"] == "PA-NL-2026/art-4"
    assert mine["answer_by"] == theirs["answer_by"]
    act(rotterdam, requests.acknowledge, officer(rotterdam), item, "NL-99")
    act(rotterdam, requests.need_more, officer(rotterdam), item, ["window_from"])
    tell_back(rotterdam, panama)
    mine = request(panama, item)
    assert (mine["state"], mine["partner_case"], mine["lacks"]) == (
        "need_more", "NL-99", ["window_from"],
    )  # fmt: skip
    act(rotterdam, requests.accept, officer(rotterdam), item)
    tell_back(rotterdam, panama)
    assert request(panama, item)["lacks"] is None


def test_an_answer_that_is_sent_answers_and_its_feedback_comes_back(both):
    panama, rotterdam = both
    item = asked(panama, rotterdam)
    send(panama, rotterdam, item)
    who = officer(rotterdam)
    made = act(rotterdam, asking.answer, who, rotterdam.code, item, "full", containers=[BOX])
    body = see(rotterdam, lambda tx: keeping.load(tx, items.copies_of(tx, made)[-1])).body
    assert set(body) == {"request", "outcome", "answered_at", "case_number", "containers"}
    assert body["containers"] == [BOX]  # of the box nothing that was not asked
    assert request(rotterdam, item)["state"] == "sent"  # a draft answers nothing
    send(rotterdam, panama, made)
    assert request(rotterdam, item)["state"] == request(panama, item)["state"] == "answered"
    told = act(panama, asking.feedback, officer(panama), panama.code, item, "not_used")
    send(panama, rotterdam, told)
    assert request(panama, item)["state"] == request(rotterdam, item)["state"] == "used"
    assert request(rotterdam, item)["feedback"] == "not_used"
    assert see(rotterdam, requests.tasks, officer(rotterdam)) == []
    act(panama, requests.close, officer(panama), item)
    tell_back(panama, rotterdam)
    assert request(rotterdam, item)["state"] == "closed"


def test_a_refusal_is_told_with_its_ground_and_no_partner_tells_another_s_step(both):
    panama, rotterdam = both
    item = asked(panama, rotterdam)
    send(panama, rotterdam, item)
    act(rotterdam, requests.acknowledge, officer(rotterdam), item)
    act(rotterdam, requests.refuse, officer(rotterdam), item, "ongoing_investigation")
    came = envelope_of(rotterdam, see(rotterdam, lambda tx: keeping.load(
        tx, items.copies_of(tx, item)[-1])))  # fmt: skip
    # What is no step, or an impossible one, is noted and stops nothing.
    for wrong in ("request.closed", "request.nonsense", "chain.accepted"):
        act(rotterdam, receipts.tell, came, ReceiptKind.USED, wrong, "x")
    tell_back(rotterdam, panama)
    mine = request(panama, item)
    assert (mine["state"], mine["refusal_ground"]) == ("refused", "ongoing_investigation")


def test_a_question_to_another_that_is_passed_on_is_no_task(both):
    _, rotterdam = both
    body = {"questions": ["origin"], "case_number": "1", "urgency": "normal"}
    now = rotterdam.database.clock.now()
    item = Item("PA-ANA:req_9", ItemKind.REQUEST, 1, "PA-ANA", now, asking.MARKING, body)
    came = Came(source="env_9", partner="BE-DOUANE")
    act(rotterdam, arrivals.receive, node_actor(), item, came)
    work(rotterdam)
    assert see(rotterdam, requests.tasks, officer(rotterdam)) == []


def cued(panama, rotterdam) -> tuple[str, str]:
    unit = see(panama, together.newest_unit, BOX)
    now = panama.database.clock.now()
    voyage = Voyage("9321483", "601W", now + timedelta(days=12))
    ask = Cue(BOX, rotterdam.code, "cut_off", now + timedelta(days=14), "NLRTM", voyage)
    return act(panama, asking.cue, officer(panama), panama.code, unit.id, ask)


def inspected(node, result: str, **more) -> str:
    """An inspection of the box that is done."""
    unit = see(node, together.newest_unit, BOX)
    now = node.database.clock.now()
    row = {
        "id": new_id("insp"), "pick_id": None, "unit_id": unit.id, "office": "X", "state": "done",
        "control_type": "physical_full", "ordered_by": officer(node).id, "ordered_at": now,
        "done_by": officer(node).id, "done_at": now, "result": result, **more,
    }  # fmt: skip
    node.database.write(lambda tx: store.insert_inspection(tx, row))
    found = {"id": new_id("find"), "inspection_id": row["id"], "goods": "cocaine",
             "quantity": 40.0, "unit": "KGM", "zone": "doors"}  # fmt: skip
    if result == "seizure":
        node.database.write(lambda tx: store.insert_findings(tx, [found]))
    return row["id"]


def tell(node, chain: str, inspection: str) -> str:
    return act(node, asking.tell_result, officer(node), node.code, chain, inspection)


def chain_at(node, chain_id):
    return see(node, chains.chain, officer(node), chain_id)


def test_one_chain_stands_at_both_nodes_from_cue_to_seizure(both):
    panama, rotterdam = both
    chain, item = cued(panama, rotterdam)
    send(panama, rotterdam, item, Said(Purpose.INSPECTION))
    theirs = chain_at(rotterdam, chain)
    assert (theirs["ours"], theirs["port"], theirs["voyage"]) == (True, "NLRTM", "601W")
    assert theirs["guards_until"] == chain_at(panama, chain)["guards_until"]
    act(rotterdam, chains.accept, officer(rotterdam), chain)
    tell_back(rotterdam, panama)
    assert chain_at(panama, chain)["state"] == "accepted"
    done = inspected(rotterdam, "seizure")
    number = act(rotterdam, seizures.register, officer(rotterdam), done, rotterdam.code)
    act(rotterdam, asking.result, officer(rotterdam), chain, done)
    result = tell(rotterdam, chain, done)
    send(rotterdam, panama, result, Said(Purpose.INSPECTION))
    here = chain_at(panama, chain)
    assert (here["state"], here["result"], here["seizure"]) == ("result", "seizure", number)
    notice = act(rotterdam, asking.seizure, officer(rotterdam), rotterdam.code, number)
    send(rotterdam, panama, notice, Said(Purpose.INSPECTION))

    def credit(node):
        return see(node, lambda tx: [
            (row["node"], row["role"], row["share"])
            for row in partner_store.credits_of(tx, everything(), [number])
        ])  # fmt: skip

    assert credit(panama) == credit(rotterdam)
    (line,) = see(panama, seizures.goods, officer(panama), [number])
    assert (line["goods"], line["quantity"]) == ("cocaine", 40.0)
    own = see(rotterdam, lambda tx: partner_store.seizure_row(tx, number))
    assert own["noticed_at"] is not None


def everything():
    from isthmus.access.gate import scope
    from isthmus.access.model import Permission

    return scope(node_actor(), Permission.SEIZURE_READ)


def test_a_second_opening_is_told_to_the_partner_at_once(both):
    panama, rotterdam = both
    chain, item = cued(panama, rotterdam)
    send(panama, rotterdam, item, Said(Purpose.INSPECTION))
    act(rotterdam, chains.accept, officer(rotterdam), chain)
    opened = inspected(rotterdam, "no_irregularity")
    act(rotterdam, asking.result, officer(rotterdam), chain, opened)
    first = tell(rotterdam, chain, opened)
    send(rotterdam, panama, first, Said(Purpose.INSPECTION))
    again = inspected(rotterdam, "seizure", override="seal_changed", chain=chain)
    why = chains.Override("seal_changed", "Ander zegel", "nl")
    act(rotterdam, chains.reopen, officer(rotterdam), chain, again, why)
    tell_back(rotterdam, panama)
    (row,) = see(panama, chains.reopenings, officer(panama), chain)
    assert (row["node"], row["reason"], row["words"]) == (rotterdam.code, "seal_changed", None)
    second = tell(rotterdam, chain, again)
    send(rotterdam, panama, second, Said(Purpose.INSPECTION))
    (row,) = see(panama, chains.reopenings, officer(panama), chain)
    assert row["result"] == "seizure"
    assert chain_at(panama, chain)["result"] == "no_irregularity"  # the first stays what it was
