"""Who a partner's alert names is screened for while the alert stands, and forgotten with it."""

from dataclasses import replace

import pytest

from flow.loop_node import Loop
from flow.test_lookouts import ANTWERP, alert, arrive, bases, current, run
from isthmus.access.model import Purpose, Role, node_actor
from isthmus.flow import judge as flow_judge
from isthmus.intelligence import retention
from isthmus.intelligence.model import ItemKind
from isthmus.parties import hits
from isthmus.parties.hit_store import Wanted
from isthmus.parties.judgements import Given, Verdict
from isthmus.parties.lists import partners, service, status
from isthmus.parties.lists.service import File
from isthmus.parties.tables import entry_table

COMPANY = "CONSTELACION FICTICIA TRADING S.A."
PERSON = "Zacarias Inventado Quimera"


def desk(loop: Loop):
    return loop.read(lambda tx: hits.desk(tx, loop.people[Role.ANALYST], Wanted(), 50))


def entries(loop: Loop, *, standing: bool = True):
    held = entry_table.select().where(entry_table.c.list == partners.LIST)
    if standing:
        held = held.where(entry_table.c.until_version.is_(None))
    return loop.read(lambda tx: list(tx.execute(held.order_by(entry_table.c.key)).mappings()))


def names(loop: Loop) -> list[tuple[str, str]]:
    return [(one["kind"], one["body"]["names"][0][1]) for one in entries(loop)]


def follow_up(loop: Loop) -> None:
    """What the jobs do after a list changed."""
    loop.node.rescreener.rescreen_due()
    loop.node.scorer.score_all()


def about(item, number: str, kind: ItemKind, body):
    return replace(item, id=f"{ANTWERP}:{number}", kind=kind, body=body)


def recall(loop: Loop, item) -> None:
    body = {"about": item.id, "about_kind": "alert", "reason": "source_withdrawn"}
    arrive(loop, about(item, "rcl_1", ItemKind.RECALL, body))


@pytest.fixture
def named(loop: Loop):
    """Forty boxes, one of them to a company that an alert from Antwerp names."""
    loop.manifest(7, consignee=COMPANY, reference="MAN7")
    loop.manifest(*range(11, 50))
    loop.node.scorer.score_all()
    item = alert(loop, companies=[{"name": COMPANY, "country": "PA"}])
    arrive(loop, item)
    follow_up(loop)
    return item


def test_a_company_of_an_alert_is_screened_for_and_waits_to_be_judged(loop: Loop, named) -> None:
    (entry,) = entries(loop)
    assert (entry["kind"], entry["category"], entry["purpose"]) == ("company", None, None)
    assert entry["body"]["lookout"]["owner"] == ANTWERP
    (hit,) = desk(loop)
    assert (hit["list"], hit["state"], hit["basis"]) == (partners.LIST, "open", "name")
    # Nobody has judged it yet: it moves neither score nor picks.
    assert current(loop, 7)["asked_by"] is None
    assert "partner" not in bases(run(loop, 10))


def test_once_judged_the_same_it_is_the_partners_wish_within_its_share(loop: Loop, named) -> None:
    (hit,) = desk(loop)
    given = Given(Verdict.SAME, "name_and_address_same")
    loop.write(lambda tx: flow_judge.judge(tx, loop.people[Role.ANALYST], hit["id"], given))
    loop.node.scorer.score_all()
    rated = current(loop, 7)
    assert rated["asked_by"] == ANTWERP
    # Its own score knows nothing of it: a partner's list is no list of this node's own.
    assert rated["own_score"] < rated["score"]
    made = run(loop, 10)
    (pick,) = [one for one in made.picks if one["basis"] == "partner"]
    assert pick["unit_id"] == loop.unit(7).id


def test_a_recall_ends_the_entry_and_its_hits_and_nothing_of_it_is_kept(loop: Loop, named) -> None:
    recall(loop, named)
    follow_up(loop)
    assert entries(loop) == []
    (gone,) = entries(loop, standing=False)
    assert (gone["body"], gone["digest"], gone["erasure_id"]) == (None, None, partners.ENDED)
    assert desk(loop) == []


def test_it_ends_with_the_alert(loop: Loop, named) -> None:
    loop.later(days=31)
    loop.write(lambda tx: retention.expire(tx, node_actor()))
    follow_up(loop)
    assert entries(loop) == []
    assert desk(loop) == []


