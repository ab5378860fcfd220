"""The composer: field by field what goes and why not; sent as looked at; nothing lost."""

import re
from dataclasses import replace
from urllib.parse import unquote, urlencode

import pytest

from api.node_served import make
from builders import person
from exchange.ready import ready
from exchange.test_post import carry
from exchange.world import MARKING, trust
from isthmus.access.model import Permission, Purpose, Role
from isthmus.access.service import RoleRequest
from isthmus.agreements import lifecycle
from isthmus.exchange import consents, post_store
from isthmus.exchange.model import Lane
from isthmus.flow import accept, share
from isthmus.flow.share import Said
from isthmus.flow.sharing import handover
from isthmus.intelligence import items
from isthmus.intelligence.model import Handling, ItemKind
from isthmus.kernel.time import SetClock
from isthmus.reference.codelist import LOCALES
from isthmus.web.app import mount
from isthmus.web.compose_asked import Asked
from isthmus.web.compose_view import language_at
from web.conftest import browser, csrf
from web.test_items import REASON, drafted, node, post

__all__ = ["node"]
STATED = "conditions=case_number"


@pytest.fixture
def api(node):
    return node[0]


def look(client, item, query=""):
    return client.get(f"/items/{item.id}/compose?{query}")


def section(text, partner):
    """The part of the page about one partner."""
    return text.split(f'id="p-{partner}"')[1].split("</section>")[0]


def act(text, partner):
    """Where the button of a partner sends the form."""
    (path,) = re.findall(r'formaction="([^"]+)"', section(text, partner))
    return path.replace("&amp;", "&")


def send(client, item, partner="NL-DOUANE", query="", **data):
    path = act(look(client, item, query).text, partner)
    settings = dict(pair.split("=") for pair in query.split("&") if pair and "keep" not in pair)
    return client.post(path, data={"csrf": csrf(client), **settings, **data})


def envelopes(api, item):
    from isthmus.access.gate import scope

    seen = scope(api.actors[Role.AUDITOR], Permission.PARTNER_READ)
    return api.node.database.read(lambda tx: post_store.seen(tx, seen, item=item.id))


def test_each_cell_says_what_goes_by_which_clause_and_what_lacks(api):
    item = drafted(api)
    text = look(browser(api, Role.ANALYST), item).text
    dutch = section(text, "NL-DOUANE")
    assert dutch.count("Goes</span>") == 6
    assert "PA-NL-2026/art-3" in dutch
    assert "PA-NL-2026/art-7 would allow it if this stood on record: a case number" in dutch
    assert 'name="conditions" value="case_number"' in dutch
    assert "It is kept for 365 days at most." in dutch
    mexican = section(text, "MX-ANAM")
    assert "No clause between PA-ANA and MX-ANAM." in mexican
    assert "formaction" not in mexican
    assert "Fulano" not in text


@pytest.mark.parametrize("language", LOCALES)
def test_the_composer_is_whole_in_each_language(api, language):
    item = drafted(api)
    text = look(browser(api, Role.ANALYST, language), item, STATED).text
    assert f'<html lang="{language}"' in text
    assert text.count("<h1>") == 1
    assert not re.search(r"\{\w+\}", text)


def test_the_preview_is_what_the_partner_reads_in_its_language(api):
    item = drafted(api)
    dutch = section(look(browser(api, Role.ANALYST, "es"), item).text, "NL-DOUANE")
    preview = dutch.split('<div lang="nl" class="paper">')[1]
    assert "Signalering" in preview
    assert "Controleren als er capaciteit is" in preview
    assert "MSKU1234565" in preview
    assert "Fulano" not in preview
    kept = look(browser(api, Role.ANALYST), item, "keep=NL-DOUANE+containers").text
    assert "MSKU1234565" not in section(kept, "NL-DOUANE").split('class="paper">')[1]
    french = section(look(browser(api, Role.ANALYST), item, "read=fr").text, "NL-DOUANE")
    assert "Contrôler si la capacité le permet" in french


@pytest.mark.parametrize(
    ("country", "language"), [("NL", "nl"), ("MX", "es"), ("FR", "fr"), ("BR", "pt"), ("DE", "en")]
)
def test_a_partner_reads_the_language_of_its_country(country, language):
    assert language_at(country, "en") == language


