"""The desk of partners: the directory, the fingerprint ceremony, lanes, what is held and why."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from isthmus.access import store as people
from isthmus.access.gate import scope
from isthmus.access.model import Permission
from isthmus.agreements import register, service
from isthmus.exchange import greeting, inbox, presence, traffic, upkeep
from isthmus.exchange.model import PartnerState
from isthmus.exchange.proof import proofs as proofs_
from isthmus.exchange.tables import Row
from isthmus.exchange.trust import identity, key_store, partners
from isthmus.kernel.errors import Conflict, Denied, Erased, Invalid, NotFound
from isthmus.platform.transaction import Transaction
from isthmus.web.page import back, page
from isthmus.web.visitor import Typed, Visitor, may

router = APIRouter()

Act = Callable[[Transaction], Any]
Seen = Annotated[Visitor, Depends(may(Permission.PARTNER_READ))]
Proposing = Annotated[Visitor, Depends(may(Permission.PARTNER_PROPOSE))]
Comparing = Annotated[Visitor, Depends(may(Permission.PARTNER_COMPARE))]
Proving = Annotated[Visitor, Depends(may(Permission.LEDGER_READ))]

# Refusals that say what a person has to do otherwise, and are no breach to be written down.
TOLD = frozenset({"second_person_needed", "fingerprint_differs", "key_refused"})


@router.get("/partners")
def desk(request: Request, visitor: Seen) -> Response:
    """Show the directory, who is there, and this node's own card."""

    def find(tx: Transaction) -> dict[str, Any]:
        return {"rows": presence.presences(tx, visitor.actor), "card": _card(tx)}

    return page(request, visitor, "partners.html", **visitor.node.database.read(find))


def _card(tx: Transaction) -> tuple[identity.Card, str] | None:
    """This node's card, read and as text; nothing before the exchange is set up."""
    if key_store.myself(tx) is None:
        return None
    raw = identity.card(tx)
    return identity.read_card(raw), raw.decode()


@router.get("/partners/{code}")
def one(request: Request, visitor: Seen, code: str) -> Response:
    """Show one partner: the ceremony or its keys, the lanes, what is held and why."""

    def find(tx: Transaction) -> dict[str, Any]:
        seen = scope(visitor.actor, Permission.PARTNER_READ)
        found = [one for one in presence.presences(tx, visitor.actor) if one.partner.code == code]
        if not found:
            raise NotFound("partner_unknown", "no such partner", partner=code)
        return {
            "there": found[0],
            "card": _card(tx),
            "keys": key_store.key_history(tx, seen, code),
            "held": [_held(tx, row) for row in traffic.held(tx, seen, code)],
            "texts": _texts(tx, visitor, code),
            "witnessed": traffic.witnessed(tx, seen, code),
            "names": {one.id: one.name or "–" for one in people.people(tx)},
        }

    return page(request, visitor, "partner.html", **visitor.node.database.read(find))


def _held(tx: Transaction, row: Row) -> dict[str, Any]:
    """An envelope that is held, with the hash of each text it stands on, here and there."""
    try:
        basis = inbox.opened(tx, row["id"]).envelope.basis
    except Erased:
        basis = ()
    texts = {one.agreement: one.agreement_hash for one in basis}
    return {
        **row,
        "texts": [
            {
                "agreement": agreement,
                "carried": hash_,
                "own": service.hash_of(tx, agreement) or "",
                "theirs": service.hash_told(tx, row["partner"], agreement),
            }
            for agreement, hash_ in sorted(texts.items())
        ],
    }


def _texts(tx: Transaction, visitor: Visitor, code: str) -> list[dict[str, Any]]:
    """Every agreement between the two: its hash here, and what the partner said of its own."""
    if not visitor.may(Permission.AGREEMENT_READ):
        return []
    told = {
        row["agreement"]: row
        for row in register.partner_texts(tx, visitor.actor)
        if row["partner"] == code
    }
    own = greeting.texts(tx, code) if key_store.myself(tx) is not None else {}
    return [
        {
            "agreement": agreement,
            "own": own.get(agreement),
            "theirs": told[agreement]["hash"] if agreement in told else None,
            "at": told[agreement]["noted_at"] if agreement in told else None,
        }
        for agreement in sorted({*own, *told})
    ]


@router.post("/partners")
def propose(visitor: Proposing, form: Typed) -> Response:
    """Enter a partner from its card."""
    raw, address = form.text("card").encode(), form.text("address")
    try:
        made = visitor.node.database.write(
            lambda tx: partners.add(tx, visitor.actor, raw, address or None)
        )
    except (Conflict, Invalid, Denied) as error:
        if isinstance(error, Denied) and error.code not in TOLD | {"signature_wrong"}:
            raise
        return back("/partners", problem=_known(error.code))
    return back(f"/partners/{made.code}", done="partner_proposed")


@router.post("/partners/{code}/compare")
def compare(visitor: Comparing, code: str, form: Typed) -> Response:
    """Type both fingerprints as heard: the first person compares, the second trusts."""
    signing, certificate = form.text("signing"), form.text("certificate")
    known = visitor.node.database.read(lambda tx: partners.partner(tx, code))
    second = known.state is PartnerState.COMPARED
    act = partners.trust if second else partners.compare
    return _act(
        visitor, code, "partner_trusted" if second else "partner_compared",
        lambda tx: act(tx, visitor.actor, code, signing, certificate),
    )  # fmt: skip


@router.post("/partners/{code}/suspend")
def suspend(visitor: Comparing, code: str, _form: Typed) -> Response:
    """Stop all exchange with a partner at once."""
    return _act(
        visitor, code, "partner_suspended", lambda tx: partners.suspend(tx, visitor.actor, code)
    )


@router.post("/partners/{code}/resume")
def resume(visitor: Proposing, code: str, _form: Typed) -> Response:
    """Begin the ceremony anew."""
    return _act(
        visitor, code, "partner_resumed", lambda tx: partners.resume(tx, visitor.actor, code)
    )


@router.post("/partners/{code}/replace")
def replace(visitor: Proposing, code: str, form: Typed) -> Response:
    """Take a new card after a compromise: the old keys count for nothing."""
    raw = form.text("card").encode()

    def work(tx: Transaction) -> None:
        if identity.read_card(raw).node != code:
            raise Conflict("card_foreign", "the card is of another node", partner=code)
        partners.replace(tx, visitor.actor, raw)

    return _act(visitor, code, "partner_replaced", work)


@router.get("/partners/proofs/{envelope}")
def proof(visitor: Proving, envelope: str) -> Response:
    """Hand out the bundle that proves an envelope to somebody who trusts neither node."""
    upkeep.seal_ledger(visitor.node.database)
    raw = visitor.node.database.write(lambda tx: proofs_.prove(tx, visitor.actor, envelope))
    named = {"content-disposition": f'attachment; filename="{envelope}.proof.json"'}
    return Response(raw, media_type="application/json", headers=named)


def _act(visitor: Visitor, code: str, done: str, act: Act) -> Response:
    path = f"/partners/{code}"
    try:
        visitor.node.database.write(act)
    except (Conflict, Invalid, Denied) as error:
        if isinstance(error, Denied) and error.code not in TOLD | {"signature_wrong"}:
            raise
        return back(path, problem=_known(error.code))
    return back(path, done=done)


def _known(code: str) -> str:
    """The code of a refusal, or of the card as a whole for what only its reader tells apart."""
    return code if code in _WORDED else "card_wrong"


_WORDED = TOLD | {"partner_known", "partner_is_self", "partner_state", "card_foreign",
                  "exchange_not_set_up"}  # fmt: skip
