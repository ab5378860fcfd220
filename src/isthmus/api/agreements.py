"""Agreements: the register, clauses in words, trying a decision, and the life of a version."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi import Path as InPath

from isthmus.access.model import Actor, Permission
from isthmus.agreements import examples, lifecycle, listing, register, rehearsal
from isthmus.agreements.explain import explain
from isthmus.agreements.model import Asked, Decision
from isthmus.agreements.reading import read
from isthmus.agreements.rehearsal import Specimen
from isthmus.api.agreement_forms import (
    CODE,
    Activation,
    AgreementTold,
    Checked,
    Differing,
    EffectTold,
    FieldAnswer,
    FileText,
    Question,
    Register,
    Row,
    Signature,
    Signed,
    Suspension,
    Tried,
    effect_told,
    head,
    outcome,
    told,
)
from isthmus.api.code_lists import Language
from isthmus.api.identity import allowed
from isthmus.api.problems import answers
from isthmus.api.served import NodeServed
from isthmus.api.wire import Done
from isthmus.exchange.issue import decode, encode
from isthmus.exchange.trust import identity, key_store, ratify
from isthmus.flow.sharing import hindsight
from isthmus.flow.sharing.shareable import shareable
from isthmus.intelligence.model import Evaluation, Item, Scale
from isthmus.intelligence.render import label
from isthmus.kernel.errors import Invalid
from isthmus.platform.transaction import Transaction
from isthmus.reference.codelist import code_list

router = APIRouter(prefix="/api/agreements", tags=["agreements"])
Reader = Annotated[Actor, Depends(allowed(Permission.AGREEMENT_READ))]
Drafter = Annotated[Actor, Depends(allowed(Permission.AGREEMENT_DRAFT))]
Reviewer = Annotated[Actor, Depends(allowed(Permission.AGREEMENT_REVIEW))]
Activator = Annotated[Actor, Depends(allowed(Permission.AGREEMENT_ACTIVATE))]
Suspender = Annotated[Actor, Depends(allowed(Permission.AGREEMENT_SUSPEND))]

AgreementCode = Annotated[str, InPath(pattern=CODE, examples=["PA-NL-2026"])]
VersionId = Annotated[
    str, InPath(pattern=r"^[A-Z0-9][A-Z0-9-]{2,39}@[1-9][0-9]{0,5}$", examples=["PA-NL-2026@1"])
]
Spoken = Annotated[Language | None, Query(description="of the words; else the caller's own")]
Shares = Annotated[int, Query(ge=1, le=hindsight.MOST, description="look at the last so many")]


# -- reading ------------------------------------------------------------------------------


@router.get("", responses=answers())
def list_agreements(node: NodeServed, actor: Reader, language: Spoken = None) -> Register:
    """Return the register: what is in force, prepared, or known by its name alone."""

    def find(tx: Transaction) -> dict[str, Any]:
        return {
            "items": [head(one, _language(actor, language)) for one in register.entries(tx, actor)],
            "listed": [Row.model_validate(one) for one in listing.listed(tx, actor)],
            "differing": [
                Differing.model_validate({**one, "theirs": one["hash"]})
                for one in register.differences(tx, actor)
            ],
        }

    return Register(**node.database.read(find))


@router.get("/{agreement}", responses=answers(404))
def read_agreement(
    node: NodeServed, actor: Reader, agreement: AgreementCode, language: Spoken = None
) -> AgreementTold:
    """Return an agreement, its clauses in the reader's words and how their examples come out."""
    locale = _language(actor, language)

    def find(tx: Transaction) -> AgreementTold:
        entry = register.entry(tx, actor, agreement)
        return told(tx, actor, entry, locale)

    return node.database.read(find)


@router.post("/check", responses=answers())
def check_agreement(_node: NodeServed, _actor: Reader, ask: FileText) -> Checked:
    """Read a file and run its examples; what is wrong is said with its place."""
    agreement = read(ask.text, "text")
    ran = [outcome(one) for one in examples.outcomes(agreement)]
    return Checked(
        agreement=agreement.id,
        version=agreement.version,
        hash=agreement.hash,
        clauses=len(agreement.clauses),
        failed=sum(not one.passed for one in ran),
        examples=ran,
    )