def test_what_was_asked_stands_in_the_address_and_comes_back(api):
    query = "purpose=inspection&mode=on_request&lane=flash&read=nl&conditions=urgent&keep=NL-DOUANE+seals"
    pairs = [pair.split("=") for pair in query.split("&")]

    def many(name):
        return [unquote(value).replace("+", " ") for key, value in pairs if key == name]

    asked = Asked.of(many)
    assert asked.kept_from("NL-DOUANE") == {"seals"}
    again = Asked.of(lambda name: [
        unquote(value.replace("+", " "))
        for key, value in (pair.split("=") for pair in asked.query.split("&")) if key == name
    ])  # fmt: skip
    assert again == asked
    # What was pasted comes back as it was, to be mended; it is read when it is used.
    assert Asked.of(lambda _: ["nonsense"]) == Asked(consent="nonsense")
    # A remedy's button stands behind the choice it overrules; the originator's terms are no word.
    chosen = {"purpose": ["targeting", "judicial"], "conditions": ["originator_terms"]}
    assert Asked.of(lambda name: chosen.get(name, [])).said == Said(
        purpose=Asked().purpose.JUDICIAL
    )


def test_sending_names_who_what_why_and_by_which_clause(api):
    item = drafted(api)
    dutch = section(look(browser(api, Role.ANALYST), item).text, "NL-DOUANE")
    (said,) = re.findall(r'class="small statement">(.*?)</p>', dutch)
    for part in ("An Officer", "Douane Nederland", "Targeting", "PA-NL-2026/art-3", "Fields: 6"):
        assert part in said
    assert "Send to NL-DOUANE · fields: 6" in dutch


def test_what_is_kept_back_does_not_go_and_the_receipt_is_shown(node):
    api, made = node
    item = drafted(api)
    client = browser(api, Role.ANALYST)
    answer = send(client, item, query="lane=immediate", keep="NL-DOUANE containers")
    assert answer.status_code == 303
    assert answer.headers["location"].endswith("&done=item_sent#p-NL-DOUANE")
    (row,) = envelopes(api, item)
    assert (row["lane"], row["purpose"], row["state"]) == ("immediate", "targeting", "waiting")
    text = client.get(answer.headers["location"]).text
    assert "Waiting to leave" in section(text, "NL-DOUANE")
    assert "in the outbox" in text
    there = made.partners["NL-DOUANE"]
    carry(made.here, there, Lane.IMMEDIATE)
    from isthmus.exchange import inbox

    (came,) = there.database.read(lambda tx: post_store.arrived(tx, item.id))
    paths = there.database.read(lambda tx: inbox.opened(tx, came["id"]).presented.paths)
    assert "containers" not in paths
    assert not any(path.startswith("persons") for path in paths)
    dutch = section(look(client, item).text, "NL-DOUANE")
    assert "Delivered" in dutch
    assert "Has version 1" in dutch
    assert ">new</span>" in dutch


def test_a_setting_changed_without_a_look_sends_nothing_and_keeps_what_was_typed(api):
    item = drafted(api)
    client = browser(api, Role.ANALYST)
    answer = send(client, item, purpose="inspection", conditions="case_number",
                  keep="NL-DOUANE remarks", lane="flash")  # fmt: skip
    assert answer.status_code == 422
    assert "Nothing was sent to NL-DOUANE." in answer.text
    assert "Not what you looked at would go now" in answer.text
    assert '<option value="inspection" selected>' in answer.text
    assert '<option value="flash" selected>' in answer.text
    assert 'value="case_number" checked' in answer.text
    assert 'value="NL-DOUANE remarks" checked' in answer.text
    assert envelopes(api, item) == []


def test_what_was_kept_back_at_the_look_does_not_go_by_an_unticked_box(api):
    item = drafted(api)
    client = browser(api, Role.ANALYST)
    assert send(client, item, query="keep=NL-DOUANE+containers").status_code == 422
    assert envelopes(api, item) == []


def test_an_item_corrected_since_the_look_is_looked_at_again(api):
    item = drafted(api)
    client = browser(api, Role.ANALYST)
    path = act(look(client, item).text, "NL-DOUANE")
    officer = api.actors[Role.SUPERVISOR]
    change = [{"path": "action", "value": "observe"}]
    api.node.database.write(lambda tx: items.correct(tx, officer, item.id, change, "review"))
    assert post(client, path).status_code == 422
    assert envelopes(api, item) == []


