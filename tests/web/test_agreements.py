"""The desk of agreements: read by a lawyer in five languages, and every act by the right people."""

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from api.test_agreements import NARROWER, TEXT, WIDER
from api.two_nodes import AGREEMENT, PARTNER, Two, make_two
from isthmus.access import sessions, store
from isthmus.access.model import Actor, Role
from isthmus.agreements import listing, service
from isthmus.kernel.time import SetClock
from isthmus.reference.codelist import LOCALES
from isthmus.web.app import mount
from web.conftest import browser, csrf

PAGES = (
    "/agreements",
    f"/agreements/{AGREEMENT}",
    "/agreements/PA-BE-FR-NL-2025",
    "/agreements/commitments",
    "/agreements/overlay",
    "/agreements/check",
    f"/agreements/try?recipient={PARTNER}&kind=alert&purpose=targeting&mode=spontaneous",
)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    made = make_two(tmp_path_factory.mktemp("agreements"), SetClock())
    mount(made.api.app, made.api.node)
    yield made
    made.api.node.close()
    made.there.database.close()


def as_person(two: Two, actor: Actor) -> TestClient:
    """A browser of any person."""
    client = TestClient(two.api.app, base_url="http://node.test", follow_redirects=False)
    node = two.api.node
    _, token = node.database.write(
        lambda tx: sessions.start(tx, store.person(tx, actor.id), node.session_terms)
    )
    client.cookies.set("isthmus_session", token)
    client.cookies.set("isthmus_language", "en")
    return client


def send(client: TestClient, path: str, **fields: str) -> str:
    """Send a form; return where it leads."""
    answer = client.post(path, data={"csrf": csrf(client), **fields})
    assert answer.status_code == 303, answer.text[:2000]
    return answer.headers["location"]


@pytest.mark.parametrize("language", LOCALES)
@pytest.mark.parametrize("path", PAGES)
def test_every_page_reads_in_every_language(two, path, language):
    answer = browser(two.api, Role.LEGAL_OFFICER, language).get(path)
    assert answer.status_code == 200
    assert f'<html lang="{language}"' in answer.text
    assert not re.findall(r">[a-z_]+\.[a-z_.]+<", answer.text)


def test_the_register_says_loudly_what_is_made_up_and_what_binds_nobody(two):
    text = browser(two.api, Role.ANALYST).get("/agreements").text
    assert 'class="fictional"' in text
    assert "It commits and discloses nothing by itself." in text
    assert "Its text is not public" in text
    assert "Known, not entered here" in text


def test_a_clause_is_a_sentence_with_examples_that_hold(two):
    text = browser(two.api, Role.LEGAL_OFFICER).get(f"/agreements/{AGREEMENT}").text
    assert "NL-DOUANE and PA-ANA may send each other: Alert (lookout) and Sighting." in text
    assert "appropriate safeguards in a binding instrument" in text
    assert "within 24 hours" in text
    assert "All hold" in text
    assert "Not as meant" not in text


def test_a_file_is_checked_and_refused_with_its_place(two):
    client = browser(two.api, Role.LEGAL_OFFICER)
    good = client.post("/agreements/check", data={"csrf": csrf(client), "text": TEXT})
    assert "examples come out as written" in good.text
    bad = client.post("/agreements/check", data={"csrf": csrf(client), "text": TEXT[:400]})
    assert bad.status_code == 422
    assert "The file cannot be entered" in bad.text
    reader = browser(two.api, Role.ANALYST)
    assert reader.post(
        "/agreements/enter", data={"csrf": csrf(reader), "text": WIDER}
    ).status_code == 403  # fmt: skip


def test_a_decision_is_tried_in_words(two):
    text = browser(two.api, Role.LEGAL_OFFICER, "es").get(PAGES[-1]).text
    assert f"Sale según {AGREEMENT}/art-3." in text
    assert f"{AGREEMENT}/art-7" in text


def test_a_clause_is_stopped_with_a_reason_and_lifted_by_another(two):
    two.send(two.alert())
    first, second = (as_person(two, one) for one in two.lawyers[:2])
    path = f"/agreements/{AGREEMENT}"
    before = first.get(f"{path}?without=art-3").text
    assert "what would have stayed behind" in before
    assert "1 would have been different" in before
    assert "problem=ground_unknown" in send(first, f"{path}/suspend", clause="art-3", ground="mood")
    done = send(first, f"{path}/suspend", clause="art-3", ground="essential_interests")
    assert "done=agreement_suspend" in done
    text = first.get(path).text
    assert "Stopped by this node" in text
    assert "Essential interests of the state" in text
    (lift,) = set(re.findall(rf"{path}/lift/sus_[0-9a-z]+", text))
    assert "problem=second_person" in send(first, lift)
    assert "done=agreement_lift" in send(second, lift)
    assert "Lifted" in first.get(path).text


