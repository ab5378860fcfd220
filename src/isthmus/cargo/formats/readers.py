"""Every format the node reads, in the order in which a document is tried against them.

The order goes from formats that cannot be mistaken to those recognised by a name or a header:
EDIFACT and XML say in their first bytes what they are, an event has fields that nothing else has,
other JSON is a declaration or a fault in one, and a table may be called anything.
"""

from isthmus.cargo.formats import cuscar, declaration_json, events_jsonl, tabular, wco
from isthmus.cargo.formats.source import Format, Source

READERS: tuple[Format, ...] = (
    cuscar.FORMAT,
    wco.FORMAT,
    events_jsonl.FORMAT,
    declaration_json.FORMAT,
    tabular.FORMAT,
)

HEAD = 8192
"""Bytes of a document from which its format is recognised."""


def recognise(head: bytes, source: Source) -> Format | None:
    """The format of a document by its first 8 KiB; None when the node reads no such thing.

    A mapping named with the document says that it is a table, whatever its first bytes.
    """
    if source.mapping is not None:
        return tabular.FORMAT
    head = head[:HEAD]
    return next((one for one in READERS if one.recognise(head, source)), None)
