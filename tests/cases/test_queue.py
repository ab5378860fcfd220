"""The queue as it is read: its order, its pages, what is wanted of it, and how many there are."""

from collections import Counter

from flow.loop_node import Loop, everything
from isthmus.access.model import Permission, Role
from isthmus.cases import picks, queue
from isthmus.cases.model import PickState
from isthmus.cases.queue import Wanted

SEEN = everything(Permission.PICK_READ)


def ids(desk: Loop, limit: int = 50, offset: int = 0, **wanted) -> list[str]:
    rows = desk.read(lambda tx: queue.read(tx, SEEN, Wanted(**wanted), limit, offset))
    return [row["id"] for row in rows]


def test_the_best_ranked_come_first_and_pages_meet(desk: Loop):
    made = desk.run(budget=5)
    rows = desk.read(lambda tx: queue.read(tx, SEEN, Wanted(), 50))
    assert {row["id"] for row in rows} == {pick["id"] for pick in made.picks}
    assert len(rows) > 2
    keys = [(row["basis"] != "mandated", -(row["score"] or 0), row["id"]) for row in rows]
    assert [key[:2] for key in keys] == sorted(key[:2] for key in keys)
    every = [row["id"] for row in rows]
    paged = [one for start in range(0, len(every), 2) for one in ids(desk, 2, start)]
    assert paged == every
    assert all(row["container"] and row["objective"] == "contraband" for row in rows)


def test_what_is_wanted_narrows_the_page_and_the_counts_alike(desk: Loop):
    made = desk.run(budget=5)
    analyst, first = desk.people[Role.ANALYST], made.picks[0]
    desk.write(lambda tx: picks.take(tx, analyst, first["id"]))
    assert ids(desk, mine=analyst.id) == [first["id"]]
    assert ids(desk, states=[PickState.TAKEN]) == [first["id"]]
    assert ids(desk, objective="revenue") == ids(desk, office="XX999") == []
    for lane in ("red", "yellow", "blue"):
        expected = {pick["id"] for pick in made.picks if pick["lane"] == lane}
        assert set(ids(desk, lane=lane)) == expected
    expected_bases = Counter(pick["basis"] for pick in made.picks)
    assert {basis: len(ids(desk, basis=basis)) for basis in expected_bases} == expected_bases
    rows = desk.read(lambda tx: queue.counts(tx, SEEN, Wanted()))
    counted = {(row["lane"], row["state"]): row["picks"] for row in rows}
    states = Counter(
        (pick["lane"], "taken" if pick["id"] == first["id"] else "offered") for pick in made.picks
    )
    assert counted == states
    mine = desk.read(lambda tx: queue.counts(tx, SEEN, Wanted(mine=analyst.id)))
    assert [row["picks"] for row in mine] == [1]


def test_a_cleared_pick_is_shown_to_who_asks_for_it_only(desk: Loop):
    pick = desk.run(budget=1).picks[0]["id"]
    analyst = desk.people[Role.ANALYST]
    desk.write(lambda tx: picks.take(tx, analyst, pick))
    desk.write(lambda tx: picks.clear(tx, analyst, pick, ["seal_intact"], agrees=True))
    assert ids(desk) == []
    assert ids(desk, states=[PickState.CLEARED]) == [pick]
    assert ids(desk, states=[]) == []
