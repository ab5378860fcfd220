"""People of the node: invited, given roles within bounds, deactivated, reviewed, erased."""

from datetime import date, timedelta

import pytest
import sqlalchemy
from sqlalchemy import select

from builders import enter, hasher, person
from isthmus.access import agencies, erasure, gate, lookups, service, sessions, store
from isthmus.access.model import AgencyKind, Permission, Purpose, Role
from isthmus.access.service import RoleRequest
from isthmus.kernel.errors import Conflict, Denied, Invalid, PurposeNeeded
from isthmus.platform.audit import audit_table

BALBOA, COLON = frozenset({"PABLB"}), frozenset({"PAONX"})


def fresh(database, actor):
    """Return the actor as a new request would make them."""
    return database.read(lambda tx: sessions.actor_of(tx, store.person(tx, actor.id)))


def actions(database):
    return database.read(
        lambda tx: (
            tx.execute(select(audit_table.c.action).order_by(audit_table.c.seq)).scalars().all()
        )
    )


def test_changed_roles_replace_the_ones_before(database, staff):
    analyst = staff[Role.ANALYST]
    change = [RoleRequest(Role.INSPECTOR, offices=BALBOA)]
    database.write(
        lambda tx: service.change_roles(tx, staff[Role.ADMINISTRATOR], analyst.id, change)
    )
    now = fresh(database, analyst)
    assert Permission.TARGET_RUN not in now.permissions
    assert now.offices == BALBOA
    held = database.read(lambda tx: service.grants(tx, now, analyst.id))
    assert [(grant.role, grant.offices) for grant in held] == [(Role.INSPECTOR, BALBOA)]
    assert actions(database)[-2:] == ["roles.taken", "role.given"]


def test_nobody_changes_their_own_roles_or_others_without_the_permission(database, staff):
    administrator, analyst = staff[Role.ADMINISTRATOR], staff[Role.ANALYST]
    every = [RoleRequest(role) for role in Role if role is not Role.SYSTEM]
    with pytest.raises(Conflict) as own:
        database.write(lambda tx: service.change_roles(tx, administrator, administrator.id, every))
    assert own.value.code == "own_roles"
    for role, actor in staff.items():
        if role is not Role.ADMINISTRATOR:
            with pytest.raises(Denied):
                database.write(lambda tx, a=actor: service.change_roles(tx, a, analyst.id, every))
            with pytest.raises(Denied):
                database.write(lambda tx, a=actor: service.deactivate(tx, a, analyst.id))
            with pytest.raises(Denied):
                database.read(lambda tx, a=actor: service.people(tx, a))


def test_a_local_administrator_gives_nothing_beyond_their_own_office(database, staff):
    chief = staff[Role.ADMINISTRATOR]
    local = person(database, chief, RoleRequest(Role.ADMINISTRATOR, offices=BALBOA))
    inside = person(database, local, RoleRequest(Role.ANALYST, offices=BALBOA))
    assert inside.offices == BALBOA
    for wider in (None, COLON, BALBOA | COLON):
        with pytest.raises(Denied):
            person(database, local, RoleRequest(Role.ANALYST, offices=wider))
    # Nor do they have a say over somebody whose roles reach further than their own.
    for act in (service.deactivate, service.reset_second_factor, service.reset_password):
        with pytest.raises(Denied):
            database.write(lambda tx, act=act: act(tx, local, staff[Role.SUPERVISOR].id))
    database.write(lambda tx: service.deactivate(tx, local, inside.id))


def test_people_have_no_role_of_systems_and_no_end_in_the_past(database, clock, staff):
    administrator = staff[Role.ADMINISTRATOR]
    with pytest.raises(Invalid) as system:
        person(database, administrator, RoleRequest(Role.SYSTEM))
    assert system.value.code == "role_of_system"
    with pytest.raises(Invalid) as past:
        person(database, administrator, RoleRequest(Role.ANALYST, until=clock.now()))
    assert past.value.code == "end_past"


def test_the_node_keeps_an_administrator(database, staff):
    first = staff[Role.ADMINISTRATOR]
    person(database, first, RoleRequest(Role.ADMINISTRATOR, offices=BALBOA))
    for act in (
        lambda tx: service.deactivate(tx, first, first.id),
        lambda tx: service.set_access_end(tx, first, first.id, tx.now + timedelta(days=1)),
    ):
        with pytest.raises(Conflict) as last:
            database.write(act)
        assert last.value.code == "last_administrator"
    second = person(database, first, RoleRequest(Role.ADMINISTRATOR))
    database.write(lambda tx: service.deactivate(tx, second, first.id))
    with pytest.raises(Conflict):
        database.write(lambda tx: service.deactivate(tx, second, second.id))


def test_deactivation_takes_everything_at_once(database, staff):
    analyst = staff[Role.ANALYST]
    database.write(
        lambda tx: service.assign(
            tx, analyst, analyst.id, "unit", "unt_1", purpose=Purpose.TARGETING
        )
    )
    database.write(lambda tx: service.deactivate(tx, staff[Role.ADMINISTRATOR], analyst.id))
    assert fresh(database, analyst).reaches == ()
    assert database.read(lambda tx: store.assignments_of(tx, analyst.id)) == []
    with pytest.raises(PurposeNeeded):  # even with an actor made before
        database.write(lambda tx: gate.open_person_data(tx, analyst, "unit", "unt_1"))
    with pytest.raises(Conflict):
        database.write(
            lambda tx: service.assign(
                tx, analyst, analyst.id, "unit", "unt_2", purpose=Purpose.TARGETING
            )
        )
    with pytest.raises(Conflict):
        database.write(lambda tx: service.deactivate(tx, staff[Role.ADMINISTRATOR], analyst.id))


