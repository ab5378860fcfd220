"""The exchange between two nodes, each its own process, beside the floor it stands on.

    python bench/exchange.py [hop] [catch-up --items 10000 100000] [nothing-new] [ledger] [blind]
        [sd-jwt]

``hop``: an item put at A (durable there) until B's signed receipt is durable at A, one at a time;
beside it in the same run one bare mutual-TLS round trip with a durable SQLite write of the same
bytes. ``catch-up``: a backlog of items while a flash is put every half second, beside the floor of
the same run: what one core verifies in signatures alone, three an item; and the processor time
that each end spent on an item, which a busy machine does not change. ``nothing-new``: a
poll that finds nothing. ``ledger``: entries sealed and a checkpoint signed. ``blind``: a
question over 100,000 objects. ``sd-jwt``: issue and read 30 fields, beside the sd-jwt
package. Without a name all are run.
"""

import argparse
import asyncio
import os
import random
import sqlite3
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1] / "tests"
sys.path.insert(0, str(TESTS))  # nodes are made as the tests make them

from exchange.world import Party  # noqa: E402
from federation.child import open_party  # noqa: E402
from federation.child import put_many as put_items  # noqa: E402
from federation.nodes import Process, build, free_port  # noqa: E402
from isthmus.exchange import issue, receipts, upkeep  # noqa: E402
from isthmus.exchange.connection import Connection  # noqa: E402
from isthmus.exchange.model import Lane  # noqa: E402
from isthmus.exchange.station import Station  # noqa: E402
from isthmus.exchange.trust import identity, tls  # noqa: E402
from isthmus.kernel.time import SystemClock  # noqa: E402
from isthmus.platform.transaction import Transaction  # noqa: E402
from isthmus.platform.worker import Worker  # noqa: E402

NODES = ("PA-ANA", "BE-DOUANE")
FIELDS = {f"field_{number}": f"a value of field {number}" for number in range(30)}
WAIT = 600.0


def shown(name: str, seconds: Sequence[float]) -> None:
    """Print median and 99th percentile in ms."""
    ordered = sorted(seconds)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    print(
        f"{name:<58}p50 {statistics.median(ordered) * 1e3:8.2f} ms   p99 {p99 * 1e3:8.2f} ms"
        f"   n {len(ordered)}"
    )


class Receipts:
    """Notes when the receipt of each envelope is durable here."""

    def __init__(self) -> None:
        self.seen: dict[str, float] = {}
        self._changed = threading.Condition()
        take = receipts.take

        def noted(tx: Transaction, partner: str, receipt: receipts.Receipt) -> int:
            settled = take(tx, partner, receipt)
            hashes = [line.hash for line in receipt.lines]
            tx.after_commit(lambda: self._note(hashes))
            return settled

        receipts.take = noted  # type: ignore[assignment]

    def _note(self, hashes: list[bytes]) -> None:
        now = time.perf_counter()
        with self._changed:
            for one in hashes:
                self.seen.setdefault(one.hex(), now)
            self._changed.notify_all()

    def wait(self, wanted: Callable[[], bool], seconds: float = WAIT) -> None:
        """Wait until something is true of what was seen."""
        end = time.monotonic() + seconds
        with self._changed:
            while not wanted():
                if not self._changed.wait(max(0.0, end - time.monotonic())):
                    raise TimeoutError("the receipts did not come")


class Pair:
    """A in this process, B in one of its own."""

    def __init__(self, folder: Path) -> None:
        self.processes = build(folder, *NODES, lookouts=10_000_000, rate=100_000_000)
        self.b: Process = self.processes[1]
        self.receipts = Receipts()
        self.b.start()
        self.a: Party = open_party(self.processes[0].root)
        self.station = Station(self.a.database, self.a.policy, self.processes[0].root)
        self.worker = Worker(
            self.a.database, upkeep.handlers(self.a.database), 1, periodic=upkeep.PERIODIC
        )

    def start(self) -> None:
        """Begin to exchange."""
        self.worker.start()
        self.station.start()

    def hash_of(self, envelope: str) -> str:
        """Return the hash of an envelope put here."""
        from isthmus.exchange import post_store

        row = self.a.database.read(lambda tx: post_store.by_id(tx, envelope))
        assert row is not None
        return str(row["hash"].hex())

    def stop(self) -> None:
        """End both."""
        self.station.stop()
        self.worker.stop()
        self.a.database.close()
        self.b.stop()


