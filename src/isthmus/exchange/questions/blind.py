"""Blind questions: "do you know this container?", without saying which, and without a list.

Private set intersection by the openmined-psi library (ECDH; an optional extra of the product): the
asker is the client and learns which of its own elements the asked node holds, up to a stated
rate of false positives, and a bound on how many it holds. The asked node learns how many
elements were asked about and what for, and nothing else. Objects only; people are asked about by a
logged request. A hit proves nothing by itself: it leads to an ordinary request.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from isthmus.access.model import Purpose
from isthmus.exchange.connection import Connection
from isthmus.exchange.issue import decode, encode
from isthmus.exchange.questions import question_store
from isthmus.exchange.questions.askable import Askable
from isthmus.exchange.trust import partners, shape
from isthmus.exchange.trust.signing import Signer
from isthmus.intelligence.objects import ASKABLE, ObjectKind
from isthmus.kernel.errors import Denied, Invalid, Limited, NotFound, Unavailable
from isthmus.platform import audit
from isthmus.platform.transaction import Transaction

FALSE_POSITIVES = 1e-6
MOST = 10_000  # elements in one question
HELD_MOST = 1_000_000
LASTS = timedelta(minutes=10)
PREPARING = 300.0  # seconds that the other side may take
OPEN = 8  # prepared sets kept at a time


def element(kind: ObjectKind, value: str) -> str:
    """Return an object as both sides write it: its kind, then capitals and digits alone."""
    if kind not in ASKABLE:
        raise Invalid("kind_not_askable", "only objects are asked about blindly", kind=kind.value)
    plain = "".join(one for one in value.upper() if one.isalnum())
    if not plain or len(plain) > 60:
        raise Invalid("element_wrong", "nothing to ask about", kind=kind.value)
    return f"{kind.value}:{plain}"


def _library() -> Any:
    try:
        import private_set_intersection.python as psi
    except ImportError:
        raise Unavailable(
            "psi_missing", "blind questions need the extra: pip install 'isthmus[blind]'"
        ) from None
    return psi


def ask(
    connection: Connection, signer: Signer, purpose: Purpose, elements: Sequence[str]
) -> list[str]:
    """Ask a partner over the wire; return those of the elements that it holds."""
    question = Question(elements)
    named = {"purpose": purpose.value}
    given = connection.ask(signer, "/exchange/blind/set", named, PREPARING)
    shape.check(given, {"ticket": str, "setup": str}, "the answer")
    asked = {"ticket": given["ticket"], "request": encode(question.request())}
    told = connection.ask(signer, "/exchange/blind/ask", asked, PREPARING)
    shape.check(told, {"response": str}, "the answer")
    return question.answers(decode(given["setup"]), decode(told["response"]))


class Question:
    """The asker's side: one question, with a key of its own."""

    def __init__(self, elements: Sequence[str]) -> None:
        if not 1 <= len(elements) <= MOST:
            raise Invalid("question_too_long", f"between 1 and {MOST} elements")
        self._psi = _library()
        self._elements = list(elements)
        self._client = self._psi.client.CreateWithNewKey(True)

    def request(self) -> bytes:
        """Return what is sent: every element under a key that only the asker has."""
        return bytes(self._client.CreateRequest(self._elements).SerializeToString())

    def answers(self, setup: bytes, response: bytes) -> list[str]:
        """Return those of the elements asked that the other side holds."""
        psi = self._psi
        try:
            made, told = psi.ServerSetup(), psi.Response()
            made.ParseFromString(setup)
            told.ParseFromString(response)
            found = self._client.GetIntersection(made, told)
        except (RuntimeError, ValueError, psi_decode_error()) as error:
            raise Invalid("answer_malformed", f"not an answer: {type(error).__name__}") from None
        return [self._elements[place] for place in sorted(found)]


def psi_decode_error() -> type[Exception]:
    """Return what protobuf raises on bytes that it cannot read."""
    from google.protobuf.message import DecodeError

    found: type[Exception] = DecodeError
    return found


@dataclass(frozen=True, slots=True)
class Held:
    """What a partner may ask about for a purpose, and the basis on which it may."""

    partner: str
    purpose: Purpose
    basis: str
    elements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Prepared:
    held: Held
    server: Any
    setup: bytes
    size: int
    until: float