def test_a_version_is_reviewed_by_two_and_shows_what_it_would_alter(two):
    drafter, first, second = (as_person(two, one) for one in two.lawyers)
    item = two.alert()
    two.send(item)
    made = send(drafter, "/agreements/enter", text=NARROWER)
    assert made.startswith(f"/agreements/{AGREEMENT}?version=2")
    text = drafter.get(made).text
    assert "What it would have altered" in text
    assert "Containers" in text
    path = f"/agreements/{AGREEMENT}/2"
    assert "problem=second_person" in send(drafter, f"{path}/review")
    assert "done=agreement_review" in send(first, f"{path}/review")
    assert "agreement.example_failed" in send(second, f"{path}/review")
    assert "problem=agreement_not_sure" in send(first, f"{path}/withdraw")
    assert "done=agreement_withdraw" in send(first, f"{path}/withdraw", sure="yes")
    assert two.here.database.read(lambda tx: service.hash_of(tx, AGREEMENT)) is not None


def test_signatures_go_out_as_a_file_and_come_in_by_hand(two):
    drafter, first, second = (as_person(two, one) for one in two.lawyers)
    text = WIDER.replace("version: 2", "version: 3", 1)
    send(drafter, "/agreements/enter", text=text)
    path = f"/agreements/{AGREEMENT}/3"
    send(first, f"{path}/review")
    send(second, f"{path}/review")
    file = second.post(f"{path}/sign", data={"csrf": csrf(second)})
    assert file.headers["content-disposition"].endswith('-3.PA-ANA.signature.txt"')
    wrong = send(second, f"{path}/signature", party=PARTNER, signature=file.text)
    assert "problem=signature_wrong" in wrong
    torn = send(second, f"{path}/signature", party=PARTNER, signature="no signature")
    assert "problem=" in torn
    lacking = send(second, f"{path}/activate", fictional="yes")
    assert "problem=signatures_missing" in lacking
    assert "problem=agreement_fictional" in send(second, f"{path}/activate")
    send(first, f"{path}/withdraw", sure="yes")


def test_the_overlay_is_proposed_tried_and_approved_by_another(two):
    first, second = (as_person(two, one) for one in two.lawyers[:2])
    rule = "id: no-ships\nground: ongoing_investigation\nfields: [vessels]"
    path = "/agreements/overlay"
    tried = first.post(f"{path}/propose", data={"csrf": csrf(first), "rule": rule, "act": "try"})
    assert "Under the rule no-ships" in tried.text
    wrong = first.post(f"{path}/propose", data={"csrf": csrf(first), "rule": "[", "act": "try"})
    assert wrong.status_code == 422
    assert "not YAML" in wrong.text
    assert "done=overlay_proposed" in send(first, f"{path}/propose", rule=rule, act="propose")
    (change,) = set(re.findall(rf"{path}/approve/ovl_[0-9a-z]+", first.get(path).text))
    assert "problem=second_person" in send(first, change)
    assert "done=overlay_approved" in send(second, change)
    assert "no-ships" in first.get(path).text
    assert "done=overlay_proposed" in send(first, f"{path}/remove", rule="no-ships")


def test_a_commitment_is_kept_by_evidence(two):
    first, second = (as_person(two, one) for one in two.lawyers[:2])
    text = first.get("/agreements/commitments").text
    one = re.findall(rf'value="({AGREEMENT}/[a-z0-9-]+)"', text)[0]
    path = "/agreements/commitments"
    assert "problem=evidence_missing" in send(first, f"{path}/evidence", id=one, events=" ")
    assert "done=commitment_evidence" in send(first, f"{path}/evidence", id=one, events="evt_1")
    assert "problem=second_person" in send(first, f"{path}/verify", id=one, holds="yes")
    assert "done=commitment_changed" in send(second, f"{path}/verify", id=one, holds="yes")
    assert "Verified" in first.get(path).text


def test_a_table_of_names_gives_no_authority(two):
    rows = listing.read_csv("number,title,theme\n1,An accord,maritime\n2,,\n")
    lawyer = two.lawyers[0]
    two.here.database.write(lambda tx: listing.take(tx, lawyer, "PA-MX-2016", rows))
    text = browser(two.api, Role.LEGAL_OFFICER).get("/agreements").text
    assert "PA-MX-2016" in text
    assert "A row gives no authority to share" in text


def test_where_a_partner_holds_another_text_both_hashes_stand(two):
    own = two.here.database.read(lambda tx: service.hash_of(tx, AGREEMENT))
    two.here.database.write(lambda tx: service.note_partner_hash(tx, PARTNER, AGREEMENT, "ab" * 32))
    client = browser(two.api, Role.LEGAL_OFFICER)
    for path in ("/agreements", f"/agreements/{AGREEMENT}"):
        text = client.get(path).text
        assert "holds another text since" in text
        assert f"<span>{own[:4]}</span>" in text
        assert "<span>abab</span>" in text
    two.here.database.write(lambda tx: service.note_partner_hash(tx, PARTNER, AGREEMENT, own))
    assert "holds another text since" not in client.get("/agreements").text


@pytest.mark.parametrize("role", [Role.INSPECTOR, Role.TERMINAL, Role.ADMINISTRATOR])
def test_others_do_not_come_here(two, role):
    assert browser(two.api, role).get("/agreements").status_code == 403


def test_no_agreement_of_a_made_up_name(two):
    client = browser(two.api, Role.LEGAL_OFFICER)
    assert client.get("/agreements/NO-SUCH").status_code == 404
    assert client.get(f"/agreements/{AGREEMENT}?version=99").status_code == 404
