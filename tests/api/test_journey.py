"""The loop through the API: from a received manifest to a result, and what each one may see."""

import io
import json

import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.node_served import EVENT, Api, box, manifest
from api.test_identity import problem
from isthmus.access.model import Role

REASON = {"Isthmus-Reason": "asked by the shift's supervisor"}


def first(client, path: str, **params: object) -> dict:
    return client.get(path, params=params).json()["items"][0]


def test_a_box_goes_from_its_manifest_to_its_result(api: Api):
    analyst, supervisor = api.client(Role.ANALYST), api.client(Role.SUPERVISOR)
    inspector, terminal = api.client(Role.INSPECTOR), api.client(Role.TERMINAL)
    told = analyst.post("/api/receive", params={"filename": "m.edi"}, content=manifest(6)).json()
    assert (told["format"], told["state"], told["accepted"]) == ("cuscar", "read", 6)
    assert analyst.post("/api/score").json()["due"] == 6
    assert api.node.worker.run_due() >= 1
    regimes = {row["regime"]: row for row in analyst.get("/api/coverage").json()["items"]}
    assert regimes["transhipment"]["share"] == 1

    made = supervisor.post("/api/runs", json={"budget": 2, "shift": "night"})
    assert made.status_code == 201
    assert [pick["lane"] for pick in made.json()["picks"]] == ["red", "red"]
    assert first(analyst, "/api/runs")["shift"] == "night"

    pick = first(analyst, "/api/picks")
    assert analyst.post(f"/api/picks/{pick['id']}/take").json()["state"] == "taken"
    told = problem(supervisor.post(f"/api/picks/{pick['id']}/take"), 409)
    assert told["code"] == "pick_taken"
    reasons = {"reasons": ["indicator_seal"]}
    hold = analyst.post("/api/holds", json={"pick": pick["id"], **reasons}).json()["id"]
    assert terminal.get("/api/holds").json()["items"] == []
    problem(analyst.post(f"/api/holds/{hold}/confirm"), 403)
    assert supervisor.post(f"/api/holds/{hold}/confirm").json()["state"] == "hold_confirmed"
    seen = first(terminal, "/api/holds")
    assert seen["container"] == pick["container"]
    assert seen["reasons"] is seen["pick_id"] is seen["proposed_by"] is None
    assert terminal.post(f"/api/holds/{hold}/acknowledge").status_code == 200
    assert first(analyst, "/api/holds")["reasons"] == ["indicator_seal"]
    longer = {"reasons": ["inspection_waiting"]}
    problem(analyst.post(f"/api/holds/{hold}/extend", json=longer), 403)
    kept = supervisor.post(f"/api/holds/{hold}/extend", json=longer).json()
    assert kept["extension_reasons"] == ["inspection_waiting"]
    assert first(terminal, "/api/holds")["holds_until"] == kept["holds_until"]
    assert first(terminal, "/api/holds")["extension_reasons"] is None

    ask = {"pick": pick["id"], "control_type": "physical_full"}
    order = analyst.post("/api/inspections", json=ask).json()["id"]
    assert inspector.post(f"/api/inspections/{order}/accept").status_code == 200
    found = {"goods": "cocaine", "quantity": 12.5, "unit": "KGM", "zone": None}
    result = {
        "result": "seizure",
        "control_type": "physical_full",
        "minutes_delay": 240,
        "share_unloaded": 0.5,
        "objective": "contraband",
        "findings": [found],
    }
    wrong = {**result, "objective": None}
    assert problem(inspector.post(f"/api/inspections/{order}/report", json=wrong), 422)["code"]
    done = inspector.post(f"/api/inspections/{order}/report", json=result)
    assert done.json()["state"] == "inspection_done"
    whole = analyst.get(f"/api/inspections/{order}").json()
    assert whole["findings"][0]["goods"] == "cocaine"

    unit = analyst.get(f"/api/units/{pick['unit_id']}").json()
    assert unit["unit"]["container"] == pick["container"]
    assert {record["kind"] for record in unit["records"]} == {"consignment"}
    assert {one["objective"] for one in unit["assessments"]} >= {"contraband"}
    assert unit["assessments"][0]["current"]
    assert [one["state"] for one in unit["picks"]] == ["inspected"]
    assert [one["id"] for one in unit["holds"]] == [hold]
    assert [one["result"] for one in unit["inspections"]] == ["seizure"]
    assert "Maria" not in json.dumps(unit)
    released = supervisor.post(
        f"/api/holds/{hold}/release", json={"reasons": ["inspection_complete"]}
    )
    assert released.json()["state"] == "hold_released"


