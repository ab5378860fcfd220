"""Taking lists in: kept first, judged, and in force as a whole or not at all.

Each file is stored verbatim and sealed before it is read. A file that is wrong leaves its document
and an alarm; the version in force stays. A good one becomes the next version in this one
transaction: what is new or changed begins with it, what is gone ends with it.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy import RowMapping

from isthmus.access.gate import check
from isthmus.access.model import Actor, Permission
from isthmus.kernel.canonical import digest
from isthmus.kernel.errors import Invalid, TooLarge
from isthmus.kernel.ids import new_id
from isthmus.parties import store
from isthmus.parties.hit import LOCK
from isthmus.parties.lists import health
from isthmus.parties.lists.alarms import raise_alarms
from isthmus.parties.lists.catalogue import Read, WatchList, watch_list
from isthmus.parties.lists.health import Content
from isthmus.parties.lists.remarks import may_be_person
from isthmus.parties.model import Entry, Fault
from isthmus.platform import audit, documents, events
from isthmus.platform.transaction import Transaction

# All files of one list together: they stand in memory while they are read. A default of ours,
# twenty times the largest list that was measured.
MOST_BYTES = 128 << 20
REASON_MIN = 12
# A person's entry is looked at again once a year while it stands, and kept this long after it
# left the list, so that past decisions can be explained. Defaults of ours.
REVIEW_AFTER = timedelta(days=365)
RETAIN_FOR = timedelta(days=5 * 365)


# Day of publication, licence, and what was overruled for which reason.
Terms = tuple[date | None, str | None, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class File:
    """One file of a list, as it was given."""

    name: str
    content: bytes


@dataclass(slots=True)
class Outcome:
    """What became of a list's files: ``taken``, ``unchanged`` or ``refused``."""

    list_code: str
    state: str
    version: int | None  # the version in force afterwards
    documents: list[str]
    counts: dict[str, int]
    changes: dict[str, int] = field(default_factory=dict)
    rejected: dict[str, int] = field(default_factory=dict)  # by reason
    alarms: list[Fault] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        """Return the outcome as plain values."""
        return {
            "list": self.list_code,
            "state": self.state,
            "version": self.version,
            "documents": self.documents,
            "counts": self.counts,
            "changes": self.changes,
            "rejected": self.rejected,
            "alarms": [{"code": alarm.code, **alarm.detail} for alarm in self.alarms],
        }


def take(
    tx: Transaction,
    actor: Actor,
    list_code: str,
    files: Sequence[File],
    *,
    published_on: date | None = None,
    licence: str | None = None,
    overrule: str | None = None,
    read: Read | None = None,
) -> Outcome:
    """Take in the files of one publication of a list.

    ``licence`` says under which terms the data were got; some lists need it. ``overrule`` is the
    reason for which a person takes a file in spite of an alarm that may be overruled (a list that
    did shrink). ``read`` reads another form of the same list, such as a workbook.

    A wrong file raises nothing, for its document and alarm must stay: see the outcome's state.
    Raises ``Denied``, ``TooLarge`` and ``Invalid`` before anything is stored.
    """
    check(tx, actor, Permission.LIST_TAKE, object_id=list_code)
    known = watch_list(list_code)
    _check_request(known, files, licence, overrule)
    tx.lock([f"list:{list_code}"])
    ids = [_keep(tx, actor, known, file) for file in files]
    before = store.in_force(tx, list_code)
    readings = (read or known.read)([io.BytesIO(file.content) for file in files])
    content = health.gather(readings)
    found = _judged(tx, known, content, published_on, before)
    outcome = Outcome(
        list_code,
        "refused",
        before["number"] if before else None,
        ids,
        content.counts(),
        rejected=content.reasons,
        alarms=found,
    )
    if any(overrule is None or one.code not in health.OVERRULABLE for one in found):
        _refuse(tx, actor, outcome)
        return outcome
    accepted = {"reason": overrule, "alarms": [one.code for one in found]} if found else {}
    _accept(tx, actor, outcome, content, before, (published_on, licence, accepted))
    return outcome


def _judged(
    tx: Transaction,
    known: WatchList,
    content: Content,
    published_on: date | None,
    before: RowMapping | None,
) -> list[Fault]:
    found = health.judge(content, before["counts"] if before else None)
    newest = before["published_on"] if before else None
    return found + health.judge_age(published_on, newest, tx.now.date(), known.most_age)


def _check_request(
    known: WatchList, files: Sequence[File], licence: str | None, overrule: str | None
) -> None:
    if not files:
        raise Invalid("list_files_missing", "name the files of the list", list=known.code)
    size = sum(len(file.content) for file in files)
    if size > MOST_BYTES:
        raise TooLarge("too_large", f"{size:,} bytes; a list may have {MOST_BYTES:,}")
    if known.licence_needed and not (licence or "").strip():
        raise Invalid("list_licence_missing", "say under which licence the data were got")
    if overrule is not None and len(" ".join(overrule.split())) < REASON_MIN:
        raise Invalid("reason_needed", f"say why, in at least {REASON_MIN} characters")


