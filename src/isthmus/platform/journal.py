"""The journal of erasures: a file of lines that outlives the database it was written beside.

A backup holds what was erased after it was made. So each erasure is noted, as ids only, in the
node's folder and beside every backup known; a restore replays them. A line names the hash of the
one before it, so a line taken out or altered shows; the last one, if a crash tore it, was never
acknowledged and is dropped. The first line says where the journal was begun: a journal found
elsewhere came with a copy, and nobody wrote later erasures into that one.
"""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from isthmus.kernel.canonical import canonical
from isthmus.kernel.errors import Damaged
from isthmus.platform.settings import sync_folder

Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Journal:
    """One journal file."""

    path: Path

    def begin(self, lines: Sequence[Line] = ()) -> None:
        """Make the file unless it stands already, and note the lines it lacks; durably."""
        if not self.path.exists():
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(canonical({"journal": 1, "place": str(self.path.resolve())}) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            sync_folder(self.path.parent)
        self.append(lines)

    def append(self, lines: Sequence[Line]) -> None:
        """Note erasures that are not noted yet; returns once they are durable.

        The caller sees to it that nobody else appends (the erasure's transaction holds a lock).
        """
        raw, entries = self._read()
        known = {entry["id"] for entry in entries}
        new = [line for line in lines if line["id"] not in known]
        if not new:
            return
        whole = raw[: raw.rfind(b"\n") + 1]
        previous = whole.splitlines()[-1] if whole else b""
        with self.path.open("r+b") as file:
            file.truncate(len(whole))
            file.seek(len(whole))
            for line in new:
                previous = canonical({**line, "previous": _hash(previous)})
                file.write(previous + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def lines(self) -> list[Line]:
        """Return the erasures noted, oldest first; raises ``Damaged`` naming a line that is off."""
        return self._read()[1]

    def moved(self) -> bool:
        """Whether the file is not where it was begun, so that later erasures may be missing."""
        first = self._read()[0].split(b"\n", 1)[0]
        return str(self.begun_at(first)) != str(self.path.resolve())

    def begun_at(self, first: bytes | None = None) -> Path:
        """Return the path at which the journal was begun."""
        line = first if first is not None else self._read()[0].split(b"\n", 1)[0]
        return Path(orjson.loads(line)["place"])

    def _read(self) -> tuple[bytes, list[Line]]:
        raw = self.path.read_bytes()
        written = raw[: raw.rfind(b"\n") + 1].splitlines()
        entries: list[Line] = []
        previous = b""
        for number, text in enumerate(written, 1):
            try:
                line = orjson.loads(text)
                good = (
                    line["journal"] == 1 and isinstance(line["place"], str)
                    if number == 1
                    else line.pop("previous") == _hash(previous) and isinstance(line["id"], str)
                )
            except (orjson.JSONDecodeError, KeyError, TypeError):
                good = False
            if not good:
                raise Damaged(
                    "journal_damaged",
                    "the journal of erasures was altered",
                    file=str(self.path),
                    line=number,
                )
            if number > 1:
                entries.append(line)
            previous = text
        if not written:
            raise Damaged(
                "journal_damaged", "the journal of erasures is empty", file=str(self.path)
            )
        return raw, entries


def _hash(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()
