"""UN/EDIFACT syntax (ISO 9735): a stream of bytes becomes typed segments, in bounded memory.

The reader splits on bytes, so a file reads the same whatever the size of the chunks it comes in,
and decodes each segment with the character set that its interchange declares. What cannot be a
segment is yielded as ``Malformed`` with its ordinal and byte offset, and reading goes on at the
next segment. Repetition of data elements (syntax version 4) is not split: cargo reports do not
use it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from isthmus.kernel.errors import Invalid

Element = str | tuple[str, ...]
"""A data element: text, or the components of a composite without the empty ones at its end."""

CHUNK = 64 * 1024
LONGEST_SEGMENT = 16 * 1024
"""Bytes. The longest segment of the directories (a free text of 5 × 512) stays far below it."""

_BLANK = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"

# ISO 9735 part 1, data element 0001. UNOA and UNOB are subsets of ISO 646. UNOX (ISO 2022, shift
# sequences that may contain separators) is not read.
CHARACTER_SETS: dict[str, str] = {
    "UNOA": "ascii",
    "UNOB": "ascii",
    "UNOC": "iso8859-1",
    "UNOD": "iso8859-2",
    "UNOE": "iso8859-5",
    "UNOF": "iso8859-7",
    "UNOG": "iso8859-3",
    "UNOH": "iso8859-4",
    "UNOI": "iso8859-6",
    "UNOJ": "iso8859-8",
    "UNOK": "iso8859-9",
    "UNOW": "utf-8",
    "UNOY": "utf-8",
}


class Segment(NamedTuple):
    """One segment: its tag, its data elements, and where it stands."""

    tag: str
    elements: tuple[Element, ...]
    ordinal: int  # 1, 2, 3 … in the file; the service string advice is not counted
    offset: int  # of its first byte in the file
    undeclared: bool = False  # holds characters outside the character set that UNB declares

    def at(self, element: int, component: int = 0) -> str:
        """Return one component, or ``""`` where the segment does not have it."""
        if element >= len(self.elements):
            return ""
        value = self.elements[element]
        if isinstance(value, str):
            return value if component == 0 else ""
        return value[component] if component < len(value) else ""

    def composite(self, element: int) -> tuple[str, ...]:
        """Return all components of one data element; a simple element is one component."""
        if element >= len(self.elements):
            return ()
        value = self.elements[element]
        return (value,) if isinstance(value, str) else value


class Malformed(NamedTuple):
    """What stands where a segment should, and cannot be one."""

    ordinal: int
    offset: int
    reason: str  # code list quarantine_reasons
    message: str
    value: str  # its beginning, for the eye


@dataclass(frozen=True, slots=True)
class Separators:
    """The service characters (UNA). ``release`` is empty when the sender uses none."""

    component: str = ":"
    element: str = "+"
    decimal: str = "."
    release: str = "?"
    terminator: str = "'"

    def advice(self) -> str:
        """Return the service string advice segment that announces these characters."""
        return f"UNA{self.component}{self.element}{self.decimal}{self.release or ' '} " + (
            self.terminator
        )

    def escape(self, text: str) -> str:
        """Return text with a release character before every service character in it.

        Raises ``Invalid`` when the text holds a service character and none may be released.
        """
        services = self.component + self.element + self.terminator + self.release
        for mark in services:  # faster than to look at every character of the text
            if mark in text:
                break
        else:
            return text
        if not self.release:
            raise Invalid("value_impossible", "service character without release", value=text)
        return "".join(self.release + c if c in services else c for c in text)


def advised(head: bytes) -> Separators | None:
    """Read a service string advice (``UNA`` and six characters).

    Returns None when the characters cannot serve: not ASCII, alphanumeric, or one used twice.
    """
    try:
        component, element, decimal, release, _, terminator = [*head[3:9].decode("ascii")]
    except (UnicodeDecodeError, ValueError):
        return None
    release = "" if release == " " else release
    used = [c for c in (component, element, release, terminator) if c]
    if len(set(used)) != len(used) or any(c.isalnum() or c == " " for c in used):
        return None
    return Separators(component, element, decimal, release, terminator)


class _Decoder:
    """Turns the raw bytes of one segment into a ``Segment`` or a ``Malformed``."""

    def __init__(self) -> None:
        self.tags: set[str] = set()
        self.use(Separators())

    def use(self, separators: Separators) -> None:
        """Read by these service characters from here on, until UNB names a character set."""
        self.codec = "ascii"
        self.separators = separators
        self.terminator = separators.terminator.encode()
        self.release = separators.release.encode()
        component, element, release = map(
            re.escape, (separators.component, separators.element, separators.release)
        )
        self.pieces = re.compile(
            rf"((?:[^{component}{element}{release}]+|{release}.)*)([{component}{element}]?)",
            re.DOTALL,
        )
        self.released = re.compile(rf"{release}(.)", re.DOTALL)

    def decode(self, raw: bytes, ordinal: int, offset: int) -> Segment | Malformed:
        """Read one segment without its terminator and without blanks before it."""
        undeclared = False
        parts: list[str]
        try:
            text = raw.decode(self.codec)
        except UnicodeDecodeError:
            if self.codec != "ascii":
                return _malformed(raw, ordinal, offset, "encoding", f"bytes are not {self.codec}")
            # Accents under UNOA or UNOB are the trade's daily bread: read, and told to the reader.
            undeclared = True
            try:
                text = raw.decode("utf-8")
            except UnicodeDecodeError:
                text = raw.decode("iso8859-1")
        separators = self.separators
        if separators.release and separators.release in text:
            first, *elements = self._released(text)
            tag = first if isinstance(first, str) else ""
        else:
            tag, *parts = text.split(separators.element)
            elements = _elements(parts, text, separators)
        if tag not in self.tags:
            if not _is_tag(tag):
                message = "a segment begins with a tag of three capital letters or digits"
                return _malformed(raw, ordinal, offset, "segment_malformed", message)
            self.tags.add(tag)
        if tag == "UNB":
            self.codec = _character_set(elements)
        return Segment(tag, tuple(elements), ordinal, offset, undeclared)

    def _released(self, text: str) -> list[Element]:
        """Split a segment that holds released characters."""
        elements: list[Element] = []
        components: list[str] = []
        element = self.separators.element
        for piece in self.pieces.finditer(text):
            value, mark = piece.groups()
            components.append(self.released.sub(r"\1", value))
            if mark == element or not mark:
                elements.append(_composed(components))
                components = []
            if not mark:
                break
        return elements


def _elements(parts: list[str], text: str, separators: Separators) -> list[Element]:
    """Split data elements into components; ``text`` is the whole segment they come from."""
    component = separators.component
    if component not in text:
        return [*parts]
    if component + separators.element in text or text[-1] == component:
        return [_composed(part.split(component)) for part in parts]
    return [tuple(part.split(component)) if component in part else part for part in parts]


def _composed(components: list[str]) -> Element:
    while len(components) > 1 and not components[-1]:
        components.pop()
    return components[0] if len(components) == 1 else tuple(components)


def _is_tag(tag: object) -> bool:
    return (
        isinstance(tag, str)
        and len(tag) == 3
        and tag.isascii()
        and tag.isalnum()
        and tag.isupper()
        and tag != "UNA"  # service advice that could not serve
    )


def _character_set(elements: list[Element]) -> str:
    """The codec that a UNB declares; an unknown set reads as ASCII, and its reader refuses it."""
    first = elements[0] if elements else ""
    return CHARACTER_SETS.get(first if isinstance(first, str) else first[0], "ascii")


def _malformed(raw: bytes, ordinal: int, offset: int, reason: str, message: str) -> Malformed:
    return Malformed(ordinal, offset, reason, message, raw[:40].decode("ascii", "replace"))


def segments(
    stream: BinaryIO, *, chunk: int = CHUNK, longest: int = LONGEST_SEGMENT
) -> Iterator[Segment | Malformed]:
    """Yield the segments of a stream in order, with what is malformed in its place.

    ``chunk`` is how many bytes are read at a time and ``longest`` the length in bytes from which
    a segment is refused; memory stays within a few times their sum whatever the file's size.
    """
    tokenizer = _Tokenizer(longest)
    while block := stream.read(chunk):
        yield from tokenizer.feed(block)
    yield from tokenizer.finish()


class _Tokenizer:
    """Holds the bytes not yet terminated, and where they stand in the file."""

    def __init__(self, longest: int) -> None:
        self.longest = longest
        self.decoder = _Decoder()
        self.buffer = b""
        self.base = 0  # offset in the file of the buffer's first byte
        self.ordinal = 0
        self.opening = True  # an interchange may open here, so service advice may stand here
        self.skipping = False  # inside a segment that is too long

    def feed(self, block: bytes) -> Iterator[Segment | Malformed]:
        """Take the next bytes of the file; yield the segments they complete."""
        self.buffer += block
        while not self.opening or self._open(ended=False):
            yield from self._take()
            if not self.opening:
                yield from self._hold()
                break

    def finish(self) -> Iterator[Segment | Malformed]:
        """Take the end of the file; yield what stood before it."""
        while self.opening and self._open(ended=True):
            yield from self._take()
        rest = self.buffer.lstrip(_BLANK)
        if rest and not self.skipping:
            offset = self.base + len(self.buffer) - len(rest)
            message = "the file ends before the end of this segment"
            yield _malformed(rest, self.ordinal + 1, offset, "segment_malformed", message)

    def _open(self, *, ended: bool) -> bool:
        """Read the service advice where an interchange opens; False while it is not yet here."""
        buffer = self.buffer
        start = len(_BOM) if self.base == 0 and buffer.startswith(_BOM) else 0
        start = len(buffer) - len(buffer[start:].lstrip(_BLANK))
        head = buffer[start : start + 9]
        if not head or (len(head) < 9 and not ended):
            return False
        separators = advised(head) if head[:3] == b"UNA" else Separators()
        self.decoder.use(separators or Separators())
        if separators is not None and head[:3] == b"UNA":
            start += 9
        self.buffer, self.base, self.opening = buffer[start:], self.base + start, False
        return True

    def _take(self) -> Iterator[Segment | Malformed]:
        """Read every terminated segment of the buffer, or as far as the end of an interchange."""
        raws = _split(self.buffer, self.decoder)
        raws.pop()  # not yet terminated
        decode, longest = self.decoder.decode, self.longest
        position, ordinal = self.base, self.ordinal
        for raw in raws:
            start = position
            position += len(raw) + 1
            if self.skipping:
                self.skipping = False
                continue
            body = raw.lstrip(_BLANK)
            start += len(raw) - len(body)
            ordinal += 1
            if len(body) > longest:
                yield _too_long(body, ordinal, start, longest)
                continue
            item = decode(body, ordinal, start)
            yield item
            if item[0] == "UNZ":
                self.opening = True
                break
        self.buffer = self.buffer[position - self.base :]
        self.base, self.ordinal = position, ordinal

    def _hold(self) -> Iterator[Segment | Malformed]:
        """Keep what is not yet terminated, unless it is already too long to be a segment."""
        body = self.buffer.lstrip(_BLANK)
        if not self.skipping:
            self.base += len(self.buffer) - len(body)
            self.buffer = body
            if len(body) > self.longest:
                self.ordinal += 1
                yield _too_long(body, self.ordinal, self.base, self.longest)
                self.skipping = True
        if self.skipping:
            passed = len(self.buffer) - _trailing(self.buffer, self.decoder.release)
            self.buffer, self.base = self.buffer[passed:], self.base + passed


def _split(buffer: bytes, decoder: _Decoder) -> list[bytes]:
    """Split at every terminator that is not released; the last part is not yet terminated."""
    parts = buffer.split(decoder.terminator)
    release = decoder.release
    if not release or release + decoder.terminator not in buffer:
        return parts
    joined: list[bytes] = []
    held = b""
    for part in parts[:-1]:
        held += part
        if _trailing(held, release):
            held += decoder.terminator
        else:
            joined.append(held)
            held = b""
    joined.append(held + parts[-1])
    return joined


def _trailing(raw: bytes, release: bytes) -> int:
    """1 when the bytes end in a release character that releases what comes next, else 0."""
    if not release or not raw.endswith(release):
        return 0
    return (len(raw) - len(raw.rstrip(release))) % 2


def _too_long(raw: bytes, ordinal: int, offset: int, longest: int) -> Malformed:
    message = f"a segment is longer than {longest} bytes"
    return _malformed(raw[:longest], ordinal, offset, "too_large", message)
