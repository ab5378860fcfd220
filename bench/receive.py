"""How fast and in how much memory a table of declarations becomes records and units.

``python bench/receive.py [ROWS]`` writes a table of so many rows (2,000,000 unless told) in the
shape of the Korean import declarations, receives it into a new node on SQLite with full
synchronisation, and prints rows a second, the growth of the process and the size of the database
as it goes. Beside it stands the least that could be done with the same rows: the standard
library's CSV reader into one table of the same SQLite, under the same settings.
"""

import csv
import io
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from isthmus.access.model import node_actor
from isthmus.cargo.derive import Home
from isthmus.cargo.formats.source import Source
from isthmus.flow.receive import Receiver
from isthmus.kernel.time import SystemClock
from isthmus.migrations import migrate
from isthmus.platform.database import Database
from isthmus.platform.keys import KeyRing

ROWS = 2_000_000
HEADER = (
    "Declaration ID,Date,Office ID,Process Type,Import Type,Import Use,Payment Type,"
    "Mode of Transport,Declarant ID,Importer ID,Seller ID,Courier ID,HS6 Code,"
    "Country of Departure,Country of Origin,Tax Rate,Tax Type,Country of Origin Indicator,"
    "Net Mass,Item Price,Fraud,Critical Fraud"
)
HEADINGS = ("440890", "420231", "711311", "870322", "300490", "080390", "610910")
TOLD_EVERY = 100_000


def rows(count: int) -> Iterator[str]:
    """Rows whose parties, headings and values differ as those of the sample do."""
    for n in range(count):
        day = f"2020-{1 + n // 28 % 12:02d}-{1 + n % 28:02d}"
        yield (
            f"{10_000_000 + n},{day},{20 + n % 40},B,11,21,11,{10 if n % 3 else 40},"
            f"D{n % 900:05d},I{n * 7 % 12_000:06d},S{n * 13 % 9_000:06d},,{HEADINGS[n % 7]},"
            f"{'BE' if n % 2 else 'CN'},{'BE' if n % 4 else 'VN'},{n % 9}.0,A,G,"
            f"{1 + n % 4000}.5,{100 + n * 17 % 90_000}.25,{int(n % 11 == 0)},0\n"
        )


def resident() -> float:
    """The most memory this process has held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def least(table: Path, folder: Path) -> float:
    """Seconds that the standard library needs to put the same rows into one SQLite table."""
    connection = sqlite3.connect(folder / "least.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    names = HEADER.split(",")
    connection.execute(f"CREATE TABLE t ({', '.join(f'c{n}' for n in range(len(names)))})")
    began = time.perf_counter()
    with table.open(newline="", encoding="utf-8") as stream:
        reader = csv.reader(stream)
        next(reader)
        connection.execute("BEGIN")
        connection.executemany(f"INSERT INTO t VALUES ({','.join('?' * len(names))})", reader)
        connection.execute("COMMIT")
    connection.close()
    return time.perf_counter() - began


def main() -> None:
    """Run the bench."""
    count = int(sys.argv[1].replace("_", "")) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = folder / "declarations.csv"
        with table.open("w", encoding="utf-8") as out:
            out.write(HEADER + "\n")
            out.writelines(rows(count))
        bare = least(table, folder)
        database = Database(f"sqlite:///{folder}/node.db", SystemClock(), KeyRing.generate())
        migrate.upgrade(database)
        receiver = Receiver(database, Home("KR"), lambda _code: 1 << 40)
        warm = io.BytesIO((HEADER + "\n" + next(rows(1)).replace("10000000", "1")).encode())
        receiver.receive(node_actor(), warm, Source("warm.csv"))
        before, began, done = resident(), time.perf_counter(), 0

        def progress(more: int) -> None:
            nonlocal done
            done += more
            if done % TOLD_EVERY < more:
                seconds = time.perf_counter() - began
                print(
                    f"{done:>10,} rows {done / seconds:>8,.0f} rows/s "
                    f"{resident() - before:>7.1f} MiB grown",
                    flush=True,
                )

        with table.open("rb") as stream:
            receipt = receiver.receive(node_actor(), stream, Source(table.name), progress=progress)
        seconds = time.perf_counter() - began
        database.close()
        size = (folder / "node.db").stat().st_size
        print(receipt.tally)
        print(
            f"isthmus    {count / seconds:>10,.0f} rows/s, {size / count:,.0f} bytes a row on disk"
        )
        print(f"csv+sqlite {count / bare:>10,.0f} rows/s, the rows alone, nothing understood")
        print(
            f"grown by {resident() - before:.1f} MiB; the table is {table.stat().st_size:,} bytes"
        )


if __name__ == "__main__":
    main()
