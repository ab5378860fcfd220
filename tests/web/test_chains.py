"""Chains, seizures and a second opening as pages: one story, in its order, in five languages."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from api.node_served import Api
from isthmus.access.model import Role, node_actor
from isthmus.cases import chains, seizures
from isthmus.cases.chains import Cue, Outcome
from isthmus.cases.seizures import Credit, Goods, Told
from isthmus.reference.codelist import LOCALES
from isthmus.web.chains import steps
from web.conftest import browser, csrf, pages_of

NL, PA = "NL-DOUANE", "PA-ANA"
OURS = "NL-DOUANE:chn_06bq3f1m9t0xk2r8v5hc7n4ezs"
THEIRS = Told(
    "SZ-NL-DOUANE-2026-3", datetime(2026, 1, 1, tzinfo=UTC), (Credit(NL, "seized", 100),),
    (Goods("cocaine", 12.5, "KGM"),),
)  # fmt: skip


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A busy node: a partner opened the box of a pick, asks about another, and seized something."""
    api = pages_of(tmp_path_factory.mktemp("chains") / "node", busy=True)
    node, officer = node_actor(), api.actors[Role.SUPERVISOR]
    with browser(api, Role.SUPERVISOR) as client:
        pick = client.get(f"/api/picks/{api.ids['taken']}").json()
    deadline = api.clock.now() + timedelta(days=9)

    def work(tx):
        from isthmus.cargo import service as cargo

        unit = cargo.find_unit(tx, officer, pick["unit_id"])
        ask = Cue(unit.container, NL, "cut_off", deadline, "NLRTM")
        api.ids["chain"] = chains.cue(tx, officer, unit, ask, PA)
        api.ids["unit"] = unit.id
        chains.accept(tx, node, api.ids["chain"])
        chains.result(tx, node, api.ids["chain"], Outcome("no_irregularity"))
        chains.receive_cue(tx, node, OURS, Cue("MSKU1234565", PA, "no_access", deadline, "PAMIT"))
        seizures.receive(tx, node, THEIRS)

    api.node.database.write(work)
    yield api
    api.node.close()


@pytest.mark.parametrize("language", LOCALES)
def test_every_page_is_read_in_five_languages(held: Api, language: str):
    paths = ("/chains", "/chains?over=1", f"/chains/{OURS}", f"/chains/{held.ids['chain']}",
             "/chains/cue", "/seizures", f"/seizures/{THEIRS.number}")  # fmt: skip
    with browser(held, Role.SUPERVISOR, language) as client:
        for path in paths:
            assert client.get(path).status_code == 200, path
        assert "12" in client.get(f"/seizures/{THEIRS.number}").text


def test_a_second_opening_names_the_chain_and_takes_a_reason_in_words(held: Api):
    order = f"/picks/{held.ids['taken']}/inspect"
    with browser(held, Role.SUPERVISOR) as client:
        form = {"csrf": csrf(client), "control_type": "physical_full"}
        refused = client.post(order, data=form)
        assert refused.status_code == 422
        for told in ("NL-DOUANE opened this box", held.ids["chain"], "nothing was ordered"):
            assert told in refused.text
        short = form | {"override": "1", "override_reason": "because", "override_words": "<b>x"}
        wrong = client.post(order, data=short)
        assert "Choose the reason." in wrong.text
        assert "&lt;b&gt;x" in wrong.text
        assert not held.audit("inspection.order") or all(
            entry["detail"].get("override") is None for entry in held.audit("inspection.order")
        )
        good = short | {"override_reason": "court_order", "override_language": "en",
                        "override_words": "Order 44 of the court of Colón"}  # fmt: skip
        done = client.post(order, data=good)
        assert done.headers["location"].endswith("done=inspect_again")
        story = client.get(f"/chains/{held.ids['chain']}").text
        assert "Order 44 of the court of Colón" in story
    entry = held.audit("inspection.order")[0]
    assert entry["detail"]["override"] == "court_order"
    assert "Colón" not in str(entry)


def test_a_cue_is_answered_by_whoever_keeps_chains(held: Api):
    with browser(held, Role.AUDITOR) as client:
        assert 'method="post" action="/chains' not in client.get(f"/chains/{OURS}").text
    with browser(held, Role.INSPECTOR) as client:
        token = {"csrf": csrf(client)}
        told = client.post(f"/chains/{OURS}/accept", data=token)
        assert told.headers["location"].endswith("done=chain_accepted")
        again = client.post(f"/chains/{OURS}/accept", data=token)
        assert "problem=" in again.headers["location"]
        assert client.post(f"/chains/{OURS}/tell", data=token).status_code == 403
    with browser(held, Role.TERMINAL) as client:
        assert client.get("/chains").status_code == 403


def test_a_foreign_seizure_is_shown_and_not_changed(held: Api):
    with browser(held, Role.SUPERVISOR) as client:
        page = client.get(f"/seizures/{THEIRS.number}").text
        assert "Share the credit anew" not in page
        token = {"csrf": csrf(client)}
        path = f"/seizures/{THEIRS.number}/weigh"
        assert client.post(path, data=token | {"weighed-0": "3"}).status_code == 403


def test_the_story_is_told_in_its_order_and_ends_with_what_is_awaited():
    at = datetime(2026, 3, 1, tzinfo=UTC)
    row = {"cued_by": PA, "asked": NL, "cued_at": at, "cue_reason": "cut_off", "state": "accepted",
           "answered_at": at + timedelta(hours=1), "decline_reason": None, "result_at": None,
           "result": None}  # fmt: skip
    again = {"node": PA, "at": at + timedelta(hours=2), "reason": "court_order", "words": None,
             "language": None, "result": None, "told_at": None, "by": "usr_1"}  # fmt: skip
    told = [(one.kind, one.node) for one in steps(row, [again])]
    assert told == [("cued", PA), ("accepted", NL), ("reopened", PA), ("awaited_result", NL)]
    declined = row | {"state": "declined", "decline_reason": "no_capacity"}
    assert [one.kind for one in steps(declined, [])] == ["cued", "declined"]
