"""The signatures of a batch, checked by processes beside the node: the same verdicts as one by one."""

import os
import signal
import time

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from isthmus.exchange import inbox, outgoing
from isthmus.exchange.model import Lane
from isthmus.exchange.verifiers import FEWEST, Claim, Noting, Verifiers

KEY = Ed25519PrivateKey.generate()
RAW = KEY.public_key().public_bytes_raw()


def claims(number, wrong=()):
    made = []
    for place in range(number):
        data = os.urandom(place)
        signature = KEY.sign(data + (b"x" if place in wrong else b""))
        made.append(Claim(RAW, signature, data))
    return made


@pytest.fixture
def verifiers():
    made = Verifiers(2)
    yield made
    made.close()


@pytest.mark.parametrize("number", [0, 1, FEWEST - 1, FEWEST, FEWEST + 1, 200])
def test_every_claim_has_its_own_answer(verifiers, number):
    wrong = set(range(0, number, 7))
    assert verifiers.check(claims(number, wrong)) == [one not in wrong for one in range(number)]


def test_a_verifier_that_is_killed_is_done_without(verifiers):
    asked = claims(FEWEST, {3, FEWEST - 1})
    wanted = [claim.holds() for claim in asked]
    assert verifiers.check(asked) == wanted
    for one in list(verifiers._free):
        one.process.send_signal(signal.SIGKILL)
    assert verifiers.check(asked) == wanted
    assert verifiers.check(asked) == wanted
    assert len(verifiers._free) == 2


def test_verifiers_end_with_the_node(verifiers):
    verifiers.check(claims(FEWEST))
    processes = [one.process for one in verifiers._free]
    for one in processes:
        one.stdin.close()  # as when the node is killed: nobody holds the other end any more
    end = time.monotonic() + 10
    while any(one.poll() is None for one in processes):
        assert time.monotonic() < end
        time.sleep(0.01)


def test_what_cannot_be_a_signature_is_refused_at_once():
    good = KEY.sign(b"said")
    for wrong in (good + b"x", good[:-1], b""):
        with pytest.raises(InvalidSignature):
            Noting(RAW, []).verify(wrong, b"said")


@pytest.mark.parametrize("number", [0, 2])
def test_a_batch_with_forgeries_is_refused_where_they_are(both, number):
    panama, antwerp = both
    for _ in range(40):
        panama.put(antwerp.code)
    found = outgoing.ready(panama.database, panama.policy, antwerp.code, (Lane.IMMEDIATE,))
    raws = [one.raw for one in found.parcels]
    assert 3 * len(raws) >= FEWEST
    forged = raws[30].replace(b'"mode":"spontaneous"', b'"mode":"automatic"')
    assert forged != raws[30]
    made = Verifiers(number)
    answer = inbox.receive(
        antwerp.database, antwerp.policy, panama.code, [*raws[:30], forged, *raws[31:]],
        inbox.Reception(made),
    )  # fmt: skip
    assert answer.refused[0] == {"index": 30, "code": "signature_wrong"}
    assert {one["code"] for one in answer.refused[1:]} == {"sequence_gap"}
    assert answer.heads["immediate"]["sequence"] == 30
    again = inbox.receive(
        antwerp.database, antwerp.policy, panama.code, raws[30:], inbox.Reception(made)
    )
    assert again.refused == []
    made.close()
