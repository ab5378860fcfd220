"""Verifiers: processes beside the node that check the signatures of large batches.

Verifying is most of what a catch-up costs the receiver, and Python verifies on one core at a time.
So the signatures of a batch are noted while it is read, and then checked together, spread over a
few processes. These hold no secret and no state: they are given key, signature and message, and
say whether they fit. One that ended is done without; one whose node was killed ends by itself.
"""

import contextlib
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

from cryptography.exceptions import InvalidSignature

from isthmus.exchange.trust.signing import public_key

MOST = 4  # processes; a node has other work to do
PIPE = 1 << 20
FEWEST = 60  # signatures; fewer are checked at once, in less time than they take to be handed over
_HEAD = struct.Struct("<I")
_CLAIM = struct.Struct("<32s64sI")


@dataclass(frozen=True, slots=True)
class Claim:
    """What is said to be signed: by which raw key, with which signature, over what."""

    key: bytes
    signature: bytes
    data: bytes

    def holds(self) -> bool:
        """Whether the signature fits."""
        try:
            public_key(self.key).verify(self.signature, self.data)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Noting:
    """Stands in for a public key: notes what is to be verified by it, for a whole batch."""

    raw: bytes
    claims: list[Claim]

    def verify(self, signature: bytes, data: bytes, /) -> None:
        """Note it; what cannot be a signature is refused at once."""
        if len(signature) != 64:
            raise InvalidSignature
        self.claims.append(Claim(self.raw, signature, data))


class Verifiers:
    """A few processes, begun when they are first needed."""

    def __init__(self, number: int | None = None) -> None:
        self.number = min(MOST, (os.cpu_count() or 1) - 1) if number is None else number
        self._free: list[_Helper] = []
        self._begun = 0
        self._closed = False
        self._lock = threading.Lock()

    def check(self, claims: Sequence[Claim]) -> list[bool]:
        """Say of each claim whether it holds."""
        helpers = self._take() if len(claims) >= FEWEST else []
        share = -(-len(claims) // (len(helpers) + 1)) or 1
        parts = [claims[share * place : share * (place + 1)] for place in range(len(helpers) + 1)]
        asked = [one.ask(part) for one, part in zip(helpers, parts[1:], strict=True)]
        found = [claim.holds() for claim in parts[0]]
        for helper, part, went in zip(helpers, parts[1:], asked, strict=True):
            told = helper.answer(len(part)) if went else None
            if told is None:  # it ended: its part is done here
                found += [claim.holds() for claim in part]
                self._lost(helper)
            else:
                found += told
                self._give_back(helper)
        return found

    def close(self) -> None:
        """End them."""
        with self._lock:
            self._closed = True
            free, self._free = self._free, []
        for one in free:
            one.end()

    def _take(self) -> "list[_Helper]":
        with self._lock:
            while self._begun < self.number and not self._closed:
                self._free.append(_Helper())
                self._begun += 1
            taken, self._free = self._free, []
            return taken

    def _give_back(self, helper: "_Helper") -> None:
        with self._lock:
            if not self._closed:
                self._free.append(helper)
                return
        helper.end()

    def _lost(self, helper: "_Helper") -> None:
        helper.end()
        with self._lock:
            self._begun -= 1


class _Helper:
    """One process, asked through a pipe and answering through another."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "isthmus.exchange.verifiers"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # an interrupt at the node's terminal is the node's to answer
        )
        if self.process.stdin is not None and sys.platform == "linux":
            from fcntl import F_SETPIPE_SZ, fcntl

            with contextlib.suppress(OSError):  # a batch is handed over in few pieces, if it may be
                fcntl(self.process.stdin, F_SETPIPE_SZ, PIPE)

    def ask(self, claims: Sequence[Claim]) -> bool:
        """Hand claims over; false when the process has ended."""
        parts = [_HEAD.pack(len(claims))]
        for one in claims:
            parts += [_CLAIM.pack(one.key, one.signature, len(one.data)), one.data]
        try:
            if self.process.stdin is not None:
                self.process.stdin.write(b"".join(parts))
                self.process.stdin.flush()
        except OSError:
            return False
        return True

    def answer(self, number: int) -> list[bool] | None:
        """Return what it says of the claims handed over; nothing when the process has ended."""
        told = self.process.stdout.read(number) if self.process.stdout is not None else b""
        return [one == 1 for one in told] if len(told) == number else None

    def end(self) -> None:
        """Let it end, which it does when nobody can ask any more."""
        with contextlib.suppress(OSError):
            if self.process.stdin is not None:
                self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)
        if self.process.stdout is not None:
            self.process.stdout.close()


def serve(asked: IO[bytes], told: IO[bytes]) -> None:
    """Be a verifier until the node lets go of the pipe."""
    while len(head := asked.read(_HEAD.size)) == _HEAD.size:
        claims = []
        for _ in range(_HEAD.unpack(head)[0]):
            key, signature, length = _CLAIM.unpack(asked.read(_CLAIM.size))
            claims.append(Claim(key, signature, asked.read(length)))
        told.write(bytes(claim.holds() for claim in claims))
        told.flush()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt, OSError, struct.error):
        serve(sys.stdin.buffer, sys.stdout.buffer)