def test_a_refusal_names_its_clause_and_is_written_down(api):
    item = drafted(api)
    client, officer = browser(api, Role.ANALYST), api.actors[Role.ANALYST]
    said = Said(Purpose.LICENSING)
    looked = api.node.database.read(lambda tx: handover.look(tx, officer, item.id, said))
    before = len(api.audit("access.denied"))
    for view, clause in zip(looked.views, ("–", "PA-NL-2026/art-3"), strict=True):
        path = f"/items/{item.id}/compose/{view.partner}?look={looked.token(view)}"
        answer = post(client, path, purpose="licensing")
        assert answer.status_code == 422
        assert f"Nothing was sent to {view.partner}." in answer.text
        assert f"the nearest is {clause}." in answer.text
        assert '<option value="licensing" selected>' in answer.text
    assert len(api.audit("access.denied")) == before + 2
    assert envelopes(api, item) == []


def test_who_keeps_all_back_is_told_so(api):
    item = drafted(api)
    client = browser(api, Role.ANALYST)
    paths = [path for path in item.paths() if not path.startswith("persons")]
    answer = send(client, item, keep=[f"NL-DOUANE {path}" for path in paths])
    assert answer.status_code == 422
    assert "You keep back all that might go." in answer.text
    assert "formaction" not in section(answer.text, "NL-DOUANE")


def test_persons_stay_closed_and_stay_here_until_somebody_opens_them(node):
    api, made = node
    item = drafted(api)
    client = browser(api, Role.ANALYST)
    text = look(client, item, STATED).text
    dutch = section(text, "NL-DOUANE")
    assert dutch.count("Stays until you open it") == 2
    assert send(client, item, query=STATED).status_code == 303
    assert "About persons" not in dutch
    opened = post(client, f"/items/{item.id}/compose/open", reason=REASON, conditions="case_number")
    assert "Fulano Ejemplo" in opened.text
    assert api.audit("person_data.opened")[0]["object_id"] == item.id
    assert "About persons: 2." in section(opened.text, "NL-DOUANE")
    path = act(opened.text, "NL-DOUANE")
    sent = post(client, path, conditions="case_number", opened="1", reason=REASON)
    assert sent.status_code == 303
    carry(made.here, made.partners["NL-DOUANE"], Lane.ROUTINE)
    from isthmus.exchange import inbox

    there = made.partners["NL-DOUANE"].database
    newest = there.read(lambda tx: post_store.arrived(tx, item.id))[-1]["id"]
    assert "persons.0.name" in there.read(lambda tx: inbox.opened(tx, newest).presented.paths)


def test_opening_without_a_reason_says_so_and_loses_nothing(api):
    item = drafted(api)
    client = browser(api, Role.ANALYST)
    answer = post(client, f"/items/{item.id}/compose/open", reason="because",
                  conditions="case_number", keep="NL-DOUANE remarks")  # fmt: skip
    assert answer.status_code == 422
    assert ">because</textarea>" in answer.text
    assert 'value="case_number" checked' in answer.text
    assert 'value="NL-DOUANE remarks" checked' in answer.text
    assert "Fulano" not in answer.text


def test_who_may_not_send_sees_why_and_has_no_button(api):
    item = drafted(api)
    text = look(browser(api, Role.AUDITOR), item).text
    assert "Goes</span>" in text
    assert "formaction" not in text
    assert 'name="keep"' not in text
    path = act(look(browser(api, Role.ANALYST), item).text, "NL-DOUANE")
    assert post(browser(api, Role.AUDITOR), path).status_code == 403


def test_a_use_that_the_node_forbids_stops_all(api):
    item = drafted(api)
    text = look(browser(api, Role.ANALYST), item, "uses=lethal_targeting").text
    assert "never for lethal targeting" in section(text, "NL-DOUANE")
    assert "formaction" not in text


def test_a_suspended_clause_is_named(node):
    api, _ = node
    from exchange.ready import FIRST, SECOND

    item = drafted(api)
    held = api.node.database.write(
        lambda tx: lifecycle.suspend(tx, FIRST, "PA-NL-2026", "essential_interests", "art-3")
    )
    text = section(look(browser(api, Role.ANALYST), item).text, "NL-DOUANE")
    api.node.database.write(lambda tx: lifecycle.lift(tx, SECOND, held))
    assert "PA-NL-2026/art-3 would allow it but is not in force." in text
    assert "formaction" not in text


def test_the_form_has_its_token_only_where_it_acts(api):
    item = drafted(api)
    client = browser(api, Role.ANALYST)
    text = look(client, item).text
    form = text.split('id="composer"')[1]
    assert 'type="hidden" name="csrf"' not in form  # a look puts no token into an address
    assert not re.search(r"\sstyle=|<style|\son\w+=|javascript:|<script>", text)
    path = act(text, "NL-DOUANE")
    assert client.post(path, data={}).status_code == 403


