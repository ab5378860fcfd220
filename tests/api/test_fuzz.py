"""Whatever is sent by whomever, the API answers as it is described and never breaks.

Each operation gets requests that fit its description and requests that do not, with ids that
exist and ids that do not, from every role, a system and nobody.
"""

from collections import Counter

import pytest
import schemathesis
from api.node_served import Api
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

from isthmus.access.model import Role
from isthmus.access.roles import ROLES as ROLES_

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@schemathesis.serializer("application/x-ndjson")
def lines(_context, value) -> bytes:
    """JSON lines go as they were made up, whatever they are."""
    return value if isinstance(value, bytes) else bytes(str(value), "utf-8", "replace")


ROLES = [*Role, None]
EXAMPLES = 6


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.value if role else "nobody")
def test_no_role_finds_a_fault_or_an_undescribed_answer(shared: Api, role: Role | None):
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", shared.app)
    operations = [result.ok() for result in schema.get_all_operations()]
    # Signing out comes last: it ends the session that the others need.
    operations.sort(key=lambda operation: operation.path == "/api/sign-out")
    headers = {"Authorization": f"Bearer {shared.enter(role)}"} if role else {}
    met = Counter()
    for operation in operations:
        met += attempts(shared, operation, headers, examples(operation, role))
    assert met[200], "nothing was ever answered"
    assert met[422], "nothing was ever wrong"


def examples(operation, role: Role | None) -> int:
    """A few requests where the role may act; where it may not, one look at the refusal."""
    needed = operation.definition.raw.get("x-permission")
    allowed = needed is None if role is None else needed in (None, *ROLES_[role].permissions)
    return EXAMPLES if allowed else 2


def attempts(shared: Api, operation, headers: dict[str, str], count: int) -> Counter:
    """Send requests to one operation and check every answer; return how often each status came."""
    met = Counter()
    known = st.sampled_from(sorted(shared.ids.values()))
    good = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    bad = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)

    @seed(2026)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=good | bad, object_id=st.none() | known)
    def attempt(case, object_id):
        if object_id is not None:
            given_ = case.path_parameters or {}
            case.path_parameters = {
                name: object_id if name.endswith("_id") else value for name, value in given_.items()
            }
        response = case.call(headers=headers)
        met[response.status_code] += 1
        case.validate_response(response, checks=CHECKS)

    attempt()
    return met
