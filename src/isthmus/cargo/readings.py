"""How far the reading of each document has come, so that a crash loses and doubles nothing."""

from sqlalchemy import Executable, RowMapping, bindparam, func, select, update

from isthmus.access.gate import Scope, unscoped
from isthmus.cargo.tables import reading_table
from isthmus.cargo.versions import Tally
from isthmus.kernel.errors import Conflict, NotFound
from isthmus.platform.transaction import Transaction

COUNTS = ("received", "accepted", "quarantined", "parked", "duplicates", "new_versions")

_readings = reading_table.c
_OF = _readings.document_id == bindparam("document")
# Made once: making a statement costs more than running it.
_GET = select(reading_table).where(_OF)
_COUNT = (
    update(reading_table)
    .where(_OF)
    .values({_readings[name]: _readings[name] + bindparam(f"more_{name}") for name in COUNTS})
)
_ADVANCE = _COUNT.values(ordinal=bindparam("read"), state="reading")
_FINISH = update(reading_table).where(_OF).values(state="read").returning(reading_table)
_CLAIM = (
    update(reading_table)
    .where(_OF, _readings.ordinal == bindparam("read"), _readings.state.in_(("stored", "reading")))
    .values(state="reading")
)


def begin(
    tx: Transaction,
    document_id: str,
    *,
    format_code: str | None,
    source: str,
    mapping: str | None,
    actor: str,
) -> None:
    """Note a stored document; one that no reader knows is unsupported at once."""
    tx.insert_new(
        reading_table,
        {
            "document_id": document_id,
            "format": format_code,
            "source": source,
            "mapping": mapping,
            "state": "stored" if format_code else "unsupported",
            "ordinal": 0,
            **dict.fromkeys(COUNTS, 0),
            "actor": actor,
            "at": tx.now,
        },
    )


@unscoped("reading resumes where it stopped, for the node and not for a person")
def get(tx: Transaction, document_id: str) -> RowMapping:
    """Return the reading of a document; raises ``NotFound``."""
    return _one(tx, _GET, document_id)


def _one(tx: Transaction, statement: Executable, document_id: str) -> RowMapping:
    row = tx.execute(statement, {"document": document_id}).mappings().first()
    if row is None:
        raise NotFound("document_unknown", "no such document", document=document_id)
    return row


def claim(tx: Transaction, document_id: str, read: int) -> None:
    """Go on after so many readings; raises ``Conflict`` when somebody else has gone on."""
    outcome = tx.execute(_CLAIM, {"document": document_id, "read": read})
    if outcome.rowcount != 1:
        raise Conflict("reading_contested", "another reader has gone on", document=document_id)


def advance(tx: Transaction, document_id: str, tally: Tally, read: int) -> None:
    """Count a batch in and note after how many readings to go on."""
    tx.execute(_ADVANCE, {"document": document_id, "read": read, **_more(tally)})


def finish(tx: Transaction, document_id: str) -> RowMapping:
    """Note that a document is read to its end; return its reading."""
    return _one(tx, _FINISH, document_id)


def recount(tx: Transaction, document_id: str, moved: Tally) -> None:
    """Move records of a document from one count to another: a parked one that found its parent,
    a quarantined one that can be read now."""
    tx.execute(_COUNT, {"document": document_id, **_more(moved)})


def reopen(tx: Transaction, document_id: str, faults: int) -> None:
    """Let a document be read on from where this many faults of the whole document cut it off."""
    readings = reading_table.c
    tx.execute(
        update(reading_table)
        .where(readings.document_id == document_id, readings.state == "read")
        .values(state="reading", ordinal=readings.ordinal - faults)
    )


def _more(tally: Tally) -> dict[str, int]:
    return {f"more_{name}": getattr(tally, name) for name in COUNTS}


def documents(tx: Transaction, scope: Scope, limit: int, offset: int = 0) -> list[RowMapping]:
    """Return what was received, newest first."""
    rows = tx.execute(
        select(reading_table)
        .where(scope.where())
        .order_by(reading_table.c.at.desc(), reading_table.c.document_id)
        .limit(limit)
        .offset(offset)
    )
    return list(rows.mappings())


def document(tx: Transaction, scope: Scope, document_id: str) -> RowMapping:
    """Return the reading of a document that the reader may see; raises ``NotFound``."""
    found = select(reading_table).where(reading_table.c.document_id == document_id, scope.where())
    row = tx.execute(found).mappings().first()
    if row is None:
        raise NotFound("document_unknown", "no such document", document=document_id)
    return row


def totals(tx: Transaction, scope: Scope) -> dict[str, int]:
    """Return the counts over everything received."""
    sums = [func.coalesce(func.sum(reading_table.c[name]), 0).label(name) for name in COUNTS]
    unsupported = func.count().filter(reading_table.c.state == "unsupported").label("unsupported")
    row = (
        tx.execute(select(func.count().label("documents"), unsupported, *sums).where(scope.where()))
        .mappings()
        .one()
    )
    return {name: int(value) for name, value in row.items()}
