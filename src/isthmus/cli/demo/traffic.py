"""The traffic of the two nodes abroad: what left Panama weeks ago and calls at their ports now.

Panama sees what its ports and carriers report. The simulator lives in Panama alone, so what the
Netherlands and Belgium see is written here from its departure lists: a report of each arrival at
Rotterdam or Antwerp, and what their terminals tell of the boxes. A list that names a port further
on is discharged at the nearer of the two.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from isthmus.cargo.formats import cuscar
from isthmus.cargo.formats.cuscar_writer import write_cuscar
from isthmus.cargo.formats.source import Source
from isthmus.cargo.model import Accepted, Consignment, Function, Manifest, Regime
from isthmus.cli.demo.places import BELGIUM, CROSSING, NETHERLANDS, Place
from isthmus.kernel.time import isoformat
from isthmus.reference.places import terminals
from isthmus.simulator import run
from isthmus.simulator.papers import post

Sent = list[tuple[datetime, Path]]

CONSIGNMENTS = 1_500  # of Panama, so that sixty boxes and more call at each of the two
REPORTED = timedelta(hours=1)  # the report, after the ship is in
DISCHARGED = timedelta(hours=5)
OUT = timedelta(days=4)  # every second box goes out through the gate
LIST = ".cuscar.edi"
# Where a box is discharged whose list names a port of these countries, and who sees it.
NEARER: Mapping[str, tuple[Place, str]] = {
    **dict.fromkeys(("NL", "DE", "GB", "DK", "SE", "NO", "FI", "PL"), (NETHERLANDS, "NLRTM")),
    **dict.fromkeys(("BE", "FR", "ES", "PT", "IE", "IT", "MA"), (BELGIUM, "BEANR")),
}


@dataclass(frozen=True, slots=True)
class Abroad:
    """What the nodes abroad are sent, by their code, and the world it comes from."""

    out: Path
    sent: Mapping[str, Sent]


def live(folder: Path, now: datetime, days: int, seed: int, rate: float) -> Abroad:
    """Live a world that ended a crossing ago; return what it brings to the ports abroad."""
    out = folder / "traffic"
    # Ships reach Panama four days after its papers begin, and leave it within two more.
    start = now - CROSSING - timedelta(days=days + 5)
    run.generate(out, run.Order(CONSIGNMENTS, days, seed, start, rate))
    shares: dict[str, Sent] = {NETHERLANDS.code: [], BELGIUM.code: []}
    for number, (_, path) in enumerate(post.sent(out / run.DOCUMENTS)):
        if path.name.endswith(LIST):
            for place, port, leaving in _calls(path):
                shares[place.code] += _papers(folder / f"{number:05}-{port}", port, leaving)
    return Abroad(out, {code: sorted(sent) for code, sent in shares.items()})


def _calls(path: Path) -> Iterator[tuple[Place, str, list[Consignment]]]:
    """Yield what a departure list brings to each port: whose papers, where, and what."""
    with path.open("rb") as stream:
        read = [
            one.record
            for one in cuscar.read(stream, Source(path.name))
            if isinstance(one, Accepted) and isinstance(one.record, Consignment)
        ]
    found: dict[tuple[Place, str], list[Consignment]] = defaultdict(list)
    for one in read:
        named = one.place_discharge or ""
        if one.manifest.direction != "departure" or named[:2] not in NEARER:
            continue
        place, nearer = NEARER[named[:2]]
        if one.function is Function.ORIGINAL:
            found[place, named if named[:2] == place.country else nearer].append(one)
    for (place, port), leaving in found.items():
        yield place, port, leaving


def _papers(
    stem: Path, port: str, leaving: Sequence[Consignment]
) -> Iterator[tuple[datetime, Path]]:
    """Write the report of an arrival and what the terminal tells of its boxes."""
    left = leaving[0].manifest.departure_at
    if left is None:
        return
    came = left + CROSSING
    report = stem.with_name(f"{stem.name}{LIST}")
    report.write_bytes(arrival(leaving, port))
    yield came + REPORTED, report
    boxes = [(one, box.number) for one in leaving for box in one.containers]
    told = (("DISC", came + DISCHARGED, boxes), ("GTOT", came + OUT, boxes[::2]))
    for code, at, moved in told:
        events = stem.with_name(f"{stem.name}-{code}.events.jsonl")
        events.write_text("".join(_events(code, at, port, moved)), encoding="utf-8")
        yield at + timedelta(minutes=5), events


def _events(
    code: str, at: datetime, port: str, moved: Iterable[tuple[Consignment, str]]
) -> Iterator[str]:
    known = terminals(port)
    for number, (one, box) in enumerate(moved):
        head = one.manifest
        terminal = known[sum(map(ord, head.reference)) % len(known)].code if known else None
        told = {
            "event_id": f"{terminal or port}-{head.reference}-{code}-{number}",
            "sender": terminal or port,
            "code": code,
            "container": box,
            "at": isoformat(at.replace(microsecond=0)),
            "planned": False,
            "place": port,
            "bill": one.bill,
            "vessel_imo": head.vessel_imo,
            "voyage": head.voyage,
        }
        if terminal:
            told["terminal"] = terminal
        yield json.dumps(told) + "\n"


def arrival(leaving: Sequence[Consignment], port: str) -> bytes:
    """Return the report of arrival at ``port`` of what one departure list brings there."""
    left = leaving[0].manifest
    head = replace(
        left,
        reference=f"{left.reference}{port}",
        function=Function.ORIGINAL,
        direction="arrival",
        port=port,
        arrival_at=left.departure_at + CROSSING if left.departure_at else None,
        departure_at=None,
        cutoff_at=None,
        issued_at=left.departure_at,
    )
    return write_cuscar(
        head,
        [_arriving(one, head, port) for one in leaving],
        profile="D.11A",
        sender=head.carrier or "CARRIER",
        recipient=f"{port[:2]}CUSTOMS",
        control_reference=head.reference[-14:],
        character_set="UNOW",
    )


def _arriving(one: Consignment, head: Manifest, port: str) -> Consignment:
    """A box stays or goes on by another ship; it came from Panama either way."""
    delivered = one.place_delivery or one.place_discharge or port
    moved = replace(one, manifest=head, place_discharge=port, place_delivery=delivered)
    if one.regime is Regime.EMPTY:
        return moved
    here = delivered[:2] == port[:2]
    return replace(moved, regime=Regime.IMPORT if here else Regime.TRANSHIPMENT)