def test_a_node_without_partners_teaches(quiet):
    from isthmus.exchange.trust import identity

    officer = quiet.actors[Role.SUPERVISOR]
    quiet.node.database.write(
        lambda tx: identity.found(
            tx, officer, node="PA-ANA", country="PA", name="Aduana", address="", listen=""
        )
    )
    item = drafted(quiet)
    assert 'class="empty"' in look(browser(quiet, Role.ANALYST), item).text
    empty = browser(quiet, Role.ANALYST).get("/items?kind=recall").text
    assert "No item matches." in empty


@pytest.fixture
def between(tmp_path):
    """A node between two partners, under an agreement with each."""
    clock = SetClock()
    api = make(tmp_path / "node", clock)
    mount(api.app, api.node)
    second = person(api.node.database, api.actors[Role.ADMINISTRATOR], RoleRequest(Role.SUPERVISOR))
    database, codes = api.node.database, ("NL-DOUANE", "BE-DOUANE")
    with ready(database, api.actors, second, tmp_path, clock, *codes) as made:
        made.in_force("PA-NL-2026", "NL-DOUANE")
        made.in_force("PA-BE-2026", "BE-DOUANE")
        trust(made.partners["BE-DOUANE"], made.partners["NL-DOUANE"].card())
        yield api, made
    api.node.close()


def partners_alert(made):
    """An alert of the Netherlands that is here; it may go on to Belgium, with consent each time."""
    there = made.partners["NL-DOUANE"]
    analyst = there.staff[Role.ANALYST]
    marking = replace(MARKING, handling=frozenset({Handling.H0}))
    body = {"reason": "intelligence", "action": "inspect", "expires_at": "2026-03-01T00:00:00Z",
            "containers": ["MSKU1234565"]}  # fmt: skip
    item = there.database.write(
        lambda tx: items.draft(tx, analyst, there.code, ItemKind.ALERT, body, marking)
    )
    there.database.write(lambda tx: share.send(tx, analyst, item.id, "PA-ANA"))
    assert carry(there, made.here, Lane.ROUTINE).refused == []
    (came,) = made.here.database.read(lambda tx: post_store.arrived(tx, item.id))
    assert accept.accept(made.here.database, came["id"])
    return there, item


def test_what_wants_the_originators_consent_goes_once_it_is_pasted(between):
    api, made = between
    there, item = partners_alert(made)
    client = browser(api, Role.ANALYST)
    bare = look(client, item)
    assert "NL-DOUANE only with its consent for BE-DOUANE" in section(bare.text, "BE-DOUANE")
    assert 'name="consent"' in bare.text
    assert "formaction" not in section(bare.text, "BE-DOUANE")
    wrong = look(client, item, "consent=nonsense")
    assert wrong.status_code == 422
    assert "no consent that the originator signed" in wrong.text
    given = there.database.write(
        lambda tx: consents.give(tx, there.staff[Role.ANALYST], item.id, "PA-ANA", "BE-DOUANE")
    )
    query = urlencode({"consent": given.decode()})
    assert "Send to BE-DOUANE" in section(look(client, item, query).text, "BE-DOUANE")
    sent = client.post(
        act(look(client, item, query).text, "BE-DOUANE"),
        data={"csrf": csrf(client), "consent": given.decode()},
        follow_redirects=False,
    )
    assert sent.status_code == 303, sent.text
    assert carry(made.here, made.partners["BE-DOUANE"], Lane.ROUTINE).refused == []
    (out,) = [one for one in envelopes(api, item) if one["direction"] == "out"]
    assert (out["partner"], out["state"]) == ("BE-DOUANE", "delivered")


def test_a_holder_is_given_consent_on_the_page_of_the_item(api):
    item = drafted(api)
    client = browser(api, Role.ANALYST)
    assert "/consent" not in client.get(f"/items/{item.id}").text  # nobody holds it
    send(client, item)
    ask = {"csrf": csrf(client), "holder": "NL-DOUANE", "recipient": "BE-DOUANE"}
    given = client.post(f"/items/{item.id}/consent", data=ask)
    assert given.status_code == 200
    assert "&#34;to&#34;:&#34;BE-DOUANE&#34;" in given.text
    wrong = client.post(f"/items/{item.id}/consent", data=ask | {"recipient": "NL-DOUANE"})
    assert wrong.status_code == 422
    assert "A consent is for a third node." in wrong.text
