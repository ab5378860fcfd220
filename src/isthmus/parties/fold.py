"""Names in any script, folded to lower-case ASCII words that can be compared.

Folding is a pure function: the same text gives the same words on every node. It joins what
papers part ("S.A.", "A/S", "O'Brien"), parts what they join with marks ("AL-QAEDA"), takes
diacritics off, reads Cyrillic, Greek, Arabic, Chinese and other scripts by transliteration
(anyascii), and undoes two disguises: letters of another script that look Latin inside a Latin
word, and digits that a scanner read in place of letters.
"""

import re
import unicodedata
from functools import lru_cache

from anyascii import anyascii

# Letters of Cyrillic and Greek that look like a Latin letter (Unicode TR39 confusables).
_LOOKALIKES = str.maketrans(
    "аАВсСеЕНһіІјЈкКМоОрРѕЅТуУхХԁԛԜʏ" + "αΑΒΕΖΗΙΚΜΝοΟρΡΤΥΧνι",
    "aABcCeEHhiIjJkKMoOpPsSTyYxXdqWY" + "aABEZHIKMNoOpPTYXvi",
)
_SCANNED = str.maketrans("0158", "olsb")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_OTHER_LETTER = re.compile(r"[\u0370-\u03ff\u0400-\u052f]")
_DOTTED = re.compile(r"\b(?:[A-Za-z]\.){2,}|\b(?:[A-Za-z][./])+[A-Za-z]\b")
_APOSTROPHES = re.compile(r"[`'’‘ʼʿʾ´ʹ]")
_WORD = re.compile(r"[0-9a-z]+")
_HAN = re.compile(r"[\u3400-\u9fff]+")
_ARABIC_ARTICLE = re.compile(r"\b\u0627\u0644(?=\w{3})")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_MIXED = re.compile(r"(?=.*[0158])(?=(?:.*[a-z]){2})[0-9a-z]+")

# How a sound is written differs by language and clerk; the skeleton keeps what most agree on.
_SOUNDS = (
    (re.compile(r"shch|sch|sh|tch|tsch|ch|cz"), "x"),
    (re.compile(r"dzh|zh|dj|j"), "y"),
    (re.compile(r"ph"), "f"),
    (re.compile(r"kh|gh(?=[aeiou])"), "h"),
    (re.compile(r"th"), "t"),
    (re.compile(r"dh"), "d"),
    (re.compile(r"ts|tz|z"), "s"),
    (re.compile(r"c(?=[eiy])"), "s"),
    (re.compile(r"ck|q|c"), "k"),
    (re.compile(r"w|b(?=v)"), "v"),
    (re.compile(r"(?<=.)[aeiouy]+"), ""),
    (re.compile(r"^[eiou]"), "a"),
    (re.compile(r"(?<=.)h"), ""),
    (re.compile(r"(.)\1+"), r"\1"),
)


def words(text: str) -> tuple[str, ...]:
    """The words of a text, each in lower-case ASCII letters and digits, in their order."""
    if not text.isascii():
        text = _to_ascii(text)
    text = _DOTTED.sub(lambda found: re.sub(r"[./]", "", found[0]) + " ", text)
    text = _APOSTROPHES.sub("", text).lower()
    return tuple(_scanned(word) for word in _WORD.findall(text))


@lru_cache(maxsize=262_144)
def skeleton(word: str) -> str:
    """What is left of a folded word when spellings of its sounds are made one.

    ``muhammad``, ``mohamed`` and ``mhmd`` give the same skeleton. A number is its own skeleton.
    """
    if not word.isalpha():
        return word
    for pattern, sound in _SOUNDS:
        word = pattern.sub(sound, word)
    return word


# What a scanner takes for one another, in the order in which it is undone.
_SHAPES = tuple(
    (old, new)
    for new, olds in (
        ("m", ("rn",)), ("d", ("cl",)), ("w", ("vv",)), ("n", ("ri",)), ("l", tuple("it1f")),
        ("c", ("e",)), ("b", tuple("h8")), ("v", ("u",)), ("g", tuple("q9")), ("o", ("0",)),
        ("s", ("5",)),
    )
    for old in olds
)  # fmt: skip


@lru_cache(maxsize=262_144)
def shape(word: str) -> str:
    """What is left of a folded word when letters that a scanner confuses are made one."""
    for old, new in _SHAPES:
        word = word.replace(old, new)
    return word


def _to_ascii(text: str) -> str:
    text = _ARABIC_ARTICLE.sub("al ", unicodedata.normalize("NFKC", text))
    parts = (_unmasked(part) for part in text.split())
    return " ".join(_HAN.sub(_pinyin, part) if part else part for part in parts).translate(_PLAIN)


def _unmasked(word: str) -> str:
    # One word is written in one script: where two meet, the lookalikes are a disguise.
    if _LATIN.search(word) and _OTHER_LETTER.search(word):
        word = word.translate(_LOOKALIKES)
    return word if _HAN.search(word) else anyascii(word)


def _pinyin(found: re.Match[str]) -> str:
    return " ".join(_CAMEL.split(anyascii(found[0])))


_PLAIN: dict[int, str] = {0x200B: "", 0x200D: "", 0xFEFF: ""}


def _scanned(word: str) -> str:
    if word.isalpha() or not _MIXED.fullmatch(word):
        return word
    digits = sum(letter.isdigit() for letter in word)
    return word.translate(_SCANNED) if digits * 2 < len(word) else word
