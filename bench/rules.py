"""Rows a second judged by 50 rules in one pass, features ready.

    python bench/rules.py [--rounds N]

The rules are those that ship, of every state, and copies of them under other names up to 50. The
rows are the Korean declarations (54,000) where ``../shared/data`` is present, else made here.
"""

import argparse
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import korea
import numpy as np

from isthmus.cargo.unit import Unit
from isthmus.risk.catalogue import field_kinds
from isthmus.risk.features import features
from isthmus.risk.firing import compile_rules, fire
from isthmus.risk.history import History
from isthmus.risk.rules import read_folder, shipped_folder
from isthmus.risk.schema import frame

RULES, ROWS, GOAL = 50, 54_000, 300_000


def made(size: int) -> list[Unit]:
    """Container units with most fields filled, from a fixed seed."""
    rng = np.random.default_rng(7)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    ports = ["ECGYE", "COBUN", "NLRTM", "DEHAM", "PECLL", "BEANR"]
    goods = ["080390", "870323", "620342", "180100", "851762"]
    words = ["general cargo", "fresh bananas", "S.T.C. machine parts", "used cars, sedan", None]
    return [
        Unit(
            id=f"u{n}", kind="container", container=f"MSCU{n % 9000:07}", regime="transhipment",
            mode="1", hs6=goods[n % 5], hs4=goods[n % 5][:4], hs2=goods[n % 5][:2],
            origin_country=ports[n % 6][:2], place_loading=ports[n % 6],
            place_discharge=ports[int(rng.integers(6))], shipper_ref=f"s{int(rng.integers(900))}",
            consignee_ref=f"c{int(rng.integers(2000))}", notify_ref=f"n{n % 700}",
            description=words[int(rng.integers(5))], gross_kg=20_000.0 + n % 700,
            net_kg=19_900.0 + n % 1100, vgm_kg=24_000.0 + n % 999, tare_kg=3_800.0,
            value=float(rng.lognormal(9, 1)), currency="USD", seal_count=int(rng.integers(3)),
            seal_changes=int(rng.integers(3)), reefer=bool(n % 2), reefer_operating=bool(n % 3),
            empty=n % 9 == 0, amendments=int(rng.integers(6)), last_amendment_hours=float(n % 90),
            lodged_at=start + timedelta(minutes=n), arrival_at=start + timedelta(minutes=n + 2000),
        )
        for n in range(size)
    ]  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    for name, units in ([("Korean declarations", korea.units()[0])] if korea.present() else []) + [
        ("made container units", made(ROWS))
    ]:
        rows = features(frame(units), History())
        shipped = list(read_folder(shipped_folder(), field_kinds()).rules)
        copies = [replace(rule, id=f"{rule.id}_again") for rule in shipped]
        compiled = compile_rules((shipped + copies)[:RULES])
        seconds = []
        for _ in range(rounds):
            start = time.perf_counter()
            fired = fire(rows, compiled)
            seconds.append(time.perf_counter() - start)
        assert fired.shape == (len(units), RULES)
        best, middle = min(seconds), sorted(seconds)[rounds // 2]
        print(
            f"{RULES} rules, {len(units):,} {name}: best {len(units) / best:,.0f} rows/s, "
            f"median {len(units) / middle:,.0f} rows/s (goal {GOAL:,})"
        )


if __name__ == "__main__":
    main()
