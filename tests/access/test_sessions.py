"""Sessions: fresh at sign-in, ended by time, by sign-out, by deactivation, by the secondment."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import PASSWORD, enter, hasher, person
from isthmus.access import gate, service, sessions, sign_in, store
from isthmus.access.model import Permission, Role
from isthmus.access.service import RoleRequest
from isthmus.access.sessions import SessionTerms
from isthmus.kernel.errors import Denied, Unauthenticated

TERMS = SessionTerms(idle=timedelta(minutes=30), absolute=timedelta(hours=2))


def start(database, actor, terms=TERMS):
    """Start a session without the ceremony of sign-in; return its token."""
    return database.write(lambda tx: sessions.start(tx, store.person(tx, actor.id), terms)[1])


def admitted(database, token):
    return database.read(lambda tx: sessions.actor_from_session(tx, token))


def holds(database, token):
    try:
        admitted(database, token)
    except Unauthenticated:
        return False
    return True


def test_sign_in_ends_the_session_the_browser_came_with_and_never_takes_its_token(
    database, clock, staff
):
    cheap = hasher()
    invited = database.write(
        lambda tx: service.invite(
            tx,
            staff[Role.ADMINISTRATOR],
            agency=staff.agency.id,
            name="An Officer",
            login="fixed@customs.example",
            roles=[RoleRequest(Role.ANALYST)],
        )
    )
    entered = enter(database, cheap, invited)
    planted = start(database, staff[Role.INSPECTOR])
    clock.advance(timedelta(minutes=1))

    def go(previous):
        return sign_in.sign_in(
            database,
            cheap,
            entered.login,
            password=PASSWORD,
            code=entered.code(database),
            terms=TERMS,
            previous=previous,
        )

    first = go(planted)
    assert first.token != planted
    assert not holds(database, planted)
    clock.advance(timedelta(minutes=1))
    second = go(first.token)
    assert not holds(database, first.token)
    assert holds(database, second.token)
    clock.advance(timedelta(minutes=1))
    assert holds(database, go("never-issued").token)


def test_a_session_ends_when_idle_and_use_that_is_noted_prolongs_it(database, clock, staff):
    token = start(database, staff[Role.ANALYST])
    clock.advance(timedelta(minutes=29))
    seen = admitted(database, token)
    assert seen.note_due
    database.write(lambda tx: sessions.note_use(tx, seen.actor))
    assert not admitted(database, token).note_due
    clock.advance(timedelta(minutes=29, seconds=59))
    assert holds(database, token)
    clock.advance(timedelta(seconds=1))
    assert not holds(database, token)


def test_a_session_ends_at_its_absolute_end_however_busy(database, clock, staff):
    token = start(database, staff[Role.ANALYST])
    for _ in range(11):
        clock.advance(timedelta(minutes=10))
        seen = admitted(database, token)
        database.write(lambda tx, actor=seen.actor: sessions.note_use(tx, actor))
    clock.advance(timedelta(minutes=10) - timedelta(microseconds=1))
    assert holds(database, token)
    clock.advance(timedelta(microseconds=1))
    assert not holds(database, token)


def test_sign_out_ends_this_session_only(database, staff):
    one, other = start(database, staff[Role.ANALYST]), start(database, staff[Role.ANALYST])
    actor = admitted(database, one).actor
    database.write(lambda tx: sessions.sign_out(tx, actor))
    assert not holds(database, one)
    assert holds(database, other)


def test_deactivation_ends_every_session_of_the_person(database, staff):
    tokens = [start(database, staff[Role.ANALYST]) for _ in range(3)]
    others = start(database, staff[Role.SUPERVISOR])
    database.write(
        lambda tx: service.deactivate(tx, staff[Role.ADMINISTRATOR], staff[Role.ANALYST].id)
    )
    assert not any(holds(database, token) for token in tokens)
    assert holds(database, others)


def test_access_ends_by_itself_at_the_end_of_a_secondment(database, clock, staff):
    administrator = staff[Role.ADMINISTRATOR]
    ends = clock.now() + timedelta(minutes=20)
    seconded = person(database, administrator, RoleRequest(Role.ANALYST))
    database.write(lambda tx: service.set_access_end(tx, administrator, seconded.id, ends))
    token = start(database, seconded)
    clock.moment = ends - timedelta(microseconds=1)
    last = database.read(lambda tx: sessions.actor_from_session(tx, token).actor)
    database.read(lambda tx: gate.check(tx, last, Permission.UNIT_READ))
    clock.moment = ends
    assert not holds(database, token)
    # An actor made before the end is refused after it, should a request straddle the moment.
    with pytest.raises(Denied):
        database.read(lambda tx: gate.check(tx, last, Permission.UNIT_READ))
    late = database.read(lambda tx: sessions.actor_of(tx, store.person(tx, seconded.id)))
    assert late.permissions == frozenset()


def test_a_role_with_an_end_falls_away_then_and_the_others_stay(database, clock, staff):
    ends = clock.now() + timedelta(minutes=10)
    both = person(
        database,
        staff[Role.ADMINISTRATOR],
        RoleRequest(Role.SUPERVISOR, until=ends),
        RoleRequest(Role.INSPECTOR),
    )
    token = start(database, both)
    assert Permission.HOLD_CONFIRM in admitted(database, token).actor.permissions
    clock.moment = ends
    left = admitted(database, token).actor.permissions
    assert Permission.HOLD_CONFIRM not in left
    assert Permission.INSPECTION_RECORD in left


def test_a_token_nobody_issued_opens_nothing(database, staff):
    start(database, staff[Role.ANALYST])
    for token in ("", "x", "A" * 43):
        assert not holds(database, token)


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_forms_token_fits_its_own_session_only(one, other):
    fits = sessions.csrf_fits(other, sessions.csrf_token(one))
    assert fits == (one == other)
    assert not sessions.csrf_fits(one, one)
