"""When this happens, do that: the one table of cause and effect.

Each reaction runs in the transaction of its cause, so it only notes or asks for a job; whatever
takes time is done by the job after the commit.
"""

from collections.abc import Callable, Mapping, Sequence

from isthmus.cases import holds
from isthmus.exchange import recall
from isthmus.flow.accept import accept_soon
from isthmus.flow.lookouts import heed_expiry, heed_lookout
from isthmus.flow.profiles import heed_end
from isthmus.flow.sharing.follow import follow_correction, follow_recall
from isthmus.flow.sharing.heard import tell_opened, tell_used
from isthmus.flow.sharing.onward import pass_correction_on, send_corrected
from isthmus.flow.sharing.reconsider import heed_stopped, reconsider_soon
from isthmus.flow.sharing.telling import (
    heed_item,
    heed_receipt,
    heed_sent,
    tell_chain,
    tell_request,
)
from isthmus.flow.sharing.told import settle_sent, share_soon
from isthmus.platform import jobs
from isthmus.platform.transaction import Event, Transaction

Reaction = Callable[[Transaction, Event], None]


def score_soon(tx: Transaction, _event: Event) -> None:
    """Units are new or changed: score them. However many changes, the job stands once."""
    jobs.enqueue(tx, "score", key="score")


def breach_holds(tx: Transaction, event: Event) -> None:
    """A box went through the gate or on board: a hold in force on it is breached."""
    holds.breach(tx, event.object_id, event.payload["code"], event.payload["at"])


def reassess_soon(tx: Transaction, _event: Event) -> None:
    """Rules or models changed: what is still open is assessed by those in force now."""
    jobs.enqueue(tx, "reassess", key="reassess")


def rescreen_soon(tx: Transaction, _event: Event) -> None:
    """A list changed: all that was screened before is held against the difference."""
    jobs.enqueue(tx, "rescreen", key="rescreen")


# An outcome learnt calls for nothing by itself: features see only outcomes recorded before a unit
# was lodged, so units lodged from now on see it, and no assessment made so far would change.
REACTIONS: Mapping[str, Sequence[Reaction]] = {
    "envelope.acted": (recall.answered,),
    "item.received": (accept_soon,),
    "item.entered": (heed_lookout, heed_item),
    "item.sent": (heed_sent, settle_sent, send_corrected),
    "envelope.used": (heed_receipt,),
    "envelope.stopped": (heed_stopped, share_soon),
    "agreement.changed": (reconsider_soon,),
    "agreement.hash_agrees": (reconsider_soon,),
    "overlay.changed": (reconsider_soon,),
    "request.acknowledged": (tell_request,),
    "request.accepted": (tell_request,),
    "request.need_more": (tell_request,),
    "request.refused": (tell_request,),
    "request.closed": (tell_request,),
    "request.answered": (share_soon,),
    "chain.accepted": (tell_chain,),
    "chain.declined": (tell_chain,),
    "chain.reopened": (tell_chain,),
    "item.corrected": (follow_correction, pass_correction_on, heed_lookout),
    "item.recalled": (follow_recall, heed_lookout, heed_end),
    "items.expired": (heed_expiry,),
    "item.opened": (tell_opened,),
    "lookouts.raised": (tell_used,),
    "hold.confirmed": (share_soon,),
    "inspection.done": (share_soon,),
    "seizure.register": (share_soon,),
    "units.changed": (score_soon,),
    "container.left": (breach_holds,),
    "rule.changed": (reassess_soon,),
    "model.live": (reassess_soon,),
    "model.stopped": (reassess_soon,),
    "list.taken": (rescreen_soon,),
    "hits.changed": (score_soon,),
}