def test_a_gate_out_against_a_hold_alerts(busy: Api):
    analyst = busy.client(Role.ANALYST)
    alert = first(analyst, "/api/alerts")
    assert alert["kind"] == "hold_breached"
    assert analyst.post(f"/api/alerts/{alert['id']}/seen").json()["state"] == "seen"
    problem(analyst.post(f"/api/alerts/{alert['id']}/seen"), 409)
    assert analyst.get("/api/alerts").json()["items"] == []


def test_parties_are_opened_for_a_purpose_and_logged(busy: Api):
    inspector, auditor = busy.client(Role.INSPECTOR), busy.client(Role.AUDITOR)
    path = f"/api/units/{busy.ids['unit']}/parties"
    told = problem(inspector.get(path), 403)
    assert (told["kind"], told["code"]) == ("purpose_needed", "reason_needed")
    assert auditor.get("/api/lookups").json()["items"] == []
    parties = inspector.get(path, headers=REASON).json()["items"]
    assert {party["name"] for party in parties} >= {"Maria Example"}
    (lookup,) = auditor.get("/api/lookups").json()["items"]
    assert lookup["actor_id"] == busy.actors[Role.INSPECTOR].id
    assert lookup["purpose"] == "inspection"
    assert lookup["reason"] == REASON["Isthmus-Reason"]
    problem(busy.client(Role.AUDITOR).get(path, headers=REASON), 403)


def test_a_task_is_a_purpose(busy: Api):
    supervisor = busy.client(Role.SUPERVISOR)
    pick = supervisor.get(f"/api/picks/{busy.ids['taken']}").json()
    told = supervisor.get(f"/api/units/{pick['unit_id']}/parties")
    assert told.status_code == 200
    (lookup,) = busy.client(Role.AUDITOR).get("/api/lookups").json()["items"]
    assert lookup["assignment_id"]
    assert lookup["reason"] is None


def test_a_reason_is_read_in_any_of_the_five_languages(busy: Api):
    words = "señalado por la vigilancia del muelle"
    inspector = busy.client(Role.INSPECTOR)
    path = f"/api/units/{busy.ids['unit']}/parties"
    assert inspector.get(path, headers={"Isthmus-Reason": words.encode()}).status_code == 200
    (lookup,) = busy.client(Role.AUDITOR).get("/api/lookups").json()["items"]
    assert lookup["reason"] == words


def test_an_original_is_opened_for_a_purpose_and_logged(busy: Api):
    analyst = busy.client(Role.ANALYST)
    path = f"/api/documents/{busy.ids['document']}/content"
    problem(analyst.get(path), 403)
    response = analyst.get(path, headers=REASON)
    assert response.content == manifest()
    assert response.headers["content-type"] == "application/octet-stream"
    assert "attachment" in response.headers["content-disposition"]
    assert busy.audit("document.download")
    (lookup,) = busy.client(Role.AUDITOR).get("/api/lookups").json()["items"]
    assert lookup["subject_kind"] == "document"


def test_a_large_original_comes_whole(api: Api):
    content = manifest(3) * 300
    analyst = api.client(Role.ANALYST, **REASON)
    told = analyst.post("/api/receive", content=io.BytesIO(content))
    assert told.status_code == 202
    assert told.json()["state"] in ("stored", "reading")
    path = f"/api/documents/{told.json()['document']}"
    assert analyst.get(f"{path}/content").content == content
    api.node.worker.run_due()
    assert analyst.get(path).json()["state"] == "read"


def test_an_erased_document_is_gone_and_says_so(busy: Api):
    officer = busy.client(Role.DATA_PROTECTION_OFFICER)
    ask = {"kind": "document", "subject": busy.ids["document"], "ground": "court_order"}
    done = officer.post("/api/protection/erasures", json=ask)
    assert done.status_code == 201, done.text
    told = problem(
        busy.client(Role.ANALYST).get(
            f"/api/documents/{busy.ids['document']}/content", headers=REASON
        ),
        410,
    )
    assert told["kind"] == "erased"


