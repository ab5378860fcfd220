"""Threads that post declarations to a node and note what was acknowledged."""

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import traffic
from node_process import Client, Unanswered


@dataclass(slots=True)
class Senders:
    """Some threads, each with a connection of its own; they outlive the node they send to."""

    port: int
    secret: str
    writers: int = 4
    seed: int = 0
    pause: float = 0.0  # seconds between an answer and the next request
    acknowledged: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)  # of each answered request
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> "Senders":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin to send."""
        for writer in range(self.writers):
            thread = threading.Thread(target=self._send, args=(writer,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Stop and wait until every thread has ended."""
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()

    def until(self, count: int, seconds: float = 60.0) -> None:
        """Wait until so many were acknowledged."""
        end = time.monotonic() + seconds
        while len(self.acknowledged) < count:
            assert time.monotonic() < end, f"only {len(self.acknowledged)} acknowledged"
            time.sleep(0.005)

    def _send(self, writer: int) -> None:
        client = Client(self.port, self.secret, timeout=60)
        dice, turn = random.Random(f"{self.seed}/{writer}"), 0
        while not self._stop.wait(self.pause):
            name = traffic.reference(writer, turn)
            turn += 1
            body = traffic.declaration(name)
            # A sender that got no answer sends again, as it should, or never comes back.
            patient = dice.random() < 0.6
            while not self._post(client, name, body) and patient and not self._stop.is_set():
                time.sleep(0.1)
        client.close()

    def _post(self, client: Client, name: str, body: bytes) -> bool:
        began = time.perf_counter()
        try:
            status, answer = client.post("/api/declarations", body)
        except Unanswered:
            self.outcomes["unanswered"] += 1
            time.sleep(0.1)
            return False
        self.seconds.append(time.perf_counter() - began)
        self.outcomes[str(status)] += 1
        if status not in (200, 201) or answer["accepted"] + answer["duplicates"] != 1:
            self.faults.append(f"{name}: {status} {answer}")
            return True
        self.acknowledged[name] = (answer["document"], body)
        return True


def percentile(seconds: list[float], share: float) -> float:
    """Return the value below which this share of the figures lies, in milliseconds."""
    ordered = sorted(seconds)
    return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]
