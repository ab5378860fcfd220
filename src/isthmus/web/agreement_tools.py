"""The desk of agreements, further pages: trying a decision, commitments, the node's overlay."""

from typing import Annotated, Any

import yaml
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from isthmus.access import store as people
from isthmus.access.model import Permission, Purpose
from isthmus.agreements import commitments, prohibitions, register, rehearsal, words
from isthmus.agreements.explain import explain
from isthmus.agreements.model import Asked, Mode, Prohibition
from isthmus.agreements.overlay import plain, read_rule
from isthmus.agreements.rehearsal import Specimen
from isthmus.exchange.trust import key_store, partners
from isthmus.flow.sharing import hindsight
from isthmus.intelligence.model import Evaluation, ItemKind, Scale
from isthmus.intelligence.render import label
from isthmus.kernel.errors import Conflict, Invalid
from isthmus.platform.transaction import Transaction
from isthmus.reference.codelist import code_list
from isthmus.web.agreements import agreement_act
from isthmus.web.page import page
from isthmus.web.visitor import Typed, Visitor, may

router = APIRouter()

Seen = Annotated[Visitor, Depends(may(Permission.AGREEMENT_READ))]
Keeping = Annotated[Visitor, Depends(may(Permission.COMMITMENT_KEEP))]
Verifying = Annotated[Visitor, Depends(may(Permission.COMMITMENT_VERIFY))]
Proposing = Annotated[Visitor, Depends(may(Permission.OVERLAY_PROPOSE))]
Approving = Annotated[Visitor, Depends(may(Permission.OVERLAY_APPROVE))]
Word = Annotated[str, Query(max_length=60)]


# -- a decision tried ---------------------------------------------------------------------


@router.get("/agreements/try")
def try_it(
    request: Request,
    visitor: Seen,
    recipient: Word = "",
    sender: Word = "",
    kind: Word = "",
    purpose: Word = "",
    mode: Word = "",
    category: Word = "suspect",
    grade: Word = "",
    condition: Annotated[list[str] | None, Query(max_length=40)] = None,
) -> Response:
    """Ask what of a kind of item would go to a partner, field by field; nothing is sent."""
    asked = {
        "sender": sender, "recipient": recipient, "kind": kind, "purpose": purpose, "mode": mode,
        "category": category, "grade": grade,
    }  # fmt: skip
    given = frozenset(condition or ()) & set(code_list("share_conditions").codes())
    whole = all((recipient, kind in list(ItemKind), purpose in list(Purpose), mode in list(Mode)))
    whole = whole and category in code_list("data_subject_categories")

    def find(tx: Transaction) -> dict[str, Any]:
        me = key_store.myself(tx)
        own = "" if me is None else str(me["node"])
        nodes = _nodes(tx, visitor, own)
        if not whole:
            return {"own": own, "nodes": nodes, "item": None, "decision": None}
        sender_ = sender or own
        item = rehearsal.item_of(
            tx, Specimen(ItemKind(kind), category, evaluation=_evaluated(grade)), sender_
        )
        question = Asked(sender_, recipient, Purpose(purpose), Mode(mode), given)
        decision = rehearsal.rehearse(tx, visitor.actor, item, question, own)
        return {"own": own, "nodes": nodes, "item": item, "decision": decision}

    found = visitor.node.database.read(find)
    locale, rows, said = visitor.reader.locale, [], None
    item, decision = found.pop("item"), found.pop("decision")
    if decision is not None:
        said = explain(decision, locale)
        rows = [
            (label(item.kind, path, locale), path in decision.released, reason)
            for path, reason in said.paths.items()
        ]
        rows.sort(key=lambda row: row[1])  # what stays is what is looked for
    return page(
        request, visitor, "agreement_try.html", asked=asked, given=given, rows=rows, said=said,
        **found,
    )  # fmt: skip


def _evaluated(grade: str) -> Evaluation | None:
    """A source of this grade on the police scale, where one is given."""
    known = grade in code_list("police_sources")
    return Evaluation(Scale.POLICE_4X4, grade, "2") if known else None


def _nodes(tx: Transaction, visitor: Visitor, own: str) -> list[str]:
    """Every node that an agreement names, or that is in the directory."""
    known = {
        node for entry in register.entries(tx, visitor.actor) for node in entry.agreement.nodes
    }
    if visitor.may(Permission.PARTNER_READ):
        known |= {one.code for one in partners.directory(tx, visitor.actor)}
    return sorted(known | ({own} if own else set()))


# -- commitments --------------------------------------------------------------------------


