"""Values chosen to hurt: none breaks the node, none is taken for something else."""

import re

import pytest

from api.node_served import Api
from api.test_identity import problem
from isthmus.access.model import Role
from isthmus.risk.rules import shipped_folder

JSON = {"Content-Type": "application/json"}
DEEP = b"[" * 200_000
# What cannot be read at all is 400, what is JSON of another shape 422.
BODIES = {
    "deep": (DEEP, 400),
    "deep object": (b'{"a":' * 100_000, 400),
    "not utf-8": (b"\xff\xfe\x00", 400),
    "nothing": (b"", 422),
    "null": (b"null", 422),
    "text": (b'"x"', 422),
    "list": (b"[]", 422),
    "many digits": (b'{"budget": ' + b"9" * 6_000 + b"}", 400),
    "cut": (b'{"budget": ', 422),
}
# Each by somebody who may: a refusal for want of permission would hide what the body does.
POSTS = {
    "/api/sign-in": Role.ANALYST,
    "/api/runs": Role.SUPERVISOR,
    "/api/holds": Role.ANALYST,
    "/api/rules": Role.ANALYST,
    "/api/people": Role.ADMINISTRATOR,
    "/api/tokens": Role.ADMINISTRATOR,
}
GOOD_RULE = "- id:" + (shipped_folder() / "seals.yaml").read_text("utf-8").split("- id:")[1]


@pytest.mark.parametrize(
    ("role", "path"),
    [
        (Role.ANALYST, "/api/units?limit=500"),
        (Role.ANALYST, "/api/units?container=MSCU1234566&bill=A-1&regime=import&hs=0803"),
        (Role.ANALYST, "/api/units?vessel_imo=9074729"),
        (Role.ANALYST, "/api/units/{unit}"),
        (Role.ANALYST, "/api/picks?offset=1000000"),
        (Role.AUDITOR, "/api/audit?before=1"),
        (Role.AUDITOR, "/api/lookups?before=2026-01-01T00:00:00%2B14:00"),
    ],
)
def test_the_same_question_asked_well_is_answered(shared: Api, role: Role, path: str):
    """Each refusal below is of the value it names, not of the question."""
    response = shared.client(role).get(path.format(**shared.ids))
    assert response.status_code == 200, response.text


def test_the_same_act_asked_well_is_done(shared: Api):
    client = shared.client(Role.SUPERVISOR)
    for body in ({"budget": 0}, {"budget": 1, "floor": 0.5}, {"budget": 0, "shift": "night"}):
        assert client.post("/api/runs", json=body).status_code == 201
    plain = client.post("/api/runs", content=b'{"budget": 0}', headers=JSON)
    assert plain.status_code == 201
    rule = re.sub(r"^- id: (\w+)", r"- id: \1_again", GOOD_RULE, flags=re.M)
    proposed = shared.client(Role.ANALYST).post("/api/rules", json={"text": rule})
    assert proposed.status_code == 201, proposed.text


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_is_no_object_is_refused(shared: Api, path: str, name: str):
    body, status = BODIES[name]
    problem(shared.client(POSTS[path]).post(path, content=body, headers=JSON), status)


def test_a_body_of_somebody_who_may_not_is_not_judged(shared: Api):
    told = problem(shared.client(Role.ADMINISTRATOR).post("/api/runs", json=[]), 403)
    assert told["errors"] == []


@pytest.mark.parametrize(
    "value",
    ["NaN", "Infinity", "-Infinity", "1e400", "9223372036854775808", "-1", "1.5", '"5"', "true",
     "null", "[]", "{}", "1e2"],
)  # fmt: skip
def test_a_budget_is_a_whole_number_within_bounds(shared: Api, value: str):
    body = f'{{"budget": {value}}}'.encode()
    problem(shared.client(Role.SUPERVISOR).post("/api/runs", content=body, headers=JSON), 422)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "0", "-0.1", "1.1", '"0.5"', "true"])
def test_a_floor_is_a_share_above_nothing(shared: Api, value: str):
    body = f'{{"budget": 1, "floor": {value}}}'.encode()
    problem(shared.client(Role.SUPERVISOR).post("/api/runs", content=body, headers=JSON), 422)


def test_a_floor_below_the_nodes_own_is_refused(shared: Api):
    client = shared.client(Role.SUPERVISOR)
    told = problem(client.post("/api/runs", json={"budget": 1, "floor": 0.01}), 422)
    assert told["code"] == "risk.floor"


