"""The API as a whole: every route guarded and described, names stable, nothing left undescribed."""

import re
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from jsonschema import Draft202012Validator

from api.node_served import Api
from isthmus.access.permission import Permission
from isthmus.access.roles import ROLES
from isthmus.api import app as application
from isthmus.api.app import AREAS, permission_of
from isthmus.api.identity import signed_in
from isthmus.api.receive import PATHS

SOURCE = Path(application.__file__).parent
# Who is not signed in may come here, and nowhere else.
OPEN = {"sign_in_person", "read_health"}
# Signed in is enough: these tell the caller about the caller, or what is the same for all.
FOR_ALL = {"sign_out", "who_am_i", "list_code_lists", "read_code_list", "read_schema"}


def routes() -> list[APIRoute]:
    return [route for area in AREAS for route in area.router.routes if isinstance(route, APIRoute)]


def depends_on(dependant, call) -> bool:
    return any(one.call is call or depends_on(one, call) for one in dependant.dependencies)


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    from api.node_served import make
    from isthmus.kernel.time import SetClock

    api: Api = make(tmp_path_factory.mktemp("described") / "node", SetClock())
    with api.client() as client:
        yield client.get("/api/openapi.json").json()
    api.node.close()


def operations(described):
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


@pytest.mark.parametrize("route", routes(), ids=lambda route: route.name)
def test_every_route_is_guarded(route):
    needed = permission_of(route.dependant)
    if route.name in OPEN:
        assert needed is None
        assert not depends_on(route.dependant, signed_in)
    elif route.name in FOR_ALL:
        assert needed is None
        assert depends_on(route.dependant, signed_in)
    else:
        assert isinstance(needed, Permission)
        assert depends_on(route.dependant, signed_in)


def test_every_module_with_routes_is_an_area():
    with_router = {
        path.stem for path in SOURCE.glob("*.py") if "APIRouter(" in path.read_text("utf-8")
    }
    assert with_router == {area.__name__.rsplit(".", 1)[-1] for area in AREAS}


def test_names_are_stable_and_stand_once(described):
    names = [operation["operationId"] for _, operation in operations(described)]
    assert len(names) == len(set(names)) == len(routes())
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in names)


def test_every_role_reaches_something_and_no_permission_of_the_loop_is_idle(described):
    needed = {op.get("x-permission") for _, op in operations(described)} - {None}
    for role, terms in ROLES.items():
        assert needed & {permission.value for permission in terms.permissions}, role
    # A budget is given with a run; backups and restores are made where the folder is, and lists
    # are taken in from the console as yet.
    idle = {"budget.set", "backup.perform", "list.take"}
    # What a partner's envelope brings the node alone may take in.
    idle |= {"item.receive"}
    assert {permission.value for permission in Permission} - needed == idle


def test_every_operation_describes_its_answers_and_failures(described):
    for name, operation in operations(described):
        assert operation["description"], name
        answers = operation["responses"]
        good = [status for status in answers if status.startswith("2")]
        assert good, name
        for status in good:
            content = answers[status].get("content", {})
            assert status == "204" or all(kind["schema"] for kind in content.values()), name
            assert status == "204" or content, name
        wanted = {"400", "413", "422", "500", "503"}
        if operation["operationId"] not in OPEN:
            wanted |= {"401", "403"}
        assert wanted <= set(answers), name
        for status, answer in answers.items():
            if status >= "400":
                assert list(answer["content"]) == ["application/problem+json"], name


def test_every_schema_is_one(described):
    Draft202012Validator.check_schema(described)
    schemas = described["components"]["schemas"]
    for name, schema in schemas.items():
        Draft202012Validator.check_schema(schema)
        assert "description" in schema or "enum" in schema, name
    used = set(re.findall(r"#/components/schemas/([A-Za-z0-9_.-]+)", str(described)))
    assert used == set(schemas)


def test_no_party_is_told_with_a_unit(described):
    fields = set(described["components"]["schemas"]["Unit"]["properties"])
    assert not {name for name in fields if name.endswith("_ref")}
    assert {"container", "bill", "regime", "office"} <= fields


def test_paths_of_documents_are_routes(described):
    assert set(PATHS) <= set(described["paths"])
