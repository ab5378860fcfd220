"""Whatever is sent by whomever, the API answers as it is described and never breaks.

Each operation gets requests that fit its description and requests that do not, with ids that
exist and ids that do not, from every role, a system and nobody.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.node_served import Api, make
from api.node_served import seed as fill
from isthmus.access.model import Role
from isthmus.access.roles import ROLES
from isthmus.kernel.time import SetClock

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 8
# The kinds of things that parameters and fields of these names stand for.
NAMED = {
    "document_id": ("document",),
    "unit_id": ("unit",),
    "pick_id": ("pick", "taken", "watched"),
    "pick": ("pick", "taken", "watched"),
    "hold_id": ("hold", "proposed"),
    "inspection_id": ("inspection",),
    "alert_id": ("alert",),
    "hit_id": ("hit",),
    "person_id": ("person", "former"),
    "token_id": ("token",),
    "agency": ("agency",),
}


@schemathesis.serializer("application/x-ndjson")
def lines(_context: object, value: object) -> bytes:
    """JSON lines go as they were made up, whatever they are."""
    return value if isinstance(value, bytes) else bytes(str(value), "utf-8", "replace")


@dataclass
class Attack:
    """An operation with the requests that are made up for it."""

    operation: Any
    cases: st.SearchStrategy[Any]

    @property
    def needed(self) -> str | None:
        return self.operation.definition.raw.get("x-permission")


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A busy node of its own: some of what is sent works, and no other test should meet that."""
    api = make(tmp_path_factory.mktemp("attacked") / "node", SetClock())
    fill(api)
    with TestClient(api.app):
        yield api
    api.node.close()


@pytest.fixture(scope="module")
def attacks(attacked: Api) -> list[Attack]:
    """Every operation of the API; making up requests is prepared once for all roles."""
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", attacked.app)
    found = []
    for result in schema.get_all_operations():
        operation = result.ok()
        good = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
        bad = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
        found.append(Attack(operation, good | good | bad))
    # Signing out comes last: it ends the session that the others need.
    return sorted(found, key=lambda one: one.operation.path == "/api/sign-out")


@pytest.mark.parametrize("role", [*Role, None], ids=lambda role: role.value if role else "nobody")
def test_no_role_finds_a_fault_or_an_undescribed_answer(
    attacked: Api, attacks: list[Attack], role: Role | None
):
    headers = {"Authorization": f"Bearer {attacked.enter(role)}"} if role else {}
    met: Counter[int] = Counter()
    for attack in attacks:
        held = ROLES[role].permissions if role else ()
        may = attack.needed is None or attack.needed in held
        seen = run(attacked, attack, headers, EXAMPLES if may else 2)
        if role and not may:
            assert not {status for status in seen if status < 300}, attack.operation.label
        met += seen
    assert met[200], "nothing was ever answered"
    assert met[422], "nothing was ever wrong"
    print(role, dict(sorted(met.items())))


def run(attacked: Api, attack: Attack, headers: dict[str, str], count: int) -> Counter[int]:
    """Send requests to one operation and check every answer; return how often each status came."""
    met: Counter[int] = Counter()

    @seed(2026)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=attack.cases, real=st.booleans(), which=st.integers(0, 5))
    def attempt(case, real, which):
        if real:
            case.path_parameters = with_known(attacked, case.path_parameters, which)
            if isinstance(case.body, dict):
                case.body = with_known(attacked, case.body, which)
        response = case.call(headers=headers)
        met[response.status_code] += 1
        case.validate_response(response, checks=CHECKS)

    attempt()
    return met


def with_known(attacked: Api, values: dict[str, Any] | None, which: int) -> dict[str, Any]:
    """Put ids that exist where ids stand."""
    return {
        name: attacked.ids[NAMED[name][which % len(NAMED[name])]] if name in NAMED else value
        for name, value in (values or {}).items()
    }
