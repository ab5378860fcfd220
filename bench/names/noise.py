"""Fourteen ways in which a listed name comes written on a paper, each from a seed."""

import random
import re
from collections.abc import Callable

CLASSES = (
    "typo", "transliteration", "cyrillic", "diacritics", "homoglyph", "word order",
    "dropped token", "initials", "joined tokens", "corporate suffix", "abbreviation", "ocr",
    "address noise", "vessel prefix",
)  # fmt: skip

_SPELLINGS = (
    ("sch", "sh"), ("kh", "h"), ("q", "k"), ("ou", "u"), ("oo", "u"), ("ee", "i"), ("y", "i"),
    ("w", "v"), ("ph", "f"), ("mohammad", "muhammed"), ("mohammed", "mohamad"), ("yu", "iu"),
    ("ya", "ia"), ("zh", "j"), ("dj", "j"), ("ks", "x"), ("c", "k"), ("ei", "ey"), ("ai", "ay"),
    ("iy", "y"), ("u", "ou"), ("i", "ee"), ("o", "u"), ("e", "i"), ("a", "e"), ("k", "q"),
    ("h", "kh"), ("v", "w"), ("j", "y"), ("ll", "l"), ("ss", "s"), ("mm", "m"), ("tz", "ts"),
)  # fmt: skip
_TO_CYRILLIC = (
    ("shch", "щ"), ("kh", "х"), ("zh", "ж"), ("ts", "ц"), ("ch", "ч"), ("sh", "ш"), ("yu", "ю"),
    ("ya", "я"), ("yo", "ё"), ("ye", "е"), ("a", "а"), ("b", "б"), ("c", "к"), ("d", "д"),
    ("e", "е"), ("f", "ф"), ("g", "г"), ("h", "х"), ("i", "и"), ("j", "дж"), ("k", "к"),
    ("l", "л"), ("m", "м"), ("n", "н"), ("o", "о"), ("p", "п"), ("q", "к"), ("r", "р"),
    ("s", "с"), ("t", "т"), ("u", "у"), ("v", "в"), ("w", "в"), ("x", "кс"), ("y", "й"),
    ("z", "з"),
)  # fmt: skip
_MARKS = {
    "a": "áàâäãåă", "c": "çćč", "e": "éèêëęě", "g": "ğ", "i": "íìîï", "l": "ł", "n": "ñńň",
    "o": "óòôöõø", "r": "ř", "s": "śšş", "t": "ţ", "u": "úùûüů", "y": "ýÿ", "z": "žźż",
}  # fmt: skip
_LOOKALIKE = dict(zip("acehijkmoprstxyABCEHKMOPTXY", "асеһіјкморрѕтхуАВСЕНКМОРТХУ", strict=False))
_LOOKALIKE |= {"r": "г", "p": "р", "s": "ѕ", "t": "т", "x": "х", "y": "у"}
_SCAN = (
    ("o", "0"), ("l", "1"), ("i", "1"), ("s", "5"), ("b", "8"), ("m", "rn"), ("rn", "m"),
    ("cl", "d"), ("d", "cl"), ("e", "c"), ("h", "b"), ("u", "v"), ("n", "ri"), ("w", "vv"),
    ("g", "q"), ("i", "l"), ("t", "f"),
)  # fmt: skip
_SUFFIXES = (
    "LTD", "LIMITED", "LLC", "INC", "CO., LTD.", "S.A.", "GMBH", "CORP.", "PTE LTD", "FZE",
    "S.R.L.", "JSC", "& CO", "OOO", "S.A. DE C.V.", "B.V.", "PLC", "COMPANY LIMITED",
)  # fmt: skip
_SUFFIX = re.compile(
    r"[,\s]+(?:ltd|limited|llc|l\.l\.c\.|inc|corp(?:oration)?|s\.a\.(?: de c\.v\.)?|gmbh|co|"
    r"company|jsc|ojsc|pjsc|ao|oao|plc|pte|fze|s\.?r\.?l\.?)\.?(?=$|[,\s])",
    re.I,
)
_SHORT = {
    "international": "INTL", "trading": "TRDG", "company": "CO", "limited": "LTD",
    "manufacturing": "MFG", "industries": "INDS", "industrial": "INDL", "enterprise": "ENT",
    "engineering": "ENGG", "technology": "TECH", "technologies": "TECHS", "services": "SVCS",
    "shipping": "SHPG", "transport": "TRANSP", "logistics": "LOG", "development": "DEV",
    "construction": "CONSTR", "corporation": "CORP", "general": "GEN", "national": "NATL",
    "mohammad": "MOHD", "muhammad": "MUHD", "mohammed": "MD", "organization": "ORG",
    "investment": "INV", "petroleum": "PETROL", "group": "GRP", "bank": "BK", "saint": "ST",
    "institute": "INST", "brothers": "BROS", "association": "ASSN", "research": "RES",
}  # fmt: skip
_STREETS = (
    "INDUSTRIAL ROAD", "MAIN STREET", "AVENIDA BALBOA", "CALLE 50", "KING FAISAL ST",
    "UL. LENINA", "NANJING ROAD", "JEBEL ALI FREE ZONE", "MARINA WAY", "HARBOUR AVE",
)  # fmt: skip
_CITIES = (
    "DUBAI UAE", "PANAMA CITY PANAMA", "COLON PANAMA", "HONG KONG", "MOSCOW RUSSIA",
    "SHANGHAI CHINA", "BOGOTA COLOMBIA", "ISTANBUL TURKEY", "SINGAPORE", "TEHRAN IRAN",
)  # fmt: skip


