"""What is told and asked about agreements: the forms of the answers, and how they are made."""

from datetime import date
from typing import Annotated, Any

from pydantic import Field

from isthmus.access.model import Actor, Purpose
from isthmus.agreements import examples, register, words
from isthmus.agreements.model import Mode
from isthmus.agreements.reading import MOST
from isthmus.agreements.register import Entry
from isthmus.api.wire import TEXT, Answer, Ask, At, Truth, coded
from isthmus.flow.sharing import hindsight
from isthmus.intelligence.model import Classification, ItemKind
from isthmus.platform.transaction import Transaction

CODE = r"^[A-Z0-9][A-Z0-9-]{2,39}$"
CLAUSE = r"^[a-z0-9][a-z0-9-]{0,39}$"
ITEM = r"^[A-Z]{2}-[A-Z0-9-]{1,30}:[a-z]{3}_[0-9a-z]{1,40}$"
NodeCode = Annotated[str, Field(pattern=r"^[A-Z]{2}-[A-Z0-9-]{1,30}$", examples=["NL-DOUANE"])]


class Party(Answer):
    """A party: its state, its node if it runs one, its competent bodies, how it stands."""

    state: str
    node: str | None
    bodies: list[str]
    standing: str = coded("party_standings")
    since: date | None


class Version(Answer):
    """One version at this node."""

    id: str
    version: int
    hash: str
    state: str = coded("agreement_states")
    drafted_by: str
    drafted_at: At
    reviewed_by: str | None
    tested_by: str | None
    activated_by: str | None
    activated_at: At | None
    ended_at: At | None


class Pause(Answer):
    """A suspension by this node: of one clause, or of the whole agreement."""

    id: str
    clause: str | None
    ground: str = coded("refusal_grounds")
    since: At
    suspended_by: str


class AgreementHead(Answer):
    """An agreement as the register tells of it."""

    agreement: str
    title: str
    instrument: str = coded("instruments")
    binding: bool
    authority: str = Field(description="what it is able to do, in one sentence")
    public: bool = Field(description="whether its text is public; without one it has no clauses")
    fictional: bool = Field(description="made up, for demonstrations and tests")
    standing: str = Field(description="code list `agreement_states`, or `known`: not entered here")
    version: int | None
    hash: str | None
    signed: date | None
    themes: list[str]
    parties: list[Party]
    completeness: int = Field(description="per cent of what an entry should tell")
    lacks: list[str]


class Row(Answer):
    """An agreement known by a row of a table alone: it gives no authority."""

    id: str
    collection: str
    number: int
    title: str | None
    theme: str | None
    parties: str | None
    status: str | None
    completeness: int
    lacks: list[str]


class Register(Answer):
    """Every agreement, those known by a row of a table, and where partners hold another text."""

    items: list[AgreementHead]
    listed: list[Row]
    differing: list["Differing"]


class Differing(Answer):
    """A partner that holds another text: both hashes."""

    partner: str
    agreement: str
    own: str | None = Field(description="null: not in force here")
    theirs: str = Field(description="empty: not in force there")
    noted_at: At


class Said(Answer):
    """One sentence of a clause; `part` says of what."""

    part: str
    text: str


class Outcome(Answer):
    """An example of a clause, and whether it comes out as its authors meant."""

    title: str
    meant: str = Field(description="allow or refuse")
    because: str | None
    passed: bool
    wrong: list[str]


class ClauseTold(Answer):
    """A clause: the words of its parties, what a node does by it, its examples."""

    id: str
    text: str
    says: list[Said]
    in_force: bool = Field(description="at this moment and at this node")
    examples: list[Outcome]


class AgreementTold(AgreementHead):
    """An agreement with its clauses in words."""

    source_of_text: str
    authentic: list[str]
    role: str
    under: str | None
    clauses: list[ClauseTold]
    versions: list[Version]
    signed_by: list[str] = Field(description="nodes whose signature over this hash is on record")
    suspensions: list[Pause]


class Checked(Answer):
    """A file that can be read, with what came of its examples."""

    agreement: str
    version: int
    hash: str
    clauses: int
    failed: int
    examples: list[Outcome]


class FileText(Ask):
    """An agreement file, as text."""

    text: Annotated[str, Field(min_length=1, max_length=MOST, pattern=TEXT)]


