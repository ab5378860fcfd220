"""Score: every unit that is new or changed gets an assessment per objective.

One path for one unit and for many: what is due is a frame, of one row or of thousands. The
history that features look back on is kept in memory and brought up to date before each frame.
"""

import hashlib
import threading
import time
from collections.abc import Callable
from datetime import date

import polars as pl

from isthmus import __version__
from isthmus.cargo import store as cargo
from isthmus.flow import lookouts
from isthmus.flow.screen import Screener
from isthmus.flow.sharing import heard
from isthmus.platform import events, telemetry
from isthmus.platform.database import Database
from isthmus.platform.transaction import Transaction
from isthmus.risk import assessments, rulebook, store, unit_frames
from isthmus.risk.assess import Assessor
from isthmus.risk.assessments import Engine
from isthmus.risk.features import features
from isthmus.risk.history import History
from isthmus.risk.listed import with_hits
from isthmus.risk.lookouts import with_lookouts
from isthmus.risk.model import model_from_bytes
from isthmus.risk.objectives import Objective

# Units of one frame and one transaction: large enough for columns to pay, small enough that
# requests waiting for the writer are not held up for long.
BATCH = 4000
# Units assessed again because rules or models changed: between two such frames new units go first.
AGAIN = 1000
PAGE = 20_000
# Seconds between two frames of what comes in a stream. A frame of one unit costs nearly as much as
# one of fifty, and what it costs is taken from those who wait for their answer meanwhile.
GATHER = 0.05
# PostgreSQL numbers a row before its commit, so a smaller number may appear later; as many of the
# newest are read again there. What the history has already it takes no second time.
LATE = 500

Progress = Callable[[int], None]
Choose = Callable[[Transaction, Engine], pl.DataFrame]


class Scorer:
    """Keeps the history and the engine of one process, and scores what is due."""

    def __init__(self, database: Database, screener: Screener | None = None) -> None:
        self.database = database
        self.screener = screener or Screener(database)
        self.history = History()
        self._lock = threading.Lock()
        self._last_unit = 0
        self._last_outcome = 0
        self._engine: Engine | None = None
        self._stamp: tuple[object, date] | None = None
        self._next = 0.0  # not before this reading of the monotonic clock

    def due(self) -> int:
        """Return how many units wait to be scored."""
        return self.database.read(unit_frames.count_due)

    def score_due(self, progress: Progress | None = None) -> int:
        """Score units that are new or changed until none is left; return how many.

        A unit that changes meanwhile asks for its scoring by itself.
        """
        scored, count = 0, BATCH
        while count == BATCH:
            count = self._score(_due)
            scored += count
            if progress and count:
                progress(count)
        return scored

    def score_soon(self) -> int:
        """Score what is due: at once, but ``GATHER`` after the last time in a stream of units."""
        time.sleep(max(0.0, self._next - time.monotonic()))
        try:
            return self.score_due()
        finally:
            self._next = time.monotonic() + GATHER

    def score_all(self, progress: Progress | None = None) -> int:
        """Score what is due, then open units last assessed by rules or models no longer in force.

        Batch by batch, each in a transaction of its own; new units go first between them. What is
        done is known by its assessments, so a run that was cut off goes on where it stopped, and
        two at once do each other's work and no harm.
        """
        scored, count = self.score_due(progress), AGAIN
        while count == AGAIN:
            count = self._score(_outdated)
            scored += count
            if progress and count:
                progress(count)
            scored += self.score_due(progress)
        return scored

    def with_features(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return a unit frame with its features as of each unit's lodging, for training."""
        with self._lock:
            self.database.read(self._remember)
            return features(frame, self.history)

    def _score(self, choose: Choose) -> int:
        """Score one frame of units; return how many there were."""
        while True:
            with self._lock:
                count = self._score_once(choose)
            if count is not None:
                return count

    def _score_once(self, choose: Choose) -> int | None:
        """Screen what is new, then score one frame of units.

        Nothing (None) when somebody was erased, or came in unscreened, meanwhile.
        """
        self.screener.screen_due()
        units, sources, engine, erasures = self.database.read(lambda tx: self._choose(tx, choose))
        if not units.height:
            return 0
        found = self.screener.on_units(units, sources)
        if found is None:
            return None
        asked = self.database.read(lambda tx: lookouts.on_units(tx, units, found))
        frame = with_lookouts(with_hits(features(units, self.history), found), asked)
        assessed = engine.assessor.assess(frame)
        made = assessments.prepare(engine, frame, assessed, sources)
        versions = dict(zip(units["id"].to_list(), units["version"].to_list(), strict=True))

        def enter(tx: Transaction) -> bool:
            if store.begin_scoring(tx) != erasures:
                return False  # the frame may hold what was erased: read it again
            batch = assessments.keep(tx, made)
            cargo.mark_scored(tx, versions)
            events.emit(tx, "units.scored", batch, units=len(versions))
            heard.raised(tx, asked, assessed.values())
            return True

        if not self.database.write(enter):
            return None
        for objective in engine.objectives():
            telemetry.metrics.scored(objective.value, len(versions))
        return len(versions)

    def _choose(
        self, tx: Transaction, choose: Choose
    ) -> tuple[pl.DataFrame, list[list[str]], Engine, int]:
        self._remember(tx)
        engine = self._engine_now(tx)
        units = choose(tx, engine)
        return units, unit_frames.sources_of(tx, units), engine, store.count_erasures(tx)

    def _engine_now(self, tx: Transaction) -> Engine:
        """Return the engine in force today; made again when rules, models or the day changed.

        Whoever changed them, in whichever process: the database is asked before every frame.
        """
        stamp = (store.versions_in_force(tx), tx.now.date())
        if self._engine is None or stamp != self._stamp:
            self._engine = engine_of(tx)
            self._stamp = stamp
        return self._engine

    def _remember(self, tx: Transaction) -> None:
        """Bring the history up to date with units and outcomes entered since."""
        size = PAGE
        while size == PAGE:
            known, self._last_unit = unit_frames.known_after(tx, self._last_unit, PAGE)
            size = known.height
            if size:
                self.history.append(known)
        size = PAGE
        while size == PAGE:
            judged, self._last_outcome = unit_frames.judged_after(tx, self._last_outcome, PAGE)
            size = judged.height
            if size:
                self.history.add_outcomes(judged)
        if not self.database.is_sqlite:
            self._last_unit = max(0, self._last_unit - LATE)
            self._last_outcome = max(0, self._last_outcome - LATE)


def engine_of(tx: Transaction) -> Engine:
    """Make the engine of the rules and models in force today."""
    ruleset = rulebook.in_force(tx)
    body = ruleset.canonical()
    live = {Objective(row["objective"]): row for row in store.live_models(tx)}
    models = {objective: model_from_bytes(row["body"]) for objective, row in live.items()}
    return Engine(
        Assessor(ruleset, models, {"code": __version__}),
        hashlib.sha256(body).hexdigest(),
        body,
        {objective: row["id"] for objective, row in live.items()},
    )


def _due(tx: Transaction, _engine: Engine) -> pl.DataFrame:
    return unit_frames.units_due(tx, BATCH)


def _outdated(tx: Transaction, engine: Engine) -> pl.DataFrame:
    models = {objective.value: name for objective, name in engine.model_ids.items()}
    return unit_frames.units_named(tx, store.outdated_units(tx, engine.ruleset_id, models, AGAIN))