def hop(pair: Pair, number: int) -> None:
    """Time single items, beside bare round trips."""
    with Peer(pair) as peer:
        ours: list[float] = []
        bare: list[float] = []
        body = b"x" * 5000
        for turn in range(number + 20):
            began = time.perf_counter()
            envelope = pair.a.put(NODES[1], pair.a.item(**FIELDS))
            put = time.perf_counter()
            hash_ = pair.hash_of(envelope)
            pair.receipts.wait(lambda h=hash_: h in pair.receipts.seen)  # type: ignore[misc]
            came = pair.receipts.seen[hash_]
            began_bare = time.perf_counter()
            peer.send(body)
            if turn >= 20:
                ours.append(came - put)
                bare.append(time.perf_counter() - began_bare)
            del began
            time.sleep(random.uniform(0.0, 0.02))
    shown("put durable at A -> durable at B -> receipt durable at A", ours)
    shown("one bare mutual-TLS hop with a durable write", bare)
    ratio = statistics.median(ours) / statistics.median(bare)
    print(f"{'  the exchange, in bare hops (by the medians)':<58}{ratio:.1f}")


def put_many(pair: Pair, number: int, lane: Lane = Lane.ROUTINE) -> float:
    """Put a backlog, many in one transaction; return the seconds it took."""
    began = time.perf_counter()
    for start in range(0, number, 1000):
        put_items(pair.a, NODES[1], min(1000, number - start), lane, **FIELDS)
    return time.perf_counter() - began


