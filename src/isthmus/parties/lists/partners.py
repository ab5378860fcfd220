"""Who is named in partners' alerts: entries that come with an alert and go with it.

No file brings them. An alert that came for targeting enters its companies and ships, and of its
persons those that are suspected or convicted; what its sender withheld is not there to be
entered. An entry ends when its alert is recalled, corrected, expired or erased, and then nothing
of it is kept: what the alert said stands in the alert's own copy, as long as that may be kept.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import RowMapping

from isthmus.access.model import Actor, Purpose
from isthmus.intelligence.model import Item
from isthmus.kernel.canonical import digest
from isthmus.kernel.ids import new_id
from isthmus.parties import store
from isthmus.parties.hit import LOCK
from isthmus.parties.model import (
    Address,
    Date,
    DateKind,
    Entry,
    EntryKind,
    Identifier,
    IdentifierKind,
    Lookout,
    Name,
    NameKind,
)
from isthmus.platform import audit, events
from isthmus.platform.transaction import Transaction
from isthmus.reference.check_digits import imo_valid, normalise_imo

LIST = "partners"
ENDED = "alert_ended"
"""What stands in the place of an erasure where an entry went with its alert."""

WATCHED = frozenset({"suspect", "convicted"})
"""Of the persons of an alert, these are watched for; nobody looks for a witness or a victim."""

_PAPERS = {
    "passport": IdentifierKind.PASSPORT,
    "identity_card": IdentifierKind.NATIONAL_ID,
}


def asked_by(key: str) -> tuple[str, str]:
    """Return the item and the partner behind an entry's key."""
    item, partner, _ = key.split("/", 2)
    return item, partner


def entries_of(item: Item, copy: RowMapping) -> Iterator[tuple[Entry, str | None]]:
    """Yield the entries that a copy of an alert gives, with the category of a person."""
    lookout = Lookout(Purpose.TARGETING.value, str(copy["partner"]), copy["expires_at"].date())

    def key(path: str) -> str:
        return f"{item.id}/{copy['partner']}/{copy['id']}/{path}"

    for place, one in enumerate(item.body.get("companies", ())):
        numbers = _numbers(one, registration_number=IdentifierKind.REGISTRATION)
        yield _entry(key(f"companies.{place}"), EntryKind.COMPANY, one, numbers, lookout), None
    for place, one in enumerate(item.body.get("vessels", ())):
        kinds = {"mmsi": IdentifierKind.MMSI, "call_sign": IdentifierKind.CALL_SIGN}
        numbers = _numbers(one, **kinds)
        if "imo" in one and imo_valid(one["imo"]):
            numbers += (Identifier(IdentifierKind.IMO, normalise_imo(one["imo"])),)
        yield _entry(key(f"vessels.{place}"), EntryKind.VESSEL, one, numbers, lookout), None
    for place, one in enumerate(item.body.get("persons", ())):
        if one.get("category") in WATCHED:
            paper = _PAPERS.get(one.get("document_kind", ""), IdentifierKind.OTHER)
            numbers = _numbers(one, document_number=paper)
            entry = _entry(key(f"persons.{place}"), EntryKind.PERSON, one, numbers, lookout)
            yield entry, str(one["category"])


def _numbers(one: Mapping[str, Any], **kinds: IdentifierKind) -> tuple[Identifier, ...]:
    return tuple(Identifier(kind, one[name]) for name, kind in kinds.items() if name in one)


def _entry(
    key: str,
    kind: EntryKind,
    one: Mapping[str, Any],
    numbers: tuple[Identifier, ...],
    lookout: Lookout,
) -> Entry:
    names = [Name(one["name"], NameKind.PRIMARY)] if "name" in one else []
    names += [Name(text, NameKind.AKA) for text in one.get("aliases", ())]
    country = one.get("country", "")
    born = (Date(DateKind.BIRTH, one["birth_date"]),) if "birth_date" in one else ()
    return Entry(
        key,
        kind,
        tuple(names),
        (Address(one["address"], country),) if "address" in one else (),
        numbers,
        dates=born,
        lookout=lookout,
    )


def follow(
    tx: Transaction, actor: Actor, item_id: str, told: Sequence[tuple[Item, RowMapping]]
) -> bool:
    """Let the entries of an alert be those that its copies in force give; true if any changed.

    ``told`` are the copies in force that came for targeting; none when the alert is over.
    """
    tx.lock([f"list:{LIST}"])
    mine = store.standing_under(tx, LIST, f"{item_id}/")
    wanted = {
        entry.key: (entry, category, copy)
        for item, copy in told
        for entry, category in entries_of(item, copy)
        if entry.names or entry.identifiers
    }
    digests = {key: entry.digest() for key, (entry, _, _) in wanted.items()}
    over = sorted(mine - digests.keys())
    fresh = [key for key in digests if key not in mine]  # a copy never changes, so no entry does
    if not over and not fresh:
        return False
    tx.lock([LOCK])  # nobody enters what was found by a version that ends here
    before = store.in_force(tx, LIST)
    number = (before["number"] if before else 0) + 1
    today = tx.now.date()
    store.end_entries(tx, LIST, over, number, today)
    store.forget_entries(tx, LIST, over, ENDED)
    rows = [_row(number, *wanted[key], digests[key], today) for key in fresh]
    store.insert_entries(tx, rows)
    changes = {"added": len(fresh), "removed": len(over)}
    _enter_version(tx, actor, number, store.standing(tx, LIST), changes)
    return True


def _row(
    number: int, entry: Entry, category: str | None, copy: RowMapping, made: bytes, today: date
) -> dict[str, Any]:
    """Return the row of an entry; a person's is looked at again when the alert's copy is."""
    return {
        "id": new_id("lse"),
        "list": LIST,
        "key": entry.key,
        "from_version": number,
        "until_version": None,
        "kind": entry.kind.value,
        "body": entry.plain(),
        "digest": made,
        "expires_on": copy["expires_at"].date(),
        "category": category,
        "purpose": Purpose.TARGETING.value if category else None,
        "review_on": (copy["review_on"] or today) if category else None,
        "retain_until": None,
        "erasure_id": None,
    }


def _enter_version(
    tx: Transaction,
    actor: Actor,
    number: int,
    held: Mapping[str, bytes | None],
    changes: Mapping[str, int],
) -> None:
    version_id = new_id("lsv")
    root = digest(sorted((key, made.hex() if made else "") for key, made in held.items()))
    store.insert_version(
        tx,
        {
            "id": version_id,
            "list": LIST,
            "number": number,
            "state": "in_force",
            "published_on": None,
            "taken_at": tx.now,
            "taken_by": actor.id,
            "confirmed_at": tx.now,
            "licence": None,
            "documents": [],
            "counts": {"entries": len(held)},
            "changes": {**changes, "changed": 0},
            "accepted": {},
            "root": root,
        },
    )
    audit.record(
        tx,
        actor.id,
        "list.follow",
        "list_version",
        version_id,
        agency=actor.agency,
        object_digest=root,
        list=LIST,
        changes=dict(changes),
    )
    events.emit(tx, "list.taken", LIST, version=number, **changes, changed=0)
