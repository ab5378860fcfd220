"""SD-JWT: what is issued can be read by the reference package, and what it issues by the RFC's
own example; nothing undisclosed shows."""

import hashlib

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.world import BODY, MARKING
from isthmus.exchange import issue
from isthmus.exchange.trust import signing
from isthmus.intelligence.model import Item, ItemKind
from isthmus.kernel.errors import IsthmusError
from isthmus.kernel.time import SetClock

KEY = Ed25519PrivateKey.generate()
OWN = signing.Signer("PA-ANA", KEY, signing.fingerprint(KEY.public_key()))


def issuers(node, fingerprint):
    return KEY.public_key() if (node, fingerprint) == (OWN.node, OWN.fingerprint) else None


def item(body=BODY):
    return Item("PA-ANA:itm_1", ItemKind.SIGHTING, 2, "PA-ANA", SetClock().now(), MARKING, body)


def test_the_rfcs_own_disclosure_has_the_rfcs_own_digest():
    """RFC 9901, 4.2.1 and 4.2.3: the disclosure of family_name."""
    disclosure = "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0"
    assert issue.digest_of(disclosure) == "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0"
    assert issue._disclosed(disclosure) == ("family_name", "Möbius")


def test_a_part_is_the_same_signed_record_with_fewer_disclosures():
    issued = issue.issue(item(), OWN)
    one = issue.read(issue.present(issued, ["container"]), issuers)
    other = issue.read(issue.present(issued, ["reason", "persons.1.name"]), issuers)
    assert one.digest == other.digest == issued.digest
    assert one.item.body == {"container": "MSKU1234565"}
    assert other.item.body == {"reason": BODY["reason"], "persons": [{}, {"name": "B. Other"}]}
    assert one.item.marking == MARKING
    assert one.item.made_at == item().made_at


@given(st.sets(st.sampled_from(sorted(item().paths()))))
@settings(deadline=None)
def test_nothing_undisclosed_is_in_the_bytes(shown):
    issued = issue.issue(item(), OWN)
    raw = issue.present(issued, shown)
    text = raw.decode()
    for path, disclosure in issued.disclosures.items():
        assert (disclosure in text) == (path in shown)
    decoded = b"".join(issue._decoded(part) for part in text.replace("~", ".").split(".") if part)
    for path, value in item().paths().items():
        assert (orjson.dumps(value) in decoded) == (path in shown)


def test_decoys_hide_the_number_of_paths():
    numbers = {len(orjson.loads(issue.decode(issue.issue(item(), OWN).record.split(".")[1]))["_sd"]) for _ in range(40)}  # fmt: skip
    assert len(numbers) > 3
    assert min(numbers) > len(item().paths())


def test_the_reference_package_reads_what_is_issued():
    jwk = pytest.importorskip("jwcrypto.jwk").JWK
    from jwcrypto.jws import JWS
    from sd_jwt.verifier import SDJWTVerifier

    issued = issue.issue(item(), OWN)
    # The package has no name for the algorithm but the old one: the payload is signed anew for it.
    key = jwk.generate(kty="OKP", crv="Ed25519")
    signed = JWS(payload=issue.decode(issued.record.split(".")[1]))
    signed.add_signature(key, alg="EdDSA", protected='{"alg":"EdDSA"}')
    shown = [issued.disclosures[path] for path in ("container", "persons.0.name")]
    text = "~".join([signed.serialize(compact=True), *shown, ""])
    payload = SDJWTVerifier(text, lambda *_: key).get_verified_payload()
    assert payload["container"] == "MSKU1234565"
    assert payload["persons.0.name"] == "A. Someone"
    assert "reason" not in payload


@pytest.mark.parametrize("at", range(0, 100))
def test_a_flipped_bit_is_refused(at):
    raw = issue.present(issue.issue(item(), OWN), ["container", "reason"])
    place = at * len(raw) // 100
    wrong = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
    with pytest.raises(IsthmusError):
        issue.read(wrong, issuers)


def test_a_disclosure_of_another_item_is_foreign():
    first, second = issue.issue(item(), OWN), issue.issue(item(), OWN)
    mixed = "~".join([first.record, second.disclosures["reason"], ""]).encode()
    with pytest.raises(IsthmusError, match="does not belong"):
        issue.read(mixed, issuers)


def test_a_disclosure_given_twice_is_refused():
    issued = issue.issue(item(), OWN)
    twice = "~".join([issued.record, *[issued.disclosures["reason"]] * 2, ""]).encode()
    with pytest.raises(IsthmusError, match="twice"):
        issue.read(twice, issuers)


@given(st.binary(max_size=300))
def test_rubbish_is_refused(raw):
    with pytest.raises(IsthmusError):
        issue.read(raw, issuers)


def test_a_deep_value_is_refused():
    deep = "x"
    for _ in range(20):
        deep = [deep]
    raw = issue.present(issue.issue(item({"deep": deep}), OWN), ["deep"])
    with pytest.raises(IsthmusError, match="nested deeper"):
        issue.read(raw, issuers)


def test_the_digest_names_the_record():
    issued = issue.issue(item(), OWN)
    assert issued.digest == hashlib.sha256(issued.record.encode()).digest()
