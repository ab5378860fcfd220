"""Listed names from public lists, noisy queries for them, and names that are on no list."""

import csv
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from faker import Faker
from rapidfuzz.distance import OSA

from isthmus.parties.columns import Columns
from isthmus.parties.features import measure
from isthmus.parties.fold import skeleton
from isthmus.parties.fold import words as folded
from isthmus.parties.index import NameIndex
from isthmus.parties.name import read_name
from isthmus.simulator import world
from isthmus.simulator.actors.names import Names
from isthmus.simulator.dice import Dice

from .noise import CLASSES, written

LOCALES = (
    "es_MX", "es_CO", "es_ES", "en_US", "en_GB", "en_IN", "pt_BR", "fr_FR", "de_DE", "it_IT",
    "nl_NL", "tr_TR", "ru_RU", "uk_UA", "bg_BG", "ar_AA", "fa_IR", "zh_CN", "ko_KR", "id_ID",
    "vi_VN", "pl_PL", "ro_RO", "cs_CZ", "el_GR", "sv_SE", "hr_HR", "az_AZ", "en_PH", "en_NG",
)  # fmt: skip

NUMBERED = 0.08
"""The share of pairs whose names bear a number."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A listed name: whose it is, what kind, and how the list writes it."""

    entity: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Query:
    """A noisy way to write a listed name."""

    text: str
    noise: str
    entity: str


def listed(folder: Path) -> list[Listed]:
    """The names and other names of the OFAC list in a folder, each once."""
    kinds: dict[str, str] = {}
    found: dict[tuple[str, str], Listed] = {}
    with (folder / "ofac_sdn.csv").open(encoding="utf-8", errors="replace") as text:
        for row in csv.reader(text):
            if len(row) > 3:
                kinds[row[0]] = row[2].strip()
                found[row[0], row[1]] = Listed(row[0], row[2].strip(), row[1])
    with (folder / "ofac_alt.csv").open(encoding="utf-8", errors="replace") as text:
        for row in csv.reader(text):
            if len(row) > 3 and row[0] in kinds:
                found[row[0], row[3]] = Listed(row[0], kinds[row[0]], row[3])
    return list(found.values())


def queries(names: Sequence[Listed], count: int, seed: int) -> list[Query]:
    """Noisy queries, the same number of each class, for names drawn by the seed."""
    dice = random.Random(f"queries {seed}")
    asked: list[Query] = []
    for noise in CLASSES:
        left = count // len(CLASSES)
        while left:
            name = dice.choice(names)
            if (noise == "vessel prefix") != (name.kind == "vessel"):
                continue
            if len(name.name) >= 5 and (text := written(name.name, noise, dice)):
                asked.append(Query(text, noise, name.entity))
                left -= 1
    return asked


def unlisted(count: int, seed: int, names: Sequence[Listed]) -> list[str]:
    """Names that are not on the list: half of firms of the simulator, half from many countries.

    A name that the list has, letter for letter, is left out.
    """
    have = {name.name.casefold() for name in names}
    texts = world.load().texts
    firms = Names(texts, Dice(seed, "unlisted"))
    countries = sorted(texts["countries"])
    dice = random.Random(f"unlisted {seed}")
    fakes = [Faker(locale) for locale in LOCALES]
    for at, fake in enumerate(fakes):
        fake.seed_instance(seed * 1000 + at)
    found: dict[str, None] = {}
    while len(found) < count:
        draw = dice.random()
        if draw < 0.5:
            name = firms.firm(dice.choice(countries), "any")
        elif draw < 0.8:
            name = dice.choice(fakes).name()
        else:
            name = dice.choice(fakes).company()
        if name.casefold() not in have:
            found[name] = None
    return list(found)


def noisy(texts: Sequence[str], seed: int) -> list[str]:
    """The texts with noise of the fourteen classes in turn, where the class applies."""
    dice = random.Random(f"noisy {seed}")
    return [
        written(text, CLASSES[at % len(CLASSES)], dice) or text for at, text in enumerate(texts)
    ]


def pairs(
    names: Sequence[Listed], count: int, seed: int
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Pairs of texts that mean one name, and as many that are near and mean two.

    The latter have one word of weight changed for a word of another name: half of them for
    the word of the same kind of name that looks most like it among a hundred, and some then
    get noise. Some differ in their number alone.
    """
    dice = random.Random(f"pairs {seed}")
    same: list[tuple[str, str]] = []
    near: list[tuple[str, str]] = []
    words: dict[str, list[str]] = {}
    for name in names:
        words.setdefault(name.kind, []).extend(w for w in name.name.split() if len(w) > 3)
    while len(same) < count:
        name = dice.choice(names)
        text = written(name.name, dice.choice(CLASSES[:12]), dice)
        if text and dice.random() < 0.3:
            text = written(text, dice.choice(CLASSES[:12]), dice) or text
        if text and len(name.name) > 4:
            number = f" {dice.randint(1, 60)}" if dice.random() < NUMBERED else ""
            same.append((text + number, name.name + number))
    while len(near) < count:
        name = dice.choice(names)
        parts = name.name.split()
        if dice.random() < NUMBERED:
            one, two = dice.sample(range(1, 60), 2)
            near.append((f"{name.name} {one}", f"{name.name} {two}"))
            continue
        long = [at for at, part in enumerate(parts) if len(part) > 3]
        if len(parts) < 2 or not long:
            continue
        at = dice.choice(long)
        others = dice.choices(words[name.kind], k=100 if dice.random() < 0.5 else 1)
        others = [w for w in others if _sound(w) != _sound(parts[at])]
        if not others:
            continue
        other = max(others, key=lambda w: OSA.normalized_similarity(w.lower(), parts[at].lower()))
        text = " ".join([*parts[:at], other, *parts[at + 1 :]])
        if dice.random() < 0.3:
            text = written(text, dice.choice(CLASSES[:12]), dice) or text
        near.append((text, name.name))
    return same, near


def aliases(
    names: Sequence[Listed], index: NameIndex, count: int, seed: int
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Pairs of names that the list gives one party, and as many near names of two parties.

    Names of one party that are not near (a cover name) are left out: nobody could tell. Every
    second of the latter is the nearest of a few.
    """
    dice = random.Random(f"aliases {seed}")
    of_party: dict[str, list[str]] = {}
    for name in names:
        of_party.setdefault(name.entity, []).append(name.name)
    several = [found for found in of_party.values() if len(set(found)) > 1]
    same: list[tuple[str, str]] = []
    near: list[tuple[str, str]] = []
    while len(same) < count:
        one, other = dice.sample(sorted(set(dice.choice(several))), 2)
        if len(NameIndex([one]).near(read_name(other))):
            same.append((one, other))
    while len(near) < count:
        asked = dice.choice(names)
        read = read_name(asked.name)
        others = [names[at] for at in index.near(read).tolist()]
        others = [other for other in others if other.entity != asked.entity]
        others = [other for other in others if read_name(other.name).words != read.words]
        if not others:
            continue
        others = dice.sample(others, min(6 if dice.random() < 0.5 else 1, len(others)))
        columns = Columns(read_name(other.name) for other in others)
        each = np.arange(len(others))
        lost = measure(Columns([read]), columns, np.zeros_like(each), each)[:, 0]
        best = int(lost.argmin())
        near.append((asked.name, others[best].name))
    return same, near


def _sound(text: str) -> list[str]:
    return [skeleton(word) for word in folded(text)]
