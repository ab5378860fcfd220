"""The lists of a demonstration: own lookouts, and papers whose parties stand on them.

Every party is made up. One consignee is written in Cyrillic with two letters wrong behind a
"c/o"; that hit is left for whoever looks at the demonstration. An earlier one was judged by the
demonstration's analyst and is not asked again when the list comes in anew.
"""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from isthmus.access.model import Actor, Role
from isthmus.cargo.formats.cuscar_writer import write_cuscar
from isthmus.cargo.model import (
    Consignment,
    Container,
    Function,
    GoodsItem,
    Manifest,
    Party,
    PartyRole,
    Regime,
)
from isthmus.cli.demo import staff
from isthmus.flow import judge
from isthmus.node import Node
from isthmus.parties import hits
from isthmus.parties.hit import Verdict
from isthmus.parties.hit_store import Wanted
from isthmus.parties.judgements import Given
from isthmus.parties.lists import lookout, service
from isthmus.parties.lists.service import File
from isthmus.platform.transaction import Transaction
from isthmus.reference.check_digits import container_check_digit

CODE = "csv"
PORT = "PAMIT"
STANDS = timedelta(days=180)  # how long a lookout of the demonstration is watched for
OWNER = "Demonstration risk analysis"
# Key, kind, name, aliases, numbers.
LOOKOUTS = (
    ("D-1", "company", "CONSTELACION FICTICIA TRADING S.A.", "CONFICTRA", ""),
    ("D-2", "company", "BRISA IMAGINARIA LOGISTICA LTDA", "", ""),
    ("D-3", "vessel", "MIRAGE OF NOWHERE", "", "imo:9999993"),
)
LATER = (("D-4", "company", "PUERTO INVENTADO COMERCIAL S.A.", "", ""),)


@dataclass(frozen=True, slots=True)
class _Paper:
    """A consignment whose consignee stands on the list; ``sent`` and ``arrives`` from now."""

    number: int
    consignee: str
    sent: timedelta
    arrives: timedelta


JUDGED = _Paper(1, "BRISA IMAGINARIA LOJISTICA", timedelta(days=-9), timedelta(days=-6))
LEFT = _Paper(
    2,
    "ООО ПЕРЕВОЗКИ C/O КОНСТЕЛАСЬОН ФИКТИСИЯ ТРЕЙДЫНГ",
    timedelta(hours=-20),
    timedelta(days=2),
)


def take(node: Node, rows: Iterable[tuple[str, ...]], now: datetime) -> None:
    """Take lookouts in as the demonstration's supervisor, and screen again what they concern."""
    supervisor = staff.actor(node, Role.SUPERVISOR)
    file = File("lookouts.csv", table(rows, now))
    node.database.write(lambda tx: service.take(tx, supervisor, CODE, [file]))
    node.rescreener.rescreen_due()


def table(rows: Iterable[tuple[str, ...]], now: datetime) -> bytes:
    """Return lookouts as the CSV file that a node takes in."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(lookout.COLUMNS)
    expires = (now + STANDS).date().isoformat()
    for key, kind, name, aliases, numbers in rows:
        lines.writerow((key, kind, name, aliases, "", numbers, "", "targeting", OWNER, expires))
    return text.getvalue().encode()


def papers(folder: Path, now: datetime, port: str = PORT) -> list[tuple[datetime, Path]]:
    """Write the manifests of the listed consignees, whose boxes arrive at ``port``; return them
    with the moments of sending."""
    folder.mkdir(parents=True, exist_ok=True)
    sent = []
    for paper in (JUDGED, LEFT):
        path = folder / f"listed-{paper.number}.edi"
        path.write_bytes(_manifest(paper, now, port))
        sent.append((now + paper.sent, path))
    return sent


def judge_and_renew(node: Node, now: datetime) -> dict[str, Any]:
    """Let the analyst judge the earlier hit, and the list come in anew; return how hits stand."""
    analyst = staff.actor(node, Role.ANALYST)
    node.database.write(lambda tx: _judge(tx, analyst))
    take(node, (*LOOKOUTS, *LATER), now)
    node.scorer.score_all()
    return {"entries": len(LOOKOUTS) + len(LATER), **_counts(node, analyst)}


def _judge(tx: Transaction, analyst: Actor) -> None:
    given = Given(Verdict.NOT_SAME, "other_address", note="Another trader, in another port.")
    for row in hits.desk(tx, analyst, Wanted(list=CODE), 50):
        if row["key"] == "D-2":
            judge.judge(tx, analyst, row["id"], given)


def _counts(node: Node, analyst: Actor) -> dict[str, int]:
    found = node.database.read(lambda tx: hits.counts(tx, analyst))
    return {f"hits_{state}": count for state, count in sorted(found.items())}


def _manifest(paper: _Paper, now: datetime, port: str) -> bytes:
    head = Manifest(
        reference=f"DEMOLIST{paper.number:04d}",
        function=Function.ORIGINAL,
        carrier="DEMO",
        vessel_imo="9321483",
        vessel_name="EXAMPLE",
        voyage=f"{paper.number:03d}W",
        mode="1",
        direction="arrival",
        port=port,
        arrival_at=now + paper.arrives,
    )
    home = port == PORT
    box = _box("DEMU" if home else f"DE{port[0]}U", paper.number)
    consignment = Consignment(
        manifest=head,
        bill=f"DEMOLISTED{paper.number:04d}",
        regime=Regime.TRANSHIPMENT if home else Regime.IMPORT,
        place_loading="COCTG",
        place_discharge=port,
        place_delivery="NLRTM" if home else port,
        parties=(
            Party(PartyRole.CONSIGNOR, name="EXPORTADORA DE MUESTRA S.A.", country="CO"),
            Party(PartyRole.CONSIGNEE, name=paper.consignee, city="ROTTERDAM", country="NL"),
        ),
        goods=(
            GoodsItem(
                number=1,
                description="CERAMIC TILES ON PALLETS",
                hs="690721",
                gross_kg=Decimal(21_400),
                containers=(box,),
            ),
        ),
        containers=(Container(box, size_type="22G1", empty=False),),
    )
    return write_cuscar(
        head,
        [consignment],
        profile="D.95B",
        sender="DEMO",
        recipient=f"{port[:2]}CUSTOMS",
        control_reference=f"LIST{paper.number}",
        character_set="UNOW",
    )


def _box(owner: str, number: int) -> str:
    stem = f"{owner}{number:06d}"
    return f"{stem}{container_check_digit(stem)}"