class Desk:
    """The asked node's side: sets prepared for partners, each under a key of its own.

    A set is prepared anew when what a partner may ask about has changed, or its time is over.
    """

    def __init__(self, askable: Askable, clock: Callable[[], float]) -> None:
        self.askable, self.clock = askable, clock
        self._prepared: dict[str, _Prepared] = {}

    def held(self, tx: Transaction, partner: str, purpose: Purpose) -> Held:
        """Return what a partner may ask about for a purpose; raises ``Denied`` without a clause."""
        partners.trusted(tx, partner)
        basis = self.askable.basis(tx, partner, purpose)
        if not basis:
            raise Denied("no_clause", "no clause lets this be asked", partner=partner)
        objects = self.askable.objects(tx, partner, purpose)
        elements = sorted({element(kind, value) for kind, value in objects})
        return Held(partner, purpose, basis, tuple(elements))

    def prepare(self, held: Held) -> tuple[str, bytes]:
        """Prepare the set for a partner; return a ticket and the setup message.

        The set is padded to the next power of two with elements that nobody can ask about, so
        that its size tells a bound only. Takes seconds for many entries: outside a transaction.
        """
        self._forget()
        for ticket, known in self._prepared.items():
            if known.held == held:
                return ticket, known.setup
        number = len(held.elements)
        if number > HELD_MOST:
            raise Limited("set_too_large", f"more than {HELD_MOST} entries", size=number)
        psi = _library()
        size = 1 << max(6, number).bit_length()
        nobody = (f"none:{secrets.token_hex(16)}" for _ in range(size - number))
        padded = [*held.elements, *nobody]
        server = psi.server.CreateWithNewKey(True)
        made = server.CreateSetupMessage(
            FALSE_POSITIVES, MOST, padded, psi.DataStructure.GCS
        ).SerializeToString()
        ticket = secrets.token_hex(16)
        while len(self._prepared) >= OPEN:
            del self._prepared[next(iter(self._prepared))]
        self._prepared[ticket] = _Prepared(
            held, server, bytes(made), size, self.clock() + LASTS.total_seconds()
        )
        return ticket, bytes(made)

    def answer(self, tx: Transaction, partner: str, ticket: str, request: bytes) -> bytes:
        """Answer one question, counting its elements against the partner's quota of the day.

        A ticket is worth nothing once the clauses or the overlay are others than at its making.
        """
        found = self._prepared.get(ticket)
        if found is None or found.held.partner != partner or found.until < self.clock():
            raise NotFound("ticket_unknown", "no set is prepared under this ticket")
        purpose = found.held.purpose
        if self.askable.basis(tx, partner, purpose) != found.held.basis:
            raise NotFound("ticket_unknown", "the agreements have changed since")
        psi = _library()
        asked = psi.Request()
        try:
            asked.ParseFromString(request)
        except psi_decode_error():
            raise Invalid("question_malformed", "not a question") from None
        number = len(asked.encrypted_elements)
        if not 1 <= number <= MOST:
            raise Invalid("question_too_long", f"between 1 and {MOST} elements", given=number)
        self._count(tx, partner, purpose, number)
        try:
            return bytes(found.server.ProcessRequest(asked).SerializeToString())
        except (RuntimeError, ValueError):
            raise Invalid("question_malformed", "not a question") from None

    def _count(self, tx: Transaction, partner: str, purpose: Purpose, number: int) -> None:
        day = tx.now.date().isoformat()
        quota = partners.trusted(tx, partner).caps.questions
        used = question_store.asked(tx, partner, day)
        if used + number > quota:
            raise Limited("questions_used_up", "the partner's quota of the day is used up",
                          partner=partner, elements=number)  # fmt: skip
        question_store.add_asked(tx, partner, day, number)
        audit.record(
            tx, "node", "blind.answered", "partner", partner,
            purpose=purpose.value, elements=number,
        )  # fmt: skip

    def _forget(self) -> None:
        now = self.clock()
        for ticket in [one for one, held in self._prepared.items() if held.until < now]:
            del self._prepared[ticket]
