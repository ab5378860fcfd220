"""The SQL of risk, on both databases."""

import os
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from isthmus.cargo.store import insert_units
from isthmus.cargo.unit import Unit
from isthmus.kernel.ids import new_id
from isthmus.risk import store, stored
from isthmus.risk.tables import assessment_table, feature_table, model_table

SINCE = timedelta(seconds=1)


def outcome(unit: str, positive: bool, inspection: str | None, at, objective="contraband") -> dict:
    return {
        "id": new_id("out"),
        "unit_id": unit,
        "objective": objective,
        "positive": positive,
        "source": "inspection" if inspection else "declared",
        "inspection_id": inspection,
        "propensity": None,
        "detail": None,
        "recorded_at": at,
    }


def model(name: str, state: str, now, objective="revenue") -> dict:
    return {
        "id": name, "objective": objective, "state": state, "body": b"bytes", "card": {},
        "trained_by": "per", "trained_at": now,
    }  # fmt: skip


def batch(tx, units: list[str], *, ruleset="rules", model_id=None, objective="contraband") -> list:
    """Enter a scored batch of units by hand."""
    store.begin_scoring(tx)
    first, batch_id = store.next_number(tx), new_id("batch")
    features = [
        {
            "id": new_id("feat"), "unit_id": unit, "unit_version": 1, "as_of": tx.now,
            "body": b"row", "salt": os.urandom(16), "sources": [], "erasure_id": None,
        }
        for unit in units
    ]  # fmt: skip
    rows = [
        {
            "seq": first + at, "id": new_id("asm"), "unit_id": feature["unit_id"],
            "unit_version": 1, "objective": objective, "batch_id": batch_id,
            "feature_row_id": feature["id"], "ruleset_id": ruleset, "model_id": model_id,
            "code_version": "1", "at": tx.now, "score": 0.5, "band": "high", "basis": "model",
            "mandated_by": None, "lane": "green", "body": "{}", "digest": b"d", "current": True,
        }
        for at, feature in enumerate(features)
    ]  # fmt: skip
    told = {"id": batch_id, "at": tx.now, "assessments": len(rows), "root": b"r"}
    store.insert_assessments(tx, features, rows, told)
    return rows


@pytest.fixture
def units(database):
    held = [Unit(id=f"unit_{n}", kind="container", container=f"BOX{n}") for n in range(3)]
    for unit in held:
        unit.created_at = unit.changed_at = database.clock.now()
    database.write(lambda tx: insert_units(tx, held))
    return [unit.id for unit in held]


def test_outcomes_stand_once_for_each_inspection_and_table(database):
    now = database.clock.now()

    def enter(*rows) -> int:
        return database.write(lambda tx: store.insert_outcomes(tx, rows))

    assert enter(outcome("u", False, None, now), outcome("u", True, "i1", now)) == 2
    assert enter(outcome("u", True, None, now), outcome("u", True, "i1", now)) == 0
    assert enter(outcome("u", True, "i2", now)) == 1
    assert enter(outcome("u", True, "i2", now, "revenue")) == 1
    held = database.read(lambda tx: store.outcomes_of(tx, "contraband"))
    assert [row["source"] for row in held] == ["inspection", "inspection", "declared"]
    assert database.read(lambda tx: store.outcomes_learnt(tx, "contraband", now)) == {}
    assert database.read(lambda tx: store.outcomes_learnt(tx, "contraband", now - SINCE)) == {
        "u": True
    }
    assert database.write(lambda tx: store.insert_outcomes(tx, [])) == 0


