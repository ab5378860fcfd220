"""Score: every unit that is new or changed gets an assessment per objective.

One path for one unit and for many: what is due is a frame, of one row or of thousands. The
history that features look back on is kept in memory and brought up to date before each frame.
"""

import hashlib
import threading
from collections.abc import Callable
from datetime import date

import polars as pl

from isthmus import __version__
from isthmus.cargo import store as cargo
from isthmus.cargo.unit import Unit
from isthmus.platform import events, telemetry
from isthmus.platform.database import Database
from isthmus.platform.transaction import Transaction
from isthmus.risk import assessments, rulebook, store
from isthmus.risk.assess import Assessor
from isthmus.risk.assessments import Engine
from isthmus.risk.features import features
from isthmus.risk.history import History
from isthmus.risk.model import model_from_bytes
from isthmus.risk.schema import frame as unit_frame

# Units of one frame and one transaction: large enough for columns to pay, small enough that
# requests waiting for the writer are not held up for long.
BATCH = 4000
PAGE = 20_000
# PostgreSQL numbers a row before its commit, so a smaller number may appear later; as many of the
# newest are read again there. What the history has already it takes no second time.
LATE = 500

Progress = Callable[[int], None]


class Scorer:
    """Keeps the history and the engine of one process, and scores what is due."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.history = History()
        self._lock = threading.Lock()
        self._last_unit = 0
        self._last_outcome = 0
        self._engine: Engine | None = None
        self._stamp: tuple[object, date] | None = None

    def due(self) -> int:
        """Return how many units wait to be scored."""
        return self.database.read(cargo.count_due)

    def score_all(self, progress: Progress | None = None) -> int:
        """Score until nothing is due; return how many units were scored."""
        scored = 0
        with self._lock:
            while True:
                self._remember()
                count = self._score_some()
                scored += count
                if progress and count:
                    progress(count)
                if count < BATCH:
                    return scored

    def frame_of(self, units: list[Unit]) -> pl.DataFrame:
        """Return the feature frame of units as of their lodging, for training and trials."""
        with self._lock:
            self._remember()
            return features(unit_frame(units), self.history)

    def _score_some(self) -> int:
        units, sources, engine = self.database.read(self._due)
        if not units:
            return 0
        frame = features(unit_frame(units), self.history)
        assessed = engine.assessor.assess(frame)

        def enter(tx: Transaction) -> None:
            batch = assessments.keep(tx, engine, frame, assessed, sources)
            cargo.mark_scored(tx, {unit.id: unit.version for unit in units})
            events.emit(tx, "units.scored", batch, units=len(units))

        self.database.write(enter)
        for objective in engine.objectives():
            telemetry.metrics.scored(objective.value, len(units))
        return len(units)

    def _due(self, tx: Transaction) -> tuple[list[Unit], dict[str, list[str]], Engine]:
        units = cargo.units_due(tx, BATCH)
        return units, cargo.sources_of(tx, units), self._engine_now(tx)

    def _engine_now(self, tx: Transaction) -> Engine:
        """Return the engine in force today; made again when rules, models or the day changed."""
        stamp = (store.versions_in_force(tx), tx.now.date())
        if self._engine is None or stamp != self._stamp:
            ruleset = rulebook.in_force(tx)
            body = ruleset.canonical()
            rows = store.live_models(tx)
            models = {model.objective: (row["id"], model) for row in rows
                      for model in [model_from_bytes(row["body"])]}  # fmt: skip
            self._engine = Engine(
                Assessor(
                    ruleset,
                    {objective: model for objective, (_, model) in models.items()},
                    {"code": __version__},
                ),
                hashlib.sha256(body).hexdigest(),
                body,
                {objective: name for objective, (name, _) in models.items()},
            )
            self._stamp = stamp
        return self._engine

    def _remember(self) -> None:
        """Bring the history up to date with units and outcomes entered since."""
        while True:
            after = self._last_unit
            numbered = self.database.read(lambda tx, a=after: cargo.units_after(tx, a, PAGE))  # type: ignore[misc]
            if numbered:
                self.history.append(unit_frame([unit for _, unit in numbered]))
                self._last_unit = numbered[-1][0]
            if len(numbered) < PAGE:
                break
        self.database.read(self._remember_outcomes)
        if not self.database.is_sqlite:
            self._last_unit = max(0, self._last_unit - LATE)
            self._last_outcome = max(0, self._last_outcome - LATE)

    def _remember_outcomes(self, tx: Transaction) -> None:
        while rows := store.outcomes_since(tx, self._last_outcome, PAGE):
            units = cargo.units_by_id(tx, [row["unit_id"] for row in rows])
            known = [row for row in rows if row["unit_id"] in units]
            if known:
                frame = unit_frame([units[row["unit_id"]] for row in known]).with_columns(
                    pl.Series("objective", [row["objective"] for row in known]),
                    pl.Series("positive", [row["positive"] for row in known]),
                    pl.Series("recorded_at", [row["recorded_at"] for row in known]).cast(
                        pl.Datetime("us", "UTC")
                    ),
                )
                self.history.add_outcomes(frame)
            self._last_outcome = rows[-1]["seq"]
