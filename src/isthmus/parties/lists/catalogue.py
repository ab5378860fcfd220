"""The lists a node knows: which reader reads each, how old it may be, whether it has a licence."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import BinaryIO

from isthmus.kernel.errors import Invalid
from isthmus.parties.lists import entity_list, follow_the_money, lookout, ofac, screening_list
from isthmus.parties.model import Fault, Reading

Read = Callable[[Sequence[BinaryIO]], Iterator[Reading]]


def _no_file(_streams: Sequence[BinaryIO]) -> Iterator[Reading]:
    """Refuse a file for a list that follows something else."""
    yield Fault("list_follows_alerts")


@dataclass(frozen=True, slots=True)
class WatchList:
    """One list. Ages are defaults of ours, after how often the publisher changes it."""

    code: str
    title: str
    read: Read
    most_age: timedelta | None  # without limit where every entry has its own end
    licence_needed: bool = False


LISTS = {
    one.code: one
    for one in (
        WatchList(
            "ofac",
            "Specially Designated Nationals, US Office of Foreign Assets Control",
            ofac.read,
            timedelta(days=2),
        ),
        WatchList(
            "us-csl", "US Consolidated Screening List", screening_list.read, timedelta(days=2)
        ),
        WatchList(
            "bis",
            "Entity List, US Bureau of Industry and Security",
            entity_list.read,
            timedelta(days=7),
        ),
        WatchList(
            "us-isn",
            "Nonproliferation sanctions, US Department of State",
            entity_list.read,
            timedelta(days=30),
        ),
        WatchList(
            "ftm",
            "Entities in the FollowTheMoney model",
            follow_the_money.read,
            timedelta(days=2),
            licence_needed=True,
        ),
        WatchList("csv", "Own lookouts", lookout.read, None),
        WatchList("partners", "Named in alerts of partners", _no_file, None),
    )
}


def watch_list(code: str) -> WatchList:
    """Return a list by its code; raises ``Invalid``."""
    if code not in LISTS:
        raise Invalid("list_unknown", f"one of {', '.join(LISTS)}", list=code)
    return LISTS[code]
