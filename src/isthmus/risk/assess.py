"""Assessments: a score per unit and objective, what it rests on, and the reasons in codes.

With a model of the objective the score is its calibrated probability (basis ``model``). Without
one it is ``1 - product of (1 - weight)`` over the live rules that fired and the facts of novelty
(basis ``rules_and_novelty``): an order of urgency, no probability, and it says so. Rules in shadow
are counted and change nothing.

An assessment is canonical bytes made from a stored feature row, the bytes of the rules and the
bytes of the model, and from nothing else: the same three give the same bytes again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from types import MappingProxyType
from typing import Any

import numpy as np
import orjson
import polars as pl
from numpy.typing import NDArray

from isthmus.kernel.canonical import canonical
from isthmus.risk.catalogue import field_kinds
from isthmus.risk.firing import Compiled, compile_rules, fire
from isthmus.risk.metrics import F64
from isthmus.risk.model import Model, model_from_bytes
from isthmus.risk.novelty import MATURE_UNITS, facts, novel
from isthmus.risk.objectives import Objective
from isthmus.risk.rules import Effect, Ruleset, RuleState, ruleset_from_bytes
from isthmus.risk.schema import EXTRA_PREFIX, MOMENT, Kind, frame_from_plain, schema_of

FORMAT = 1
DIGITS = 6
"""Scores and the numbers in reasons are rounded to so many decimals."""

TOP = 5
"""How many contributions of a model are told as reasons."""

HIGH, ELEVATED = 0.5, 0.2
"""Bands of a score made of rules. Defaults of ours: one strong rule or two fair ones are high."""

HIGH_LIFT, ELEVATED_LIFT = 5.0, 2.0
"""Bands of a probability, as multiples of the base rate the model was trained on; one half and
more is always high. Defaults of ours."""


class ScoreBasis(StrEnum):
    """What a score rests on."""

    MODEL = "model"
    RULES_AND_NOVELTY = "rules_and_novelty"


class Band(StrEnum):
    """The band of a score (code list ``risk_bands``)."""

    HIGH = "high"
    ELEVATED = "elevated"
    LOW = "low"
    NONE = "none"


Reason = dict[str, Any]
_NOTHING: tuple[Any, ...] = ()
_Reasons = list[Sequence[Reason]]
_At = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Asked:
    """What partners have to do with an assessment: who asked, and the score without their asking.

    It follows from the feature row and the rules, and is kept beside the assessment because an
    office ranks by its own score.
    """

    partners: tuple[str, ...]
    own_score: float


@dataclass(frozen=True, slots=True, eq=False)
class Assessed:
    """The assessments of a frame for one objective, a row per unit in the order of the frame.

    ``table`` has ``id``, ``as_of``, ``score``, ``band``, ``mandated`` and ``lane`` (the lane for
    a unit that is not picked). ``reasons`` and ``shadow`` are per row: reasons as codes with
    parameters, and the ids of shadow rules that fired. ``asked`` are the rows that a partner's
    lookout gave a reason to, by their place.
    """

    objective: Objective
    basis: ScoreBasis
    table: pl.DataFrame
    reasons: Sequence[Sequence[Reason]]
    shadow: Sequence[Sequence[str]]
    versions: Mapping[str, Any]
    asked: Mapping[int, "Asked"] = field(default_factory=dict)

    def canonical(self) -> list[bytes]:
        """Each assessment as the bytes under which it is stored."""
        fixed = {
            "format": FORMAT,
            "objective": self.objective.value,
            "basis": self.basis.value,
            "versions": dict(self.versions),
        }
        moments = self.table["as_of"].cast(pl.Int64)
        columns = [(moments if one.name == "as_of" else one).to_list() for one in self.table]
        return [
            canonical(
                fixed
                | {
                    "unit": unit,
                    "as_of": as_of,
                    "score": score,
                    "band": band,
                    "mandated": mandated,
                    "lane": lane,
                    "reasons": reasons,
                    "shadow": shadow,
                }
            )
            for (unit, as_of, score, band, mandated, lane), reasons, shadow in zip(
                zip(*columns, strict=True), self.reasons, self.shadow, strict=True
            )
        ]


@dataclass(frozen=True, slots=True, eq=False)
class Assessor:
    """Rules in force and the live models, ready to assess feature frames.

    ``versions`` is written into every assessment beside the digests of rules and model: the
    version of the code, of lists and the like.
    """

    ruleset: Ruleset
    models: Mapping[Objective, Model] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    _compiled: Compiled = field(init=False, repr=False)
    _digests: Mapping[str, Any] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # A frozen record fills its derived members here.
        object.__setattr__(self, "_compiled", compile_rules(self.ruleset.rules))
        digests = {"rules": sha256(self.ruleset.canonical()).hexdigest()}
        for objective, model in self.models.items():
            digests[f"model:{objective}"] = sha256(model.canonical()).hexdigest()
        object.__setattr__(self, "_digests", MappingProxyType(digests))

    def assess(self, frame: pl.DataFrame) -> dict[Objective, Assessed]:
        """Assess every unit of a feature frame for every objective."""
        told = _Told(frame, fire(frame, self._compiled), novel(frame))
        return {objective: self._objective(told, objective) for objective in Objective}

    def contributions(self, frame: pl.DataFrame, objective: Objective) -> list[list[Reason]]:
        """The ``TOP`` features that moved the model's score most, per row; slow, for picks only.

        Empty where the objective has no model.
        """
        model = self.models.get(objective)
        if model is None:
            return [[] for _ in range(frame.height)]
        parts = model.contributions(frame)[:, :-1]
        values = frame.select(model.features).rows()
        told = []
        for row, weights in zip(values, parts, strict=True):
            # Largest first; equal ones in the order of the features.
            best = np.argsort(-np.abs(weights), kind="stable")[:TOP]
            told.append(
                [
                    {
                        "code": f"model:{model.features[i]}",
                        "parameters": {
                            "value": _tidy(row[i]),
                            "contribution": round(float(weights[i]), DIGITS),
                        },
                    }
                    for i in best
                    if weights[i]
                ]
            )
        return told

    def _objective(self, told: "_Told", objective: Objective) -> Assessed:
        frame, model = told.frame, self.models.get(objective)
        size = frame.height
        passed, unasked = np.ones(size), np.ones(size)
        asked = np.zeros(size, dtype=bool)
        mandated = np.zeros(size, dtype=bool)
        yellow, blue = mandated.copy(), told.supplementary.copy()
        reasons: _Reasons = [_NOTHING] * size
        shadow: list[Sequence[str]] = [_NOTHING] * size
        for rule in self.ruleset.rules:
            if rule.objective is not objective:
                continue
            at = told.fired[rule.id].to_numpy().nonzero()[0]
            if rule.state is not RuleState.LIVE:
                for i in at:
                    shadow[i] = (*shadow[i], rule.id)
                continue
            passed[at] *= 1.0 - rule.weight
            if rule.asked:
                asked[at] = True
            else:
                unasked[at] *= 1.0 - rule.weight
            mandated[at] |= rule.effect is Effect.MANDATE
            yellow[at] |= rule.lane == "yellow"
            blue[at] |= rule.lane == "blue"
            limits = {name: limit.value for name, limit in rule.thresholds.items()}
            told.tell(reasons, at, f"rule:{rule.id}", rule.parameters, limits=limits)
        if model is None:
            _novelty((passed, unasked), reasons, told, objective)
            score, own = 1.0 - passed, 1.0 - unasked
            basis = ScoreBasis.RULES_AND_NOVELTY
        else:
            score = own = model.predict(frame)
            basis = ScoreBasis.MODEL
        rounded = pl.Series("score", score, dtype=pl.Float64).round(DIGITS)
        lane = np.where(yellow, "yellow", np.where(blue, "blue", "green")).tolist()
        table = pl.DataFrame(
            [
                frame["id"],
                frame["as_of"],
                rounded,
                pl.Series("band", _bands(rounded.to_numpy(), model), dtype=pl.String),
                pl.Series("mandated", mandated),
                pl.Series("lane", lane, dtype=pl.String),
            ]
        )
        versions = {**self.versions, "rules": self._digests["rules"]}
        versions["model"] = self._digests.get(f"model:{objective}")
        by_partners = _asked(asked, own, frame)
        return Assessed(objective, basis, table, reasons, shadow, versions, by_partners)


def assessor_from_bytes(
    rules: bytes, models: Sequence[bytes] = (), versions: Mapping[str, str] | None = None
) -> Assessor:
    """Make the assessor again that stored bytes of rules and models describe."""
    read = [model_from_bytes(data) for data in models]
    return Assessor(
        ruleset_from_bytes(rules, field_kinds()),
        {model.objective: model for model in read},
        versions or {},
    )


def recompute(rows: Sequence[bytes], assessor: Assessor, objective: Objective) -> list[bytes]:
    """The assessments of stored feature rows, as bytes: equal to those stored, or they are false.

    Raises ``Invalid`` when a row names columns that are no fields.
    """
    return assessor.assess(frame_from_stored(rows))[objective].canonical()


def frame_from_stored(rows: Sequence[bytes]) -> pl.DataFrame:
    """The feature frame of rows stored by ``schema.stored_rows``."""
    plain = [orjson.loads(row) for row in rows]
    extras = {name for row in plain for name in row if name.startswith(EXTRA_PREFIX)}
    kinds = {**field_kinds(), **dict.fromkeys(sorted(extras), Kind.TEXT)}
    return frame_from_plain(plain, schema_of(kinds))


class _Told:
    """A frame with what fired on its rows; the values that reasons show are turned once each."""

    def __init__(self, frame: pl.DataFrame, fired: pl.DataFrame, new: pl.DataFrame) -> None:
        self.frame = frame
        self.fired = fired
        self.new = new
        self.supplementary = np.array([*map(bool, frame["supplementary"].to_list())], dtype=bool)
        self.history_units = np.nan_to_num(frame["history_units"].cast(pl.Float64).to_numpy())
        self._shown: dict[str, list[Any]] = {}

    def tell(
        self,
        reasons: _Reasons,
        at: _At,
        code: str,
        shown: Sequence[str],
        *,
        limits: Mapping[str, float],
    ) -> None:
        """Add a reason to the rows at these places, with the values that it shows."""
        if not len(at):
            return
        fixed = {name: limits[name] for name in shown if name in limits}
        columns = {name: self._column(name) for name in shown if name not in limits}
        for i in at.tolist():
            values = {name: column[i] for name, column in columns.items()}
            reasons[i] = (*reasons[i], {"code": code, "parameters": {**fixed, **values}})

    def _column(self, name: str) -> list[Any]:
        if name not in self._shown:
            self._shown[name] = (
                _plain(self.frame[name]).to_list()
                if name in self.frame.columns
                else [None] * self.frame.height
            )
        return self._shown[name]


def _plain(column: pl.Series) -> pl.Series:
    if column.dtype == MOMENT:
        return column.dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    return column.round(DIGITS) if column.dtype == pl.Float64 else column


def _asked(asked: NDArray[np.bool_], own: F64, frame: pl.DataFrame) -> dict[int, Asked]:
    places = asked.nonzero()[0].tolist()
    if not places:
        return {}
    partners = frame["lookout_partners"].to_list()
    return {i: Asked(tuple(partners[i] or ()), round(float(own[i]), DIGITS)) for i in places}


def _novelty(several: Sequence[F64], reasons: _Reasons, told: _Told, objective: Objective) -> None:
    units = told.history_units
    mature = units / (units + MATURE_UNITS)
    for name, fact in facts().items():
        if objective in fact.objectives:
            at = (told.new[name].to_numpy() & (units > 0)).nonzero()[0]
            for passed in several:
                passed[at] *= 1.0 - fact.weight * mature[at]
            told.tell(reasons, at, f"novelty:{name}", fact.parameters, limits={})


def _bands(score: F64, model: Model | None) -> list[str]:
    if model is None:
        high, elevated = HIGH, ELEVATED
    else:
        high = min(HIGH, HIGH_LIFT * model.base_rate)
        elevated = min(high, ELEVATED_LIFT * model.base_rate)
    low = (score > 0) | (model is not None)
    found: list[str] = np.select(
        [score >= high, score >= elevated, low],
        [Band.HIGH.value, Band.ELEVATED.value, Band.LOW.value],
        Band.NONE.value,
    ).tolist()
    return found


def _tidy(value: Any) -> Any:
    return round(value, DIGITS) if isinstance(value, float) else value
