"""What came of a partner's hints: counts with what they are of, and no share of fewer than five."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from flow.loop_node import Loop, box, open_loop
from isthmus.access.model import Purpose, Role, node_actor
from isthmus.cases import chains, inspections, partner_record, picks
from isthmus.cases.chains import Cue, Outcome
from isthmus.cases.inspections import Found, Report
from isthmus.cases.model import Result
from isthmus.exchange import copy_store
from isthmus.flow import inspect
from isthmus.flow.sharing import asking
from isthmus.intelligence import arrivals, items
from isthmus.intelligence.keeping import Came
from isthmus.intelligence.model import Item, ItemKind
from isthmus.kernel.time import SetClock, isoformat

PA, NL = "PA-ANA", "NL-DOUANE"
CLEAN = Report(Result.NO_IRREGULARITY, "physical_full", 30)
FOUND = Report(
    Result.SEIZURE, "physical_full", 60, 1.0, "contraband", (Found("cocaine", 4.0, "KGM"),)
)


@pytest.fixture
def desk(tmp_path: Path, clock: SetClock, backend: str, request) -> Iterator[Loop]:
    """A node on each kind of database, with three boxes scored."""
    url = request.getfixturevalue("empty_url") if backend == "postgresql" else ""
    loop = open_loop(tmp_path / "node", clock, url)
    loop.manifest(1, 2, 3)
    loop.node.scorer.score_all()
    yield loop
    loop.node.close()


def lookout(desk: Loop, number: int, *, hours: int = 100, purpose: Purpose = Purpose.TARGETING):
    now = desk.clock.now()
    body = {
        "reason": "intelligence", "action": "inspect", "containers": [box(number)],
        "expires_at": isoformat(now + timedelta(hours=hours)),
    }  # fmt: skip
    item = Item(f"{NL}:alr_{number}", ItemKind.ALERT, 1, NL, now, asking.MARKING, body)
    came = Came(source=f"env_{number}", partner=NL, purposes=frozenset({purpose}))
    desk.write(lambda tx: arrivals.receive(tx, node_actor(), item, came))


def inspected(desk: Loop, *reports: Report) -> dict[str, Report]:
    """Inspect as many boxes of one run; return the report by the box."""
    analyst, inspector = desk.people[Role.ANALYST], desk.people[Role.INSPECTOR]
    done = {}
    for pick, report in zip(desk.run(budget=3).picks, reports, strict=False):
        desk.write(lambda tx, p=pick["id"]: picks.take(tx, analyst, p))
        made = desk.write(lambda tx, p=pick["id"]: inspect.order(tx, analyst, p, "physical_full"))
        desk.write(lambda tx, m=made: inspections.accept(tx, inspector, m))
        desk.write(lambda tx, m=made, r=report: inspect.report(tx, inspector, m, r))
        done[pick["unit_id"]] = report
    return done


def record(desk: Loop) -> partner_record.Record:
    analyst = desk.people[Role.ANALYST]
    (found,) = desk.read(lambda tx: partner_record.records(tx, analyst, [NL]))
    return found


def test_a_lookout_counts_as_tried_when_its_box_was_inspected_while_it_stood(desk: Loop):
    lookout(desk, 1, hours=1)
    lookout(desk, 2)
    lookout(desk, 3, purpose=Purpose.JUDICIAL)  # no lookout: it came for the court
    desk.later(hours=2)
    done = inspected(desk, CLEAN, FOUND, CLEAN)
    result = next(one for unit, one in done.items() if unit == desk.unit(2).id)
    found = record(desk).lookouts
    assert (found.given, found.tried, found.found) == (2, 1, int(result is FOUND))
    assert found.share is None


def test_a_share_is_told_of_five_cues_and_not_of_four(desk: Loop):
    node, now = node_actor(), desk.clock.now()
    for number in range(5):
        cue = Cue(box(100 + number), NL, "cut_off", now + timedelta(days=3))
        unit = desk.unit(1)
        unit.container = cue.container
        made = desk.write(lambda tx, c=cue, u=unit: chains.cue(
            tx, desk.people[Role.ANALYST], u, c, PA))  # fmt: skip
        if number == 4:
            assert (record(desk).own_cues.given, record(desk).own_cues.tried) == (5, 4)
            assert record(desk).own_cues.share is None
        outcome = Outcome("seizure" if number else "no_irregularity")
        desk.write(lambda tx, m=made: chains.accept(tx, node, m))
        desk.write(lambda tx, m=made, o=outcome: chains.result(tx, node, m, o))
    assert record(desk).own_cues.share == 0.8
    assert record(desk).cues.given == 0


def test_what_is_told_the_partner_is_told_once_and_again_when_it_changed(desk: Loop):
    for number in (1, 2, 3):
        lookout(desk, number)
    analyst = desk.people[Role.ANALYST]

    def told() -> list[dict]:
        made = desk.write(lambda tx: asking.lookouts(tx, analyst, PA, NL))
        from isthmus.intelligence import keeping, store

        return [
            desk.read(lambda tx, i=item: keeping.load(tx, store.copies_of(tx, i)[-1])).body
            for item in made
        ]

    assert told() == []  # nothing was tried
    inspected(desk, FOUND)
    (one,) = told()
    assert (one["picks"], one["found"], one["outcome"]) == (1, 1, "led_to_seizure")
    assert told() == []


def test_what_the_partner_tells_of_own_lookouts_is_counted_by_its_newest_word(desk: Loop):
    analyst, node, now = desk.people[Role.ANALYST], node_actor(), desk.clock.now()
    body = {
        "reason": "intelligence", "action": "inspect", "containers": [box(1)],
        "expires_at": isoformat(now + timedelta(days=9)),
    }  # fmt: skip
    mine = [
        desk.write(lambda tx: items.draft(tx, analyst, PA, ItemKind.ALERT, body, asking.MARKING)).id
        for _ in range(2)
    ]
    copy = {"item_version": 1, "envelope_id": "env", "terms": b"", "at": now}
    for item in mine:
        desk.write(lambda tx, i=item: copy_store.put_copy(tx, copy | {"item_id": i, "partner": NL}))
    for place, (picked, found) in enumerate(((1, 0), (3, 1))):
        said = {"about": mine[0], "outcome": "led_to_finding", "given_at": isoformat(now),
                "picks": picked, "found": found}  # fmt: skip
        told = Item(f"{NL}:fbk_{place}", ItemKind.FEEDBACK, 1, NL, now, asking.MARKING, said)
        came = Came(source=f"env_f{place}", partner=NL)
        desk.write(lambda tx, t=told, c=came: arrivals.receive(tx, node, t, c))
        tally = record(desk).own_lookouts
        assert (tally.given, tally.tried, tally.found) == (2, 1, found)
