"""Inspection chains: one inspection for two countries, told as one story that both nodes see."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import RowMapping

from isthmus.access import store as people
from isthmus.access.gate import scope
from isthmus.access.model import Permission
from isthmus.api.requests import own_node, pace
from isthmus.cargo import store as cargo
from isthmus.cases import chains, partner_record, partner_store, seizures
from isthmus.cases import store as cases
from isthmus.cases.chains import Cue
from isthmus.cases.partner_model import ChainState
from isthmus.exchange.trust import partners
from isthmus.flow import share
from isthmus.flow.sharing import asking
from isthmus.flow.sharing.together import newest_unit
from isthmus.intelligence import reading
from isthmus.intelligence.render import Rendered, render
from isthmus.kernel.errors import Conflict, Denied, Erased, Invalid, NotFound
from isthmus.platform.transaction import Transaction
from isthmus.reference.check_digits import normalise_container
from isthmus.web.page import back, page, problem_key
from isthmus.web.visitor import Typed, Visitor, may

router = APIRouter()

Seen = Annotated[Visitor, Depends(may(Permission.CHAIN_READ))]
Keeping = Annotated[Visitor, Depends(may(Permission.CHAIN_KEEP))]
Writing = Annotated[Visitor, Depends(may(Permission.ITEM_SEND))]
Act = Callable[[Transaction], Any]
OPEN = (ChainState.CUED, ChainState.ACCEPTED)
OVER = (ChainState.RESULT, ChainState.DECLINED)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened in a chain, or is awaited (``at`` is None then)."""

    kind: str  # cued, accepted, declined, result, reopened; awaited: answer, result
    node: str
    at: datetime | None
    detail: str = ""  # a code of the list that goes with the kind
    words: str = ""
    language: str | None = None
    result: str | None = None
    told: datetime | None = None
    by: str | None = None


def steps(row: RowMapping, again: list[RowMapping]) -> list[Step]:
    """The story of a chain in its order, with what is awaited at its end."""
    told = [Step("cued", row["cued_by"], row["cued_at"], row["cue_reason"])]
    state = row["state"]
    if state == ChainState.DECLINED:
        told.append(Step("declined", row["asked"], row["answered_at"], row["decline_reason"]))
    elif row["answered_at"] is not None:
        told.append(Step("accepted", row["asked"], row["answered_at"]))
    if row["result_at"] is not None:
        told.append(Step("result", row["asked"], row["result_at"], row["result"]))
    told += [
        Step(
            "reopened", one["node"], one["at"], one["reason"], one["words"] or "",
            one["language"], one["result"], one["told_at"], one["by"],
        )
        for one in again
    ]  # fmt: skip
    told.sort(key=lambda one: one.at or row["cued_at"])
    if state in OPEN:
        told.append(Step("awaited_answer" if state == ChainState.CUED else "awaited_result",
                         row["asked"], None))  # fmt: skip
    return told


@router.get("/chains")
def desk(request: Request, visitor: Seen, over: str = "") -> Response:
    """Show the chains that are open, or those that are over, and what came of partners' hints."""
    finished = over == "1"

    def read(tx: Transaction) -> dict[str, Any]:
        told = []
        if visitor.may(Permission.ITEM_READ):
            told = partner_record.records(tx, visitor.actor, ())
        return {
            "rows": chains.chains(tx, visitor.actor, OVER if finished else OPEN),
            "records": told,
        }

    found = visitor.node.database.read(read)
    return page(request, visitor, "chains.html", finished=finished, **found)


@router.get("/chains/cue")
def blank(request: Request, visitor: Keeping, container: str = "") -> Response:
    """Show the form by which a partner is asked to inspect a box."""
    return _cue(request, visitor, {"container": container}, {})


