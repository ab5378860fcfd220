"""Bit fields of AIS messages as six-bit characters, for many messages at once.

Fields are packed, most significant bit first, into words of 60 bits, ten characters each
(ITU-R M.1371-5, annex 8; IEC 61162-1 for the characters).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Bytes = NDArray[np.uint8]
Column = Words | int

WORD = 60
_SIX = np.uint64(63)
# Six-bit text of messages: 0 is "@", which also fills what is not used.
_TEXT = "@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_ !\"#$%&'()*+,-./0123456789:;<=>?"


def pack(widths: Sequence[int], columns: Sequence[Column]) -> Bytes:
    """Return the armoured characters of messages, one message a column: (characters, messages).

    ``widths`` are in bits, at most 60 each. A column holds a value a message, or is one number
    for all; values must fit their width and signed ones stand in two's complement (``signed``).
    Spare bits after the last field are 0.
    """
    total = sum(widths)
    count = max((len(column) for column in columns if not isinstance(column, int)), default=1)
    words = np.zeros((-(-total // WORD), count), np.uint64)
    constant = [0] * len(words)
    at = 0
    for width, column in zip(widths, columns, strict=True):
        _place(words, constant, at, width, column)
        at += width
    words |= np.array(constant, np.uint64)[:, None]
    out = np.empty((-(-total // 6), count), np.uint8)
    for char in range(len(out)):
        shift = np.uint64(WORD - 6 - 6 * (char % 10))
        np.copyto(out[char], (words[char // 10] >> shift) & _SIX, casting="unsafe")
    armour(out)
    return out


def _place(words: Words, constant: list[int], at: int, width: int, column: Column) -> None:
    word, end = at // WORD, at % WORD + width
    over = end - WORD
    if isinstance(column, int):
        if over <= 0:
            constant[word] |= column << -over
        else:
            constant[word] |= column >> over
            constant[word + 1] |= (column & ((1 << over) - 1)) << (WORD - over)
    elif over <= 0:
        words[word] |= column << np.uint64(-over)
    else:
        words[word] |= column >> np.uint64(over)
        low = column & np.uint64((1 << over) - 1)
        words[word + 1] |= low << np.uint64(WORD - over)


def armour(values: Bytes) -> None:
    """Turn values from 0 to 63 into the characters that stand for them, in place."""
    values += (values > 39) * np.uint8(8)
    values += np.uint8(48)


def signed(values: NDArray[np.int64], width: int) -> Words:
    """Return signed numbers as two's complement of this many bits."""
    return (values & np.int64((1 << width) - 1)).astype(np.uint64)


def text(words: str, length: int) -> list[int]:
    """Return text as numbers of up to ten characters (60 bits); what AIS cannot say is a space."""
    padded = words.upper()[:length].ljust(length, "@")
    codes = [max(_TEXT.find(char), 0) if char in _TEXT else 32 for char in padded]
    found = []
    for start in range(0, length, 10):
        number = 0
        for code in codes[start : start + 10]:
            number = number << 6 | code
        found.append(number)
    return found
