"""One-time links: once, for a day, and never a way to become somebody else."""

from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import select

from builders import PASSWORD, enter, people
from isthmus.access import agencies, console, invitations, service, sessions, sign_in, store
from isthmus.access.model import AgencyKind, Permission, Role
from isthmus.access.service import RoleRequest
from isthmus.access.sessions import SessionTerms
from isthmus.access.tables import invitation_table
from isthmus.kernel.errors import Conflict, Invalid, Limited, NotFound, Unauthenticated
from isthmus.kernel.time import to_micros

OTHER = "nine green herons at dusk"


@pytest.fixture
def agency(database):
    return database.write(
        lambda tx: agencies.found(
            tx, code="ANA", name="National Customs", kind=AgencyKind.CUSTOMS, country="PA"
        )
    )


@pytest.fixture
def first(database, agency):
    return database.write(lambda tx: service.invite_first_administrator(tx, agency.id))


@pytest.fixture
def staff(sqlite_database):
    return people(sqlite_database)


def welcome(database, cheap, staff, login="eva@customs.example"):
    invited = database.write(
        lambda tx: service.invite(
            tx,
            staff[Role.ADMINISTRATOR],
            agency=staff.agency.id,
            name="Eva Solís",
            login=login,
            roles=[RoleRequest(Role.ANALYST)],
        )
    )
    return enter(database, cheap, invited)


def sign(database, cheap, entered, password=PASSWORD, code=None):
    return sign_in.sign_in(
        database,
        cheap,
        entered.login,
        password=password,
        code=code or entered.code(database),
        terms=SessionTerms(),
    )