def floor(seconds: float = 1.0) -> float:
    """Return how many items a second one core verifies when it does nothing else: three
    signatures each, over as many bytes as an item of this run has."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    public = key.public_key()
    signed = [(key.sign(data), data) for data in (b"x" * 8_500, b"x" * 3_500, b"x" * 1_500)]
    number, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        for signature, data in signed:
            public.verify(signature, data)
        number += 1
    return number / (time.perf_counter() - began)


def spent(pid: int) -> float:
    """Return the processor seconds of a process and of the processes it began."""
    ticks, ours = 0.0, {pid}
    for path in sorted(Path("/proc").glob("[0-9]*/stat"), key=lambda one: int(one.parent.name)):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(path.parent.name) in ours or int(fields[1]) in ours:
            ours.add(int(path.parent.name))
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def catch_up(pair: Pair, number: int) -> None:
    """Time a backlog, and the flashes put meanwhile."""
    assert pair.b.pid is not None
    taken = put_many(pair, number)
    print(f"{'put in the outbox, 1,000 in a transaction':<58}{number / taken:,.0f} items/s")
    least = floor()
    used = time.process_time(), spent(pair.b.pid)
    before = len(pair.receipts.seen)
    flashes: dict[str, float] = {}
    done = threading.Event()

    def flash() -> None:
        while not done.wait(0.5):
            envelope = pair.a.put(NODES[1], pair.a.item(**FIELDS), Lane.FLASH)
            flashes[pair.hash_of(envelope)] = time.perf_counter()

    began = time.perf_counter()
    pair.start()
    thread = threading.Thread(target=flash)
    thread.start()
    seen = pair.receipts.seen
    pair.receipts.wait(
        lambda: len(seen) - before - sum(one in seen for one in tuple(flashes)) >= number,
        WAIT + number / 100,
    )
    seconds = time.perf_counter() - began
    done.set()
    thread.join()
    pair.receipts.wait(lambda: all(one in pair.receipts.seen for one in flashes))
    used = time.process_time() - used[0], spent(pair.b.pid) - used[1]
    least = (least + floor()) / 2
    print(f"{f'catch-up of {number:,} items':<58}{number / seconds:,.0f} items/s, {seconds:.1f} s")
    print(f"{'  floor: three verifications an item, one core':<58}{least:,.0f} items/s")
    print(f"{'  share of the floor':<58}{number / seconds / least:.0%}")
    for end, time_ in zip(("sender", "receiver"), used, strict=True):
        print(f"{f'  processor time of the {end}':<58}{time_ / number * 1e6:,.0f} µs an item")
    if flashes:
        shown("flash put durable -> receipt durable, meanwhile",
              [pair.receipts.seen[one] - put for one, put in flashes.items()])  # fmt: skip


def nothing_new(pair: Pair) -> None:
    """Time a poll that finds nothing."""

    def dial(tx: Transaction) -> ssl.SSLContext:
        return tls.client(tx, pair.processes[0].root, NODES[1])

    context = pair.a.database.read(dial)
    connection = Connection(NODES[1], f"127.0.0.1:{pair.b.port}", context, SystemClock())
    own = pair.a.database.read(identity.signer)
    taken = []
    for _ in range(220):
        began = time.perf_counter()
        connection.ask(own, "/exchange/poll", {"wait": 0, "got": []})
        taken.append(time.perf_counter() - began)
    connection.close()
    shown("nothing new", taken[20:])


def ledger_rate(pair: Pair, number: int = 20_000) -> None:
    """Time the sealing of entries."""
    from isthmus.exchange.proof import ledger

    def fill(tx: Transaction) -> None:
        ledger.append(tx, [
            ledger.entry("envelope", f"e{one}", b"s" * 16, b"h" * 32, tx) for one in range(number)
        ])  # fmt: skip

    upkeep.seal_ledger(pair.a.database)
    pair.a.database.write(fill)
    began = time.perf_counter()
    upkeep.seal_ledger(pair.a.database)
    taken = time.perf_counter() - began
    print(f"{'ledger entries sealed, 500 in a batch':<58}{number / taken:,.0f} entries/s")


def sd_jwt(number: int = 400) -> None:
    """Rates for 30 fields, beside the reference package."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from exchange.world import MARKING
    from isthmus.exchange.trust.signing import Signer, fingerprint
    from isthmus.intelligence.model import Item, ItemKind

    key = Ed25519PrivateKey.generate()
    own = Signer("PA-ANA", key, fingerprint(key.public_key()))
    item = Item("PA-ANA:x", ItemKind.SIGHTING, 1, "PA-ANA", SystemClock().now(), MARKING, FIELDS)
    issued = issue.issue(item, own)
    whole = issue.present(issued, issued.disclosures)
    _rate("SD-JWT of 30 fields: issue", number, lambda: issue.issue(item, own))
    _rate(
        "SD-JWT of 30 fields: read", number, lambda: issue.read(whole, lambda *_: key.public_key())
    )
    from jwcrypto.jwk import JWK
    from sd_jwt.common import SDObj
    from sd_jwt.issuer import SDJWTIssuer
    from sd_jwt.verifier import SDJWTVerifier

    peer = JWK.generate(kty="OKP", crv="Ed25519")
    claims = {SDObj(name): value for name, value in FIELDS.items()}

    def made() -> str:
        return str(
            SDJWTIssuer(dict(claims), peer, sign_alg="EdDSA", add_decoy_claims=True).sd_jwt_issuance
        )

    text = made()
    _rate("  the sd-jwt package: issue", number, made)
    _rate("  the sd-jwt package: read", number,
          lambda: SDJWTVerifier(text, lambda *_: peer).get_verified_payload())  # fmt: skip


def blind_question(pair: Pair, held: int = 100_000, asked: int = 1_000) -> None:
    """Time a question over many objects, and count its bytes."""
    from isthmus.access.model import Purpose
    from isthmus.exchange.questions.askable import Nothing
    from isthmus.exchange.questions.blind import Desk, Held, Question, element
    from isthmus.intelligence.objects import ObjectKind

    class Told(Nothing):
        def basis(self, *_: object) -> str:
            return "told"

    entries = [element(ObjectKind.CONTAINER, f"MSKU{number:07}") for number in range(held)]
    desk = Desk(Told(), time.monotonic)
    began = time.perf_counter()
    ticket, setup = desk.prepare(Held(NODES[1], Purpose.TARGETING, "told", tuple(entries)))
    ready = time.perf_counter()
    half = asked // 2
    question = Question([*entries[:half], *(f"container:X{one}" for one in range(half))])
    request = question.request()
    told = pair.a.database.write(lambda tx: desk.answer(tx, NODES[1], ticket, request))
    found = question.answers(setup, told)
    if sorted(found) != entries[:half]:
        raise SystemExit("wrong answers")
    name = f"blind set of {held:,} objects prepared"
    print(f"{name:<58}{ready - began:.1f} s, {len(setup):,} bytes")
    print(
        f"{f'blind question of {asked:,} elements':<58}{time.perf_counter() - ready:.2f} s, "
        f"{len(request) + len(told):,} bytes"
    )