def written(name: str, kind: str, dice: random.Random) -> str | None:
    """The name as one class of noise writes it; None when the class cannot apply to it."""
    text = _NOISES[kind](name, dice)
    return text if text and text != name else None


def _typo(name: str, dice: random.Random) -> str | None:
    for _ in range(1 if len(name) < 12 else 2):
        places = [at for at, letter in enumerate(name) if letter.isalpha()]
        if len(places) < 5:
            return None
        at, kind = dice.choice(places), dice.randrange(4)
        other = dice.choice("abcdefghijklmnopqrstuvwxyz").upper()
        if kind == 0:
            name = name[:at] + other + name[at + 1 :]
        elif kind == 1:
            name = name[:at] + name[at + 1 :]
        elif kind == 2:
            name = name[:at] + other + name[at:]
        else:
            name = name[:at] + name[at + 1 : at + 2] + name[at] + name[at + 2 :]
    return name


def _transliteration(name: str, dice: random.Random) -> str | None:
    text, done = name.lower(), 0
    for old, new in dice.sample(_SPELLINGS, len(_SPELLINGS)):
        at = [found.start() for found in re.finditer(old, text)]
        if at and done < 3:
            spot = dice.choice(at)
            text, done = text[:spot] + new + text[spot + len(old) :], done + 1
    return text.upper() if done else None


def _cyrillic(name: str, _: random.Random) -> str | None:
    text = name.lower()
    for latin, letter in _TO_CYRILLIC:
        text = text.replace(latin, letter)
    return text.upper()


def _replaced(name: str, table: dict[str, str], share: float, dice: random.Random) -> str:
    return "".join(
        dice.choice(table[letter]) if letter in table and dice.random() < share else letter
        for letter in name
    )


def _diacritics(name: str, dice: random.Random) -> str | None:
    return _replaced(name.lower(), _MARKS, 0.35, dice).title()


def _homoglyph(name: str, dice: random.Random) -> str | None:
    return _replaced(name, _LOOKALIKE, 0.3, dice)


def _word_order(name: str, dice: random.Random) -> str | None:
    parts = name.replace(",", "").split()
    if len(parts) < 2:
        return None
    mixed = parts[:]
    dice.shuffle(mixed)
    return " ".join(mixed if mixed != parts else parts[::-1])


