"""Verification of what the loop keeps: every flipped value is named, lawful erasure is told apart."""

import hashlib
import random
from typing import Any

import pytest
from sqlalchemy import LargeBinary, delete, insert, select, text, type_coerce, update
from sqlalchemy.types import NullType

from flow.loop_node import Loop
from flow.test_score import enact
from flow.test_train import approve, taught
from isthmus.access.model import Role
from isthmus.flow import score, verify
from isthmus.flow.score import Scorer
from isthmus.platform.audit import Fault
from isthmus.platform.erasure import erasure_table
from isthmus.platform.verification import ErasedNotice
from isthmus.risk.objectives import Objective
from isthmus.risk.tables import (
    assessment_table,
    batch_table,
    feature_table,
    model_table,
    ruleset_table,
)


def findings(loop: Loop) -> list[Any]:
    return list(verify.check_assessments(loop.node.database, loop.node.folder, lambda *_: None))


def faults(loop: Loop) -> set[tuple[str, str]]:
    return {(one.table, one.row) for one in findings(loop) if isinstance(one, Fault)}


def raw(loop: Loop, table, key: str, row: Any) -> dict[str, Any]:
    """A row as it is stored, no value turned into anything."""
    columns = [type_coerce(column, NullType()).label(column.name) for column in table.c]
    return loop.read(
        lambda tx: dict(tx.execute(select(*columns).where(table.c[key] == row)).mappings().one())
    )


def put(loop: Loop, table, key: str, row: Any, column: str, value: Any) -> None:
    loop.write(
        lambda tx: tx.execute(
            text(f'UPDATE {table.name} SET "{column}" = :value WHERE "{key}" = :row'),
            {"value": value, "row": row},
        )
    )


def flipped(value: Any, dice: random.Random, *, binary: bool) -> Any:
    """The value with one bit, digit or letter changed."""
    if value is None:
        return b"\x00" if binary else "x"
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value ^ (1 << dice.randrange(8)) if value > 1 else 1 - value
    if isinstance(value, float):
        return value + dice.choice((1e-6, -1e-6, 0.5))
    if isinstance(value, bytes):
        at = dice.randrange(len(value))
        return value[:at] + bytes([value[at] ^ (1 << dice.randrange(8))]) + value[at + 1 :]
    at = dice.randrange(len(value)) if value else 0
    letter = chr(ord(value[at]) ^ 1) if value else "x"
    return value[:at] + letter + value[at + 1 :]


ASSESSMENT = [column.name for column in assessment_table.c]
FEATURES = [column.name for column in feature_table.c]
BATCH = [column.name for column in batch_table.c]


