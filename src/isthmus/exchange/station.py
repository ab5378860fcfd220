"""The station: a node's running end of the exchange. Listener, lines to partners, nothing else."""

import contextlib
import gc
import socket
import ssl
import sys
import threading
from pathlib import Path

import uvicorn

from isthmus.exchange.calls import NOTHING, Calls
from isthmus.exchange.connection import Connection
from isthmus.exchange.dispatch import FLASH, REST, Line, Poll, Witness
from isthmus.exchange.listener import HEAD_BYTES, Listener, PatientProtocol
from isthmus.exchange.policy import Policy
from isthmus.exchange.questions.askable import Askable
from isthmus.exchange.trust import key_store, partners, tls
from isthmus.exchange.trust.request import Guard
from isthmus.exchange.trust.signing import Keys, PublicKey
from isthmus.kernel.errors import Unavailable
from isthmus.platform import telemetry
from isthmus.platform.database import Database
from isthmus.platform.transaction import Transaction

LOOK = 1.0  # seconds between two looks at the directory
CONNECTIONS = 256
# How long a thread of this process works before another has its turn. A flash changes hands some
# ten times on its way through; behind a catch-up it would wait the default 5 ms each time.
SWITCH = 0.0005
# A batch is some 50,000 objects that live for as long as it is under way. Looking for rubbish
# among them every 700, as by default, is a third of what sending a backlog costs.
RUBBISH = (50_000, 20, 20)

_log = telemetry.log("exchange.station")


class Station:
    """Runs the exchange of one node; ``start`` and ``stop`` it with the node."""

    def __init__(
        self,
        database: Database,
        policy: Policy,
        temporary: Path,
        askable: Askable = NOTHING,
    ) -> None:
        self.database, self.policy, self.temporary = database, policy, temporary
        self.calls = Calls(database, policy, askable)
        self._lines: dict[tuple[str, str], Line] = {}
        self._server: uvicorn.Server | None = None
        self._context: ssl.SSLContext | None = None
        self._pair = ""  # fingerprint of the certificate shown
        self._admitted: dict[str, str] = {}  # certificate by trusted partner
        self._serving: threading.Thread | None = None
        self._stopping = threading.Event()
        self._looking: threading.Thread | None = None

    def start(self) -> bool:
        """Begin to listen and to dispatch; false when the exchange is not set up."""
        me = self.database.read(key_store.myself)
        if me is None:
            return False
        sys.setswitchinterval(SWITCH)
        gc.set_threshold(*RUBBISH)
        if me["listen"]:
            self._listen(me["node"], me["listen"])
        self.database.wakers.append(self._wake)
        self._look()
        self._looking = threading.Thread(target=self._keep_looking, name="station", daemon=True)
        self._looking.start()
        return True

    def stop(self, timeout: float = 20.0) -> None:
        """Stop taking and sending; what is under way is finished."""
        self._stopping.set()
        self.calls.stopping = True
        if self._wake in self.database.wakers:
            self.database.wakers.remove(self._wake)
        if self._server is not None:
            self._server.should_exit = True
        for line in self._lines.values():
            line.stop()
        for line in self._lines.values():
            line.join(timeout)
        for thread in (self._serving, self._looking):
            if thread is not None:
                thread.join(timeout)
        self._lines.clear()
        self.calls.verifiers.close()

    def _listen(self, node: str, address: str) -> None:
        host, _, port = address.rpartition(":")
        bound = socket.create_server((host.strip("[]"), int(port)), backlog=128)
        self._context = self.database.read(lambda tx: tls.server(tx, self.temporary))
        guard = Guard(node, self._keys_of)
        config = uvicorn.Config(
            Listener(self.calls, guard, self.database.clock),
            http=PatientProtocol,
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            limit_concurrency=CONNECTIONS,
            timeout_keep_alive=60,
            timeout_graceful_shutdown=10,
            h11_max_incomplete_event_size=HEAD_BYTES,
        )
        config.load()
        config.ssl = self._context
        self._server = uvicorn.Server(config)
        self._serving = threading.Thread(
            target=self._server.run, args=([bound],), name="partner-listener", daemon=True
        )
        self._serving.start()
        _log.info("partners_listening", address=address)

    def _keys_of(self, node: str) -> Keys:
        def find(fingerprint: str) -> PublicKey | None:
            def work(tx: Transaction) -> PublicKey | None:
                row = key_store.partner(tx, node)
                if row is None or row["state"] != "trusted":
                    return None
                return partners.keys_of(tx, node)(fingerprint)

            return self.database.read(work)

        return find

    def _wake(self) -> None:
        for line in tuple(self._lines.values()):
            line.call()

    def _keep_looking(self) -> None:
        while not self._stopping.wait(LOOK):
            with contextlib.suppress(Unavailable):  # the database is away: look again
                self._look()

    def _look(self) -> None:
        """Open a line for each partner there is, and admit new certificates."""
        rows = self.database.read(key_store.partners)
        me = self.database.read(key_store.myself)
        known = {code for code, _ in self._lines}
        trusted = {row["code"]: row["certificate"] for row in rows if row["state"] == "trusted"}
        context = self._context
        pair = self.database.read(lambda tx: key_store.own_key(tx, "tls"))
        if context is not None and pair is not None and pair["fingerprint"] != self._pair:
            self.database.read(lambda tx: tls.renew(context, tx, self.temporary))
            self._pair = pair["fingerprint"]
        if context is not None and trusted != self._admitted:
            self.database.read(lambda tx: tls.admit(context, tx))
            self._admitted = trusted
        for code in trusted:
            if code not in known:
                self._open(code, polls=not (me and me["listen"]))

    def _open(self, code: str, *, polls: bool) -> None:
        made: dict[str, Line] = {
            "flash": Line(self.database, self.policy, code, FLASH, self._dial),
            "rest": Line(self.database, self.policy, code, REST, self._dial),
            "witness": Witness(self.database, self.policy, code, REST, self._dial),
        }
        if polls:
            made["poll"] = Poll(self.database, self.policy, code, REST, self._dial)
        for name, line in made.items():
            self._lines[code, name] = line
            line.start()

    def _dial(self, partner: str, address: str) -> Connection:
        context = self.database.read(lambda tx: tls.client(tx, self.temporary, partner))
        return Connection(partner, address, context, self.database.clock)