@router.post("/decide", responses=answers(404, 409, 410))
def try_decision(node: NodeServed, actor: Reader, ask: Question, language: Spoken = None) -> Tried:
    """Say what of an item, or of any of a kind, may go, field by field; nothing is sent.

    An item that is here tells no values, and needs `item.read` besides.
    """
    locale = _language(actor, language)

    def find(tx: Transaction) -> tuple[Item, Decision]:
        own = identity.me(tx)["node"] if key_store.myself(tx) else ""
        sender = ask.sender or own
        asked = Asked(sender, ask.recipient, ask.purpose, ask.mode, frozenset(ask.conditions))
        if ask.item is not None:
            known = shareable(tx, actor, ask.item)
            asked = known.stated(asked)
            decision = rehearsal.rehearse(tx, actor, known.item, asked, own)
            return known.item, known.narrowed(decision, asked)
        item = rehearsal.item_of(tx, _specimen(ask), sender)
        return item, rehearsal.rehearse(tx, actor, item, asked, own)

    item, decision = node.database.read(find)
    said = explain(decision, locale)
    fields = []
    for path, reason in said.paths.items():
        released = decision.released.get(path)
        near = decision.withheld[path].clause if released is None else released.citation
        name = label(item.kind, path, locale)
        fields.append(
            FieldAnswer(
                field=path, label=name, released=released is not None, clause=near, reason=reason
            )
        )
    return Tried(summary=said.summary, fields=fields, duties=list(said.duties))


def _specimen(ask: Question) -> Specimen:
    if ask.kind is None:
        raise Invalid("kind_missing", "name an item or a kind", field="kind")
    known = ask.source in code_list("police_sources")
    grade = Evaluation(Scale.POLICE_4X4, str(ask.source), "2") if known else None
    return Specimen(ask.kind, ask.category, ask.classification, grade)


@router.get("/{version}/effect", responses=answers(404, 409))
def read_effect(
    node: NodeServed, actor: Reader, version: VersionId, shares: Shares = hindsight.SHARES
) -> EffectTold:
    """Return what a version would have altered in the last shares, before anybody approves it."""
    seen = node.database.read(lambda tx: hindsight.of_version(tx, actor, version, shares))
    return effect_told(seen)


# -- acts ---------------------------------------------------------------------------------


@router.post("", status_code=201, responses=answers(409))
def draft_agreement(node: NodeServed, actor: Drafter, ask: FileText) -> Done:
    """Enter a version as a draft; two other persons then review it."""
    made = node.database.write(lambda tx: lifecycle.enter(tx, actor, ask.text))
    return Done(id=made, state="draft")


@router.post("/{version}/review", responses=answers(404, 409))
def review_agreement(node: NodeServed, actor: Reviewer, version: VersionId) -> Done:
    """Approve a version in law; the second review passes when every example comes out as meant."""
    state = node.database.write(lambda tx: lifecycle.review(tx, actor, version))
    return Done(id=version, state=state)


@router.post("/{version}/sign", responses=answers(404, 409))
def sign_agreement(node: NodeServed, actor: Activator, version: VersionId) -> Signed:
    """Sign a version's hash as this node, on record here; hand the signature to the partner."""
    raw = node.database.write(lambda tx: ratify.sign(tx, actor, version))
    return Signed(id=version, signature=encode(raw))


@router.post("/{version}/signatures", responses=answers(404, 409))
def record_signature(
    node: NodeServed, actor: Activator, version: VersionId, ask: Signature
) -> Done:
    """Put a partner's signature on record; a wrong one is refused."""
    raw = decode(ask.signature)
    node.database.write(lambda tx: ratify.record(tx, actor, version, ask.party, raw))
    return Done(id=version)


@router.post("/{version}/activate", responses=answers(404, 409))
def activate_agreement(
    node: NodeServed, actor: Activator, version: VersionId, ask: Activation
) -> Done:
    """Put a tested version in force; what widens needs the signatures of all nodes."""
    node.database.write(lambda tx: lifecycle.activate(tx, actor, version, fictional=ask.fictional))
    return Done(id=version, state="active")


@router.post("/{version}/withdraw", responses=answers(404, 409))
def withdraw_agreement(node: NodeServed, actor: Suspender, version: VersionId) -> Done:
    """Take a version out of force, or out of preparation, for good."""
    node.database.write(lambda tx: lifecycle.withdraw(tx, actor, version))
    return Done(id=version, state="withdrawn")


@router.post("/{agreement}/suspend", status_code=201, responses=answers(409))
def suspend_agreement(
    node: NodeServed, actor: Suspender, agreement: AgreementCode, ask: Suspension
) -> Done:
    """Stop a clause, or all of an agreement, at once; no partner is asked."""
    made = node.database.write(
        lambda tx: lifecycle.suspend(tx, actor, agreement, ask.ground, ask.clause)
    )
    return Done(id=made, state="suspended")


SuspensionId = Annotated[str, InPath(pattern=r"^sus_[0-9a-z]{26}$")]


@router.post("/suspensions/{suspension}/lift", responses=answers(404, 409))
def lift_suspension(node: NodeServed, actor: Suspender, suspension: SuspensionId) -> Done:
    """End a suspension; another person than the one who suspended."""
    node.database.write(lambda tx: lifecycle.lift(tx, actor, suspension))
    return Done(id=suspension, state="lifted")


def _language(actor: Actor, language: Language | None) -> str:
    return language.value if language else actor.locale or "en"
