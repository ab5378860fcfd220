"""Assessments as they are kept: what each is made of, how it is checked, how it is told.

An assessment row names the feature row, the rules, the model and the code it was made with. Its
digest is salted by its feature row, so that erasing the row leaves a chain that still verifies
and a digest nobody can test a guess against.
"""

import hashlib
import hmac
import os
import zlib
from collections.abc import Mapping, Sequence
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
from isthmus.kernel.errors import Damaged
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
)
from isthmus.risk.explain import explain
from isthmus.risk.objectives import Objective
from isthmus.risk.schema import stored_rows

# Of each assessment; its number, batch and moment are covered besides.
_COVERED = (
    "id", "unit_id", "unit_version", "objective", "feature_row_id", "ruleset_id", "model_id",
    "code_version", "score", "band", "basis", "mandated_by", "lane", "body",
)  # fmt: skip
# Covered besides where partners asked: rows without are told as they always were.
_ASKED = ("asked_by", "own_score")
Stored = Mapping[str, Any] | RowMapping

SCORED = "units.score"
"""The action of the audit row that vouches for a scored batch."""


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


@dataclass(frozen=True, slots=True)
class Prepared:
    """A scored frame as rows to enter: all that can be made before the transaction is."""

    engine: Engine
    units: int
    features: list[dict[str, Any]]
    rows: list[dict[str, Any]]
    inner: list[bytes]  # of each row, the digest over what is known of it by now
    salts: list[bytes]


def prepare(
    engine: Engine,
    frame: pl.DataFrame,
    assessed: Mapping[Objective, Assessed],
    sources: Sequence[Sequence[str]],
) -> Prepared:
    """Make the rows of a frame's assessments and features.

    ``sources`` names, for each unit, the record versions that its row was made from.
    """
    features = _feature_rows(frame, sources)
    objectives = engine.objectives()
    told = [_told_of(feature | _as_stored(feature)) for feature in features] * len(objectives)
    rows = [row for objective in objectives for row in _rows(engine, features, assessed[objective])]
    inner = [_inner(row, feature) for row, feature in zip(rows, told, strict=True)]
    salts = [feature["salt"] for feature in features] * len(objectives)
    return Prepared(engine, frame.height, features, rows, inner, salts)


def keep(tx: Transaction, made: Prepared) -> str:
    """Enter prepared assessments with their feature rows and audit row; return the batch.

    The caller has begun scoring (``store.begin_scoring``).
    """
    engine, batch_id = made.engine, new_id("batch")
    store.keep_ruleset(tx, engine.ruleset_id, engine.ruleset_body)
    at, number = to_micros(tx.now), store.next_number(tx)
    rows = []
    for seq, (row, inner, salt) in enumerate(
        zip(made.rows, made.inner, made.salts, strict=True), start=number
    ):
        digest = _outer(salt, seq, batch_id, at, inner)
        rows.append(row | {"seq": seq, "batch_id": batch_id, "at": tx.now, "digest": digest})
    batch = {"id": batch_id, "at": tx.now, "assessments": len(rows)}
    root = root_of(batch | {"at": at}, [row["digest"] for row in rows])
    store.insert_assessments(tx, made.features, rows, batch | {"root": root})
    audit.record(
        tx,
        "node",
        SCORED,
        "scoring_batch",
        batch_id,
        object_digest=root,
        units=made.units,
        assessments=len(rows),
        ruleset=engine.ruleset_id,
        models=sorted(engine.model_ids.values()),
    )
    return batch_id


