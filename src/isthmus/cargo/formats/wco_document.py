"""Finding the declarations in an XML document, in a stream and with bounded memory.

What a stranger sends is parsed by expat with nothing else switched on: a document type is
refused before its first entity is declared, so there is nothing to expand; nothing is ever
fetched; depth, number of elements, length of a value and of a token are bounded. The declarations
come out one by one and are forgotten; a fault inside one does not touch the others.

Accepted around a declaration: WCO ``MetaData``, a SOAP envelope, a request of a national system,
or nothing at all, under any prefix and any version of the WCO namespace.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO
from xml.parsers import expat

from isthmus.cargo.formats.wco_element import Element
from isthmus.kernel.errors import Invalid

LIMIT = 32 * 1024 * 1024
"""Bytes of the largest document that is read."""

MAX_DEPTH = 64
MAX_ELEMENTS = 2_000_000  # in a document
MAX_ELEMENTS_EACH = 100_000  # in a declaration; 9,999 goods items of ten elements
MAX_VALUE = 20_000  # characters; the longest text of the WCO Data Model has 512
MAX_TOKEN = 1024 * 1024  # bytes of one tag or comment that is not yet complete
_CHUNK = 64 * 1024

_WCO = "urn:wco:datamodel:"
_MARKER = b"urn:wco:datamodel:"
_SOAP = ("http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope")
_W3C = "http://www.w3.org/"
_DECLARED = {
    "AcceptanceDateTime", "FunctionCode", "FunctionalReferenceID", "GoodsShipment", "ID",
    "IssueDateTime", "TypeCode",
}  # fmt: skip
_BAD_ENCODING = {
    expat.errors.codes[expat.errors.XML_ERROR_UNKNOWN_ENCODING],
    expat.errors.codes[expat.errors.XML_ERROR_INCORRECT_ENCODING],
}
_INVALID_TOKEN = expat.errors.codes[expat.errors.XML_ERROR_INVALID_TOKEN]
_WIDE_STARTS = (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")  # UTF-16, with a byte order mark or not

Name = tuple[str, str]  # namespace, local name


@dataclass(frozen=True, slots=True)
class Captured:
    """One declaration of a document: its tree, or the fault for which it was not kept."""

    ordinal: int
    line: int
    root: Element
    fault: Invalid | None


class _Decided(Exception):
    """Ends the look at a document: the answer is known."""

    def __init__(self, answer: bool) -> None:
        self.answer = answer


def is_wco(namespace: str) -> bool:
    """Whether a namespace is one of the WCO Data Model, of whatever message and version."""
    return namespace.lower().startswith(_WCO)


def _split(name: str) -> Name:
    namespace, _, local = name.rpartition(" ")
    return namespace, local


def _begins(above: list[Name], name: Name) -> bool:
    """Whether an element begins a declaration, given the elements it stands in.

    A ``Declaration`` inside another WCO message (the ``Response`` of a customs system names the
    declaration it answers) is not a declaration that somebody lodges.
    """
    if name[1] != "Declaration":
        return False
    if any(is_wco(space) and local != "MetaData" for space, local in above):
        return False
    if is_wco(name[0]):
        return True
    if name[0]:
        return False
    return not above or above[-1][1] == "MetaData" or above[-1] in [(s, "Body") for s in _SOAP]


def _parser() -> expat.XMLParserType:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    return parser


class _Collector:
    """Takes the events of the parser and lays finished declarations in a queue."""

    def __init__(self) -> None:
        self.finished: deque[Captured] = deque()
        self.root: Name | None = None
        self._above: list[Name] = []
        self._elements = 0
        self._ordinal = 0
        self._declaration: Element | None = None
        self._namespace = ""
        self._open: list[Element] = []
        self._held = 0
        self._fault: Invalid | None = None
        self._length = 0
        self._pieces: list[str] = []
        self.parser = _parser()
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters

    def _doctype(self, name: str, *_: object) -> None:
        line = self.parser.CurrentLineNumber
        raise Invalid(
            "entity_forbidden",
            f"line {line}: a document type ({name[:60]}) is declared; entities are never read",
            field=f"line {line}",
            value=f"<!DOCTYPE {name[:60]}",
        )

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = _split(tag)
        line = self.parser.CurrentLineNumber
        self.root = self.root or name
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise _refused("too_large", f"more than {MAX_ELEMENTS} elements", line)
        if len(self._above) + len(self._open) >= MAX_DEPTH:
            raise _refused("too_deep", f"more than {MAX_DEPTH} elements inside each other", line)
        if self._declaration is None:
            if _begins(self._above, name):
                self._begin(name, line, attributes)
            else:
                self._above.append(name)
            return
        self._keep_text()
        local = (
            name[1] if name[0] == self._namespace or is_wco(name[0]) else f"{{{name[0]}}}{name[1]}"
        )
        element = Element(local, line, _plain(attributes), self._open[-1])
        self._held += 1
        if self._held > MAX_ELEMENTS_EACH and self._fault is None:
            self._fault = self._declaration.fault(
                "too_large", f"has more than {MAX_ELEMENTS_EACH} elements"
            )
        if self._fault is None and any(len(text) > MAX_VALUE for text in attributes.values()):
            self._fault = element.fault(
                "value_too_long", f"has an attribute of more than {MAX_VALUE} characters"
            )
        if self._fault is None:
            self._open[-1].children.append(element)
        self._open.append(element)
        self._length = 0

    def _begin(self, name: Name, line: int, attributes: dict[str, str]) -> None:
        self._ordinal += 1
        self._declaration = Element(name[1], line, _plain(attributes))
        self._namespace = name[0]
        self._open = [self._declaration]
        self._held, self._fault = 1, None

    def _keep_text(self) -> None:
        if self._pieces:
            self._open[-1].text += "".join(self._pieces)
            self._pieces.clear()

    def _characters(self, text: str) -> None:
        if self._declaration is None or self._fault is not None:
            return
        if not text.strip() and not self._pieces:
            return  # the white space between elements is no text
        self._length += len(text)
        self._pieces.append(text)
        if self._length > MAX_VALUE:
            self._pieces.clear()
            self._fault = self._open[-1].fault(
                "value_too_long", f"has more than {MAX_VALUE} characters"
            )

    def _end(self, _tag: str) -> None:
        if self._declaration is None:
            self._above.pop()
            return
        self._keep_text()
        self._length = 0
        self._open.pop()
        if not self._open:
            declaration, self._declaration = self._declaration, None
            if self._fault is not None:
                declaration.children.clear()
            self.finished.append(
                Captured(self._ordinal, declaration.line, declaration, self._fault)
            )


def _plain(attributes: dict[str, str]) -> dict[str, str]:
    # xsi:schemaLocation and the like say nothing of the goods, and are never followed.
    return {name: value for name, value in attributes.items() if " " not in name}


def _refused(code: str, words: str, line: int) -> Invalid:
    return Invalid(code, f"line {line}: {words}", field=f"line {line}", value=None)


def declarations(stream: BinaryIO) -> Iterator[Captured]:
    """Yield the declarations of an XML document one by one.

    Raises ``Invalid`` for what spoils the document from there on: not well-formed (with line and
    column; the column counts from 0, as expat does), a document type, a limit passed, or no
    declaration in it at all. What was whole before the fault has been yielded by then.
    """
    collector = _Collector()
    fed, found, fault = 0, 0, None
    start = b""
    while fault is None:
        chunk = stream.read(_CHUNK)
        start = start or chunk[:4]
        fed += len(chunk)
        if fed > LIMIT:
            fault = Invalid("too_large", f"larger than {LIMIT} bytes", field=None, value=None)
        else:
            fault = _feed(collector.parser, chunk, fed, start)
        while collector.finished:
            found += 1
            yield collector.finished.popleft()
        if not chunk:
            break
    if fault is not None:
        raise fault
    if not found:
        root = " ".join(collector.root).strip() if collector.root else None
        raise Invalid(
            "unsupported", "there is no WCO Declaration element in it", field="root", value=root
        )


def _feed(parser: expat.XMLParserType, chunk: bytes, fed: int, start: bytes) -> Invalid | None:
    """Parse one chunk (an empty one ends the document); return the fault, if there is one."""
    if not fed:
        return Invalid("empty_document", "the document is empty", field=None, value=None)
    try:
        parser.Parse(chunk, not chunk)
    except Invalid as refused:
        return refused
    except expat.ExpatError as error:
        return _not_well_formed(parser, error, chunk, fed, start)
    except (LookupError, ValueError) as error:  # an encoding that Python or expat cannot read
        line = parser.CurrentLineNumber
        return Invalid(
            "encoding",
            f"line {line}: the declared character encoding cannot be read ({error})",
            field=f"line {line}",
            value=str(error)[:200],
        )
    if fed - max(parser.CurrentByteIndex, 0) > MAX_TOKEN:
        return _refused("too_large", "a tag or comment has no end", parser.CurrentLineNumber)
    return None


def _not_well_formed(
    parser: expat.XMLParserType, error: expat.ExpatError, chunk: bytes, fed: int, start: bytes
) -> Invalid:
    words = expat.ErrorString(error.code).removeprefix("not well-formed ").strip("()")
    place = f"line {error.lineno}, column {error.offset}"
    code, said = "not_well_formed", f"not well-formed XML at {place}: {words}"
    at = parser.ErrorByteIndex - (fed - len(chunk))
    if error.code in _BAD_ENCODING or (
        error.code == _INVALID_TOKEN
        and not start.startswith(_WIDE_STARTS)
        and 0 <= at < len(chunk)
        and _undecodable(chunk[at : at + 4])
    ):
        code, said = "encoding", f"the bytes at {place} are not in the declared encoding: {words}"
    return Invalid(code, said, field=place, value=words)


def _undecodable(piece: bytes) -> bool:
    """Whether the first character of these bytes is no UTF-8."""
    if piece[0] < 0x80:
        return False
    for length in (2, 3, 4):
        try:
            piece[:length].decode("utf-8")
        except UnicodeDecodeError:
            continue
        return False
    return True


class _Probe:
    """Looks at the first elements of a document until they tell what it is."""

    def __init__(self, head: bytes) -> None:
        self._text = head.replace(b"\0", b"")
        self._above: list[Name] = []
        self._plain_declaration = -1
        self.parser = _parser()
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.root: Name | None = None

    def _doctype(self, name: str, *_: object) -> None:
        # Nothing after this is parsed: a document type may hold an entity bomb.
        local = name.rpartition(":")[2]
        raise _Decided(local in {"MetaData", "Declaration"} or _MARKER in self._text)

    def _start(self, tag: str, _attributes: dict[str, str]) -> None:
        name = _split(tag)
        self.root = self.root or name
        if is_wco(name[0]):
            raise _Decided(name[1] == "MetaData" or _begins(self._above, name))
        inside = self._plain_declaration >= 0 and len(self._above) == self._plain_declaration + 1
        if inside and not name[0] and name[1] in _DECLARED:
            raise _Decided(True)
        if _begins(self._above, name):
            # Without a namespace the name alone says little: its parts must be those of the WCO.
            self._plain_declaration = len(self._above)
        self._above.append(name)

    def _end(self, _tag: str) -> None:
        self._above.pop()


def recognise(head: bytes) -> bool:
    """Whether the first bytes of a document can lead to a WCO declaration."""
    probe = _Probe(head)
    try:
        probe.parser.Parse(head, False)
    except _Decided as decided:
        return decided.answer
    except (expat.ExpatError, LookupError, ValueError):
        # Broken where it should have told: what it claims to be decides who refuses it.
        text = head.removeprefix(b"\xef\xbb\xbf").replace(b"\0", b"").lstrip(b"\xff\xfe \t\r\n")
        return text.startswith(b"<") and _MARKER in text
    if probe.root is None:
        return False
    if probe.root[0] in _SOAP:
        return True  # a long header: the body is not yet seen
    return _MARKER in head.replace(b"\0", b"") and not probe.root[0].startswith(_W3C)
