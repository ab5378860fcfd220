"""Training: what a model learns from, and the way from shadow to live through two people."""

import random
import zlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import orjson
import polars as pl
import pytest
from sqlalchemy import select, update

from flow.loop_node import Loop
from flow.test_learn import inspect_one, seizure
from flow.test_score import current
from isthmus.access.model import Actor, Role
from isthmus.flow.score import Scorer
from isthmus.flow.train import labelled
from isthmus.flow.trial import Figure, trial
from isthmus.flow.verify import recompute
from isthmus.kernel.errors import Conflict, Denied, Invalid
from isthmus.risk import models
from isthmus.risk.objectives import Objective
from isthmus.risk.tables import feature_table, model_table, outcome_table

HEAD = (
    "Declaration ID,Date,Office ID,Process Type,Import Type,Import Use,Payment Type,"
    "Mode of Transport,Declarant ID,Importer ID,Seller ID,Courier ID,HS6 Code,"
    "Country of Departure,Country of Origin,Tax Rate,Tax Type,Country of Origin Indicator,"
    "Net Mass,Item Price,Fraud,Critical Fraud"
)


def table(rows: int, positives: float = 0.3, start: int = 0) -> bytes:
    """Declarations with their outcome, of which a fraudster's goods are told by their office."""
    dice, lines = random.Random(start), [HEAD]
    for n in range(start, start + rows):
        fraud = dice.random() < positives
        office = 40 if fraud == (dice.random() < 0.9) else 20
        day = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(hours=n)
        lines.append(
            f"{97061800 + n},{day:%Y-%m-%d},{office},B,11,21,11,10,ZZR1LT6,QLRUBN9,0VKY2BR,,"
            f"{dice.choice(('440890', '620520', '851762'))},BE,BE,0,FEU1,G,"
            f"{dice.uniform(10, 900):.1f},{dice.uniform(100, 90000):.4f},{int(fraud)},0"
        )
    return "\n".join(lines).encode() + b"\n"


def taught(loop: Loop, rows: int = 600, **how) -> None:
    receipt = loop.receive(table(rows, **how), "korea.csv")
    assert receipt.tally.accepted == rows
    loop.node.scorer.score_all()


def approve(loop: Loop, model: str, *who: Actor) -> list[str]:
    return [loop.write(lambda tx, one=one: models.approve(tx, one, model)) for one in who]


def test_too_little_to_learn_from_is_said(loop: Loop):
    analyst = loop.people[Role.ANALYST]
    with pytest.raises(Invalid, match="nothing is known"):
        loop.node.trainer.train(analyst, Objective.REVENUE)
    taught(loop, 100, positives=0.1)
    with pytest.raises(Invalid, match="50 positive"):
        loop.node.trainer.train(analyst, Objective.REVENUE)
    with pytest.raises(Invalid, match="nothing is known"):  # revenue labels are no contraband
        loop.node.trainer.train(analyst, Objective.CONTRABAND)
    with pytest.raises(Denied):
        loop.node.trainer.train(loop.people[Role.INSPECTOR], Objective.REVENUE)


def test_a_model_goes_live_after_two_people_and_everywhere_at_once(any_loop: Loop):
    loop = any_loop
    taught(loop)
    analyst, first = loop.people[Role.ANALYST], loop.people[Role.SUPERVISOR]
    second = loop.people[Role.MODEL_APPROVER]
    model, card = loop.node.trainer.train(analyst, Objective.REVENUE)
    assert card["rows"] == 600
    assert card["metrics"]["auc"][0] > 0.7

    other = Scorer(loop.node.database)  # a second process, running before the approval
    other.score_all()
    assert {row["model_id"] for row in current(loop, "revenue")} == {None}  # shadow says nothing
    with pytest.raises(Denied):
        approve(loop, model, analyst)
    assert approve(loop, model, first) == ["shadow"]
    with pytest.raises(Denied, match="second person"):
        approve(loop, model, first)
    assert approve(loop, model, second) == ["live"]
    with pytest.raises(Conflict):
        approve(loop, model, second)

    taught_more = loop.receive(table(5, start=10_000), "more.csv")
    assert taught_more.tally.accepted == 5
    assert other.score_due() == 5
    fresh = [row for row in current(loop, "revenue") if row["model_id"] == model]
    assert len(fresh) == 5
    assert {row["basis"] for row in fresh} == {"model"}
    loop.node.worker.run_due()  # the others are assessed again by the job that going live asked for
    assert {row["model_id"] for row in current(loop, "revenue")} == {model}
    assert {row["model_id"] for row in current(loop, "contraband")} == {None}

    taught(loop, 200, start=20_000)
    newer, _ = loop.node.trainer.train(analyst, Objective.REVENUE)
    assert approve(loop, newer, second, first) == ["shadow", "live"]
    states = loop.read(
        lambda tx: {row.id: row.state for row in tx.execute(select(model_table)).all()}
    )
    assert states == {model: "retired", newer: "live"}
    checked = loop.read(lambda tx: recompute(tx, 300))
    assert (checked.same, checked.faults) == (300, [])