def _feature_rows(frame: pl.DataFrame, sources: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    return [
        {
            "id": new_id("feat"),
            "unit_id": unit_id,
            "unit_version": version,
            "as_of": as_of,
            "body": zlib.compress(body, 1),
            "salt": os.urandom(16),
            "sources": list(behind),
            "erasure_id": None,
        }
        for unit_id, version, as_of, body, behind in zip(
            frame["id"],
            frame["version"],
            frame["as_of"].to_list(),
            stored_rows(frame),
            sources,
            strict=True,
        )
    ]


def _rows(
    engine: Engine, features: Sequence[Mapping[str, Any]], assessed: Assessed
) -> list[dict[str, Any]]:
    mandates = {
        f"rule:{rule.id}"
        for rule in engine.assessor.ruleset.rules
        if rule.effect == "mandate" and rule.state == "live"
    }
    told = (assessed.table[name].to_list() for name in ("score", "band", "mandated", "lane"))
    table = zip(*told, strict=True)
    rows = []
    for place, (feature, body, (score, band, mandated, lane), reasons) in enumerate(
        zip(features, assessed.canonical(), table, assessed.reasons, strict=True)
    ):
        asked = assessed.asked.get(place)
        by = next((r["code"][5:] for r in reasons if r["code"] in mandates), None)
        rows.append(
            {
                "id": new_id("asm"),
                "unit_id": feature["unit_id"],
                "unit_version": feature["unit_version"],
                "objective": assessed.objective.value,
                "feature_row_id": feature["id"],
                "ruleset_id": engine.ruleset_id,
                "model_id": engine.model_ids.get(assessed.objective),
                "code_version": __version__,
                "score": score,
                "band": band,
                "basis": assessed.basis.value,
                "mandated_by": by if mandated else None,
                "lane": lane,
                "body": body.decode(),
                "asked_by": " ".join(asked.partners) if asked else None,
                "own_score": asked.own_score if asked else None,
                "current": True,
            }
        )
    return rows


def _as_stored(feature: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a feature row that are kept in another form than they are told in."""
    return {
        "as_of": None if feature["as_of"] is None else to_micros(feature["as_of"]),
        "sources": canonical(feature["sources"]).decode(),
    }


def digest_of(row: Stored, feature: Stored) -> bytes:
    """Return the salted digest over an assessment and the feature row it was made from.

    Both are given as they are stored: moments as microseconds, JSON as text. Only whether the
    assessment is still current is left out, for that changes.
    """
    inner = _inner(row, _told_of(feature))
    return _outer(feature["salt"], row["seq"], row["batch_id"], row["at"], inner)


def _told_of(feature: Stored) -> list[Any]:
    told = [feature[name] for name in ("unit_id", "unit_version", "as_of", "sources")]
    return [*told, hashlib.sha256(feature["body"]).hexdigest()]


def _inner(row: Stored, feature: Sequence[Any]) -> bytes:
    asked = any(row[name] is not None for name in _ASKED)
    covered = _COVERED + _ASKED if asked else _COVERED
    return hashlib.sha256(canonical([*(row[name] for name in covered), *feature])).digest()


def _outer(salt: bytes, seq: int, batch_id: str, at: int, inner: bytes) -> bytes:
    return hmac.digest(salt, f"{seq}/{batch_id}/{at}/".encode() + inner, "sha256")


def root_of(batch: Stored, digests: Sequence[bytes]) -> bytes:
    """Return the digest over a scored batch, as stored, and all its assessments in order."""
    head = canonical([batch["id"], batch["at"], batch["assessments"]])
    return hashlib.sha256(head + b"".join(digests)).digest()


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
    teller = _Teller(tx, locale, deep)
    rows = store.assessments_of(tx, scope(actor, Permission.UNIT_READ), unit_id)
    return [teller.tell(row) for row in rows]


def tell_current(
    tx: Transaction, actor: Actor, unit_ids: Sequence[str], locale: str
) -> dict[str, list[Told]]:
    """Return the current assessments of several units in words, by unit."""
    teller = _Teller(tx, locale, deep=False)
    told: dict[str, list[Told]] = {}
    for row in store.current_for(tx, scope(actor, Permission.UNIT_READ), unit_ids):
        told.setdefault(row["unit_id"], []).append(teller.tell(row))
    return told


class _Teller:
    """Puts assessments into words, reading the rules and models they name once each."""

    def __init__(self, tx: Transaction, locale: str, deep: bool) -> None:
        self.tx = tx
        self.locale = locale
        self.deep = deep
        self._assessors: dict[tuple[str, str | None], Assessor] = {}

    def tell(self, row: RowMapping) -> Told:
        if row["body"] is None:
            return _tell_row(row, (), (), ())
        held = orjson.loads(row["body"])
        assessor = self._assessor(row["ruleset_id"], row["model_id"] if self.deep else None)
        reasons = self._words(held["reasons"], assessor)
        parts: tuple[str, ...] = ()
        if self.deep and row["model_id"]:
            features = store.feature_body(self.tx, row["feature_row_id"])
            if features is not None:
                frame = frame_from_stored([zlib.decompress(features)])
                found = assessor.contributions(frame, Objective(row["objective"]))[0]
                parts = self._words(found, assessor)
        return _tell_row(row, reasons, parts, tuple(held["shadow"]))

    def _words(self, reasons: Sequence[Mapping[str, Any]], assessor: Assessor) -> tuple[str, ...]:
        return tuple(explain(reason, assessor.ruleset, self.locale) for reason in reasons)

    def _assessor(self, ruleset_id: str, model_id: str | None) -> Assessor:
        key = (ruleset_id, model_id)
        if key not in self._assessors:
            self._assessors[key] = stored_assessor(self.tx, ruleset_id, model_id)
        return self._assessors[key]


def stored_assessor(
    tx: Transaction, ruleset_id: str, model_id: str | None, versions: bytes = b"{}"
) -> Assessor:
    """Return the assessor of kept rules and model; raises ``Damaged`` when they are gone."""
    rules = store.ruleset_body(tx, ruleset_id)
    model = store.model_body(tx, model_id) if model_id else None
    if rules is None or (model_id and model is None):
        raise Damaged("assessment_unfounded", "its rules or its model are gone")
    return _assessor(rules, model, versions)


@lru_cache(maxsize=16)
def _assessor(rules: bytes, model: bytes | None, versions: bytes) -> Assessor:
    return assessor_from_bytes(rules, [model] if model else (), orjson.loads(versions))


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
