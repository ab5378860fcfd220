"""A release: the terms this node signs for one recipient, from what was decided."""

from collections.abc import Sequence
from datetime import datetime

from isthmus.agreements.model import Asked, Decision
from isthmus.exchange import issue, terms
from isthmus.exchange.terms import Terms
from isthmus.exchange.trust import identity
from isthmus.kernel.errors import Denied
from isthmus.platform.transaction import Transaction


def terms_for(
    tx: Transaction,
    presented: bytes,
    decision: Decision,
    asked: Asked,
    *,
    before: Terms | None = None,
    expires_at: datetime | None = None,
) -> bytes:
    """Sign the terms by which a partner gets a presented item.

    ``before`` is the last link of the chain by which this node got the item itself, for an onward
    share: what is signed can only be narrower. Raises ``Denied`` when that link does not allow it.
    """
    shown = issue.read(presented, None)
    duties = decision.duties
    onward = duties.onward
    made = Terms(
        item=shown.item.id,
        version=shown.item.version,
        record=shown.digest,
        issuer=asked.sender,
        recipient=asked.recipient,
        paths=frozenset(shown.paths),
        purposes=frozenset({asked.purpose.value}),
        handling=frozenset(one.value for one in duties.handling),
        onward=onward.nodes,
        consent=onward.consent,
        keep_until=tx.now + duties.keep_for if duties.keep_for else None,
        expires_at=expires_at,
        feedback_due=tx.now + duties.feedback_within if duties.feedback_within else None,
    )
    if before is not None:
        made = _narrowed(made, before)
    return terms.write(made, identity.signer(tx))


def _narrowed(made: Terms, before: Terms) -> Terms:
    """Hold new terms within those by which the item came here."""
    if made.recipient not in before.onward:
        raise Denied("terms_onward_refused", "the originator does not let it go there",
                     recipient=made.recipient)  # fmt: skip
    if not (made.paths <= before.paths and made.purposes <= before.purposes):
        raise Denied("terms_paths_exceeded", "more than the originator lets this node pass on",
                     recipient=made.recipient)  # fmt: skip
    return Terms(
        made.item,
        made.version,
        made.record,
        made.issuer,
        made.recipient,
        made.paths,
        made.purposes,
        made.handling | before.handling,
        made.onward & before.onward,
        made.consent or before.consent,
        _earlier([made.keep_until, before.keep_until]),
        _earlier([made.expires_at, before.expires_at]),
        made.feedback_due,
    )


def _earlier(moments: Sequence[datetime | None]) -> datetime | None:
    return min((one for one in moments if one is not None), default=None)
