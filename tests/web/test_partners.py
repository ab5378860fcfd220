"""The desk of partners: the ceremony by two people, what is held and why, proofs handed out."""

import re
from collections.abc import Iterator

import pytest

from api.two_nodes import AGREEMENT, OWN, PARTNER, Two, make_two
from exchange.world import Party, party
from isthmus.access.model import Role
from isthmus.agreements import lifecycle, service
from isthmus.exchange.proof import bundle
from isthmus.exchange.trust import identity
from isthmus.kernel.time import SetClock
from isthmus.migrations import tables
from isthmus.platform.database import Database
from isthmus.platform.keys import KeyRing
from isthmus.reference.codelist import LOCALES
from isthmus.web.app import mount
from web.conftest import browser, csrf
from web.test_agreements import as_person, send


@pytest.fixture
def two(tmp_path) -> Iterator[Two]:
    made = make_two(tmp_path, SetClock())
    mount(made.api.app, made.api.node)
    yield made
    made.api.node.close()
    made.there.database.close()


@pytest.fixture
def third(tmp_path, two) -> Iterator[Party]:
    """A node that is no partner yet."""
    database = Database(f"sqlite:///{tmp_path / 'third.db'}", two.api.clock, KeyRing.generate())
    tables.metadata.create_all(database.migrator())
    yield party(database, "BE-DOUANE")
    database.close()


@pytest.mark.parametrize("language", LOCALES)
def test_every_page_reads_in_every_language(two, language):
    two.send(two.alert())
    two.carry()
    client = browser(two.api, Role.SUPERVISOR, language)
    for path in ("/partners", f"/partners/{PARTNER}"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert f'<html lang="{language}"' in answer.text
        assert not re.findall(r">[a-z_]+\.[a-z_.]+<", answer.text)


def test_two_people_compare_what_they_heard(two, third):
    first, second = (
        as_person(two, one) for one in (two.here.staff[Role.SUPERVISOR], two.here.second)
    )
    card = identity.read_card(third.card())
    path = "/partners/BE-DOUANE"
    made = send(first, "/partners", card=third.card().decode())
    assert made == f"{path}?done=partner_proposed"
    text = first.get(path).text
    # What the card says stands nowhere: nobody can type it off the page.
    assert card.signing_fingerprint not in text
    assert card.signing_fingerprint[:4].upper() not in re.findall(r"<code>([0-9A-F]{4})", text)
    own = two.here.database.read(identity.card)
    mine = identity.read_card(own).signing_fingerprint
    assert f"<code>{mine[:4].upper()}</code>" in text
    heard = {"signing": card.signing_fingerprint, "certificate": card.certificate_fingerprint}
    wrong = {**heard, "certificate": "0" * 64}
    assert "problem=fingerprint_differs" in send(first, f"{path}/compare", **wrong)
    assert "done=partner_compared" in send(first, f"{path}/compare", **heard)
    assert "problem=second_person_needed" in send(first, f"{path}/compare", **heard)
    assert "done=partner_trusted" in send(second, f"{path}/compare", **heard)
    assert "problem=partner_state" in send(second, f"{path}/compare", **heard)
    assert card.signing_fingerprint[:4] in first.get(path).text
    assert "done=partner_suspended" in send(first, f"{path}/suspend")
    assert "done=partner_resumed" in send(first, f"{path}/resume")


def test_a_card_that_was_changed_is_refused_in_words(two, third):
    client = browser(two.api, Role.SUPERVISOR)
    torn = third.card().decode().replace("BE-DOUANE", "BE-DOUANF")
    assert "problem=" in send(client, "/partners", card=torn)
    assert "problem=card_wrong" in send(client, "/partners", card="not a card")
    own = two.here.card().decode()
    assert "problem=partner_is_self" in send(client, "/partners", card=own)
    foreign = send(client, f"/partners/{PARTNER}/replace", card=third.card().decode())
    assert "problem=card_foreign" in foreign
    assert "This card is of another node" in client.get(foreign).text


def test_a_key_in_wrong_hands_is_replaced_and_the_ceremony_begins_anew(two):
    client = browser(two.api, Role.SUPERVISOR)
    two.there.database.write(
        lambda tx: identity.make_keys(tx, PARTNER, "127.0.0.1:9", tx.now)
    )  # fmt: skip
    done = send(client, f"/partners/{PARTNER}/replace", card=two.there.card().decode())
    assert "done=partner_replaced" in done
    text = client.get(done).text
    assert "Counts for nothing" in text
    assert "Proposed, not compared" in text


def test_what_is_held_says_why_with_both_hashes(two):
    own = two.here.database.read(lambda tx: service.hash_of(tx, AGREEMENT))
    two.there.database.write(
        lambda tx: lifecycle.withdraw(tx, two.there.staff[Role.LEGAL_OFFICER], f"{AGREEMENT}@1")
    )
    two.send(two.alert())
    two.carry()
    text = browser(two.api, Role.SUPERVISOR).get(f"/partners/{PARTNER}").text
    assert "sent, held there" in text
    assert "The receiving node has no such agreement in force." in text
    assert f"<span>{own[:4]}</span>" in text


def test_a_proof_is_handed_out_to_who_may_read_the_ledger(two):
    envelope = two.send(two.alert())
    two.carry()
    path = f"/partners/proofs/{envelope}"
    assert browser(two.api, Role.ANALYST).get(path).status_code == 403
    answer = browser(two.api, Role.AUDITOR).get(path)
    found, findings = bundle.verify(answer.content, None)
    assert found is not None, findings
    assert (found.sender, found.recipient) == (OWN, PARTNER)


def test_who_may_only_look_finds_no_forms(two):
    text = browser(two.api, Role.AUDITOR).get(f"/partners/{PARTNER}").text
    assert "/suspend" not in text
    assert "/replace" not in text
    client = browser(two.api, Role.AUDITOR)
    refused = client.post(f"/partners/{PARTNER}/suspend", data={"csrf": csrf(client)})
    assert refused.status_code == 403
    assert browser(two.api, Role.INSPECTOR).get("/partners").status_code == 403


def test_a_node_that_does_not_exchange_says_what_to_do(quiet):
    text = browser(quiet, Role.SUPERVISOR).get("/partners").text
    assert "isthmus exchange init" in text
    assert "No partners yet" in text
    assert browser(quiet, Role.SUPERVISOR).get("/partners/NO-SUCH").status_code == 404