@pytest.mark.parametrize(
    ("params", "count"),
    [
        ({"container": box(1).lower()}, 1),
        ({"bill": "ISTHBL0003"}, 1),
        ({"regime": "import", "vessel_imo": "9321483"}, 6),
        ({"hs": "03"}, 12),
        ({"hs": "0306"}, 12),
        ({"hs": "030618"}, 0),
        ({"voyage": "601W", "state": "open"}, 11),
        ({"office": "nowhere"}, 0),
        ({"terminal": "x"}, 0),
        ({"declaration": "none"}, 0),
    ],
)
def test_units_are_found_by_what_is_known(shared: Api, params: dict[str, str], count: int):
    found = shared.client(Role.ANALYST).get("/api/units", params=params).json()["items"]
    assert len([unit for unit in found if (unit["bill"] or "").startswith("ISTHBL")]) == count


def test_pages_of_units_follow_each_other_without_gap(busy: Api):
    client = busy.client(Role.ANALYST)
    everything = [unit["id"] for unit in client.get("/api/units").json()["items"]]
    walked, before = [], {}
    while True:
        part = client.get("/api/units", params={"limit": 5, **before}).json()
        walked += [unit["id"] for unit in part["items"]]
        if not part["more"]:
            break
        before = {"before": walked[-1]}
    assert walked == everything
    assert len(walked) == len(set(walked)) >= 12


def test_quarantine_is_read_and_retried(busy: Api):
    client = busy.client(Role.ANALYST)
    entries = client.get("/api/quarantine").json()["items"]
    assert {entry["position"] for entry in entries} >= {"line 2"}
    told = client.post(f"/api/quarantine/{entries[0]['document_id']}/retry")
    assert told.json()["accepted"] == 0
    problem(client.post(f"/api/quarantine/{busy.ids['document']}/retry"), 409)


def test_rules_are_proposed_tried_and_approved_by_another(api: Api):
    analyst, supervisor = api.client(Role.ANALYST), api.client(Role.SUPERVISOR)
    known = analyst.get("/api/rules").json()["items"]
    text = known[0]["source"].replace(f"version: {known[0]['version']}", "version: 90")
    as_list = "- " + text.strip().replace("\n", "\n  ")
    made = analyst.post("/api/rules", json={"text": as_list})
    assert made.status_code == 201, made.text
    key = made.json()["id"]
    assert key == f"{known[0]['id']}@90"
    problem(analyst.post("/api/rules", json={"text": as_list}), 409)
    problem(supervisor.post(f"/api/rules/{key}/live"), 409)
    assert analyst.post(f"/api/rules/{key}/shadow").json()["state"] == "shadow"
    problem(analyst.post(f"/api/rules/{key}/live"), 403)
    assert supervisor.post(f"/api/rules/{key}/live").json()["state"] == "live"


def test_a_proposer_does_not_approve_and_the_refusal_has_a_name(api: Api):
    supervisor = api.client(Role.SUPERVISOR)
    known = supervisor.get("/api/rules").json()["items"][0]
    text = known["source"].replace(f"version: {known['version']}", "version: 91")
    key = supervisor.post(
        "/api/rules", json={"text": "- " + text.strip().replace("\n", "\n  ")}
    ).json()["id"]
    supervisor.post(f"/api/rules/{key}/shadow")
    assert problem(supervisor.post(f"/api/rules/{key}/live"), 403)["code"] == "second_person"
    (entry,) = api.audit("access.denied")
    assert entry["actor"] == api.actors[Role.SUPERVISOR].id


def test_no_model_is_made_of_nothing(api: Api):
    told = problem(api.client(Role.ANALYST).post("/api/models", json={"objective": "revenue"}), 422)
    assert told["code"].startswith("risk.")
    assert api.client(Role.MODEL_APPROVER).get("/api/models").json()["items"] == []


def test_a_dead_letter_is_seen_and_retried_by_a_person(api: Api):
    from isthmus.platform import jobs
    from isthmus.platform.jobs import job_table

    def bury(tx):
        jobs.enqueue(tx, "read", {"document": "doc_none"})
        tx.execute(job_table.update().values(state="dead", attempts=8, finished_at=tx.now))

    api.node.database.write(bury)
    client = api.client(Role.ADMINISTRATOR)
    told = client.get("/api/jobs").json()
    assert told["dead"] == 1
    assert "doc_none" not in json.dumps(told)
    path = f"/api/jobs/{told['dead_letters'][0]['id']}/retry"
    assert client.post(path).json()["state"] == "queued"
    problem(client.post(path), 409)
    assert api.audit("job.retry")


