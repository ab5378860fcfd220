"""What a change would have altered in real shares: shown before anybody approves it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from isthmus.agreements.decide import decide
from isthmus.agreements.model import Asked, Decision, Duties, InForce, Prohibition
from isthmus.intelligence.model import Item

Share = tuple[Item, Asked, datetime]


@dataclass(frozen=True, slots=True)
class Altered:
    """One past share that the change would have altered."""

    item: str
    recipient: str
    at: datetime
    gained: tuple[str, ...]  # paths that would have gone besides
    lost: tuple[str, ...]  # paths that would have stayed
    before: Duties
    after: Duties


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change would have altered in so many shares."""

    shares: int
    altered: tuple[Altered, ...]

    @property
    def widens(self) -> bool:
        """Whether anything would have gone that did not."""
        return any(one.gained for one in self.altered)


def effect(
    before: tuple[Sequence[InForce], Sequence[Prohibition]],
    after: tuple[Sequence[InForce], Sequence[Prohibition]],
    shares: Iterable[Share],
) -> Effect:
    """Decide every share by the clauses and overlay as they are and as they would be, then compare.

    Pure: the caller brings the shares with the moment at which each was made. Only a change of
    what goes or of its duties counts, not one of the clause cited.
    """
    count, altered = 0, []
    for item, asked, at in shares:
        count += 1
        old = decide(*before, item, asked, at)
        new = decide(*after, item, asked, at)
        if _told(old) != _told(new):
            gained = tuple(path for path in new.released if path not in old.released)
            lost = tuple(path for path in old.released if path not in new.released)
            altered.append(
                Altered(item.id, asked.recipient, at, gained, lost, old.duties, new.duties)
            )
    return Effect(count, tuple(altered))


def _told(decision: Decision) -> tuple[frozenset[str], Duties]:
    return frozenset(decision.released), decision.duties
