"""The live page: what goes to and fro, said in words, with who is away by name."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from api.test_partners import greet
from api.two_nodes import AGREEMENT, PARTNER, Two, make_two
from isthmus.access.model import Role
from isthmus.exchange import receipts, upkeep
from isthmus.exchange.model import Lane, ReceiptKind
from isthmus.exchange.presence import QUIET
from isthmus.intelligence import items
from isthmus.kernel.time import SetClock
from isthmus.reference.codelist import LOCALES
from isthmus.web import live
from isthmus.web.app import mount
from web.conftest import browser


@pytest.fixture
def two(tmp_path) -> Iterator[Two]:
    made = make_two(tmp_path, SetClock())
    mount(made.api.app, made.api.node)
    yield made
    made.api.node.close()
    made.there.database.close()


def part(two: Two, role: Role = Role.SUPERVISOR, language: str = "en") -> str:
    answer = browser(two.api, role, language).get("/live?part=1")
    assert answer.status_code == 200
    return answer.text


def test_an_envelope_is_told_from_waiting_to_used(two):
    item = two.alert()
    two.send(item)
    text = part(two)
    assert "Waiting" in text
    assert "MSKU1234565" in text
    assert f"{AGREEMENT}/art-3" in text
    assert "A. Someone" not in text
    two.carry()
    assert "Delivered" in part(two)
    there = two.arrive(item)
    for kind, word in ((ReceiptKind.OPENED, "Opened"), (ReceiptKind.USED, "Used")):
        two.there.database.write(lambda tx, k=kind: receipts.tell(tx, there, k))
        two.back()
        text = part(two)
        assert f"</svg> {word}</span>" in text
    assert "/partners/proofs/env_" in text


def test_round_trips_are_of_the_last_hour_and_said_with_their_number(two):
    assert "nothing was sent and receipted in the last hour" in part(two)
    two.send(two.alert())
    two.api.clock.advance(timedelta(milliseconds=12))
    two.carry()
    text = part(two)
    assert "12 ms" in text
    assert "of 1 envelopes" in text
    two.api.clock.advance(timedelta(hours=1, seconds=1))
    assert "nothing was sent and receipted in the last hour" in part(two)


def test_percentiles_are_values_that_were_measured():
    spans = [timedelta(milliseconds=one) for one in range(1, 101)]
    trips = live._trips(spans)
    assert (trips.count, trips.p50, trips.p99) == (100, 50.0, 99.0)
    assert live._trips([]).p50 is None


def test_who_is_away_stands_there_by_name(two):
    greet(two)
    assert "nobody" in part(two)
    two.api.clock.advance(QUIET + timedelta(seconds=1))
    text = part(two)
    assert re.search(rf'<b class="late">\s*{PARTNER}\s*</b>', text)


def test_a_recall_names_who_has_not_answered_and_who_is_away(two):
    item = two.alert()
    two.send(item)
    two.carry()
    two.arrive(item)
    greet(two)
    officer = two.here.staff[Role.SUPERVISOR]
    taken = two.here.database.write(
        lambda tx: items.recall(tx, officer, item.id, "source_withdrawn")
    )
    text = part(two)
    assert "0 of 1 holders have done it" in text
    assert "asked, not answered yet" in text
    two.api.clock.advance(QUIET + timedelta(seconds=1))
    assert "is away; it is done on its return" in part(two)
    two.carry()
    two.arrive(taken)
    two.back()
    assert "1 of 1 holders have done it" in part(two)


def test_a_correction_is_followed_as_a_recall_is(two):
    item = two.alert()
    two.send(item)
    two.carry()
    two.arrive(item)
    greet(two)
    officer = two.here.staff[Role.SUPERVISOR]
    changes = [{"path": "action", "value": "observe"}]
    made = two.here.database.write(
        lambda tx: items.correct(tx, officer, item.id, changes, "new_information")
    )
    text = part(two)
    assert "0 of 1 holders have done it" in text
    assert re.search(r"</svg> Correction</span>", text)
    two.carry()
    two.arrive(made.correction)
    two.back()
    assert "1 of 1 holders have done it" in part(two)


def test_the_checkpoint_is_said_with_its_witnesses(two):
    two.send(two.alert())
    two.carry()
    for one in (two.here, two.there):
        upkeep.seal_ledger(one.database)
    assert f"not yet by {PARTNER}" in part(two)
    greet(two)
    greet(two)
    assert f"witnessed by {PARTNER}" in part(two)
    assert "entries" not in part(two, Role.ANALYST)


def test_who_reads_no_items_sees_the_kind_alone(two):
    two.send(two.alert())
    text = part(two, Role.LEGAL_OFFICER)
    assert "Alert (lookout)" in text
    assert "MSKU1234565" not in text
    assert "/items/" not in text


@pytest.mark.parametrize("language", LOCALES)
def test_it_reads_in_every_language_with_script_and_without(two, language):
    two.send(two.alert(), Lane.FLASH)
    client = browser(two.api, Role.SUPERVISOR, language)
    whole = client.get("/live").text
    assert "http-equiv" not in whole
    assert '<script src="/static/live.js" defer>' in whole
    assert not re.findall(r">[a-z_]+\.[a-z_.]+<", whole)
    by_itself = client.get("/live?every=5").text
    assert '<meta http-equiv="refresh" content="5">' in by_itself
    alone = client.get("/live?part=1").text
    assert "<html" not in alone
    assert "<script" not in alone


def test_a_node_that_does_not_exchange_says_so(quiet):
    text = browser(quiet, Role.SUPERVISOR).get("/live").text
    assert "isthmus exchange init" in text


def test_it_is_for_those_who_may_see_partners(two):
    assert browser(two.api, Role.INSPECTOR).get("/live").status_code == 403
