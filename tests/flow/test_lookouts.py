"""Partners' lookouts in the loop: within a share of the budget, on record, and over when they end."""

from datetime import timedelta

import pytest

from flow.loop_node import Loop, box
from flow.test_learn import CLEAN, inspect_pick, seizure
from isthmus.access.model import Purpose, Role, node_actor
from isthmus.cargo import records
from isthmus.cargo.model import Seal
from isthmus.cases import runs
from isthmus.flow import effectiveness, replay, target
from isthmus.flow.target import Order
from isthmus.intelligence import arrivals
from isthmus.intelligence.keeping import Came
from isthmus.intelligence.model import (
    Classification,
    Evaluation,
    Handling,
    Item,
    ItemKind,
    Marking,
    Scale,
    Tlp,
)
from isthmus.kernel.errors import Denied, Invalid
from isthmus.kernel.time import isoformat
from isthmus.risk import share_settings

MARKING = Marking(
    Evaluation(Scale.POLICE_4X4, "B", "2"), frozenset({Handling.H0}), Classification.NONE, Tlp.AMBER
)
ANTWERP, ROTTERDAM = "BE-DOUANE", "NL-DOUANE"


def alert(
    loop: Loop, number: str = "alr_1", partner: str = ANTWERP, days: int = 30, **body
) -> Item:
    now = loop.clock.now()
    said = {
        "reason": "intelligence",
        "action": "inspect",
        "expires_at": isoformat(now + timedelta(days=days)),
        **body,
    }
    return Item(f"{partner}:{number}", ItemKind.ALERT, 1, partner, now, MARKING, said)


def arrive(loop: Loop, item: Item, purpose: Purpose = Purpose.TARGETING, **more):
    came = Came(
        source=f"env_{item.id[-6:]}_{item.version}",
        partner=item.originator,
        purposes=frozenset({purpose}),
        **more,
    )
    return loop.write(lambda tx: arrivals.receive(tx, node_actor(), item, came))


def boxes(*numbers: int) -> list[str]:
    return [box(number) for number in numbers]


def run(loop: Loop, budget: int, seed: bytes = b"seed", floor: float = 0.02) -> target.Run:
    order = Order(budget=budget, floor=floor)
    return loop.write(lambda tx: target.run(tx, loop.people[Role.SUPERVISOR], order, seed))


def bases(made: target.Run) -> dict[str, int]:
    return {k[7:]: v for k, v in made.plain().items() if k.startswith("picked_")}


def scored(loop: Loop, *numbers: int) -> None:
    loop.manifest(*numbers)
    loop.node.scorer.score_all()


def test_what_a_partner_asks_for_is_picked_within_its_share_and_said_so(loop: Loop):
    scored(loop, *range(1, 41))
    arrive(loop, alert(loop, containers=boxes(7)))
    loop.node.scorer.score_all()
    made = run(loop, 10)
    assert bases(made)["partner"] == 1
    (pick,) = [one for one in made.picks if one["basis"] == "partner"]
    assert pick["unit_id"] == loop.unit(7).id
    assert pick["propensity"] == 1
    assert pick["rule_id"] is None


def test_a_flood_takes_its_share_and_no_more(loop: Loop):
    scored(loop, *range(1, 61))
    for number in range(1, 61):
        arrive(loop, alert(loop, f"alr_{number}", containers=boxes(number)))
    loop.node.scorer.score_all()
    made = run(loop, 20)
    assert len(made.picks) == 20
    assert bases(made)["partner"] == 2
    # What is left is ranked as it would be without: lookouts on every box lift none above another.
    assert bases(made)["ranked"] >= 17


def test_two_partners_have_a_share_each(loop: Loop):
    scored(loop, *range(1, 41))
    arrive(loop, alert(loop, containers=boxes(*range(1, 20))))
    arrive(loop, alert(loop, partner=ROTTERDAM, containers=boxes(*range(15, 35))))
    loop.node.scorer.score_all()
    made = run(loop, 20)
    assert 2 <= bases(made)["partner"] <= 4


def test_a_supervisor_sets_a_share_and_it_holds_from_the_next_run(loop: Loop):
    scored(loop, *range(1, 41))
    arrive(loop, alert(loop, containers=boxes(*range(1, 20))))
    loop.node.scorer.score_all()
    supervisor = loop.people[Role.SUPERVISOR]

    def set_share(share, who=supervisor):
        loop.write(lambda tx: share_settings.set_share(tx, who, ANTWERP, share))

    set_share(0.3)
    assert bases(run(loop, 10))["partner"] == 3
    set_share(0.0)
    assert "partner" not in bases(run(loop, 10))
    for wrong in (-0.1, 0.51, float("nan")):
        with pytest.raises(Invalid):
            set_share(wrong)
    with pytest.raises(Denied):
        set_share(0.2, loop.people[Role.ANALYST])


