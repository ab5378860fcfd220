"""The rules of sign-in: codes, answers, passwords, what is kept and what the audit says."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from access.steps import TERMS, attempt, refused
from builders import PASSWORD
from isthmus.access import credentials, service, sign_in, store
from isthmus.access.credentials import HashCost, PasswordHasher
from isthmus.access.model import Role
from isthmus.access.tables import credential_table, recovery_table, session_table
from isthmus.kernel.errors import Invalid
from isthmus.kernel.time import to_micros
from isthmus.platform.audit import audit_table


@pytest.fixture
def database(sqlite_database):
    """Nothing here depends on the kind of database."""
    return sqlite_database


def test_a_code_holds_once_and_one_step_early_or_late(database, cheap, officer, clock):
    clock.advance(timedelta(minutes=5))
    code = officer.code(database)
    attempt(database, cheap, officer.login, PASSWORD, code)
    assert refused(database, cheap, officer.login, PASSWORD, code)[1] == "sign_in_refused"
    # The code of the step before the one used is refused too: steps only go forward.
    assert refused(database, cheap, officer.login, PASSWORD, officer.code(database, -1))
    attempt(database, cheap, officer.login, PASSWORD, officer.code(database, 1))
    clock.advance(timedelta(minutes=5))
    assert refused(database, cheap, officer.login, PASSWORD, officer.code(database, -2))
    assert refused(database, cheap, officer.login, PASSWORD, officer.code(database, 2))
    attempt(database, cheap, officer.login, PASSWORD, officer.code(database, -1))


def test_the_code_that_set_up_the_authenticator_signs_nobody_in(database, cheap, officer):
    assert refused(database, cheap, officer.login, PASSWORD, officer.code(database))


def test_every_wrong_thing_gets_the_same_answer(database, cheap, officer, clock):
    clock.advance(timedelta(minutes=5))
    good = officer.code(database)
    wrong = f"{(int(good) + 1) % 1_000_000:06d}"
    answers = {
        str(refused(database, cheap, login, password, code))
        for login, password, code in [
            ("nobody@customs.example", PASSWORD, good),
            (officer.login, "another password", good),
            (officer.login, PASSWORD, wrong),
            (officer.login, PASSWORD, ""),
            (officer.login, "", good),
        ]
    }
    assert len(answers) == 1


def test_the_right_password_is_refused_while_locked_and_taken_after(
    database, cheap, officer, clock
):
    clock.advance(timedelta(minutes=5))
    for _ in range(5):
        refused(database, cheap, officer.login, "wrong password", "000000")
    assert refused(database, cheap, officer.login, PASSWORD, officer.code(database))[0] == "limited"
    clock.advance(timedelta(seconds=30))
    attempt(database, cheap, officer.login, PASSWORD, officer.code(database))
    # A success forgets the failures: five more tries are free again.
    for _ in range(4):
        assert refused(database, cheap, officer.login, "wrong", "0")[0] == "unauthenticated"
    clock.advance(timedelta(seconds=60))
    attempt(database, cheap, officer.login, PASSWORD, officer.code(database))


def test_an_unknown_login_costs_one_hash_as_a_known_one_does(database, officer):
    judged = []

    class Noting(PasswordHasher):
        def verify(self, stored, password):
            judged.append(stored is None)
            return super().verify(stored, password)

    noting = Noting(HashCost(64, 1, 1))
    worked = []
    inner = noting._argon2.verify
    noting._argon2 = type(
        "Spy", (), {"verify": lambda _, *args: worked.append(1) or inner(*args)}
    )()
    refused(database, noting, "nobody@customs.example", "a password of some length", "0")
    refused(database, noting, officer.login, "a password of some length", "0")
    assert judged == [True, False]
    assert worked == [1, 1]


def test_the_default_hash_is_argon2id_with_64_mib():
    hashed = PasswordHasher(at_once=1).hash("some password")
    assert hashed.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_the_audit_tells_of_sign_ins_without_names(database, cheap, officer, clock):
    clock.advance(timedelta(minutes=5))
    attempt(database, cheap, officer.login, PASSWORD, officer.code(database))
    refused(database, cheap, officer.login, "wrong password", "0")
    rows = database.read(lambda tx: tx.execute(select(audit_table)).mappings().all())
    actions = [row["action"] for row in rows]
    assert actions.count("sign_in.accepted") == actions.count("sign_in.refused") == 1
    text = repr([tuple(row.values()) for row in rows]).lower()
    assert officer.login not in text
    assert "batista" not in text


def test_no_secret_is_kept_in_the_clear(database, cheap, officer, clock):
    clock.advance(timedelta(minutes=5))
    signed = attempt(database, cheap, officer.login, PASSWORD, officer.code(database))
    kept = database.read(
        lambda tx: repr(
            [
                tuple(row)
                for table in (credential_table, recovery_table, session_table)
                for row in tx.execute(select(table))
            ]
        )
    )
    for secret in (PASSWORD, officer.seed, signed.token, *officer.recovery):
        assert secret not in kept
        assert secret.replace("-", "") not in kept


def test_a_deactivated_person_is_answered_as_unknown(database, cheap, staff, officer, clock):
    clock.advance(timedelta(minutes=5))
    database.write(lambda tx: service.deactivate(tx, staff[Role.ADMINISTRATOR], officer.person_id))
    answer = refused(database, cheap, officer.login, PASSWORD, officer.code(database))
    assert answer == refused(database, cheap, "nobody@customs.example", PASSWORD, "000000")


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short", "password_length"),
        ("x" * 257, "password_length"),
        ("abababababababab", "password_uniform"),
        ("my ana.batista pass", "password_has_login"),
    ],
)
def test_a_weak_password_is_refused_with_the_reason(password, code):
    with pytest.raises(Invalid) as caught:
        credentials.check_password(password, "ana.batista@customs.example")
    assert caught.value.code == code


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(code=st.text(max_size=8))
def test_no_text_but_the_three_codes_is_taken(code, clock):
    seed = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    totp = credentials.pyotp.TOTP(seed)
    now = to_micros(clock.now()) // 1_000_000
    right = {totp.at(now + 30 * step): now // 30 + step for step in (-1, 0, 1)}
    assert credentials.totp_step(seed, code, clock.now()) == right.get(code)


def test_the_totp_test_values_of_the_standard_hold():
    """RFC 6238 appendix B, SHA-1, cut to six digits."""
    from datetime import UTC, datetime

    seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    for moment, code in [(59, "287082"), (1111111109, "081804"), (2000000000, "279037")]:
        at = datetime.fromtimestamp(moment, UTC)
        assert credentials.totp_step(seed, code, at) == moment // 30


def test_the_person_behind_a_try_is_looked_up_again_before_the_session(
    database, cheap, staff, officer, clock
):
    clock.advance(timedelta(minutes=5))
    this = database.write(lambda tx: sign_in.begin(tx, officer.login))
    proof = cheap.verify(this.password, PASSWORD)
    assert proof.holds
    database.write(lambda tx: service.deactivate(tx, staff[Role.ADMINISTRATOR], officer.person_id))
    code = officer.code(database)
    assert (
        database.write(lambda tx: sign_in.finish(tx, this, proof, code=code, terms=TERMS)) is None
    )
    assert not database.read(lambda tx: store.person(tx, officer.person_id)).active
