"""What a firm writes of its goods: its own wording, sizes and brand, now and then nothing."""

import re

from isthmus.simulator.actors.spelling import FORM, plain, shouted
from isthmus.simulator.actors.traders import Trader
from isthmus.simulator.dice import Dice
from isthmus.simulator.world import Goods, World

SLIPS = 0.1  # how much less often a description is misspelt than a name by the same firm
_WORD = re.compile(r"[^\W\d_]{4,}")


def goods_text(
    world: World, goods: Goods, language: str, trader: Trader, packages: int, dice: Dice
) -> str:
    """Return the description of goods as this firm writes it.

    The choice of words, what comes before and behind them and how it is set are the firm's habit
    and stay the same from paper to paper; only the size or grade, the number of packages and slips
    differ. A few firms now and then write nothing that says what the goods are.
    """
    texts = world.texts
    if dice.chance(trader.vague):
        return str(dice.pick(texts["vague"][language]))
    habit = trader.words
    known = texts["descriptions"][goods.code][language]
    text = str(known[habit % len(known)])
    if goods.grades and habit % 5:  # one in five never gives a size
        grade = goods.grades[habit % len(goods.grades)]
        if dice.chance(0.25):
            grade = dice.pick(goods.grades)
        text = f"{grade} {text}" if habit % 11 == 0 else f"{text} {grade}"
    if habit % 3 == 0:
        packed = texts["packed"][language]
        text = f"{packages} {packed.get(goods.package[0], packed[''])} {text}"
    extras = texts["extras"][language]
    extra = str(extras[(habit // 7) % len(extras)])
    if extra:
        text = f"{text} {extra.format(hs=_as_written(goods.hs, habit), brand=_brand(trader))}"
    if dice.chance(trader.careless * SLIPS):
        text = _slipped(text, dice)
    return _set(text, habit)


def _as_written(hs: str, habit: int) -> str:
    return (hs, f"{hs[:4]}.{hs[4:]}", f"{hs[:4]}.{hs[4:]}.00", hs[:4])[habit % 4]


def _brand(trader: Trader) -> str:
    """Return the word of its name that it sells under."""
    words = [word for word in _WORD.findall(trader.name) if not FORM.fullmatch(word)]
    return str(words[trader.words % len(words[:2])]) if words else trader.name


def _set(text: str, habit: int) -> str:
    setting = habit % 17
    if setting < 11:
        return shouted(text) if setting % 2 else text.upper()
    if setting < 14:
        return text.capitalize()
    return text if setting == 14 else plain(text)


def _slipped(text: str, dice: Dice) -> str:
    at = dice.whole(1, max(1, len(text) - 2))
    return text[:at] + text[at + 1 :]