class Question(Ask):
    """What is to go, from whom to whom, for what: nothing is sent by asking."""

    sender: NodeCode | None = Field(None, description="else this node")
    recipient: NodeCode
    purpose: Purpose
    mode: Mode
    item: Annotated[str, Field(pattern=ITEM)] | None = Field(
        None, description="an item that is here; else any item of a kind"
    )
    kind: ItemKind | None = Field(None, description="with every field that its form knows")
    category: Annotated[str, coded("data_subject_categories")] = "suspect"
    classification: Classification = Classification.NONE
    source: Annotated[str, coded("police_sources")] | None = Field(
        None, description="how its source would be graded; else not at all"
    )
    conditions: Annotated[list[str], Field(max_length=40)] = Field(
        [], description="codes of `share_conditions` that would stand on record"
    )


class FieldAnswer(Answer):
    """What becomes of one field, with its clause, in words."""

    field: str
    label: str
    released: bool
    clause: str | None = Field(description="that lets it go, or that is nearest")
    reason: str


class Tried(Answer):
    """A decision in words."""

    summary: str
    fields: list[FieldAnswer]
    duties: list[str]


class Signature(Ask):
    """A party's signature over a version's hash, as it was handed over."""

    party: NodeCode
    signature: Annotated[str, Field(min_length=1, max_length=20_000, pattern=r"^[A-Za-z0-9_=-]+$")]


class Signed(Answer):
    """This node's signature, for the partner."""

    id: str
    signature: str = Field(description="base64url")


class Activation(Ask):
    """Whether this node plays: a made-up agreement is in force nowhere else."""

    fictional: Truth = False


class Suspension(Ask):
    """Why, and which clause; without one all of it."""

    ground: Annotated[str, coded("refusal_grounds")]
    clause: Annotated[str, Field(pattern=CLAUSE)] | None = None


class Altered(Answer):
    """A past share that the change would have altered."""

    item: str
    recipient: str
    at: At
    gained: list[str]
    lost: list[str]


class EffectTold(Answer):
    """What a change would have altered in the last shares of this node."""

    shares: int
    since: At | None
    gone: int = Field(description="shares of which nothing is kept any more")
    widens: bool
    altered: list[Altered]


def head(entry: Entry, locale: str) -> AgreementHead:
    """Return an entry of the register in words."""
    return AgreementHead(**_head(entry, locale))


def _head(entry: Entry, locale: str) -> dict[str, Any]:
    held = entry.agreement
    entered = entry.row is not None
    return {
        "agreement": held.id,
        "title": words.title(held, locale),
        "instrument": held.instrument.value,
        "binding": held.binding,
        "authority": words.authority(held, locale),
        "public": held.public,
        "fictional": held.fictional,
        "standing": entry.standing,
        "version": held.version if entered else None,
        "hash": held.hash if entered else None,
        "signed": held.signed,
        "themes": list(held.themes),
        "parties": [Party.model_validate(one) for one in held.parties],
        "completeness": entry.completeness,
        "lacks": list(entry.lacks),
    }


def told(tx: Transaction, actor: Actor, entry: Entry, locale: str) -> AgreementTold:
    held = entry.agreement
    ran: dict[str, list[Outcome]] = {}
    for one in examples.outcomes(held):
        ran.setdefault(one.clause, []).append(outcome(one))
    stopped = {one["clause"] for one in entry.suspensions}
    active = entry.row is not None and entry.row["state"] == "active"
    return AgreementTold(
        **_head(entry, locale),
        source_of_text=held.source,
        authentic=list(held.authentic),
        role=held.place.role,
        under=held.place.under,
        clauses=[
            ClauseTold(
                id=clause.id,
                text=words.text(held, clause.id, locale),
                says=[
                    Said(part=one.part, text=one.text) for one in words.sentences(clause, locale)
                ],
                in_force=active and clause.in_force(tx.now) and not stopped & {None, clause.id},
                examples=ran.get(clause.id, []),
            )
            for clause in held.clauses
        ],
        versions=[Version.model_validate(row) for row in entry.versions],
        signed_by=sorted(register.signers(tx, actor, held.id, held.hash)),
        suspensions=[Pause.model_validate(row) for row in entry.suspensions],
    )


def outcome(one: examples.Outcome) -> Outcome:
    meant = "allow" if one.example.allow else "refuse"
    return Outcome(
        title=one.example.title,
        meant=meant,
        because=one.example.because,
        passed=one.passed,
        wrong=list(one.wrong),
    )


def effect_told(seen: hindsight.Seen) -> EffectTold:
    """Return what a change would have altered."""
    return EffectTold(
        shares=seen.effect.shares,
        since=seen.since,
        gone=seen.gone,
        widens=seen.effect.widens,
        altered=[Altered.model_validate(one) for one in seen.effect.altered],
    )
