"""The traffic of three nodes: each gets the papers that its country's authority would see.

Panama sees what its ports and carriers report. What leaves Panama for a port of the Netherlands or
Belgium is reported there, too, by the same carrier soon after its departure list; that report is
written here from the list, for the simulator lives in Panama alone.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from isthmus.cargo.formats import cuscar
from isthmus.cargo.formats.cuscar_writer import write_cuscar
from isthmus.cargo.formats.source import Source
from isthmus.cargo.model import Accepted, Consignment, Function, Manifest, Regime
from isthmus.cli.demo.places import CROSSING, PANAMA, PLACES, Place

Sent = list[tuple[datetime, Path]]
LATER = timedelta(hours=2)  # the report of arrival after the departure list
LIST = ".cuscar.edi"


def split(documents: Sequence[tuple[datetime, Path]], folder: Path) -> dict[str, Sent]:
    """Return what each node is sent and when, by its code; new reports stand in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    shares: dict[str, Sent] = {place.code: [] for place in PLACES}
    shares[PANAMA.code] = list(documents)
    for at, path in documents:
        if path.name.endswith(LIST):
            for place, report in _reports(path, folder):
                shares[place.code].append((at + LATER, report))
    return {code: sorted(sent) for code, sent in shares.items()}


def _reports(path: Path, folder: Path) -> Iterator[tuple[Place, Path]]:
    """Write what a departure list means to the ports of discharge: one report a port."""
    with path.open("rb") as stream:
        read = [one.record for one in cuscar.read(stream, Source(path.name))
                if isinstance(one, Accepted)]  # fmt: skip
    for port, leaving in _by_port(read).items():
        place = next(one for one in PLACES if one.country == port[:2])
        report = folder / f"{path.name.removesuffix(LIST)}-{port}{LIST}"
        report.write_bytes(arrival(leaving, port))
        yield place, report


def _by_port(records: Sequence[object]) -> Mapping[str, list[Consignment]]:
    found: dict[str, list[Consignment]] = defaultdict(list)
    abroad = {place.country for place in PLACES if place != PANAMA}
    for one in records:
        if isinstance(one, Consignment) and one.manifest.direction == "departure":
            port = one.place_discharge or ""
            if port[:2] in abroad and one.function is Function.ORIGINAL:
                found[port].append(one)
    return found


def arrival(leaving: Sequence[Consignment], port: str) -> bytes:
    """Return the report of arrival at ``port`` of what one departure list names for it."""
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
        issued_at=left.issued_at + LATER if left.issued_at else None,
    )
    return write_cuscar(
        head,
        [_arriving(one, head) for one in leaving],
        profile="D.11A",
        sender=head.carrier or "CARRIER",
        recipient=f"{port[:2]}CUSTOMS",
        control_reference=head.reference[-14:],
        character_set="UNOW",
    )


def _arriving(one: Consignment, head: Manifest) -> Consignment:
    """A box stays or goes on by another ship; it came from Panama either way."""
    delivered = one.place_delivery or one.place_discharge or ""
    here = delivered[:2] == (head.port or "")[:2]
    if one.regime is Regime.EMPTY:
        return replace(one, manifest=head)
    return replace(one, manifest=head, regime=Regime.IMPORT if here else Regime.TRANSHIPMENT)
