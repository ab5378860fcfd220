"""Data protection: reviews, legal holds, purposes in use, and lawful erasure."""

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from isthmus.access import agencies, erasure
from isthmus.access.model import Actor, Permission, Purpose
from isthmus.access.model import Person as PersonRow
from isthmus.api.identity import allowed
from isthmus.api.problems import answers
from isthmus.api.served import NodeServed
from isthmus.api.wire import Answer, Ask, Code, Day, Done, IdPath, Line, Truth
from isthmus.flow.erase import hold_party
from isthmus.platform.transaction import Transaction

router = APIRouter(prefix="/api/protection", tags=["data protection"])
Eraser = Annotated[Actor, Depends(allowed(Permission.ERASURE_PERFORM))]
Holder = Annotated[Actor, Depends(allowed(Permission.LEGAL_HOLD_SET))]


class DueRecord(Answer):
    """A person's record that is due for review or erasure."""

    id: str
    agency: str
    category: str = Field(description="code list `data_subject_categories`")
    active: bool
    review_on: str
    retain_until: str
    legal_hold: bool


class DueRecords(Answer):
    """What is due today."""

    reviews: list[DueRecord]
    erasures: list[DueRecord]


class Review(Ask):
    """When the record is reviewed next."""

    next_review: Day


class HoldSwitch(Ask):
    """Whether the record is under legal hold."""

    held: Truth


class PartyHold(Ask):
    """A declared party, and the hold its data is under from now on."""

    reference: Line = Field(description="its identifier, or the reference shown with it")
    hold: Code | None = Field(description="the hold's name; null lifts it", examples=["case-17"])


class Held(Answer):
    """How many rows the hold covers."""

    rows: int


class SubjectKind(StrEnum):
    """What can be erased."""

    DOCUMENT = "document"
    PARTY = "party"
    PERSON = "person"


class Ground(StrEnum):
    """Why data are erased."""

    RETENTION_ENDED = "retention_ended"
    SUBJECT_REQUEST = "subject_request"
    UNLAWFUL = "unlawful"
    COURT_ORDER = "court_order"
    RECEIVED_IN_ERROR = "received_in_error"


class ErasureAsk(Ask):
    """What to erase, and on which ground."""

    kind: SubjectKind
    subject: Line = Field(description="id of the document or person; reference of the party")
    ground: Ground


class Erased(Answer):
    """What an erasure did."""

    id: str
    erased: dict[str, int] = Field(description="rows, by what they were")
    unreached: list[str] = Field(description="backups that do not know of it yet")
    flushed: bool = Field(description="false while a reader keeps old pages; it is tried again")


class PurposeSwitch(Ask):
    """Whether a purpose is in use."""

    active: Truth


@router.get("/due", responses=answers())
def read_due_records(node: NodeServed, actor: Eraser) -> DueRecords:
    """Return the records of the node's people that are due for review or erasure today."""

    def work(tx: Transaction) -> DueRecords:
        today = tx.now.date()
        return DueRecords(
            reviews=[_due(one) for one in erasure.due_reviews(tx, actor, today)],
            erasures=[_due(one) for one in erasure.due_erasures(tx, actor, today)],
        )

    return node.database.read(work)


@router.post("/people/{person_id}/reviewed", responses=answers(404))
def note_review(node: NodeServed, actor: Eraser, person_id: IdPath, ask: Review) -> Done:
    """Note that a person's record was reviewed and is still needed."""
    node.database.write(lambda tx: erasure.reviewed(tx, actor, person_id, ask.next_review))
    return Done(id=person_id)


@router.put("/people/{person_id}/legal-hold", responses=answers(404))
def set_legal_hold(node: NodeServed, actor: Holder, person_id: IdPath, ask: HoldSwitch) -> Done:
    """Put a person's record under legal hold, or lift it."""
    node.database.write(lambda tx: erasure.set_legal_hold(tx, actor, person_id, held=ask.held))
    return Done(id=person_id)


@router.put("/parties/legal-hold", responses=answers(404))
def set_party_hold(node: NodeServed, actor: Holder, ask: PartyHold) -> Held:
    """Put a declared party's data under a legal hold, or lift it."""
    rows = node.database.write(lambda tx: hold_party(tx, actor, ask.reference, ask.hold))
    return Held(rows=rows)


@router.post("/erasures", status_code=201, responses=answers(404, 409, 410))
def erase_subject(node: NodeServed, actor: Eraser, ask: ErasureAsk) -> Erased:
    """Erase a document, a declared party or a former user: rows, keys, and in every restore."""
    erase = {
        SubjectKind.DOCUMENT: node.eraser.document,
        SubjectKind.PARTY: node.eraser.party,
        SubjectKind.PERSON: node.eraser.person,
    }
    done = erase[ask.kind](actor, ask.subject, ask.ground)
    return Erased(
        id=done.id,
        erased=dict(done.scope),
        unreached=list(done.unreached),
        flushed=done.flushed,
    )


@router.put("/purposes/{purpose}", responses=answers())
def set_purpose(node: NodeServed, actor: Holder, purpose: Purpose, ask: PurposeSwitch) -> Done:
    """Put a purpose in use, or out of it: then no person's data is opened for it."""
    node.database.write(lambda tx: agencies.set_purpose(tx, actor, purpose, active=ask.active))
    return Done(id=purpose.value)


def _due(person: PersonRow) -> DueRecord:
    return DueRecord(
        id=person.id,
        agency=person.agency,
        category=person.category,
        active=person.active,
        review_on=person.review_on.isoformat(),
        retain_until=person.retain_until.isoformat(),
        legal_hold=person.legal_hold,
    )
