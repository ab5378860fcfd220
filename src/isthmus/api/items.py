"""Items that may cross a border: their schemas, drafting, showing, correcting, recalling."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import AfterValidator, Field
from sqlalchemy import RowMapping

from isthmus.access.model import Actor, Permission
from isthmus.api.code_lists import Language
from isthmus.api.identity import Stated, allowed
from isthmus.api.problems import answers
from isthmus.api.served import NodeServed, Served
from isthmus.api.wire import (
    Answer,
    Ask,
    At,
    Code,
    CodeQuery,
    Done,
    Limit,
    Listed,
    Offset,
    Text,
    coded,
    page,
)
from isthmus.exchange.trust import identity
from isthmus.flow.sharing import heard
from isthmus.intelligence import items, reading, schema
from isthmus.intelligence.codec import to_plain
from isthmus.intelligence.keeping import ItemState
from isthmus.intelligence.model import (
    Classification,
    Evaluation,
    Handling,
    ItemKind,
    Marking,
    Scale,
    Tlp,
)
from isthmus.intelligence.reading import Copy
from isthmus.intelligence.render import render
from isthmus.intelligence.store import Wanted
from isthmus.platform.transaction import Transaction

router = APIRouter(prefix="/api", tags=["items"])
Reader = Annotated[Actor, Depends(allowed(Permission.ITEM_READ))]
Writer = Annotated[Actor, Depends(allowed(Permission.ITEM_WRITE))]
Opener = Annotated[Actor, Depends(allowed(Permission.ITEM_PERSONS))]
Recaller = Annotated[Actor, Depends(allowed(Permission.ITEM_RECALL))]

ITEM = r"^[A-Z]{2}-[A-Z0-9-]{1,30}:[a-z]{3}_[0-9a-z]{1,40}$"
PATH = r"^[a-z_]{1,60}(\.(0|[1-9][0-9]{0,2})\.[a-z_]{1,60})?$"
ItemPath = Annotated[str, Path(pattern=ITEM, examples=["PA-ANA:alr_06bq3f1m9t0xk2r8v5hc7n4ezs"])]
FieldPath = Annotated[str, Field(pattern=PATH, examples=["persons.0.name"])]


class ItemHead(Answer):
    """An item as a list shows it; nothing it says."""

    id: str
    kind: ItemKind
    originator: str
    own: bool
    version: int
    state: ItemState
    changed_at: At
    recall: str | None = Field(description="the recall that took it back")
    recall_reason: str | None = Field(description="code list `recall_reasons`")
    replaced_by: str | None


class Told(Answer):
    """One path in words."""

    path: str
    label: str
    value: str
    personal: bool
    language: str | None = Field(description="of free text, which keeps its language")


class ItemCopy(Answer):
    """One copy of a version: where it came from, what it says, how far it may be trusted."""

    version: int
    state: ItemState
    partner: str | None = Field(description="who sent it; null for an own one")
    purposes: list[str] = Field(description="what it may be used for")
    entered_at: At
    expires_at: At | None
    retain_until: str
    item: dict[str, Any] | None = Field(description="as its schema says; null once erased")
    hidden: list[str] = Field(description="paths about persons that were not opened")
    title: str | None
    marking: list[Told] = Field(description="evaluation with its scale, handling, TLP, in words")
    lines: list[Told]


class WholeItem(ItemHead):
    """An item with the copies of its versions, oldest first, in the reader's language."""

    language: Language
    copies: list[ItemCopy]


class Schemas(Answer):
    """The kinds of items that have a published schema."""

    items: list[ItemKind]


DEEPEST, LARGEST = 32, 1 << 53


def plain(value: Any) -> Any:
    """Return a JSON value that keeps its meaning wherever it is read; refuse any other.

    What is refused no schema knows: text that is no Unicode, numbers that lose digits, nesting
    without end.
    """
    held = [(value, 0)]
    while held:
        one, depth = held.pop()
        if depth > DEEPEST:
            raise ValueError(f"nested deeper than {DEEPEST}")
        if isinstance(one, dict | list):
            inner = [*one.keys(), *one.values()] if isinstance(one, dict) else one
            held += [(part, depth + 1) for part in inner]
        elif isinstance(one, str) and ("\0" in one or not _unicode(one)):
            raise ValueError("holds text that is none")
        elif isinstance(one, int) and abs(one) > LARGEST:
            raise ValueError("holds a number of too many digits")
    return value