def code_of(database, seed):
    return pyotp.TOTP(seed).at(to_micros(database.clock.now()) // 1_000_000)


def look(database, invited):
    return database.read(lambda tx: invitations.invitation(tx, invited.secret))


def test_the_first_administrator_enters_by_the_link_and_nobody_after(
    database, cheap, clock, agency, first
):
    assert first.path == f"/welcome/{first.secret}"
    assert len(first.secret) >= 43
    assert look(database, first).wants_name
    entered = enter(database, cheap, first, name="  Rosa   Méndez ", login=" Rosa@Customs.example")
    rosa = database.read(lambda tx: store.person(tx, first.person_id))
    assert (rosa.name, rosa.login) == ("Rosa Méndez", "rosa@customs.example")
    clock.advance(timedelta(minutes=1))
    actor = sign(database, cheap, entered).actor
    assert Permission.ADMIN_PEOPLE in actor.permissions
    with pytest.raises(NotFound):
        look(database, first)
    with pytest.raises(Conflict):
        database.write(lambda tx: service.invite_first_administrator(tx, agency.id))
    with pytest.raises(Conflict):
        database.write(
            lambda tx: agencies.found(
                tx, code="XX", name="Another", kind=AgencyKind.CUSTOMS, country="CO"
            )
        )


def test_a_link_holds_for_a_day_and_a_new_one_voids_it(database, cheap, clock, agency, first):
    again = database.write(lambda tx: service.invite_first_administrator(tx, agency.id))
    assert again.person_id == first.person_id
    with pytest.raises(NotFound):
        look(database, first)
    clock.advance(timedelta(hours=24) - timedelta(microseconds=1))
    assert look(database, again)
    clock.advance(timedelta(microseconds=1))
    with pytest.raises(NotFound):
        enter(database, cheap, again, name="Rosa", login="rosa@customs.example")


def test_a_refused_use_leaves_the_link_as_it_was(database, cheap, first):
    seed = look(database, first).seed
    good = {"password": PASSWORD, "code": code_of(database, seed), "name": "R", "login": "r@c.pa"}
    for wrong, code in [
        ({"password": "short"}, "password_length"),
        ({"code": "000000"}, "code_wrong"),
        ({"name": "  "}, "name_invalid"),
        ({"login": "nobody"}, "login_invalid"),
        ({"login": None}, "login_invalid"),
    ]:
        with pytest.raises(Invalid) as caught:
            invitations.accept_invitation(database, cheap, first.secret, **{**good, **wrong})
        assert caught.value.code == code
        assert database.read(lambda tx: store.person(tx, first.person_id)).login is None
    invitations.accept_invitation(database, cheap, first.secret, **good)


def test_the_secret_and_the_seed_are_not_kept_in_the_clear(database, first):
    seed = look(database, first).seed
    kept = database.read(lambda tx: repr(tx.execute(select(invitation_table)).all()))
    assert first.secret not in kept
    assert seed not in kept


def test_two_links_used_for_one_login_make_one_person(sqlite_database, cheap, staff):
    welcome(sqlite_database, cheap, staff, "eva@customs.example")
    with pytest.raises(Conflict) as caught:
        welcome(sqlite_database, cheap, staff, "EVA@customs.example")
    assert caught.value.code == "login_taken"


def test_a_new_authenticator_wants_the_password(sqlite_database, cheap, clock, staff):
    database = sqlite_database
    entered = welcome(database, cheap, staff)
    clock.advance(timedelta(minutes=5))
    token = sign(database, cheap, entered).token
    clock.advance(timedelta(minutes=5))
    reset = database.write(
        lambda tx: service.reset_second_factor(tx, staff[Role.ADMINISTRATOR], entered.person_id)
    )
    with pytest.raises(Unauthenticated):
        database.read(lambda tx: sessions.actor_from_session(tx, token))
    with pytest.raises(Unauthenticated):
        sign(database, cheap, entered)
    with pytest.raises(Unauthenticated):
        sign(database, cheap, entered, code=entered.recovery[0])
    link = look(database, reset)
    assert link.seed != entered.seed
    with pytest.raises(Unauthenticated):
        enter(database, cheap, reset, password=OTHER)
    renewed = enter(database, cheap, reset, password=PASSWORD)
    clock.advance(timedelta(minutes=1))
    assert sign(database, cheap, renewed).actor.id == entered.person_id


def test_guessing_the_password_with_such_a_link_is_locked_out(sqlite_database, cheap, staff):
    database = sqlite_database
    entered = welcome(database, cheap, staff)
    reset = database.write(
        lambda tx: service.reset_second_factor(tx, staff[Role.ADMINISTRATOR], entered.person_id)
    )
    for guess in range(5):
        with pytest.raises(Unauthenticated):
            enter(database, cheap, reset, password=f"a guess with number {guess}")
    with pytest.raises(Limited):
        enter(database, cheap, reset, password=PASSWORD)


def test_a_new_password_wants_the_authenticator(sqlite_database, cheap, clock, staff):
    database = sqlite_database
    entered = welcome(database, cheap, staff)
    clock.advance(timedelta(minutes=5))
    reset = database.write(
        lambda tx: service.reset_password(tx, staff[Role.ADMINISTRATOR], entered.person_id)
    )
    assert look(database, reset).seed is None

    def use(code):
        return invitations.accept_invitation(
            database, cheap, reset.secret, password=OTHER, code=code
        )

    with pytest.raises(Unauthenticated):
        use("000000")
    assert use(entered.code(database)) == ()
    with pytest.raises(NotFound):
        use(entered.code(database, 1))
    clock.advance(timedelta(minutes=1))
    with pytest.raises(Unauthenticated):
        sign(database, cheap, entered, PASSWORD)
    assert sign(database, cheap, entered, OTHER).actor.id == entered.person_id


def test_a_link_of_a_deactivated_person_holds_no_longer(sqlite_database, staff):
    database, administrator = sqlite_database, staff[Role.ADMINISTRATOR]
    again = database.write(
        lambda tx: service.invite_again(tx, administrator, staff[Role.ANALYST].id)
    )
    assert look(database, again)
    database.write(lambda tx: service.deactivate(tx, administrator, staff[Role.ANALYST].id))
    with pytest.raises(NotFound):
        look(database, again)


def test_who_has_entered_gets_no_second_welcome(sqlite_database, cheap, staff):
    entered = welcome(sqlite_database, cheap, staff)
    with pytest.raises(Conflict) as caught:
        sqlite_database.write(
            lambda tx: service.invite_again(tx, staff[Role.ADMINISTRATOR], entered.person_id)
        )
    assert caught.value.code == "person_entered"


def test_a_lost_first_link_is_made_anew_whoever_acted_from_the_console(sqlite_database, cheap):
    database = sqlite_database
    agency = database.write(
        lambda tx: agencies.found(
            tx, code="ANA", name="National Customs", kind=AgencyKind.CUSTOMS, country="PA"
        )
    )
    lost = database.write(lambda tx: service.invite_first_administrator(tx, agency.id))
    operator = database.write(lambda tx: console.operator(tx, "ANA"))
    again = database.write(lambda tx: service.invite_first_administrator(tx, agency.id))
    assert again.person_id == lost.person_id
    enter(database, cheap, again, name="Rosa Méndez", login="rosa@customs.example")
    rosa = database.read(lambda tx: sessions.actor_of(tx, store.person(tx, again.person_id)))
    # The console's operator cannot be given a way to sign in.
    with pytest.raises(Conflict) as caught:
        database.write(lambda tx: service.invite_again(tx, rosa, operator.id))
    assert caught.value.code == "person_not_invited"
