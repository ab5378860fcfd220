"""A day's traffic for the journeys, written by the project's own writers around a moment.

Two manifests, a change of one that names another consignee, events of the terminal, one bad line.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from isthmus.cargo.formats.cuscar_writer import write_cuscar
from isthmus.cargo.model import (
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
from isthmus.reference.check_digits import container_check_digit

# description, HS, gross kg, packages, from, to, size-type, weighed more by (kg)
LINES = (
    ("FROZEN SHRIMP IN CARTONS", "030617", 18_200, 1820, "ECGYE", "NLRTM", "45R1", 0),
    ("FRESH BANANAS CAVENDISH", "080390", 21_600, 1080, "ECGYE", "BEANR", "45R1", 900),
    ("SCRAP METAL FERROUS", "720449", 24_900, 1, "COCTG", "ESVLC", "22G1", 0),
    ("GENERAL CARGO", None, 12_400, 310, "COCTG", "NLRTM", "45G1", 0),
    ("COFFEE NOT ROASTED IN BAGS", "090111", 19_250, 275, "COBUN", "FRLEH", "22G1", 0),
    ("CERAMIC TILES", "690721", 25_800, 21, "CNSHA", "PAMIT", "22G1", 0),
    ("LEATHER HANDBAGS", "420221", 6_900, 690, "CNYTN", "PAMIT", "45G1", 0),
    ("PINEAPPLES FRESH", "080430", 20_400, 1200, "CRMOB", "PTLIS", "45R1", 0),
    ("ASPHALT IN DRUMS", "271320", 22_800, 120, "COCTG", "USMIA", "22G1", 1400),
    ("FURNITURE PARTS OF WOOD", "940391", 11_100, 420, "BRSSZ", "PAMIT", "45G1", 0),
    ("CIGARETTES CONTAINING TOBACCO", "240220", 9_800, 980, "AEJEA", "PAMIT", "45G1", 0),
    ("MIXED TEXTILES", "630900", 13_500, 300, "USNYC", "PAMIT", "45G1", 0),
)


def box(number: int) -> str:
    """A container number with its check digit."""
    start = f"ISTU{number:06d}"
    return f"{start}{container_check_digit(start)}"


def documents(now: datetime) -> Iterator[tuple[str, bytes]]:
    """Every document with its name, in the order in which they come in."""
    for voyage in range(2):
        head = _head(now, voyage)
        consignments = [_consignment(head, voyage, number) for number in range(len(LINES))]
        yield f"{head.voyage}.edi", _written(head, consignments, f"REF{voyage}")
    again = replace(_head(now, 0), function=Function.CHANGE, issued_at=now)
    told = _consignment(_head(now, 0), 0, 2)
    another = Party(PartyRole.CONSIGNEE, name="TRANSPORTES RUEDA SL", country="ES", city="VALENCIA")
    changed = replace(
        told,
        manifest=again,
        function=Function.CHANGE,
        parties=(told.parties[0], another),
        place_delivery="ESALG",
    )
    yield "601E-change.edi", _written(again, [changed], "REF9")
    yield "events.jsonl", _events(now)
    yield "declarations.json", _declarations(now)


def _head(now: datetime, voyage: int) -> Manifest:
    return Manifest(
        reference=f"MAN2026{voyage + 1:03d}",
        function=Function.ORIGINAL,
        carrier=("MAEU", "CMDU")[voyage],
        vessel_imo=("9321483", "9454436")[voyage],
        vessel_name=("EMMA EXAMPLE", "MARCO EXAMPLE")[voyage],
        voyage=f"60{voyage + 1}E",
        mode="1",
        direction="arrival",
        port="PAMIT",
        arrival_at=(now + timedelta(hours=(9, 31)[voyage])).replace(second=0, microsecond=0),
        issued_at=(now - timedelta(hours=30)).replace(second=0, microsecond=0),
    )


def _consignment(head: Manifest, voyage: int, number: int) -> Consignment:
    words, hs, gross, count, origin, to, size_type, _ = LINES[number]
    container = box(1000 * voyage + number + 1)
    here = to == "PAMIT"
    return Consignment(
        manifest=head,
        bill=f"{head.carrier}{voyage + 1}{number:05d}",
        regime=Regime.IMPORT if here else Regime.TRANSHIPMENT,
        place_loading=origin,
        place_discharge="PAMIT",
        place_delivery=to,
        parties=(
            Party(
                PartyRole.CONSIGNOR,
                name=f"EXPORTADORA DEL SUR {number % 5 + 1} SA",
                country=origin[:2],
                address=("AVENIDA PRINCIPAL 100",),
                city="CIUDAD",
            ),
            Party(
                PartyRole.CONSIGNEE,
                name="TO ORDER" if number == 3 else f"IMPORT HOUSE {number % 7 + 1} BV",
                country=to[:2],
            ),
            Party(PartyRole.NOTIFY, name="ISTHMUS FORWARDING INC", country="PA"),
        ),
        goods=(
            GoodsItem(
                number=1,
                description=words,
                hs=hs,
                gross_kg=Decimal(gross),
                packages=(Packages(count, "CT"),),
                containers=(container,),
            ),
        ),
        containers=(
            Container(
                container,
                size_type=size_type,
                empty=False,
                vgm_kg=Decimal(gross + 4600 if size_type[0] == "4" else gross + 2300),
                tare_kg=Decimal(4600 if size_type[0] == "4" else 2300),
                temperature_c=None if number == 1 else Decimal("-18") if "R" in size_type else None,
                seals=()
                if number == 8
                else (Seal(f"CO{voyage}{number:05d}", affixed_by="carrier"),),
            ),
        ),
    )


def _written(head: Manifest, consignments: list[Consignment], reference: str) -> bytes:
    return write_cuscar(
        head,
        consignments,
        profile="D.95B",
        sender=head.carrier or "",
        recipient="PACUSTOMS",
        control_reference=reference,
    )


def _events(now: datetime) -> bytes:
    lines: list[str] = []

    def tell(number: int, code: str, hours_ago: float, **more: object) -> None:
        at = (now - timedelta(hours=hours_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")
        event = {"event_id": f"MIT-{len(lines):05d}", "sender": "MIT", "code": code,
                 "container": box(number), "at": at, "place": "PAMIT", **more}  # fmt: skip
        lines.append(json.dumps(event))

    tell(2, "DISC", 6)
    for hours in (5.5, 4, 2.5):
        tell(2, "isth:yard_move", hours, position=f"A{int(hours * 2):02d}-14-2")
    weight = LINES[1][2] + 4600 + LINES[1][7]
    tell(2, "isth:weigh", 2, weight_kg=str(weight))
    tell(3, "DISC", 5)
    tell(3, "RMVD", 3, seals=[{"number": "CO000002", "state": "missing"}])
    tell(3, "RSEA", 2.8, seals=[{"number": "XX991177"}])
    lines.append(
        '{"event_id": "MIT-BROKEN", "sender": "MIT", "code": "NOPE", "container": "ISTU1"}'
    )
    return "\n".join(lines).encode() + b"\n"


def _declarations(now: datetime) -> bytes:
    lodged = (now - timedelta(hours=20)).strftime("%Y-%m-%dT%H:%M:%SZ")
    made = [
        {
            "reference": f"26PA0001000{number:07d}",
            "function": "original",
            "regime": "import",
            "lodged_at": lodged,
            "gross_kg": str(LINES[number][2]),
            "parties": [{"role": "importer", "name": f"IMPORT HOUSE {number % 7 + 1} BV"}],
            "goods": [
                {
                    "number": 1,
                    "description": LINES[number][0].capitalize(),
                    "hs": LINES[number][1],
                    "origin": LINES[number][4][:2],
                    "customs_value": {"amount": f"{9000 + 1000 * number}.00", "currency": "USD"},
                }
            ],
            "containers": [{"number": box(number + 1)}],
        }
        for number in (5, 6, 9, 10)
    ]
    waiting = {
        "reference": "26PA00010009999999-A1",
        "function": "change",
        "parent_reference": "26PA00010009999999",
        "regime": "import",
        "goods": [],
    }
    return json.dumps([*made, waiting]).encode()
