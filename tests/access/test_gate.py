"""The gates: never more than was granted, nothing without a purpose, every look-up logged."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, MetaData, Table, Text, create_engine, select

from builders import people, person
from isthmus.access import agencies, denials, gate, lookups, service, store
from isthmus.access.model import Actor, ActorKind, Permission, Purpose, Reach, Role, node_actor
from isthmus.access.permission import NODE_ONLY, PERSON_ONLY, PLACED
from isthmus.access.roles import ROLES
from isthmus.access.service import RoleRequest
from isthmus.kernel.errors import Denied, PurposeNeeded
from isthmus.platform.audit import audit_table

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PLACES = ["PABLB", "PACTB", "PAONX"]
TERMINALS = ["MIT", "CCT"]
BOXES = [(office, terminal) for office in [*PLACES, None] for terminal in [*TERMINALS, None]]

subset = st.none() | st.frozensets(st.sampled_from(PLACES))
terminals = st.none() | st.frozensets(st.sampled_from(TERMINALS))
reaches = st.builds(
    Reach,
    permissions=st.frozensets(st.sampled_from(list(Permission)), max_size=8),
    agency=st.sampled_from(["agy_a", "agy_b"]),
    offices=subset,
    terminals=terminals,
    until=st.sampled_from([None, NOW - timedelta(seconds=1), NOW, NOW + timedelta(seconds=1)]),
)
actors = st.builds(
    Actor,
    id=st.just("per_x"),
    kind=st.sampled_from(list(ActorKind)),
    agency=st.just("agy_a"),
    reaches=st.lists(reaches, max_size=4).map(tuple),
)


class Now:
    """The part of a transaction that a check looks at."""

    now = NOW


def passes(actor, permission, **places):
    try:
        gate.check(Now(), actor, permission, **places)
    except Denied:
        return False
    return True


@given(actors, st.sampled_from(list(Permission)), st.sampled_from(BOXES))
def test_a_check_passes_only_what_one_standing_reach_grants_at_that_place(actor, permission, box):
    office, terminal = box
    granted = any(
        permission in reach.permissions
        and (reach.until is None or reach.until > NOW)
        and (reach.offices is None or office in reach.offices)
        and (reach.terminals is None or terminal in reach.terminals)
        for reach in actor.reaches
    ) and (actor.kind is ActorKind.PERSON or permission not in PERSON_ONLY)
    assert passes(actor, permission, office=office, terminal=terminal) == granted


@given(actors, st.sampled_from(sorted(PLACED)))
def test_an_act_on_a_placed_thing_is_refused_when_the_place_is_not_named(actor, permission):
    unlimited = [
        reach for reach in actor.reaches if reach.offices is None and reach.terminals is None
    ]
    if passes(actor, permission):
        assert any(permission in reach.permissions for reach in unlimited)


@given(actors, st.sampled_from(list(Permission)))
def test_naming_the_agency_can_only_take_away(actor, permission):
    for agency in ("agy_a", "agy_b", "agy_c"):
        if passes(actor, permission, agency=agency):
            assert passes(actor, permission)
            assert agency in {reach.agency for reach in actor.reaches}


@pytest.fixture(scope="module")
def boxes():
    """A table with a row at every place, and at none."""
    metadata = MetaData()
    table = Table(
        "box",
        metadata,
        Column("office", Text),
        Column("terminal", Text),
        Column("agency", Text),
    )
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(
            table.insert(),
            [
                {"office": office, "terminal": terminal, "agency": agency}
                for office, terminal in BOXES
                for agency in ("agy_a", "agy_b")
            ],
        )
    with engine.connect() as connection:
        yield connection, table.c
    engine.dispose()


@settings(deadline=None)
@given(actor=actors, permission=st.sampled_from(list(Permission)))
def test_a_scope_shows_exactly_the_rows_of_which_it_says_that_it_covers_them(
    boxes, actor, permission
):
    connection, box = boxes
    scope = gate.scope(actor, permission)
    where = scope.where(office_column=box.office, terminal_column=box.terminal)
    shown = {
        tuple(row) for row in connection.execute(select(box.office, box.terminal).where(where))
    }
    assert shown == {
        (office, terminal)
        for office, terminal in BOXES
        if scope.covers(office=office, terminal=terminal)
    }
    if permission not in actor.permissions:
        assert shown == set()


@settings(deadline=None)
@given(actor=actors, permission=st.sampled_from(list(Permission)))
def test_a_limit_without_its_column_shows_nothing_and_an_agency_column_only_narrows(
    boxes, actor, permission
):
    connection, box = boxes
    scope = gate.scope(actor, permission)

    def rows(**columns):
        found = select(box.office, box.terminal, box.agency).where(scope.where(**columns))
        return {tuple(row) for row in connection.execute(found)}

    blind = rows()
    assert bool(blind) == scope.everything
    both = rows(office_column=box.office, terminal_column=box.terminal)
    assert rows(office_column=box.office) <= both
    narrowed = rows(
        office_column=box.office, terminal_column=box.terminal, agency_column=box.agency
    )
    assert narrowed <= both
    assert {row[2] for row in narrowed} <= {reach.agency for reach in scope.reaches}


def test_nobody_without_reaches_may_do_or_see_anything():
    nobody = Actor("per_x", ActorKind.PERSON, "agy_a")
    assert not any(passes(nobody, permission) for permission in Permission)
    assert all(gate.scope(nobody, permission).empty for permission in Permission)


def test_the_node_itself_never_does_what_belongs_to_persons():
    node = node_actor()
    refused = {permission for permission in Permission if not passes(node, permission)}
    assert refused == PERSON_ONLY
    assert {Permission.HOLD_CONFIRM, Permission.PICK_CLEAR, Permission.MODEL_APPROVE} <= refused


def test_roles_at_two_offices_do_not_run_together():
    both = Actor(
        "per_x",
        ActorKind.PERSON,
        "agy_a",
        (
            Reach(ROLES[Role.SUPERVISOR].permissions, "agy_a", frozenset({"PABLB"})),
            Reach(ROLES[Role.ANALYST].permissions, "agy_a", frozenset({"PACTB"})),
        ),
    )
    assert passes(both, Permission.HOLD_CONFIRM, office="PABLB", terminal="MIT")
    assert not passes(both, Permission.HOLD_CONFIRM, office="PACTB", terminal="MIT")
    assert passes(both, Permission.HOLD_PROPOSE, office="PACTB", terminal="MIT")


def test_every_role_has_terms_and_every_permission_a_role():
    assert set(ROLES) == set(Role)
    granted = frozenset().union(*(terms.permissions for terms in ROLES.values()))
    assert granted == frozenset(Permission) - NODE_ONLY
    assert not ROLES[Role.TERMINAL].permissions & {Permission.UNIT_READ, Permission.PICK_READ}
    readers = {role for role in Role if Permission.LOOKUP_READ in ROLES[role].permissions}
    assert readers == {Role.AUDITOR, Role.DATA_PROTECTION_OFFICER}


def test_an_unscoped_read_must_say_why():
    with pytest.raises(ValueError, match="say why"):
        gate.unscoped("job")
    assert gate.unscoped("read by the scoring job")(len) is len


def refusal(database, actor, permission, **places):
    with pytest.raises(Denied) as caught:
        database.read(lambda tx: gate.check(tx, actor, permission, **places))
    return caught.value


def audited(database, action):
    found = select(audit_table).where(audit_table.c.action == action).order_by(audit_table.c.seq)
    return [dict(row) for row in database.read(lambda tx: tx.execute(found).mappings().all())]


def test_refusals_reach_the_audit_at_a_bounded_rate(database, clock):
    staff = people(database)
    refused = refusal(
        database, staff[Role.ANALYST], Permission.HOLD_CONFIRM, office="PABLB", object_id="hld_1"
    )
    noted = [database.write(lambda tx: denials.note(tx, refused)) for _ in range(30)]
    assert noted == [True] * denials.ROWS_PER_WINDOW + [False] * 10
    rows = audited(database, "access.denied")
    assert len(rows) == denials.ROWS_PER_WINDOW
    assert rows[0]["actor"] == staff[Role.ANALYST].id
    assert rows[0]["object_id"] == "hold.confirm"
    assert rows[0]["detail"]["object"] == "hld_1"
    clock.advance(denials.WINDOW + timedelta(seconds=1))
    assert database.write(lambda tx: denials.note(tx, refused))
    left_out = audited(database, "access.denials_left_out")
    assert [row["detail"]["count"] for row in left_out] == [10]


def opened(database, actor, *args, **kwargs):
    return database.write(lambda tx: gate.open_person_data(tx, actor, *args, **kwargs))


def test_a_task_gives_the_purpose_and_its_end_takes_it(database, clock):
    staff = people(database)
    analyst, supervisor = staff[Role.ANALYST], staff[Role.SUPERVISOR]
    with pytest.raises(PurposeNeeded):
        opened(database, analyst, "party", "pty_1", via=["unt_1"])
    give = lambda tx: service.assign(  # noqa: E731
        tx, supervisor, analyst.id, "unit", "unt_1", purpose=Purpose.INSPECTION
    )
    task = database.write(give)
    assert database.write(give) == task
    assert opened(database, analyst, "party", "pty_1", via=["unt_1"]) is Purpose.INSPECTION
    with pytest.raises(PurposeNeeded):
        opened(database, analyst, "party", "pty_2")
    with pytest.raises(PurposeNeeded):
        opened(database, supervisor, "party", "pty_1", via=["unt_1"])
    database.write(lambda tx: service.unassign(tx, supervisor, analyst.id, "unit", "unt_1"))
    with pytest.raises(PurposeNeeded):
        opened(database, analyst, "party", "pty_1", via=["unt_1"])


def test_a_task_with_an_end_gives_no_purpose_from_that_moment(database, clock):
    staff = people(database)
    analyst = staff[Role.ANALYST]
    until = clock.now() + timedelta(hours=8)
    database.write(
        lambda tx: service.assign(
            tx, analyst, analyst.id, "unit", "unt_1", purpose=Purpose.TARGETING, until=until
        )
    )
    clock.moment = until - timedelta(microseconds=1)
    assert opened(database, analyst, "unit", "unt_1") is Purpose.TARGETING
    clock.moment = until
    with pytest.raises(PurposeNeeded):
        opened(database, analyst, "unit", "unt_1")


def test_a_reason_in_words_opens_and_only_supervision_reads_it(database):
    staff = people(database)
    analyst = staff[Role.ANALYST]
    with pytest.raises(PurposeNeeded) as short:
        opened(database, analyst, "party", "pty_1", "  because   ")
    assert short.value.code == "reason_needed"
    words = "Same consignee as in the seizure of Monday"
    assert opened(database, analyst, "party", "pty_1", words) is Purpose.TARGETING
    judicial = opened(database, analyst, "party", "pty_1", words, purpose=Purpose.JUDICIAL)
    assert judicial is Purpose.JUDICIAL
    with pytest.raises(Denied):
        database.write(lambda tx: lookups.lookups(tx, analyst, subject_id="pty_1"))
    auditor = staff[Role.AUDITOR]
    seen = database.write(lambda tx: lookups.lookups(tx, auditor, subject_id="pty_1"))
    assert {(look.purpose, look.reason, look.actor_id) for look in seen} == {
        (Purpose.TARGETING, words, analyst.id),
        (Purpose.JUDICIAL, words, analyst.id),
    }
    assert len(audited(database, "lookups.read")) == 1


def test_the_reason_stands_in_the_clear_nowhere(database, tmp_path):
    staff = people(database)
    opened(
        database, staff[Role.ANALYST], "party", "pty_1", "consignee Ernesto Quintanilla known to us"
    )

    def everything(tx):
        return b"".join(
            repr(tuple(row)).encode()
            for table in sqlalchemy.inspect(tx.connection).get_table_names()
            for row in tx.execute(sqlalchemy.text(f'SELECT * FROM "{table}"'))
        )

    text = database.read(everything)
    assert b"person_data.opened" in text
    assert b"Quintanilla" not in text


def test_without_the_permission_not_even_a_reason_opens(database):
    staff = people(database)
    for role in (Role.TERMINAL, Role.ADMINISTRATOR, Role.AUDITOR, Role.MODEL_APPROVER):
        with pytest.raises(Denied) as refused:
            opened(database, staff[role], "party", "pty_1", "a reason long enough to pass")
        assert refused.value.code == "permission_missing"


def test_a_purpose_out_of_use_opens_nothing(database):
    staff = people(database)
    officer = staff[Role.DATA_PROTECTION_OFFICER]
    database.write(lambda tx: agencies.set_purpose(tx, officer, Purpose.TARGETING, active=False))
    with pytest.raises(Denied) as refused:
        opened(database, staff[Role.ANALYST], "party", "pty_1", "a reason long enough to pass")
    assert refused.value.code == "purpose_not_in_use"
    with pytest.raises(Denied):
        database.write(
            lambda tx: agencies.set_purpose(tx, staff[Role.ANALYST], Purpose.TARGETING, active=True)
        )


def test_an_officer_opens_no_persons_data_at_another_office(database):
    staff = people(database)
    analyst = person(
        database, staff[Role.ADMINISTRATOR], RoleRequest(Role.ANALYST, offices=frozenset({"PABLB"}))
    )
    words = "Same consignee as in the seizure of Monday"
    assert opened(database, analyst, "party", "pty_1", words, office="PABLB", terminal="MIT")
    with pytest.raises(Denied):
        opened(database, analyst, "party", "pty_1", words, office="PACTB", terminal="MIT")
    seen = database.read(lambda tx: store.lookups(tx, actor_id=analyst.id))
    assert len(seen) == 1
