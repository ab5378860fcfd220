"""Receiving: documents of any format, our own declarations, events as JSON lines."""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from isthmus.access.model import Actor, Permission
from isthmus.api.bodies import Spool, file_name, first_file, raw
from isthmus.api.identity import allowed
from isthmus.api.problems import answers
from isthmus.api.served import NodeServed, Served
from isthmus.api.wire import LINE, Answer
from isthmus.cargo.formats.source import Source
from isthmus.flow.receive import Receipt

router = APIRouter(prefix="/api", tags=["receive"])
PATHS = ("/api/receive", "/api/declarations", "/api/events")

Sender = Annotated[Actor, Depends(allowed(Permission.UNIT_RECEIVE))]
Teller = Annotated[Actor, Depends(allowed(Permission.EVENT_RECEIVE))]
Filename = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=200,
        pattern=LINE,
        description="name of the document, for recognition and messages",
    ),
]
Mapping = Annotated[
    str | None,
    Query(pattern=r"^[a-z][a-z0-9_]{0,63}$", description="mapping of a table, by its name"),
]

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FILE = {
    "schema": {
        "type": "object",
        "properties": {"file": {"type": "string", "format": "binary"}},
        "required": ["file"],
        "additionalProperties": False,
    }
}


class Received(Answer):
    """What became of a document: kept as it came, and how many records it held."""

    document: str = Field(examples=["doc_06bq3f1m9t0xk2r8v5hc7n4ezs"])
    format: str | None = Field(description="null: no reader knows it", examples=["wco"])
    state: str = Field(description="code list `document_states`", examples=["read"])
    duplicate: bool = Field(description="the same bytes were received before; nothing changed")
    unsupported: bool = Field(description="kept, and no reader knows it")
    received: int = Field(description="records: the sum of the next four")
    accepted: int
    quarantined: int = Field(description="set apart with a reason")
    parked: int = Field(description="waiting for the record they amend")
    duplicates: int
    new_versions: int = Field(description="of those accepted, versions of what was known")


_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"model": Received, "description": "The same bytes were received before."},
    202: {"model": Received, "description": "Kept; it is being read. Ask for it later."},
    **answers(409),
}


async def any_document(
    request: Request,
    node: NodeServed,
    _actor: Sender,
    filename: Filename = None,
    mapping: Mapping = None,
) -> AsyncIterator[Spool]:
    """Take in a document that came as the body or as the file of a form."""
    kind = request.headers.get("content-type", "")
    if kind.partition(";")[0].strip().lower() == "multipart/form-data":
        spool = await first_file(request, node, mapping)
    else:
        spool = Spool(node, Source(file_name(filename or ""), kind[:120] or None, mapping))
        await raw(request, spool)
    with spool.file:
        yield spool


async def declaration_document(
    request: Request, node: NodeServed, _actor: Sender
) -> AsyncIterator[Spool]:
    """Take in declarations in the JSON of this node."""
    spool = Spool(node, Source("declaration.json", "application/json"))
    await raw(request, spool)
    with spool.file:
        yield spool


async def event_document(
    request: Request, node: NodeServed, _actor: Teller
) -> AsyncIterator[Spool]:
    """Take in events as JSON lines."""
    spool = Spool(node, Source("events.jsonl", "application/x-ndjson"))
    await raw(request, spool)
    with spool.file:
        yield spool


def _body(**content: Any) -> dict[str, Any]:
    kinds = {name.replace("__", "/").replace("_", "-"): how for name, how in content.items()}
    return {"requestBody": {"required": True, "content": kinds}}


@router.post(
    "/receive",
    status_code=201,
    responses=_ANSWERS,
    openapi_extra=_body(application__octet_stream=_BINARY, multipart__form_data=_FILE),
)
def receive_document(
    response: Response,
    node: NodeServed,
    actor: Sender,
    spool: Annotated[Spool, Depends(any_document)],
) -> Received:
    """Receive a document of any format; it is kept before it is read, whatever it is."""
    return _receive(node, actor, spool, response, None)


@router.post(
    "/declarations",
    status_code=201,
    responses=_ANSWERS,
    openapi_extra=_body(
        application__json={
            "schema": {
                "description": "A declaration, or a list of them: /api/schemas/declaration.",
                "anyOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}}],
            }
        }
    ),
)
def receive_declarations(
    response: Response,
    node: NodeServed,
    actor: Sender,
    spool: Annotated[Spool, Depends(declaration_document)],
) -> Received:
    """Receive declarations in the JSON of this node; what is wrong in one is set apart."""
    return _receive(node, actor, spool, response, ("json",))


@router.post(
    "/events",
    status_code=201,
    responses=_ANSWERS,
    openapi_extra=_body(application__x_ndjson=_BINARY),
)
def receive_events(
    response: Response,
    node: NodeServed,
    actor: Teller,
    spool: Annotated[Spool, Depends(event_document)],
) -> Received:
    """Receive container and port events, one JSON object a line."""
    return _receive(node, actor, spool, response, ("events",))


def _receive(
    node: Served, actor: Actor, spool: Spool, response: Response, only: Sequence[str] | None
) -> Received:
    spool.file.seek(0)
    receipt = node.receiver.receive(actor, spool.file, spool.source, only=only, wait=False)
    if receipt.duplicate:
        response.status_code = 200
    elif receipt.state in ("stored", "reading"):
        response.status_code = 202
    return told(receipt)


def told(receipt: Receipt) -> Received:
    """Return a receipt as its answer."""
    return Received.model_validate(receipt.plain())