def test_it_ends_when_the_alert_is_erased(loop: Loop, named) -> None:
    officer = loop.people[Role.DATA_PROTECTION_OFFICER]
    loop.node.eraser.item(officer, named.id, "subject_request")
    assert entries(loop) == []
    assert all(one["body"] is None for one in entries(loop, standing=False))


def test_a_correction_of_the_name_takes_the_place_of_the_wrong_one(loop: Loop, named) -> None:
    changes = [{"path": "companies.0.name", "value": "OTRA EMPRESA FICTICIA S.A."}]
    body = {
        "about": named.id, "about_kind": "alert", "version": 1, "reason": "typing_error",
        "changes": changes,
    }  # fmt: skip
    arrive(loop, about(named, "cor_1", ItemKind.CORRECTION, body))
    assert names(loop) == [("company", "OTRA EMPRESA FICTICIA S.A.")]


def test_what_came_for_a_court_is_screened_for_by_nobody(loop: Loop) -> None:
    arrive(loop, alert(loop, companies=[{"name": COMPANY}]), Purpose.JUDICIAL)
    assert entries(loop) == []


def test_of_the_persons_those_suspected_or_convicted_are_watched_for(loop: Loop) -> None:
    categories = ("suspect", "convicted", "witness", "victim", "minor", "contact", "unclassified")
    persons = [{"category": one, "name": f"{PERSON} {one}"} for one in categories]
    arrive(loop, alert(loop, persons=[*persons, {"category": "suspect"}]))
    held = entries(loop)
    assert sorted(one["category"] for one in held) == ["convicted", "suspect"]
    assert {one["purpose"] for one in held} == {"targeting"}
    assert all(one["review_on"] is not None for one in held)


def test_persons_that_the_sender_withheld_are_not_there_to_be_entered(loop: Loop) -> None:
    arrive(loop, alert(loop, persons=[{}, {"category": "suspect", "name": PERSON}]))
    assert names(loop) == [("person", PERSON)]


def test_a_ship_of_an_alert_is_met_by_its_number_at_once_and_counted_once(loop: Loop) -> None:
    loop.manifest(*range(1, 21))
    loop.node.scorer.score_all()
    arrive(loop, alert(loop, vessels=[{"imo": "9321483", "name": "EXAMPLE"}]))
    follow_up(loop)
    assert names(loop) == [("vessel", "EXAMPLE")]
    assert current(loop, 1)["asked_by"] == ANTWERP
    made = run(loop, 10)
    assert bases(made)["partner"] == 1


def test_an_alert_without_names_makes_no_version_of_the_list(loop: Loop) -> None:
    arrive(loop, alert(loop, containers=["MSKU1234565"]))
    analyst = loop.people[Role.ANALYST]
    told = {one["list"]: one for one in loop.read(lambda tx: status.status(tx, analyst))}
    assert told[partners.LIST]["version"] is None
    arrive(loop, alert(loop, "alr_2", companies=[{"name": COMPANY}]))
    told = {one["list"]: one for one in loop.read(lambda tx: status.status(tx, analyst))}
    assert told[partners.LIST]["version"] == 1
    assert told[partners.LIST]["counts"] == {"entries": 1}
    assert told[partners.LIST]["stale"] is False


def test_no_file_is_taken_for_the_list_of_partners(loop: Loop) -> None:
    supervisor = loop.people[Role.SUPERVISOR]
    outcome = loop.write(
        lambda tx: service.take(tx, supervisor, partners.LIST, [File("x.csv", b"key,name\n1,X\n")])
    )
    assert outcome.state == "refused"
    assert [one.code for one in outcome.alarms] == ["list_follows_alerts"]


def test_however_many_run_out_at_once_all_are_followed(loop: Loop) -> None:
    """More than one event carries: each of them ends."""
    for number in range(130):
        arrive(loop, alert(loop, f"alr_{number}", companies=[{"name": f"FICTICIA {number} S.A."}]))
    assert len(entries(loop)) == 130
    loop.later(days=31)
    gone = loop.write(lambda tx: retention.expire(tx, node_actor()))
    assert len(gone) == 130
    assert entries(loop) == []
