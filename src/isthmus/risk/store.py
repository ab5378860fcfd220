"""All the SQL of rules, models, feature rows, assessments and outcomes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, func, select, update

from isthmus.access.gate import Scope, unscoped
from isthmus.cargo.tables import unit_table
from isthmus.kernel.errors import NotFound
from isthmus.platform.transaction import Transaction
from isthmus.risk.tables import (
    assessment_table,
    batch_table,
    feature_table,
    model_table,
    outcome_table,
    rule_table,
    ruleset_table,
)

SLICE = 4000


def _slices(values: Iterable[str]) -> Iterator[list[str]]:
    ordered = sorted(set(values))
    for start in range(0, len(ordered), SLICE):
        yield ordered[start : start + SLICE]


# -- rules --------------------------------------------------------------------------------


def rules(tx: Transaction, scope: Scope) -> list[RowMapping]:
    """Return every version of every rule, newest version first."""
    columns = rule_table.c
    rows = tx.execute(
        select(rule_table).where(scope.where()).order_by(columns.rule_id, columns.version.desc())
    )
    return list(rows.mappings())


def rule(tx: Transaction, scope: Scope, rule_key: str) -> RowMapping:
    """Return one rule version by its key (``rule@version``); raises ``NotFound``."""
    row = (
        tx.execute(select(rule_table).where(rule_table.c.id == rule_key, scope.where()))
        .mappings()
        .first()
    )
    if row is None:
        raise NotFound("rule_unknown", "no such rule", rule=rule_key)
    return row


@unscoped("scoring runs every rule in force, for the node and not for a person")
def rules_in(tx: Transaction, states: Sequence[str]) -> list[RowMapping]:
    """Return the rule versions in these states, by rule and version."""
    columns = rule_table.c
    rows = tx.execute(
        select(rule_table)
        .where(columns.state.in_(list(states)))
        .order_by(columns.rule_id, columns.version)
    )
    return list(rows.mappings())


@unscoped("a rule's next version is numbered after all that were ever proposed")
def rule_keys(tx: Transaction) -> set[str]:
    """Return the keys of all rule versions."""
    return {row[0] for row in tx.execute(select(rule_table.c.id))}


def insert_rules(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Enter rule versions."""
    tx.insert(rule_table, rows)


def change_rule(tx: Transaction, rule_key: str, **values: Any) -> None:
    """Change the standing of a rule version; its text never changes."""
    tx.execute(update(rule_table).where(rule_table.c.id == rule_key).values(**values))


def keep_ruleset(tx: Transaction, ruleset_id: str, body: bytes) -> None:
    """Keep the bytes that assessments were made with, once."""
    tx.insert_new(ruleset_table, {"id": ruleset_id, "body": body, "first_used_at": tx.now})


@unscoped("recomputing an assessment reads the rules it names")
def ruleset_body(tx: Transaction, ruleset_id: str) -> bytes | None:
    """Return the bytes of a rule set that assessments name."""
    body: bytes | None = tx.execute(
        select(ruleset_table.c.body).where(ruleset_table.c.id == ruleset_id)
    ).scalar()
    return body


# -- models -------------------------------------------------------------------------------


def models(tx: Transaction, scope: Scope) -> list[RowMapping]:
    """Return all models, newest first, without their bytes."""
    wanted = [column for column in model_table.c if column.name != "body"]
    rows = tx.execute(
        select(*wanted).where(scope.where()).order_by(model_table.c.trained_at.desc())
    )
    return list(rows.mappings())


def model(tx: Transaction, scope: Scope, model_id: str) -> RowMapping:
    """Return one model; raises ``NotFound``."""
    row = (
        tx.execute(select(model_table).where(model_table.c.id == model_id, scope.where()))
        .mappings()
        .first()
    )
    if row is None:
        raise NotFound("model_unknown", "no such model", model=model_id)
    return row


@unscoped("scoring runs the live model of each objective, for the node and not for a person")
def live_models(tx: Transaction) -> list[RowMapping]:
    """Return the live model of each objective."""
    rows = tx.execute(
        select(model_table).where(model_table.c.state == "live").order_by(model_table.c.objective)
    )
    return list(rows.mappings())