def _dropped(name: str, dice: random.Random) -> str | None:
    parts = name.replace(",", "").split()
    if len(parts) < 3:
        return None
    del parts[dice.randrange(len(parts))]
    return " ".join(parts)


def _initials(name: str, dice: random.Random) -> str | None:
    parts = name.split(", ")
    if len(parts) == 2 and len(parts[1].split()) <= 4:  # "SURNAME, Given Second"
        given = parts[1].split()
        first = [f"{part[0]}." for part in given] if dice.random() < 0.5 else [f"{given[0][0]}."]
        first += given[1:] if len(first) == 1 and len(given) > 1 else []
        order = [*first, parts[0]] if dice.random() < 0.5 else [parts[0], *first]
        return " ".join(order)
    words = name.split()
    if len(words) < 3:
        return None
    at = dice.randrange(len(words) - 1)
    words[at] = f"{words[at][0]}."
    return " ".join(words)


def _joined(name: str, dice: random.Random) -> str | None:
    parts = name.replace(",", "").split()
    if len(parts) < 2:
        return None
    at = dice.randrange(len(parts) - 1)
    return " ".join([*parts[:at], parts[at] + parts[at + 1], *parts[at + 2 :]])


def _suffix(name: str, dice: random.Random) -> str | None:
    bare = _SUFFIX.sub("", name)
    if ", " in bare and bare == name:
        return None
    return bare if bare != name and dice.random() < 0.4 else f"{bare} {dice.choice(_SUFFIXES)}"


def _abbreviation(name: str, dice: random.Random) -> str | None:
    parts = name.split()
    known = [at for at, part in enumerate(parts) if part.lower().strip(",.") in _SHORT]
    if known:
        for at in known:
            parts[at] = _SHORT[parts[at].lower().strip(",.")]
        return " ".join(parts)
    long = [at for at, part in enumerate(parts) if len(part) > 7 and part.isalpha()]
    if not long or len(parts) < 2:
        return None
    at = dice.choice(long)
    parts[at] = parts[at][: dice.randint(4, 5)] + "."
    return " ".join(parts)


def _ocr(name: str, dice: random.Random) -> str | None:
    text, done = name.lower(), 0
    for old, new in dice.sample(_SCAN, len(_SCAN)):
        at = [found.start() for found in re.finditer(old, text)]
        if at and done < 2:
            spot = dice.choice(at)
            text, done = text[:spot] + new + text[spot + len(old) :], done + 1
    return text.upper() if done else None


def _address(name: str, dice: random.Random) -> str | None:
    street = f"{dice.randint(1, 950)} {dice.choice(_STREETS)}"
    place = dice.choice(_CITIES)
    return dice.choice((
        f"{name}, {street}, {place}", f"{name} {street} {place}", f"{name}\n{street}\n{place}",
        f"{name} P.O. BOX {dice.randint(100, 99999)} {place}",
        f"TO THE ORDER OF {name}, {place}", f"{name} C/O GULF AGENCY, {street}, {place}",
        f"{name} TEL +{dice.randint(10, 999)} {dice.randint(1000000, 9999999)}",
    ))  # fmt: skip


def _vessel(name: str, dice: random.Random) -> str | None:
    prefix = dice.choice(("M/V ", "MV ", "M.V. ", "MT ", "M/T ", "SS ", "MS ", "VESSEL ", "FV "))
    tail = dice.choice(
        ("", "", f" IMO {dice.randint(7000000, 9999999)}", f" V.{dice.randint(1, 99)}E")
    )
    return f"{prefix}{name}{tail}"


_NOISES: dict[str, Callable[[str, random.Random], str | None]] = dict(
    zip(CLASSES, (_typo, _transliteration, _cyrillic, _diacritics, _homoglyph, _word_order,
                  _dropped, _initials, _joined, _suffix, _abbreviation, _ocr, _address, _vessel),
        strict=True)
)  # fmt: skip
