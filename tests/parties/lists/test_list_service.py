"""Lists taken in: versions, differences, alarms; a wrong file leaves the last good one standing."""

import io
from datetime import date, timedelta

import list_samples as made_up
import pytest

from isthmus.access.gate import scope
from isthmus.access.model import Actor, ActorKind, Permission, Reach
from isthmus.access.roles import ROLES, Role
from isthmus.kernel.errors import Denied, Invalid, NotFound, TooLarge
from isthmus.parties import store
from isthmus.parties.lists import alarms, difference, service, status
from isthmus.parties.lists.service import File
from isthmus.platform import documents, verification
from isthmus.platform.events import event_table

WHY = "The publisher struck a whole programme."


def person(role: Role) -> Actor:
    """A person with one role everywhere."""
    reach = Reach(ROLES[role].permissions, "agy_1")
    return Actor("usr_1", ActorKind.PERSON, "agy_1", (reach,))


BOSS = person(Role.SUPERVISOR)


def files(streams) -> list[File]:
    return [File(f"part{place}.csv", one.read()) for place, one in enumerate(streams)]


def take(database, code, streams, **more):
    given = files(streams)
    return database.write(lambda tx: service.take(tx, BOSS, code, given, **more))


def wide(count: int, first: int = 1000):
    return [made_up.sdn_row(first + n, f"FICTA {n} S.A.") for n in range(count)]


def bodies(database, code, day=date(2026, 1, 1)):
    return database.read(
        lambda tx: {row["key"]: row["body"] for row in store.entries_in_force(tx, code, day)}
    )


def diff(database, code, *numbers):
    return database.read(lambda tx: difference.diff(tx, BOSS, code, *numbers))


def statuses(database):
    return {one["list"]: one for one in database.read(lambda tx: status.status(tx, BOSS))}


@pytest.mark.parametrize(
    ("code", "streams", "expected"),
    [
        ("ofac", made_up.ofac, 4),
        ("us-csl", made_up.csl, 2),
        ("bis", made_up.bis, 1),
        ("us-isn", made_up.bis_json, 1),
        ("ftm", made_up.ftm, 2),
        ("csv", made_up.lookouts, 2),
    ],
)
def test_each_list_comes_into_force(database, code, streams, expected):
    outcome = take(database, code, streams(), licence="CC BY-NC 4.0, by agreement")
    assert (outcome.state, outcome.version, outcome.alarms) == ("taken", 1, [])
    assert outcome.changes == {"added": expected, "removed": 0, "changed": 0}
    assert len(bodies(database, code)) == expected
    assert statuses(database)[code]["counts"]["entries"] == expected


def test_the_files_are_kept_as_they_came_and_the_audit_vouches_for_them(sqlite_database):
    given = files(made_up.ofac())
    outcome = sqlite_database.write(lambda tx: service.take(tx, BOSS, "ofac", given))

    def kept(tx):
        return [b"".join(documents.read(tx, name)) for name in outcome.documents]

    assert sqlite_database.read(kept) == [file.content for file in given]
    checked = list(verification.check_documents(sqlite_database, None, lambda *_: None))
    assert checked == []


def test_versions_and_their_difference(database):
    take(database, "ofac", made_up.ofac(made_up.SDN_ROWS + wide(20)))
    rows = [*made_up.SDN_ROWS[1:], *wide(21)]
    rows[1] = made_up.sdn_row(102, "STELLA NOVA", "vessel")
    alt = [["1000", "1", "aka", "SHORT NAME", made_up.NONE]]
    outcome = take(database, "ofac", made_up.ofac(rows, alt, []), overrule=WHY)
    assert outcome.changes == {"added": 1, "removed": 1, "changed": 2}
    found = diff(database, "ofac")
    assert (found["from"], found["to"]) == (1, 2)
    assert (found["added"], found["removed"]) == (["1020"], ["100"])
    assert [one["key"] for one in found["changed"]] == ["1000", "102"]
    assert found["changed"][0]["fields"] == ["names"]
    assert set(found["changed"][1]["fields"]) == {"names", "identifiers", "remarks"}
    assert "100" not in bodies(database, "ofac")
    third = take(database, "ofac", made_up.ofac(made_up.SDN_ROWS + wide(21)))
    assert third.version == 3
    back = diff(database, "ofac", 1, 3)
    assert (back["added"], back["removed"], back["changed"]) == (["1020"], [], [])
    assert len(diff(database, "ofac", 0, 1)["added"]) == 24


