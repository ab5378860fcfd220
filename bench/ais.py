"""AIS of a fleet: sentences encoded a second beside pyais, and thirty days of it written.

    python bench/ais.py [--days 30] [--seed 1]

Encoding: the position reports of class A that a day of the fleet leaves, turned into !AIVDM
sentences; the peer, pyais, encodes a share of the same reports one by one and writes no tag block.
Their sentences must be the same. Then the run is written as ``simulate`` writes it, by one process
and by two, whose bytes must be the same.
"""

import argparse
import hashlib
import multiprocessing
import resource
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyais

from isthmus.simulator import world
from isthmus.simulator.ais.messages import NO_TURN
from isthmus.simulator.ais.receivers import receivers, shipped
from isthmus.simulator.ais.reports import POSITION_A, Sender, voyages
from isthmus.simulator.ais.sea import sea
from isthmus.simulator.ais.stream import encode, in_order, static_table
from isthmus.simulator.ais.write import Summary, write
from isthmus.simulator.traffic.calls import calls

START = datetime(2026, 3, 1, tzinfo=UTC)
AHEAD = 14  # days of calls after the run, so that ships are on their way
PEER = 20_000  # reports that the peer encodes


def encoding(seed: int) -> None:
    """Print the rates of both encoders on the same reports."""
    here = world.load()
    tracks = sea(here, calls(here, seed, START, 1 + AHEAD), [], seed, START, 1).transmitting
    senders, rows = [], 0
    for number, track in enumerate(tracks):
        senders.append(Sender.of(number, track, seed, rows))
        rows += len(voyages(track))
    by, statics = receivers(shipped(), seed, START.timestamp(), 1), static_table(senders)
    at = START.timestamp()
    heard = [one for each in senders if (one := each.heard(at, at + 86_400, by)) is not None]
    reports = in_order(np.concatenate(heard))
    for name, some in (("all messages", reports), ("message 1", only_scheduled(reports))):
        rates = []
        for _ in range(3):
            begun = time.perf_counter()
            ours = b"".join(encode(some, statics, by.names))
            rates.append(len(some) / (time.perf_counter() - begun))
        print(
            f"encode {name:13} {max(rates):>12,.0f} messages/s, best of 3, {len(some):,} messages"
        )
    sentences = [line.split(b"\\")[2].decode() for line in ours.splitlines()[:PEER]]
    given = [
        fields(report, sentence) for report, sentence in zip(some[:PEER], sentences, strict=True)
    ]
    begun = time.perf_counter()
    theirs = [
        pyais.encode_dict(one, talker_id="AI", sentence_type="VDM", radio_channel=one["channel"])[0]
        for one in given
    ]
    rate = len(given) / (time.perf_counter() - begun)
    same = sum(a == b for a, b in zip(sentences, theirs, strict=True))
    print(
        f"pyais encode        {rate:>12,.0f} messages/s; {same:,} of {len(given):,} sentences equal"
    )


def only_scheduled(reports: np.ndarray) -> np.ndarray:
    """Return reports of class A with a fix, message 1: under way, steady or without a rate of turn.

    The peer reads a slow turn as none, so it could not be told of one.
    """
    steady = np.isin(reports["turn"], (0, NO_TURN)) & (reports["second"] < 60)
    steady &= reports["speed"] > 30
    return reports[(reports["kind"] == POSITION_A) & steady]


def fields(report: np.void, sentence: str) -> dict[str, object]:
    """Return what the peer is told of one report; its identity as the sentence says it."""
    read = pyais.decode(sentence)
    return {
        "type": read.msg_type,
        "channel": sentence.split(",")[4],
        "mmsi": read.mmsi,
        "status": int(report["status"]),
        "turn": read.turn,
        "speed": int(report["speed"]) / 10,
        "accuracy": read.accuracy,
        "lon": int(report["longitude"]) / 600_000,
        "lat": int(report["latitude"]) / 600_000,
        "course": int(report["course"]) / 10,
        "heading": int(report["heading"]),
        "second": int(report["second"]),
        "maneuver": 0,
        "raim": read.raim,
        "radio": read.radio,
    }


def written(seed: int, days: int, folder: Path, part: int, parts: int) -> Summary:
    """Write a part of a run."""
    here = world.load()
    coming = calls(here, seed, START, days + AHEAD)
    return write(here, coming, [], seed, START, days, folder, part=part, parts=parts)


def digest(folder: Path) -> str:
    """Return one digest of all files, in order of their names."""
    whole = hashlib.sha256()
    for file in sorted(folder.rglob("*.*")):
        whole.update(file.name.encode())
        with file.open("rb") as opened:
            whole.update(hashlib.file_digest(opened, "sha256").digest())
    return whole.hexdigest()


def run(seed: int, days: int) -> None:
    """Print what writing a run costs with one process and with two."""
    with tempfile.TemporaryDirectory() as place:
        one, two = Path(place, "one"), Path(place, "two")
        begun, worked = time.perf_counter(), time.process_time()
        made = written(seed, days, one, 0, 1)
        took, worked = time.perf_counter() - begun, time.process_time() - worked
        size = sum(file.stat().st_size for file in one.rglob("*.*"))
        print(
            f"{days} days: {made.messages:,} messages of {made.ships:,} vessels and {made.plots:,}"
            f" plots, {size / 1e9:.2f} GB in {took:.0f} s, {worked:.0f} s of them"
            f" computing ({made.messages / worked:,.0f} messages/s),"
            f" {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"
        )
        begun = time.perf_counter()
        with multiprocessing.get_context("spawn").Pool(2) as pool:
            pool.starmap(written, [(seed, days, two, part, 2) for part in range(2)])
        print(f"two processes: {time.perf_counter() - begun:.0f} s")
        print(f"same bytes: {digest(one) == digest(two)}, sha256 {digest(one)[:16]}")


def main() -> None:
    """Run both benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    encoding(given.seed)
    run(given.seed, given.days)


if __name__ == "__main__":
    main()