def _keep(tx: Transaction, actor: Actor, known: WatchList, file: File) -> str:
    """Store a file verbatim, with the audit row of its receipt."""
    stored = documents.put(
        tx, file.content, kind=f"list.{known.code}", source=file.name, actor=actor.id
    )
    if stored.new:
        audit.record(
            tx,
            actor.id,
            "document.receive",
            "document",
            stored.id,
            agency=actor.agency,
            object_digest=stored.digest,
            format=f"list.{known.code}",
            size=stored.size,
        )
    return stored.id


def _refuse(tx: Transaction, actor: Actor, outcome: Outcome) -> None:
    raise_alarms(
        tx, actor.id, outcome.list_code, outcome.alarms, outcome.documents, outcome.version
    )
    audit.record(
        tx,
        actor.id,
        "list.refuse",
        "list",
        outcome.list_code,
        agency=actor.agency,
        alarms=[alarm.code for alarm in outcome.alarms],
        documents=outcome.documents,
    )


def _accept(
    tx: Transaction,
    actor: Actor,
    outcome: Outcome,
    content: Content,
    before: RowMapping | None,
    terms: Terms,
) -> None:
    digests = {key: entry.digest() for key, entry in content.entries.items()}
    root = digest(sorted((key, value.hex()) for key, value in digests.items()))
    tx.lock([LOCK])  # nobody enters what was found by a version that ends here
    store.end_alarms(tx, outcome.list_code)
    if before is not None and root == before["root"]:
        outcome.state = "unchanged"
        store.confirm_version(tx, before["id"], terms[0])
        _audit_taken(tx, actor, outcome, before["id"], root)
        return
    standing = store.standing(tx, outcome.list_code)
    added = digests.keys() - standing.keys()
    removed = standing.keys() - digests.keys()
    changed = {key for key in digests.keys() & standing.keys() if digests[key] != standing[key]}
    number = (before["number"] if before else 0) + 1
    today = tx.now.date()
    store.end_entries(tx, outcome.list_code, removed | changed, number, today + RETAIN_FOR)
    store.insert_entries(
        tx,
        [
            _row(outcome.list_code, number, entry, digests[key], today)
            for key, entry in content.entries.items()
            if key in added or key in changed
        ],
    )
    outcome.state, outcome.version = "taken", number
    outcome.changes = {"added": len(added), "removed": len(removed), "changed": len(changed)}
    version_id = _enter_version(tx, actor, outcome, root, terms)
    _audit_taken(tx, actor, outcome, version_id, root)
    events.emit(tx, "list.taken", outcome.list_code, version=number, **outcome.changes)


def _enter_version(
    tx: Transaction, actor: Actor, outcome: Outcome, root: bytes, terms: Terms
) -> str:
    published_on, licence, accepted = terms
    version_id = new_id("lsv")
    store.insert_version(
        tx,
        {
            "id": version_id,
            "list": outcome.list_code,
            "number": outcome.version,
            "state": "in_force",
            "published_on": published_on,
            "taken_at": tx.now,
            "taken_by": actor.id,
            "confirmed_at": tx.now,
            "licence": licence,
            "documents": outcome.documents,
            "counts": outcome.counts,
            "changes": outcome.changes,
            "accepted": accepted,
            "root": root,
        },
    )
    return version_id


def _audit_taken(
    tx: Transaction, actor: Actor, outcome: Outcome, version_id: str, root: bytes
) -> None:
    audit.record(
        tx,
        actor.id,
        "list.take",
        "list_version",
        version_id,
        agency=actor.agency,
        object_digest=root,
        list=outcome.list_code,
        state=outcome.state,
        overruled=[alarm.code for alarm in outcome.alarms],
        documents=outcome.documents,
    )


def _row(list_code: str, number: int, entry: Entry, made: bytes, today: date) -> dict[str, Any]:
    """Return the row of an entry; what may be a person stands under the rules for persons."""
    person = may_be_person(entry.kind)
    purpose = entry.lookout.purpose if entry.lookout else "targeting"
    return {
        "id": new_id("lse"),
        "list": list_code,
        "key": entry.key,
        "from_version": number,
        "until_version": None,
        "kind": entry.kind.value,
        "body": entry.plain(),
        "digest": made,
        "expires_on": entry.lookout.expires_on if entry.lookout else None,
        # A list does not say of whom it suspects what: nobody is classed by being on one.
        "category": "unclassified" if person else None,
        "purpose": purpose if person else None,
        "review_on": today + REVIEW_AFTER if person else None,
        "retain_until": None,
        "erasure_id": None,
    }