@router.get("/agreements/commitments")
def owed(request: Request, visitor: Seen) -> Response:
    """Show who owes what by when, those due first."""

    def find(tx: Transaction) -> dict[str, Any]:
        entries = {one.agreement.id: one for one in register.entries(tx, visitor.actor)}
        return {
            "rows": commitments.commitments(tx, visitor.actor),
            "entries": entries,
            "names": {one.id: one.name or "–" for one in people.people(tx)},
        }

    found = visitor.node.database.read(find)
    return page(
        request, visitor, "agreement_commitments.html", w=words, steps=commitments.STEPS,
        today=visitor.reader.local(visitor.reader.now).date(), **found,
    )  # fmt: skip


@router.post("/agreements/commitments/advance")
def advance(visitor: Keeping, form: Typed) -> Response:
    """Say how a commitment stands."""
    one, then = form.text("id"), form.text("state")
    return agreement_act(
        visitor, "/agreements/commitments", "commitment_changed",
        lambda tx: commitments.advance(tx, visitor.actor, one, then),
    )  # fmt: skip


@router.post("/agreements/commitments/evidence")
def evidence(visitor: Keeping, form: Typed) -> Response:
    """Offer events that prove it was kept."""
    one, given = form.text("id"), form.text("events").split()
    return agreement_act(
        visitor, "/agreements/commitments", "commitment_evidence",
        lambda tx: commitments.offer_evidence(tx, visitor.actor, one, given),
    )  # fmt: skip


@router.post("/agreements/commitments/verify")
def verify(visitor: Verifying, form: Typed) -> Response:
    """Say whether the evidence holds."""
    one, holds = form.text("id"), form.text("holds") == "yes"
    return agreement_act(
        visitor, "/agreements/commitments", "commitment_changed",
        lambda tx: commitments.verify(tx, visitor.actor, one, holds=holds),
    )  # fmt: skip


@router.post("/agreements/commitments/waive")
def waive(visitor: Verifying, form: Typed) -> Response:
    """Note that a party's officer waives it."""
    one, party, officer = form.text("id"), form.text("party"), form.text("officer")
    return agreement_act(
        visitor, "/agreements/commitments", "commitment_changed",
        lambda tx: commitments.waive(tx, visitor.actor, one, party, officer),
    )  # fmt: skip


# -- the overlay --------------------------------------------------------------------------


@router.get("/agreements/overlay")
def overlay(request: Request, visitor: Seen) -> Response:
    """Show what this node forbids itself, and the changes that wait for a second person."""
    return _overlay(request, visitor)


@router.post("/agreements/overlay/propose")
def propose(request: Request, visitor: Proposing, form: Typed) -> Response:
    """Propose a rule, or first ask what it would have kept back."""
    text = form.raw("rule")
    try:
        rule = _rule(text)
        if form.text("act") == "try":
            return _overlay(request, visitor, text=text, rule=rule)
        visitor.node.database.write(lambda tx: prohibitions.propose(tx, visitor.actor, rule))
    except (Invalid, Conflict) as error:
        return _overlay(request, visitor, text=text, error=error)
    return agreement_act(visitor, "/agreements/overlay", "overlay_proposed", lambda _tx: None)


@router.post("/agreements/overlay/remove")
def remove(visitor: Proposing, form: Typed) -> Response:
    """Propose to take a rule out."""
    rule = form.text("rule")
    return agreement_act(
        visitor, "/agreements/overlay", "overlay_proposed",
        lambda tx: prohibitions.propose_removal(tx, visitor.actor, rule),
    )  # fmt: skip


@router.post("/agreements/overlay/approve/{change}")
def approve(visitor: Approving, change: str, _form: Typed) -> Response:
    """Put a proposed change in force."""
    return agreement_act(
        visitor, "/agreements/overlay", "overlay_approved",
        lambda tx: prohibitions.approve(tx, visitor.actor, change),
    )  # fmt: skip


def _rule(text: str) -> Prohibition:
    try:
        held = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError):
        raise Invalid("overlay.invalid", "not YAML") from None
    return read_rule(held, "rule")


def _overlay(
    request: Request,
    visitor: Visitor,
    *,
    text: str = "",
    rule: Prohibition | None = None,
    error: Invalid | Conflict | None = None,
) -> Response:
    def find(tx: Transaction) -> dict[str, Any]:
        return {
            "held": register.forbidden(tx, visitor.actor),
            "names": {one.id: one.name or "–" for one in people.people(tx)},
            "seen": hindsight.of_rule(tx, visitor.actor, rule) if rule else None,
        }

    told = None
    if error is not None:
        where = {key: value for key, value in error.where.items() if key != "file"}
        told = {"message": error.message, "where": where}
    return page(
        request, visitor, "agreement_overlay.html", status=422 if told else 200, text=text,
        error=told, plain=plain, fields=words.field_names, rule=rule,
        **visitor.node.database.read(find),
    )  # fmt: skip
