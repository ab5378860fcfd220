"""Screening a name that somebody typed or sent: a look-up, logged with its purpose.

Nothing that was asked is kept, only keyed hashes of it, so that supervision can tell who asked for
whom without a new register of names.
"""

from collections.abc import Sequence

from isthmus.access.gate import check
from isthmus.access.lookups import note_search
from isthmus.access.model import Actor, Permission, Purpose
from isthmus.kernel.errors import Invalid, TooLarge
from isthmus.parties.listed import Listed, Match
from isthmus.parties.match import FIND_THRESHOLD
from isthmus.platform.transaction import Transaction

MOST_TEXTS = 100_000
LONGEST = 2_000


def screen_query(
    tx: Transaction,
    actor: Actor,
    listed: Listed,
    texts: Sequence[str],
    *,
    threshold: float = FIND_THRESHOLD,
    purpose: Purpose | None = None,
    reason: str | None = None,
) -> list[tuple[Match, ...]]:
    """Return the matches of each text, in order, best first; the look-up is logged.

    Raises ``Denied``, ``PurposeNeeded`` when neither request nor role gives a purpose, ``Invalid``
    for a text that is empty or too long (with its place, from 1), ``TooLarge`` for too many.
    Needs a writing transaction.
    """
    check(tx, actor, Permission.SCREEN_QUERY)
    if len(texts) > MOST_TEXTS:
        raise TooLarge("too_many", f"at most {MOST_TEXTS:,} names at once", names=len(texts))
    if not 0 < threshold <= 1:
        raise Invalid("threshold_impossible", "a threshold lies above 0 and is at most 1")
    for place, text in enumerate(texts, start=1):
        if not text.strip():
            raise Invalid("name_missing", "there is no name", place=place)
        if len(text) > LONGEST:
            raise Invalid("name_too_long", f"at most {LONGEST:,} characters", place=place)
    found = listed.search_all(texts, threshold)
    note_search(
        tx,
        actor,
        Permission.SCREEN_QUERY,
        [tx.keys.pseudonym("asked", " ".join(text.split()).casefold()) for text in texts],
        purpose=purpose,
        reason=reason,
        hits=sum(map(bool, found)),
        lists=listed.versions,
    )
    return found
