"""Tokens of systems: never more than the role, the request and the issuer's own places."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from builders import people, person
from isthmus.access import gate, sessions, tokens
from isthmus.access.model import ActorKind, Permission, Reach, Role
from isthmus.access.permission import PERSON_ONLY
from isthmus.access.roles import ROLES
from isthmus.access.service import RoleRequest
from isthmus.access.tables import token_table
from isthmus.kernel.errors import Denied, Invalid, NotFound, Unauthenticated

MIT, CCT = frozenset({"MIT"}), frozenset({"CCT"})


def issue(database, actor, agency, role=Role.SYSTEM, **terms):
    return database.write(
        lambda tx: tokens.issue_token(
            tx, actor, label="Gate system", agency=agency.id, role=role, **terms
        )
    )


def admitted(database, secret):
    return database.read(lambda tx: tokens.actor_from_token(tx, secret))


def test_a_terminals_token_acknowledges_holds_at_its_terminal_only(database, staff):
    token = issue(database, staff[Role.ADMINISTRATOR], staff.agency, Role.TERMINAL, terminals=MIT)
    assert token.secret.startswith("ist_")
    actor = admitted(database, token.secret).actor
    assert (actor.id, actor.kind, actor.agency) == (token.id, ActorKind.SYSTEM, staff.agency.id)

    def may(terminal):
        try:
            database.read(
                lambda tx: gate.check(
                    tx, actor, Permission.HOLD_ACKNOWLEDGE, office="PABLB", terminal=terminal
                )
            )
        except Denied:
            return False
        return True

    assert [may(terminal) for terminal in ("MIT", "CCT", None)] == [True, False, False]


def test_a_token_ends_at_its_expiry_and_at_its_revocation(database, clock, staff):
    administrator = staff[Role.ADMINISTRATOR]
    short = issue(database, administrator, staff.agency, holds=timedelta(hours=1))
    long = issue(database, administrator, staff.agency)
    clock.advance(timedelta(hours=1) - timedelta(microseconds=1))
    admitted(database, short.secret)
    clock.advance(timedelta(microseconds=1))
    with pytest.raises(Unauthenticated):
        admitted(database, short.secret)
    admitted(database, long.secret)
    database.write(lambda tx: tokens.revoke_token(tx, administrator, long.id))
    with pytest.raises(Unauthenticated):
        admitted(database, long.secret)
    with pytest.raises(NotFound):
        database.write(lambda tx: tokens.revoke_token(tx, administrator, long.id))


def test_use_is_noted_at_most_once_a_minute(database, clock, staff):
    token = issue(database, staff[Role.ADMINISTRATOR], staff.agency)
    seen = admitted(database, token.secret)
    assert seen.note_due
    database.write(lambda tx: sessions.note_use(tx, seen.actor))
    clock.advance(timedelta(seconds=59))
    assert not admitted(database, token.secret).note_due
    clock.advance(timedelta(seconds=1))
    assert admitted(database, token.secret).note_due


def test_only_the_hash_is_kept_and_the_list_shows_not_even_that(database, staff):
    token = issue(database, staff[Role.ADMINISTRATOR], staff.agency)
    kept = database.read(lambda tx: repr(tx.execute(select(token_table)).all()))
    assert token.secret not in kept
    assert token.secret.removeprefix("ist_") not in kept
    listed = database.read(lambda tx: tokens.tokens(tx, staff[Role.ADMINISTRATOR]))
    assert [row["id"] for row in listed] == [token.id]
    assert "token_hash" not in listed[0]
    with pytest.raises(Denied):
        database.read(lambda tx: tokens.tokens(tx, staff[Role.ANALYST]))


def test_wrong_tokens_open_nothing(database, staff):
    token = issue(database, staff[Role.ADMINISTRATOR], staff.agency)
    for wrong in ("", "ist_", token.secret[4:], token.secret + "x", token.secret.upper()):
        with pytest.raises(Unauthenticated):
            admitted(database, wrong)


def test_a_token_is_issued_by_a_person_within_their_own_places(database, staff):
    local = person(
        database,
        staff[Role.ADMINISTRATOR],
        RoleRequest(Role.ADMINISTRATOR, terminals=MIT),
    )
    issue(database, local, staff.agency, Role.TERMINAL, terminals=MIT)
    for wider in (None, CCT, MIT | CCT):
        with pytest.raises(Denied):
            issue(database, local, staff.agency, Role.TERMINAL, terminals=wider)
    with pytest.raises(Denied):
        issue(database, staff[Role.ANALYST], staff.agency)
    system = admitted(database, issue(database, local, staff.agency, terminals=MIT).secret).actor
    with pytest.raises(Denied):
        issue(database, system, staff.agency)


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"role": Role.SUPERVISOR}, "token_role"),
        ({"permissions": frozenset()}, "token_scope"),
        ({"permissions": frozenset({Permission.HOLD_CONFIRM})}, "token_scope"),
        ({"permissions": frozenset({Permission.UNIT_READ, Permission.AUDIT_READ})}, "token_scope"),
        ({"holds": timedelta(0)}, "token_expiry"),
        ({"holds": timedelta(days=367)}, "token_expiry"),
    ],
)
def test_a_token_beyond_what_systems_may_have_is_refused(sqlite_database, terms, code):
    staff = people(sqlite_database)
    with pytest.raises(Invalid) as caught:
        issue(sqlite_database, staff[Role.ADMINISTRATOR], staff.agency, **terms)
    assert caught.value.code == code


@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    role=st.sampled_from(tokens.TOKEN_ROLES),
    wanted=st.frozensets(st.sampled_from(list(Permission)), max_size=5),
    kept=st.frozensets(st.sampled_from(list(Permission)), max_size=5),
    terminals=st.none() | st.frozensets(st.sampled_from(["MIT", "CCT"])),
)
def test_a_tokens_scope_only_shrinks(sqlite_staff, role, wanted, kept, terminals):
    """Whatever is asked for, and whatever was written into the row since."""
    database, staff = sqlite_staff
    try:
        token = issue(
            database,
            staff[Role.ADMINISTRATOR],
            staff.agency,
            role,
            permissions=wanted,
            terminals=terminals,
        )
    except Invalid:
        assert not wanted or not wanted <= ROLES[role].permissions - PERSON_ONLY
        return
    actor = admitted(database, token.secret).actor
    assert actor.permissions == wanted
    assert actor.terminals == terminals
    database.write(
        lambda tx: tx.execute(
            token_table.update()
            .where(token_table.c.id == token.id)
            .values(permissions=sorted([*(code.value for code in kept), "once.known"]))
        )
    )
    later = admitted(database, token.secret).actor.permissions
    assert later == kept & ROLES[role].permissions - PERSON_ONLY


@pytest.fixture
def sqlite_staff(sqlite_database):
    return sqlite_database, people(sqlite_database)


@given(st.frozensets(st.sampled_from(list(Permission))))
def test_no_reach_gives_a_system_what_belongs_to_persons(permissions):
    from isthmus.access.model import Actor

    actor = Actor("tok_x", ActorKind.SYSTEM, "agy", (Reach(permissions, "agy"),))
    assert not actor.permissions & PERSON_ONLY
