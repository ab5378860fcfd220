"""Whether assessments are what was scored, and whether they come out the same again.

Every assessment has a salted digest over itself and its feature row, every scored batch a digest
over those, and the audit row of the scoring vouches for the batch. What was lawfully erased keeps
its digest and has no salt: it still stands in the chain, and says which erasure it fell under.
"""

import hashlib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import orjson
import polars as pl
from sqlalchemy import RowMapping

from isthmus.kernel.canonical import canonical
from isthmus.kernel.errors import IsthmusError
from isthmus.platform.transaction import Transaction
from isthmus.risk import stored
from isthmus.risk.assess import recompute
from isthmus.risk.assessments import digest_of, root_of, stored_assessor
from isthmus.risk.objectives import Objective


@dataclass(frozen=True, slots=True)
class Checked:
    """What checking one row came to; ``message`` names the erasure of an erased one."""

    id: str
    state: str  # intact, erased, damaged
    message: str = ""
    table: str = "assessment"


def check_batches(tx: Transaction, vouched: Mapping[str, bytes | None]) -> Iterator[Checked]:
    """Check every assessment against its digest, and every batch against its audit row.

    ``vouched`` gives, by batch, the digest that the audit row of its scoring holds. Yields only
    what is not intact.
    """
    batches = stored.batches(tx)
    for name in sorted(set(vouched) - {batch["id"] for batch in batches}):
        yield _batch(name, "the scoring that the audit tells of is gone")
    for name in stored.without_batch(tx):
        yield Checked(name, "damaged", "of a scoring that never was")
    for batch in batches:
        rows = stored.assessments_in(tx, batch["id"])
        if batch["id"] not in vouched:
            yield _batch(batch["id"], "no audit row tells of this scoring")
        elif vouched[batch["id"]] != batch["root"] or _root(batch, rows) != batch["root"]:
            yield _batch(batch["id"], "not the scoring that the audit tells of")
        for row in rows:
            if (checked := _check_one(row)).state != "intact":
                yield checked
    for name in stored.wrongly_current(tx):
        yield Checked(name, "damaged", "in force, or out of it, against what was scored last")


def check_bodies(tx: Transaction) -> Iterator[Checked]:
    """Check that kept rules and models are the bytes whose digest names them."""
    for table, name, body in stored.kept_bodies(tx):
        if hashlib.sha256(body).hexdigest() != name:
            yield Checked(name, "damaged", "not the bytes that its name is the digest of", table)


def check_erased(tx: Transaction) -> Iterator[Checked]:
    """Check that no feature row names an erasure that did not erase it: by their number."""
    scopes = stored.erasure_scopes(tx)
    for erasure, rows in stored.erased_features(tx).items():
        if scopes.get(erasure) != rows:
            words = f"{rows} name this erasure, which erased {scopes.get(erasure, 0)}"
            yield Checked(erasure, "damaged", words, "feature_row")


def _batch(name: str, words: str) -> Checked:
    return Checked(name, "damaged", words, "scoring_batch")


def _root(batch: RowMapping, rows: Sequence[RowMapping]) -> bytes | None:
    if len(rows) != batch["assessments"]:
        return None
    try:
        return root_of(batch, [row["digest"] for row in rows])
    except TypeError:  # a value that is not even of its type
        return None


def _check_one(row: RowMapping) -> Checked:
    if (row["feature_unit_id"], row["feature_unit_version"]) != (
        row["unit_id"],
        row["unit_version"],
    ):
        return Checked(row["id"], "damaged", "its feature row is gone or another unit's")
    left = (row["feature_body"], row["feature_salt"], row["body"])
    if row["feature_erasure_id"] is not None:
        if any(part is not None for part in left):
            return Checked(row["id"], "damaged", "marked as erased, yet something is left")
        return Checked(row["id"], "erased", row["feature_erasure_id"])
    if any(part is None for part in left):
        return Checked(row["id"], "damaged", "its feature row is gone without an erasure")
    prefix = "feature_"
    feature = {
        name.removeprefix(prefix): value
        for name, value in row.items()
        if name.startswith(prefix) and name != "feature_row_id"
    }
    try:
        intact = digest_of(row, feature) == row["digest"]
    except (TypeError, ValueError, OverflowError):  # a value that is not even of its type
        return Checked(row["id"], "damaged", "the row cannot be read")
    return Checked(row["id"], "intact" if intact else "damaged", "" if intact else "altered")


def recompute_sample(tx: Transaction, count: int) -> Iterator[Checked]:
    """Recompute assessments from what is stored; each must come out as the very same bytes."""
    groups: dict[tuple[str, str | None, Objective, bytes], list[RowMapping]] = {}
    for row in stored.sample(tx, count):
        if row["erasure_id"] is not None:
            yield Checked(row["id"], "erased", row["erasure_id"])
            continue
        try:
            versions = orjson.loads(row["body"])["versions"]
            own = {name: text for name, text in versions.items() if name not in ("rules", "model")}
            objective = Objective(row["objective"])
        except (TypeError, ValueError, KeyError, AttributeError):
            yield Checked(row["id"], "damaged", "the assessment cannot be read")
            continue
        key = (row["ruleset_id"], row["model_id"], objective, canonical(own))
        groups.setdefault(key, []).append(row)
    for (ruleset_id, model_id, objective, code), rows in groups.items():
        yield from _recompute(tx, rows, (ruleset_id, model_id, code), objective)


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
        assessor = stored_assessor(tx, *made_with)
        again = recompute([zlib.decompress(row["features"]) for row in rows], assessor, objective)
    except (IsthmusError, zlib.error, TypeError, ValueError, KeyError, pl.exceptions.PolarsError):
        if len(rows) == 1:
            yield Checked(rows[0]["id"], "damaged", "cannot be recomputed from what is stored")
            return
        for row in rows:
            yield from _recompute(tx, [row], made_with, objective)
        return
    for row, body in zip(rows, again, strict=True):
        same = body == row["body"].encode("utf-8", "surrogateescape")
        yield Checked(row["id"], "intact" if same else "damaged", "" if same else "differs")