def test_versions_that_are_not_there_are_refused(sqlite_database):
    take(sqlite_database, "csv", made_up.lookouts())
    with pytest.raises(NotFound):
        diff(sqlite_database, "csv", 1, 2)
    with pytest.raises(Invalid):
        diff(sqlite_database, "csv", 1, 0)


def cut(streams, by):
    first, *others = streams
    content = first.read()
    return [io.BytesIO(content[:-by]), *others]


def renamed():
    return [io.BytesIO(made_up.csl()[0].read().replace(b'"alt_names"', b'"aliases"', 1))]


BROKEN = [
    ("ofac", lambda: [io.BytesIO(b"")], "list_empty"),
    ("ofac", lambda: [io.BytesIO(b"\x1a")], "list_part_missing"),
    ("ofac", lambda: cut(made_up.ofac(), 40), "list_truncated"),
    ("ofac", made_up.csl, "list_schema_wrong"),
    ("ofac", lambda: made_up.ofac(made_up.SDN_ROWS[:3]), "list_shrunken"),
    ("ofac", lambda: made_up.ofac(made_up.SDN_ROWS, []), "list_shrunken"),
    ("ofac", lambda: made_up.ofac([*made_up.SDN_ROWS, ["x"] * 12]), "list_rejected"),
    ("us-csl", renamed, "list_columns_missing"),
    ("us-csl", lambda: [made_up.table(made_up.CSL_COLUMNS, [])], "list_empty"),
    ("us-csl", made_up.bis_json, "list_truncated"),
    ("bis", lambda: made_up.bis_json([]), "list_empty"),
    ("ftm", lambda: cut(made_up.ftm(), 12), "list_truncated"),
]
GOOD = {"ofac": made_up.ofac, "us-csl": made_up.csl, "bis": made_up.bis, "ftm": made_up.ftm}


@pytest.mark.parametrize(("code", "streams", "alarm"), BROKEN)
def test_a_wrong_file_raises_an_alarm_and_the_last_good_version_stays(
    sqlite_database, code, streams, alarm
):
    take(sqlite_database, code, GOOD[code](), licence="own")
    before = bodies(sqlite_database, code)
    outcome = take(sqlite_database, code, streams(), licence="own")
    assert (outcome.state, outcome.version) == ("refused", 1)
    assert alarm in [one.code for one in outcome.alarms]
    assert bodies(sqlite_database, code) == before
    told = statuses(sqlite_database)[code]
    assert told["version"] == 1
    assert alarm in [one["code"] for one in told["alarms"]]
    # A good file ends the alarm.
    assert take(sqlite_database, code, GOOD[code](), licence="own").state == "unchanged"
    assert statuses(sqlite_database)[code]["alarms"] == []


def test_a_wrong_first_file_leaves_no_version(sqlite_database):
    outcome = take(sqlite_database, "ofac", made_up.csl())
    assert (outcome.state, outcome.version) == ("refused", None)
    assert statuses(sqlite_database)["ofac"]["version"] is None


def test_the_alarm_is_told_as_an_event_without_any_name(sqlite_database):
    take(sqlite_database, "ofac", made_up.ofac())
    take(sqlite_database, "ofac", made_up.ofac(made_up.SDN_ROWS[:3]))

    def read(tx):
        return [(row.kind, row.object_id, row.payload) for row in tx.execute(event_table.select())]

    told = sqlite_database.read(read)
    assert [kind for kind, _, _ in told][:1] == ["list.taken"]
    assert {(kind, code) for kind, code, _ in told[1:]} == {("list.alarm", "ofac")}
    assert "FICTA" not in str(told)


