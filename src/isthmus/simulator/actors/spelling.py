"""How a name or an address gets onto a paper: shortened, without accents, misread, out of order."""

import re
import unicodedata
from collections.abc import Callable

from isthmus.simulator.dice import Dice

ABBREVIATED = (
    ("Comercializadora", "Comerc."),
    ("Importadora", "Import."),
    ("Exportadora", "Export."),
    ("Distribuidora", "Distrib."),
    ("Compañía", "Cía."),
    ("Internacional", "Intl."),
    ("International", "Intl"),
    ("Company", "Co"),
    ("Trading", "Trdg"),
    ("Import & Export", "Imp & Exp"),
    ("Établissements", "Ets"),
    ("Société", "Sté"),
    ("Comércio", "Com."),
    ("Indústria", "Ind."),
    ("Handelsmaatschappij", "Handelsmij."),
    ("Avenida", "Av."),
    ("Carretera", "Ctra."),
    ("Edificio", "Edif."),
    ("Rodovia", "Rod."),
    ("Street", "St"),
    ("Road", "Rd"),
    ("Boulevard", "Blvd"),
    ("avenue", "av."),
    ("straat", "str."),
)
MISREAD = (("rn", "m"), ("l", "1"), ("O", "0"), ("I", "1"), ("S", "5"), ("B", "8"), ("o", "0"))
FORM = re.compile(
    r"S\.[\w.]+|C\.V\.|[BN]\.?V\.?|C[IÍ]A\.|LTDA\.|Ltda?\.?|Lda\.|LLC|Inc\.|Corp\.|Co\.,?|PLC|GmbH"
    r"|AG|SARL|SAS|A\.[ŞES]\.|JSC|FZE|FZCO|\(Pty\)|K\.K\.|Sdn|Bhd|Pvt|Pte"
)


def plain(text: str) -> str:
    """Without accents."""
    if text.isascii():
        return text
    parts = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in parts if not unicodedata.combining(letter))


def shouted(text: str) -> str:
    """In capitals without accents, as many systems of carriers still write."""
    return plain(text).upper()


def abbreviated(text: str) -> str:
    """With the usual short forms of long words."""
    for word, short in ABBREVIATED:
        text = text.replace(word, short)
    return text


def written(text: str, way: int, dice: Dice) -> str:
    """Return a name written in one of the ways in which names get changed (``way`` of them)."""
    return WAYS[way % len(WAYS)](text, dice)


def _plain(text: str, _: Dice) -> str:
    return plain(text)


def _shouted(text: str, _: Dice) -> str:
    return shouted(text)


def _abbreviated(text: str, _: Dice) -> str:
    short = abbreviated(text)
    return short if short != text else text.replace(".", "")


def _transposed(text: str, dice: Dice) -> str:
    """Two neighbouring letters of the longest word change places."""
    word = max(text.split(), key=len)
    if len(word) < 5:
        return text
    at = dice.whole(1, len(word) - 3)
    turned = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return text.replace(word, turned, 1)


def _dropped(text: str, dice: Dice) -> str:
    """One letter of the longest word is missing."""
    word = max(text.split(), key=len)
    if len(word) < 5:
        return text
    at = dice.whole(1, len(word) - 2)
    return text.replace(word, word[:at] + word[at + 1 :], 1)


def _misread(text: str, dice: Dice) -> str:
    """A scanner took one sign for another."""
    fitting = [(seen, read) for seen, read in MISREAD if seen in text[1:]]
    if not fitting:
        return text
    seen, read = dice.pick(fitting)
    return text[0] + text[1:].replace(seen, read, 1)


def _reordered(text: str, _: Dice) -> str:
    """The last name first, as lists are sorted; the legal form stays at the end."""
    words = text.split()
    forms = len(words)
    while forms > 1 and (FORM.fullmatch(words[forms - 1]) or words[forms - 1].islower()):
        forms -= 1
    if forms < 2:
        return text
    return " ".join([f"{words[forms - 1]},", *words[: forms - 1], *words[forms:]])


def _formless(text: str, _: Dice) -> str:
    """Without its legal form."""
    words = text.split()
    while len(words) > 1 and FORM.fullmatch(words[-1]):
        words.pop()
    return " ".join(words)


WAYS: tuple[Callable[[str, Dice], str], ...] = (
    _plain,
    _shouted,
    _abbreviated,
    _formless,
    _reordered,
    _transposed,
    _dropped,
    _misread,
)
