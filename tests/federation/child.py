"""One node of the exchange as a process: ``python child.py FOLDER [puts PARTNER LANE EVERY]``.

Its station runs until the process ends; with ``puts`` it also puts sightings in the outbox one
after another and writes the id of each into FOLDER/put once that is durable.
"""

import os
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from exchange.world import Party, Told
from isthmus.exchange import key_store, upkeep
from isthmus.exchange.model import Lane
from isthmus.exchange.station import Station
from isthmus.kernel.time import SystemClock
from isthmus.platform.database import Database
from isthmus.platform.keys import KeyRing
from isthmus.platform.worker import Worker


def open_party(root: Path) -> Party:
    database = Database(f"sqlite:///{root / 'node.db'}", SystemClock(), KeyRing.load(root / "key"))
    me = database.read(key_store.myself)
    return Party(me["node"], database, {}, None, Told())  # type: ignore[arg-type]


def puts(node: Party, root: Path, partner: str, lane: str, every: float) -> None:
    with (root / "put").open("ab", buffering=0) as told:
        while True:
            item = node.item()
            node.put(partner, item, Lane(lane))
            told.write(item.id.encode() + b"\n")
            time.sleep(every)


def main() -> None:
    root = Path(sys.argv[1])
    node = open_party(root)
    station = Station(node.database, node.policy, root)
    worker = Worker(
        node.database, upkeep.handlers(node.database), threads=1, periodic=upkeep.PERIODIC
    )
    worker.start()
    station.start()
    (root / "up").write_text(str(os.getpid()))
    if len(sys.argv) > 2:
        _, _, _, partner, lane, every = sys.argv
        threading.Thread(
            target=puts, args=(node, root, partner, lane, float(every)), daemon=True
        ).start()
    threading.Event().wait()


if __name__ == "__main__":
    main()
