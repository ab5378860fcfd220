"""Words of a goods description, folded so that case, accents and punctuation do not matter."""

import re
import unicodedata
from collections.abc import Iterable

import polars as pl

_MARKS = re.compile(r"[\u0300-\u036f]")
_NOT_WORD = re.compile(r"[^a-z0-9]+")


def fold(text: str) -> str:
    """Lower case without accents, words parted by one space, with a space at both ends.

    ``"Café, 2 sacs"`` becomes ``" cafe 2 sacs "``. Only Latin letters and digits make words.
    """
    plain = _MARKS.sub("", unicodedata.normalize("NFD", text.lower()))
    return f" {_NOT_WORD.sub(' ', plain).strip()} "


def folded(column: pl.Expr) -> pl.Expr:
    """The same for a column; null stays null."""
    plain = column.str.to_lowercase().str.normalize("NFD").str.replace_all(r"[\u0300-\u036f]", "")
    words = plain.str.replace_all(r"[^a-z0-9]+", " ").str.strip_chars(" ")
    return pl.concat_str([pl.lit(" "), words, pl.lit(" ")])


def needles(phrases: Iterable[str]) -> list[str]:
    """What to look for in folded text to find these words or phrases as whole words."""
    return sorted({fold(phrase) for phrase in phrases})