def test_a_shrunken_list_states_the_share_and_a_person_may_overrule_it(sqlite_database):
    take(sqlite_database, "ofac", made_up.ofac(wide(20), [], []))
    smaller = wide(15)
    refused = take(sqlite_database, "ofac", made_up.ofac(smaller, [], []))
    assert [alarm.detail for alarm in refused.alarms] == [
        {"measure": measure, "before": 20, "now": 15, "share": 0.25}
        for measure in ("entries", "names")
    ]
    with pytest.raises(Invalid):
        take(sqlite_database, "ofac", made_up.ofac(smaller, [], []), overrule="ok")
    taken = take(sqlite_database, "ofac", made_up.ofac(smaller, [], []), overrule=WHY)
    assert (taken.state, taken.changes["removed"]) == ("taken", 5)
    (newest, _) = sqlite_database.read(
        lambda tx: store.versions(tx, scope(BOSS, Permission.LIST_READ), "ofac")
    )
    assert newest["accepted"]["reason"] == WHY


def test_a_truncated_list_cannot_be_overruled(sqlite_database):
    take(sqlite_database, "ofac", made_up.ofac())
    outcome = take(sqlite_database, "ofac", cut(made_up.ofac(), 40), overrule=WHY)
    assert outcome.state == "refused"


def test_a_reordered_list_says_nothing_new(sqlite_database, clock):
    take(sqlite_database, "ofac", made_up.ofac())
    clock.advance(timedelta(days=1))
    streams = made_up.ofac(made_up.SDN_ROWS[::-1], made_up.ALT_ROWS[::-1])
    outcome = take(sqlite_database, "ofac", streams)
    assert (outcome.state, outcome.version) == ("unchanged", 1)
    assert statuses(sqlite_database)["ofac"]["age_days"] == 0


def test_a_list_older_than_the_one_in_force_is_refused(sqlite_database, clock):
    take(sqlite_database, "ofac", made_up.ofac(), published_on=date(2026, 1, 1))
    older = take(
        sqlite_database, "ofac", made_up.ofac(), published_on=date(2025, 12, 31), overrule=WHY
    )
    assert [alarm.code for alarm in older.alarms] == ["list_older"]
    ahead = take(sqlite_database, "ofac", made_up.ofac(), published_on=date(2026, 1, 9))
    assert [alarm.code for alarm in ahead.alarms] == ["list_from_the_future"]
    clock.advance(timedelta(days=9))
    stale = take(sqlite_database, "ofac", made_up.ofac(), published_on=date(2026, 1, 2))
    assert [alarm.code for alarm in stale.alarms] == ["list_stale"]
    assert stale.state == "refused"


def test_a_list_that_does_not_come_in_grows_stale_once(sqlite_database, clock):
    take(sqlite_database, "ofac", made_up.ofac())
    take(sqlite_database, "csv", made_up.lookouts())
    assert sqlite_database.write(alarms.watch) == 0
    clock.advance(timedelta(days=3))
    assert statuses(sqlite_database)["ofac"]["stale"]
    assert not statuses(sqlite_database)["csv"]["stale"]
    assert sqlite_database.write(alarms.watch) == 1
    assert sqlite_database.write(alarms.watch) == 0
    assert len(bodies(sqlite_database, "ofac")) == 4
    take(sqlite_database, "ofac", made_up.ofac())
    assert statuses(sqlite_database)["ofac"]["alarms"] == []


def test_a_lookout_ends_by_itself(sqlite_database):
    take(sqlite_database, "csv", made_up.lookouts())
    assert set(bodies(sqlite_database, "csv", date(2026, 6, 30))) == {"L-1", "L-2"}
    assert set(bodies(sqlite_database, "csv", date(2026, 7, 1))) == {"L-1"}