@router.post("/chains/cue")
def cue(request: Request, visitor: Keeping, form: Typed) -> Response:
    """Begin a chain, and lay the cue before whoever sends it."""
    names = ("container", "asked", "port", "cue_reason", "deadline")
    typed = {name: form.text(name) for name in names}
    typed["container"] = normalise_container(typed["container"])
    errors = {}
    deadline = _moment(typed["deadline"], visitor)
    if deadline is None:
        errors["deadline"] = "chains.error_deadline"
    if not visitor.labels.place(typed["port"].upper()):
        errors["port"] = "chains.error_port"

    def write(tx: Transaction) -> str:
        unit = newest_unit(tx, typed["container"])
        if unit is None:
            raise NotFound("unit_unknown", "no such box", container=typed["container"])
        seen = cargo.unit(tx, scope(visitor.actor, Permission.UNIT_READ), unit.id)
        assert deadline is not None  # noqa: S101 - else there is an error above
        asked = Cue(
            typed["container"], typed["asked"], typed["cue_reason"], deadline,
            typed["port"].upper(), chains.voyage_of(seen),
        )  # fmt: skip
        return asking.cue(
            tx, visitor.actor, own_node(visitor.node), seen.id, asked, pace(visitor.node)
        )[1]

    if not errors:
        try:
            return _composer(visitor.node.database.write(write))
        except NotFound:
            errors["container"] = "chains.error_container"
        except (Conflict, Invalid) as error:
            field = str(error.where.get("field", "container"))
            errors[field] = problem_key(visitor.reader, error.code, error.kind)
    return _cue(request, visitor, typed, errors, 422)


def _cue(
    request: Request,
    visitor: Visitor,
    typed: dict[str, str],
    errors: dict[str, str],
    status: int = 200,
) -> Response:
    def read(tx: Transaction) -> list[tuple[str, str]]:
        if not visitor.may(Permission.PARTNER_READ):
            return []
        listed = partners.directory(tx, visitor.actor)
        return [(one.code, f"{one.name} ({one.code})") for one in listed if one.trusted]

    known = visitor.node.database.read(read)
    return page(
        request, visitor, "chain_cue.html", status=status, known=known, typed=typed, errors=errors
    )


def _moment(text: str, visitor: Visitor) -> datetime | None:
    """A day and clock as a browser writes them, in the node's zone."""
    try:
        typed = datetime.fromisoformat(text)
    except ValueError:
        return None
    if typed.tzinfo is None:
        typed = typed.replace(tzinfo=ZoneInfo(visitor.reader.zone))
    return typed.astimezone(UTC).replace(microsecond=0)


@router.get("/chains/{chain_id}")
def one(request: Request, visitor: Seen, chain_id: str) -> Response:
    """Show a chain: whose turn it is, its clocks, the box, what was found, whose credit it is."""
    actor = visitor.actor

    def read(tx: Transaction) -> dict[str, Any]:
        row = chains.chain(tx, actor, chain_id)
        unit = row["unit_id"] or _unit_since(tx, visitor, row["container"])
        again = chains.reopenings(tx, actor, chain_id)
        number = row["seizure"]
        told = number is not None and visitor.may(Permission.SEIZURE_READ)
        seen = scope(actor, Permission.SEIZURE_READ)
        return {
            "row": row,
            "steps": steps(row, again),
            "again": again,
            "unit": unit,
            "inspected": _inspections(tx, visitor, row, unit),
            "found": _findings(tx, visitor, row),
            "told": _told(tx, visitor, row["result_item"]),
            "goods": seizures.goods(tx, actor, [number]) if told else [],
            "credits": partner_store.credits_of(tx, seen, [number]) if told else [],
            "names": {person.id: person.name or "–" for person in people.people(tx)},
        }

    found = visitor.node.database.read(read)
    row = found["row"]
    return page(
        request, visitor, "chain.html", guarded=row["guards_until"] > visitor.reader.now,
        acts=_acts(visitor, row), own=row["asked"] if row["ours"] else row["cued_by"], **found,
    )  # fmt: skip


def _unit_since(tx: Transaction, visitor: Visitor, container: str) -> str | None:
    """The unit of a box whose papers came after the cue, where this person may see it."""
    found = newest_unit(tx, container)
    if found is None or not visitor.may(Permission.UNIT_READ):
        return None
    try:
        return cargo.unit(tx, scope(visitor.actor, Permission.UNIT_READ), found.id).id
    except NotFound:
        return None


def _inspections(
    tx: Transaction, visitor: Visitor, row: RowMapping, unit: str | None
) -> list[RowMapping]:
    """The inspections of the box at this node since the cue, with a result."""
    if unit is None or not visitor.may(Permission.INSPECTION_READ):
        return []
    seen = scope(visitor.actor, Permission.INSPECTION_READ)
    rows = cases.inspections_of_unit(tx, seen, unit)
    return [one for one in rows if one["result"] is not None and one["done_at"] >= row["cued_at"]]


