"""The composer: what each partner would get of an item and why, sending it, and who holds it."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query
from pydantic import Field

from isthmus.access.model import Actor, Permission, Purpose
from isthmus.agreements import explain
from isthmus.agreements.model import Mode, Released
from isthmus.api.code_lists import Language
from isthmus.api.identity import Stated, allowed
from isthmus.api.items import FieldPath, ItemPath, Reader, language_for
from isthmus.api.problems import answers
from isthmus.api.served import NodeServed
from isthmus.api.wire import Answer, Ask, At, Code, coded
from isthmus.exchange import consents, holders
from isthmus.exchange.model import Lane
from isthmus.flow.share import Said, View
from isthmus.flow.sharing import handover
from isthmus.flow.sharing.handover import Looked, Order
from isthmus.intelligence import reading, schema
from isthmus.intelligence.render import label
from isthmus.platform.transaction import Transaction

router = APIRouter(prefix="/api/items", tags=["items"])
Sender = Annotated[Actor, Depends(allowed(Permission.ITEM_SEND))]
Node = Annotated[str, Field(pattern=r"^[A-Z]{2}-[A-Z0-9-]{1,30}$", examples=["NL-DOUANE"])]
Condition = Annotated[Code, coded("share_conditions")]
Use = Annotated[Code, coded("intended_uses")]


class Going(Answer):
    """One path for one partner: whether it goes, and the words for why or why not."""

    path: str
    label: str
    value: Any = Field(description="null where it is about persons: those are opened by themselves")
    personal: bool
    goes: bool
    clause: str | None = Field(description="by which it goes, or the nearest that would allow it")
    code: str | None = Field(description="code list `withholding_reasons`; null where it goes")
    needed: list[str] = Field(description="codes of what would have to stand on record")
    reason: str
    change: str = Field(description="new, changed, same or gone against what it got last; or empty")


class Duties(Answer):
    """What the partner would owe."""

    handling: list[str]
    onward: list[str]
    onward_consent: bool
    keep_days: int | None
    feedback_days: int | None
    words: list[str]


class PartnerView(Answer):
    """What one partner would get of an item."""

    partner: str
    released: int
    withheld: int
    last_version: int | None = Field(description="of the item, as the partner got it last")
    duties: Duties
    lines: list[Going]
    look: str = Field(description="hand it back when sending: then nothing else goes than this")


class Composed(Answer):
    """What every trusted partner would get of an item, field by field."""

    item: str
    version: int
    purpose: Purpose
    mode: Mode
    conditions: list[str]
    uses: list[str]
    language: Language
    partners: list[PartnerView]


class Sending(Ask):
    """To whom an item goes, what for, on what condition, and what is kept back."""

    partner: Node
    purpose: Purpose
    mode: Mode = Mode.SPONTANEOUS
    conditions: Annotated[frozenset[Condition], Field(max_length=20)] = frozenset()
    uses: Annotated[frozenset[Use], Field(max_length=20)] = frozenset()
    lane: Lane = Lane.ROUTINE
    without: Annotated[frozenset[FieldPath], Field(max_length=5_000)] = frozenset()
    look: Annotated[str, Field(pattern=r"^[0-9a-f]{24}$")] | None = None
    consents: Annotated[
        tuple[dict[str, Any], ...],
        Field(max_length=10, description="of the originator, where a partner's item goes on"),
    ] = ()


class Consenting(Ask):
    """Which holder may pass its copy of an own item on, and to whom."""

    holder: Node
    recipient: Node


class Consent(Answer):
    """The signed consent, for the holder to show when it sends."""

    item: str
    holder: str
    recipient: str
    consent: dict[str, Any]


class SentItem(Answer):
    """What went."""

    envelope: str
    partner: str
    paths: list[str]
    clauses: list[str]


class Envelope(Answer):
    """An envelope with an item, and what its recipient told of it."""

    id: str
    partner: str
    name: str
    direction: str = Field(description="out or in")
    lane: Lane
    version: int
    purpose: Purpose
    state: str = Field(description="waiting, delivered, held, refused, stopped, expired")
    code: str
    at: At
    delivered_at: At | None
    opened_at: At | None
    used_at: At | None


class HeldBy(Answer):
    """A partner that an item went to, and what follows it there."""

    partner: str
    name: str
    version: int
    envelope: str
    at: At
    follow: str | None = Field(description="the correction or recall that follows")
    follow_state: str | None = Field(description="asked, done, refused")
    follow_code: str
    follow_at: At | None


class Copies(Answer):
    """Who holds an item, and the envelopes by which it went and came."""

    holders: list[HeldBy]
    envelopes: list[Envelope]


@router.get("/{item_id}/compose", responses=answers(404, 409))
def compose_item(
    node: NodeServed,
    actor: Reader,
    item_id: ItemPath,
    purpose: Purpose = Purpose.TARGETING,
    mode: Mode = Mode.SPONTANEOUS,
    condition: Annotated[list[Condition] | None, Query(max_length=20)] = None,
    use: Annotated[list[Use] | None, Query(max_length=20)] = None,
    language: Language | None = None,
) -> Composed:
    """Return what every partner would get, field by field, by which clause, or why not."""
    said = Said(purpose, frozenset(condition or ()), frozenset(use or ()), mode)
    chosen = language_for(node, actor, language)
    looked = node.database.read(lambda tx: handover.look(tx, actor, item_id, said))
    return Composed(
        item=looked.item.id,
        version=looked.item.version,
        purpose=purpose,
        mode=mode,
        conditions=sorted(said.conditions),
        uses=sorted(said.uses),
        language=chosen,
        partners=[_view(looked, one, chosen) for one in looked.views],
    )


@router.post(
    "/{item_id}/envelopes",
    status_code=201,
    responses=answers(404, 409),
    dependencies=[Stated],
)
def send_item(node: NodeServed, actor: Sender, item_id: ItemPath, ask: Sending) -> SentItem:
    """Send a partner what the agreements release; only a person may. With paths about persons
    it needs a task or a reason, and is logged."""
    said = Said(ask.purpose, ask.conditions, ask.uses, ask.mode)
    given = tuple(consents.taken(one) for one in ask.consents)
    order = Order(ask.partner, ask.lane, ask.without, ask.look, consents=given)
    sent = node.database.write(lambda tx: handover.hand_over(tx, actor, item_id, said, order))
    clauses = {sent.decision.released[path].citation for path in sent.paths}
    return SentItem(
        envelope=sent.envelope,
        partner=ask.partner,
        paths=list(sent.paths),
        clauses=sorted(clauses),
    )


@router.post("/{item_id}/consents", status_code=201, responses=answers(404, 409))
def consent_onward(node: NodeServed, actor: Sender, item_id: ItemPath, ask: Consenting) -> Consent:
    """Consent that a holder passes its copy of an own item on to one other node."""
    raw = node.database.write(
        lambda tx: consents.give(tx, actor, item_id, ask.holder, ask.recipient)
    )
    return Consent(
        item=item_id, holder=ask.holder, recipient=ask.recipient, consent=orjson.loads(raw)
    )


@router.get("/{item_id}/copies", responses=answers(404))
def list_copies(node: NodeServed, actor: Reader, item_id: ItemPath) -> Copies:
    """Return who holds an item, with receipts and what became of corrections and recalls."""

    def read(tx: Transaction) -> Copies:
        reading.find(tx, actor, item_id)
        held = holders.holders(tx, actor, item_id)
        posted = holders.post(tx, actor, item_id)
        return Copies(
            holders=[HeldBy.model_validate(one) for one in held],
            envelopes=[Envelope.model_validate(one) for one in posted],
        )

    return node.database.read(read)


def _view(looked: Looked, view: View, language: Language) -> PartnerView:
    owed = view.duties
    return PartnerView(
        partner=view.partner,
        released=len(view.decision.released),
        withheld=len(view.decision.withheld),
        last_version=view.last_version,
        duties=Duties(
            handling=sorted(owed.handling),
            onward=sorted(owed.onward.nodes),
            onward_consent=owed.onward.consent,
            keep_days=owed.keep_for.days if owed.keep_for else None,
            feedback_days=owed.feedback_within.days if owed.feedback_within else None,
            words=list(explain.explain(view.decision, language).duties),
        ),
        lines=_lines(looked, view, language),
        look=looked.token(view),
    )


def _lines(looked: Looked, view: View, language: Language) -> list[Going]:
    personal = set(schema.personal_paths(looked.item))
    found = []
    for line in view.lines:
        answer = line.answer
        goes = isinstance(answer, Released)
        detail = {} if isinstance(answer, Released) else answer.detail
        found.append(
            Going(
                path=line.path,
                label=label(looked.item.kind, line.path, language),
                value=line.value,
                personal=line.path in personal,
                goes=goes,
                clause=answer.citation if isinstance(answer, Released) else answer.clause,
                code=None if isinstance(answer, Released) else answer.code,
                needed=f"{detail.get('needed', '')} {detail.get('unless', '')}".split(),
                reason=explain.reason(answer, language),
                change=line.change,
            )
        )
    return found
