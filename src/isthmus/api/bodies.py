"""Bodies: none is read beyond its limit, whatever length the request claims.

Every body has a cap. The larger one of documents is narrowed, once the first bytes tell the
format, to the limit that the settings give that format; what lies over it is refused while it
comes in. A document waits in memory while small, else in a nameless file of the node's folder.
"""

import io
import tempfile
from typing import Any, BinaryIO, cast

import python_multipart
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from isthmus.api.problems import of_error
from isthmus.api.served import Served
from isthmus.cargo.formats.readers import HEAD, recognise
from isthmus.cargo.formats.source import Source
from isthmus.kernel.errors import Invalid, TooLarge

SMALL = 1 << 20
# The headers and boundaries of a multipart body come on top of its document.
OVERHEAD = 64 << 10


class BodyCap:
    """Refuses a body once it exceeds the cap of its path."""

    def __init__(self, app: ASGIApp, large: dict[str, int]) -> None:
        self.app = app
        self.large = large  # bytes, by path; any other path has SMALL

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its body counted."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.large.get(scope["path"], SMALL)
        taken, begun = 0, False

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > limit:
                raise Overflow(limit)
            return message

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            if _claimed(scope) > limit:
                raise Overflow(limit)
            await self.app(scope, counted, watched)
        except Overflow as overflow:
            if not begun:
                error = TooLarge("body_too_large", f"a body may have {overflow.limit:,} bytes here")
                await of_error(error)(scope, receive, send)


class Overflow(BaseException):
    """A body is too large. No ``Exception``: no reader on the way may take it for a fault."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit


def _claimed(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and len(value) < 20:
            return int(value)
    return 0


class Spool:
    """Takes a document in piece by piece, up to the limit of its format."""

    def __init__(self, node: Served, source: Source) -> None:
        self.node = node
        self.source = source
        folder = str(node.folder.temporary)
        # Closed by the dependency that gives it to the handler.
        self.file = cast(BinaryIO, tempfile.SpooledTemporaryFile(SMALL, dir=folder))  # noqa: SIM115
        self.size = 0
        self._limit: int | None = None

    async def take(self, block: bytes) -> None:
        """Keep a piece; raises ``TooLarge``."""
        self.size += len(block)
        if self.size > SMALL:
            await run_in_threadpool(self.file.write, block)
        else:
            self.file.write(block)
        if self._limit is None and self.size >= HEAD:
            self.file.seek(0)
            format_ = recognise(self.file.read(HEAD), self.source)
            self.file.seek(0, io.SEEK_END)
            self._limit = self.node.settings.limits.of(format_.code if format_ else "unsupported")
        if self._limit is not None and self.size > self._limit:
            raise TooLarge(
                "too_large",
                f"a document of this format may have {self._limit:,} bytes",
                source=self.source.name,
            )


async def raw(request: Request, spool: Spool) -> None:
    """Take the body of a request as the document."""
    async for block in request.stream():
        if block:
            await spool.take(block)


async def first_file(request: Request, node: Served, mapping: str | None) -> Spool:
    """Take the one file of a multipart body as the document; raises ``Invalid`` without one."""
    part = _Part()
    _, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary")
    if not boundary:
        raise Invalid("multipart_invalid", "the multipart body names no boundary")
    spool: Spool | None = None
    try:
        parser = python_multipart.MultipartParser(boundary, cast(Any, part.callbacks()))
        async for block in request.stream():
            parser.write(block)
            for piece in part.taken():
                if spool is None:
                    spool = Spool(node, Source(part.filename, part.media_type, mapping))
                await spool.take(piece)
        parser.finalize()
    except FormParserError:
        _drop(spool)
        raise Invalid("multipart_invalid", "the multipart body is not well formed") from None
    except BaseException:  # whatever ends it, and raised again: the file must not stay open
        _drop(spool)
        raise
    if part.files != 1 or not part.ended:
        _drop(spool)
        raise Invalid("multipart_invalid", "send one file in the field `file`, whole")
    return spool or Spool(node, Source(part.filename, part.media_type, mapping))


def _drop(spool: Spool | None) -> None:
    if spool is not None:
        spool.file.close()


class _Part:
    """Follows a multipart body and gives out the bytes of its file."""

    def __init__(self) -> None:
        self.filename = "upload"
        self.media_type: str | None = None
        self.files = 0
        self.ended = False
        self._headers: dict[bytes, bytes] = {}
        self._name, self._value = b"", b""
        self._pieces: list[bytes] = []
        self._in_file = False

    def callbacks(self) -> dict[str, Any]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._data,
            "on_end": self._end,
        }

    def taken(self) -> list[bytes]:
        pieces, self._pieces = self._pieces, []
        return pieces

    def _begin(self) -> None:
        self._headers, self._in_file = {}, False

    def _field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name, self._value = b"", b""

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        if options.get(b"name") != b"file":
            raise Invalid("multipart_invalid", "the only field of this form is `file`")
        self.files += 1
        self._in_file = True
        name = options.get(b"filename", b"").decode("utf-8", "replace")
        self.filename = file_name(name)
        self.media_type = self._headers.get(b"content-type", b"").decode("latin-1") or None

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._pieces.append(data[start:end])

    def _end(self) -> None:
        self.ended = True


def file_name(given: str) -> str:
    """Return a document's name as it is kept: no folders, no control characters, bounded."""
    last = given.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(letter for letter in last if letter.isprintable()).strip()
    return kept[:200] or "upload"
