"""Agreements and their clauses as plain records, and what deciding over them gives.

A clause permits or commits and never forbids; what a node forbids itself stands in its overlay.
All moments are UTC; every interval is half-open: it holds from its first moment and no longer at
its last.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from isthmus.access.model import Purpose
from isthmus.intelligence.model import Classification, Handling, ItemKind


class Instrument(StrEnum):
    """What kind of text an agreement is. Only a binding one may carry permits."""

    TREATY = "treaty"
    CUSTOMS_ASSISTANCE = "customs_assistance"  # agreement on mutual administrative assistance
    SUPPLEMENTARY = "supplementary"  # arrangement under a treaty
    MEMORANDUM = "memorandum"
    JOINT_DECLARATION = "joint_declaration"
    REGIONAL_MEASURE = "regional_measure"


class Mode(StrEnum):
    """How a disclosure comes about."""

    ON_REQUEST = "on_request"
    SPONTANEOUS = "spontaneous"  # a person sends
    AUTOMATIC = "automatic"  # the node sends; never personal data


class TransferBasis(StrEnum):
    """On what ground personal data may go to the recipient's country."""

    ADEQUACY = "adequacy"
    SAFEGUARDS = "safeguards"  # appropriate safeguards in a binding instrument
    DEROGATION = "derogation"  # for one case, on record
    SAME_REGIME = "same_regime"  # both under one data-protection law
    TREATY = "treaty"  # the law of the sender names the treaty itself as basis


# Whom no wildcard reaches: witnesses, victims and minors (article 6 of Directive (EU) 2016/680
# keeps categories apart), and persons whose category nobody has settled yet.
SHIELDED = frozenset({"witness", "victim", "minor", "unclassified"})


class Standing(StrEnum):
    """Where a version of an agreement stands at a node (code list ``agreement_states``)."""

    DRAFT = "draft"
    LEGAL_REVIEW = "legal_review"
    TESTED = "tested"
    ACTIVE = "active"
    AMENDED = "amended"
    SUSPENDED = "suspended"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Onward:
    """To whom the recipient may pass on what it got: nodes by code, after consent or without."""

    nodes: frozenset[str] = frozenset()
    consent: bool = True


@dataclass(frozen=True, slots=True)
class Duties:
    """What a recipient owes and must keep to; of several, the strictest holds."""

    handling: frozenset[Handling] = frozenset()
    onward: Onward = Onward()
    keep_for: timedelta | None = None  # None: as long as the recipient's own law says
    feedback_within: timedelta | None = None
    separate_issue: bool = False  # an issue of its own, so that two partners cannot compare
    never_for: frozenset[str] = frozenset()  # uses that the sender's overlay refuses


@dataclass(frozen=True, slots=True)
class Permit:
    """What one clause lets pass. An empty ``subjects`` lets no personal data pass at all.

    ``fields`` are paths without the places of lists (``persons.name``); a path names everything
    below it, and ``*`` everything that is not personal data. ``*`` among the subjects reaches every
    category but those of ``SHIELDED``, which a clause must name.
    """

    senders: frozenset[str]  # node codes
    recipients: frozenset[str]
    kinds: frozenset[ItemKind]
    fields: frozenset[str]
    purposes: frozenset[Purpose]
    modes: frozenset[Mode]
    subjects: frozenset[str] = frozenset()  # data-subject categories
    basis: TransferBasis | None = None
    conditions: tuple[str, ...] = ()  # codes of conditions that the share must state as met
    least_source: str | None = None  # lowest admitted evaluation of the source, by its letter
    most_secret: Classification = Classification.RESTRICTED
    duties: Duties = Duties()


@dataclass(frozen=True, slots=True)
class ReplyClock:
    """By when a request under this clause is owed its answer."""

    urgency: str  # urgent, normal
    held: str  # directly, indirectly
    within: timedelta


@dataclass(frozen=True, slots=True)
class Commitment:
    """Who owes what by when, and the events that prove it; the clause's text says what."""

    owners: Mapping[str, str]  # per state, the body that owes it
    horizon: str  # immediate, short, long
    due: date | None
    proved_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause: its number in the text, when it holds, and what it permits or commits to."""

    id: str  # unique in its agreement, such as art-5-2
    since: datetime | None  # None: not in force yet
    until: datetime | None
    permit: Permit | None = None
    commitment: Commitment | None = None
    clocks: tuple[ReplyClock, ...] = ()
    suspended: tuple[tuple[datetime, datetime | None], ...] = ()

    def in_force(self, now: datetime) -> bool:
        """Whether the clause holds at this moment."""
        if self.since is None or now < self.since or (self.until and now >= self.until):
            return False
        return not any(a <= now and (b is None or now < b) for a, b in self.suspended)


@dataclass(frozen=True, slots=True)
class InForce:
    """A clause with the agreement that it belongs to: what ``decide`` cites."""

    agreement: str
    agreement_hash: str  # hex SHA-256 of the canonical agreement, the same on both nodes
    clause: Clause

    @property
    def citation(self) -> str:
        """The clause by its agreement and number, such as ``PA-NL-2026/art-5-2``."""
        return f"{self.agreement}/{self.clause.id}"


@dataclass(frozen=True, slots=True)
class Prohibition:
    """One rule of a node's overlay: it refuses what it matches, whatever any clause permits.

    An empty set matches everything. ``unless`` are conditions that lift it when the share states
    all of them as met (such as an assurance that the death penalty is not carried out); without
    any it is never lifted. ``fixed`` rules guard the originator's marks: they hold on every node
    and no node can take them out of its overlay.
    """

    id: str
    ground: str  # code list refusal_grounds
    recipients: frozenset[str] = frozenset()
    kinds: frozenset[ItemKind] = frozenset()
    fields: frozenset[str] = frozenset()
    purposes: frozenset[Purpose] = frozenset()
    modes: frozenset[Mode] = frozenset()
    subjects: frozenset[str] = frozenset()
    handling: frozenset[Handling] = frozenset()  # codes of the item's marking, any of them
    onward: bool = False  # only items that another node originated
    uses: frozenset[str] = frozenset()  # uses stated with the share, such as lethal_targeting
    unless: frozenset[str] = frozenset()
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of ``decide`` besides the item: by whom, for whom, what for, and how."""

    sender: str
    recipient: str
    purpose: Purpose
    mode: Mode
    conditions: frozenset[str] = frozenset()  # conditions stated as met, by a person on record
    uses: frozenset[str] = frozenset()  # what the recipient will do with it


@dataclass(frozen=True, slots=True)
class Released:
    """One path may go, by this clause."""

    citation: str
    agreement_hash: str


@dataclass(frozen=True, slots=True)
class Withheld:
    """One path stays: why, as a code with particulars, and the clause that would allow it."""

    code: str  # code list withholding_reasons
    detail: Mapping[str, str] = field(default_factory=dict)
    clause: str | None = None  # the nearest clause: what lacks is in ``code``


@dataclass(frozen=True, slots=True)
class Decision:
    """What of an item a recipient gets, path by path, and under which duties."""

    released: Mapping[str, Released]
    withheld: Mapping[str, Withheld]
    duties: Duties  # the strictest of the clauses cited

    @property
    def nothing(self) -> bool:
        """Whether nothing at all may go: then not even the item's existence is told."""
        return not self.released