@unscoped("scoring asks cheaply whether rules or models changed since it last read them")
def versions_in_force(tx: Transaction) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the keys of the rules in force and the ids of the live models."""
    rules_ = tx.execute(
        select(rule_table.c.id, rule_table.c.state)
        .where(rule_table.c.state.in_(["live", "shadow"]))
        .order_by(rule_table.c.id)
    )
    models_ = tx.execute(
        select(model_table.c.id).where(model_table.c.state == "live").order_by(model_table.c.id)
    ).scalars()
    return tuple(f"{row['id']}:{row['state']}" for row in rules_.mappings()), tuple(models_)


@unscoped("recomputing an assessment reads the model it names")
def model_body(tx: Transaction, model_id: str) -> bytes | None:
    """Return the bytes of a model that assessments name."""
    body: bytes | None = tx.execute(
        select(model_table.c.body).where(model_table.c.id == model_id)
    ).scalar()
    return body


def insert_model(tx: Transaction, row: Mapping[str, Any]) -> bool:
    """Enter a trained model; false when the very same bytes were trained before."""
    return tx.insert_new(model_table, row)


def change_model(tx: Transaction, model_id: str, **values: Any) -> None:
    """Change the standing of a model; its bytes never change."""
    tx.execute(update(model_table).where(model_table.c.id == model_id).values(**values))


def retire_live(tx: Transaction, objective: str) -> None:
    """Retire the live model of an objective."""
    tx.execute(
        update(model_table)
        .where(model_table.c.objective == objective, model_table.c.state == "live")
        .values(state="retired", retired_at=tx.now)
    )


# -- assessments --------------------------------------------------------------------------


def insert_assessments(
    tx: Transaction,
    features: Sequence[Mapping[str, Any]],
    assessments: Sequence[Mapping[str, Any]],
    batch: Mapping[str, Any],
) -> None:
    """Enter a scored batch; earlier assessments of its units are no longer current."""
    columns = assessment_table.c
    for part in _slices(row["unit_id"] for row in features):
        tx.execute(
            update(assessment_table)
            .where(columns.unit_id.in_(part), columns.current)
            .values(current=False)
        )
    tx.insert(feature_table, features)
    tx.insert(assessment_table, assessments)
    tx.insert(batch_table, [batch])


def assessments_of(tx: Transaction, scope: Scope, unit_id: str) -> list[RowMapping]:
    """Return all assessments of a unit that the reader may see, newest first."""
    units = unit_table.c
    rows = tx.execute(
        select(assessment_table)
        .join(unit_table, units.id == assessment_table.c.unit_id)
        .where(
            units.id == unit_id,
            scope.where(office_column=units.office, terminal_column=units.terminal),
        )
        .order_by(assessment_table.c.seq.desc())
    )
    return list(rows.mappings())


def current_for(tx: Transaction, scope: Scope, unit_ids: Iterable[str]) -> list[RowMapping]:
    """Return the current assessments of these units that the reader may see."""
    units, columns = unit_table.c, assessment_table.c
    found: list[RowMapping] = []
    for part in _slices(unit_ids):
        rows = tx.execute(
            select(assessment_table)
            .join(unit_table, units.id == columns.unit_id)
            .where(
                columns.unit_id.in_(part),
                columns.current,
                scope.where(office_column=units.office, terminal_column=units.terminal),
            )
            .order_by(columns.seq)
        )
        found.extend(rows.mappings())
    return found


def candidates(
    tx: Transaction, scope: Scope, objective: str, office: str | None, now: datetime
) -> list[RowMapping]:
    """Return open units that a run may pick, with their current assessment of one objective.

    Out of reach are units whose deadline has passed, unless they came in by ship lately and are
    not reported to have left: those stand on the terminal.
    """
    units, columns = unit_table.c, assessment_table.c
    statement = (
        select(
            columns.id.label("assessment_id"),
            columns.score,
            columns.mandated_by,
            columns.lane,
            units.id,
            units.version,
            units.office,
            units.terminal,
            units.deadline_at,
            units.arrival_at,
            units.gate_out_at,
            units.regime,
            units.supplementary,
        )
        .join(unit_table, units.id == columns.unit_id)
        .where(
            columns.objective == objective,
            columns.current,
            units.state == "open",
            (units.deadline_at.is_(None)) | (units.deadline_at > now),
            scope.where(office_column=units.office, terminal_column=units.terminal),
        )
        .order_by(units.id)
    )
    if office is not None:
        statement = statement.where(units.office == office)
    return list(tx.execute(statement).mappings())


@unscoped("verification recomputes assessments of every office")
def sample(tx: Transaction, count: int) -> list[RowMapping]:
    """Return assessments with their feature rows, spread evenly over all there are."""
    columns = assessment_table.c
    total: int = tx.execute(select(func.count()).select_from(assessment_table)).scalar() or 0
    step = max(1, total // max(1, count))
    numbered = select(
        columns.seq, func.row_number().over(order_by=columns.seq).label("place")
    ).subquery()
    chosen = (
        select(numbered.c.seq)
        .where((numbered.c.place - 1) % step == 0)
        .order_by(numbered.c.seq)
        .limit(count)
    )
    rows = tx.execute(
        select(
            assessment_table,
            feature_table.c.body.label("features"),
            feature_table.c.erasure_id,
        )
        .join(feature_table, feature_table.c.id == columns.feature_row_id, isouter=True)
        .where(columns.seq.in_(chosen))
        .order_by(columns.seq)
    )
    return list(rows.mappings())


@unscoped("verification walks all scored batches")
def batches(tx: Transaction) -> list[RowMapping]:
    """Return all scored batches, oldest first."""
    return list(tx.execute(select(batch_table).order_by(batch_table.c.id)).mappings())


@unscoped("verification compares a batch's assessments with the digest over them")
def assessments_in(tx: Transaction, batch_id: str) -> list[RowMapping]:
    """Return the assessments of one batch in the order they were entered, with feature rows."""
    columns = assessment_table.c
    rows = tx.execute(
        select(
            assessment_table,
            feature_table.c.body.label("features"),
            feature_table.c.salt,
            feature_table.c.sources,
            feature_table.c.as_of,
            feature_table.c.erasure_id,
        )
        .join(feature_table, feature_table.c.id == columns.feature_row_id, isouter=True)
        .where(columns.batch_id == batch_id)
        .order_by(columns.seq)
    )
    return list(rows.mappings())


@unscoped("the reasons of an assessment that was read within scope come from its feature row")
def feature_body(tx: Transaction, feature_row_id: str) -> bytes | None:
    """Return a stored feature row, compressed; nothing when it was erased."""
    body: bytes | None = tx.execute(
        select(feature_table.c.body).where(feature_table.c.id == feature_row_id)
    ).scalar()
    return body


def erase_features(tx: Transaction, unit_ids: Iterable[str], erasure_id: str) -> int:
    """Erase the feature rows of these units; their assessments stay and say so."""
    erased = 0
    for part in _slices(unit_ids):
        outcome = tx.execute(
            update(feature_table)
            .where(feature_table.c.unit_id.in_(part), feature_table.c.body.is_not(None))
            .values(body=None, salt=None, sources=[], erasure_id=erasure_id)
        )
        erased += outcome.rowcount
        tx.execute(
            update(assessment_table).where(assessment_table.c.unit_id.in_(part)).values(body=None)
        )
    return erased


# -- outcomes -----------------------------------------------------------------------------


def insert_outcomes(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> int:
    """Enter outcomes; one unit has one outcome of an objective from a source. Returns how many."""
    return tx.insert_all_new(outcome_table, rows)


@unscoped("history and training read every outcome of the node")
def outcomes_since(tx: Transaction, after: int, limit: int) -> list[RowMapping]:
    """Return outcomes entered after the one with this number, page by page."""
    rows = tx.execute(
        select(outcome_table)
        .where(outcome_table.c.seq > after)
        .order_by(outcome_table.c.seq)
        .limit(limit)
    )
    return list(rows.mappings())


@unscoped("training reads every outcome of an objective")
def outcomes_of(tx: Transaction, objective: str) -> list[RowMapping]:
    """Return the outcomes of an objective, inspections before declared ones of the same unit."""
    columns = outcome_table.c
    rows = tx.execute(
        select(outcome_table)
        .where(columns.objective == objective)
        .order_by(columns.unit_id, columns.source.desc())
    )
    return list(rows.mappings())
