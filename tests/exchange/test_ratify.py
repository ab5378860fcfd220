"""Two nodes sign one hash, each with its own key, before an agreement is in force on either."""

import pytest

from agreements.conftest import person
from isthmus.agreements import lifecycle, service, shipped
from isthmus.exchange.trust import identity, ratify, signing
from isthmus.kernel.errors import Conflict, Denied

VERSION = "PA-BE-2026@1"
DRAFTER, FIRST, SECOND = person(1), person(2), person(3)


def write(node, act, *arguments, **named):
    return node.database.write(lambda tx: act(tx, *arguments, **named))


@pytest.fixture
def tested(both):
    for node in both:
        write(node, lifecycle.enter, DRAFTER, shipped.text_of("PA-BE-2026"))
        write(node, lifecycle.review, FIRST, VERSION)
        write(node, lifecycle.review, SECOND, VERSION)
    return both


def test_each_node_signs_and_takes_the_others_signature(tested) -> None:
    signatures = [write(node, ratify.sign, SECOND, VERSION) for node in tested]
    for node, other, signature in zip(tested, tested[::-1], signatures[::-1], strict=True):
        with pytest.raises(Conflict, match=f"and {other.code} did not sign"):
            write(node, lifecycle.activate, SECOND, VERSION, fictional=True)
        assert write(node, ratify.record, SECOND, VERSION, other.code, signature)
        assert not write(node, ratify.record, SECOND, VERSION, other.code, signature)
        write(node, lifecycle.activate, SECOND, VERSION, fictional=True)
    hashes = {node.database.read(lambda tx: service.hash_of(tx, "PA-BE-2026")) for node in tested}
    assert len(hashes) == 1


def test_a_signature_by_another_key_or_over_other_words_is_refused(tested) -> None:
    panama, antwerp = tested
    own = write(panama, ratify.sign, SECOND, VERSION)
    signer = antwerp.database.read(identity.signer)
    said = {"agreement": "PA-BE-2026", "node": antwerp.code}
    wrong = [
        own,  # this node's own, given out as the partner's
        b"{}",
        signing.sign(signer, ratify.KIND, {**said, "hash": "0" * 64}),
        signing.sign(signer, "envelope", {**said, "hash": shipped_hash()}),
        signing.sign(signer, ratify.KIND, {**said, "hash": shipped_hash(), "node": panama.code}),
    ]
    for signature in wrong:
        with pytest.raises(Denied, match="does not fit"):
            write(panama, ratify.record, SECOND, VERSION, antwerp.code, signature)
    good = signing.sign(signer, ratify.KIND, {**said, "hash": shipped_hash()})
    assert write(panama, ratify.record, SECOND, VERSION, antwerp.code, good)


def shipped_hash() -> str:
    return next(one.hash for one in shipped.fictional() if one.id == "PA-BE-2026")
