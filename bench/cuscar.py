"""Segments a second of our CUSCAR reader beside pydifact, in one run; storage is left out.

    python bench/cuscar.py [--consignments N] [--rounds N]

The manifest is made here: N consignments in N/2 containers, a tenth of the names with released
characters. Each reader takes the same bytes from memory; the best of the rounds counts, on one
core. pydifact reads the first tenth of the manifest, because it holds and walks all of a text.
"""

import argparse
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO

from pydifact.parser import Parser

from isthmus.cargo.formats.cuscar import FORMAT
from isthmus.cargo.formats.cuscar_writer import write_cuscar
from isthmus.cargo.formats.edifact import segments
from isthmus.cargo.formats.source import Source
from isthmus.cargo.model import (
    Accepted,
    Consignment,
    Container,
    Function,
    GoodsItem,
    Manifest,
    Packages,
    Party,
    PartyRole,
    Regime,
    Seal,
)

MOMENT = datetime(2026, 1, 1, 12, tzinfo=UTC)


def sample(consignments: int) -> bytes:
    """A manifest of the given number of consignments, two to a container."""
    manifest = Manifest(
        "BENCH-1",
        Function.ORIGINAL,
        carrier="MAEU",
        vessel_imo="9321483",
        vessel_name="EMMA MAERSK",
        voyage="123W",
        mode="1",
        direction="arrival",
        port="PAMIT",
        arrival_at=MOMENT,
        issued_at=MOMENT,
    )
    plain = Container(
        "", "22G1", empty=False, tare_kg=Decimal(2200), seals=(Seal("A1", affixed_by="carrier"),)
    )
    records = []
    for n in range(consignments):
        box = replace(plain, number=f"MSKU{n // 2:07d}")
        name = "Importadora D'Istmo + Cía" if n % 10 == 0 else "Importadora del Istmo SA"
        records.append(
            Consignment(
                manifest,
                bill=f"MAEU{n:09d}",
                regime=Regime.TRANSHIPMENT if n % 2 else Regime.IMPORT,
                place_loading="CNSHA",
                place_discharge="PAMIT",
                place_delivery="COCTG",
                parties=(
                    Party(PartyRole.CONSIGNOR, "Shanghai Exports Ltd", country="CN"),
                    Party(PartyRole.CONSIGNEE, name, city="Colón", country="PA"),
                ),
                goods=(
                    GoodsItem(
                        1,
                        "Leather shoes, men's" if n % 10 == 0 else "Leather shoes",
                        hs="640399",
                        gross_kg=Decimal("12000.5"),
                        packages=(Packages(800, "CT"),),
                        containers=(box.number,),
                    ),
                ),
                containers=(box,),
            )
        )
    return write_cuscar(
        manifest,
        records,
        profile="D.95B",
        sender="MAEU",
        recipient="PACUSTOMS",
        control_reference="1",
    )


def best(rounds: int, run: Callable[[], Iterable[object]]) -> tuple[int, float]:
    """How many things a run yields, and the shortest time it took."""
    shortest, count = float("inf"), 0
    for _ in range(rounds):
        begun = time.perf_counter()
        count = sum(1 for _ in run())
        shortest = min(shortest, time.perf_counter() - begun)
    return count, shortest


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--consignments", type=int, default=10_000)
    options.add_argument("--rounds", type=int, default=5)
    chosen = options.parse_args()
    warnings.simplefilter("ignore")  # pydifact tells that it holds no directories
    source = Source("bench.edi")
    content = sample(chosen.consignments)
    tenth = sample(max(1, chosen.consignments // 10))
    text = tenth.decode("iso8859-1")

    total, ours = best(chosen.rounds, lambda: segments(BytesIO(content)))
    rate = total / ours
    theirs_total, theirs = best(chosen.rounds, lambda: Parser().parse(text))
    peer = theirs_total / theirs
    readings, whole = best(chosen.rounds, lambda: FORMAT.read(BytesIO(content), source))
    kept = sum(isinstance(r, Accepted) for r in FORMAT.read(BytesIO(content), source))
    if kept != chosen.consignments or readings != kept:
        raise SystemExit(f"{kept} of {chosen.consignments} consignments read: no figure")

    print(f"manifest: {chosen.consignments} consignments, {total} segments, {len(content)} bytes")
    print(f"isthmus, to typed segments: {rate:>9,.0f} segments/s   (goal 100,000)")
    print(f"pydifact, to segments:      {peer:>9,.0f} segments/s   ({theirs_total} segments)")
    print(f"ratio:                      {rate / peer:>9.1f}")
    print(
        f"isthmus, to records:        {total / whole:>9,.0f} segments/s   "
        f"({kept / whole:,.0f} consignments/s)"
    )


if __name__ == "__main__":
    main()
