"""A partner cut off for a week: when it is back it gets everything that still counts, flash first."""

import time
from datetime import timedelta

import pytest
from sqlalchemy import text

from exchange import conftest as nodes
from exchange.world import befriend
from federation.child import put_many
from federation.nodes import free_port
from isthmus.exchange import post_store
from isthmus.exchange.model import Lane
from isthmus.exchange.station import Station

make = nodes.make  # the fixture of the exchange's own tests: all nodes share one set clock
DAYS = 7
A_DAY = {Lane.FLASH: 5, Lane.IMMEDIATE: 40, Lane.ROUTINE: 120}
PATIENCE = 120.0


def waiting(one, other):
    return one.database.read(
        lambda tx: sum(
            len(post_store.waiting(tx, other.code, lane.value, 100_000)) for lane in Lane
        )
    )


def applied(one):
    """What was applied, in order: lane and item."""
    query = text(
        "SELECT e.lane, e.item_id FROM event v JOIN envelope e ON e.id = v.object_id "
        "WHERE v.kind = 'item.received' ORDER BY v.seq"
    )
    return one.database.read(lambda tx: [tuple(row) for row in tx.execute(query)])


@pytest.fixture
def pair(make, tmp_path):
    """Panama runs; Antwerp is there but cannot be reached yet."""
    place = f"127.0.0.1:{free_port()}"
    panama, antwerp = make("PA-ANA"), make("BE-DOUANE", address=place, listen=place)
    befriend(panama, antwerp)
    stations = [Station(one.database, one.policy, tmp_path) for one in (panama, antwerp)]
    stations[0].start()
    yield panama, antwerp, stations[1]
    for station in stations:
        station.stop()


def test_a_week_later_everything_arrives_flash_first(pair, clock):
    panama, antwerp, station = pair
    began, sent = clock.now(), {lane: [] for lane in Lane}
    over = []
    for day in range(DAYS):
        for lane, number in A_DAY.items():
            sent[lane] += put_many(panama, antwerp.code, number, lane)
        if day == 2:  # of use for two days only: it must not arrive, nor hold up what comes after
            over.append(panama.put(antwerp.code, lane=Lane.FLASH,
                                   expires_at=clock.now() + timedelta(days=2)))  # fmt: skip
        time.sleep(0.1)  # the lines try again and again meanwhile
        clock.advance(timedelta(days=1))
    assert clock.now() - began == timedelta(days=7)
    total = sum(len(items) for items in sent.values())
    assert waiting(panama, antwerp) in (total, total + len(over))  # it may have been taken out
    assert applied(antwerp) == []

    assert station.start()
    back = time.monotonic()
    while waiting(panama, antwerp):
        assert time.monotonic() - back < PATIENCE
        time.sleep(0.05)
    found = applied(antwerp)
    print(f"\n{total:,} items of a week arrived in {time.monotonic() - back:.1f} s")
    for lane in Lane:  # complete, each once, in the order in which they were put
        assert [item for at, item in found if at == lane.value] == sent[lane]
    lanes = [lane for lane, _ in found]
    last_flash = max(place for place, lane in enumerate(lanes) if lane == "flash")
    before = sum(lane != "flash" for lane in lanes[:last_flash])
    assert before < (total - len(sent[Lane.FLASH])) / 2, "a flash waited behind the backlog"
    last_immediate = max(place for place, lane in enumerate(lanes) if lane == "immediate")
    assert lanes[:last_immediate].count("routine") < len(sent[Lane.ROUTINE]) / 2
    for envelope in over:
        row = panama.database.read(lambda tx, one=envelope: post_store.by_id(tx, one))
        assert (row["state"], row["sequence"]) == ("expired", None)
