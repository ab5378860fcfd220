"""Whether a list file may be taken: what is wrong with it, as alarms in coded form.

A wrong list is worse than an old one: an empty or shrunken file would let everybody pass who was
on it. So a doubtful file changes nothing, the last good version stays in force, and the alarm
says what is wrong. Some alarms a person may overrule with a reason, for lists do shrink by law.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from isthmus.parties.model import Entry, Fault, Reading, Rejected

# Defaults of ours. Official lists lose fewer than one entry in fifty between two publications;
# a reader that fits its list rejects nothing at all.
MOST_LOST = 0.10
MOST_REJECTED = 0.01
OVERRULABLE = frozenset({"list_shrunken", "list_rejected", "list_stale"})
MEASURES = ("entries", "names", "addresses", "identifiers")


@dataclass(slots=True)
class Content:
    """What a reading came to."""

    entries: dict[str, Entry] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)  # rejections by reason
    fault: Fault | None = None

    @property
    def rejected(self) -> int:
        """How many rows were rejected."""
        return sum(self.reasons.values())

    def counts(self) -> dict[str, int]:
        """Return the measures by which versions are compared, and the rejections."""
        held = self.entries.values()
        return {
            "entries": len(self.entries),
            "names": sum(len(entry.names) for entry in held),
            "addresses": sum(len(entry.addresses) for entry in held),
            "identifiers": sum(len(entry.identifiers) for entry in held),
            "rejected": self.rejected,
        }


def gather(readings: Iterable[Reading]) -> Content:
    """Read to the end, or to the fault; a key that comes again is rejected."""
    content = Content()
    for reading in readings:
        if isinstance(reading, Fault):
            content.fault = reading
            break
        if isinstance(reading, Entry) and reading.key not in content.entries:
            content.entries[reading.key] = reading
            continue
        reason = reading.reason if isinstance(reading, Rejected) else "key_twice"
        content.reasons[reason] = content.reasons.get(reason, 0) + 1
    return content


def judge(content: Content, before: Mapping[str, int] | None) -> list[Fault]:
    """Return what is wrong with a file's content; ``before`` counts the version in force."""
    if content.fault is not None:
        return [content.fault]
    found = []
    rows = len(content.entries) + content.rejected
    if content.rejected > MOST_REJECTED * rows:
        share = round(content.rejected / rows, 4)
        found.append(
            Fault("list_rejected", {"rows": rows, "share": share, "reasons": content.reasons})
        )
    if not content.entries:
        return [*found, Fault("list_empty")]
    now = content.counts()
    for measure in MEASURES if before else ():
        was = before[measure] if before else 0
        if was and (lost := 1 - now[measure] / was) > MOST_LOST:
            detail = {
                "measure": measure, "before": was, "now": now[measure], "share": round(lost, 4),
            }  # fmt: skip
            found.append(Fault("list_shrunken", detail))
    return found


def judge_age(
    published_on: date | None, in_force: date | None, today: date, most: timedelta | None
) -> list[Fault]:
    """Return what is wrong with the stated day of publication.

    Older than the version in force is never right; older than the list's age limit may be all
    there is. A day in the future is a slip.
    """
    if published_on is None:
        return []
    stated = {"published_on": published_on.isoformat()}
    if published_on > today + timedelta(days=1):  # it is tomorrow already somewhere
        return [Fault("list_from_the_future", stated)]
    if in_force is not None and published_on < in_force:
        return [Fault("list_older", {**stated, "in_force": in_force.isoformat()})]
    if most is not None and today - published_on > most:
        return [Fault("list_stale", {**stated, "days": (today - published_on).days})]
    return []
