"""Partnerships and profiles over the API: times, their rows, the signed pack, a profile tried."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from api.two_nodes import Two, make_two
from exchange.test_post import carry
from exchange.world import MARKING
from flow.test_profiles import RULE
from isthmus.access.model import Role
from isthmus.exchange import post_store
from isthmus.exchange.model import Lane
from isthmus.exchange.proof import ledger
from isthmus.flow import accept, assurance_pack, profiles, share
from isthmus.kernel.time import SetClock
from isthmus.risk import rulebook
from isthmus.risk.rules import RuleState

START = datetime(2026, 1, 5, 8, tzinfo=UTC)
MARK = {"handling": ["H0"], "tlp": "amber"}


@pytest.fixture
def clock() -> SetClock:
    return SetClock(START)


@pytest.fixture
def two(tmp_path, clock) -> Iterator[Two]:
    made = make_two(tmp_path, clock)
    yield made
    made.api.node.close()
    made.there.database.close()


def shared(two: Two, clock: SetClock, count: int) -> None:
    for number in range(count):
        item = two.alert()
        two.send(item)
        clock.advance(timedelta(minutes=number + 1))
        two.carry()
        two.arrive(item)


def test_times_are_told_with_the_rows_they_count(two, clock):
    shared(two, clock, 5)
    clock.advance(timedelta(minutes=1))  # what was begun at this very moment is not counted yet
    with two.api.client(Role.AUDITOR) as client:
        (one,) = client.get("/api/partnership", params={"weeks": 2}).json()["items"]
        delivered = next(
            row for row in one["times"] if (row["measure"], row["agreement"]) == ("delivered", None)
        )
        assert (delivered["begun"], delivered["median_seconds"]) == (5, 180.0)
        assert one["ours"] == {"items": 5, "corrected": 0, "recalled": 0, "share": 0.0}
        path = f"/api/partnership/{two.there.code}/steps"
        rows = client.get(path, params={"measure": "delivered", "limit": 3}).json()
        assert (len(rows["items"]), rows["more"]) == (3, True)
        assert [row["seconds"] for row in rows["items"]] == [300.0, 240.0, 180.0]
        assert rows["items"][0]["clause"] == "PA-NL-2026/art-3"
        unknown = client.get("/api/partnership/FR-DGDDI/steps", params={"measure": "delivered"})
        assert unknown.status_code == 404
    with two.api.client(Role.INSPECTOR) as client:
        assert client.get("/api/partnership").status_code == 403


def test_the_pack_comes_as_it_was_signed(two, clock):
    shared(two, clock, 2)
    clock.advance(timedelta(minutes=10))
    two.here.database.write(ledger.seal)
    period = {"since": "2026-01-05T00:00:00Z", "until": "2026-01-05T08:10:00Z"}
    path = f"/api/partnership/{two.there.code}/assurance"
    with two.api.client(Role.SUPERVISOR) as client:
        told = client.post(path, json=period)
        assert told.status_code == 201, told.text
        pack, found = assurance_pack.verify(told.json()["pack"].encode())
        assert found == []
        assert pack.digest == told.json()["digest"]
        assert pack.said["disclosures"]["shares"] == 2
        later = {**period, "until": "2026-03-01T00:00:00Z"}
        assert client.post(path, json=later).status_code == 422
    with two.api.client(Role.ANALYST) as client:
        assert client.post(path, json=period).status_code == 403


def test_a_profile_is_tried_adopted_and_told_of(two):
    there, author = two.there, two.there.staff[Role.ANALYST]
    key = there.database.write(lambda tx: rulebook.propose(tx, author, RULE))
    there.database.write(lambda tx: rulebook.advance(tx, author, key, RuleState.SHADOW))
    mark = MARKING
    item = there.database.write(lambda tx: profiles.publish(tx, author, key, mark))
    there.database.write(lambda tx: share.send(tx, author, item.id, two.here.code))
    carry(there, two.here, Lane.ROUTINE)
    rows = two.here.database.read(lambda tx: post_store.arrived(tx, item.id))
    assert accept.accept(two.here.database, rows[-1]["id"])
    path = f"/api/profiles/{item.id}"
    with two.api.client(Role.ANALYST) as client:
        told = client.get(path).json()
        assert (told["version"], told["adopted"], told["left_out"]) == (1, None, [])
        assert told["fired"]["units"] <= told["all"]["units"]
        made = client.post(f"{path}/adopt", json={})
        assert made.status_code == 201, made.text
        assert client.post(f"{path}/adopt", json={}).status_code == 409
        assert client.get(path).json()["adopted"] == made.json()["id"]
        said = client.post(f"{path}/feedback", json={"marking": MARK})
        assert said.status_code == 201, said.text
        of_rule = client.post(f"/api/profiles/of-rule/{made.json()['id']}", json={"marking": MARK})
        assert of_rule.status_code == 409  # it is a draft, and a partner's
