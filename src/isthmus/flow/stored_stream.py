"""A stored document as a stream, so that readers need not know how documents are kept."""

import io
from typing import Any

from isthmus.platform import documents
from isthmus.platform.database import Database


class StoredStream(io.RawIOBase):
    """The bytes of a stored document, decrypted chunk by chunk as they are read."""

    def __init__(self, database: Database, document_id: str) -> None:
        super().__init__()
        self._database = database
        self._document_id = document_id
        self._number = 0
        self._rest = b""
        self._chunks = database.read(lambda tx: documents.get(tx, document_id)["chunks"])

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        if not self._rest and self._number < self._chunks:
            number = self._number
            self._rest = self._database.read(
                lambda tx: documents.chunk(tx, self._document_id, number)
            )
            self._number += 1
        size = min(len(target), len(self._rest))
        target[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
