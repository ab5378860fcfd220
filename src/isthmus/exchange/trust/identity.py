"""Who this node is to others: its signing key, its TLS certificate and the card that shows both.

The private parts are sealed under the node's key file and travel in its backups. A key is valid
for an interval; rotating makes a new one, and the card that tells partners so is signed by the
old key and by the new.
"""

import ipaddress
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from isthmus.access.gate import check
from isthmus.access.model import Actor
from isthmus.access.permission import Permission
from isthmus.exchange.tables import Row
from isthmus.exchange.trust import key_store, shape, signing
from isthmus.exchange.trust.signing import PublicKey, Signer, Statement
from isthmus.kernel.errors import Conflict, Damaged, Invalid, NotFound
from isthmus.kernel.time import isoformat
from isthmus.platform import audit
from isthmus.platform.transaction import Transaction

_PLACE = re.compile(r"(\[[0-9a-f:]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}")
LASTS = timedelta(days=730)
# How long before it is used a next key is shown to partners.
LEAD = timedelta(hours=1)
# How long after its beginning a key is told to partners again and again.
TOLD = timedelta(days=30)
KINDS = ("signing", "tls")
CARD = "card"
_CARD = {
    "node": str, "country": str, "name": str, "address": str, "signing": str, "certificate": str,
    "since": str, "until": str, "epoch": int, "succeeds": str, "proof": str,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Card:
    """What a node says about itself, signed by its own key."""

    node: str
    country: str
    name: str
    address: str
    signing: Ed25519PublicKey
    certificate: x509.Certificate
    since: datetime
    until: datetime
    epoch: int
    succeeds: str  # fingerprint of the key before; empty at first
    statement: Statement

    @property
    def signing_fingerprint(self) -> str:
        """Fingerprint of the signing key."""
        return signing.fingerprint(self.signing)

    @property
    def certificate_fingerprint(self) -> str:
        """Fingerprint of the TLS certificate."""
        return certificate_fingerprint(self.certificate)


def node_code(country: str, agency: str) -> str:
    """Return the code by which all nodes know the node of an authority, such as ``PA-ANA``."""
    return f"{country}-{agency}"


def certificate_fingerprint(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of a certificate in hex."""
    return sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


def found(
    tx: Transaction, actor: Actor, *, node: str, country: str, name: str, address: str, listen: str
) -> None:
    """Set the exchange of this node up: its keys and its first epoch.

    ``address`` is where partners dial it (empty: it only dials out), ``listen`` where its
    listener stands. Raises ``Conflict`` when it was set up before.
    """
    check(tx, actor, Permission.PARTNER_PROPOSE)
    if key_store.myself(tx) is not None:
        raise Conflict("exchange_set_up", "the exchange was set up before")
    for place in (address, listen):
        if place and not _PLACE.fullmatch(place):
            raise Invalid("address_wrong", "an address is host:port", address=place)
    make_keys(tx, node, address, tx.now)
    key_store.insert_self(
        tx,
        {
            "node": node,
            "country": country,
            "name": name,
            "address": address,
            "listen": listen,
            "epoch": 1,
            "statement": b"",
            "opened_at": tx.now,
        },
    )
    audit.record(tx, actor.id, "exchange.set_up", "node", node, agency=actor.agency)


def rotate(tx: Transaction, actor: Actor, lead: timedelta = LEAD) -> None:
    """Make the next keys, which begin after ``lead``: by then partners have the card that shows
    the old key naming the new."""
    check(tx, actor, Permission.PARTNER_PROPOSE)
    row = me(tx)
    make_keys(tx, row["node"], row["address"], tx.now + lead)
    audit.record(tx, actor.id, "exchange.rotated", "node", row["node"], agency=actor.agency)
    tx.after_commit(tx.wake)


def make_keys(tx: Transaction, node: str, address: str, since: datetime) -> None:
    """Make a signing key and a TLS certificate that are used from a moment on."""
    key = Ed25519PrivateKey.generate()
    public = key.public_key()
    _keep(
        tx,
        node,
        "signing",
        signing.fingerprint(public),
        public.public_bytes_raw(),
        key.private_bytes_raw(),
        since,
    )
    tls, certificate = _certificate(node, address, tx.now)
    _keep(
        tx,
        node,
        "tls",
        certificate_fingerprint(certificate),
        certificate.public_bytes(Encoding.DER),
        tls.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        since,
    )


def _keep(
    tx: Transaction,
    node: str,
    kind: str,
    fingerprint: str,
    public: bytes,
    private: bytes,
    since: datetime,
) -> None:
    key_store.insert_own_key(
        tx,
        {
            "fingerprint": fingerprint,
            "node": node,
            "kind": kind,
            "public": public,
            "sealed": tx.keys.seal_secret(private, fingerprint),
            "since": since,
            "until": since + LASTS,
            "retired_at": None,
        },
    )


def _certificate(
    node: str, address: str, now: datetime
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """Make a self-signed certificate for both ends of TLS; partners pin it as it is."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, node)])
    host = address.rpartition(":")[0] or "localhost"
    try:
        san: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        san = x509.DNSName(host)
    both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=10))
        .not_valid_after(now + LASTS)
        .add_extension(x509.SubjectAlternativeName([san]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(both), critical=False)
        .sign(key, SHA256())
    )
    return key, certificate


