"""Ids, time, money, quantities and canonical bytes."""

import pickle
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.kernel.canonical import canonical, commitment, digest
from isthmus.kernel.errors import Invalid, IsthmusError, PurposeNeeded
from isthmus.kernel.ids import encode, new_id
from isthmus.kernel.money import decimal
from isthmus.kernel.quantities import kilograms
from isthmus.kernel.time import SetClock, SystemClock, from_micros, isoformat, to_micros

MOMENTS = st.datetimes(timezones=st.timezones())


def test_identifiers_sort_by_their_making_and_never_meet() -> None:
    made = [new_id("doc") for _ in range(2000)]
    assert len(set(made)) == 2000
    assert all(len(name) == 30 and name.startswith("doc_") for name in made)
    assert sorted(name[:14] for name in made) == [name[:14] for name in made]


@given(st.integers(0, 2**130 - 1), st.integers(0, 2**130 - 1))
def test_encoding_keeps_order(one: int, two: int) -> None:
    assert (one < two) == (encode(one, 26) < encode(two, 26))


@given(MOMENTS)
def test_moments_survive_as_microseconds(moment: datetime) -> None:
    assert from_micros(to_micros(moment)) == moment.astimezone(UTC)
    assert isoformat(moment).endswith("Z")
    assert datetime.fromisoformat(isoformat(moment)) == moment.astimezone(UTC)


def test_a_moment_without_a_zone_is_refused() -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - what is refused
    with pytest.raises(TypeError):
        isoformat(naive)
    with pytest.raises(TypeError):
        to_micros(naive)
    with pytest.raises(TypeError):
        canonical({"at": naive})


def test_clocks_tell_utc() -> None:
    clock = SetClock()
    clock.advance(timedelta(days=1))
    assert clock.now() == datetime(2026, 1, 2, tzinfo=UTC)
    assert SystemClock().now().utcoffset() == timedelta(0)


class _Lane(Enum):
    RED = "red"


def test_canonical_bytes_are_one_for_equal_values() -> None:
    value = {
        "b": [1, Decimal("1.50"), None, True],
        "a": datetime(2026, 1, 1, 5, tzinfo=timezone(timedelta(hours=5))),
        "c": {"lane": _Lane.RED, "on": date(2026, 1, 2), "raw": b"\x01\xff"},
        "d": frozenset({"z", "y"}),
    }
    expected = (
        b'{"a":"2026-01-01T00:00:00Z","b":[1,"1.50",null,true],'
        b'"c":{"lane":"red","on":"2026-01-02","raw":"01ff"},"d":["y","z"]}'
    )
    assert canonical(value) == expected
    assert canonical(dict(reversed(value.items()))) == expected
    with pytest.raises(TypeError):
        canonical(object())


_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(_PLAIN, _PLAIN)
def test_different_values_have_different_digests(one: object, two: object) -> None:
    assert (digest(one) == digest(two)) == (canonical(one) == canonical(two))
    assert (commitment(b"salt", one) == commitment(b"salt", two)) == (digest(one) == digest(two))
    assert commitment(b"salt", one) != commitment(b"other", one)


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=6, min_value=-(10**12), max_value=10**12
    )
)
def test_decimal_reads_what_was_written(number: Decimal) -> None:
    assert decimal(f" {number:f} ", "amount") == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "1,5",
        "1_000",
        "١٢",
        "１２",
        "NaN",
        "Infinity",
        "-inf",
        "1e99",
        "1e-99",
        "9" * 31,
        "0x10",
        "1.2.3",
        "--1",
        "1 000",
        "12kg",
    ],
)
def test_what_is_no_usable_number_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        decimal(text, "amount")
    assert caught.value.where["field"] == "amount"


@pytest.mark.parametrize(
    ("text", "number"),
    [("1.", "1"), (".5", "0.5"), ("+3", "3"), ("1e3", "1000"), ("1.5E-2", "0.015"), ("007", "7")],
)
def test_forms_the_trade_writes_are_read(text: str, number: str) -> None:
    assert decimal(text, "amount") == Decimal(number)


def test_masses_become_kilograms() -> None:
    assert kilograms(Decimal(2), "tne") == Decimal(2000)
    assert kilograms(Decimal(1), "LBR") == Decimal("0.45359237")
    with pytest.raises(Invalid):
        kilograms(Decimal(1), "MTR")


def _below(kind: type[IsthmusError]) -> list[type[IsthmusError]]:
    return [kind, *(lower for child in kind.__subclasses__() for lower in _below(child))]


def test_every_error_says_what_and_where() -> None:
    error = PurposeNeeded("purpose_needed", "say why", person="per_1")
    assert str(error) == "say why (person='per_1')"
    kernel = [kind for kind in _below(IsthmusError) if kind.__module__ == "isthmus.kernel.errors"]
    assert len({kind.kind for kind in kernel}) == len(kernel) == 12


def test_an_error_passes_from_one_process_to_another_as_what_it_is() -> None:
    sent = PurposeNeeded("purpose_needed", "say why", person="per_1")
    came = pickle.loads(pickle.dumps(sent))
    assert type(came) is PurposeNeeded
    assert (came.code, str(came), dict(came.where)) == (
        sent.code, str(sent), {"person": "per_1"},
    )  # fmt: skip
