"""Administration: who enters the node, as what, where, until when. Links are shown once."""

from datetime import UTC, datetime, time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from isthmus.access import service, store
from isthmus.access.invitations import Invited
from isthmus.access.model import Permission, Role
from isthmus.access.service import RoleRequest
from isthmus.kernel.errors import Conflict, Denied, Invalid, IsthmusError
from isthmus.platform.transaction import Transaction
from isthmus.reference import offices, places
from isthmus.reference.codelist import LOCALES
from isthmus.web.page import back, page, problem_key
from isthmus.web.visitor import Form, Typed, Visitor, may

router = APIRouter()

Administrator = Annotated[Visitor, Depends(may(Permission.ADMIN_PEOPLE))]
TYPED = ("name", "login", "agency", "locale", "until", "roles", "offices", "terminals")
GIVEN = tuple(role.value for role in Role if role is not Role.SYSTEM)


@router.get("/people")
def desk(request: Request, visitor: Administrator) -> Response:
    """Show the people of the node with their roles."""
    return _desk(request, visitor, dict.fromkeys(TYPED, ""), {})


def _desk(
    request: Request,
    visitor: Visitor,
    typed: dict[str, Any],
    errors: dict[str, str],
    status: int = 200,
) -> Response:
    def read(tx: Transaction) -> dict[str, Any]:
        found = service.people(tx, visitor.actor)
        return {
            "people": found,
            "grants": {one.id: service.grants(tx, visitor.actor, one.id) for one in found},
            "agencies": {one.id: one for one in store.agencies(tx)},
        }

    return page(
        request,
        visitor,
        "people.html",
        status=status,
        typed=typed,
        errors=errors,
        **_choices(visitor),
        **visitor.node.database.read(read),
    )


@router.post("/people")
def invite(request: Request, visitor: Administrator, form: Typed) -> Response:
    """Enter a person and show the one-time link to hand over."""
    typed: dict[str, Any] = {
        name: form.text(name) for name in ("name", "login", "agency", "locale", "until")
    }
    typed |= {name: form.many(name) for name in ("roles", "offices", "terminals")}
    try:
        made = visitor.node.database.write(lambda tx: _invite(tx, visitor, form))
    except (Invalid, Conflict) as error:
        field = str(error.where.get("field", "roles"))
        errors = {field: problem_key(visitor.reader, error.code, error.kind)}
        return _desk(request, visitor, typed, errors, 422)
    return _link(request, visitor, made)


def _invite(tx: Transaction, visitor: Visitor, form: Form) -> Invited:
    roles = _roles(form)
    if not roles:
        raise Invalid("roles_missing", "give at least one role", field="roles")
    return service.invite(
        tx,
        visitor.actor,
        agency=form.text("agency") or visitor.actor.agency,
        name=form.text("name"),
        login=form.text("login"),
        roles=roles,
        locale=form.text("locale") or "en",
        access_until=_day(form.text("until")),
    )


@router.get("/people/{person_id}")
def person(request: Request, visitor: Administrator, person_id: str) -> Response:
    """Show one person: roles, and what an administrator may do."""

    def read(tx: Transaction) -> dict[str, Any]:
        grants = service.grants(tx, visitor.actor, person_id)
        someone = store.person(tx, person_id)
        return {
            "person": someone,
            "grants": grants,
            "agency": store.agency(tx, someone.agency),
        }

    found = visitor.node.database.read(read)
    return page(request, visitor, "person.html", **_choices(visitor), **found)


@router.post("/people/{person_id}/roles")
def change_roles(visitor: Administrator, person_id: str, form: Typed) -> Response:
    """Take a person's roles and give these."""
    return _act(
        visitor,
        person_id,
        "roles",
        lambda tx: service.change_roles(tx, visitor.actor, person_id, _roles(form)),
    )


@router.post("/people/{person_id}/until")
def set_end(visitor: Administrator, person_id: str, form: Typed) -> Response:
    """Set or move the end of a secondment."""
    return _act(
        visitor,
        person_id,
        "until",
        lambda tx: service.set_access_end(tx, visitor.actor, person_id, _day(form.text("until"))),
    )


@router.post("/people/{person_id}/deactivate")
def deactivate(visitor: Administrator, person_id: str, _form: Typed) -> Response:
    """End a person's use of the node."""
    return _act(
        visitor,
        person_id,
        "deactivate",
        lambda tx: service.deactivate(tx, visitor.actor, person_id),
    )


@router.post("/people/{person_id}/link")
def new_link(request: Request, visitor: Administrator, person_id: str, form: Typed) -> Response:
    """Make a link: for the first time, for a new password, or for a new authenticator."""
    make = {
        "welcome": service.invite_again,
        "password": service.reset_password,
        "second_factor": service.reset_second_factor,
    }.get(form.text("kind"))
    if make is None:
        return back(f"/people/{person_id}", problem="code_unknown")
    try:
        made = visitor.node.database.write(lambda tx: make(tx, visitor.actor, person_id))
    except Conflict as error:
        return back(f"/people/{person_id}", problem=error.code)
    return _link(request, visitor, made)


def _link(request: Request, visitor: Visitor, made: Invited) -> Response:
    address = str(request.base_url).rstrip("/") + made.path
    return page(
        request, visitor, "link.html", address=address, expires_at=made.expires_at, kind=made.kind
    )


def _act(visitor: Visitor, person_id: str, done: str, act: Any) -> Response:
    path = f"/people/{person_id}"
    try:
        visitor.node.database.write(act)
    except Denied:
        raise
    except IsthmusError as error:
        return back(path, problem=error.code)
    return back(path, done=done)


def _choices(visitor: Visitor) -> dict[str, Any]:
    labels = visitor.labels
    known = dict(labels.choices("roles"))
    country = visitor.node.settings.agency.country
    here = [(one.code, labels.office(one.code)) for one in offices.offices(country)]
    terminals = [
        (terminal.code, f"{terminal.name} · {port.code}")
        for port in places.ports()
        if port.country == country
        for terminal in places.terminals(port.code)
    ]
    return {
        "roles": [(code, known[code]) for code in GIVEN],
        "offices": here,
        "terminals": terminals,
        "locales": LOCALES,
    }


def _roles(form: Form) -> list[RoleRequest]:
    offices_, terminals = form.many("offices"), form.many("terminals")
    return [
        RoleRequest(
            Role(code),
            offices=frozenset(offices_) or None,
            terminals=frozenset(terminals) or None,
        )
        for code in dict.fromkeys(form.many("roles"))
        if code in GIVEN
    ]


def _day(text: str) -> datetime | None:
    """The end of access that a day names: its first moment, UTC."""
    if not text:
        return None
    try:
        return datetime.combine(datetime.fromisoformat(text).date(), time(), UTC)
    except ValueError:
        raise Invalid("date_invalid", "not a day", field="until", value=text) from None
