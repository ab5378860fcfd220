"""An inquiry: a person asks a partner blindly which of some objects it knows.

Each is on record on both sides: here who asked whom, for what, about how many, and how many were
known; there the same but for the objects and the answer, which the asked node does not learn.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from ssl import SSLContext
from typing import Any

from isthmus.access.gate import check
from isthmus.access.model import Actor, Permission, Purpose
from isthmus.exchange.connection import Connection
from isthmus.exchange.questions import blind
from isthmus.exchange.trust import identity, partners, tls
from isthmus.exchange.trust.signing import Signer
from isthmus.intelligence.objects import ObjectKind
from isthmus.kernel.errors import Invalid, Unavailable
from isthmus.platform import audit
from isthmus.platform.database import Database
from isthmus.platform.transaction import Transaction


def read(lines: Iterable[str], kind: ObjectKind = ObjectKind.CONTAINER) -> list[str]:
    """Read objects, one a line: a value, or another kind and its value (``seal: AB123``)."""
    found: dict[str, None] = {}
    for number, line in enumerate(lines, 1):
        if not (text := line.strip()):
            continue
        named, colon, value = text.partition(":")
        try:
            which = ObjectKind(named.strip().lower()) if colon else kind
        except ValueError:
            raise Invalid("kind_not_askable", "no such kind of object", line=number) from None
        found[blind.element(which, value if colon else text)] = None
    if not found:
        raise Invalid("question_too_long", "there is nothing to ask about")
    return list(found)


def ask(
    database: Database,
    temporary: Path,
    actor: Actor,
    partner: str,
    purpose: Purpose,
    elements: Sequence[str],
) -> list[str]:
    """Ask a partner over the wire; return those of the elements that it says it knows.

    That it was asked is on record before anything leaves.
    """

    def begin(tx: Transaction) -> tuple[str, Signer, SSLContext]:
        check(tx, actor, Permission.REQUEST_KEEP, object_id=partner)
        address = partners.trusted(tx, partner).address
        if not address:
            raise Unavailable("partner_away", "this partner only dials out", partner=partner)
        _note(tx, actor, "blind.asked", partner, purpose, elements=len(elements))
        return address, identity.signer(tx), tls.client(tx, temporary, partner)

    address, signer, context = database.write(begin)
    connection = Connection(partner, address, context, database.clock)
    try:
        found = blind.ask(connection, signer, purpose, elements)
    finally:
        connection.close()
    database.write(lambda tx: _note(tx, actor, "blind.told", partner, purpose, known=len(found)))
    return found


def _note(
    tx: Transaction, actor: Actor, act: str, partner: str, purpose: Purpose, **counts: Any
) -> None:
    audit.record(
        tx, actor.id, act, "partner", partner,
        agency=actor.agency, purpose=purpose.value, **counts,
    )  # fmt: skip
