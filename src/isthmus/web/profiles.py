"""Profiles of partners: tried on own data, adopted as a rule, told of in counts; and an own one."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import Response

from isthmus.access.gate import scope
from isthmus.access.model import Permission
from isthmus.flow import profiles
from isthmus.flow.profiles import SMALL, Profile
from isthmus.flow.rule_trial import Tried, try_rule
from isthmus.intelligence.model import Classification, Handling, Marking, Tlp
from isthmus.intelligence.render import render
from isthmus.kernel.errors import Conflict, Denied, Invalid, IsthmusError
from isthmus.platform.transaction import Transaction
from isthmus.web import store
from isthmus.web.condition import lines
from isthmus.web.page import back, page
from isthmus.web.visitor import Typed, Visitor, may

router = APIRouter()

SHOWN = 25
MARK = Marking(None, frozenset({Handling.H1}), Classification.NONE, Tlp.AMBER)
"""How a profile or feedback is marked until somebody marks it otherwise. Ours."""

Seen = Annotated[Visitor, Depends(may(Permission.RULE_READ))]
Writing = Annotated[Visitor, Depends(may(Permission.RULE_WRITE))]
Telling = Annotated[Visitor, Depends(may(Permission.ITEM_WRITE))]
ProfileId = Annotated[str, Path(pattern=r"^[A-Z]{2}-[A-Z0-9-]{1,30}:prf_[0-9a-z]{1,40}$")]


@router.get("/rules/profiles/{profile}")
def tried(request: Request, visitor: Seen, profile: ProfileId) -> Response:
    """Show what a partner's profile would have done here, and the rule that it would make."""
    return _page(request, visitor, profile)


def _page(
    request: Request,
    visitor: Visitor,
    profile: str,
    text: str | None = None,
    error: IsthmusError | None = None,
) -> Response:
    def read(tx: Transaction) -> tuple[Profile, Tried | None, dict[str, Any]]:
        found = profiles.read(tx, visitor.actor, profile)
        run = None if found.rule is None else try_rule(tx, visitor.actor, found.rule)
        fired = [one.unit_id for one in run.rows[:SHOWN]] if run else []
        seen = scope(visitor.actor, Permission.UNIT_READ)
        return found, run, dict(store.units(tx, seen, fired))

    found, run, units = visitor.node.database.read(read)
    rule = found.rule
    numbers = {name: limit.value for name, limit in rule.thresholds.items()} if rule else {}
    told = profiles.told_counts(run.fired.known, run.fired.found) if run else {}
    return page(
        request, visitor, "profile.html", status=422 if error else 200, profile=found, run=run,
        units=units, text=found.text if text is None else text, error=error, told=told,
        condition=lines(rule.when, visitor.labels, numbers) if rule else [],
        words=render(found.item, visitor.reader.locale), small=SMALL, shown=SHOWN,
    )  # fmt: skip


@router.post("/rules/profiles/{profile}/adopt")
def adopt(request: Request, visitor: Writing, profile: ProfileId, form: Typed) -> Response:
    """Propose the rule as it stands in the form; what is wrong with it is said with its place."""
    text = form.raw("text")
    try:
        key = visitor.node.database.write(
            lambda tx: profiles.adopt(tx, visitor.actor, profile, text)
        )
    except (Invalid, Conflict) as error:
        return _page(request, visitor, profile, text, error)
    return back(f"/rules/{key}", done="propose")


@router.post("/rules/profiles/{profile}/feedback")
def feedback(visitor: Telling, profile: ProfileId, form: Typed) -> Response:
    """Draft feedback in counts and go on to the composer, where a person sends it."""
    outcome = form.text("outcome") or None
    try:
        item = visitor.node.database.write(
            lambda tx: profiles.draft_feedback(tx, visitor.actor, profile, MARK, outcome)
        )
    except (Invalid, Conflict) as error:
        return back(f"/rules/profiles/{profile}", problem=error.code)
    return back(f"/items/{item.id}/compose")


@router.post("/rules/{key}/publish")
def publish(visitor: Telling, key: str, _form: Typed) -> Response:
    """Make a profile of an own rule and go on to the composer, where a person sends it."""
    try:
        item = visitor.node.database.write(
            lambda tx: profiles.publish(tx, visitor.actor, key, MARK, locale=visitor.reader.locale)
        )
    except (Invalid, Conflict, Denied) as error:
        if error.code == "permission_missing":
            raise
        return back(f"/rules/{key}", problem=error.code)
    return back(f"/items/{item.id}/compose")
