"""Scoring: what is due, what is out of date, several processes, and what is erased meanwhile."""

import dataclasses
import threading
import zlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import orjson
import polars as pl
import pytest
import yaml
from polars.testing import assert_frame_equal
from sqlalchemy import func, select

from flow.loop_node import Loop, declarations
from isthmus.access.model import Role
from isthmus.cargo.model import (
    Declaration,
    Function,
    GoodsItem,
    Money,
    Party,
    PartyRole,
    Regime,
)
from isthmus.cargo.tables import unit_table
from isthmus.cargo.unit import Unit
from isthmus.flow import score, verify
from isthmus.flow.score import Scorer
from isthmus.node import Node
from isthmus.platform.jobs import job_table
from isthmus.risk import rulebook, store, unit_frames
from isthmus.risk.rules import RuleState
from isthmus.risk.schema import frame as unit_frame
from isthmus.risk.tables import assessment_table, batch_table, feature_table

FIVE = dict.fromkeys(("es", "en", "fr", "nl", "pt"))
SHRIMP = {
    "id": "frozen_shrimp",
    "version": 1,
    "state": "draft",
    "objective": "contraband",
    "effect": "score",
    "weight": 0.6,
    "names": dict.fromkeys(FIVE, "shrimp"),
    "explain": dict.fromkeys(FIVE, "{description}"),
    "citation": {"text": "a test", "verified": False},
    "owner": "test",
    "when": {"field": "hs4", "op": "eq", "value": "0306"},
    "examples": {"fires": [{"hs4": "0306"}], "silent": [{"hs4": "0901"}]},
}


def enact(loop: Loop, **changes) -> str:
    """Bring a rule to life: proposed by one, on trial, approved by another."""
    text = yaml.safe_dump([SHRIMP | changes])
    author, other = loop.people[Role.RULE_AUTHOR], loop.people[Role.SUPERVISOR]
    key = loop.write(lambda tx: rulebook.propose(tx, author, text))
    loop.write(lambda tx: rulebook.advance(tx, author, key, RuleState.SHADOW))
    loop.write(lambda tx: rulebook.advance(tx, other, key, RuleState.LIVE))
    return key


def current(loop: Loop, objective: str = "contraband") -> list:
    rated = assessment_table.c
    return loop.read(
        lambda tx: list(
            tx.execute(
                select(assessment_table)
                .where(rated.current, rated.objective == objective)
                .order_by(rated.unit_id)
            ).mappings()
        )
    )


def reasons(row) -> set[str]:
    return {reason["code"] for reason in orjson.loads(row["body"])["reasons"]}


def count(loop: Loop, table) -> int:
    return loop.read(lambda tx: tx.execute(select(func.count()).select_from(table)).scalar_one())


def test_units_are_scored_once_until_they_change(any_loop: Loop):
    loop = any_loop
    loop.manifest(1, 2, 3)
    assert loop.node.scorer.due() == 3
    assert loop.node.scorer.score_all() == 3
    assert loop.node.scorer.score_all() == 0
    first = {row["unit_id"]: row["unit_version"] for row in current(loop)}
    loop.event("DISC", 2)
    assert loop.node.scorer.score_all() == 1
    again = {row["unit_id"]: row["unit_version"] for row in current(loop)}
    changed = loop.unit(2).id
    assert again[changed] > first[changed]
    assert {u: v for u, v in again.items() if u != changed} == {
        u: v for u, v in first.items() if u != changed
    }


def test_frames_come_from_rows_as_from_units(any_loop: Loop):
    loop = any_loop
    loop.manifest(1, 2)
    loop.event("DISC", 1, empty=True)
    loop.receive(
        declarations(
            [
                Declaration(
                    reference="D1",
                    function=Function.ORIGINAL,
                    regime=Regime.IMPORT,
                    lodged_at=datetime(2025, 12, 30, 8, 30, 15, 123456, tzinfo=UTC),
                    supplementary=True,
                    extra=(("Courier ID", "ZZ"), ("Colour", 'blå | = " ü')),
                    parties=(Party(PartyRole.IMPORTER, name="Someone", identifier="8-1"),),
                    goods=(
                        GoodsItem(
                            number=1,
                            description="goods",
                            hs="620520",
                            customs_value=Money(Decimal("12.30"), "USD"),
                        ),
                    ),
                )
            ]
        ),
        "d.json",
    )

    def frames(tx) -> tuple[pl.DataFrame, pl.DataFrame]:
        rows = tx.execute(select(unit_table).order_by(unit_table.c.id)).mappings().all()
        names = [field.name for field in dataclasses.fields(Unit)]
        units = [
            Unit(**{
                **{name: row[name] for name in names},
                "flags": tuple(row["flags"]),
                "extra": tuple((k, v) for k, v in row["extra"]),
            })
            for row in rows
        ]  # fmt: skip
        return unit_frame(units), unit_frames.units_named(tx, [row["id"] for row in rows])

    made, read = loop.read(frames)
    assert made.height == 3
    assert_frame_equal(made, read)
    assert loop.read(lambda tx: unit_frames.units_named(tx, [])).schema == made.schema