@pytest.mark.parametrize(
    ("table", "column"),
    [
        *((assessment_table, name) for name in ASSESSMENT),
        *((feature_table, name) for name in FEATURES),
        *((batch_table, name) for name in BATCH),
    ],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_one_flipped_byte_is_named(holding: Loop, table, column: str):
    loop, dice = holding, random.Random(column)
    for turn in range(4):
        rows = loop.read(
            lambda tx: tx.execute(select(table.c.id).order_by(table.c.id)).scalars().all()
        )
        name = rows[dice.randrange(len(rows))]
        before = raw(loop, table, "id", name)
        binary = isinstance(table.c[column].type, LargeBinary)
        value = flipped(before[column], dice, binary=binary)
        if column == "seq" and loop.read(
            lambda tx, v=value: tx.execute(select(table.c.id).where(table.c.seq == v)).first()
        ):
            value = 10_000 + turn
        put(loop, table, "id", name, column, value)
        moved = value if column == "id" else name
        named = faults(loop)
        put(loop, table, "id", moved, column, before[column])
        assert named, (table.name, column, before[column], value)
        if table is assessment_table:
            assert ("assessment", moved) in named or column == "batch_id", named
        if table is batch_table:
            assert {("scoring_batch", name), ("scoring_batch", moved)} & named
        if table is feature_table:
            told = loop.read(
                lambda tx, n=name: set(
                    tx.execute(
                        select(assessment_table.c.id).where(assessment_table.c.feature_row_id == n)
                    ).scalars()
                )
            )
            assert {("assessment", one) for one in told} <= named
    assert faults(loop) == set()


@pytest.fixture(scope="module")
def holding(tmp_path_factory: pytest.TempPathFactory):
    """A node with assessments, shared by tests that put back what they alter."""
    from flow.loop_node import open_loop
    from isthmus.kernel.time import SetClock

    loop = open_loop(tmp_path_factory.mktemp("verify") / "node", SetClock())
    loop.manifest(1, 2, 3)
    loop.node.scorer.score_all()
    loop.event("DISC", 2)
    loop.node.scorer.score_all()
    assert faults(loop) == set()
    yield loop
    loop.node.close()


@pytest.mark.parametrize("column", ["at", "unit_version", "score", "current", "body"])
def test_a_value_of_another_type_is_named_and_stops_nothing(holding: Loop, column: str):
    name = holding.read(lambda tx: tx.execute(select(assessment_table.c.id)).scalars().first())
    before = raw(holding, assessment_table, "id", name)[column]
    for value in ("rubbish", b"\xff\xfe", 7e300):
        put(holding, assessment_table, "id", name, column, value)
        assert ("assessment", name) in faults(holding)
        recomputed = holding.read(lambda tx: verify.recompute(tx, 1000))
        if column == "body":
            assert {fault.row for fault in recomputed.faults} == {name}
        put(holding, assessment_table, "id", name, column, before)
    assert faults(holding) == set()


def test_rows_taken_away_or_put_in_are_named(loop: Loop):
    loop.manifest(1, 2)
    loop.node.scorer.score_all()
    rated = assessment_table.c
    row = loop.read(lambda tx: dict(tx.execute(select(assessment_table)).mappings().first()))
    loop.write(lambda tx: tx.execute(delete(assessment_table).where(rated.id == row["id"])))
    assert faults(loop) == {("scoring_batch", row["batch_id"])}
    loop.write(lambda tx: tx.execute(insert(assessment_table).values(row)))
    assert faults(loop) == set()
    forged = row | {"id": "asm_forged", "seq": 999}
    loop.write(lambda tx: tx.execute(insert(assessment_table).values(forged)))
    assert ("assessment", "asm_forged") in faults(loop)
    loop.write(lambda tx: tx.execute(delete(assessment_table).where(rated.id == "asm_forged")))
    loop.write(lambda tx: tx.execute(delete(assessment_table)))
    loop.write(lambda tx: tx.execute(delete(batch_table)))
    assert faults(loop) == {("scoring_batch", row["batch_id"])}


@pytest.mark.parametrize("table", [ruleset_table, model_table], ids=lambda table: table.name)
def test_altered_rules_and_models_are_named(loop: Loop, table):
    taught(loop)
    loop.node.trainer.train(loop.people[Role.ANALYST], Objective.REVENUE)
    name, body = loop.read(lambda tx: tuple(tx.execute(select(table.c.id, table.c.body)).one()))
    put(loop, table, "id", name, "body", body.replace(b"1", b"2", 1))
    assert faults(loop) == {(table.name, name)}


# -- erasure ------------------------------------------------------------------------------------


def erased(loop: Loop) -> str:
    """Score two boxes and erase the consignee of one; returns that unit."""
    loop.manifest(1, 2)
    loop.node.scorer.score_all()
    unit = loop.unit(1)
    officer = loop.people[Role.DATA_PROTECTION_OFFICER]
    loop.node.eraser.party(officer, unit.consignee_ref, "court_order")
    return unit.id


def test_lawful_erasure_is_told_apart(any_loop: Loop):
    loop = any_loop
    unit = erased(loop)
    found = findings(loop)
    assert found
    assert all(isinstance(one, ErasedNotice) for one in found)
    names = loop.read(
        lambda tx: set(
            tx.execute(
                select(assessment_table.c.id).where(assessment_table.c.unit_id == unit)
            ).scalars()
        )
    )
    assert {one.row for one in found} == names
    recomputed = loop.read(lambda tx: verify.recompute(tx, 1000))
    assert recomputed.erased == len(names)
    assert recomputed.same > 0
    assert recomputed.faults == []


def test_nobody_hides_an_alteration_behind_an_erasure(loop: Loop):
    erased(loop)
    other = loop.unit(2).id
    (erasure,) = loop.read(lambda tx: tx.execute(select(erasure_table.c.id)).scalars().all())
    hidden = {"body": None, "salt": None, "sources": [], "erasure_id": erasure}

    def hide(tx) -> None:
        tx.execute(update(feature_table).where(feature_table.c.unit_id == other).values(hidden))
        of = assessment_table.c.unit_id == other
        tx.execute(update(assessment_table).where(of).values(body=None, score=0.0))

    loop.write(hide)
    assert ("feature_row", erasure) in faults(loop)  # more name it than it erased
    made_up = {"erasure_id": "ers_none"}
    loop.write(
        lambda tx: tx.execute(
            update(feature_table).where(feature_table.c.unit_id == other).values(made_up)
        )
    )
    named = faults(loop)
    assert ("feature_row", "ers_none") in named
    assert any(table == "assessment" for table, _ in named)


# -- recomputing --------------------------------------------------------------------------------


def test_a_thousand_assessments_come_out_the_same(any_loop: Loop, monkeypatch):
    """With rules alone, after a rule changed, with a model, and made by another version."""
    loop = any_loop
    taught(loop)
    enact(loop)
    loop.manifest(1, 2, 3)
    loop.node.scorer.score_all()
    model, _ = loop.node.trainer.train(loop.people[Role.ANALYST], Objective.REVENUE)
    approve(loop, model, loop.people[Role.SUPERVISOR], loop.people[Role.MODEL_APPROVER])
    loop.node.scorer.score_all()
    monkeypatch.setattr(score, "__version__", "7.7.7")
    loop.manifest(4, 5)
    Scorer(loop.node.database).score_all()
    rulesets = loop.read(lambda tx: tx.execute(select(ruleset_table.c.id)).scalars().all())
    assert len(rulesets) == 2
    checked = loop.read(lambda tx: verify.recompute(tx, 1000))
    assert (checked.same, checked.erased, checked.faults) == (1000, 0, [])
    assert faults(loop) == set()


def test_a_feature_altered_together_with_its_digest_is_found_by_recomputing(loop: Loop):
    """Whoever can write digests too is caught by the audit's root, and by recomputing."""
    loop.manifest(1)
    loop.node.scorer.score_all()
    row = loop.read(
        lambda tx: dict(
            tx.execute(select(assessment_table).where(assessment_table.c.objective == "contraband"))
            .mappings()
            .one()
        )
    )
    body = row["body"].replace('"score":', '"score":9', 1)
    put(loop, assessment_table, "id", row["id"], "body", body)
    put(loop, assessment_table, "id", row["id"], "digest", hashlib.sha256(b"x").digest())
    checked = loop.read(lambda tx: verify.recompute(tx, 1000))
    assert {fault.row for fault in checked.faults} == {row["id"]}
    assert ("scoring_batch", row["batch_id"]) in faults(loop)
