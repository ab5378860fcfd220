"""Who looks at a page: the person, what they may do, their language, and the proof of a form.

A route says by ``may`` which permission it needs; the services below decide again where the thing
stands.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Request
from starlette.datastructures import FormData, UploadFile

from isthmus.access import sessions, store
from isthmus.access.model import Actor, Permission
from isthmus.api.identity import session_token, signed_in
from isthmus.api.served import NodeServed, Served
from isthmus.kernel.errors import Denied, Unauthenticated
from isthmus.reference.codelist import LOCALES
from isthmus.web.i18n import Reader, preferred
from isthmus.web.labels import Labels

LOCALE_COOKIE = "isthmus_language"
THEME_COOKIE = "isthmus_theme"
THEMES = ("auto", "light", "dark")


@dataclass(frozen=True, slots=True)
class Visitor:
    """A signed-in person at a page."""

    node: Served
    actor: Actor
    name: str
    csrf: str
    reader: Reader

    @property
    def labels(self) -> Labels:
        """Codes in this person's language."""
        return Labels(self.reader)

    def may(self, *permissions: Permission) -> bool:
        """Whether one of these is allowed somewhere: for showing, never for deciding."""
        return any(permission in self.actor.permissions for permission in permissions)


def node_of(request: Request) -> Served:
    """The node that these pages belong to."""
    node: Served = request.app.state.node
    return node


def reader_of(request: Request, own: str | None = None) -> Reader:
    """How the one who asks reads: as they chose, else their own language, else the browser's."""
    node = node_of(request)
    chosen = request.cookies.get(LOCALE_COOKIE)
    if chosen not in LOCALES:
        accepted = request.headers.get("accept-language", "")
        chosen = own or preferred(accepted, node.settings.node.locale)
    return Reader(chosen, node.settings.node.zone, node.database.clock.now())


def theme_of(request: Request) -> str:
    """The look the reader chose: auto follows the system."""
    chosen = request.cookies.get(THEME_COOKIE, "auto")
    return chosen if chosen in THEMES else "auto"


def may(*permissions: Permission) -> Callable[..., Visitor]:
    """Make the dependency that admits a person who holds one of these permissions somewhere.

    ``signed_in`` has proved the session by then and, for a form, the token in its field ``csrf``.
    """

    def admit(
        request: Request, node: NodeServed, actor: Annotated[Actor, Depends(signed_in)]
    ) -> Visitor:
        token = session_token(request)
        if token is None or not actor.is_person:
            raise Unauthenticated("session_missing", "sign in first")
        name = node.database.read(lambda tx: store.person(tx, actor.id).name) or ""
        reader = reader_of(request, actor.locale)
        visitor = Visitor(node, actor, name, sessions.csrf_token(token), reader)
        request.state.visitor = visitor  # whose frame a page about an error has
        if not visitor.may(*permissions):
            raise Denied(
                "permission_missing",
                "this page is not open to you",
                permission=permissions[0].value,
                actor=actor.id,
                agency=actor.agency,
            )
        return visitor

    admit.permission = permissions[0]  # type: ignore[attr-defined]
    return admit


def known_visitor(request: Request) -> Visitor | None:
    """Return who asks, once ``may`` has found it out."""
    found: Visitor | None = getattr(request.state, "visitor", None)
    return found


async def typed(request: Request) -> "Form":
    """The form that was sent; no files."""
    return Form(await request.form(max_files=0, max_fields=500))


class Form:
    """What was typed and ticked; whatever is not text is left out."""

    def __init__(self, data: FormData) -> None:
        self._pairs = [
            (name, value) for name, value in data.multi_items() if not isinstance(value, UploadFile)
        ]

    def text(self, name: str) -> str:
        """The first value of a field, trimmed; empty when there is none."""
        return next((str(value).strip() for key, value in self._pairs if key == name), "")

    def raw(self, name: str) -> str:
        """The first value of a field as it was typed, with one kind of line end."""
        found = next((str(value) for key, value in self._pairs if key == name), "")
        return found.replace("\r\n", "\n")

    def many(self, name: str) -> list[str]:
        """All values of a field."""
        return [str(value) for key, value in self._pairs if key == name]

    def __contains__(self, name: str) -> bool:
        return any(key == name for key, _ in self._pairs)


Typed = Annotated[Form, Depends(typed)]


def sign_in_path(request: Request) -> str:
    """Where to sign in, and to come back from to the page that was asked for."""
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if request.method != "GET" or wanted in ("", "/"):
        return "/sign-in"
    return f"/sign-in?next={quote(wanted, safe='')}"


def safe_next(path: str) -> str:
    """A path of this node to go to after signing in; anything else leads to the first desk."""
    good = path.startswith("/") and not path.startswith(("//", "/\\")) and "\n" not in path
    return path if good else "/"


def first_desk(permissions: Any) -> str:
    """The desk where a person's work begins."""
    for permission, path in (
        (Permission.PICK_TAKE, "/queue"),
        (Permission.INSPECTION_ACCEPT, "/inspections"),
        (Permission.HOLD_ACKNOWLEDGE, "/holds"),
        (Permission.ADMIN_PEOPLE, "/people"),
        (Permission.AUDIT_READ, "/audit"),
        (Permission.RULE_READ, "/rules"),
        (Permission.COVERAGE_READ, "/overview"),
    ):
        if permission in permissions:
            return path
    return "/help"
