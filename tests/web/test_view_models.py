"""What pages make of records: differences of versions, words of conditions, clocks, numbers."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.reference.codelist import LOCALES
from isthmus.risk.rulebook import shipped
from isthmus.web.condition import lines
from isthmus.web.differences import compare
from isthmus.web.i18n import Reader, preferred
from isthmus.web.labels import Labels

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def reader(locale: str = "en") -> Reader:
    return Reader(locale, "America/Panama", NOW)


def record(version: int, body: dict, consignee: str | None = "~a") -> dict:
    return {
        "kind": "consignment",
        "key": "M/B",
        "version": version,
        "body": body,
        "consignee_ref": consignee,
    }


def test_versions_stand_side_by_side_and_what_changed_is_marked():
    goods = {"number": 1, "description": "SHRIMP", "price": {"amount": "10", "currency": "USD"}}
    first = {"place_delivery": "NLRTM", "goods": [goods]}
    second = {"place_delivery": "BEANR", "goods": [{**goods, "gross_kg": "5"}]}
    (one,) = compare([record(2, second, "~b"), record(1, first)])
    told = {(row.place, row.field): row for row in one.rows}
    assert told["", "place_delivery"].values == ("NLRTM", "BEANR")
    assert told["", "place_delivery"].changed == (False, True)
    assert told["goods 1", "gross_kg"].values == (None, "5")
    assert told["goods 1", "price"].values == ("10 USD", "10 USD")
    assert not told["goods 1", "description"].differs
    assert one.consignee_changed


def test_a_changed_consignee_is_told_without_its_reference():
    (one,) = compare(
        [record(1, {}, "8-000-1234"), record(2, {}, "8-000-9999"), record(3, {}, "8-000-1234")]
    )
    (row,) = one.rows
    assert row.values == ("A", "B", "A")
    assert row.changed == (False, True, True)


@given(st.dictionaries(st.text(min_size=1), st.integers() | st.text() | st.booleans(), max_size=5))
def test_equal_versions_never_differ(body):
    (one,) = compare([record(1, body), record(2, body)])
    assert not one.differing


@pytest.mark.parametrize("locale", LOCALES)
def test_every_shipped_rule_reads_in_words(locale):
    labels = Labels(reader(locale))
    for rule in shipped().rules:
        told = lines(rule.when, labels)
        assert told
        assert all(line.word or (line.field and line.operator) for line in told)


@pytest.mark.parametrize(
    ("gap", "words", "mark"),
    [
        (timedelta(minutes=5), "in 5 min", "soon"),
        (timedelta(hours=3, minutes=4), "in 3 h 04 min", "soon"),
        (timedelta(days=1, hours=6), "in 1 d 6 h", ""),
        (timedelta(days=30), "in 30 d", ""),
        (timedelta(minutes=-90), "1 h 30 min ago", "late"),
    ],
)
def test_clocks_are_words(gap, words, mark):
    assert reader().left(NOW + gap) == words
    assert reader().urgency(NOW + gap) == mark


def test_moments_are_iso_with_the_zone_of_the_node():
    assert reader().moment(NOW) == "2026-03-01 07:00-05:00"
    assert reader().zone_now == "America/Panama (UTC-05:00)"


@pytest.mark.parametrize(
    ("locale", "number"), [("en", "1,234.5"), ("nl", "1.234,5"), ("fr", "1\u202f234,5")]
)
def test_numbers_are_as_the_reader_writes_them(locale, number):
    assert reader(locale).number(1234.5, 1) == number


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        ("fr-CA,fr;q=0.9,en;q=0.8", "fr"),
        ("de,nl;q=0.4,es;q=0.7", "es"),
        ("", "pt"),
        ("de;q=x,ja", "pt"),
    ],
)
def test_a_browser_is_read_in_its_language(accepted, chosen):
    assert preferred(accepted, "pt") == chosen
