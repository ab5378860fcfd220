"""The standing of models: shadow, live, retired, rejected; who may move them."""

import pytest

from builders import people, person
from isthmus.access.model import Role
from isthmus.access.service import RoleRequest
from isthmus.kernel.errors import Conflict, Denied, NotFound
from isthmus.risk import models, store


@pytest.fixture
def staff(database):
    return people(database)


def register(database, actor, name: str = "m1", objective: str = "revenue") -> bool:
    return database.write(
        lambda tx: models.register(tx, actor, name, objective, b"model", {"rows": 1})
    )


def approve(database, actor, name: str = "m1") -> str:
    return database.write(lambda tx: models.approve(tx, actor, name))


def reject(database, actor, name: str = "m1") -> None:
    database.write(lambda tx: models.reject(tx, actor, name))


def states(database, actor) -> dict[str, str]:
    rows = database.read(lambda tx: models.models(tx, actor))
    assert all("body" not in row for row in rows)
    return {row["id"]: row["state"] for row in rows}


def test_two_different_people_make_a_model_live(database, staff):
    analyst, one, two = (
        staff[role] for role in (Role.ANALYST, Role.SUPERVISOR, Role.MODEL_APPROVER)
    )
    assert register(database, analyst)
    assert not register(database, analyst)
    with pytest.raises(Denied):
        approve(database, analyst)
    assert approve(database, one) == "shadow"
    with pytest.raises(Denied, match="second person"):
        approve(database, one)
    assert states(database, analyst) == {"m1": "shadow"}
    assert approve(database, two) == "live"
    row = database.read(store.live_models)[0]
    assert (row["approved_by"], row["second_by"]) == (one.id, two.id)
    with pytest.raises(Conflict, match="shadow"):
        approve(database, one)


def test_the_next_model_retires_the_one_before_of_its_objective_alone(database, staff):
    analyst, one, two = (
        staff[role] for role in (Role.ANALYST, Role.SUPERVISOR, Role.MODEL_APPROVER)
    )
    for name, objective in (("m1", "revenue"), ("m2", "contraband"), ("m3", "revenue")):
        register(database, analyst, name, objective)
        approve(database, one, name)
        approve(database, two, name)
    assert states(database, analyst) == {"m1": "retired", "m2": "live", "m3": "live"}


def test_a_model_is_rejected_or_stopped_by_one_person(database, staff):
    analyst, one, two = (
        staff[role] for role in (Role.ANALYST, Role.SUPERVISOR, Role.MODEL_APPROVER)
    )
    register(database, analyst)
    with pytest.raises(Denied):
        reject(database, analyst)
    reject(database, one)
    assert states(database, analyst) == {"m1": "rejected"}
    with pytest.raises(Conflict):
        reject(database, one)
    with pytest.raises(Conflict, match="rejected"):
        register(database, analyst)
    register(database, analyst, "m2")
    approve(database, one, "m2")
    approve(database, two, "m2")
    reject(database, two, "m2")
    assert states(database, analyst)["m2"] == "retired"


def test_models_are_there_for_those_who_may_read_them(database, staff):
    register(database, staff[Role.ANALYST])
    assert states(database, staff[Role.INSPECTOR]) == {}
    approver = person(database, staff[Role.ADMINISTRATOR], RoleRequest(Role.MODEL_APPROVER))
    with pytest.raises(NotFound):
        approve(database, approver, "unknown")
