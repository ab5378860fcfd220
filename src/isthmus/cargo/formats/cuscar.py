"""UN/EDIFACT CUSCAR: the cargo report by which a carrier or forwarder tells customs its manifest.

An interchange (UNB…UNZ) holds one or several messages (UNH…UNT), each a manifest with its master
and house consignments, their containers, and the empty boxes on board. Control counts are
verified: a wrong one is reported, and what was read stays. What a segment means in which
directory is data (``profiles/``, read by ``cuscar_profile``).
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from isthmus.cargo.formats.cuscar_draft import Fault, fault, position
from isthmus.cargo.formats.cuscar_message import Message, Readings
from isthmus.cargo.formats.cuscar_profile import profile_for
from isthmus.cargo.formats.edifact import CHARACTER_SETS, CHUNK, Malformed, Segment, segments
from isthmus.cargo.formats.source import Format, Source
from isthmus.cargo.model import Reading, Rejected

LIMIT = 256 * 1024 * 1024
MOST_MALFORMED = 1_000
"""Malformed segments after which a document is no cargo report, and reading stops."""

_OPENS = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*(?:UNA.{6}\s*)?UNB\W", re.DOTALL)
_CUSCAR = re.compile(rb"UNH[^A-Za-z0-9].{0,80}?\bCUSCAR\b", re.DOTALL)


def recognise(head: bytes, _: Source) -> bool:
    """Tell from its first bytes whether a document is an interchange that opens with CUSCAR."""
    return bool(_OPENS.match(head) and _CUSCAR.search(head))


def read(stream: BinaryIO, _: Source, *, chunk: int = CHUNK) -> Iterator[Reading]:
    """Yield the consignments and manifests of an interchange, and what goes to quarantine."""
    interchange = _Interchange()
    for item in segments(stream, chunk=chunk):
        yield from interchange.feed(item)
        if interchange.malformed > MOST_MALFORMED:
            break
    yield from interchange.end()


FORMAT = Format(code="cuscar", limit=LIMIT, recognise=recognise, read=read)


class _Interchange:
    """Follows the service segments, and hands what stands between UNH and UNT to its message."""

    def __init__(self) -> None:
        self.readings = Readings()
        self.unb: Segment | None = None
        self.unh: Segment | None = None
        self.message: Message | None = None
        self.refused = False  # the interchange cannot be read: wait for the next
        self.counted = 0  # segments of the present message
        self.messages = 0
        self.groups = 0
        self.in_group = 0
        self.malformed = 0

    def feed(self, item: Segment | Malformed) -> Iterator[Reading]:
        """Take the next segment of the file."""
        self.counted += 1
        if isinstance(item, Malformed):
            yield from self._malformed(item)
        elif item.tag == "UNB":
            yield from self._begin(item)
        elif self.refused:
            return
        elif item.tag == "UNH":
            yield from self._head(item)
        elif item.tag == "UNT":
            yield from self._trail(item)
        elif item.tag == "UNZ":
            yield from self._finish(item)
        elif item.tag == "UNG":
            self.groups += 1
            self.in_group = 0
        elif item.tag == "UNE":
            yield from self._cut()
            yield from self._counted(item, self.in_group, "messages in the group")
        elif self.message is not None:
            yield from self.message.feed(item)

    def end(self) -> Iterator[Reading]:
        """Take the end of the file."""
        yield from self._cut()
        if self.malformed > MOST_MALFORMED:
            what = f"more than {MOST_MALFORMED} malformed segments: the rest is not read"
            yield self.readings.reject(Fault("document", "not_well_formed", what))
        elif self.unb is not None:
            what = "the interchange ends without UNZ: the file may be cut short"
            yield self._reject(self.unb, "segment_missing", what, "UNZ")
        if not self.readings.count:
            yield Rejected("document", 0, "empty_document", "the document holds no message")

    def _malformed(self, item: Malformed) -> Iterator[Reading]:
        self.malformed += 1
        if self.message is not None:
            yield from self.message.spoil(item)
        elif not self.refused:
            yield self.readings.reject(fault(item))

    def _begin(self, item: Segment) -> Iterator[Reading]:
        yield from self._cut()
        if self.unb is not None:
            what = "the interchange ends without UNZ: another begins"
            yield self._reject(self.unb, "segment_missing", what, "UNZ")
        self.unb = item
        self.messages = self.groups = self.in_group = 0
        name = item.at(0).strip()
        self.refused = name not in CHARACTER_SETS
        if self.refused:
            self.unb = None
            what = "the interchange declares a character set that is not read"
            yield self._reject(item, "encoding", what, "UNB 0001", name)

    def _head(self, item: Segment) -> Iterator[Reading]:
        yield from self._cut()
        self.unh, self.counted = item, 1
        self.messages += 1
        self.in_group += 1
        kind, version, release = (item.at(1, c).strip().upper() for c in range(3))
        if kind != "CUSCAR":
            what = "the message is not a cargo report (CUSCAR): it is left unread"
            yield self._reject(item, "unsupported", what, "UNH 0065", kind)
            return
        profile = profile_for(version, release)
        if profile is None:
            what = "no profile reads this directory of CUSCAR"
            named = f"{version}.{release}"
            yield self._reject(item, "version_unknown", what, "UNH 0052, 0054", named)
            return
        self.message = Message(item, profile, self.readings)

    def _trail(self, item: Segment) -> Iterator[Reading]:
        if self.unh is None:
            what = "UNT without a UNH before it"
            yield self._reject(item, "segment_missing", what, "UNH")
            return
        if self.message is not None:
            yield from self.message.end()
            self.message = None
        yield from self._counted(item, self.counted, "segments in the message")
        yield from self._same(item, self.unh, 1, 0)
        self.unh = None

    def _finish(self, item: Segment) -> Iterator[Reading]:
        yield from self._cut()
        if self.unb is None:
            what = "UNZ without a UNB before it"
            yield self._reject(item, "segment_missing", what, "UNB")
            return
        if self.groups:
            yield from self._counted(item, self.groups, "groups in the interchange")
        else:
            yield from self._counted(item, self.messages, "messages in the interchange")
        yield from self._same(item, self.unb, 1, 4)
        self.unb = None

    def _cut(self) -> Iterator[Reading]:
        """End a message that has no UNT."""
        if self.message is not None:
            yield from self.message.cut()
        elif self.unh is not None:
            what = "the message ends without UNT"
            yield self._reject(self.unh, "segment_missing", what, "UNT")
        self.message = self.unh = None

    def _counted(self, item: Segment, counted: int, what: str) -> Iterator[Reading]:
        declared = item.at(0).strip()
        if (
            not (declared.isascii() and declared.isdigit())
            or declared.zfill(10) != f"{counted:010}"
        ):
            message = f"{item.tag} declares {declared or 'no'} {what}, and there are {counted}"
            yield self._reject(item, "count_mismatch", message, f"{item.tag} count", declared)

    def _same(self, item: Segment, opened: Segment, here: int, there: int) -> Iterator[Reading]:
        """The trailer must name its header's reference."""
        ours, theirs = item.at(here).strip(), opened.at(there).strip()
        if ours != theirs:
            message = f"{item.tag} closes reference {ours!r}, and {opened.tag} opened {theirs!r}"
            yield self._reject(item, "count_mismatch", message, f"{item.tag} reference", ours)

    def _reject(
        self, item: Segment, reason: str, message: str, field: str, value: str | None = None
    ) -> Rejected:
        return self.readings.reject(Fault(position(item), reason, message, field, value))
