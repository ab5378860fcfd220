"""A name that somebody asks about: what is found, and what the logs say of it."""

from datetime import date

import pytest
from sqlalchemy import select

from isthmus.access import store
from isthmus.access.model import Actor, ActorKind, Permission, Purpose, Reach
from isthmus.access.roles import ROLES, Role
from isthmus.access.tables import lookup_table
from isthmus.kernel.errors import Denied, Invalid, PurposeNeeded, TooLarge
from isthmus.parties import query
from isthmus.parties.listed import Held, Listed
from isthmus.parties.model import IdentifierKind
from isthmus.platform.audit import audit_table

LISTED = Listed(
    {
        "csv": [
            Held("L1", "company", b"1", ("CONSTELACION FICTICIA TRADING S.A.",), ()),
            Held("V1", "vessel", b"2", ("FICTA MARINA",), ((IdentifierKind.IMO, "9074729"),)),
        ]
    },
    ((("csv", 1),), date(2026, 1, 1), 0),
)


def actor(role: Role, **more) -> Actor:
    terms = ROLES[role]
    reach = Reach(terms.permissions, "agy_1", purpose=terms.purpose)
    kind = ActorKind.SYSTEM if role is Role.SYSTEM else ActorKind.PERSON
    return Actor("usr_1", kind, "agy_1", (reach,), **more)


@pytest.fixture(autouse=True)
def purposes(sqlite_database):
    """A node that serves every purpose."""

    def serve(tx):
        for purpose in Purpose:
            store.set_purpose(tx, purpose, active=True)

    sqlite_database.write(serve)


def ask(database, texts, who=None, **more):
    who = who or actor(Role.ANALYST)
    return database.write(lambda tx: query.screen_query(tx, who, LISTED, texts, **more))


def logged(database):
    audits = database.read(lambda tx: list(tx.execute(select(audit_table)).mappings()))
    lookups = database.read(lambda tx: list(tx.execute(select(lookup_table)).mappings()))
    return audits, lookups


def test_hits_come_in_the_order_asked_best_first(sqlite_database):
    first, second, third = ask(
        sqlite_database, ["Konstelacion Ficticia", "Nobody Ofall", "MV UNKNOWN IMO 9074729"]
    )
    assert [(one.key, one.basis) for one in first] == [("L1", "name")]
    assert second == ()
    assert [(one.key, one.score, one.basis) for one in third] == [("V1", 1.0, "number")]


def test_the_look_up_is_logged_with_its_purpose_and_without_the_name(sqlite_database):
    ask(sqlite_database, ["Konstelacion Ficticia"], reason="Named in a call this morning")
    audits, (lookup,) = logged(sqlite_database)
    (audit,) = [one for one in audits if one["action"] == "person_data.searched"]
    assert (audit["purpose"], lookup["purpose"]) == ("targeting", "targeting")
    assert (lookup["subject_kind"], lookup["actor_id"]) == ("search", "usr_1")
    said = f"{dict(audit)}{dict(lookup)}".casefold()
    assert "konstelacion" not in said
    assert "morning" not in said


def test_the_same_question_is_known_again_by_its_hash(sqlite_database):
    ask(sqlite_database, ["Konstelacion  Ficticia"])
    ask(sqlite_database, ["KONSTELACION FICTICIA"])
    ask(sqlite_database, ["Somebody Else"])
    _, lookups = logged(sqlite_database)
    subjects = [one["subject_id"] for one in lookups]
    assert subjects[0] == subjects[1] != subjects[2]


def test_who_has_no_purpose_or_permission_is_refused(sqlite_database):
    with pytest.raises(Denied):
        ask(sqlite_database, ["Ana"], actor(Role.TERMINAL))
    bare = Actor(
        "usr_2", ActorKind.PERSON, "agy_1", (Reach(frozenset({Permission.SCREEN_QUERY}), "agy_1"),)
    )
    with pytest.raises(PurposeNeeded):
        ask(sqlite_database, ["Ana"], bare)
    ask(sqlite_database, ["Ana"], bare, purpose=Purpose.LICENSING)
    assert logged(sqlite_database)[1][0]["purpose"] == "licensing"


def test_a_system_may_ask(sqlite_database):
    assert ask(sqlite_database, ["FICTA MARINA"], actor(Role.SYSTEM))[0][0].key == "V1"


@pytest.mark.parametrize(
    ("texts", "error", "code"),
    [
        (["Ana", " "], Invalid, "name_missing"),
        (["x" * 2001], Invalid, "name_too_long"),
        (["a"] * 100_001, TooLarge, "too_many"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_its_place(sqlite_database, texts, error, code):
    with pytest.raises(error) as caught:
        ask(sqlite_database, texts)
    assert caught.value.code == code
    assert logged(sqlite_database)[1] == []


def test_a_threshold_is_a_share(sqlite_database):
    with pytest.raises(Invalid):
        ask(sqlite_database, ["Ana"], threshold=0)