def test_one_model_of_an_objective_is_live(database):
    now = database.clock.now()
    database.write(lambda tx: store.insert_model(tx, model("a", "live", now)))
    assert not database.write(lambda tx: store.insert_model(tx, model("a", "live", now)))
    database.write(lambda tx: store.insert_model(tx, model("c", "live", now, "contraband")))
    database.write(lambda tx: store.insert_model(tx, model("b", "shadow", now)))
    with pytest.raises(IntegrityError):
        database.write(lambda tx: store.change_model(tx, "b", state="live"))

    def swap(tx) -> None:
        store.retire_live(tx, "revenue")
        store.change_model(tx, "b", state="live")

    database.write(swap)
    assert [row["id"] for row in database.read(store.live_models)] == ["c", "b"]
    retired = database.read(
        lambda tx: (
            tx.execute(select(model_table.c.retired_at).where(model_table.c.id == "a"))
            .scalars()
            .one()
        )
    )
    assert retired == now


def test_only_the_last_scoring_of_a_unit_is_current(database, units):
    database.write(lambda tx: batch(tx, units))
    database.write(lambda tx: batch(tx, units[:2]))
    current = database.read(
        lambda tx: (
            tx.execute(
                select(assessment_table.c.seq)
                .where(assessment_table.c.current)
                .order_by(assessment_table.c.seq)
            )
            .scalars()
            .all()
        )
    )
    assert current == [3, 4, 5]
    assert database.read(stored.wrongly_current) == []


def test_what_other_rules_or_models_made_is_out_of_date(database, units):
    def outdated(ruleset: str, models: dict, limit: int = 10) -> set[str]:
        return set(database.read(lambda tx: store.outdated_units(tx, ruleset, models, limit)))

    database.write(lambda tx: batch(tx, units[:1], ruleset="old"))
    database.write(lambda tx: batch(tx, units[1:2], ruleset="new"))
    database.write(lambda tx: batch(tx, units[2:], ruleset="new", model_id="m"))
    assert outdated("new", {}) == {units[0], units[2]}
    assert outdated("new", {"contraband": "m"}) == {units[0], units[1]}
    assert outdated("new", {"revenue": "m"}) == {units[0], units[2]}
    assert len(outdated("newest", {}, limit=2)) == 2


def test_the_row_known_at_the_decision_is_the_chosen_one_else_the_first(database, units):
    first = database.write(lambda tx: batch(tx, units))
    second = database.write(lambda tx: batch(tx, units))
    later = {row["unit_id"]: row["feature_row_id"] for row in second}

    def mark(tx) -> None:
        for row in (*first, *second):
            name = row["feature_row_id"]
            tx.execute(
                feature_table.update().where(feature_table.c.id == name).values(body=name.encode())
            )

    database.write(mark)
    chosen = {units[1]: second[1]["id"]}
    rows = database.read(lambda tx: store.feature_rows(tx, [*units, "unit_unknown"], chosen))
    assert rows == {
        units[0]: first[0]["feature_row_id"].encode(),
        units[1]: later[units[1]].encode(),
        units[2]: first[2]["feature_row_id"].encode(),
    }


def test_erasing_features_leaves_the_assessment_and_says_so(database, units):
    database.write(lambda tx: batch(tx, units))
    assert database.write(lambda tx: store.erase_features(tx, units[:2], "ers_1")) == 2
    assert database.write(lambda tx: store.erase_features(tx, units[:2], "ers_2")) == 0
    rows = database.read(
        lambda tx: tx.execute(select(feature_table).order_by(feature_table.c.unit_id)).all()
    )
    assert [(row.body, row.salt, row.erasure_id) for row in rows[:2]] == [(None, None, "ers_1")] * 2
    assert rows[2].body == b"row"
    assert database.read(stored.erased_features) == {"ers_1": 2}


@pytest.mark.parametrize(("held", "asked"), [(0, 5), (3, 5), (10, 5), (10, 3), (10, 1)])
def test_a_sample_is_spread_over_all_there_is(database, held: int, asked: int):
    if held:
        database.write(lambda tx: batch(tx, [f"unit_{n:02d}" for n in range(held)]))
    rows = database.read(lambda tx: stored.sample(tx, asked))
    assert len(rows) == min(held, asked)
    assert len({row["id"] for row in rows}) == len(rows)
