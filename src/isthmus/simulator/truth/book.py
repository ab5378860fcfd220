"""Truth: what a generator alone can know, in a folder that nobody who reads documents gets."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from isthmus import __version__
from isthmus.simulator.ais.acts import SeaAct
from isthmus.simulator.papers.faults import Fault
from isthmus.simulator.smuggling.officers import Inspection
from isthmus.simulator.smuggling.planted import Planted, PlantedVoyage
from isthmus.simulator.traffic.shipment import Shipment
from isthmus.simulator.truth.labelled import Labelled

FOLDER = "truth"
ORDER = "run.json"
PLANTED = "planted.jsonl"
VOYAGES = "voyages.jsonl"
INSPECTIONS = "inspections.jsonl"
FAULTS = "faults.jsonl"
SAILED = "sailed.jsonl"


class Truth:
    """Keeps the truth of a run; only the process that is told to writes it."""

    def __init__(self, out: Path, *, writes: bool) -> None:
        self.folder = out / FOLDER
        self.planted: Counter[str] = Counter()  # in consignments, by method
        self.at_sea: Counter[str] = Counter()  # on ships and small craft, by method
        self.kinds: Counter[str] = Counter()
        self.inspected: Counter[str] = Counter()  # by result
        self._writes = writes
        self._table = Labelled()
        self._files: dict[str, BinaryIO] = {}
        if writes:
            self.folder.mkdir(parents=True)
            for name in (PLANTED, VOYAGES, INSPECTIONS):
                self._files[name] = (self.folder / name).open("wb")

    def ordered(self, order: Mapping[str, Any]) -> None:
        """Write down what was asked, and the version that made it: with both, anybody can make
        the same bytes again."""
        if self._writes:
            said = {"isthmus": __version__, **order}
            options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS
            (self.folder / ORDER).write_bytes(orjson.dumps(said, option=options, default=str))

    def take(
        self,
        shipments: Sequence[Shipment],
        planted: Sequence[Planted],
        inspections: Sequence[tuple[Shipment, Inspection]],
    ) -> None:
        """Take a day's shipments with what is so about them."""
        for entry in planted:
            self.kinds[entry.kind] += 1
            if entry.guilty:
                self.planted[entry.scheme.code] += 1
        for _, inspection in inspections:
            self.inspected[inspection.result] += 1
        if not self._writes:
            return
        for entry in sorted(planted, key=lambda entry: entry.shipment.bill):
            self._write(PLANTED, _planted(entry))
        for shipment, inspection in inspections:
            self._write(INSPECTIONS, {**_where(shipment), **asdict(inspection)})
        by_shipment = {id(entry.shipment): entry for entry in planted}
        by_inspected = {id(shipment): inspection for shipment, inspection in inspections}
        self._table.take(shipments, by_shipment, by_inspected)

    def voyages(
        self, planted: Sequence[PlantedVoyage], boarded: Sequence[Inspection | None]
    ) -> None:
        """Take what was planted on ships and small craft, each with its boarding if there was."""
        for entry, inspection in zip(planted, boarded, strict=True):
            if entry.guilty:
                self.at_sea[entry.scheme.code] += 1
            if self._writes:
                found = asdict(inspection) if inspection else None
                self._write(VOYAGES, {**_voyage(entry), "boarded": found})

    def sailed(self, acts: Iterable[tuple[SeaAct, SeaAct | None]]) -> None:
        """Take the acts at sea as asked and as done: moved to when she was there, or not done."""
        if self._writes:
            rows = ({"asked": asdict(a), "done": asdict(d) if d else None} for a, d in acts)
            lines = (orjson.dumps(row) + b"\n" for row in rows)
            (self.folder / SAILED).write_bytes(b"".join(lines))

    def close(self, faults: Iterable[Fault]) -> None:
        """Write the clerical errors and the labelled table, and close every file."""
        if not self._writes:
            return
        for file in self._files.values():
            file.close()
        with (self.folder / FAULTS).open("wb") as file:
            for fault in faults:
                file.write(orjson.dumps(asdict(fault)) + b"\n")
        self._table.write(self.folder)

    def _write(self, name: str, row: Mapping[str, Any]) -> None:
        self._files[name].write(orjson.dumps(row, option=orjson.OPT_SORT_KEYS) + b"\n")


def rows(out: Path, name: str = PLANTED) -> Sequence[dict[str, Any]]:
    """Return the rows of one file of a run's truth."""
    return [orjson.loads(line) for line in (out / FOLDER / name).read_bytes().splitlines()]


def _where(shipment: Shipment) -> dict[str, Any]:
    """Name a shipment as a node names it: empty boxes have no bill of their own."""
    return {
        "bill": shipment.bill if shipment.goods else None,
        "container": shipment.box.number,
        "regime": shipment.regime.value,
    }


def _planted(entry: Planted) -> dict[str, Any]:
    row = {
        "kind": entry.kind,
        **_where(entry.shipment),
        "method": entry.scheme.code,
        "traces": entry.left,
    }
    if entry.guilty:
        row |= {
            "objective": entry.scheme.objective,
            "goods": entry.scheme.goods,
            "kilograms": entry.kilograms,
            "zone": entry.scheme.zone,
            "group": entry.group.number if entry.group else None,
            "adapted": entry.adapted,
        }
    return row


def _voyage(entry: PlantedVoyage) -> dict[str, Any]:
    return {
        "kind": "planted" if entry.guilty else "look_alike",
        "vessel": entry.vessel,
        "voyage": entry.call.voyage if entry.call else None,
        "method": entry.scheme.code,
        "objective": entry.scheme.objective,
        "goods": entry.scheme.goods if entry.guilty else None,
        "kilograms": entry.kilograms,
        "traces": entry.left,
        "acts": [asdict(act) for act in entry.acts],
        "adapted": entry.adapted,
    }
