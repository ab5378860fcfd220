"""Signatures of nodes under agreements: both sign one hash before anything widens."""

from isthmus.access.model import Actor
from isthmus.agreements import lifecycle, service
from isthmus.exchange.trust import identity, partners, signing
from isthmus.kernel.errors import Denied, Invalid
from isthmus.platform.transaction import Transaction

KIND = "agreement"


def sign(tx: Transaction, actor: Actor, version_id: str) -> bytes:
    """Sign the hash of a version as this node, record that, and return it for the partner.

    Raises ``Denied`` to who may not activate agreements, ``NotFound`` for an unknown version.
    """
    row = service.version(tx, actor, version_id)
    own = identity.signer(tx)
    raw = signing.sign(own, KIND, _said(own.node, row["agreement"], row["hash"]))
    record(tx, actor, version_id, own.node, raw)
    return raw


def record(tx: Transaction, actor: Actor, version_id: str, node: str, raw: bytes) -> bool:
    """Record the signature of a party; say whether it is new. Raises ``Denied`` on a wrong one."""

    def verify(signer: str, agreement: str, agreement_hash: str, signature: bytes) -> bool:
        own = identity.signer(tx)
        keys = partners.keys_of(tx, signer)
        if signer == own.node:
            public = own.key.public_key()
            keys = {own.fingerprint: public}.get
        try:
            statement = signing.read(signature, KIND, keys)
        except (Denied, Invalid):
            return False
        return dict(statement.payload) == _said(signer, agreement, agreement_hash)

    return lifecycle.record_signature(tx, actor, version_id, node, raw, verify)


def _said(node: str, agreement: str, agreement_hash: str) -> dict[str, str]:
    return {"agreement": agreement, "hash": agreement_hash, "node": node}
