"""What partners show each other each half minute: that they are there, and which texts they hold."""

import pytest

from agreements.conftest import person
from isthmus.agreements import lifecycle, service, shipped
from isthmus.exchange import greeting, traffic
from isthmus.exchange.proof import witness
from isthmus.exchange.trust import key_store, ratify
from isthmus.kernel.errors import Invalid

VERSION = "PA-BE-2026@1"
DRAFTER, FIRST, SECOND = person(1), person(2), person(3)


@pytest.fixture
def agreed(both):
    """Both nodes, with one agreement in force on both."""
    signed = []
    for node in both:
        node.database.write(
            lambda tx: lifecycle.enter(tx, DRAFTER, shipped.text_of("PA-BE-2026"))
        )  # fmt: skip
        for reviewer in (FIRST, SECOND):
            node.database.write(lambda tx, by=reviewer: lifecycle.review(tx, by, VERSION))
        signed.append(node.database.write(lambda tx: ratify.sign(tx, SECOND, VERSION)))
    for node, other, raw in zip(both, both[::-1], signed[::-1], strict=True):
        node.database.write(
            lambda tx, code=other.code, r=raw: ratify.record(tx, SECOND, VERSION, code, r)
        )
        node.database.write(lambda tx: lifecycle.activate(tx, SECOND, VERSION, fictional=True))
    return both


def greet(asks, answers) -> None:
    asked = asks.database.read(lambda tx: witness.question(tx, answers.code))
    said = answers.database.write(lambda tx: witness.asked_by(tx, asks.code, asked))
    asks.database.write(lambda tx: witness.take(tx, answers.code, said))


def told(node, other) -> str | None:
    return node.database.read(lambda tx: service.hash_told(tx, other.code, "PA-BE-2026"))


def test_one_call_tells_both_that_the_other_is_there_and_holds_the_same(agreed) -> None:
    panama, antwerp = agreed
    assert told(panama, antwerp) is None
    greet(panama, antwerp)
    own = panama.database.read(lambda tx: service.hash_of(tx, "PA-BE-2026"))
    assert told(panama, antwerp) == told(antwerp, panama) == own
    for node, other in (agreed, agreed[::-1]):
        row = node.database.read(lambda tx, code=other.code: key_store.partner(tx, code))
        assert row["seen_at"] == node.database.clock.now()


def test_what_is_no_longer_in_force_there_is_told_as_such(agreed) -> None:
    panama, antwerp = agreed
    antwerp.database.write(lambda tx: lifecycle.withdraw(tx, FIRST, VERSION))
    greet(panama, antwerp)
    assert told(panama, antwerp) == ""
    differing = panama.database.read(lambda tx: service.differences(tx, FIRST))
    assert [row["agreement"] for row in differing] == ["PA-BE-2026"]


@pytest.mark.parametrize(
    "agreements",
    [{"PA-BE-2026": "short"}, {"PA-BE-2026": 5}, {"pa be": "ab" * 32}, ["PA-BE-2026"],
     {f"X-{number:04d}": "ab" * 32 for number in range(greeting.MOST + 1)}],
)  # fmt: skip
def test_what_is_no_list_of_hashes_is_refused_and_noted_nowhere(both, agreements) -> None:
    panama, antwerp = both
    with pytest.raises(Invalid):
        panama.database.write(
            lambda tx: greeting.heard(tx, antwerp.code, {"agreements": agreements})
        )
    row = panama.database.read(lambda tx: key_store.partner(tx, antwerp.code))
    assert row["seen_at"] is None


def test_nobody_witnesses_a_checkpoint_that_never_was(both) -> None:
    panama, antwerp = both
    point = [{"epoch": 1, "size": 1_000}]
    panama.database.write(lambda tx: greeting.witnessed(tx, antwerp.code, point))
    assert panama.database.read(lambda tx: traffic.last_witnessed(tx, antwerp.code)) is None