def _rate(name: str, number: int, act: Callable[[], object]) -> None:
    began = time.perf_counter()
    for _ in range(number):
        act()
    print(f"{name:<58}{number / (time.perf_counter() - began):,.0f} /s")


class Peer:
    """A bare server: mutual TLS, one durable write, an answer. Nothing else."""

    def __init__(self, pair: Pair) -> None:
        self.pair, self.port = pair, free_port()

    def __enter__(self) -> "Peer":
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--peer", str(self.pair.b.root), str(self.port)]
        )
        root = self.pair.processes[0].root
        context = self.pair.a.database.read(lambda tx: tls.client(tx, root, NODES[1]))
        import http.client

        end = time.monotonic() + 20
        while True:
            try:
                self.connection = http.client.HTTPSConnection(
                    "127.0.0.1", self.port, context=context
                )
                self.connection.connect()
                break
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)
        return self

    def send(self, body: bytes) -> None:
        """One round trip."""
        self.connection.request("POST", "/", body)
        self.connection.getresponse().read()

    def __exit__(self, *_: object) -> None:
        self.connection.close()
        self.process.kill()
        self.process.wait()


def serve_peer(root: Path, port: int) -> None:
    """Be the bare server."""
    import uvicorn

    node = open_party(root)
    context = node.database.read(lambda tx: tls.server(tx, root))
    store = sqlite3.connect(root / "bare.db", isolation_level=None, check_same_thread=False)
    store.execute("PRAGMA journal_mode=WAL")
    store.execute("PRAGMA synchronous=FULL")
    store.execute("CREATE TABLE IF NOT EXISTS held (body BLOB)")

    async def app(_scope, receive, send):  # type: ignore[no-untyped-def]
        parts = []
        while True:
            message = await receive()
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                break
        await asyncio.to_thread(store.execute, "INSERT INTO held VALUES (?)", (b"".join(parts),))
        await send({"type": "http.response.start", "status": 200,
                    "headers": [(b"content-length", b"2")]})  # fmt: skip
        await send({"type": "http.response.body", "body": b"ok"})

    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, lifespan="off", access_log=False, log_level="error"
    )
    config.load()
    config.ssl = context
    uvicorn.Server(config).run()


@contextmanager
def running() -> Iterator[Pair]:
    """Make two nodes, and end them."""
    with tempfile.TemporaryDirectory() as folder:
        pair = Pair(Path(folder))
        try:
            yield pair
        finally:
            pair.stop()


def main() -> None:
    """Run what is asked for."""
    if sys.argv[1:2] == ["--peer"]:
        serve_peer(Path(sys.argv[2]), int(sys.argv[3]))
        return
    names = ("hop", "catch-up", "nothing-new", "ledger", "blind", "sd-jwt")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", choices=[*names, []])
    parser.add_argument("--items", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--number", type=int, default=300)
    given = parser.parse_args()
    what = given.what or names
    if "catch-up" in what:
        for items in given.items:
            with running() as pair:
                catch_up(pair, items)
    if {"hop", "nothing-new", "ledger", "blind"} & set(what):
        with running() as pair:
            pair.start()
            if "hop" in what:
                hop(pair, given.number)
            if "nothing-new" in what:
                nothing_new(pair)
            if "ledger" in what:
                ledger_rate(pair)
            if "blind" in what:
                blind_question(pair)
    if "sd-jwt" in what:
        sd_jwt()


if __name__ == "__main__":
    main()
