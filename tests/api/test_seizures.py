"""Seizures by the API: numbered once, weighed, credited, told."""

from api.node_served import Api
from isthmus.access.model import Role

REPORT = {
    "result": "seizure", "control_type": "physical_full", "minutes_delay": 90,
    "objective": "contraband",
    "findings": [{"goods": "cocaine", "quantity": 40.0, "unit": "KGM", "zone": "doors"}],
}  # fmt: skip


def seized(api: Api) -> str:
    made = api.ids["inspection"]
    with api.client(Role.INSPECTOR) as client:
        client.post(f"/api/inspections/{made}/accept")
        assert client.post(f"/api/inspections/{made}/report", json=REPORT).status_code == 200
    return made


def test_a_seizure_is_numbered_once_weighed_and_credited(busy: Api):
    made = seized(busy)
    with busy.client(Role.INSPECTOR) as client:
        number = client.post("/api/seizures", json={"inspection": made}).json()["id"]
        assert number.startswith("SZ-PA-ANA-")
        again = client.post("/api/seizures", json={"inspection": made})
        assert (again.status_code, again.json()["code"]) == (409, "seizure_numbered")
        weigh = f"/api/seizures/{number}/weigh"
        assert client.post(weigh, json={"place": 0, "quantity": 38.72}).status_code == 200
        assert client.post(weigh, json={"place": 9, "quantity": 1.0}).status_code == 404
        assert client.post(weigh, json={"place": 0, "quantity": -1.0}).status_code == 422
        shares = [{"node": "PA-ANA", "role": "seized", "share": 60},
                  {"node": "NL-DOUANE", "role": "informed", "share": 30}]  # fmt: skip
        credit = f"/api/seizures/{number}/credits"
        assert client.post(credit, json={"credits": shares}).json()["code"] == "credit_sum"
        shares[1]["share"] = 40
        assert client.post(credit, json={"credits": shares}).status_code == 200
        whole = client.get(f"/api/seizures/{number}").json()
        assert [(one["quantity"], one["weighed"]) for one in whole["goods"]] == [(40.0, 38.72)]
        assert sorted(one["share"] for one in whole["credits"]) == [40, 60]
        # Telling partners is the work of whoever may word items.
        assert client.post(f"/api/seizures/{number}/notice").status_code == 403
    with busy.client(Role.ANALYST) as client:
        told = client.post(f"/api/seizures/{number}/notice")
        assert told.status_code == 201, told.text
        body = client.get(f"/api/items/{told.json()['item']}").json()["copies"][0]["item"]["body"]
        assert (body["number"], body["goods"][0]["quantity"]) == (number, "38.72")
        (listed,) = client.get("/api/seizures").json()["items"]
        assert listed["number"] == number
        assert client.get("/api/seizures/SZ-PA-ANA-2026-99").status_code == 404
    assert busy.audit("seizure.weigh")[0]["detail"]["weighed"] == 38.72
