"""Agencies, people and systems of a node, and what each may do where, for which purpose."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from isthmus.access.permission import PERSON_ONLY, Permission

__all__ = [
    "Actor",
    "ActorKind",
    "Agency",
    "AgencyKind",
    "Assignment",
    "Grant",
    "Permission",
    "Person",
    "Purpose",
    "Reach",
    "Role",
]


class AgencyKind(StrEnum):
    """What an agency is on the trade route."""

    CUSTOMS = "customs"
    PORT_AUTHORITY = "port_authority"
    MARITIME_AUTHORITY = "maritime_authority"
    LICENSING = "licensing"
    PROSECUTOR = "prosecutor"
    TERMINAL_OPERATOR = "terminal_operator"
    PARTNER = "partner"
    NODE_OPERATOR = "node_operator"


class Role(StrEnum):
    """A job at the node; ``isthmus.access.roles`` says what each allows."""

    ADMINISTRATOR = "administrator"
    ANALYST = "analyst"
    SUPERVISOR = "supervisor"
    INSPECTOR = "inspector"
    TERMINAL = "terminal"
    AUDITOR = "auditor"
    DATA_PROTECTION_OFFICER = "data_protection_officer"
    MODEL_APPROVER = "model_approver"
    RULE_AUTHOR = "rule_author"
    LEGAL_OFFICER = "legal_officer"
    SYSTEM = "system"


class Purpose(StrEnum):
    """Why data about persons is opened (purpose limitation, Directive (EU) 2016/680 article 4)."""

    TARGETING = "targeting"
    INSPECTION = "inspection"
    LICENSING = "licensing"
    JUDICIAL = "judicial"
    SUPERVISION = "supervision"
    DATA_PROTECTION = "data_protection"
    ADMINISTRATION = "administration"
    EXERCISE = "exercise"


class ActorKind(StrEnum):
    """Who acts: a person, a connected system with a token, or the node itself in a job."""

    PERSON = "person"
    SYSTEM = "system"
    NODE = "node"


@dataclass(frozen=True, slots=True)
class Agency:
    """An authority or operator whose people and systems use the node.

    ``country`` is ISO 3166-1 alpha-2; ``code`` is the agency's own short name, unique here.
    """

    id: str
    code: str
    kind: AgencyKind
    name: str
    country: str
    active: bool = True


@dataclass(frozen=True, slots=True)
class Person:
    """An officer or other user of the node. Name and login are null once erased.

    ``access_until`` is the end of a secondment: from that moment (exclusive) nothing is allowed.
    """

    id: str
    agency: str
    name: str | None
    login: str | None
    locale: str
    active: bool
    created_at: datetime
    access_until: datetime | None
    category: str
    purpose: Purpose
    review_on: date
    retain_until: date
    legal_hold: bool
    erased_at: datetime | None


@dataclass(frozen=True, slots=True)
class Grant:
    """A role given to a person for one agency, at some offices and terminals (None: at all)."""

    id: str
    person_id: str
    role: Role
    agency: str
    offices: frozenset[str] | None
    terminals: frozenset[str] | None
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Assignment:
    """A person's task on one thing; it gives the purpose for which its persons' data is opened."""

    id: str
    person_id: str
    object_kind: str
    object_id: str
    purpose: Purpose
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Reach:
    """What one grant or token allows, where, and until when (exclusive)."""

    permissions: frozenset[Permission]
    agency: str
    offices: frozenset[str] | None = None
    terminals: frozenset[str] | None = None
    purpose: Purpose | None = None
    until: datetime | None = None

    def stands(self, now: datetime) -> bool:
        """Whether this reach has not ended."""
        return self.until is None or now < self.until


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, with everything the gates need. Made anew for each request, job or command.

    The reaches are kept apart: a supervisor at one office who is an analyst at another is not a
    supervisor at both. ``purpose`` is the one the actor gave for this request, if any.
    """

    id: str
    kind: ActorKind
    agency: str
    reaches: tuple[Reach, ...] = ()
    locale: str = "en"
    session_id: str | None = None
    purpose: Purpose | None = None
    reason: str | None = field(default=None, repr=False)

    @property
    def permissions(self) -> frozenset[Permission]:
        """Everything allowed somewhere; for showing menus, never for deciding."""
        return frozenset().union(*(self.allowed(reach) for reach in self.reaches))

    @property
    def offices(self) -> frozenset[str] | None:
        """The offices of any reach, None for all; for showing, never for deciding."""
        return _joined([reach.offices for reach in self.reaches])

    @property
    def terminals(self) -> frozenset[str] | None:
        """The terminals of any reach, None for all; for showing, never for deciding."""
        return _joined([reach.terminals for reach in self.reaches])

    @property
    def is_person(self) -> bool:
        """Whether a person acts, not a system or the node."""
        return self.kind is ActorKind.PERSON

    def allowed(self, reach: Reach) -> frozenset[Permission]:
        """What a reach allows this actor: acts that belong to persons fall away from others."""
        return reach.permissions if self.is_person else reach.permissions - PERSON_ONLY


def _joined(parts: list[frozenset[str] | None]) -> frozenset[str] | None:
    if any(part is None for part in parts):
        return None
    return frozenset().union(*(part for part in parts if part is not None))


def node_actor(agency: str = "node") -> Actor:
    """Return the node itself, for jobs and reactions: every act but those of persons."""
    return Actor("node", ActorKind.NODE, agency, (Reach(frozenset(Permission), agency),))
