"""A node ready to share: partners that two people compared, agreements that both sides signed.

All of it is made up, and made as it is made in earnest: cards, the ceremony, two reviews, both
signatures over one hash.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from agreements.conftest import person as officer
from builders import people, person
from exchange.world import Party, trust
from isthmus.access.model import Actor, Role
from isthmus.access.service import RoleRequest
from isthmus.agreements import lifecycle, shipped
from isthmus.agreements.prohibitions import overlay
from isthmus.agreements.service import clauses_between
from isthmus.exchange.by_agreements import ByAgreements
from isthmus.exchange.trust import identity, ratify
from isthmus.kernel.time import Clock
from isthmus.migrations import tables
from isthmus.platform.database import Database
from isthmus.platform.keys import KeyRing

NAMES = {
    "PA-ANA": "Autoridad Nacional de Aduanas",
    "NL-DOUANE": "Douane Nederland",
    "BE-DOUANE": "Douane et Accises, Anvers",
    "MX-ANAM": "Agencia Nacional de Aduanas",
}
DRAFTER, FIRST, SECOND = officer(1), officer(2), officer(3)


@dataclass
class Ready:
    """The node and its partners, each with a database of its own."""

    here: Party
    partners: dict[str, Party] = field(default_factory=dict)

    def in_force(self, agreement: str, partner: str) -> str:
        """Bring a fictional agreement into force on both sides; return its version."""
        both = (self.here, self.partners[partner])
        version = f"{agreement}@1"
        for node in both:
            node.database.write(lambda tx: lifecycle.enter(tx, DRAFTER, shipped.text_of(agreement)))
            for reviewer in (FIRST, SECOND):
                node.database.write(lambda tx, who=reviewer: lifecycle.review(tx, who, version))
        signed = [one.database.write(lambda tx: ratify.sign(tx, SECOND, version)) for one in both]
        for node, other, signature in zip(both, both[::-1], signed[::-1], strict=True):
            node.database.write(
                lambda tx, code=other.code, raw=signature: ratify.record(
                    tx, SECOND, version, code, raw
                )
            )
            node.database.write(lambda tx: lifecycle.activate(tx, SECOND, version, fictional=True))
        return version


@contextmanager
def ready(
    database: Database,
    staff: Mapping[Role, Actor],
    second: Actor,
    folder: Path,
    clock: Clock,
    *codes: str,
) -> Iterator[Ready]:
    """Found the exchange at a node and befriend partners there."""
    made = Ready(_founded(database, "PA-ANA", staff, second))
    opened = []
    try:
        for code in codes:
            held = Database(f"sqlite:///{folder / code}.db", clock, KeyRing.generate())
            opened.append(held)
            tables.metadata.create_all(held.migrator())
            other = _founded(held, code)
            made.partners[code] = other
            trust(made.here, other.card())
            trust(other, made.here.card())
        yield made
    finally:
        for held in opened:
            held.close()


def _founded(
    database: Database,
    code: str,
    staff: Mapping[Role, Actor] | None = None,
    second: Actor | None = None,
) -> Party:
    staff = staff or people(database)
    if second is None:
        administrator = staff[Role.ADMINISTRATOR]
        second = person(database, administrator, RoleRequest(Role.SUPERVISOR), login="2@x.example")
    database.write(
        lambda tx: identity.found(
            tx, staff[Role.SUPERVISOR], node=code, country=code[:2], name=NAMES[code],
            address="", listen="",
        )
    )  # fmt: skip
    return Party(code, database, staff, second, ByAgreements(clauses_between, overlay))
