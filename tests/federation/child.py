"""One node of the exchange as a process: ``child.py FOLDER [whole | puts PARTNER LANE EVERY]``.

Its station runs until the process ends. With ``puts`` it also puts sightings in the outbox one
after another and writes the id of each into FOLDER/put once that is durable. ``whole`` decides by
the agreements that the node holds, accepts what comes and does what follows from it.
"""

import json
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from exchange.world import Party, Told, released
from isthmus.access.model import Purpose
from isthmus.agreements.model import Asked, Mode
from isthmus.exchange import dispatch, issue, outbox, release, upkeep
from isthmus.exchange.model import Lane
from isthmus.exchange.station import Station
from isthmus.exchange.trust import identity, key_store
from isthmus.kernel.time import SystemClock
from isthmus.platform.database import Database
from isthmus.platform.keys import KeyRing
from isthmus.platform.transaction import Transaction
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


def put_many(
    node: Party, partner: str, number: int, lane: Lane = Lane.ROUTINE, **body: Any
) -> list[str]:
    """Put items in the outbox in one transaction; return their ids."""
    made = [node.item(**body) for _ in range(number)]
    paths = list(made[0].paths())
    decision = released(paths)
    asked = Asked(node.code, partner, Purpose.TARGETING, Mode.SPONTANEOUS)

    def work(tx: Transaction) -> None:
        own = identity.signer(tx)
        for item in made:
            presented = issue.present(issue.issue(item, own), paths)
            link = release.terms_for(tx, presented, decision, asked)
            outbox.put(tx, partner, lane, presented, [link], decision, asked)

    node.database.write(work)
    return [item.id for item in made]


def running(node: Party, root: Path, *, whole: bool = False) -> tuple[Station, Worker]:
    """Let a node work in this process; ``whole`` as the product assembles it."""
    handlers = upkeep.handlers(node.database)
    if whole:
        from isthmus.agreements.prohibitions import overlay
        from isthmus.agreements.service import clauses_between
        from isthmus.exchange.by_agreements import ByAgreements
        from isthmus.flow import accept
        from isthmus.flow.reactions import REACTIONS

        node.policy = ByAgreements(clauses_between, overlay)
        node.database.reactions = REACTIONS
        handlers[accept.JOB] = lambda job: accept.accept(node.database, job.payload["envelope"])
    station = Station(node.database, node.policy, root)
    worker = Worker(node.database, handlers, threads=1, periodic=upkeep.PERIODIC)
    worker.start()
    station.start()
    return station, worker


def nursery() -> None:
    """Split into a node for each line that comes: its folder and arguments, as JSON."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # whoever is killed is gone at once
    for line in sys.stdin:
        root, *arguments = json.loads(line)
        if (pid := os.fork()) == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            with (Path(root) / "log").open("ab") as log:
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
            with open(os.devnull) as nothing:
                os.dup2(nothing.fileno(), 0)
            random.seed()
            sys.argv = [sys.argv[0], root, *arguments]
            main()
        print(pid, flush=True)


def main() -> None:
    dispatch.WITNESS_EVERY = 2.0  # a test does not live for the 30 s between two
    root = Path(sys.argv[1])
    node = open_party(root)
    running(node, root, whole="whole" in sys.argv[2:])
    (root / "up").write_text(str(os.getpid()))
    if "puts" in sys.argv[2:]:
        _, _, _, partner, lane, every = sys.argv
        threading.Thread(
            target=puts, args=(node, root, partner, lane, float(every)), daemon=True
        ).start()
    threading.Event().wait()


if __name__ == "__main__":
    nursery() if sys.argv[1] == "nursery" else main()
