"""Rows entered in bulk are the rows that SQLAlchemy itself would have entered."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from isthmus.kernel.time import SetClock
from isthmus.platform.database import Database
from isthmus.platform.jobs import job_table

_ROW = st.fixed_dictionaries(
    {
        "kind": st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
        "key": st.none() | st.sampled_from(["a", "b"]),
        "payload": st.dictionaries(st.sampled_from(["x", "y"]), st.integers(-9, 9) | st.none()),
        "attempts": st.integers(0, 2**31 - 1),
    }
)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=st.lists(_ROW, max_size=4))
def test_rows_come_out_as_they_went_in(
    database: Database, clock: SetClock, drawn: list[dict[str, Any]]
) -> None:
    moments = {"run_at": clock.now(), "created_at": clock.now(), "leased_until": None}
    rows = [
        {**row, **moments, "id": str(number), "state": "queued"} for number, row in enumerate(drawn)
    ]
    names = [job_table.c[name] for name in (rows[0] if rows else {"id": None})]

    def work(tx: Any) -> list[Any]:
        tx.execute(delete(job_table))
        tx.insert(job_table, rows)
        assert tx.insert_all_new(job_table, rows) == 0
        return list(tx.execute(select(*names).order_by(job_table.c.id)).mappings())

    assert database.write(work) == rows


def test_rows_that_stand_already_are_passed_over(database: Database, clock: SetClock) -> None:
    def row(name: str) -> dict[str, Any]:
        return {
            "id": name, "kind": "score", "payload": {}, "state": "queued", "attempts": 0,
            "run_at": clock.now(), "created_at": clock.now(),
        }  # fmt: skip

    assert database.write(lambda tx: tx.insert_new(job_table, row("one")))
    assert not database.write(lambda tx: tx.insert_new(job_table, row("one")))
    both = [row("one"), row("two"), row("three")]
    assert database.write(lambda tx: tx.insert_all_new(job_table, both)) == 2
    assert database.write(lambda tx: tx.insert_all_new(job_table, [])) == 0
