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

from sqlalchemy import RowMapping

from isthmus.access.gate import check
from isthmus.access.model import Actor, Permission
from isthmus.cargo import readings, service, store
from isthmus.cargo.derive import Home
from isthmus.cargo.formats.readers import READERS, recognise
from isthmus.cargo.formats.source import Format, Source
from isthmus.cargo.model import Accepted, Reading, Rejected
from isthmus.cargo.versions import Tally
from isthmus.flow import learn
from isthmus.flow.stored_stream import StoredStream
from isthmus.kernel.errors import Conflict, Invalid, TooLarge
from isthmus.platform import audit, documents, jobs
from isthmus.platform.database import Database
from isthmus.platform.documents import Fingerprint, Stored
from isthmus.platform.transaction import Transaction

HEAD = 8192
# Documents up to this size are read in the transaction that stores them.
AT_ONCE = 256 << 10
# Rows of one transaction: requests that wait for the writer wait no longer than this takes.
BATCH = 500

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
        read = 0
        for batch in _batches(format_.read(io.BytesIO(content), source)):
            read += len(batch)
            self._take(tx, actor, stored.id, batch, read)
        row = service.note_read(tx, actor, stored.id)
        receipt.tally, receipt.state = _tally(row), row["state"]
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
                receipt.tally = self._take(tx, actor, stored.id, [reason], 1)
                service.note_read(tx, actor, stored.id)
                receipt.state = "read"
        return receipt

    def _take(
        self,
        tx: Transaction,
        actor: Actor,
        document_id: str,
        batch: Sequence[Reading],
        read: int,
    ) -> Tally:
        """Take a batch in and note that reading has come so far."""
        taken = service.take(tx, actor, self.home, document_id, batch)
        learn.label_declared(tx, actor, taken)
        readings.advance(tx, document_id, taken.tally, read)
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
            code = format_.code if format_ else None
            return Receipt(stored.id, code, state, unsupported=format_ is None)
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
        with io.BufferedReader(StoredStream(self.database, document_id), 1 << 20) as stream:
            # A reader gives the same readings every time, so their count says where to go on.
            for batch in _batches(islice(format_.read(stream, source), start, None)):
                before, done = done, done + len(batch)
                self.database.write(
                    lambda tx, b=batch, s=before: self._batch(tx, actor, document_id, b, s)  # type: ignore[misc]
                )
                if progress:
                    progress(len(batch))
        self.database.write(lambda tx: service.note_read(tx, actor, document_id, done))

    def _batch(
        self, tx: Transaction, actor: Actor, document_id: str, batch: Sequence[Reading], start: int
    ) -> None:
        readings.claim(tx, document_id, start)
        self._take(tx, actor, document_id, batch, start + len(batch))

    # -- quarantine -----------------------------------------------------------------------

    def retry(self, actor: Actor, document_id: str) -> Tally:
        """Read again what of a document stands in quarantine, after a fix of reader or mapping.

        Parts of a document are read again each by itself; after a fault of the whole document
        reading goes on where the fault cut it off. Returns what could be read now.
        """
        before, open_ = self.database.write(lambda tx: self._begin_retry(tx, actor, document_id))
        parts = open_ - {0}
        if parts:
            self._read_parts(actor, document_id, before, parts)
        if 0 in open_:
            self.database.write(lambda tx: self._reopen(tx, document_id))
            self.read_on(actor, document_id)
        return self.database.write(lambda tx: self._end_retry(tx, actor, before, len(open_)))

    def _begin_retry(
        self, tx: Transaction, actor: Actor, document_id: str
    ) -> tuple[RowMapping, set[int]]:
        check(tx, actor, Permission.QUARANTINE_RETRY, object_id=document_id)
        open_ = store.open_quarantine(tx, document_id)
        row = readings.get(tx, document_id)
        if not open_:
            raise Conflict("nothing_quarantined", "nothing to retry", document=document_id)
        if row["format"] is None:
            raise Conflict("format_unknown", "no reader knows it", document=document_id)
        if row["state"] != "read":
            raise Conflict("still_reading", "it is still being read", document=document_id)
        documents.get(tx, document_id)
        return row, open_

    def _read_parts(self, actor: Actor, document_id: str, row: RowMapping, parts: set[int]) -> None:
        source = Source(row["source"], mapping=row["mapping"])
        format_ = next(entry for entry in READERS if entry.code == row["format"])
        with io.BufferedReader(StoredStream(self.database, document_id), 1 << 20) as stream:
            good = (
                reading
                for reading in format_.read(stream, source)
                if isinstance(reading, Accepted) and reading.ordinal in parts
            )
            for batch in _batches(good):
                self.database.write(
                    lambda tx, b=batch: self._resolve(tx, actor, document_id, b)  # type: ignore[misc]
                )

    def _resolve(
        self, tx: Transaction, actor: Actor, document_id: str, batch: Sequence[Reading]
    ) -> None:
        """Take in what can be read now; somebody else's retry may have taken some already."""
        tx.lock([service.TURN])
        open_ = store.open_quarantine(tx, document_id)
        good = [reading for reading in batch if reading.ordinal in open_]
        taken = service.take(tx, actor, self.home, document_id, good)
        learn.label_declared(tx, actor, taken)
        settled = store.settle_quarantine(tx, document_id, {r.ordinal for r in good}, "resolved")
        taken.tally.received -= settled
        taken.tally.quarantined -= settled
        readings.recount(tx, document_id, taken.tally)

    def _reopen(self, tx: Transaction, document_id: str) -> None:
        """Undo the fault of the whole document, so that reading goes on from there."""
        tx.lock([service.TURN])
        faults = store.settle_quarantine(tx, document_id, {0}, "resolved")
        readings.recount(tx, document_id, Tally(received=-faults, quarantined=-faults))
        readings.reopen(tx, document_id, faults)

    def _end_retry(self, tx: Transaction, actor: Actor, before: RowMapping, tried: int) -> Tally:
        check(tx, actor, Permission.QUARANTINE_RETRY, object_id=before["document_id"])
        row = readings.get(tx, before["document_id"])
        read = ("accepted", "parked", "duplicates", "new_versions")
        gained = Tally(**{name: row[name] - before[name] for name in read})
        gained.received = gained.accepted + gained.parked + gained.duplicates
        audit.record(
            tx,
            actor.id,
            "quarantine.retry",
            "document",
            before["document_id"],
            agency=actor.agency,
            tried=tried,
            quarantined=row["quarantined"],
        )
        return gained


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