def signer(tx: Transaction) -> Signer:
    """Return what this node signs by; raises ``Conflict`` when the exchange is not set up."""
    row = key_store.own_key(tx, "signing")
    if row is None:
        raise Conflict("exchange_not_set_up", "run `isthmus exchange init` first")
    if not row["since"] <= tx.now < row["until"]:
        raise Conflict("key_expired", "the signing key has expired: rotate it")
    return _opened(tx, row)


@lru_cache(maxsize=16)
def _signer(node: str, private: bytes, fingerprint: str) -> Signer:
    key = Ed25519PrivateKey.from_private_bytes(private)
    if signing.fingerprint(key.public_key()) != fingerprint:
        raise Damaged("key_damaged", "the signing key is not the one it is said to be")
    return Signer(node, key, fingerprint)


def tls_pair(tx: Transaction) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Return the TLS certificate in use and its private key."""
    row = key_store.own_key(tx, "tls")
    if row is None:
        raise Conflict("exchange_not_set_up", "run `isthmus exchange init` first")
    key = load_der_private_key(tx.keys.open_secret(row["sealed"], row["fingerprint"]), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise Damaged("key_damaged", "the TLS key is of another kind")
    return x509.load_der_x509_certificate(row["public"]), key


def me(tx: Transaction) -> Any:
    """Return the row that says who this node is; raises ``NotFound`` before it was set up."""
    row = key_store.myself(tx)
    if row is None:
        raise NotFound("exchange_not_set_up", "run `isthmus exchange init` first")
    return row


def card(tx: Transaction) -> bytes:
    """Return this node's card, to be handed to partners; it shows the newest key there is."""
    row = me(tx)
    kept = {kind: [one for one in key_store.own_keys(tx) if one["kind"] == kind] for kind in KINDS}
    newest, tls = kept["signing"][-1], kept["tls"][-1]
    before = kept["signing"][-2] if len(kept["signing"]) > 1 else None
    own = _opened(tx, newest)
    said = {
        "node": row["node"],
        "country": row["country"],
        "name": row["name"],
        "address": row["address"],
        "signing": newest["public"].hex(),
        "certificate": tls["public"].hex(),
        "since": isoformat(newest["since"]),
        "until": isoformat(newest["until"]),
        "epoch": row["epoch"],
        "succeeds": before["fingerprint"] if before else "",
        "proof": "",
    }
    if before is not None:
        said["proof"] = _opened(tx, before).key.sign(_succession(said)).hex()
    return signing.sign(own, CARD, said)


def _opened(tx: Transaction, row: Row) -> Signer:
    private = tx.keys.open_secret(row["sealed"], row["fingerprint"])
    return _signer(row["node"], private, row["fingerprint"])


def rotating(tx: Transaction) -> bool:
    """Whether partners may not have heard of this node's newest key yet."""
    kept = [one for one in key_store.own_keys(tx) if one["kind"] == "signing"]
    return len(kept) > 1 and tx.now < kept[-1]["since"] + TOLD


def _succession(said: Any) -> bytes:
    """What an old key signs to name the next: the new key, its certificate and its interval."""
    members = ("node", "signing", "certificate", "since", "until", "succeeds")
    return b"isthmus key succession 1\0" + "\0".join(str(said[name]) for name in members).encode()


def read_card(raw: bytes) -> Card:
    """Read a card that proves possession of its own key; whether to trust it people decide."""
    statement = signing.parse(raw, CARD)
    said = statement.payload
    shape.check(said, _CARD, "the card")
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(said["signing"]))
        certificate = x509.load_der_x509_certificate(bytes.fromhex(said["certificate"]))
    except ValueError:
        raise Invalid("card_wrong", "the card's key or certificate cannot be read") from None
    if signing.fingerprint(key) != statement.key:
        raise Invalid("card_wrong", "the card is signed by another key than it shows")
    signing.verify(statement, lambda _fingerprint: key)
    return Card(
        said["node"],
        said["country"],
        said["name"],
        said["address"],
        key,
        certificate,
        shape.moment(said, "since"),
        shape.moment(said, "until"),
        said["epoch"],
        said["succeeds"],
        statement,
    )


def succeeds(card_: Card, old: PublicKey) -> bool:
    """Whether the old key names the key of this card as its successor."""
    try:
        old.verify(bytes.fromhex(card_.statement.payload["proof"]),
                   _succession(card_.statement.payload))  # fmt: skip
    except (InvalidSignature, ValueError):
        return False
    return True