def test_what_may_be_a_person_stands_under_the_rules_for_persons(sqlite_database):
    take(sqlite_database, "ofac", made_up.ofac())

    def terms(tx):
        rows = store.entries_in_force(tx, "ofac", date(2026, 1, 1))
        return {row["kind"]: (row["category"], row["purpose"], row["review_on"]) for row in rows}

    found = sqlite_database.read(terms)
    assert found["person"] == ("unclassified", "targeting", date(2027, 1, 1))
    assert found["vessel"] == (None, None, None)
    take(sqlite_database, "ofac", made_up.ofac([made_up.SDN_ROWS[0]]), overrule=WHY)
    gone = sqlite_database.read(
        lambda tx: store.touched(tx, scope(BOSS, Permission.LIST_READ), "ofac", 1, 2)
    )
    assert {row["retain_until"] for row in gone} == {date(2030, 12, 31)}


def test_who_may_not_take_lists_takes_none(sqlite_database):
    given = files(made_up.ofac())
    for role in (Role.ANALYST, Role.INSPECTOR, Role.AUDITOR, Role.SYSTEM):
        actor = person(role)
        with pytest.raises(Denied):
            sqlite_database.write(lambda tx, a=actor: service.take(tx, a, "ofac", given))
    with pytest.raises(Denied):
        sqlite_database.read(lambda tx: status.status(tx, person(Role.INSPECTOR)))
    assert sqlite_database.read(lambda tx: status.status(tx, person(Role.AUDITOR)))


def test_what_is_asked_wrongly_is_refused_before_anything_is_stored(sqlite_database, monkeypatch):
    with pytest.raises(Invalid, match="licence"):
        take(sqlite_database, "ftm", made_up.ftm())
    with pytest.raises(Invalid):
        take(sqlite_database, "ghosts", made_up.ftm())
    with pytest.raises(Invalid):
        take(sqlite_database, "ofac", [])
    monkeypatch.setattr(service, "MOST_BYTES", 10)
    with pytest.raises(TooLarge):
        take(sqlite_database, "ofac", made_up.ofac())
    count = documents.document_table.select()
    assert not sqlite_database.read(lambda tx: tx.execute(count).all())


def test_a_crash_within_taking_leaves_nothing(sqlite_database, monkeypatch):
    take(sqlite_database, "ofac", made_up.ofac())
    before = bodies(sqlite_database, "ofac")

    def fail(*_args, **_values):
        raise RuntimeError("power cut")

    monkeypatch.setattr(store, "insert_version", fail)
    with pytest.raises(RuntimeError):
        take(sqlite_database, "ofac", made_up.ofac(made_up.SDN_ROWS + wide(3)))
    assert bodies(sqlite_database, "ofac") == before
    assert statuses(sqlite_database)["ofac"]["version"] == 1


def test_the_published_list_of_two_days_is_told_apart(sqlite_database, shared_data):
    """The sample's aliases name entries that its entries lack: parts of two publications."""
    paths = [shared_data / "watchlists" / name for name in ("ofac_sdn.csv", "ofac_alt.csv")]
    if not all(path.is_file() for path in paths):
        pytest.skip("the published OFAC list is not here")
    given = [File(path.name, path.read_bytes()) for path in paths]
    refused = sqlite_database.write(lambda tx: service.take(tx, BOSS, "ofac", given))
    assert [alarm.code for alarm in refused.alarms] == ["list_rejected"]
    assert set(refused.rejected) == {"entry_unknown"}
    taken = sqlite_database.write(
        lambda tx: service.take(tx, BOSS, "ofac", given, overrule="Parts of two days, for a test.")
    )
    assert taken.state == "taken"
    assert taken.changes["added"] == taken.counts["entries"] > 10_000
