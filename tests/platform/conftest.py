"""A node's folder with its register of erasures, for the tests of keeping and losing."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from isthmus.kernel.time import SetClock
from isthmus.migrations import tables
from isthmus.platform import audit, documents, upkeep
from isthmus.platform.database import Database
from isthmus.platform.erasure import DOCUMENTS, Register, Subject
from isthmus.platform.settings import NodeFolder, Settings


@dataclass
class Node:
    """A node as the platform sees it."""

    folder: NodeFolder
    database: Database
    register: Register

    def receive(self, content: bytes) -> str:
        """Store a document with the audit row of its receipt."""

        def work(tx: object) -> str:
            stored = documents.put(tx, content, kind="wco", source="api", actor="usr_1")  # type: ignore[arg-type]
            audit.record(
                tx,  # type: ignore[arg-type]
                "usr_1",
                "document.receive",
                "document",
                stored.id,
                object_digest=stored.digest,
            )
            return stored.id

        return self.database.write(work)

    def erase(self, document: str) -> str:
        """Erase a document."""
        subject = Subject("document", document)
        return self.register.erase(subject, actor="usr_dpo", basis="retention").id

    def seal(self) -> None:
        """Seal the audit and note its head."""
        upkeep.seal_audit(self.database, self.folder)


SETTINGS = Settings.model_validate(
    {
        "node": {"name": "Test node"},
        "agency": {"code": "ANA", "name": "Customs", "country": "PA", "office": "PTY"},
    }
)


@pytest.fixture
def make_node(
    tmp_path: Path,
    backend: str,
    tables_url: str,
    open_database: Callable[..., Database],
    clock: SetClock,
) -> Callable[[], Node]:
    """Make the test's node, on SQLite and on PostgreSQL in turn."""

    def make() -> Node:
        folder = NodeFolder.create(tmp_path / "node", SETTINGS)
        url = tables_url if backend == "postgresql" else folder.database_url(SETTINGS)
        database = open_database(url)
        database.keys = folder.keys()
        if backend == "sqlite":
            tables.metadata.create_all(database.migrator())
        return Node(folder, database, Register(database, folder, DOCUMENTS))

    return make


@pytest.fixture
def node(make_node: Callable[[], Node]) -> Node:
    """A fresh node."""
    return make_node()
