"""The register of formats: how a document is recognised, how large it may be, who reads it.

A format file (``cuscar.py``, ``wco.py`` …) exposes one ``FORMAT: Format``. Readers are pure: they
take a binary stream and yield readings one by one, in document order, with bounded memory; a
failure inside one record becomes a ``Rejected`` and reading goes on where the format allows it.
A fault that spoils the whole document is one ``Rejected`` with ordinal 0.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from isthmus.cargo.model import Reading


@dataclass(frozen=True, slots=True)
class Source:
    """What is known of a document beside its bytes."""

    name: str  # file name or channel, for recognition and messages only
    media_type: str | None = None
    mapping: str | None = None  # for tabular sources: the mapping to use


@dataclass(frozen=True, slots=True)
class Format:
    """One message format the node can read."""

    code: str  # "cuscar", "wco", "tabular", "json", "events"
    limit: int  # bytes; larger documents are refused before they are stored
    recognise: Callable[[bytes, Source], bool]  # from the first 8 KiB and the source
    read: Callable[[BinaryIO, Source], Iterator[Reading]]
