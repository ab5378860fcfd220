"""What it costs to check a change of a list against all known parties, and that nothing is missed.

    python bench/rescreen.py [--data ../shared/data] [--parties 1000000] [--sample 20000]

A million made party lines, one in five hundred of them a noisy writing of a listed name. Changes
of 10 entries (the median day of the OFAC list) and of 561 (the largest seen) are looked up among
them. Beside it, the peer: every party screened anew against the whole list, on a sample. On that
sample both must give the same hits with the same scores, or this ends in an error.
"""

import argparse
import random
import resource
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from names.samples import Listed, listed, noisy

from isthmus.parties.index import NameIndex
from isthmus.parties.rescreen import PartyIndex
from isthmus.parties.screen import screen_all
from isthmus.simulator import world
from isthmus.simulator.actors.names import Names
from isthmus.simulator.dice import Dice

CHANGES = (10, 561)
SEED = 31
LISTED_SHARE = 1 / 500
THRESHOLD = 0.5


def main() -> None:
    """Measure, compare and print."""
    asked = _arguments()
    if not asked.data.exists():
        raise SystemExit(f"{asked.data} is not here: nothing is measured")
    names = listed(asked.data / "watchlists")
    lines = list(_lines(asked.parties, names))
    before, began = _memory(), time.process_time()
    known = PartyIndex()
    known.add((str(at), line) for at, line in enumerate(lines))
    spent = time.process_time() - began
    print(
        f"{len(lines):,} parties, {len(known):,} readings: indexed in {spent:.0f} s of processor, "
        f"{(_memory() - before) / len(lines):,.0f} bytes a party"
    )
    for count in CHANGES:
        changed = _changed(names, count, SEED)
        began = time.process_time()
        hits = known.search([name.name for name in changed])
        print(
            f"{count} changed entries ({len(changed)} names): {len(hits):,} hits in "
            f"{time.process_time() - began:.1f} s of processor"
        )
    _compare(lines[: asked.sample], names, len(lines))


def _compare(lines: Sequence[str], names: Sequence[Listed], parties: int) -> None:
    index = NameIndex(name.name for name in names)
    began = time.process_time()
    anew = screen_all(lines, {"list": index}, THRESHOLD)
    spent = time.process_time() - began
    print(
        f"screening {len(lines):,} parties anew against {len(names):,} names: {spent:.0f} s of "
        f"processor, so {spent / len(lines) * parties:,.0f} s for {parties:,}"
    )
    known = PartyIndex()
    known.add((str(at), line) for at, line in enumerate(lines))
    for seed in range(SEED, SEED + 3):
        for count in CHANGES:
            changed = _changed(names, count, seed)
            places = {id(name): at for at, name in enumerate(changed)}
            whole = {
                (str(party), places[id(names[hit.place])], hit.reading, hit.capacity, hit.score)
                for party, hits in enumerate(anew)
                for hit in hits
                if id(names[hit.place]) in places
            }
            alone = {
                (hit.party, hit.place, hit.reading, hit.capacity, hit.score)
                for hit in known.search([name.name for name in changed], THRESHOLD)
            }
            if whole != alone:
                raise SystemExit(f"change of {count}, seed {seed}: {whole ^ alone} differ")
            print(f"change of {count}, seed {seed}: {len(alone):,} hits, the same as screened anew")


def _memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _changed(names: Sequence[Listed], count: int, seed: int) -> list[Listed]:
    """All names of some entries."""
    entities = sorted({name.entity for name in names})
    chosen = set(random.Random(f"changed {seed}").sample(entities, count))
    return [name for name in names if name.entity in chosen]


def _lines(count: int, names: Sequence[Listed]) -> Iterator[str]:
    texts = world.load().texts
    firms = Names(texts, Dice(SEED, "known parties"))
    countries = sorted(texts["countries"])
    dice = random.Random(SEED)
    chosen = dice.choices(names, k=int(count * LISTED_SHARE) + 1)
    meant = iter(noisy([name.name for name in chosen], SEED))
    for at in range(count):
        if at % round(1 / LISTED_SHARE) == 0:
            yield next(meant)
            continue
        name, kind = firms.firm(dice.choice(countries), "any"), dice.random()
        if kind < 0.6:
            yield f"{name}, {dice.randint(1, 900)} MAIN ROAD, PANAMA"
        elif kind < 0.7:
            yield f"{name} C/O {firms.firm(dice.choice(countries), 'any')}"
        elif kind < 0.75:
            yield f"TO THE ORDER OF {name}"
        else:
            yield name


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--parties", type=int, default=1_000_000)
    parser.add_argument("--sample", type=int, default=20_000)
    return parser.parse_args()


if __name__ == "__main__":
    main()
