"""The desk of agreements: the register, each agreement as a lawyer reads it, and its life here."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from isthmus.access import store as people
from isthmus.access.model import Permission
from isthmus.agreements import (
    commitments,
    examples,
    lifecycle,
    listing,
    register,
    service,
    words,
)
from isthmus.agreements.reading import read
from isthmus.agreements.register import Entry
from isthmus.exchange.issue import decode, encode
from isthmus.exchange.trust import identity, key_store, ratify
from isthmus.flow.sharing import hindsight
from isthmus.intelligence.schema import field_name
from isthmus.kernel.errors import Conflict, Denied, Invalid, IsthmusError
from isthmus.platform.transaction import Transaction
from isthmus.web.page import back, page
from isthmus.web.visitor import Typed, Visitor, may

router = APIRouter()

Act = Callable[[Transaction], Any]
Seen = Annotated[Visitor, Depends(may(Permission.AGREEMENT_READ))]
Drafting = Annotated[Visitor, Depends(may(Permission.AGREEMENT_DRAFT))]
Reviewing = Annotated[Visitor, Depends(may(Permission.AGREEMENT_REVIEW))]
Activating = Annotated[Visitor, Depends(may(Permission.AGREEMENT_ACTIVATE))]
Suspending = Annotated[Visitor, Depends(may(Permission.AGREEMENT_SUSPEND))]

CODE = r"^[A-Z0-9][A-Z0-9-]{2,39}$"
ALL = "all"  # instead of a clause: the whole agreement
# Refusals that say what a person has to do otherwise, and are no breach to be written down.
TOLD = frozenset({"second_person", "signature_wrong"})


@router.get("/agreements")
def desk(request: Request, visitor: Seen) -> Response:
    """Show the register, where partners hold another text, and what would have helped."""

    def find(tx: Transaction) -> dict[str, Any]:
        actor = visitor.actor
        return {
            "entries": register.entries(tx, actor),
            "listed": listing.listed(tx, actor),
            "differing": register.differences(tx, actor),
            "gaps": service.gaps(tx, actor)[:40],
        }

    found = visitor.node.database.read(find)
    rows = found.pop("listed")
    sets: dict[str, list[Any]] = {}
    for row in rows:
        sets.setdefault(row["collection"], []).append(row)
    lacking = {code: dict(listing.lacking(held)) for code, held in sets.items()}
    return page(
        request, visitor, "agreements.html", sets=sets, lacking=lacking, w=words,
        fields=words.field_names, **found,
    )  # fmt: skip


@router.get("/agreements/check")
def check_form(request: Request, visitor: Seen) -> Response:
    """Show the form in which a file is checked before anybody enters it."""
    return _checked(request, visitor, "")


@router.post("/agreements/check")
def check(request: Request, visitor: Seen, form: Typed) -> Response:
    """Read a file and run its examples; what is wrong is said with its place."""
    text = form.raw("text")
    try:
        agreement = read(text, "text")
    except Invalid as error:
        return _checked(request, visitor, text, error=error)
    ran = list(examples.outcomes(agreement))
    return _checked(request, visitor, text, agreement=agreement, ran=ran)


@router.post("/agreements/enter")
def enter(request: Request, visitor: Drafting, form: Typed) -> Response:
    """Enter a file as a draft."""
    text = form.raw("text")
    try:
        made = visitor.node.database.write(lambda tx: lifecycle.enter(tx, visitor.actor, text))
    except (Invalid, Conflict) as error:
        return _checked(request, visitor, text, error=error)
    return back(_path(made), done="agreement_enter")


def _checked(
    request: Request,
    visitor: Visitor,
    text: str,
    *,
    error: IsthmusError | None = None,
    agreement: Any = None,
    ran: Any = (),
) -> Response:
    told = None
    if error is not None:
        where = {key: value for key, value in error.where.items() if key != "file"}
        told = {"message": error.message, "where": where}
    return page(
        request, visitor, "agreement_check.html", status=422 if told else 200, text=text,
        error=told, agreement=agreement, ran=ran, w=words,
    )  # fmt: skip


@router.get("/agreements/{code}")
def one(
    request: Request,
    visitor: Seen,
    code: str,
    version: Annotated[int | None, Query(ge=1, le=1_000_000)] = None,
    without: Annotated[str, Query(max_length=60)] = "",
) -> Response:
    """Show one agreement clause by clause, and what a change would have altered."""

    def find(tx: Transaction) -> dict[str, Any]:
        actor = visitor.actor
        entry = register.entry(tx, actor, code, version)
        held = entry.agreement
        return {
            "entry": entry,
            "own": _own(tx),
            "seen": _effect(tx, visitor, entry, without),
            "texts": register.partner_texts(tx, actor, code),
            "signers": register.signers(tx, actor, code, held.hash),
            "paused": [one for one in register.suspensions(tx, actor) if one["agreement"] == code],
            "commitments": {
                one["clause"]: one
                for one in commitments.commitments(tx, actor)
                if one["agreement"] == code
            },
            "names": {one.id: one.name or "–" for one in people.people(tx)},
        }

    found = visitor.node.database.read(find)
    entry: Entry = found["entry"]
    ran: dict[str, list[Any]] = {}
    for outcome in examples.outcomes(entry.agreement):
        ran.setdefault(outcome.clause, []).append(outcome)
    stopped = {row["clause"] for row in entry.suspensions}
    return page(
        request, visitor, "agreement.html", ran=ran, w=words, without=without,
        stopped=stopped, lost=_field_names(found["seen"], visitor.reader.locale),
        now=visitor.reader.now, **found,
    )  # fmt: skip


def _own(tx: Transaction) -> str:
    """The code of this node; empty before its exchange is set up."""
    me = key_store.myself(tx)
    return "" if me is None else str(me["node"])


def _effect(tx: Transaction, visitor: Visitor, entry: Entry, without: str) -> hindsight.Seen | None:
    """What a version not yet in force, or a suspension, would have altered."""
    if entry.row is None:
        return None
    if entry.row["state"] in ("draft", "legal_review", "tested"):
        return hindsight.of_version(tx, visitor.actor, entry.row["id"])
    if without and entry.row["state"] == "active":
        clause = None if without == ALL else without
        return hindsight.of_suspension(tx, visitor.actor, entry.agreement.id, clause)
    return None


def _field_names(seen: hindsight.Seen | None, locale: str) -> list[tuple[list[str], list[str]]]:
    """Of each altered share the fields gained and lost, each once, by their names."""
    if seen is None:
        return []

    def named(paths: tuple[str, ...]) -> list[str]:
        return words.field_names(dict.fromkeys(field_name(path) for path in paths), locale)

    return [(named(one.gained), named(one.lost)) for one in seen.effect.altered]


# -- acts ---------------------------------------------------------------------------------


@router.post("/agreements/{code}/{number}/review")
def review(visitor: Reviewing, code: str, number: int, _form: Typed) -> Response:
    """Approve a version in law."""
    version = f"{code}@{number}"
    return agreement_act(
        visitor, _path(version), "agreement_review",
        lambda tx: lifecycle.review(tx, visitor.actor, version),
    )  # fmt: skip


@router.post("/agreements/{code}/{number}/sign")
def sign(visitor: Activating, code: str, number: int, _form: Typed) -> Response:
    """Sign a version as this node, and hand the signature out as a file for the partner."""
    version = f"{code}@{number}"
    try:
        raw = visitor.node.database.write(lambda tx: ratify.sign(tx, visitor.actor, version))
        own = visitor.node.database.read(identity.me)["node"]
    except (Conflict, Invalid) as error:
        return back(_path(version), problem=error.code)
    named = f'attachment; filename="{code}-{number}.{own}.signature.txt"'
    return Response(encode(raw), media_type="text/plain", headers={"content-disposition": named})


@router.post("/agreements/{code}/{number}/signature")
def record(visitor: Activating, code: str, number: int, form: Typed) -> Response:
    """Put a partner's signature on record."""
    version, party, given = f"{code}@{number}", form.text("party"), form.text("signature")
    return agreement_act(
        visitor, _path(version), "agreement_signature",
        lambda tx: ratify.record(tx, visitor.actor, version, party, decode(given)),
    )  # fmt: skip