def test_a_rule_made_live_is_used_at_once_in_every_process(any_loop: Loop):
    loop = any_loop
    loop.manifest(1, 2)
    loop.node.scorer.score_all()
    other = Scorer(loop.node.database)
    assert other.score_all() == 0
    enact(loop)
    loop.manifest(3)
    assert other.score_due() == 1  # a scorer that was running already
    by_unit = {row["unit_id"]: row for row in current(loop)}
    assert "rule:frozen_shrimp" in reasons(by_unit[loop.unit(3).id])
    assert "rule:frozen_shrimp" not in reasons(by_unit[loop.unit(1).id])


def test_open_units_are_assessed_again_when_rules_change(loop: Loop, monkeypatch):
    monkeypatch.setattr(score, "AGAIN", 2)
    loop.manifest(*range(1, 6))
    loop.node.worker.run_due()
    loop.clock.moment += timedelta(days=1)
    loop.event("DISC", 1)
    loop.later(minutes=1)
    loop.event("GTOT", 1)  # closed: nobody will pick it any more
    loop.node.worker.run_due()
    enact(loop)
    batches = count(loop, batch_table)
    loop.node.worker.run_due()
    assert count(loop, batch_table) - batches == 2  # four units, two at a time
    hit = [row for row in current(loop) if "rule:frozen_shrimp" in reasons(row)]
    assert len(hit) == 4
    assert loop.unit(1).id not in {row["unit_id"] for row in hit}
    assert loop.node.scorer.score_all() == 0  # and it comes to an end


def test_new_units_go_first_while_others_are_assessed_again(loop: Loop, monkeypatch):
    monkeypatch.setattr(score, "AGAIN", 1)
    loop.manifest(1, 2, 3)
    loop.node.scorer.score_all()
    enact(loop)
    seen: list[int] = []

    def progress(size: int) -> None:
        seen.append(size)
        if len(seen) == 1:
            loop.manifest(11, 12)

    loop.node.scorer.score_all(progress)
    assert seen == [1, 2, 1, 1]


def test_an_expired_rule_stops_the_day_after(loop: Loop):
    enact(loop, expires="2026-01-02")
    loop.clock.moment = datetime(2026, 1, 2, 23, 59, tzinfo=UTC)
    loop.manifest(1)
    loop.node.scorer.score_all()
    assert "rule:frozen_shrimp" in reasons(current(loop)[0])
    loop.clock.moment = datetime(2026, 1, 3, 0, 1, tzinfo=UTC)
    loop.manifest(2)
    assert loop.node.scorer.score_due() == 1
    by_unit = {row["unit_id"]: row for row in current(loop)}
    assert "rule:frozen_shrimp" not in reasons(by_unit[loop.unit(2).id])
    assert loop.node.scorer.score_all() == 1  # what it fired on before is assessed again
    assert all("rule:frozen_shrimp" not in reasons(row) for row in current(loop))


def test_an_outcome_learnt_asks_for_no_scoring(loop: Loop):
    from flow.test_learn import inspect_one

    loop.manifest(1)
    loop.node.worker.run_due()
    inspect_one(loop, 1)
    queued = select(job_table.c.kind).where(job_table.c.state == "queued")
    assert set(loop.read(lambda tx: tx.execute(queued).scalars().all())) <= {"audit.seal"}


def test_two_scorers_at_once_leave_one_current_assessment(any_loop: Loop):
    loop = any_loop
    loop.manifest(*range(1, 31))
    scorers = [Scorer(loop.node.database) for _ in range(3)]
    start = threading.Barrier(3)

    def go(scorer: Scorer) -> None:
        start.wait()
        scorer.score_all()

    threads = [threading.Thread(target=go, args=(scorer,)) for scorer in scorers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = current(loop)
    assert len(rows) == len({row["unit_id"] for row in rows}) == 30
    numbers = loop.read(
        lambda tx: sorted(tx.execute(select(assessment_table.c.seq)).scalars().all())
    )
    assert numbers == list(range(1, len(numbers) + 1))
    found = list(verify.check_assessments(loop.node.database, loop.node.folder, lambda *_: None))
    assert found == []


def test_what_is_erased_while_it_is_scored_is_not_written(loop: Loop, monkeypatch):
    loop.manifest(1)
    begun, officer = [], loop.people[Role.DATA_PROTECTION_OFFICER]
    original = score.features

    def slow(frame, history):
        if not begun:
            begun.append(frame["consignee_ref"][0])
            loop.node.eraser.party(officer, begun[0], "court_order")
        return original(frame, history)

    monkeypatch.setattr(score, "features", slow)
    assert loop.node.scorer.score_due() == 1
    assert begun[0]
    bodies = loop.read(lambda tx: tx.execute(select(feature_table.c.body)).scalars().all())
    assert bodies
    assert all(begun[0].encode() not in zlib.decompress(body) for body in bodies)


def test_a_restarted_node_scores_what_was_left(tmp_path: Path, loop: Loop):
    loop.manifest(1, 2)
    root = loop.node.folder.root
    loop.node.close()
    with Node.open(root, loop.clock) as again:
        assert again.scorer.score_all() == 2
        assert again.database.read(lambda tx: store.outdated_units(tx, "other rules", {}, 10))


@pytest.mark.parametrize("version", ["9.9.9", "10.0"])
def test_another_version_of_the_code_is_written_down(loop: Loop, monkeypatch, version: str):
    monkeypatch.setattr(score, "__version__", version)
    loop.manifest(1)
    Scorer(loop.node.database).score_all()
    assert {orjson.loads(row["body"])["versions"]["code"] for row in current(loop)} == {version}
