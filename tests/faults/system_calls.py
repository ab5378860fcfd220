"""What a traced process did, in the order in which it was done: the output of ``strace -f -y``."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_LINE = re.compile(r"^(?P<thread>\d+)\s+(?P<rest>.*)$")
_RESUMED = re.compile(r"^<\.\.\. (?P<name>\w+) resumed>\s*(?P<tail>.*)$")
_CALL = re.compile(r"^(?P<name>\w+)\((?P<arguments>.*)\)\s+=\s+(?P<result>-?\d+)")
_CUT = " <unfinished ...>"


@dataclass(frozen=True, slots=True)
class Call:
    """One system call: when it was begun and when it was done, as line numbers of the trace."""

    name: str
    arguments: str
    result: int
    begun: int
    done: int


def calls(lines: Iterable[str]) -> list[Call]:
    """Return the calls that came to an end, in that order; one cut in two is put together."""
    found, open_ = [], {}
    for number, line in enumerate(lines):
        if (parts := _LINE.match(line.rstrip())) is None:
            continue
        thread, text, begun = parts["thread"], parts["rest"], number
        if text.endswith(_CUT):
            open_[thread] = (text.removesuffix(_CUT), number)
            continue
        if (resumed := _RESUMED.match(text)) is not None and thread in open_:
            start, begun = open_.pop(thread)
            text = start + resumed["tail"]
        if (call := _CALL.match(text)) is not None:
            found.append(Call(call["name"], call["arguments"], int(call["result"]), begun, number))
    return found


class NotSynced(AssertionError):
    """An answer left before what it tells was on the disk."""


def synced_before_answer(trace: Iterable[str], log: str, answer: str) -> tuple[Call, Call, Call]:
    """Return the last write to the database's log, its sync and the answer that followed.

    ``log`` is the end of the path of the write-ahead log, ``answer`` the beginning of the answer.
    Raises ``NotSynced`` unless the log was written, then synced to its end, and only then the
    answer's first byte handed to the network.
    """
    ended = calls(trace)
    answers = [c for c in ended if c.name in _SENDS and answer in c.arguments]
    if not answers:
        raise NotSynced("no answer in the trace")
    said = answers[0]
    # The first write after the request is the first page of its transaction: the node was idle.
    asked = [c for c in ended if c.name in _RECEIVES and "POST " in c.arguments]
    if not asked:
        raise NotSynced("no request in the trace")
    writes = [
        c
        for c in ended
        if c.name in _WRITES and f"{log}>" in c.arguments and asked[0].done < c.begun < said.begun
    ]
    if not writes:
        raise NotSynced("nothing was written to the log between the request and its answer")
    syncs = [
        c
        for c in ended
        if c.name in _SYNCS
        and f"{log}>" in c.arguments
        and c.result == 0
        and c.begun > writes[0].done
        and c.done < said.begun
    ]
    if not syncs:
        raise NotSynced("the log was written, and not synced before the answer left")
    before = [c for c in writes if c.done < syncs[0].begun]
    return before[-1], syncs[0], said


_SENDS = ("sendto", "write", "sendmsg", "writev", "send")
_RECEIVES = ("recvfrom", "read", "recvmsg")
_WRITES = ("pwrite64", "write", "pwritev", "pwritev2")
_SYNCS = ("fdatasync", "fsync")
TRACED = ",".join(sorted({*_SENDS[:-1], *_RECEIVES, *_WRITES, *_SYNCS}))
