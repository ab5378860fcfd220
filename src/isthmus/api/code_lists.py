"""Code lists in the reader's language, and the published forms of our own documents."""

from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi import Path as InPath
from pydantic import Field

from isthmus.api.identity import Caller
from isthmus.api.problems import answers
from isthmus.api.wire import Answer
from isthmus.cargo.formats.shape import schema
from isthmus.reference.codelist import all_lists, code_list

router = APIRouter(prefix="/api", tags=["reference"])
ListName = Annotated[str, InPath(pattern=r"^[a-z][a-z0-9_]{0,63}$", examples=["reasons"])]


class Language(StrEnum):
    """The languages of the node."""

    ES = "es"
    EN = "en"
    FR = "fr"
    NL = "nl"
    PT = "pt"


class Form(StrEnum):
    """A published form of our own documents."""

    DECLARATION = "declaration"
    EVENT = "event"
    MAPPING = "mapping"


class ListHead(Answer):
    """A code list: its name, source and size."""

    name: str
    source: str
    version: str
    codes: int


class ListHeads(Answer):
    """Every code list."""

    items: list[ListHead]


class Label(Answer):
    """A code with its label."""

    code: str
    label: str
    extra: dict[str, str] = Field(description="further columns of the list")


class CodeListTold(Answer):
    """A code list in one language."""

    name: str
    source: str
    version: str
    language: Language
    items: list[Label]


@router.get("/code-lists", responses=answers())
def list_code_lists(_actor: Caller) -> ListHeads:
    """Return the name, source and size of every code list."""
    return ListHeads(
        items=[
            ListHead(name=one.name, source=one.source, version=one.version, codes=len(one))
            for one in all_lists()
        ]
    )


@router.get("/code-lists/{name}", responses=answers(404))
def read_code_list(actor: Caller, name: ListName, language: Language | None = None) -> CodeListTold:
    """Return a code list with its labels, in the language asked for or the caller's own."""
    found = code_list(name)
    chosen = language or Language(actor.locale)
    return CodeListTold(
        name=found.name,
        source=found.source,
        version=found.version,
        language=chosen,
        items=[
            Label(code=entry.code, label=entry.label(chosen), extra=dict(entry.extra))
            for entry in found
        ],
    )


@router.get("/schemas/{form}", responses=answers())
def read_schema(_actor: Caller, form: Form) -> dict[str, Any]:
    """Return the JSON Schema of one of our own documents."""
    return dict(schema(f"{form.value}.schema.json"))
