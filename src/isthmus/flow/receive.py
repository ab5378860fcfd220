"""Receive: bytes of a known format become records and units; nothing is lost.

The document is stored as it came, with its audit row, before it is read. A small one is read in
the same transaction, so that the answer means both; a large one is read in batches, and a reader
that dies is followed by one that goes on where it stopped.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any, BinaryIO

from isthmus.access.gate import check
from isthmus.access.model import Actor, Permission
from isthmus.cargo import readings, service, store
from isthmus.cargo.derive import Home
from isthmus.cargo.formats import Format, Source
from isthmus.cargo.model import Accepted, Reading, Rejected
from isthmus.cargo.readers import READERS, recognise
from isthmus.cargo.versions import Tally
from isthmus.flow import learn
from isthmus.kernel.errors import Conflict, Invalid, TooLarge
from isthmus.platform import audit, documents, jobs
from isthmus.platform.database import Database
from isthmus.platform.documents import Fingerprint, Stored
from isthmus.platform.transaction import Transaction

HEAD = 8192
# Documents up to this size are read in the transaction that stores them.
AT_ONCE = 256 << 10
BATCH = 2000

Progress = Callable[[int], None]


@dataclass(slots=True)
class Receipt:
    """What became of a document. ``received`` is the sum of the four counts after it."""

    document_id: str
    format: str | None
    state: str  # read, stored (being read), unsupported
    tally: Tally = field(default_factory=Tally)
    duplicate: bool = False  # the same bytes were received before
    unsupported: bool = False

    def plain(self) -> dict[str, Any]:
        """Return the receipt as plain values."""
        return {
            "document": self.document_id,
            "format": self.format,
            "state": self.state,
            "duplicate": self.duplicate,
            "unsupported": self.unsupported,
            **{k: v for k, v in asdict(self.tally).items() if k != "unparked"},
        }


class Receiver:
    """Takes documents in for one node."""

    def __init__(self, database: Database, home: Home, limit_of: Callable[[str], int]) -> None:
        self.database = database
        self.home = home
        self.limit_of = limit_of  # bytes a document may have, by format code or "unsupported"

    def receive(
        self,
        actor: Actor,
        stream: BinaryIO,
        source: Source,
        *,
        only: Sequence[str] | None = None,
        wait: bool = True,
        progress: Progress | None = None,
    ) -> Receipt:
        """Store a document and read it; the stream must be seekable.

        ``only`` limits the formats a channel takes. With ``wait`` a large document is read before
        this returns, else a job reads it. Raises ``TooLarge`` before anything is stored.
        """
        head = stream.read(HEAD)
        format_ = recognise(head, source)
        if only is not None and (format_ is None or format_.code not in only):
            found = format_.code if format_ else "unknown"
            raise Invalid(
                "format_not_taken",
                f"this address takes {', '.join(only)}; the document looks like {found}",
                source=source.name,
            )
        size = stream.seek(0, io.SEEK_END)
        limit = self.limit_of(format_.code if format_ else "unsupported")
        if size > limit:
            raise TooLarge(
                "too_large",
                f"{size:,} bytes; this format may have {limit:,}",
                format=_kind(format_),
                source=source.name,
            )
        stream.seek(0)
        if size <= AT_ONCE:
            content = stream.read()
            return self.database.write(
                lambda tx: self._at_once(tx, actor, content, format_, source)
            )
        return self._large(actor, stream, format_, source, wait, progress)

    # -- small ----------------------------------------------------------------------------

    def _at_once(
        self, tx: Transaction, actor: Actor, content: bytes, format_: Format | None, source: Source
    ) -> Receipt:
        _allowed(tx, actor, format_)
        stored = documents.put(tx, content, kind=_kind(format_), source=source.name, actor=actor.id)
        if not stored.new:
            return _again(tx, stored)
        receipt = self._enter(tx, actor, stored, format_, source, empty=not content)
        if format_ is None:
            return receipt
        tally, ordinal = Tally(), 0
        for batch in _batches(format_.read(io.BytesIO(content), source)):
            ordinal = max(ordinal, batch[-1].ordinal)
            tally.add(self._take(tx, actor, stored.id, batch))
        service.note_progress(tx, actor, stored.id, tally, ordinal, done=True)
        receipt.tally, receipt.state = tally, "read"
        return receipt

    def _enter(
        self,
        tx: Transaction,
        actor: Actor,
        stored: Stored,
        format_: Format | None,
        source: Source,
        *,
        empty: bool,
    ) -> Receipt:
        code = format_.code if format_ else None
        audit.record(
            tx,
            actor.id,
            "document.receive",
            "document",
            stored.id,
            agency=actor.agency,
            object_digest=stored.digest,
            format=code,
            size=stored.size,
        )
        readings.begin(
            tx,
            stored.id,
            format_code=code,
            source=source.name,
            mapping=source.mapping,
            actor=actor.id,
        )
        receipt = Receipt(stored.id, code, "stored")
        if format_ is None:
            receipt.state, receipt.unsupported = "unsupported", not empty
            if empty:
                reason = Rejected("document", 0, "empty_document", "the document is empty")
                tally = self._take(tx, actor, stored.id, [reason])
                service.note_progress(tx, actor, stored.id, tally, 0, done=True)
                receipt.tally, receipt.state = tally, "read"
        return receipt

    def _take(
        self, tx: Transaction, actor: Actor, document_id: str, batch: Sequence[Reading]
    ) -> Tally:
        taken = service.take(tx, actor, self.home, document_id, batch)
        learn.label_declared(tx, actor, taken)
        return taken.tally

    # -- large ----------------------------------------------------------------------------

    def _large(
        self,
        actor: Actor,
        stream: BinaryIO,
        format_: Format | None,
        source: Source,
        wait: bool,
        progress: Progress | None,
    ) -> Receipt:
        self.database.read(lambda tx: _allowed(tx, actor, format_))
        print_: Fingerprint = documents.fingerprint(self.database.keys.names, stream)
        stream.seek(0)
        stored = documents.put_large(
            self.database,
            stream,
            print_,
            kind=_kind(format_),
            source=source.name,
            actor=actor.id,
            also=lambda tx, made: self._promise(tx, actor, made, format_, source, wait),
        )
        if not stored.new:
            receipt = self.database.read(lambda tx: _again(tx, stored))
            if receipt.state not in ("stored", "reading"):
                return receipt
        if format_ is None or not wait:
            state = "stored" if format_ else "unsupported"
            return Receipt(stored.id, _kind(format_), state, unsupported=format_ is None)
        return self.read_on(actor, stored.id, progress)

    def _promise(
        self,
        tx: Transaction,
        actor: Actor,
        stored: Stored,
        format_: Format | None,
        source: Source,
        wait: bool,
    ) -> None:
        """With the document stored, see to it that it is read, even if this process dies now."""
        self._enter(tx, actor, stored, format_, source, empty=False)
        if format_ is not None:
            run_at = tx.now + jobs.LEASE * 5 if wait else None
            jobs.enqueue(tx, "read", {"document": stored.id}, key=stored.id, run_at=run_at)

    def read_on(self, actor: Actor, document_id: str, progress: Progress | None = None) -> Receipt:
        """Read a stored document from where reading stopped to its end, batch by batch."""
        row = self.database.read(lambda tx: readings.get(tx, document_id))
        receipt = Receipt(document_id, row["format"], row["state"])
        if row["state"] in ("stored", "reading"):
            self._read_rest(actor, document_id, row["format"], row["ordinal"], progress)
        after = self.database.read(lambda tx: readings.get(tx, document_id))
        receipt.state, receipt.tally = after["state"], _tally(after)
        return receipt

    def _read_rest(
        self, actor: Actor, document_id: str, code: str, start: int, progress: Progress | None
    ) -> None:
        format_ = next(entry for entry in READERS if entry.code == code)
        row = self.database.read(lambda tx: readings.get(tx, document_id))
        source = Source(row["source"], mapping=row["mapping"])
        done = start
        with io.BufferedReader(_StoredStream(self.database, document_id), 1 << 20) as stream:
            rest = (r for r in format_.read(stream, source) if r.ordinal > start or not start)
            for batch in _batches(rest):
                before, done = done, max(done, batch[-1].ordinal)
                self.database.write(
                    lambda tx, b=batch, s=before, e=done: self._batch(
                        tx, actor, document_id, b, s, e
                    )  # type: ignore[misc]
                )
                if progress:
                    progress(len(batch))
        self.database.write(
            lambda tx: service.note_progress(tx, actor, document_id, Tally(), done, done=True)
        )

    def _batch(
        self,
        tx: Transaction,
        actor: Actor,
        document_id: str,
        batch: Sequence[Reading],
        start: int,
        end: int,
    ) -> None:
        readings.claim(tx, document_id, start)
        tally = self._take(tx, actor, document_id, batch)
        service.note_progress(tx, actor, document_id, tally, end, done=False)

    # -- quarantine -----------------------------------------------------------------------

    def retry(self, actor: Actor, document_id: str) -> Tally:
        """Read again what of a document stands in quarantine, after a fix of reader or mapping."""
        return self.database.write(lambda tx: self._retry(tx, actor, document_id))

    def _retry(self, tx: Transaction, actor: Actor, document_id: str) -> Tally:
        check(tx, actor, Permission.QUARANTINE_RETRY, object_id=document_id)
        row = readings.get(tx, document_id)
        open_ = store.open_quarantine(tx, document_id)
        if not open_:
            raise Conflict("nothing_quarantined", "nothing to retry", document=document_id)
        content = b"".join(documents.read(tx, document_id))
        source = Source(row["source"], mapping=row["mapping"])
        format_ = recognise(content[:HEAD], source)
        whole = 0 in open_
        good: list[Accepted] = []
        if format_ is not None:
            for reading in format_.read(io.BytesIO(content), source):
                if isinstance(reading, Accepted) and (whole or reading.ordinal in open_):
                    good.append(reading)
        resolved = Tally()
        for start in range(0, len(good), BATCH):
            resolved.add(self._take(tx, actor, document_id, good[start : start + BATCH]))
        settled = {0} if whole and good else {reading.ordinal for reading in good}
        store.settle_quarantine(tx, document_id, settled, "resolved")
        readings.recount(tx, document_id, resolved)
        audit.record(
            tx,
            actor.id,
            "quarantine.retry",
            "document",
            document_id,
            agency=actor.agency,
            resolved=len(settled),
            open=len(open_) - len(settled & open_),
        )
        return resolved


def _allowed(tx: Transaction, actor: Actor, format_: Format | None) -> None:
    events_only = format_ is not None and format_.code == "events"
    check(tx, actor, Permission.EVENT_RECEIVE if events_only else Permission.UNIT_RECEIVE)


def _kind(format_: Format | None) -> str:
    return format_.code if format_ else "unknown"


def _again(tx: Transaction, stored: Stored) -> Receipt:
    """The same bytes again change nothing: every record in them is a duplicate."""
    row = readings.get(tx, stored.id)
    receipt = Receipt(stored.id, row["format"], row["state"], duplicate=True)
    receipt.unsupported = row["state"] == "unsupported"
    receipt.tally = Tally(received=row["received"], duplicates=row["received"])
    return receipt


def _tally(row: Any) -> Tally:
    return Tally(**{name: row[name] for name in readings.COUNTS})


def _batches(stream: Iterator[Reading]) -> Iterator[list[Reading]]:
    while batch := list(islice(stream, BATCH)):
        yield batch


class _StoredStream(io.RawIOBase):
    """A stored document as a binary stream, decrypted chunk by chunk as it is read."""

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