def test_agencies_join_with_a_code_of_their_own(database, staff):
    def add(actor, code="MIT", country="PA"):
        return database.write(
            lambda tx: agencies.add_agency(
                tx,
                actor,
                code=code,
                name="Manzanillo Terminal",
                kind=AgencyKind.TERMINAL_OPERATOR,
                country=country,
            )
        )

    added = add(staff[Role.ADMINISTRATOR])
    listed = database.read(lambda tx: agencies.agencies(tx, staff[Role.ADMINISTRATOR]))
    assert listed == [staff.agency, added]
    with pytest.raises(Conflict):
        add(staff[Role.ADMINISTRATOR])
    with pytest.raises(Denied):
        add(staff[Role.SUPERVISOR], "CCT")
    for wrong in ({"code": "m"}, {"code": "mit2"}, {"country": "PAN"}, {"country": "pa"}):
        with pytest.raises(Invalid):
            add(staff[Role.ADMINISTRATOR], **wrong)


def test_reviews_and_erasures_fall_due_by_the_calendar(database, clock, staff):
    officer, administrator = staff[Role.DATA_PROTECTION_OFFICER], staff[Role.ADMINISTRATOR]
    analyst = staff[Role.ANALYST].id

    def due(what, on):
        return {found.id for found in database.read(lambda tx: what(tx, officer, on))}

    assert due(erasure.due_reviews, date(2026, 12, 31)) == set()
    assert analyst in due(erasure.due_reviews, date(2027, 1, 1))
    database.write(lambda tx: erasure.reviewed(tx, officer, analyst, date(2028, 1, 1)))
    assert analyst not in due(erasure.due_reviews, date(2027, 12, 31))
    end = clock.now().date() + service.RETAIN
    assert due(erasure.due_erasures, end) == set()  # active people are not due
    database.write(lambda tx: service.deactivate(tx, administrator, analyst))
    assert due(erasure.due_erasures, end - timedelta(days=1)) == set()
    assert due(erasure.due_erasures, end) == {analyst}
    database.write(lambda tx: erasure.set_legal_hold(tx, officer, analyst, held=True))
    assert due(erasure.due_erasures, end) == set()
    with pytest.raises(Denied):
        database.read(lambda tx: erasure.due_reviews(tx, administrator, end))


def everything(database):
    def read(tx):
        return b"".join(
            repr(tuple(row)).encode()
            for table in sqlalchemy.inspect(tx.connection).get_table_names()
            for row in tx.execute(sqlalchemy.text(f'SELECT * FROM "{table}"'))
        )

    return database.read(read).lower()


def test_an_erased_person_leaves_an_id(database, staff):
    administrator, officer = staff[Role.ADMINISTRATOR], staff[Role.DATA_PROTECTION_OFFICER]
    invited = database.write(
        lambda tx: service.invite(
            tx,
            administrator,
            agency=staff.agency.id,
            name="Ximena Quirós",
            login="ximena.quiros@customs.example",
            roles=[RoleRequest(Role.ANALYST)],
        )
    )
    enter(database, hasher(), invited)
    ximena = database.read(lambda tx: sessions.actor_of(tx, store.person(tx, invited.person_id)))
    database.write(
        lambda tx: gate.open_person_data(tx, ximena, "party", "pty_1", "a reason of her own words")
    )

    def erase():
        database.write(lambda tx: erasure.erase_person(tx, officer, ximena.id))

    with pytest.raises(Conflict) as active:
        erase()
    assert active.value.code == "person_active"
    database.write(lambda tx: service.deactivate(tx, administrator, ximena.id))
    database.write(lambda tx: erasure.set_legal_hold(tx, officer, ximena.id, held=True))
    with pytest.raises(Conflict) as held:
        erase()
    assert held.value.code == "legal_hold"
    assert b"ximena" in everything(database)
    database.write(lambda tx: erasure.set_legal_hold(tx, officer, ximena.id, held=False))
    with pytest.raises(Denied):
        database.write(lambda tx: erasure.erase_person(tx, administrator, ximena.id))
    erase()
    erase()
    assert actions(database).count("person.erased") == 1
    assert b"ximena" not in everything(database)
    gone = database.read(lambda tx: store.person(tx, ximena.id))
    assert (gone.name, gone.login, gone.active) == (None, None, False)
    seen = database.write(lambda tx: lookups.lookups(tx, officer, by=ximena.id))
    assert [(look.subject_id, look.reason) for look in seen] == [("pty_1", None)]


def test_erasing_a_subject_forgets_the_words_of_the_look_ups_only(database, staff):
    analyst, officer = staff[Role.ANALYST], staff[Role.DATA_PROTECTION_OFFICER]
    for subject in ("pty_1", "pty_1", "pty_2"):
        database.write(
            lambda tx, s=subject: gate.open_person_data(
                tx, analyst, "party", s, "words of a reason"
            )
        )
    assert database.write(lambda tx: erasure.erase_reasons(tx, "pty_1")) == 2
    seen = database.write(lambda tx: lookups.lookups(tx, officer, by=analyst.id))
    assert sorted((look.subject_id, look.reason or "") for look in seen) == [
        ("pty_1", ""),
        ("pty_1", ""),
        ("pty_2", "words of a reason"),
    ]


def test_the_audit_of_people_holds_no_name_and_no_login(database, staff):
    person(
        database, staff[Role.ADMINISTRATOR], RoleRequest(Role.ANALYST), login="zoe@customs.example"
    )
    rows = database.read(lambda tx: repr(tx.execute(select(audit_table)).all())).lower()
    for word in ("zoe", "customs.example", "an officer"):
        assert word not in rows