def test_a_run_with_shares_replays_to_the_last_bit_whatever_is_set_later(loop: Loop):
    scored(loop, *range(1, 41))
    arrive(loop, alert(loop, containers=boxes(*range(1, 20))))
    loop.node.scorer.score_all()
    made = run(loop, 10)
    supervisor = loop.people[Role.SUPERVISOR]
    loop.write(lambda tx: share_settings.set_share(tx, supervisor, ANTWERP, 0.5))
    assert loop.read(lambda tx: list(replay.differences(tx, made.id))) == []
    row = loop.read(lambda tx: runs.run_row(tx, made.id))
    assert row["lanes"]["red"]["shares"] == {}


def test_the_score_without_partners_is_kept_and_covered(loop: Loop):
    scored(loop, 1, 2)
    before = current(loop, 1)
    arrive(loop, alert(loop, containers=boxes(1)))
    loop.node.scorer.score_all()
    after = current(loop, 1)
    assert (before["asked_by"], before["own_score"]) == (None, None)
    assert (after["asked_by"], after["own_score"]) == (ANTWERP, before["score"])
    assert after["score"] > before["score"]
    assert current(loop, 2)["asked_by"] is None
    assert findings(loop) == []
    loop.write(lambda tx: tamper(tx, after["id"]))
    assert findings(loop) != []


def test_a_seal_is_met_on_a_box_whether_papers_or_an_event_told_of_it(loop: Loop):
    scored(loop, *range(1, 6))
    loop.event("DISC", 2, seals=(Seal("ZZ998877"),))
    loop.node.scorer.score_all()
    (declared,) = loop.read(lambda tx: records.seals_on(tx, boxes(1)))
    for seal, number in ((declared[1], 1), ("ZZ-99/8877", 2)):
        arrive(loop, alert(loop, f"alr_{number}", seals=[seal]))
        assert loop.node.scorer.score_due() == 1, (seal, declared)
        assert current(loop, number)["asked_by"] == ANTWERP
    assert current(loop, 3)["asked_by"] is None


def test_a_seal_told_after_the_alert_is_met_too(loop: Loop):
    scored(loop, 1, 2)
    arrive(loop, alert(loop, seals=["ZZ998877"]))
    assert loop.node.scorer.score_due() == 0
    loop.event("DISC", 2, seals=(Seal("ZZ998877"),))
    loop.node.scorer.score_all()
    assert current(loop, 2)["asked_by"] == ANTWERP
    assert current(loop, 1)["asked_by"] is None


def test_a_partners_record_counts_what_was_asked_matched_opened_and_found(loop: Loop):
    scored(loop, *range(1, 41))
    analyst = loop.people[Role.ANALYST]

    def told(who=analyst, partner=ANTWERP):
        return loop.read(lambda tx: effectiveness.partner_record(tx, who, partner))

    assert (told().asked, told().units, told().rate) == (0, 0, None)
    arrive(loop, alert(loop, "alr_1", containers=boxes(1, 2)))
    arrive(loop, alert(loop, "alr_2", containers=boxes(2, 3, 4)))
    arrive(loop, alert(loop, "alr_3", partner=ROTTERDAM, containers=boxes(9)))
    arrive(loop, alert(loop, "alr_4", containers=boxes(5)), Purpose.JUDICIAL)
    loop.node.scorer.score_all()
    supervisor = loop.people[Role.SUPERVISOR]
    loop.write(lambda tx: share_settings.set_share(tx, supervisor, ANTWERP, 0.2))
    made = run(loop, 10)
    mine = [one for one in made.picks if one["basis"] == "partner"]
    theirs = [one for one in mine if one["unit_id"] == loop.unit(9).id]
    mine = [one for one in mine if one not in theirs]
    inspect_pick(loop, mine[0]["id"], seizure())
    inspect_pick(loop, mine[1]["id"], CLEAN)
    record = told()
    asked = {loop.unit(number).id for number in (1, 2, 3, 4)}
    picked = {one["unit_id"] for one in made.picks} & asked
    assert (record.asked, record.units, record.share) == (2, 4, 2)
    assert record.picked == len(picked) >= 2
    assert (record.opened, record.found) == (2, 1)
    assert record.rate is not None
    assert record.rate.value == 0.5
    assert record.rate.low < 0.5 < record.rate.high
    everybody = loop.read(lambda tx: effectiveness.partner_records(tx, analyst))
    assert [one.partner for one in everybody] == [ANTWERP, ROTTERDAM]
    assert everybody[1].units == 1
    assert told(partner="BE-DOUAN").units == 0  # no beginning of a code stands for another


def current(loop: Loop, number: int):
    from sqlalchemy import select

    from isthmus.risk.tables import assessment_table

    rated = assessment_table.c
    wanted = select(assessment_table).where(
        rated.unit_id == loop.unit(number).id, rated.objective == "contraband", rated.current
    )
    return loop.read(lambda tx: tx.execute(wanted).mappings().one())


def findings(loop: Loop) -> list[object]:
    from isthmus.flow import verify

    node = loop.node
    return list(verify.check_assessments(node.database, node.folder, lambda *_: None))


def tamper(tx, assessment: str) -> None:
    from isthmus.risk.tables import assessment_table

    rated = assessment_table.c
    tx.execute(assessment_table.update().where(rated.id == assessment).values(own_score=0.99))
