"""Mutual TLS between nodes: each side shows its certificate and takes only those of partners."""

import secrets
import ssl
from pathlib import Path

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)

from isthmus.exchange.trust import identity, key_store
from isthmus.platform.transaction import Transaction


def server(tx: Transaction, temporary: Path) -> ssl.SSLContext:
    """Return the context of the partner listener: no certificate of a partner, no connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _own(context, tx, temporary)
    admit(context, tx)
    return context


def admit(context: ssl.SSLContext, tx: Transaction) -> None:
    """Let the certificates of trusted partners in. What a context once let in it lets in until it
    is made anew; the signature on each request refuses all the same."""
    trusted = {row["code"] for row in key_store.partners(tx) if row["state"] == "trusted"}
    for row in key_store.partner_keys(tx, "tls"):
        if row["partner"] in trusted:
            context.load_verify_locations(cadata=row["public"])


def renew(context: ssl.SSLContext, tx: Transaction, temporary: Path) -> None:
    """Show this node's newest pair from now on."""
    _own(context, tx, temporary)


def client(tx: Transaction, temporary: Path, partner: str) -> ssl.SSLContext:
    """Return the context for dialling one partner: its certificate and no other will do."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # the certificate itself is pinned, not a name in it
    _own(context, tx, temporary)
    for row in key_store.partner_keys(tx, "tls"):
        if row["partner"] == partner:
            context.load_verify_locations(cadata=row["public"])
    return context


def _own(context: ssl.SSLContext, tx: Transaction, temporary: Path) -> None:
    """Load this node's pair. OpenSSL wants a file: it is encrypted, and gone at once."""
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    certificate, key = identity.tls_pair(tx)
    password = secrets.token_hex(16)
    path = temporary / f"pair-{secrets.token_hex(8)}.pem"
    path.touch(mode=0o600)
    try:
        path.write_bytes(
            certificate.public_bytes(Encoding.PEM)
            + key.private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password.encode())
            )
        )
        context.load_cert_chain(path, password=password)
    finally:
        path.unlink()