def _unicode(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


Plain = AfterValidator(plain)


class Grade(Ask):
    """How reliable the source and how sure the information, on a named scale."""

    scale: Scale
    source: Annotated[str, Field(pattern=r"^[A-FX]$")]
    information: Annotated[str, Field(pattern=r"^[1-6]$")]


class Mark(Ask):
    """What travels with every copy of an item."""

    evaluation: Grade | None = None
    handling: Annotated[frozenset[Handling], Field(min_length=1)]
    handling_note: Text = ""
    classification: Classification = Classification.NONE
    tlp: Tlp = Tlp.AMBER

    def marking(self) -> Marking:
        """Return the marking of an item."""
        held = self.evaluation
        return Marking(
            Evaluation(held.scale, held.source, held.information) if held else None,
            self.handling,
            self.classification,
            self.tlp,
            self.handling_note,
        )


class NewItem(Ask):
    """An item of any kind but those made by correcting and recalling."""

    kind: ItemKind
    body: Annotated[dict[str, Any], Plain] = Field(
        description="as `GET /api/item-schemas/{kind}` says"
    )
    marking: Mark


class Change(Ask):
    """A path with its right value; without a value it is taken away."""

    path: FieldPath
    value: Annotated[Any, Plain] = None
    category: Annotated[Code, coded("data_subject_categories")] | None = Field(
        None, description="of the person, where the path is about one"
    )


class Correction(Ask):
    """What was wrong in an own item."""

    changes: Annotated[list[Change], Field(min_length=1, max_length=100)]
    reason: Annotated[Code, coded("correction_reasons")]


class Recall(Ask):
    """Why an own item is taken back."""

    reason: Annotated[Code, coded("recall_reasons")]
    replaced_by: Annotated[str, Field(pattern=ITEM)] | None = None


@router.get("/item-schemas", responses=answers())
def list_item_schemas(_actor: Reader) -> Schemas:
    """Return the kinds of items; each has a JSON Schema."""
    return Schemas(items=list(ItemKind))


@router.get("/item-schemas/{kind}", responses=answers())
def read_item_schema(_actor: Reader, kind: ItemKind) -> dict[str, Any]:
    """Return the JSON Schema of a kind, or of the parts that all kinds share (`parts`)."""
    return dict(schema.document(kind.value))


@router.get("/items", responses=answers())
def list_items(
    node: NodeServed,
    actor: Reader,
    kind: Annotated[list[ItemKind] | None, Query(max_length=12)] = None,
    state: Annotated[list[ItemState] | None, Query(max_length=5)] = None,
    own: bool | None = None,
    partner: CodeQuery = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Listed[ItemHead]:
    """Return items, the last changed first; those in force unless a state is given."""
    wanted = Wanted(
        [one.value for one in kind or ()],
        [one.value for one in state or (ItemState.CURRENT,)],
        own,
        partner,
    )
    rows = node.database.read(lambda tx: reading.desk(tx, actor, wanted, limit + 1, offset))
    return page([ItemHead.model_validate(dict(row)) for row in rows], limit)


@router.get("/items/{item_id}", responses=answers(404))
def read_item(
    node: NodeServed, actor: Reader, item_id: ItemPath, language: Language | None = None
) -> WholeItem:
    """Return an item in words, without what is about persons."""
    chosen = language_for(node, actor, language)
    row, copies = node.database.read(lambda tx: reading.find(tx, actor, item_id))
    heard.note(node.database, actor, item_id)
    return _whole(row, copies, chosen)


@router.get("/items/{item_id}/persons", responses=answers(404), dependencies=[Stated])
def read_item_persons(
    node: NodeServed, actor: Opener, item_id: ItemPath, language: Language | None = None
) -> WholeItem:
    """Return an item with what is about persons. Needs a task or a reason, and is logged."""
    chosen = language_for(node, actor, language)
    row, copies = node.database.write(lambda tx: reading.open_persons(tx, actor, item_id))
    heard.note(node.database, actor, item_id)
    return _whole(row, copies, chosen)


@router.post("/items", status_code=201, responses=answers(404, 409))
def draft_item(node: NodeServed, actor: Writer, ask: NewItem) -> Done:
    """Draft an item; nobody gets it by that. What is wrong is named by its path."""

    def work(tx: Transaction) -> str:
        own = identity.me(tx)["node"]
        return items.draft(tx, actor, own, ask.kind, ask.body, ask.marking.marking()).id

    return Done(id=node.database.write(work), state=ItemState.CURRENT.value)


@router.post("/items/{item_id}/corrections", status_code=201, responses=answers(404, 409))
def correct_item(node: NodeServed, actor: Recaller, item_id: ItemPath, ask: Correction) -> Done:
    """Correct an own item; every holder hears of what it has."""
    changes = [one.model_dump(exclude_unset=True) for one in ask.changes]
    made = node.database.write(
        lambda tx: items.correct(tx, actor, item_id, changes, ask.reason).correction.id
    )
    return Done(id=made, state=ItemState.CURRENT.value)


@router.post("/items/{item_id}/recall", status_code=201, responses=answers(404, 409))
def recall_item(node: NodeServed, actor: Recaller, item_id: ItemPath, ask: Recall) -> Done:
    """Take an own item back wherever it went; what was found by it stays."""
    made = node.database.write(
        lambda tx: items.recall(tx, actor, item_id, ask.reason, ask.replaced_by).id
    )
    return Done(id=made, state=ItemState.RECALLED.value)


def language_for(node: Served, actor: Actor, asked: Language | None) -> Language:
    """Return the language asked for, else the caller's own."""
    return asked or Language(actor.locale or node.settings.node.locale)


def _whole(row: RowMapping, copies: list[Copy], language: Language) -> WholeItem:
    return WholeItem(
        **ItemHead.model_validate(dict(row)).model_dump(),
        language=language,
        copies=[_copy(one, language) for one in copies],
    )


def _copy(copy: Copy, language: Language) -> ItemCopy:
    told = render(copy.item, language) if copy.item else None
    row: Mapping[str, Any] = dict(copy.row)
    return ItemCopy(
        version=row["version"],
        state=row["state"],
        partner=row["partner"],
        purposes=row["purposes"],
        entered_at=row["entered_at"],
        expires_at=row["expires_at"],
        retain_until=str(row["retain_until"]),
        item=to_plain(copy.item) if copy.item else None,
        hidden=list(copy.hidden),
        title=told.title if told else None,
        marking=[Told.model_validate(one) for one in told.marking] if told else [],
        lines=[Told.model_validate(one) for one in told.lines] if told else [],
    )
