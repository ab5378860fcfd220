"""Make the table of how common words are in names: src/isthmus/parties/data/rarity.csv.

    python -m names.rarity ../shared/data/watchlists      (from bench/)

Counts names of two kinds, one half each: listed names (public domain) and names on no list
(simulator, Faker). Only words of three names or more are kept, so the table holds no list.
"""

import csv
import json
import sys
from collections import Counter
from pathlib import Path

import isthmus.parties
from isthmus.parties.fold import words

from .samples import listed, unlisted

TABLE = Path(isthmus.parties.__file__).parent / "data" / "rarity.csv"
SEED, FEWEST = 900, 3


def main(folder: Path) -> None:
    """Count and write."""
    have = listed(folder)
    names = [name.name for name in have]
    for entity in json.loads((folder / "bis_entity_list.json").read_text())["entities"]:
        names += [entity["name"], *entity["aliases"]]
    names += unlisted(len(names), SEED, have)
    counts = Counter(word for name in names for word in set(words(name)))
    kept = sorted((word, count) for word, count in counts.items() if count >= FEWEST)
    with TABLE.open("w", encoding="ascii", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(("word", "names"))
        lines.writerow(("*", len(names)))
        lines.writerows(kept)
    print(f"{len(kept):,} words of {len(names):,} names")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
