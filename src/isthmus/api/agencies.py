"""Agencies whose people and systems use the node."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from isthmus.access import agencies
from isthmus.access.model import Actor, AgencyKind, Permission
from isthmus.api.identity import allowed
from isthmus.api.problems import answers
from isthmus.api.served import NodeServed
from isthmus.api.wire import Answer, Ask, Line

router = APIRouter(prefix="/api/agencies", tags=["agencies"])
Reader = Annotated[Actor, Depends(allowed(Permission.ADMIN_PEOPLE))]
Administrator = Annotated[Actor, Depends(allowed(Permission.ADMIN_AGENCIES))]


class Agency(Answer):
    """An authority or operator."""

    id: str
    code: str
    kind: AgencyKind
    name: str
    country: str = Field(description="ISO 3166-1 alpha-2")
    active: bool


class Agencies(Answer):
    """Every agency."""

    items: list[Agency]


class NewAgency(Ask):
    """An agency to enter."""

    code: Annotated[str, Field(pattern=r"^[A-Z0-9_-]{2,20}$")] = Field(examples=["AMP"])
    kind: AgencyKind
    name: Line = Field(examples=["Maritime Authority"])
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = Field(examples=["PA"])


@router.get("", responses=answers())
def list_agencies(node: NodeServed, actor: Reader) -> Agencies:
    """Return every agency, by code."""
    found = node.database.read(lambda tx: agencies.agencies(tx, actor))
    return Agencies(items=[Agency.model_validate(one) for one in found])


@router.post("", status_code=201, responses=answers(409))
def add_agency(node: NodeServed, actor: Administrator, ask: NewAgency) -> Agency:
    """Enter another agency whose people or systems use the node."""
    made = node.database.write(
        lambda tx: agencies.add_agency(
            tx, actor, code=ask.code, name=ask.name, kind=ask.kind, country=ask.country
        )
    )
    return Agency.model_validate(made)
