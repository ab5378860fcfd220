"""The seam to the agreements: what is asked again when an envelope leaves and when it arrives."""

from dataclasses import dataclass
from typing import Protocol

from isthmus.exchange.envelope import Opened
from isthmus.platform.transaction import Transaction

PASS, HELD, REFUSED = "pass", "held", "refused"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to become of an envelope, and why when it does not pass."""

    outcome: str = PASS
    code: str = ""


class Policy(Protocol):
    """Decides by the agreements as they stand at this moment."""

    def dispatch(self, tx: Transaction, opened: Opened) -> Verdict:
        """Whether an envelope that waits may still leave; held it waits, refused it is stopped."""
        ...

    def receipt(self, tx: Transaction, opened: Opened) -> Verdict:
        """Whether what a partner sent was permitted to it, by the agreements this node holds."""
        ...


class Closed:
    """The policy of a node that has no agreements: nothing leaves and nothing is accepted."""

    def dispatch(self, _tx: Transaction, _opened: Opened) -> Verdict:
        """Stop it."""
        return Verdict(REFUSED, "no_clause")

    def receipt(self, _tx: Transaction, _opened: Opened) -> Verdict:
        """Refuse it."""
        return Verdict(REFUSED, "no_clause")
