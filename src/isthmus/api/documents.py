"""What was received: the list, how far its reading has come, the original bytes."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import StreamingResponse
from pydantic import Field

from isthmus.access.gate import open_person_data, scope
from isthmus.access.model import Actor, Permission
from isthmus.api.identity import Stated, allowed
from isthmus.api.problems import answers
from isthmus.api.served import NodeServed, Served
from isthmus.api.wire import Answer, At, IdPath, Limit, Listed, Offset, page
from isthmus.cargo import readings
from isthmus.platform import audit, documents
from isthmus.platform.transaction import Transaction

router = APIRouter(prefix="/api/documents", tags=["documents"])
Reader = Annotated[Actor, Depends(allowed(Permission.DOCUMENT_READ))]


class Document(Answer):
    """A document and how far its reading has come."""

    document_id: str
    format: str | None = Field(description="null: no reader knows it")
    source: str = Field(description="the name it came with")
    mapping: str | None
    state: str = Field(description="code list `document_states`")
    received: int
    accepted: int
    quarantined: int
    parked: int
    duplicates: int
    new_versions: int
    actor: str = Field(description="who sent it")
    at: At


@router.get("", responses=answers())
def list_documents(
    node: NodeServed, actor: Reader, limit: Limit = 100, offset: Offset = 0
) -> Listed[Document]:
    """Return what was received, newest first."""
    rows = node.database.read(
        lambda tx: readings.documents(tx, scope(actor, Permission.DOCUMENT_READ), limit + 1, offset)
    )
    return page([Document.model_validate(dict(row)) for row in rows], limit)


@router.get("/{document_id}", responses=answers(404))
def read_document(node: NodeServed, actor: Reader, document_id: IdPath) -> Document:
    """Return one document and how far its reading has come."""
    row = node.database.read(
        lambda tx: readings.document(tx, scope(actor, Permission.DOCUMENT_READ), document_id)
    )
    return Document.model_validate(dict(row))


@router.get(
    "/{document_id}/content",
    response_class=StreamingResponse,
    responses={
        **answers(404, 410),
        200: {
            "description": "The bytes as they came.",
            "content": {
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
            },
        },
    },
    dependencies=[Stated],
)
def download_document(node: NodeServed, actor: Reader, document_id: IdPath) -> StreamingResponse:
    """Return a document as it came. It names people, so it needs a purpose and is logged."""
    chunks = node.database.write(lambda tx: _open(tx, actor, document_id))
    # The first block is read before the answer begins: what was altered is told as an error.
    first = _block(node, document_id, 0) if chunks else b""
    return StreamingResponse(
        _blocks(node, document_id, first, chunks),
        media_type="application/octet-stream",
        headers={"Content-Disposition": f'attachment; filename="{document_id}"'},
    )


def _open(tx: Transaction, actor: Actor, document_id: str) -> int:
    readings.document(tx, scope(actor, Permission.DOCUMENT_READ), document_id)
    open_person_data(tx, actor, "document", document_id)
    audit.record(tx, actor.id, "document.download", "document", document_id, agency=actor.agency)
    return int(documents.get(tx, document_id)["chunks"])


def _block(node: Served, document_id: str, number: int) -> bytes:
    return node.database.read(lambda tx: documents.chunk(tx, document_id, number))


def _blocks(node: Served, document_id: str, first: bytes, chunks: int) -> Iterator[bytes]:
    yield first
    for number in range(1, chunks):
        yield _block(node, document_id, number)
