"""Items known to a node: own and received, in versions, corrected, recalled, run out, erased."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from random import Random
from typing import Any

import pytest
from sqlalchemy import func, select

from builders import Staff
from intelligence.items import KINDS, random_item
from isthmus.access.model import Purpose, Role, node_actor
from isthmus.intelligence import arrivals, items, keeping, reading, retention, store
from isthmus.intelligence.arrivals import Arrived
from isthmus.intelligence.codec import from_plain, to_plain
from isthmus.intelligence.keeping import Came, ItemState
from isthmus.intelligence.model import (
    Classification,
    Handling,
    Item,
    ItemKind,
    Marking,
    Tlp,
    nested,
)
from isthmus.intelligence.objects import ObjectKind
from isthmus.intelligence.tables import copy_table, object_table
from isthmus.kernel.canonical import canonical
from isthmus.kernel.errors import Conflict, Denied, Erased, Invalid, NotFound, PurposeNeeded
from isthmus.kernel.time import SetClock, isoformat
from isthmus.platform import documents
from isthmus.platform.audit import audit_table
from isthmus.platform.database import Database
from isthmus.platform.documents import chunk_table

NODE = "PA-ANA"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
MARKING = Marking(None, frozenset({Handling.H0}), Classification.NONE, Tlp.GREEN)
REASON = "checking the crew list of this call"
ALERT = {
    "reason": "seal_anomaly",
    "action": "assess",
    "containers": ["MSCU1234566"],
    "expires_at": "2026-02-01T00:00:00Z",
}
PERSONS = [{"category": "suspect", "name": "Zebedeo Quill"}, {"category": "witness", "name": "Ona"}]


def draft(database: Database, actor: Any, body: Mapping[str, Any], kind=ItemKind.ALERT) -> Item:
    return database.write(lambda tx: items.draft(tx, actor, NODE, kind, body, MARKING))


def row(database: Database, item_id: str) -> Any:
    return database.read(lambda tx: store.item(tx, item_id))


def copies(database: Database, item_id: str) -> list[tuple[int, str]]:
    rows = database.read(lambda tx: store.copies_of(tx, item_id))
    return [(one["version"], one["state"]) for one in rows]


def naming(database: Database, value: str, kind: ObjectKind = ObjectKind.CONTAINER) -> list[str]:
    rows = database.read(lambda tx: store.naming(tx, kind, [value]))
    return [one["item"] for one in rows]


def count(database: Database, table: Any) -> int:
    return int(
        database.read(lambda tx: tx.execute(select(func.count()).select_from(table)).scalar_one())
    )


# -- own items ----------------------------------------------------------------------------


def test_an_own_item_is_numbered_kept_encrypted_and_found(database: Database, staff: Staff) -> None:
    item = draft(database, staff[Role.ANALYST], ALERT)
    assert item.id.startswith("PA-ANA:alr_")
    assert (item.version, item.originator, item.made_at) == (1, NODE, NOW)
    known, held = database.read(lambda tx: reading.find(tx, staff[Role.INSPECTOR], item.id))
    assert (known["state"], known["own"], known["version"]) == ("current", True, 1)
    assert held[0].item is not None
    assert to_plain(held[0].item) == to_plain(item)
    assert naming(database, "MSCU1234566") == [item.id]
    chunks = database.read(lambda tx: tx.execute(select(chunk_table.c.body)).scalars().all())
    assert chunks
    assert not any(b"seal_anomaly" in bytes(body) for body in chunks)


def test_an_item_that_is_wrong_is_not_made(database: Database, staff: Staff) -> None:
    with pytest.raises(Invalid) as caught:
        draft(database, staff[Role.ANALYST], ALERT | {"nationality": "XX"})
    assert caught.value.where["path"] == "nationality"
    assert count(database, copy_table) == 0


def test_who_may_do_what(database: Database, staff: Staff) -> None:
    with pytest.raises(Denied):
        draft(database, staff[Role.INSPECTOR], ALERT)
    item = draft(database, node_actor(), ALERT)
    with pytest.raises(Denied):  # a person decides
        draft(database, node_actor(), ALERT | {"persons": PERSONS})
    with pytest.raises(Denied):
        database.write(lambda tx: items.recall(tx, node_actor(), item.id, "wrong"))
    with pytest.raises(Denied):
        database.write(lambda tx: items.recall(tx, staff[Role.ANALYST], item.id, "wrong"))
    with pytest.raises(Denied):
        database.read(lambda tx: reading.find(tx, staff[Role.TERMINAL], item.id))


def test_an_amendment_is_the_next_version(database: Database, staff: Staff) -> None:
    item = draft(database, staff[Role.ANALYST], ALERT)
    body = ALERT | {"containers": ["TGHU7654321"]}
    fresh = database.write(lambda tx: items.amend(tx, staff[Role.ANALYST], item.id, body))
    assert (fresh.id, fresh.version) == (item.id, 2)
    assert copies(database, item.id) == [(1, "corrected"), (2, "current")]
    assert naming(database, "MSCU1234566") == []
    assert naming(database, "TGHU7654321") == [item.id]
    with pytest.raises(NotFound):
        database.write(lambda tx: items.amend(tx, staff[Role.ANALYST], "PA-ANA:alr_0", body))


def test_persons_are_shown_to_whom_they_are_opened(database: Database, staff: Staff) -> None:
    analyst = staff[Role.ANALYST]
    item = draft(database, analyst, ALERT | {"persons": PERSONS})
    _, held = database.read(lambda tx: reading.find(tx, analyst, item.id))
    assert held[0].item is not None
    assert "persons" not in held[0].item.body
    assert "persons.0.name" in held[0].hidden
    with pytest.raises(PurposeNeeded):
        database.write(lambda tx: reading.open_persons(tx, analyst, item.id))
    _, opened = database.write(lambda tx: reading.open_persons(tx, analyst, item.id, REASON))
    assert opened[0].item is not None
    assert opened[0].item.body["persons"] == PERSONS
    kept = database.read(lambda tx: store.copies_of(tx, item.id))[0]
    assert kept["categories"] == ["suspect", "witness"]
    assert kept["purpose"] == "targeting"
    assert kept["review_on"] == NOW.date() + timedelta(days=365)
    said = database.read(lambda tx: tx.execute(select(audit_table.c.detail)).scalars().all())
    assert "Zebedeo" not in str(said)


def test_a_correction_makes_the_next_version_and_travels(database: Database, staff: Staff) -> None:
    supervisor = staff[Role.SUPERVISOR]
    item = draft(database, supervisor, ALERT | {"persons": PERSONS})
    changes = [
        {"path": "containers", "value": ["MSCU1234550"]},
        {"path": "persons.1.name", "value": "Iona", "category": "witness"},
    ]
    done = database.write(lambda tx: items.correct(tx, supervisor, item.id, changes, "misread"))
    assert (done.item.version, done.item.body["containers"]) == (2, ["MSCU1234550"])
    assert done.item.body["persons"][1]["name"] == "Iona"
    assert done.correction.kind is ItemKind.CORRECTION
    assert done.correction.body["version"] == 1
    assert naming(database, item.id, ObjectKind.ITEM) == [done.correction.id]
    with pytest.raises(Invalid):
        database.write(
            lambda tx: items.correct(
                tx, supervisor, item.id, [{"path": "containers", "value": "x"}], "misread"
            )
        )
    assert row(database, item.id)["version"] == 2


def test_an_erasure_by_law_is_no_reason_of_a_recall(database: Database, staff: Staff) -> None:
    item = draft(database, staff[Role.SUPERVISOR], ALERT)
    with pytest.raises(Invalid) as raised:
        database.write(lambda tx: items.recall(tx, staff[Role.SUPERVISOR], item.id, items.ERASURE))
    assert raised.value.code == "erasure_is_no_recall"
    with pytest.raises(Denied):
        database.write(lambda tx: items.recall_erased(tx, staff[Role.SUPERVISOR], item.id))


def test_a_recall_ends_all_versions(database: Database, staff: Staff) -> None:
    supervisor = staff[Role.SUPERVISOR]
    item = draft(database, supervisor, ALERT)
    database.write(lambda tx: items.amend(tx, supervisor, item.id, ALERT))
    told = database.write(lambda tx: items.recall(tx, supervisor, item.id, "wrong"))
    assert told.body["about"] == item.id
    assert {state for _, state in copies(database, item.id)} == {"recalled"}
    known = row(database, item.id)
    assert (known["state"], known["recall"], known["recall_reason"]) == (
        "recalled",
        told.id,
        "wrong",
    )
    assert naming(database, "MSCU1234566") == []
    assert database.read(reading.lookouts_in_force) == []
    with pytest.raises(Conflict):
        database.write(lambda tx: items.recall(tx, supervisor, item.id, "wrong"))


# -- items of partners --------------------------------------------------------------------


def theirs(
    number: str = "alr_1", kind: ItemKind = ItemKind.ALERT, version: int = 1, **body: Any
) -> Item:
    held = {**ALERT, **body} if kind is ItemKind.ALERT else body
    return Item(f"NL-DOUANE:{number}", kind, version, "NL-DOUANE", NOW, MARKING, held)


def came(source: str = "env_1", *purposes: Purpose, **more: Any) -> Came:
    return Came(source, "NL-DOUANE", frozenset(purposes or (Purpose.TARGETING,)), **more)


def take(database: Database, item: Item, how: Came | None = None) -> Arrived:
    return database.write(lambda tx: arrivals.receive(tx, node_actor(), item, how or came()))


def test_what_came_is_entered_once(database: Database, staff: Staff) -> None:
    first = take(database, theirs())
    again = take(database, theirs())
    assert (first.new, again.new, again.copy_id) == (True, False, first.copy_id)
    assert row(database, "NL-DOUANE:alr_1")["own"] is False
    with pytest.raises(Denied):
        database.write(
            lambda tx: items.amend(tx, staff[Role.ANALYST], "NL-DOUANE:alr_1", dict(ALERT))
        )


def test_a_part_of_an_item_is_enough(database: Database) -> None:
    part = theirs(persons=PERSONS).paths()
    for path in ("reason", "persons.0.category", "persons.0.name"):
        del part[path]
    item = replace(theirs(), body=nested(part))
    take(database, item)
    (lookout,) = database.read(reading.lookouts_in_force)
    assert lookout.item.paths() == part


def test_our_own_item_does_not_come_back(database: Database, staff: Staff) -> None:
    item = draft(database, staff[Role.ANALYST], ALERT)
    with pytest.raises(Denied, match="originated"):
        take(database, replace(item, version=2))


def test_purpose_holds_after_arrival(database: Database) -> None:
    take(database, theirs("alr_1"), came("env_1", Purpose.JUDICIAL))
    take(database, theirs("alr_2"), came("env_2", Purpose.TARGETING))
    take(database, theirs("alr_3"), came("env_3", use_until=NOW + timedelta(hours=1)))
    found = database.read(reading.lookouts_in_force)
    assert [one.item.id for one in found] == ["NL-DOUANE:alr_2", "NL-DOUANE:alr_3"]
    named = database.read(
        lambda tx: reading.lookouts_naming(tx, ObjectKind.CONTAINER, ["MSCU1234566", "XXXU1234567"])
    )
    assert [one.item.id for one in named["MSCU1234566"]] == ["NL-DOUANE:alr_2", "NL-DOUANE:alr_3"]
    assert set(named) == {"MSCU1234566"}


def test_copies_for_one_purpose_are_read_together_and_others_not(database: Database) -> None:
    whole = theirs(seals=["SL1"], budget_share=5)
    paths = whole.paths()

    def some(*names: str) -> Item:
        return replace(whole, body={name: paths[name] for name in (*names, "expires_at")})

    take(database, some("containers"), came("env_1"))
    take(database, some("seals"), came("env_2"))
    take(database, some("budget_share"), came("env_3", Purpose.JUDICIAL))
    (lookout,) = database.read(reading.lookouts_in_force)
    assert set(lookout.item.body) == {"containers", "seals", "expires_at"}
    assert len(lookout.copies) == 2


def test_a_newer_version_supersedes_whatever_the_order(database: Database) -> None:
    take(database, theirs(version=2), came("env_2"))
    late = take(database, theirs(version=1), came("env_1"))
    assert late.state is ItemState.CORRECTED
    take(database, theirs(version=3), came("env_3"))
    assert copies(database, "NL-DOUANE:alr_1") == [
        (1, "corrected"),
        (2, "corrected"),
        (3, "current"),
    ]


def correction(number: str, version: int, *changes: Mapping[str, Any]) -> Item:
    return Item(
        f"NL-DOUANE:{number}",
        ItemKind.CORRECTION,
        1,
        "NL-DOUANE",
        NOW,
        MARKING,
        {
            "about": "NL-DOUANE:alr_1",
            "about_kind": "alert",
            "version": version,
            "reason": "misread",
            "changes": [dict(change) for change in changes],
        },
    )


def recall(number: str = "rcl_1", about: str = "NL-DOUANE:alr_1") -> Item:
    body = {"about": about, "about_kind": "alert", "reason": "wrong"}
    return Item(f"NL-DOUANE:{number}", ItemKind.RECALL, 1, "NL-DOUANE", NOW, MARKING, body)


FIRST = correction("cor_1", 1, {"path": "containers", "value": ["MSCU1234550"]})
SECOND = correction("cor_2", 2, {"path": "budget_share"}, {"path": "seals", "value": ["SL9"]})


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_corrections_reach_their_version_whatever_the_order(
    database: Database, order: tuple[int, ...]
) -> None:
    arriving = [theirs(budget_share=10), FIRST, SECOND]
    for place in order:
        take(database, arriving[place], came(f"env_{place}"))
    (lookout,) = database.read(reading.lookouts_in_force)
    assert lookout.item.version == 3
    assert lookout.item.body["containers"] == ["MSCU1234550"]
    assert "budget_share" not in lookout.item.body
    # A correction brings no path that was not released.
    assert "seals" not in lookout.item.body
    assert naming(database, "MSCU1234550") == ["NL-DOUANE:alr_1"]
    assert naming(database, "MSCU1234566") == []


def test_a_correction_keeps_purpose_and_time_of_each_copy(database: Database) -> None:
    until = NOW + timedelta(days=3)
    take(database, theirs(), came("env_1", Purpose.JUDICIAL, use_until=until))
    take(database, theirs(), came("env_2", Purpose.TARGETING))
    assert take(database, FIRST, came("env_3")).changed == 2
    held = database.read(lambda tx: store.copies_of(tx, "NL-DOUANE:alr_1"))
    fresh = [one for one in held if one["version"] == 2]
    assert [one["purposes"] for one in fresh] == [["judicial"], ["targeting"]]
    assert fresh[0]["expires_at"] == until


def test_a_recall_that_overtakes_its_item_leaves_a_tombstone(database: Database) -> None:
    take(database, recall(), came("env_1"))
    known = row(database, "NL-DOUANE:alr_1")
    assert (known["state"], known["version"], known["kind"]) == ("recalled", 0, "alert")
    late = take(database, theirs(), came("env_2"))
    assert late.state is ItemState.RECALLED
    assert database.read(reading.lookouts_in_force) == []
    assert naming(database, "MSCU1234566") == []
    held = database.read(lambda tx: store.copies_of(tx, "NL-DOUANE:alr_1"))
    assert held[0]["document_id"] is None


def test_a_recall_ends_use_and_keeps_what_is_held(database: Database, staff: Staff) -> None:
    take(database, theirs(), came("env_1"))
    assert take(database, recall(), came("env_2")).changed == 1
    known, held = database.read(lambda tx: reading.find(tx, staff[Role.AUDITOR], "NL-DOUANE:alr_1"))
    assert known["recall_reason"] == "wrong"
    assert held[0].item is not None
    assert database.read(reading.lookouts_in_force) == []


@pytest.mark.parametrize("wrong", [FIRST, recall()])
def test_only_the_originator_corrects_and_recalls(database: Database, wrong: Item) -> None:
    take(database, theirs(), came("env_1"))
    forged = replace(wrong, id=wrong.id.replace("NL-DOUANE", "BE-AAD"), originator="BE-AAD")
    with pytest.raises(Denied, match="originator"):
        take(database, forged, came("env_2"))
    assert copies(database, "NL-DOUANE:alr_1") == [(1, "current")]


def test_what_runs_out_is_used_no_longer(database: Database, clock: SetClock) -> None:
    take(database, theirs(), came("env_1", use_until=NOW + timedelta(days=1)))
    clock.advance(timedelta(days=1))
    assert database.read(reading.lookouts_in_force) == []
    assert database.write(lambda tx: retention.expire(tx, node_actor())) == ["NL-DOUANE:alr_1"]
    assert database.write(lambda tx: retention.expire(tx, node_actor())) == []
    assert row(database, "NL-DOUANE:alr_1")["state"] == "expired"
    late = take(database, theirs("alr_2", expires_at=isoformat(NOW)), came("env_2"))
    assert late.state is ItemState.EXPIRED


# -- keeping and erasing ------------------------------------------------------------------


def test_an_erased_item_is_gone_with_what_corrected_it(database: Database, staff: Staff) -> None:
    take(database, theirs(persons=PERSONS), came("env_1"))
    change = {"path": "persons.0.name", "value": "Z. Quill", "category": "suspect"}
    take(database, correction("cor_1", 1, change), came("env_2"))
    scope = database.write(lambda tx: retention.erase_item(tx, "NL-DOUANE:alr_1", "ers_1"))
    assert scope == {"item_copy": 3, "document": 3}
    again = database.write(lambda tx: retention.erase_item(tx, "NL-DOUANE:alr_1", "ers_1"))
    assert again == {"item_copy": 0, "document": 0}
    assert count(database, chunk_table) == 0
    assert count(database, object_table) == 0
    known, held = database.read(lambda tx: reading.find(tx, staff[Role.ANALYST], "NL-DOUANE:alr_1"))
    assert known["state"] == "erased"
    assert all(one.item is None and one.row["categories"] == [] for one in held)


def test_a_legal_hold_keeps(database: Database, staff: Staff, clock: SetClock) -> None:
    today = NOW.date()
    take(database, theirs("alr_1"), came("env_1", keep_until=today + timedelta(days=1)))
    take(database, theirs("alr_2"), came("env_2", keep_until=today + timedelta(days=1)))
    officer = staff[Role.DATA_PROTECTION_OFFICER]
    database.write(lambda tx: retention.set_hold(tx, officer, "NL-DOUANE:alr_1", held=True))
    with pytest.raises(Conflict):
        database.read(lambda tx: retention.check_hold(tx, "NL-DOUANE:alr_1"))
    clock.advance(timedelta(days=1))
    assert database.write(lambda tx: retention.sweep(tx, node_actor())) == 1
    assert row(database, "NL-DOUANE:alr_1")["state"] == "current"
    assert row(database, "NL-DOUANE:alr_2")["state"] == "erased"
    database.write(lambda tx: retention.set_hold(tx, officer, "NL-DOUANE:alr_1", held=False))
    assert database.write(lambda tx: retention.sweep(tx, node_actor())) == 1


def test_the_desk_shows_items_the_last_changed_first(
    database: Database, staff: Staff, clock: SetClock
) -> None:
    first = draft(database, staff[Role.ANALYST], ALERT)
    clock.advance(timedelta(minutes=1))
    take(database, theirs(), came("env_1"))

    def ids(wanted: store.Wanted) -> list[str]:
        rows = database.read(lambda tx: reading.desk(tx, staff[Role.AUDITOR], wanted, 10))
        return [one["id"] for one in rows]

    assert ids(store.Wanted()) == ["NL-DOUANE:alr_1", first.id]
    assert ids(store.Wanted(own=True)) == [first.id]
    assert ids(store.Wanted(partner="NL-DOUANE")) == ["NL-DOUANE:alr_1"]
    assert ids(store.Wanted(kinds=["seizure"])) == []


def test_objects_that_may_be_asked_about(database: Database) -> None:
    body = {
        "seals": ["SL1"],
        "vessels": [{"imo": "9074729", "name": "X"}, {"name": "no number"}],
        "vehicles": [{"plate": "AB1234"}],
        "documents": [{"number": "BL-1"}],
        "persons": PERSONS,
    }
    take(database, theirs(**body), came("env_1"))
    kinds = tuple(ObjectKind)
    found = database.read(lambda tx: list(reading.objects_known(tx, kinds)))
    assert {(one["kind"], one["value"]) for one in found} == {
        ("container", "MSCU1234566"),
        ("seal", "SL1"),
        ("vessel", "9074729"),
        ("vehicle", "AB1234"),
        ("document", "BL-1"),
    }


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_kept_and_read_again(database: Database, kind: ItemKind) -> None:
    item = random_item(Random(5), kind)
    if kind in (ItemKind.CORRECTION, ItemKind.RECALL):
        about = item.originator + ":" + item.body["about"].partition(":")[2]
        item = replace(item, body={**item.body, "about": about})
    assert to_plain(from_plain(to_plain(item))) == to_plain(item)
    arrived = take(database, item)
    held = database.read(lambda tx: store.copies_of(tx, item.id))
    assert [one["id"] for one in held] == [arrived.copy_id]
    content = database.read(lambda tx: b"".join(documents.read(tx, held[0]["document_id"])))
    assert canonical(to_plain(item)) in content


def test_what_is_not_kept_is_said_to_be_erased(database: Database) -> None:
    take(database, recall(), came("env_1"))
    take(database, theirs(), came("env_2"))
    held = database.read(lambda tx: store.copies_of(tx, "NL-DOUANE:alr_1"))[0]
    with pytest.raises(Erased):
        database.read(lambda tx: keeping.load(tx, held))