def test_people_are_invited_given_roles_and_ended(api: Api):
    client = api.client(Role.ADMINISTRATOR)
    ask = {
        "agency": api.agency,
        "name": "Ana Batista",
        "login": "ana@customs.example",
        "roles": [{"role": "inspector", "offices": ["PA-MIT"]}],
        "language": "es",
    }
    made = client.post("/api/people", json=ask)
    assert made.status_code == 201
    assert made.json()["path"].startswith("/welcome/")
    person = made.json()["person"]
    (grant,) = client.get(f"/api/people/{person}/roles").json()["items"]
    assert (grant["role"], grant["offices"]) == ("inspector", ["PA-MIT"])
    roles = {"roles": [{"role": "analyst", "until": "2026-06-01T00:00:00Z"}]}
    assert client.put(f"/api/people/{person}/roles", json=roles).status_code == 200
    assert client.post(f"/api/people/{person}/deactivate").status_code == 200
    problem(client.post(f"/api/people/{person}/deactivate"), 409)
    told = {one["id"]: one for one in client.get("/api/people").json()["items"]}
    assert told[person]["active"] is False


def test_labels_come_in_the_language_asked_for(api: Api):
    client = api.client(Role.SYSTEM)
    names = {one["name"] for one in client.get("/api/code-lists").json()["items"]}
    assert {"reasons", "regimes", "lanes"} <= names
    spanish = client.get("/api/code-lists/lanes", params={"language": "es"}).json()
    english = client.get("/api/code-lists/lanes").json()
    assert spanish["language"] == "es"
    assert english["language"] == "en"
    assert spanish["items"] != english["items"]
    problem(client.get("/api/code-lists/secrets"), 404)


def test_figures_are_by_route_and_name_nothing(api: Api, caplog: pytest.LogCaptureFixture):
    caplog.set_level("DEBUG", logger="isthmus")
    api.client(Role.ANALYST).get("/api/units/unit_06bq3f1m9t0xk2r8v5hc7n4ezs")
    api.client(Role.ANALYST).get("/api/units", params={"bill": "SECRETBILL"})
    api.client().get("/api/health")
    text = api.client(Role.AUDITOR).get("/api/metrics").text
    routes = {
        sample.labels["route"]
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if family.name == "isthmus_requests"
    }
    assert {"/api/units/{unit_id}", "/api/units", "/api/health"} <= routes
    assert "SECRETBILL" not in text + caplog.text
    assert "unit_06bq3f1m9t0xk2r8v5hc7n4ezs" not in text + caplog.text
    problem(api.client(Role.ANALYST).get("/api/metrics"), 403)


def test_answers_are_not_kept_by_anybody_on_the_way(api: Api):
    headers = api.client(Role.ANALYST).get("/api/units").headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"


def test_the_audit_is_read_by_its_number(busy: Api):
    auditor = busy.client(Role.AUDITOR)
    top = auditor.get("/api/audit", params={"limit": 3}).json()
    assert top["more"]
    numbers = [entry["seq"] for entry in top["items"]]
    below = auditor.get("/api/audit", params={"before": numbers[-1], "limit": 1}).json()
    assert below["items"][0]["seq"] == numbers[-1] - 1
    mine = auditor.get("/api/audit", params={"by": busy.actors[Role.SUPERVISOR].id}).json()
    assert {entry["actor"] for entry in mine["items"]} == {busy.actors[Role.SUPERVISOR].id}
    assert mine["items"]


def test_an_event_is_told_without_who_used_the_port_system(busy: Api):
    analyst = busy.client(Role.ANALYST)
    event = {**EVENT, "event_id": "E-77", "user": "port-user-7", "container": box(1)}
    assert analyst.post("/api/events", content=json.dumps(event)).json()["accepted"] == 1
    unit = first(analyst, "/api/units", container=box(1))
    told = analyst.get(f"/api/units/{unit['id']}")
    assert "E-77" in {record["body"].get("event_id") for record in told.json()["records"]}
    assert "port-user-7" not in told.text