def _told(tx: Transaction, visitor: Visitor, item_id: str | None) -> Rendered | None:
    """What the partner's item tells of the result, in the reader's words."""
    if item_id is None or not visitor.may(Permission.ITEM_READ):
        return None
    try:
        _, copies = reading.find(tx, visitor.actor, item_id)
    except (NotFound, Erased):
        return None
    kept = [one.item for one in copies if one.item is not None and one.row["partner"] is not None]
    return render(kept[-1], visitor.reader.locale) if kept else None


def _findings(tx: Transaction, visitor: Visitor, row: RowMapping) -> list[RowMapping]:
    if row["inspection_id"] is None or not visitor.may(Permission.INSPECTION_READ):
        return []
    return cases.findings(tx, scope(visitor.actor, Permission.INSPECTION_READ),
                          [row["inspection_id"]])  # fmt: skip


def _acts(visitor: Visitor, row: RowMapping) -> set[str]:
    acts: set[str] = set()
    if not row["ours"]:
        if row["state"] == ChainState.CUED and visitor.may(Permission.ITEM_SEND):
            acts.add("compose")
        return acts
    if not visitor.may(Permission.CHAIN_KEEP):
        return acts
    if row["state"] == ChainState.CUED:
        acts |= {"accept", "decline"}
    if row["state"] == ChainState.ACCEPTED:
        acts |= {"result", "decline"}
    if row["state"] == ChainState.RESULT and visitor.may(Permission.ITEM_SEND):
        acts.add("tell")
    return acts


@router.post("/chains/{chain_id}/accept")
def accept(visitor: Keeping, chain_id: str, _form: Typed) -> Response:
    """Accept a partner's cue."""
    return _act(
        visitor, chain_id, "chain_accepted", lambda tx: chains.accept(tx, visitor.actor, chain_id)
    )


@router.post("/chains/{chain_id}/decline")
def decline(visitor: Keeping, chain_id: str, form: Typed) -> Response:
    """Decline a partner's cue with a reason."""
    reason = form.text("reason")
    return _act(
        visitor, chain_id, "chain_declined",
        lambda tx: chains.decline(tx, visitor.actor, chain_id, reason),
    )  # fmt: skip


@router.post("/chains/{chain_id}/result")
def result(visitor: Keeping, chain_id: str, form: Typed) -> Response:
    """Enter what an inspection of the box came to."""
    inspection = form.text("inspection")
    return _act(
        visitor, chain_id, "chain_result",
        lambda tx: asking.result(tx, visitor.actor, chain_id, inspection, pace(visitor.node)),
    )  # fmt: skip


@router.post("/chains/{chain_id}/tell")
def tell(visitor: Writing, chain_id: str, form: Typed) -> Response:
    """Draft the result for the partner and lay it before whoever sends it."""
    inspection = form.text("inspection")
    try:
        made = visitor.node.database.write(
            lambda tx: asking.tell_result(
                tx, visitor.actor, own_node(visitor.node), chain_id, inspection
            )
        )
    except (Conflict, Invalid) as error:
        return back(f"/chains/{chain_id}", problem=error.code)
    return _composer(str(made))


@router.post("/chains/record/{partner}")
def tell_record(visitor: Writing, partner: str, _form: Typed) -> Response:
    """Tell a partner what came of its lookouts: counts, by the clause that lets feedback go."""

    def write(tx: Transaction) -> int:
        made = asking.lookouts(tx, visitor.actor, own_node(visitor.node), partner)
        for item in made:
            share.send(tx, visitor.actor, item, partner)
        return len(made)

    try:
        told = visitor.node.database.write(write)
    except (Conflict, Invalid, NotFound) as error:
        return back("/chains", problem=error.code)
    except Denied as error:
        if error.code == "permission_missing":
            raise
        return back("/chains", problem="feedback_not_allowed")
    return back("/chains", done="record_told") if told else back("/chains", problem="record_known")


def _act(visitor: Visitor, chain_id: str, done: str, act: Act) -> RedirectResponse:
    path = f"/chains/{chain_id}"
    try:
        visitor.node.database.write(act)
    except (Conflict, Invalid) as error:
        return back(path, problem=error.code)
    return back(path, done=done)


def _composer(item: str) -> RedirectResponse:
    said = {"purpose": "inspection", "mode": "spontaneous", "lane": "immediate"}
    return RedirectResponse(f"/items/{quote(item)}/compose?{urlencode(said)}", status_code=303)
