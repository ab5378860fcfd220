"""A verifier of its own: ``python bundle_check.py BUNDLE SEED`` where neither node is.

Verifies the bundle as it is, then with one bit flipped: a bit of every byte, drawn by the seed, and
every bit of one byte in twenty. Prints what it found as one JSON object.
"""

import json
import random
import sys
from collections import Counter
from pathlib import Path

from isthmus.exchange.proof import bundle


def main() -> None:
    raw, dice = Path(sys.argv[1]).read_bytes(), random.Random(int(sys.argv[2]))
    flips = [(place, dice.randrange(8)) for place in range(len(raw))]
    flips += [
        (place, bit) for place in dice.sample(range(len(raw)), len(raw) // 20) for bit in range(8)
    ]
    found, wrong = bundle.verify(raw)
    passed, nowhere, where = [], [], Counter()
    for place, bit in flips:
        changed = bytearray(raw)
        changed[place] ^= 1 << bit
        shown, findings = bundle.verify(bytes(changed))
        if shown is not None:
            passed.append((place, bit))
        elif not findings or not all(one.where and one.code for one in findings):
            nowhere.append((place, bit))
        else:
            where[findings[0].where.partition("[")[0].split()[0]] += 1
    print(json.dumps({
        "whole": found is not None, "wrong": [one.code for one in wrong], "flips": len(flips),
        "passed": passed, "nowhere": nowhere, "where": where,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
