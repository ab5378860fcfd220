"""How fast a share is decided, beside the plain evaluator of the tests on the same cases.

    python bench/decide.py [--items 2000]

``alert``: an alert of forty paths, five persons among them, under the eight clauses of a shipped
agreement and the shipped overlay; beside it canonical JSON of the same item, which every envelope
costs at least. ``thirty``: an alert of thirty fields, two persons among them, under the same,
beside the second evaluator, which must answer alike. ``cases``: seeded small cases, beside it too.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from agreements import naive
from agreements.cases import Dice, a_case
from isthmus.agreements import overlay, shipped
from isthmus.agreements.decide import decide
from isthmus.agreements.examples import in_force
from isthmus.agreements.model import Decision
from isthmus.kernel.canonical import canonical

PERSON = {"category": "suspect", "name": "Ana Ficta", "role": "consignee"}
BODY = {
    "reason": "concealment",
    "action": "inspect",
    "containers": ["MSKU1234565"],
    "vessels": [{"imo": "9434761", "name": "FICTA"}] * 5,
    "documents": [{"kind": "bill", "number": "F1"}] * 5,
    "persons": [PERSON] * 5,
}


THIRTY = {
    "reason": "intelligence",
    "action": "inspect",
    "objective": "contraband",
    "methods": ["rip_on_rip_off"],
    "containers": ["MSKU1234565"],
    "seals": ["SL1234567"],
    "vessels": [{"imo": "9434761", "name": "FICTA", "mmsi": "371234000", "flag": "PA"}],
    "documents": [{"kind": "bill", "number": "F1"}] * 2,
    "companies": [{"name": "Ficta S.A.", "country": "PA", "registration_number": "155-1"}],
    "persons": [{**PERSON, "birth_date": "1980-01-01", "document_number": "P1"}] * 2,
    "places": ["PAMIT"],
    "expires_at": "2026-12-01T00:00:00Z",
    "remarks": {"language": "en", "text": "Watch"},
}


def rate(name: str, count: int, act: Callable[[int], object]) -> None:
    """Print how long one act takes."""
    started = time.perf_counter()
    for number in range(count):
        act(number)
    each = (time.perf_counter() - started) / count
    print(f"{name:<44}{each * 1e6:10.1f} µs   {1 / each:12,.0f} a second")


def told(decision: Decision) -> tuple[object, ...]:
    """What of a decision both evaluators must say alike."""
    stays = {path: (one.code, one.clause) for path, one in decision.withheld.items()}
    return dict(decision.released), stays, decision.duties


def main() -> None:
    """Run both."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--items", type=int, default=2000)
    count = options.parse_args().items
    agreement = next(one for one in shipped.fictional() if one.id == "PA-NL-2026")
    example = next(one for one in agreement.examples["art-7"] if one.allow)
    item = replace(example.item, body=BODY)
    clauses, rules = in_force(agreement), overlay.shipped()
    decision = decide(clauses, rules, item, example.asked, example.at)
    print(f"alert: {len(decision.released)} paths released, {len(decision.withheld)} withheld")
    rate("  decide", count, lambda _: decide(clauses, rules, item, example.asked, example.at))
    rate("  canonical JSON of the item", count, lambda _: canonical(item.body))
    thirty = replace(item, body=THIRTY)
    naive.KNOWN = sorted({path.partition(".")[0] for path in thirty.paths()})
    asked, at = example.asked, example.at
    permits = tuple(one for one in clauses if one.clause.permit)  # the others commit to something
    fast, plain = (told(of(permits, rules, thirty, asked, at)) for of in (decide, naive.decide))
    if fast != plain:
        raise SystemExit("the evaluators differ")
    print(f"thirty: {len(thirty.paths())} fields, both evaluators answer alike")
    rate("  decide", count, lambda _: decide(permits, rules, thirty, asked, at))
    rate("  second evaluator", count, lambda _: naive.decide(permits, rules, thirty, asked, at))
    dice = Dice(1)
    cases = [a_case(dice) for _ in range(count)]
    print(f"cases: {count}")
    rate("  decide", count, lambda number: decide(*cases[number]))
    rate("  second evaluator", count, lambda number: naive.decide(*cases[number]))


if __name__ == "__main__":
    main()
