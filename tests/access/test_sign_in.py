"""Sign-in: two factors, each code once, growing waits, one answer for every wrong thing."""

import threading
from datetime import timedelta

from sqlalchemy import select

from access.steps import attempt, refused
from builders import PASSWORD
from isthmus.access import credentials, secret_store, sessions, sign_in
from isthmus.access.credentials import HashCost, PasswordHasher
from isthmus.access.tables import attempt_table
from isthmus.kernel.errors import Unauthenticated


def test_password_and_time_code_open_a_session_that_names_the_person(
    database, cheap, officer, clock
):
    clock.advance(timedelta(seconds=30))
    signed = attempt(
        database, cheap, " ANA.batista@customs.example ", PASSWORD, officer.code(database)
    )
    assert signed.actor.id == officer.person_id
    admitted = database.read(lambda tx: sessions.actor_from_session(tx, signed.token))
    assert admitted.actor == signed.actor
    assert admitted.actor.locale == "es"
    assert not admitted.note_due


def test_one_code_sent_twice_at_once_opens_one_session(database, cheap, officer, clock):
    clock.advance(timedelta(minutes=5))
    code, outcomes = officer.code(database), []

    def go():
        try:
            attempt(database, cheap, officer.login, PASSWORD, code)
            outcomes.append("in")
        except Unauthenticated:
            outcomes.append("refused")

    threads = [threading.Thread(target=go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["in", "refused", "refused", "refused"]


def test_waits_grow_after_five_failures_alike_for_known_and_unknown(
    database, cheap, officer, clock
):
    for login in (officer.login, "nobody@customs.example"):
        waits = []
        for _ in range(5):
            assert refused(database, cheap, login, "wrong password", "000000")[0] == (
                "unauthenticated"
            )
        for _ in range(9):
            kind, code, _, where = refused(database, cheap, login, PASSWORD, "000000")
            assert (kind, code) == ("limited", "sign_in_locked")
            waits.append(where["seconds"])
            clock.advance(timedelta(seconds=where["seconds"]))
            assert refused(database, cheap, login, "wrong", "000000")[0] == "unauthenticated"
        assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_many_guesses_at_once_are_counted_before_they_are_judged(database, cheap, officer, clock):
    clock.advance(timedelta(minutes=5))
    judged = []

    class Counting(PasswordHasher):
        def verify(self, stored, password):
            judged.append(1)
            return super().verify(stored, password)

    counting = Counting(HashCost(64, 1, 1))
    threads = [
        threading.Thread(target=refused, args=(database, counting, officer.login, "guess", "0"))
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(judged) == sign_in.FREE_TRIES


def test_failures_of_yesterday_are_forgotten_and_swept(database, cheap, officer, clock):
    for _ in range(4):
        refused(database, cheap, officer.login, "wrong password", "000000")
    clock.advance(timedelta(hours=24))
    refused(database, cheap, officer.login, "wrong password", "000000")
    rows = database.read(lambda tx: tx.execute(select(attempt_table)).mappings().all())
    assert [row["failures"] for row in rows] == [1]
    clock.advance(timedelta(hours=24, seconds=1))
    assert database.write(sign_in.sweep) == 1


def test_a_hash_that_costs_too_little_is_renewed_at_sign_in(database, officer, clock):
    clock.advance(timedelta(minutes=5))
    dearer = PasswordHasher(HashCost(128, 1, 1))
    attempt(database, dearer, officer.login, PASSWORD, officer.code(database))
    row = database.read(lambda tx: secret_store.credential(tx, officer.person_id))
    assert "m=128," in row["password"]
    clock.advance(timedelta(minutes=5))
    attempt(database, dearer, officer.login, PASSWORD, officer.code(database))


def test_a_recovery_code_replaces_the_time_code_once(database, cheap, officer):
    assert len(set(officer.recovery)) == credentials.RECOVERY_CODES
    typed = officer.recovery[0].upper().replace("-", " ")
    attempt(database, cheap, officer.login, PASSWORD, typed)
    assert refused(database, cheap, officer.login, PASSWORD, officer.recovery[0])
    attempt(database, cheap, officer.login, PASSWORD, officer.recovery[1])
    assert refused(database, cheap, officer.login, "wrong password", officer.recovery[2])
    attempt(database, cheap, officer.login, PASSWORD, officer.recovery[2])
