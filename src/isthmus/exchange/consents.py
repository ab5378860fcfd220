"""Consents: the originator lets one holder pass what it has of an item on to one other node.

An agreement may let a partner pass an item on only with the originator's consent, each time. The
consent names item, record, paths, holder and recipient and is signed; the holder shows it when it
sends. It grants nothing by itself: every clause and every other term still has to allow the share.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from isthmus.access.gate import check
from isthmus.access.model import Actor
from isthmus.access.permission import Permission
from isthmus.exchange import copy_store, inbox, terms
from isthmus.exchange.trust import identity
from isthmus.kernel.canonical import canonical
from isthmus.kernel.errors import Denied, Invalid, NotFound
from isthmus.platform import audit, events
from isthmus.platform.transaction import Transaction


def give(tx: Transaction, actor: Actor, item_id: str, holder: str, recipient: str) -> bytes:
    """Consent, as a person of the originator, that ``holder`` passes its copy to ``recipient``.

    It lasts as long as the copy may be used. Raises ``Denied`` unless this node originated the
    item, ``NotFound`` when the holder has no copy from here.
    """
    check(tx, actor, Permission.ITEM_SEND, object_id=item_id)
    own = identity.signer(tx)
    if not item_id.startswith(f"{own.node}:"):
        raise Denied("not_originator", "only its originator consents", item=item_id)
    if recipient in (own.node, holder):
        raise Invalid("recipient_wrong", "a consent is for a third node", recipient=recipient)
    copies = {row["partner"]: row for row in copy_store.copies(tx, item_id)}
    if holder not in copies:
        raise NotFound("copy_unknown", "it has no copy from here", item=item_id, partner=holder)
    opened = inbox.opened(tx, copies[holder]["envelope_id"])
    shown = opened.presented
    raw = terms.consent(
        own,
        shown.item,
        shown.digest,
        sharer=holder,
        recipient=recipient,
        paths=shown.paths,
        until=opened.envelope.expires_at,
    )
    audit.record(
        tx,
        actor.id,
        "item.consent",
        "item",
        item_id,
        agency=actor.agency,
        holder=holder,
        recipient=recipient,
        version=shown.item.version,
    )
    events.emit(tx, "item.consented", item_id, holder=holder, recipient=recipient)
    return raw


def taken(said: str | Mapping[str, Any]) -> bytes:
    """Return a consent as it was signed, from however it was written on its way.

    Raises ``Invalid`` for what is no JSON object; whether it is a consent is seen when it is used.
    """
    try:
        held = orjson.loads(said) if isinstance(said, str) else said
        if not isinstance(held, Mapping):
            raise TypeError("no object")
        return canonical(held)
    except (TypeError, ValueError):  # orjson's errors are of these
        raise Invalid("consent_wrong", "no signed consent", field="consent") from None
