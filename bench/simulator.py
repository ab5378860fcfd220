"""Making worlds: seconds, peak memory, bytes, and whether a repeat gives the same bytes.

    python bench/simulator.py [--full] [--processes 2]

Generates 10,000 and 100,000 consignments of 120 days, with --full 1,000,000 of a year as well, all
without ship tracks, which bench/ais.py measures; the smallest twice, once in one process and once
in several, to compare every byte. Peak memory is the greatest resident set of the processes, added
up.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

SIZES = ((10_000, 120), (100_000, 120))
FULL = (1_000_000, 365)
SEED = 1


def main() -> None:
    """Generate each size and print its line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="a million consignments too")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    print(f"{'consignments':>12} {'processes':>9} {'seconds':>8} {'a second':>9} {'peak MB':>8} "
          f"{'GB':>7} {'files':>8}  sha-256 of all bytes")  # fmt: skip
    sizes = [*SIZES, *([FULL] if asked.full else [])]
    first = _made(*sizes[0], 1)
    hashes = [first, *(_made(*size, asked.processes) for size in sizes)]
    same = hashes[0] == hashes[1]
    print(f"repeat in another number of processes: {'same bytes' if same else 'OTHER BYTES'}")
    if not same:
        sys.exit(1)


def _made(consignments: int, days: int, processes: int) -> str:
    """Generate one set in processes of its own; print its line and return the hash of its bytes."""
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "set"
        words = ["simulate", "generate", "--out", out, "--consignments", consignments,
                 "--days", days, "--seed", SEED, "--processes", processes,
                 "--no-ais", "--json"]  # fmt: skip
        code = "from isthmus.cli.app import main; main()"
        started = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, "-c", code, *map(str, words)], stdout=subprocess.DEVNULL
        ) as running:
            watch = _Watch(running.pid)
            status = running.wait()
            peak = watch.end()
        seconds = time.perf_counter() - started
        if status:
            sys.exit(status)
        hashed, files, size = _hashed(out)
    print(f"{consignments:>12,} {processes:>9} {seconds:>8.1f} {consignments / seconds:>9,.0f} "
          f"{peak / 1e6:>8,.0f} {size / 1e9:>7.2f} {files:>8,}  {hashed[:16]}",
          flush=True)  # fmt: skip
    return hashed


class _Watch:
    """Keeps the greatest resident set of a process and of those it started, four times a second."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peaks: dict[int, int] = {}
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def end(self) -> int:
        """Stop looking; return the sum of the peaks in bytes."""
        self._done.set()
        self._thread.join()
        return sum(self._peaks.values())

    def _look(self) -> None:
        while not self._done.wait(0.25):
            for pid in _family(self._pid):
                self._peaks[pid] = max(self._peaks.get(pid, 0), _peak(pid))


def _family(pid: int) -> list[int]:
    """Return a process and its descendants."""
    found = [pid]
    for one in found:
        try:
            tasks = list(Path(f"/proc/{one}/task").iterdir())
            found += [int(child) for task in tasks
                      for child in (task / "children").read_text().split()]  # fmt: skip
        except OSError:
            continue
    return found


def _peak(pid: int) -> int:
    """Return a process's greatest resident set so far, in bytes; 0 when it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)


def _hashed(folder: Path) -> tuple[str, int, int]:
    """Return the hash over all names and bytes in order, the number of files and their bytes."""
    whole, files, size = hashlib.sha256(), 0, 0
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            whole.update(str(path.relative_to(folder)).encode() + b"\0" + str(len(data)).encode())
            whole.update(data)
            files, size = files + 1, size + len(data)
    return whole.hexdigest(), files, size


if __name__ == "__main__":
    main()
