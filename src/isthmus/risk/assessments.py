"""Assessments as they are kept: what each is made of, how it is checked, how it is told.

An assessment row names the feature row, the rules, the model and the code it was made with. Its
digest is salted by its feature row, so that erasing the row leaves a chain that still verifies
and a digest nobody can test a guess against.
"""

import hashlib
import hmac
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
import polars as pl
from sqlalchemy import RowMapping

from isthmus import __version__
from isthmus.access.gate import scope
from isthmus.access.model import Actor, Permission
from isthmus.kernel.canonical import canonical
from isthmus.kernel.errors import Damaged, IsthmusError
from isthmus.kernel.ids import new_id
from isthmus.kernel.time import to_micros
from isthmus.platform import audit
from isthmus.platform.transaction import Transaction
from isthmus.risk import store
from isthmus.risk.assess import (
    Assessed,
    Assessor,
    assessor_from_bytes,
    frame_from_stored,
    recompute,
)
from isthmus.risk.explain import explain
from isthmus.risk.objectives import Objective
from isthmus.risk.schema import stored_rows

_COVERED = (
    "id", "unit_id", "unit_version", "objective", "batch_id", "feature_row_id", "ruleset_id",
    "model_id", "code_version", "score", "band", "basis", "mandated_by", "lane", "body",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Engine:
    """An assessor with the names under which its rules and models are kept."""

    assessor: Assessor
    ruleset_id: str
    ruleset_body: bytes
    model_ids: Mapping[Objective, str]

    def objectives(self) -> list[Objective]:
        """The objectives that anything speaks of here: a model, or a rule in force."""
        ruled = {rule.objective for rule in self.assessor.ruleset.rules}
        return [one for one in Objective if one in ruled or one in self.model_ids]


def keep(
    tx: Transaction,
    engine: Engine,
    frame: pl.DataFrame,
    assessed: Mapping[Objective, Assessed],
    sources: Mapping[str, Sequence[str]],
) -> str:
    """Enter the assessments of a frame with their feature rows and audit row; return the batch.

    ``sources`` names, by unit, the record versions that its row was made from.
    """
    batch_id = new_id("batch")
    store.keep_ruleset(tx, engine.ruleset_id, engine.ruleset_body)
    features = _feature_rows(frame, sources)
    rows: list[dict[str, Any]] = []
    for objective in engine.objectives():
        rows += _rows(tx, engine, batch_id, features, assessed[objective])
    root = hashlib.sha256(b"".join(row["digest"] for row in rows)).digest()
    batch = {"id": batch_id, "at": tx.now, "assessments": len(rows), "root": root}
    store.insert_assessments(tx, features, rows, batch)
    audit.record(
        tx,
        "node",
        "units.score",
        "scoring_batch",
        batch_id,
        object_digest=root,
        units=frame.height,
        assessments=len(rows),
        ruleset=engine.ruleset_id,
        models=sorted(engine.model_ids.values()),
    )
    return batch_id


def _feature_rows(
    frame: pl.DataFrame, sources: Mapping[str, Sequence[str]]
) -> list[dict[str, Any]]:
    moments = frame["as_of"].to_list()
    return [
        {
            "id": new_id("feat"),
            "unit_id": unit_id,
            "unit_version": version,
            "as_of": as_of,
            "body": zlib.compress(body, 1),
            "salt": os.urandom(16),
            "sources": list(sources.get(unit_id, ())),
            "erasure_id": None,
        }
        for unit_id, version, as_of, body in zip(
            frame["id"], frame["version"], moments, stored_rows(frame), strict=True
        )
    ]


def _rows(
    tx: Transaction,
    engine: Engine,
    batch_id: str,
    features: Sequence[Mapping[str, Any]],
    assessed: Assessed,
) -> list[dict[str, Any]]:
    mandates = {
        f"rule:{rule.id}"
        for rule in engine.assessor.ruleset.rules
        if rule.effect == "mandate" and rule.state == "live"
    }
    rows = []
    table = assessed.table.select("score", "band", "mandated", "lane").iter_rows()
    bodies = assessed.canonical()
    for feature, body, (score, band, mandated, lane), reasons in zip(
        features, bodies, table, assessed.reasons, strict=True
    ):
        by = next((r["code"][5:] for r in reasons if r["code"] in mandates), None)
        row = {
            "id": new_id("asm"),
            "unit_id": feature["unit_id"],
            "unit_version": feature["unit_version"],
            "objective": assessed.objective.value,
            "batch_id": batch_id,
            "feature_row_id": feature["id"],
            "ruleset_id": engine.ruleset_id,
            "model_id": engine.model_ids.get(assessed.objective),
            "code_version": __version__,
            "at": tx.now,
            "score": score,
            "band": band,
            "basis": assessed.basis.value,
            "mandated_by": by if mandated else None,
            "lane": lane,
            "body": body.decode(),
            "current": True,
        }
        row["digest"] = digest_of(row, feature)
        rows.append(row)
    return rows


def digest_of(row: Mapping[str, Any], feature: Mapping[str, Any]) -> bytes:
    """Return the salted digest over an assessment and the feature row it was made from."""
    covered = {name: row[name] for name in _COVERED}
    covered["at"] = to_micros(row["at"])
    covered["as_of"] = None if feature["as_of"] is None else to_micros(feature["as_of"])
    covered["features"] = hashlib.sha256(feature["body"]).digest()
    covered["sources"] = feature["sources"]
    return hmac.digest(feature["salt"], canonical(covered), "sha256")


# -- verification -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Checked:
    """What checking one assessment came to."""

    id: str
    state: str  # intact, erased, damaged
    message: str = ""


def check_batches(tx: Transaction, vouched: Mapping[str, bytes | None]) -> Iterator[Checked]:
    """Check every assessment against its digest, and every batch against its audit row.

    ``vouched`` gives, by batch, the digest that the audit row of its scoring holds. Yields only
    what is not intact.
    """
    for batch in store.batches(tx):
        rows = store.assessments_in(tx, batch["id"])
        root = hashlib.sha256(b"".join(row["digest"] for row in rows)).digest()
        if batch["id"] not in vouched:
            yield Checked(batch["id"], "damaged", "no audit row tells of this scoring")
        elif vouched[batch["id"]] != batch["root"] or len(rows) != batch["assessments"]:
            yield Checked(batch["id"], "damaged", "the batch is not the one the audit tells of")
        elif root != batch["root"]:
            yield Checked(batch["id"], "damaged", "a digest of an assessment was altered")
        for row in rows:
            if (checked := _check_one(row)).state != "intact":
                yield checked


def _check_one(row: RowMapping) -> Checked:
    if row["erasure_id"] is not None:
        return Checked(row["id"], "erased", row["erasure_id"])
    if row["features"] is None or row["salt"] is None or row["body"] is None:
        return Checked(row["id"], "damaged", "its feature row is gone without an erasure")
    try:
        held = dict(row)
        found = digest_of(held, held | {"body": row["features"]})
    except (TypeError, ValueError, OverflowError):
        return Checked(row["id"], "damaged", "the row cannot be read")
    return Checked(row["id"], "intact" if found == row["digest"] else "damaged", "altered")


def recompute_sample(tx: Transaction, count: int) -> Iterator[Checked]:
    """Recompute assessments from what is stored; each must come out as the very same bytes."""
    groups: dict[tuple[str, str | None, str, bytes], list[RowMapping]] = {}
    for row in store.sample(tx, count):
        if row["erasure_id"] is not None:
            yield Checked(row["id"], "erased", row["erasure_id"])
            continue
        try:
            versions = orjson.loads(row["body"])["versions"]
            own = {name: text for name, text in versions.items() if name not in ("rules", "model")}
        except (TypeError, ValueError, KeyError):
            yield Checked(row["id"], "damaged", "the assessment cannot be read")
            continue
        key = (row["ruleset_id"], row["model_id"], row["objective"], canonical(own))
        groups.setdefault(key, []).append(row)
    for (ruleset_id, model_id, objective, code), rows in groups.items():
        yield from _recompute(tx, rows, (ruleset_id, model_id, code), Objective(objective))


def _recompute(
    tx: Transaction,
    rows: Sequence[RowMapping],
    made_with: tuple[str, str | None, bytes],
    objective: Objective,
) -> Iterator[Checked]:
    """Recompute assessments that were made with the same rules, model and code, as one frame.

    Where the frame as a whole cannot be read, each row is tried alone, to name the damaged one.
    """
    try:
        assessor = _stored_assessor(tx, *made_with)
        again = recompute([zlib.decompress(row["features"]) for row in rows], assessor, objective)
    except (IsthmusError, zlib.error, TypeError, ValueError, KeyError, pl.exceptions.PolarsError):
        if len(rows) == 1:
            yield Checked(rows[0]["id"], "damaged", "cannot be recomputed from what is stored")
            return
        for row in rows:
            yield from _recompute(tx, [row], made_with, objective)
        return
    for row, body in zip(rows, again, strict=True):
        same = body == row["body"].encode()
        yield Checked(row["id"], "intact" if same else "damaged", "" if same else "differs")


def _stored_assessor(
    tx: Transaction, ruleset_id: str, model_id: str | None, versions: bytes
) -> Assessor:
    rules = store.ruleset_body(tx, ruleset_id)
    model = store.model_body(tx, model_id) if model_id else None
    if rules is None or (model_id and model is None):
        raise Damaged("assessment_unfounded", "its rules or its model are gone")
    return _assessor(rules, model, versions)


@lru_cache(maxsize=16)
def _assessor(rules: bytes, model: bytes | None, versions: bytes) -> Assessor:
    return assessor_from_bytes(rules, [model] if model else (), orjson.loads(versions))


# -- reading ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Told:
    """An assessment as people read it."""

    id: str
    objective: str
    score: float
    band: str
    basis: str
    current: bool
    at: Any
    reasons: tuple[str, ...]  # in the reader's words
    contributions: tuple[str, ...]  # of the model, where there is one
    shadow: tuple[str, ...]  # rules in shadow that fired
    mandated_by: str | None
    row: RowMapping


def tell(
    tx: Transaction, actor: Actor, unit_id: str, locale: str, *, deep: bool = False
) -> list[Told]:
    """Return a unit's assessments in words, newest first; ``deep`` adds the model's part."""
    rows = store.assessments_of(tx, scope(actor, Permission.UNIT_READ), unit_id)
    return [_told(tx, row, locale, deep=deep) for row in rows]


def tell_current(
    tx: Transaction, actor: Actor, unit_ids: Sequence[str], locale: str
) -> dict[str, list[Told]]:
    """Return the current assessments of several units in words, by unit."""
    told: dict[str, list[Told]] = {}
    for row in store.current_for(tx, scope(actor, Permission.UNIT_READ), unit_ids):
        told.setdefault(row["unit_id"], []).append(_told(tx, row, locale, deep=False))
    return told


def _told(tx: Transaction, row: RowMapping, locale: str, *, deep: bool) -> Told:
    if row["body"] is None:
        return _tell_row(row, (), (), ())
    held = orjson.loads(row["body"])
    assessor = _stored_assessor(tx, row["ruleset_id"], row["model_id"] if deep else None, b"{}")
    ruleset = assessor.ruleset
    reasons = tuple(explain(reason, ruleset, locale) for reason in held["reasons"])
    parts: tuple[str, ...] = ()
    if deep and row["model_id"]:
        features = store.feature_body(tx, row["feature_row_id"])
        if features is not None:
            frame = frame_from_stored([zlib.decompress(features)])
            found = assessor.contributions(frame, Objective(row["objective"]))[0]
            parts = tuple(explain(reason, ruleset, locale) for reason in found)
    return _tell_row(row, reasons, parts, tuple(held["shadow"]))


def _tell_row(
    row: RowMapping, reasons: tuple[str, ...], parts: tuple[str, ...], shadow: tuple[str, ...]
) -> Told:
    return Told(
        id=row["id"],
        objective=row["objective"],
        score=row["score"],
        band=row["band"],
        basis=row["basis"],
        current=row["current"],
        at=row["at"],
        reasons=reasons,
        contributions=parts,
        shadow=shadow,
        mandated_by=row["mandated_by"],
        row=row,
    )
