"""Chains by the API: a cue, its answer, its result, and a box that is not opened twice in vain."""

from datetime import timedelta

import pytest

from api.node_served import Api
from isthmus.access.model import Role, node_actor
from isthmus.cases import chains
from isthmus.cases.chains import Cue, Outcome
from isthmus.kernel.time import isoformat

NL, PA = "NL-DOUANE", "PA-ANA"
THEIRS = "NL-DOUANE:chn_06bq3f1m9t0xk2r8v5hc7n4ezs"


@pytest.fixture
def cued(busy: Api) -> tuple[Api, dict]:
    """A busy node and the cue that it can make of a taken pick's unit."""
    with busy.client(Role.SUPERVISOR) as client:
        pick = client.get(f"/api/picks/{busy.ids['taken']}").json()
        unit = client.get(f"/api/units/{pick['unit_id']}").json()["unit"]
    ask = {
        "unit": pick["unit_id"], "container": unit["container"], "asked": NL, "port": "NLRTM",
        "cue_reason": "cut_off", "deadline": isoformat(busy.clock.now() + timedelta(days=12)),
    }  # fmt: skip
    return busy, ask


def test_a_cue_begins_one_chain_and_its_item_is_drafted(cued):
    api, ask = cued
    with api.client(Role.SUPERVISOR) as client:
        made = client.post("/api/chains", json=ask)
        assert made.status_code == 201, made.text
        again = client.post("/api/chains", json=ask)
        assert (again.status_code, again.json()["code"]) == (409, "chain_open")
        chain = client.get(f"/api/chains/{made.json()['object']}").json()["chain"]
        assert (chain["state"], chain["asked"], chain["ours"]) == ("cued", NL, False)
        assert chain["guards_until"] > ask["deadline"]
        item = client.get(f"/api/items/{made.json()['item']}").json()["copies"][0]["item"]
        assert item["body"]["chain"] == chain["id"]
        # The node that is asked answers, not the one that asks.
        assert client.post(f"/api/chains/{chain['id']}/accept").status_code == 403
        past = ask | {"deadline": "2025-01-01T00:00:00Z"}
        assert client.post("/api/chains", json=past).status_code == 422


def test_a_second_opening_is_refused_until_it_says_why(cued):
    api, ask = cued
    node = node_actor()
    with api.client(Role.SUPERVISOR) as client:
        chain = client.post("/api/chains", json=ask).json()["object"]
        api.node.database.write(lambda tx: chains.accept(tx, node, chain))
        outcome = Outcome("no_irregularity")
        api.node.database.write(lambda tx: chains.result(tx, node, chain, outcome))
        order = {"pick": api.ids["taken"], "control_type": "physical_full"}
        refused = client.post("/api/inspections", json=order)
        assert (refused.status_code, refused.json()["code"]) == (409, "second_opening")
        assert chain in refused.text
        why = {"reason": "seal_changed", "words": "Another seal since Rotterdam"}
        assert client.post("/api/inspections", json=order | {"override": why}).status_code == 422
        bad = order | {"override": {"reason": "because"}}
        assert client.post("/api/inspections", json=bad).status_code == 422
        good = order | {"override": why | {"language": "en"}}
        made = client.post("/api/inspections", json=good)
        assert made.status_code == 201, made.text
        done = client.get(f"/api/inspections/{made.json()['id']}").json()["inspection"]
        assert (done["override"], done["chain"]) == ("seal_changed", chain)
        (again,) = client.get(f"/api/chains/{chain}").json()["reopenings"]
        assert (again["node"], again["reason"], again["told_at"]) == (PA, "seal_changed", None)
    detail = api.audit("inspection.order")[0]["detail"]
    assert detail["override"] == "seal_changed"
    assert "Rotterdam" not in str(detail)


def test_a_partners_cue_is_accepted_or_declined_with_a_reason_and_counted(busy: Api):
    deadline = busy.clock.now() + timedelta(days=3)
    cue = Cue("MSKU1234565", PA, "no_access", deadline, "PAMIT")
    busy.node.database.write(lambda tx: chains.receive_cue(tx, node_actor(), THEIRS, cue))
    with busy.client(Role.SUPERVISOR) as client:
        listed = client.get("/api/chains").json()["items"]
        assert [one["id"] for one in listed] == [THEIRS]
        assert client.post(f"/api/chains/{THEIRS}/accept").json()["state"] == "accepted"
        wrong = {"inspection": busy.ids["inspection"]}
        assert client.post(f"/api/chains/{THEIRS}/result", json=wrong).status_code == 409
        assert client.post(f"/api/chains/{THEIRS}/decline", json={"reason": "x"}).status_code == 422
        done = client.post(f"/api/chains/{THEIRS}/decline", json={"reason": "no_capacity"})
        assert done.json()["state"] == "declined"
        (record,) = client.get("/api/chains/record").json()["items"]
        assert record["cues"] == {"given": 1, "tried": 0, "found": 0, "share": None}
    with busy.client(Role.TERMINAL) as client:
        assert client.get("/api/chains").status_code == 403