def test_the_same_model_does_not_seem_to_wait_again(loop: Loop):
    taught(loop)
    analyst, approver = loop.people[Role.ANALYST], loop.people[Role.MODEL_APPROVER]
    model, _ = loop.node.trainer.train(analyst, Objective.REVENUE)
    assert loop.node.trainer.train(analyst, Objective.REVENUE)[0] == model  # still in shadow
    loop.write(lambda tx: models.reject(tx, approver, model))
    with pytest.raises(Conflict, match="rejected"):
        loop.node.trainer.train(analyst, Objective.REVENUE)


def test_a_live_model_can_be_stopped_at_once(loop: Loop):
    taught(loop)
    analyst = loop.people[Role.ANALYST]
    model, _ = loop.node.trainer.train(analyst, Objective.REVENUE)
    approve(loop, model, loop.people[Role.SUPERVISOR], loop.people[Role.MODEL_APPROVER])
    loop.node.worker.run_due()
    assert {row["basis"] for row in current(loop, "revenue")} == {"model"}
    loop.write(lambda tx: models.reject(tx, loop.people[Role.MODEL_APPROVER], model))
    loop.node.worker.run_due()
    assert {row["basis"] for row in current(loop, "revenue")} == {"rules_and_novelty"}


def test_a_model_in_shadow_is_seen_to_run(loop: Loop):
    taught(loop)
    analyst = loop.people[Role.ANALYST]
    model, _ = loop.node.trainer.train(analyst, Objective.REVENUE)
    before = [row["body"] for row in current(loop, "revenue")]
    told = loop.read(lambda tx: trial(tx, analyst, model))
    assert (told.compared, told.top, told.outcomes) == (600, 30, 0)
    assert 0 <= told.shared <= 1
    assert told.auc_model is None
    assert {figure: len(told.behind(figure)) for figure in Figure} == {
        "compared": 600, "top": 30, "shared": round(30 * told.shared), "outcomes": 0,
        "positives": 0,
    }  # fmt: skip
    by_model = [row.score_model for row in told.rows]
    assert by_model == sorted(by_model, reverse=True)
    in_force = sorted(told.rows, key=lambda row: row.rank_in_force)
    assert [row.rank_in_force for row in in_force] == list(range(1, 601))
    scores = [row.score_in_force for row in in_force]
    assert scores == sorted(scores, reverse=True)
    loop.later(days=1)

    def learnt(tx) -> None:  # outcomes of some of these units come in after the training
        rows = tx.execute(select(outcome_table.c.id).limit(300)).scalars().all()
        tx.execute(
            update(outcome_table)
            .where(outcome_table.c.id.in_(rows))
            .values(recorded_at=loop.clock.now())
        )

    loop.write(learnt)
    told = loop.read(lambda tx: trial(tx, analyst, model))
    assert told.outcomes == 300
    assert 0 < told.positives < 300
    assert len(told.behind(Figure.OUTCOMES)) == 300
    assert len(told.behind(Figure.POSITIVES)) == told.positives
    assert told.auc_model > 0.7
    assert [row["body"] for row in current(loop, "revenue")] == before  # and changes nothing


def test_a_model_learns_from_what_was_known_when_the_unit_was_picked(any_loop: Loop):
    """What an inspection and later events leave on a unit is no sign of what it found."""
    loop = any_loop
    loop.manifest(1, 2)
    loop.node.scorer.score_all()
    unit = loop.unit(1).id
    inspect_one(loop, 1, seizure())
    loop.later(hours=2)
    loop.event("DISC", 1, weight_kg=Decimal(9_000))
    loop.manifest(1, 2, consignee="Another after the seizure")
    loop.node.scorer.score_all()
    now = loop.unit(1)
    assert now.weighed_kg == 9_000
    assert now.amendments == 1
    analyst = loop.people[Role.ANALYST]
    frame = loop.read(lambda tx: labelled(tx, analyst, Objective.CONTRABAND))
    (row,) = frame.filter(pl.col("id") == unit).to_dicts()
    assert (row["weighed_kg"], row["amendments"], row["positive"]) == (None, 0, True)
    assert row["version"] < now.version


def test_what_was_erased_teaches_no_more(loop: Loop):
    taught(loop, 40)
    rows = loop.read(lambda tx: tx.execute(select(feature_table.c.body)).scalars().all())
    importer = orjson.loads(zlib.decompress(rows[0]))["consignee_ref"]
    assert importer == "QLRUBN9"
    loop.node.eraser.party(loop.people[Role.DATA_PROTECTION_OFFICER], importer, "court_order")
    frame = loop.read(lambda tx: labelled(tx, loop.people[Role.ANALYST], Objective.REVENUE))
    assert frame.height == 0