@pytest.mark.parametrize("text", ["\\u0000", "\\ud800", "\\n", "", "\\u001b[31m"])
def test_a_line_of_text_holds_no_controls_and_no_halves(shared: Api, text: str):
    body = f'{{"budget": 0, "shift": "{text}"}}'.encode()
    problem(shared.client(Role.SUPERVISOR).post("/api/runs", content=body, headers=JSON), 422)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=501", "limit=99999999999999999999", "limit=x", "limit=1.5", "limit=NaN",
        "container=%00", "container=%ED%A0%80", "container=" + "A" * 81, "regime=war", "hs=123",
        "bill=%0d%0a", "before=1", "vessel_imo=1",
    ],
)  # fmt: skip
def test_a_query_that_no_search_means_is_refused(shared: Api, query: str):
    problem(shared.client(Role.ANALYST).get(f"/api/units?{query}"), 422)


@pytest.mark.parametrize(
    "object_id",
    ["x", "unit_", "unit_%00", "unit_06bq3f1m9t0xk2r8v5hc7n4ez%ED%A0%80", "..%2f..", "'"],
)
def test_an_id_that_none_is_like_is_refused(shared: Api, object_id: str):
    response = shared.client(Role.ANALYST).get(f"/api/units/{object_id}")
    assert response.status_code in (404, 422)
    problem(response, response.status_code)


@pytest.mark.parametrize("offset", ["1000001", "-1", str(1 << 63), "9" * 4000])
def test_an_offset_has_an_end(shared: Api, offset: str):
    problem(shared.client(Role.ANALYST).get("/api/picks", params={"offset": offset}), 422)


@pytest.mark.parametrize("before", ["0", str(1 << 60), "1e3", "x"])
def test_an_audit_number_is_one(shared: Api, before: str):
    problem(shared.client(Role.AUDITOR).get("/api/audit", params={"before": before}), 422)


@pytest.mark.parametrize(
    "moment", ["1", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-01", "now",
               "2026-01-01T00:00:00"],
)  # fmt: skip
def test_a_moment_knows_its_zone_and_its_century(shared: Api, moment: str):
    problem(shared.client(Role.AUDITOR).get("/api/lookups", params={"before": moment}), 422)


RULES = {
    "no list": "{}",
    "a scalar": "7",
    "nothing": " ",
    "not YAML": "a: [",
    "deep": "[" * 5_000 + "]" * 5_000,
    "aliases": "a: &a [x, x]\nb: &b [*a, *a]\n" + "c: &c [*b, *b]\n",
    "a bomb": "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)
    ).replace("*a", "lol"),
    "python": "!!python/object/apply:os.system ['true']",
    "a number key": "[{1: 2}]",
    "a list key": "[{[1]: 2}]",
    "a huge number": f"[{{id: a, version: {'9' * 5_000}}}]",
    "a day that is none": "[{expires: 2026-99-99}]",
}


@pytest.mark.parametrize("name", RULES)
def test_a_text_that_is_no_rule_is_refused(shared: Api, name: str):
    client = shared.client(Role.ANALYST)
    told = problem(client.post("/api/rules", json={"text": RULES[name]}), 422)
    assert told["code"].startswith("risk.")


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "", "x"]
)
def test_json_comes_as_json(shared: Api, content_type: str):
    response = shared.client(Role.SUPERVISOR).post(
        "/api/runs", content=b'{"budget": 1}', headers={"Content-Type": content_type}
    )
    problem(response, 422)


def test_an_answer_repeats_nothing_that_was_sent(shared: Api):
    secret = "a-secret-nobody-repeats"
    asks = [
        (Role.ANALYST, "/api/sign-in", {"login": [secret], "password": {"a": secret}}),
        (Role.ANALYST, "/api/sign-in", {"login": "x", "password": secret, "none": secret}),
        (Role.ADMINISTRATOR, "/api/people", {"name": [secret], "agency": secret}),
        (Role.SUPERVISOR, "/api/runs", {"budget": secret}),
    ]
    for role, path, ask in asks:
        response = shared.client(role).post(path, json=ask)
        assert problem(response, 422)["errors"]
        assert secret not in response.text


def test_a_fault_names_its_id_and_nothing_else(api: Api, monkeypatch, caplog):
    def broken(*_args: object) -> None:
        raise ValueError("8-000-1234 Maria Example")

    monkeypatch.setattr(api.node.database, "read", broken)
    response = api.client().get("/api/health")
    told = problem(response, 500)
    assert told["kind"] == "internal"
    assert told["request"].startswith("req_")
    assert "Maria" not in response.text
    assert "Maria" not in caplog.text
    assert told["request"] in caplog.text
