"""Risk profiles of partners: tried on own data, adopted as a rule, told of in counts."""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi import Path as InPath
from pydantic import Field

from isthmus.access.model import Actor, Permission
from isthmus.api.identity import allowed
from isthmus.api.items import Mark
from isthmus.api.problems import answers
from isthmus.api.rules import LARGEST, RuleKey
from isthmus.api.served import NodeServed
from isthmus.api.wire import TEXT, Answer, Ask, At, Code, Done
from isthmus.flow import profiles
from isthmus.flow.profiles import Profile
from isthmus.flow.rule_trial import Counted, Tried, try_rule
from isthmus.platform.transaction import Transaction
from isthmus.risk.rules import RuleState

router = APIRouter(prefix="/api/profiles", tags=["profiles"])
Reader = Annotated[Actor, Depends(allowed(Permission.RULE_READ))]
Writer = Annotated[Actor, Depends(allowed(Permission.RULE_WRITE))]
Author = Annotated[Actor, Depends(allowed(Permission.ITEM_WRITE))]

ProfileId = Annotated[
    str, InPath(pattern=r"^[A-Z]{2}-[A-Z0-9-]{1,30}:prf_[0-9a-z]{1,40}$",
                examples=["NL-DOUANE:prf_06bq3f1m9t"]),
]  # fmt: skip


class Unread(Answer):
    """A part of a profile that no rule here can read, and what leaving it out does."""

    path: str
    code: str = Field(description="no_field, by_name, unreadable or says_what_for")
    value: str
    effect: str = Field(description="the rule then fires wider, narrower, or neither")


class Counts(Answer):
    """Consignments, those inspected to a conclusion, and those with a finding."""

    units: int
    known: int
    found: int
    rate: float | None
    low: float | None = Field(description="Wilson's interval of 95 %")
    high: float | None


class ProfileTried(Answer):
    """What a partner's profile would have done on what this node saw."""

    id: str
    version: int
    adopted: str | None = Field(description="key of the rule that it became here")
    rule: str | None = Field(description="the rule it would make, YAML; null where none can")
    lacks: str = Field(description="why there is no rule, as a code")
    left_out: list[Unread]
    since: At | None
    until: At | None
    fired: Counts | None
    all: Counts | None


class Adoption(Ask):
    """The rule as a person changed it; without a text, as the profile makes it."""

    text: Annotated[str, Field(min_length=1, max_length=LARGEST, pattern=TEXT)] | None = None


class Telling(Ask):
    """What became of a profile, and how the item that says so is marked."""

    marking: Mark
    outcome: Code | None = Field(None, description="code list `feedback_outcomes`")


class Publication(Ask):
    """How the profile of an own rule is marked."""

    marking: Mark
    locale: Annotated[str, Field(pattern=r"^(es|en|fr|nl|pt)$")] = "en"
    back_test: Annotated[bool, Field(strict=True)] = True


@router.get("/{profile}", responses=answers(404, 409))
def try_profile(node: NodeServed, actor: Reader, profile: ProfileId) -> ProfileTried:
    """Run a partner's profile over own past data, before anybody adopts it."""

    def read(tx: Transaction) -> ProfileTried:
        found = profiles.read(tx, actor, profile)
        tried = None if found.rule is None else try_rule(tx, actor, found.rule)
        return _tried(found, tried)

    return node.database.read(read)


@router.post("/{profile}/adopt", status_code=201, responses=answers(404, 409))
def adopt_profile(node: NodeServed, actor: Writer, profile: ProfileId, ask: Adoption) -> Done:
    """Propose the rule that a profile makes; it goes live by another person, as any rule."""
    key = node.database.write(lambda tx: profiles.adopt(tx, actor, profile, ask.text))
    return Done(id=key, state=RuleState.DRAFT)


@router.post("/{profile}/feedback", status_code=201, responses=answers(404, 409))
def tell_of_profile(node: NodeServed, actor: Author, profile: ProfileId, ask: Telling) -> Done:
    """Draft feedback in counts, none below five; it is sent like any other item."""
    marking = ask.marking.marking()
    item = node.database.write(
        lambda tx: profiles.draft_feedback(tx, actor, profile, marking, ask.outcome)
    )
    return Done(id=item.id)


@router.post("/of-rule/{rule_key}", status_code=201, responses=answers(404, 409))
def publish_rule(node: NodeServed, actor: Author, rule_key: RuleKey, ask: Publication) -> Done:
    """Make a profile of an own rule that runs; it is sent like any other item."""
    marking = ask.marking.marking()
    item = node.database.write(
        lambda tx: profiles.publish(
            tx, actor, rule_key, marking, locale=ask.locale, back_test=ask.back_test
        )
    )
    return Done(id=item.id)


def _tried(found: Profile, tried: Tried | None) -> ProfileTried:
    return ProfileTried(
        id=found.item.id,
        version=found.item.version,
        adopted=found.adopted,
        rule=found.text,
        lacks=found.lacks,
        left_out=[Unread.model_validate(one) for one in found.left_out],
        since=tried.since if tried else None,
        until=tried.until if tried else None,
        fired=_counts(tried.fired) if tried else None,
        all=_counts(tried.all) if tried else None,
    )


def _counts(one: Counted) -> Counts:
    rate = one.rate
    return Counts(
        units=one.units,
        known=one.known,
        found=one.found,
        rate=rate.value if rate else None,
        low=rate.low if rate else None,
        high=rate.high if rate else None,
    )
