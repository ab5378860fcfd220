"""All the SQL of rules, models, feature rows, assessments and outcomes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, bindparam, case, func, null, or_, select, update

from isthmus.access.gate import Scope, unscoped
from isthmus.cargo.tables import unit_table
from isthmus.cargo.unit import UnitState
from isthmus.kernel.errors import NotFound
from isthmus.platform.erasure import erasure_table
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
_SCORING = "scoring"

# Of every scored frame, and made once: making a statement costs more than running it.
_RULES_IN_FORCE = (
    select(rule_table.c.id, rule_table.c.state)
    .where(rule_table.c.state.in_(["live", "shadow"]))
    .order_by(rule_table.c.id)
)
_MODELS_IN_FORCE = (
    select(model_table.c.id).where(model_table.c.state == "live").order_by(model_table.c.id)
)
_ERASURES = select(func.count()).select_from(erasure_table)
_NEWEST = select(func.max(assessment_table.c.seq))
_PASSED = (
    update(assessment_table)
    .where(
        assessment_table.c.unit_id.in_(bindparam("part", expanding=True)),
        assessment_table.c.current,
    )
    .values(current=False)
)


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


@unscoped("rules that come with the product are entered once, whoever starts the node")
def rule_keys(tx: Transaction) -> set[str]:
    """Return the keys of all rule versions."""
    return {row[0] for row in tx.execute(select(rule_table.c.id))}


@unscoped("a rule's next version is numbered after all that were ever proposed")
def newest_version(tx: Transaction, rule_id: str) -> int:
    """Return the highest version of a rule, 0 where there is none."""
    newest = select(func.max(rule_table.c.version)).where(rule_table.c.rule_id == rule_id)
    return int(tx.execute(newest).scalar() or 0)


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
    rules_ = tx.execute(_RULES_IN_FORCE).all()
    models_ = tx.execute(_MODELS_IN_FORCE).scalars()
    return tuple(f"{row.id}:{row.state}" for row in rules_), tuple(models_)


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


@unscoped("scoring asks whether anything was erased while it computed")
def begin_scoring(tx: Transaction) -> int:
    """Hold off other scorers, and erasures, until this unit of work ends.

    Two scorers at once would both leave current assessments of one unit, and a scoring that began
    before an erasure must not write afterwards what was erased. Returns how many lawful erasures
    there have been.
    """
    tx.lock([_SCORING])
    return count_erasures(tx)


@unscoped("scoring asks whether anything was erased while it computed")
def count_erasures(tx: Transaction) -> int:
    """Return how many lawful erasures there have been."""
    return int(tx.execute(_ERASURES).scalar_one())


@unscoped("assessments are numbered without gaps, so that a missing one shows")
def next_number(tx: Transaction) -> int:
    """Return the number of the next assessment; the caller has begun scoring."""
    newest: int = tx.execute(_NEWEST).scalar() or 0
    return newest + 1


def insert_assessments(
    tx: Transaction,
    features: Sequence[Mapping[str, Any]],
    assessments: Sequence[Mapping[str, Any]],
    batch: Mapping[str, Any],
) -> None:
    """Enter a scored batch; earlier assessments of its units are no longer current."""
    for part in _slices(row["unit_id"] for row in features):
        tx.execute(_PASSED, {"part": part})
    tx.insert(feature_table, features)
    tx.insert(assessment_table, assessments)
    tx.insert(batch_table, [batch])


@unscoped("open units of every office are assessed by the rules and models in force")
def outdated_units(
    tx: Transaction, ruleset_id: str, models: Mapping[str, str], limit: int
) -> list[str]:
    """Return open units that were last assessed with other rules or models.

    ``models`` names the live model of each objective that has one.
    """
    columns, units = assessment_table.c, unit_table.c
    wanted = case(models, value=columns.objective) if models else null()
    other = (columns.ruleset_id != ruleset_id) | columns.model_id.is_distinct_from(wanted)
    rows = tx.execute(
        select(columns.unit_id)
        .join(unit_table, units.id == columns.unit_id)
        .where(columns.current, units.state == UnitState.OPEN, other)
        .distinct()
        .limit(limit)
    )
    return list(rows.scalars())


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


@unscoped("the reasons of an assessment that was read within scope come from its feature row")
def feature_body(tx: Transaction, feature_row_id: str) -> bytes | None:
    """Return a stored feature row, compressed; nothing when it was erased."""
    body: bytes | None = tx.execute(
        select(feature_table.c.body).where(feature_table.c.id == feature_row_id)
    ).scalar()
    return body


@unscoped("a trial compares a model with what is in force, over every office")
def newest_assessed(tx: Transaction, objective: str, limit: int) -> list[RowMapping]:
    """Return the newest current assessments of an objective with their feature rows."""
    columns = assessment_table.c
    rows = tx.execute(
        select(columns.unit_id, columns.score, feature_table.c.body.label("features"))
        .join(feature_table, feature_table.c.id == columns.feature_row_id)
        .where(columns.objective == objective, columns.current, feature_table.c.body.is_not(None))
        .order_by(columns.seq.desc())
        .limit(limit)
    )
    return list(rows.mappings())


@unscoped("training reads what was known of each unit when it was decided on")
def feature_rows(
    tx: Transaction, unit_ids: Iterable[str], chosen: Mapping[str, str]
) -> dict[str, bytes | None]:
    """Return, by unit, the compressed feature row of its chosen assessment, else of its first.

    ``chosen`` names assessments by unit. Null where the row was erased; a unit that was never
    assessed is absent.
    """
    columns, features = assessment_table.c, feature_table.c
    found: dict[str, bytes | None] = {}
    for part in _slices(unit_ids):
        first = select(func.min(columns.seq)).where(columns.unit_id.in_(part))
        named = [chosen[unit] for unit in part if unit in chosen]
        rows = tx.execute(
            select(columns.unit_id, columns.id, features.body)
            .join(feature_table, features.id == columns.feature_row_id)
            .where(or_(columns.seq.in_(first.group_by(columns.unit_id)), columns.id.in_(named)))
            .order_by(columns.seq)
        )
        for row in rows:
            if row.unit_id not in chosen or chosen[row.unit_id] == row.id:
                found[row.unit_id] = row.body
    return found


def erase_features(tx: Transaction, unit_ids: Iterable[str], erasure_id: str) -> int:
    """Erase the feature rows of these units; their assessments stay and say so."""
    tx.lock([_SCORING])
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
    """Enter outcomes and return how many were new.

    An inspection says one thing of an objective, and so does the table that a unit came in.
    """
    return tx.insert_all_new(outcome_table, rows)


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


@unscoped("a trial judges a model by what was learnt after its training")
def outcomes_learnt(tx: Transaction, objective: str, since: datetime) -> dict[str, bool]:
    """Return, by unit, whether an irregularity was found, of outcomes recorded after a moment."""
    columns = outcome_table.c
    rows = tx.execute(
        select(columns.unit_id, columns.positive)
        .where(columns.objective == objective, columns.recorded_at > since)
        .order_by(columns.positive)
    )
    return {row.unit_id: row.positive for row in rows}
