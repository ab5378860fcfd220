"""What must not be found in an envelope, and how it is looked for in its bytes.

A value that stays is looked for in whatever an envelope holds: as it stands, and behind every
layer of writing that somebody could have put it in by mistake or on purpose (JSON escapes, base64
in both alphabets and at every offset, hexadecimal, percent signs, UTF-16).
"""

import json
import re
from binascii import Error, a2b_base64
from collections.abc import Iterable, Iterator, Mapping
from random import Random
from typing import Any

from intelligence import items as made
from isthmus.intelligence.model import Item, ItemKind

_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{12,}={0,2}")
_HEX = re.compile(rb"(?:[0-9a-fA-F]{2}){8,}")
_ESCAPE = re.compile(rb"\\+u([0-9a-fA-F]{4})")
_PERCENT = re.compile(rb"%([0-9a-fA-F]{2})")
_FROM_URL = bytes.maketrans(b"-_", b"+/")
DEEP = 5
KINDS = (ItemKind.ALERT, ItemKind.SIGHTING, ItemKind.SEIZURE, ItemKind.ANSWER)
LETTERS = "BCDFGHJKLMNPQRSTVWXZ"


# -- items whose values cannot be taken for anything else ---------------------------------


def an_item_body(random: Random, kind: ItemKind) -> dict[str, Any]:
    """Draw a valid body of a kind in which every free value is like no other anywhere."""
    body = dict(made.random_item(random, kind).body)
    body.pop("links", None)  # joins two things; who may see it is no matter of one clause alone
    return body


def word(random: Random) -> str:
    """A word that stands nowhere else."""
    return "".join(random.choice(LETTERS) for _ in range(14))


def digits(random: Random, count: int) -> str:
    return "".join(random.choice("0123456789") for _ in range(count))


# In the place of the forms of ``intelligence.items``. Names bear what JSON has to escape.
FORMS: Mapping[str, Any] = {
    "name": lambda random: f'Ñandú "{word(random)}" é\\',
    "names": lambda random: [f"Žižka/{word(random)}" for _ in range(2)],
    "number": word,
    "text": lambda random: {"language": "es", "text": f"línea\n{word(random)}\t<&>"},
    "date": lambda random: f"19{random.randint(10, 49)}-0{random.randint(1, 9)}-1{random.randint(0, 9)}",
    "container": lambda random: f"{word(random)[:4]}{digits(random, 7)}",
    "containers": lambda random: [f"{word(random)[:4]}{digits(random, 7)}" for _ in range(2)],
    "seal": word,
    "seals": lambda random: [word(random) for _ in range(2)],
    "call_sign": lambda random: word(random)[:10],
    "plate": lambda random: word(random)[:12],
    "decimal": lambda random: f"7{digits(random, 12)}.31",
}  # fmt: skip


# -- looking ------------------------------------------------------------------------------


def needles(path: str, value: Any) -> set[bytes]:
    """What tells that the value of a path is there: long texts alone, codes beside their path."""
    found: set[bytes] = set()
    for one in _texts(value):
        if token := re.search(r"[A-Z0-9-]{10,}", one):
            found.add(token.group().encode())
    if not found:  # a code or a small number: known by standing after its path in a disclosure
        found.add(f"{json.dumps(path)},{json.dumps(value, separators=(',', ':'))}".encode())
    return found


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def found(raw: bytes, wanted: Mapping[str, set[bytes]]) -> set[str]:
    """Return the paths whose value stands somewhere in some bytes."""
    layers = list(unwrapped(raw))
    return {
        path for path, marks in wanted.items() for mark in marks if any(mark in one for one in layers)
    }  # fmt: skip


def unwrapped(raw: bytes, deep: int = DEEP) -> Iterator[bytes]:
    """Yield bytes and everything that is written in them in another way."""
    yield raw
    if deep:
        for inner in _inner(raw):
            if inner != raw and len(inner) >= 8:
                yield from unwrapped(inner, deep - 1)


def _inner(raw: bytes) -> Iterator[bytes]:
    if b"\\" in raw:
        plain = _ESCAPE.sub(lambda one: chr(int(one[1], 16)).encode("utf-8", "replace"), raw)
        yield plain.replace(b'\\"', b'"').replace(b"\\\\", b"\\")
    if b"%" in raw:
        yield _PERCENT.sub(lambda one: bytes([int(one[1], 16)]), raw)
    if b"\x00" in raw:
        yield raw.replace(b"\x00", b"")
    for one in _HEX.findall(raw):
        yield bytes.fromhex(one.decode())
    for one in _BASE64.findall(raw):
        for offset in range(4):
            decoded = _decoded(one[offset:])
            # Signatures, digests and salts decode to noise; noise holds no text to look into.
            if decoded and (offset == 0 or _telling(decoded)):
                yield decoded


def _decoded(text: bytes) -> bytes:
    body = text.rstrip(b"=").translate(_FROM_URL)
    body = body[: len(body) - (len(body) % 4 == 1)]
    try:
        return a2b_base64(body + b"=" * (-len(body) % 4))
    except Error:
        return b""


def _telling(raw: bytes) -> bool:
    return sum(32 <= byte < 127 for byte in raw) > 0.6 * len(raw)


def staying(item: Item, gone: Iterable[str]) -> dict[str, set[bytes]]:
    """Return what of an item must not be found, by path: everything but what may go."""
    may = set(gone)
    marks = {path: needles(path, value) for path, value in item.paths().items()}
    shown = {mark for path in may & marks.keys() for mark in marks[path]}
    return {path: held - shown for path, held in marks.items() if path not in may and held - shown}
