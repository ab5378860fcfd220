"""People of the node: entered, given roles, ended. Links are shown once, to whoever makes them."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from isthmus.access import service
from isthmus.access.invitations import InvitationKind, Invited
from isthmus.access.model import Actor, Permission, Role
from isthmus.access.service import RoleRequest
from isthmus.api.code_lists import Language
from isthmus.api.identity import allowed
from isthmus.api.problems import answers
from isthmus.api.served import NodeServed
from isthmus.api.wire import Answer, Ask, At, Done, Id, IdPath, Line, Moment, Places

router = APIRouter(prefix="/api/people", tags=["people"])
Administrator = Annotated[Actor, Depends(allowed(Permission.ADMIN_PEOPLE))]


class Person(Answer):
    """An officer or other user of the node."""

    id: str
    agency: str
    name: str | None = Field(description="null once erased")
    login: str | None
    locale: str
    active: bool
    created_at: At
    access_until: At | None


class People(Answer):
    """The people of the agencies the caller administers."""

    items: list[Person]


class GrantTold(Answer):
    """A role a person has now."""

    id: str
    role: Role
    agency: str
    offices: list[str] | None = Field(description="null: all")
    terminals: list[str] | None = Field(description="null: all")
    since: At
    until: At | None


class Grants(Answer):
    """The roles a person has now."""

    items: list[GrantTold]


class RoleAsk(Ask):
    """A role to give, where, and until when."""

    role: Role
    agency: Id | None = Field(None, description="null: the person's own")
    offices: Places | None = Field(None, description="null: all")
    terminals: Places | None = Field(None, description="null: all")
    until: Moment | None = None

    def request(self) -> RoleRequest:
        """Return what the service takes."""
        return RoleRequest(self.role, self.agency, self.offices, self.terminals, self.until)


Roles = Annotated[list[RoleAsk], Field(max_length=50)]


class Invitation(Ask):
    """A person to enter."""

    agency: Id
    name: Line = Field(examples=["Ana Batista"])
    login: Annotated[Line, Field(max_length=200)] = Field(examples=["ana.batista@customs.example"])
    roles: Roles
    language: Language = Language.EN
    access_until: Moment | None = Field(None, description="end of a secondment")


class RolesAsk(Ask):
    """The roles a person shall have from now on."""

    roles: Roles


class AccessEnd(Ask):
    """When a person's access ends."""

    access_until: Moment | None


class Link(Answer):
    """A one-time link; the node keeps no copy of it."""

    person: str
    kind: InvitationKind
    path: str
    expires_at: At


@router.get("", responses=answers())
def list_people(node: NodeServed, actor: Administrator) -> People:
    """Return the people of the agencies the caller administers."""
    found = node.database.read(lambda tx: service.people(tx, actor))
    return People(items=[Person.model_validate(person) for person in found])


@router.post("", status_code=201, responses=answers(404, 409))
def invite_person(node: NodeServed, actor: Administrator, ask: Invitation) -> Link:
    """Enter a person with roles and return the one-time link to hand over."""
    made = node.database.write(
        lambda tx: service.invite(
            tx,
            actor,
            agency=ask.agency,
            name=ask.name,
            login=ask.login,
            roles=[role.request() for role in ask.roles],
            locale=ask.language,
            access_until=ask.access_until,
        )
    )
    return _link(made)


@router.get("/{person_id}/roles", responses=answers(404))
def read_roles(node: NodeServed, actor: Administrator, person_id: IdPath) -> Grants:
    """Return the roles a person has now."""
    found = node.database.read(lambda tx: service.grants(tx, actor, person_id))
    return Grants(items=[GrantTold.model_validate(grant) for grant in found])


@router.put("/{person_id}/roles", responses=answers(404, 409))
def change_roles(node: NodeServed, actor: Administrator, person_id: IdPath, ask: RolesAsk) -> Done:
    """Take a person's roles and give these; nobody changes their own."""
    roles = [role.request() for role in ask.roles]
    node.database.write(lambda tx: service.change_roles(tx, actor, person_id, roles))
    return Done(id=person_id)


@router.put("/{person_id}/access-end", responses=answers(404, 409))
def set_access_end(
    node: NodeServed, actor: Administrator, person_id: IdPath, ask: AccessEnd
) -> Done:
    """Set or move the end of a person's secondment."""
    node.database.write(lambda tx: service.set_access_end(tx, actor, person_id, ask.access_until))
    return Done(id=person_id)


@router.post("/{person_id}/deactivate", responses=answers(404, 409))
def deactivate_person(node: NodeServed, actor: Administrator, person_id: IdPath) -> Done:
    """End a person's use of the node at once."""
    node.database.write(lambda tx: service.deactivate(tx, actor, person_id))
    return Done(id=person_id)


@router.post("/{person_id}/invite-again", status_code=201, responses=answers(404, 409))
def invite_person_again(node: NodeServed, actor: Administrator, person_id: IdPath) -> Link:
    """Make a new link for a person who never entered."""
    return _link(node.database.write(lambda tx: service.invite_again(tx, actor, person_id)))


@router.post("/{person_id}/reset-second-factor", status_code=201, responses=answers(404, 409))
def reset_second_factor(node: NodeServed, actor: Administrator, person_id: IdPath) -> Link:
    """Drop a person's authenticator and return the link to set up another."""
    return _link(node.database.write(lambda tx: service.reset_second_factor(tx, actor, person_id)))


@router.post("/{person_id}/reset-password", status_code=201, responses=answers(404, 409))
def reset_password(node: NodeServed, actor: Administrator, person_id: IdPath) -> Link:
    """Return the link with which a person sets a new password."""
    return _link(node.database.write(lambda tx: service.reset_password(tx, actor, person_id)))


def _link(made: Invited) -> Link:
    return Link(person=made.person_id, kind=made.kind, path=made.path, expires_at=made.expires_at)