@router.post("/agreements/{code}/{number}/activate")
def activate(visitor: Activating, code: str, number: int, form: Typed) -> Response:
    """Put a tested version in force."""
    version, plays = f"{code}@{number}", form.text("fictional") == "yes"
    return agreement_act(
        visitor, _path(version), "agreement_activate",
        lambda tx: lifecycle.activate(tx, visitor.actor, version, fictional=plays),
    )  # fmt: skip


@router.post("/agreements/{code}/{number}/withdraw")
def withdraw(visitor: Suspending, code: str, number: int, form: Typed) -> Response:
    """Take a version out of force for good; the form has to say so twice."""
    version = f"{code}@{number}"
    if form.text("sure") != "yes":
        return back(_path(version), problem="agreement_not_sure")
    return agreement_act(
        visitor, _path(version), "agreement_withdraw",
        lambda tx: lifecycle.withdraw(tx, visitor.actor, version),
    )  # fmt: skip


@router.post("/agreements/{code}/suspend")
def suspend(visitor: Suspending, code: str, form: Typed) -> Response:
    """Stop a clause, or all of an agreement, at once."""
    clause, ground = form.text("clause"), form.text("ground")
    part = None if clause in ("", ALL) else clause
    return agreement_act(
        visitor, f"/agreements/{code}", "agreement_suspend",
        lambda tx: lifecycle.suspend(tx, visitor.actor, code, ground, part),
    )  # fmt: skip


@router.post("/agreements/{code}/lift/{suspension}")
def lift(visitor: Suspending, code: str, suspension: str, _form: Typed) -> Response:
    """End a suspension."""
    return agreement_act(
        visitor, f"/agreements/{code}", "agreement_lift",
        lambda tx: lifecycle.lift(tx, visitor.actor, suspension),
    )  # fmt: skip


def _path(version: str) -> str:
    code, _, number = version.partition("@")
    return f"/agreements/{code}?version={number}"


def agreement_act(visitor: Visitor, path: str, done: str, act: Act) -> Response:
    """Do something and go back to where it was asked for, saying what was done or why not."""
    try:
        visitor.node.database.write(act)
    except (Conflict, Invalid) as error:
        return back(path, problem=error.code)
    except Denied as error:
        if error.code not in TOLD:
            raise
        return back(path, problem=error.code)
    return back(path, done=done)
