"""Pages: a template, the words of its reader, and the frame around it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from isthmus.access.model import Permission
from isthmus.web.i18n import NAMES, Reader
from isthmus.web.labels import Labels
from isthmus.web.visitor import THEMES, Visitor, node_of, theme_of


@dataclass(frozen=True, slots=True)
class Desk:
    """One entry of the head of every page, shown to whoever holds one of the permissions."""

    path: str
    key: str
    permissions: tuple[Permission, ...]


DESKS: Mapping[str, tuple[Desk, ...]] = {
    "traffic": (
        Desk("/queue", "desk.queue", (Permission.PICK_READ,)),
        Desk("/inspections", "desk.inspections", (Permission.INSPECTION_READ,)),
        Desk("/holds", "desk.holds", (Permission.HOLD_READ,)),
        Desk("/consignments", "desk.consignments", (Permission.UNIT_READ,)),
        Desk("/hits", "desk.hits", (Permission.HIT_READ,)),
        Desk("/quarantine", "desk.quarantine", (Permission.QUARANTINE_READ,)),
    ),
    "node": (
        Desk("/rules", "desk.rules", (Permission.RULE_READ,)),
        Desk("/models", "desk.models", (Permission.MODEL_READ,)),
        Desk("/overview", "desk.overview", (Permission.COVERAGE_READ,)),
        Desk("/people", "desk.people", (Permission.ADMIN_PEOPLE,)),
        Desk("/jobs", "desk.jobs", (Permission.JOB_READ,)),
        Desk("/audit", "desk.audit", (Permission.AUDIT_READ,)),
    ),
    "partners": (
        Desk("/requests", "desk.requests", (Permission.REQUEST_READ,)),
        Desk("/chains", "desk.chains", (Permission.CHAIN_READ,)),
        Desk("/seizures", "desk.seizures", (Permission.SEIZURE_READ,)),
        Desk("/items", "desk.items", (Permission.ITEM_READ,)),
        Desk("/to-share", "desk.to_share", (Permission.ITEM_SEND,)),
        Desk("/live", "desk.live", (Permission.PARTNER_READ,)),
        Desk("/partners", "desk.partners", (Permission.PARTNER_READ,)),
        Desk("/agreements", "desk.agreements", (Permission.AGREEMENT_READ,)),
        Desk("/partnership", "desk.partnership", (Permission.PARTNER_READ,)),
    ),
}
"""The desks by what they are about: own traffic, what judges it and the node, partners."""


@cache
def environment() -> Environment:
    """The templates: everything is escaped, and a value that is not there is an error."""
    return Environment(
        loader=PackageLoader("isthmus.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(template: str, reader: Reader, context: Mapping[str, Any]) -> str:
    """The page as text."""
    held = {"r": reader, "t": reader.t, "l": Labels(reader), **context}
    return environment().get_template(template).render(held)


def page(
    request: Request,
    visitor: Visitor,
    template: str,
    *,
    status: int = 200,
    **context: Any,
) -> HTMLResponse:
    """A page of a signed-in person: its desk marked, and what was just done said."""
    path = request.url.path
    frame: dict[str, Any] = {
        "visitor": visitor,
        "csrf": visitor.csrf,
        "desks": _desks(visitor),
        "here": path,
        "P": Permission,
    }
    return _answer(request, visitor.reader, template, status, {**frame, **context})


def _desks(visitor: Visitor) -> dict[str, list[Desk]]:
    """The desks that somebody may use; of a group without any, not even the name."""
    held = {
        group: [desk for desk in desks if visitor.may(*desk.permissions)]
        for group, desks in DESKS.items()
    }
    return {group: desks for group, desks in held.items() if desks}


def open_page(
    request: Request, reader: Reader, template: str, *, status: int = 200, **context: Any
) -> HTMLResponse:
    """A page for whoever asks: sign-in, welcome, an error before sign-in."""
    frame: dict[str, Any] = {
        "visitor": None,
        "csrf": "",
        "desks": {},
        "here": request.url.path,
        "P": Permission,
    }
    return _answer(request, reader, template, status, {**frame, **context})


def _answer(
    request: Request, reader: Reader, template: str, status: int, context: dict[str, Any]
) -> HTMLResponse:
    done, problem = request.query_params.get("done"), request.query_params.get("problem")
    frame = {
        "node_name": node_of(request).settings.node.name,
        "theme": theme_of(request),
        "themes": THEMES,
        "languages": NAMES,
        "back_here": _address(request),
        # Only texts that exist are shown: the address bar cannot put words into a page.
        "done": f"done.{done}" if done and reader.has(f"done.{done}") else None,
        "problem": _problem_key(reader, problem) if problem else None,
    }
    return HTMLResponse(render(template, reader, {**frame, **context}), status_code=status)


def problem_key(reader: Reader, code: str, kind: str) -> str:
    """The key of the words for an error: its own, else those of its kind."""
    key = f"problem.{code}"
    return key if reader.has(key) else f"problem.kind.{kind}"


def _problem_key(reader: Reader, code: str) -> str | None:
    key = f"problem.{code}"
    return key if reader.has(key) else None


def _address(request: Request) -> str:
    kept = [(k, v) for k, v in request.query_params.multi_items() if k not in ("done", "problem")]
    if request.method != "GET":
        return "/"
    return request.url.path + (f"?{urlencode(kept)}" if kept else "")


def back(path: str, *, done: str | None = None, problem: str | None = None) -> RedirectResponse:
    """Go on to a page after a form, saying there what was done or why it was not."""
    said = {"done": done} if done else {"problem": problem} if problem else {}
    mark = "&" if "?" in path else "?"
    return RedirectResponse(path + (mark + urlencode(said) if said else ""), status_code=303)
