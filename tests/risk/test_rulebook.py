"""The rulebook: proposed with proof, tried, approved by another, versioned, and gone when expired."""

from datetime import UTC, datetime

import pytest
import yaml
from sqlalchemy import select

from builders import people
from isthmus.access.model import Role, node_actor
from isthmus.kernel.errors import Conflict, Denied, Invalid, NotFound
from isthmus.platform.audit import audit_table
from isthmus.risk import rulebook
from isthmus.risk.rules import RuleState
from risk.test_rules import GOOD


def text(**changes) -> str:
    return yaml.safe_dump([GOOD | {"state": "draft"} | changes])


@pytest.fixture
def staff(database):
    return people(database)


def propose(database, actor, **changes) -> str:
    return database.write(lambda tx: rulebook.propose(tx, actor, text(**changes)))


def advance(database, actor, key: str, *states: RuleState) -> None:
    for state in states:
        database.write(lambda tx, state=state: rulebook.advance(tx, actor, key, state))


def running(database) -> dict[str, tuple[int, str]]:
    held = database.read(rulebook.in_force)
    return {rule.id: (rule.version, rule.state.value) for rule in held.rules}


def test_the_shipped_rules_are_entered_once(database, staff):
    node = node_actor()
    many = database.write(lambda tx: rulebook.install(tx, node))
    assert many == len(rulebook.shipped().rules) > 30
    assert database.write(lambda tx: rulebook.install(tx, node)) == 0
    listed = database.read(lambda tx: rulebook.rules(tx, staff[Role.ANALYST]))
    assert len(listed) == many
    kept = {rule.id: rule.document for _, rule in listed}
    assert kept == {rule.id: rule.document for rule in rulebook.shipped().rules}


def test_a_rule_goes_live_through_two_people(database, staff):
    author, approver = staff[Role.SUPERVISOR], staff[Role.MODEL_APPROVER]
    key = propose(database, author)
    assert key == "heavy@1"
    assert running(database) == {}
    advance(database, author, key, RuleState.SHADOW)
    assert running(database) == {"heavy": (1, "shadow")}
    with pytest.raises(Denied, match="another person"):
        advance(database, author, key, RuleState.LIVE)
    with pytest.raises(Denied):  # who approves models does not approve rules
        advance(database, approver, key, RuleState.LIVE)
    with pytest.raises(Denied):
        advance(database, staff[Role.ANALYST], key, RuleState.LIVE)
    other = staff[Role.RULE_AUTHOR]
    second = propose(database, other, version=2)
    with pytest.raises(Conflict, match="draft cannot become live"):
        advance(database, author, second, RuleState.LIVE)
    advance(database, other, second, RuleState.SHADOW)
    advance(database, author, second, RuleState.LIVE)
    assert running(database)["heavy"] == (2, "live")
    actions = database.read(
        lambda tx: tx.execute(select(audit_table.c.action, audit_table.c.object_id)).all()
    )
    assert {"rule.propose", "rule.shadow", "rule.live"} <= {row.action for row in actions}


def test_a_new_version_is_tried_beside_the_live_one(database, staff):
    author, approver = staff[Role.RULE_AUTHOR], staff[Role.SUPERVISOR]
    first = propose(database, author)
    advance(database, author, first, RuleState.SHADOW)
    advance(database, approver, first, RuleState.LIVE)
    second = propose(database, author, version=2, weight=0.4)
    advance(database, author, second, RuleState.SHADOW)
    assert running(database) == {"heavy": (1, "live"), "heavy_v2": (2, "shadow")}
    advance(database, approver, second, RuleState.LIVE)
    assert running(database) == {"heavy": (2, "live")}
    with pytest.raises(Conflict, match="retired cannot"):
        advance(database, approver, first, RuleState.LIVE)
    advance(database, author, second, RuleState.RETIRED)
    assert running(database) == {}


def test_a_version_must_be_newer(database, staff):
    author = staff[Role.RULE_AUTHOR]
    propose(database, author, version=3)
    for version in (1, 3):
        with pytest.raises(Conflict, match="version 3 exists"):
            propose(database, author, version=version)
    assert propose(database, author, version=4) == "heavy@4"


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"weight": 7}, {"path": "weight", "rule": "heavy"}),
        ({"when": {"field": "colour", "op": "eq", "value": "x"}}, {"rule": "heavy"}),
        ({"id": "heavy_v2"}, {"path": "id"}),
        (
            {"examples": {"fires": [{"gross_kg": 1}], "silent": [{"gross_kg": 1}]}},
            {"example": "fires 1"},
        ),
        (
            {"examples": {"fires": [{"gross_kg": 11}], "silent": [{"gross_kg": 12}]}},
            {"example": "silent 1"},
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(database, staff, changes, where):
    with pytest.raises(Invalid) as caught:
        propose(database, staff[Role.RULE_AUTHOR], **changes)
    told = {name: caught.value.where.get(name) for name in where}
    if "example" in where:
        assert told["example"]
    else:
        assert told == where


def test_one_rule_at_a_time_and_nothing_but_a_rule(database, staff):
    author = staff[Role.RULE_AUTHOR]
    two = yaml.safe_dump([GOOD, GOOD | {"id": "other"}])
    for wrong in (two, "", "[", "- 1\n", "heavy: 1\n", "!!python/object/apply:os.getcwd []"):
        with pytest.raises(Invalid):
            database.write(lambda tx, wrong=wrong: rulebook.propose(tx, author, wrong))
    with pytest.raises(Denied):
        propose(database, staff[Role.INSPECTOR])
    with pytest.raises(NotFound):
        advance(database, author, "nothing@1", RuleState.SHADOW)


def test_a_deeply_nested_text_harms_nothing(database, staff):
    author = staff[Role.RULE_AUTHOR]
    for hostile in ("[" * 60_000, "- " * 30_000, "{a: " * 15_000):
        with pytest.raises((Invalid, RecursionError)):
            database.write(lambda tx, hostile=hostile: rulebook.propose(tx, author, hostile))


def test_a_rule_runs_on_its_last_day_and_not_after(database, staff, clock):
    author, approver = staff[Role.RULE_AUTHOR], staff[Role.SUPERVISOR]
    key = propose(database, author, expires="2026-01-02")
    advance(database, author, key, RuleState.SHADOW)
    advance(database, approver, key, RuleState.LIVE)
    clock.moment = datetime(2026, 1, 2, 23, 59, 59, tzinfo=UTC)
    assert running(database) == {"heavy": (1, "live")}
    clock.moment = datetime(2026, 1, 3, tzinfo=UTC)
    assert running(database) == {}
    late = propose(database, author, version=2, expires="2026-01-02")
    advance(database, author, late, RuleState.SHADOW)
    with pytest.raises(Conflict, match="expired"):
        advance(database, approver, late, RuleState.LIVE)
