"""Assembly: settings, database, areas, the flow and the workers of one node."""

from datetime import timedelta
from pathlib import Path

from isthmus.access import agencies
from isthmus.access.model import Actor, AgencyKind, node_actor
from isthmus.access.sessions import SessionTerms
from isthmus.agreements.prohibitions import overlay
from isthmus.agreements.service import clauses_between
from isthmus.cargo.derive import Home
from isthmus.cases.partner_model import Pace
from isthmus.exchange import upkeep as exchange_upkeep
from isthmus.exchange.by_agreements import ByAgreements
from isthmus.exchange.questions.askable import ByClauses
from isthmus.exchange.station import Station
from isthmus.flow import upkeep
from isthmus.flow.erase import Eraser, erasers
from isthmus.flow.reactions import REACTIONS
from isthmus.flow.receive import Receiver
from isthmus.flow.rescreen import Rescreener
from isthmus.flow.score import Scorer
from isthmus.flow.screen import Screener
from isthmus.flow.train import Trainer
from isthmus.kernel.time import Clock, SystemClock
from isthmus.migrations import migrate
from isthmus.platform import telemetry
from isthmus.platform import upkeep as platform_upkeep
from isthmus.platform.database import Database
from isthmus.platform.erasure import Register
from isthmus.platform.settings import NodeFolder, Settings
from isthmus.platform.transaction import Transaction
from isthmus.platform.worker import Worker
from isthmus.risk import rulebook


class Node:
    """One authority's node, open. Close it when done; ``start`` it to work by itself."""

    def __init__(self, folder: NodeFolder, clock: Clock | None = None) -> None:
        self.folder = folder
        self.settings: Settings = folder.settings()
        self.clock: Clock = clock or SystemClock()
        self.database = Database(
            folder.database_url(self.settings),
            self.clock,
            folder.keys(),
            REACTIONS,
            telemetry.metrics,
        )
        agency = self.settings.agency
        self.home = Home(agency.country, agency.office)
        self.receiver = Receiver(self.database, self.home, self.settings.limits.of)
        self.screener = Screener(self.database)
        self.rescreener = Rescreener(self.database)
        self.scorer = Scorer(self.database, self.screener)
        self.trainer = Trainer(self.scorer)
        self.register = Register(self.database, folder, erasers(self.home))
        self.eraser = Eraser(self.register)
        self.worker = Worker(
            self.database,
            {
                **platform_upkeep.handlers(self.database, folder),
                **exchange_upkeep.handlers(self.database),
                **upkeep.handlers(
                    self.database,
                    self.receiver,
                    self.scorer,
                    self.rescreener,
                    self.register,
                    Pace.of(self.settings.partners),
                ),
            },
            self.settings.worker.threads,
            self.clock,
            (*platform_upkeep.PERIODIC, *exchange_upkeep.PERIODIC, *upkeep.PERIODIC),
        )
        self.station = Station(
            self.database,
            ByAgreements(clauses_between, overlay),
            folder.temporary,
            ByClauses(clauses_between, overlay),
        )

    @staticmethod
    def open(root: Path, clock: Clock | None = None) -> "Node":
        """Open a node's folder; refuses a schema that is not this version's."""
        node = Node(NodeFolder.open(root), clock)
        try:
            migrate.check(node.database)
            node.register.complete()
        except BaseException:  # whatever ends it, and raised again: the database must be let go
            node.database.close()
            raise
        return node

    @staticmethod
    def create(root: Path, settings: Settings, clock: Clock | None = None) -> "Node":
        """Make a new node: folder, keys, schema, the shipped rules. Returns it open."""
        node = Node(NodeFolder.create(root, settings), clock)
        migrate.upgrade(node.database)
        node.database.write(node._found)
        return node

    def _found(self, tx: Transaction) -> None:
        """Enter the authority that runs this node, and the rules that come with the product."""
        agency = self.settings.agency
        agencies.found(
            tx,
            code=agency.code,
            name=agency.name,
            kind=AgencyKind.CUSTOMS,
            country=agency.country,
        )
        rulebook.install(tx, self.actor)

    @property
    def actor(self) -> Actor:
        """The node itself, for what it does by its own rules; never for a person's decision."""
        return node_actor(self.settings.agency.code)

    @property
    def session_terms(self) -> SessionTerms:
        """How long people's sessions live here."""
        session = self.settings.session
        return SessionTerms(
            timedelta(minutes=session.idle_minutes), timedelta(minutes=session.absolute_minutes)
        )

    def start(self) -> None:
        """Start the workers, and the exchange where it is set up."""
        self.worker.start()
        self.station.start()

    def close(self) -> None:
        """Stop the exchange and the workers, and let go of the database."""
        self.station.stop()
        self.worker.stop()
        self.database.close()

    def __enter__(self) -> "Node":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
