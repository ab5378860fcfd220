"""A table of two million rows taken in by the command line: memory it needs, rows a second.

    python bench/robust_inputs.py [--rows 2000000] [--folder DIR]

The table is written first, then received by ``isthmus receive`` as a process of its own; the most
memory it held (its resident set) is what the operating system counted for it. Needs some 4 GB of
disk a million rows.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "faults"))

import traffic
from node_process import begin, init


def measure(folder: Path, rows: int) -> None:
    """Receive a table of so many rows and print what that took."""
    root, table = init(folder / "node"), folder / "table.csv"
    with table.open("w") as stream:
        stream.writelines(traffic.rows(rows))
    began = time.perf_counter()
    process = begin(root, "receive", table, "--json")
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    took = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    told = json.loads(said)
    size = sum(file.stat().st_size for file in root.iterdir() if file.is_file())
    print(
        f"{rows:,} rows, {table.stat().st_size / 1e6:,.0f} MB: exit {process.returncode}, "
        f"received {told['received']:,}, accepted {told['accepted']:,}, "
        f"quarantined {told['quarantined']:,}"
    )
    print(
        f"{took:,.1f} s, {rows / took:,.0f} rows a second "
        f"({rows / (used.ru_utime + used.ru_stime):,.0f} a second of processor time), "
        f"most memory {used.ru_maxrss / 1024:,.0f} MiB, database {size / 1e6:,.0f} MB"
    )


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--folder", type=Path, help="where the node is made; a temporary one else")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        measure(Path(folder), options.rows)


if __name__ == "__main__":
    main()
