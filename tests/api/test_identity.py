"""Who comes in, with what proof, and what a cookie alone may not do."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from api.node_served import Api
from builders import enter, hasher
from isthmus.access import service, sessions, tokens
from isthmus.access.model import Permission, Role
from isthmus.access.service import RoleRequest


def problem(response, status: int) -> dict:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    told = response.json()
    assert told["status"] == status
    return told


def test_nobody_is_let_in(api: Api):
    told = problem(api.client().get("/api/session"), 401)
    assert (told["kind"], told["code"]) == ("unauthenticated", "session_missing")
    assert api.client().get("/api/session").headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "given",
    ["Bearer nonsense", "Bearer ist_nonsense", "Bearer ", "Basic YTpi", "Bearer é", "x" * 9000],
)
def test_a_false_proof_is_refused(api: Api, given: str):
    headers = {"Authorization": given.encode("latin-1")}
    response = TestClient(api.app).get("/api/session", headers=headers)
    problem(response, 401)
    assert "nonsense" not in response.text


def test_a_false_authorization_is_not_mended_by_a_good_cookie(api: Api):
    browser = api.browser(Role.ANALYST)
    problem(browser.get("/api/session", headers={"Authorization": "Bearer nonsense"}), 401)
    assert browser.get("/api/session").status_code == 200


def test_a_session_says_who_and_what(api: Api):
    told = api.client(Role.TERMINAL).get("/api/session").json()
    assert told["id"] == api.actors[Role.TERMINAL].id
    assert set(told["permissions"]) == {"hold.read", "hold.acknowledge", "event.receive"}
    assert told["offices"] is None
    assert told["purposes"] == ["inspection"]


def test_reading_under_a_cookie_needs_no_form_token(api: Api):
    assert api.browser(Role.ANALYST).get("/api/units").status_code == 200


def test_an_act_under_a_cookie_needs_its_own_form_token(api: Api):
    browser = api.browser(Role.ANALYST)
    told = problem(browser.post("/api/score"), 403)
    assert told["code"] == "csrf_missing"
    of_another = sessions.csrf_token(api.sessions[Role.SUPERVISOR])
    problem(browser.post("/api/score", headers={"Isthmus-CSRF": of_another}), 403)
    problem(
        browser.post("/api/score", data={"csrf": sessions.csrf_token(api.sessions[Role.ANALYST])}),
        403,
    )
    own = sessions.csrf_token(api.sessions[Role.ANALYST])
    assert browser.post("/api/score", headers={"Isthmus-CSRF": own}).status_code == 202


def test_a_bearer_needs_no_form_token(api: Api):
    assert api.client(Role.ANALYST).post("/api/score").status_code == 202
    assert api.client(Role.SYSTEM).post("/api/score").status_code == 202


def test_a_session_ends_when_idle(api: Api):
    client = api.client(Role.ANALYST)
    api.clock.advance(timedelta(minutes=29))
    assert client.get("/api/session").status_code == 200
    api.clock.advance(timedelta(minutes=29))
    assert client.get("/api/session").status_code == 200, "the use before was noted"
    api.clock.advance(timedelta(minutes=30))
    assert problem(client.get("/api/session"), 401)["code"] == "session_expired"


def test_a_session_ends_at_sign_out_and_no_other_does(api: Api):
    one, other = api.client(Role.ANALYST), api.enter(Role.ANALYST)
    assert one.post("/api/sign-out").status_code == 204
    problem(one.get("/api/session"), 401)
    held = TestClient(api.app, headers={"Authorization": f"Bearer {other}"})
    assert held.get("/api/session").status_code == 200


def test_a_token_reaches_no_further_than_it_was_given(api: Api):
    def issue(tx):
        return tokens.issue_token(
            tx,
            api.actors[Role.ADMINISTRATOR],
            label="Events only",
            agency=api.agency,
            role=Role.SYSTEM,
            permissions=frozenset({Permission.EVENT_RECEIVE}),
        )

    issued = api.node.database.write(issue)
    client = TestClient(api.app, headers={"Authorization": f"Bearer {issued.secret}"})
    told = problem(client.get("/api/units"), 403)
    assert told["where"] == {"permission": "unit.read"}
    problem(client.post("/api/declarations", json={}), 403)
    problem(client.post("/api/receive", content=b"x"), 403)
    assert client.post("/api/events", content=b"").status_code != 403
    revoked = api.client(Role.ADMINISTRATOR).post(f"/api/tokens/{issued.id}/revoke")
    assert revoked.status_code == 200
    problem(client.get("/api/session"), 401)


def test_a_token_ends_by_itself(api: Api):
    client = api.client(Role.SYSTEM)
    assert client.get("/api/session").status_code == 200
    api.clock.advance(timedelta(days=91))
    problem(client.get("/api/session"), 401)


def test_a_system_does_no_act_of_persons(api: Api):
    client = api.client(Role.SYSTEM)
    permissions = client.get("/api/session").json()["permissions"]
    assert not {"hold.confirm", "pick.clear", "person_data.read"} & set(permissions)


def test_a_refusal_is_written_down_with_who_and_what(api: Api):
    problem(api.client(Role.INSPECTOR).post("/api/rules", json={"text": "x"}), 403)
    (entry,) = api.audit("access.denied")
    assert entry["actor"] == api.actors[Role.INSPECTOR].id
    assert entry["object_id"] == "rule.write"


def test_a_missing_form_token_is_written_down_too(api: Api):
    api.browser(Role.ANALYST).post("/api/score")
    (entry,) = api.audit("access.denied")
    assert entry["actor"] == api.actors[Role.ANALYST].id
    assert entry["detail"]["code"] == "csrf_missing"


def test_the_wrong_method_is_named_as_such(api: Api):
    response = api.client(Role.ANALYST).put("/api/units")
    assert problem(response, 405)["code"] == "method_not_allowed"
    assert response.headers["allow"] == "GET"
    assert problem(api.client(Role.ANALYST).get("/api/nothing"), 404)["code"] == "address_unknown"


def test_a_purpose_that_is_none_is_refused(api: Api):
    client = api.client(Role.ANALYST)
    told = problem(client.get("/api/session", headers={"Isthmus-Purpose": "curiosity"}), 422)
    assert told["code"] == "purpose_unknown"


class TestSignIn:
    @pytest.fixture
    def officer(self, api: Api):
        administrator = api.actors[Role.ADMINISTRATOR]
        invited = api.node.database.write(
            lambda tx: service.invite(
                tx,
                administrator,
                agency=api.agency,
                name="Ana Batista",
                login="ana@customs.example",
                roles=[RoleRequest(Role.ANALYST)],
            )
        )
        return enter(api.node.database, hasher(), invited)

    def ask(self, api: Api, officer, **more) -> dict:
        api.clock.advance(timedelta(seconds=90))
        return {
            "login": officer.login,
            "password": "seven blue cranes at noon",
            "code": officer.code(api.node.database),
            **more,
        }

    def test_gives_a_cookie_out_of_reach_of_scripts_and_other_sites(self, api: Api, officer):
        client = api.client()
        response = client.post("/api/sign-in", json=self.ask(api, officer))
        assert response.status_code == 200
        cookie = response.headers["set-cookie"].lower()
        assert cookie.startswith("isthmus_session=")
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert "secure" not in cookie
        told = response.json()
        assert told["token"] is None
        assert client.post("/api/score").status_code == 403
        done = client.post("/api/score", headers={"Isthmus-CSRF": told["csrf"]})
        assert done.status_code == 202

    def test_gives_a_secure_cookie_bound_to_the_host_over_tls(self, api: Api, officer):
        client = TestClient(api.app, base_url="https://node.test")
        response = client.post("/api/sign-in", json=self.ask(api, officer))
        cookie = response.headers["set-cookie"]
        assert cookie.startswith("__Host-isthmus_session=")
        assert "Secure" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie
        assert client.get("/api/session").status_code == 200
        plain = cookie.partition("=")[2].partition(";")[0]
        named_plainly = TestClient(api.app, base_url="https://node.test")
        named_plainly.cookies.set("isthmus_session", plain)
        assert named_plainly.get("/api/session").status_code == 401

    def test_gives_the_token_when_asked_and_then_no_cookie(self, api: Api, officer):
        response = api.client().post("/api/sign-in", json=self.ask(api, officer, bearer=True))
        assert "set-cookie" not in response.headers
        token = response.json()["token"]
        client = TestClient(api.app, headers={"Authorization": f"Bearer {token}"})
        assert client.get("/api/session").json()["id"] == officer.person_id

    def test_answers_every_wrong_thing_alike_and_locks(self, api: Api, officer):
        right = self.ask(api, officer)
        wrongs = [{"password": "wrong"}, {"code": "000000"}, {"login": "nobody@customs.example"}]
        answers = {
            api.client().post("/api/sign-in", json={**right, **wrong}).text for wrong in wrongs
        }
        assert len(answers) == 1
        for _ in range(5):
            last = api.client().post("/api/sign-in", json={**right, "password": "wrong"})
        told = problem(last, 429)
        assert told["code"] == "sign_in_locked"
        assert 0 < int(last.headers["retry-after"]) <= 60

    def test_takes_no_form_of_another_site(self, api: Api, officer):
        ask = self.ask(api, officer)
        problem(api.client().post("/api/sign-in", data=ask), 422)
        as_text = api.client().post(
            "/api/sign-in", content=str(ask), headers={"Content-Type": "text/plain"}
        )
        problem(as_text, 422)
