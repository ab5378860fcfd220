"""The box of the story: in a departure list that comes late, under a party that is listed.

Everybody and everything in it is made up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
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
from isthmus.cli.demo import traffic
from isthmus.cli.demo.lookouts import LATER
from isthmus.cli.demo.places import CROSSING
from isthmus.reference.check_digits import container_check_digit

CLOSES = timedelta(minutes=75)  # until the loading of the ship closes
LEAVES = timedelta(hours=5)
PORT = "BEANR"
LISTED = LATER[0][0]  # the lookout under which the consignor stands
SEAL = "QX4471826"
PERSON = {"category": "suspect", "name": "Persona Ficticia", "role": "consignor"}
SEAL_READ_AGAIN = "QX4471862"  # what the photograph shows


@dataclass(frozen=True, slots=True)
class Box:
    """The box, and the papers that speak of it."""

    container: str
    arrives_at: datetime
    papers: Mapping[str, bytes]  # by the country that gets them


def box(now: datetime) -> Box:
    """Write the papers of the box: the list that Panama gets late, the report Antwerp gets."""
    now = now.replace(second=0, microsecond=0)
    container = _number(f"DEMU{now:%H%M}42")
    head = Manifest(
        reference=f"LATE{now:%y%m%d%H%M}",
        function=Function.ORIGINAL,
        carrier="DEMO",
        vessel_imo="9321483",
        vessel_name="EXAMPLE",
        voyage="104E",
        mode="1",
        direction="departure",
        port="PAMIT",
        departure_at=now + LEAVES,
        cutoff_at=now + CLOSES,
        issued_at=now,
    )
    leaving = _consignment(head, container)
    written = write_cuscar(
        head,
        [leaving],
        profile="D.11A",
        sender="DEMO",
        recipient="PACUSTOMS",
        control_reference=head.reference,
        character_set="UNOW",
    )
    abroad = traffic.arrival([leaving], PORT)
    return Box(container, now + LEAVES + CROSSING, {"PA": written, "BE": abroad})


def other(now: datetime) -> str:
    """Return the number of another box, that of the alert that is recalled."""
    return _number(f"DEMU{now:%H%M}77")


def _consignment(head: Manifest, container: str) -> Consignment:
    return Consignment(
        manifest=head,
        bill=f"{head.reference}B",
        regime=Regime.TRANSHIPMENT,
        place_origin="COCTG",
        place_loading="PAMIT",
        place_discharge=PORT,
        place_delivery=PORT,
        parties=(
            Party(PartyRole.CONSIGNOR, name=LATER[0][2], city="CARTAGENA", country="CO"),
            Party(PartyRole.CONSIGNEE, name="FRUIT D EXEMPLE SPRL", city="ANVERS", country="BE"),
        ),
        goods=(
            GoodsItem(
                number=1,
                description="FRESH BANANAS IN CARTONS",
                hs="080390",
                gross_kg=Decimal(22_140),
                packages=(Packages(1_080, "CT"),),
                containers=(container,),
            ),
        ),
        containers=(
            Container(
                container,
                size_type="45R1",
                empty=False,
                gross_kg=Decimal(22_140),
                temperature_c=Decimal("13.5"),
                seals=(Seal(SEAL, affixed_by="shipper"),),
            ),
        ),
    )


def _number(stem: str) -> str:
    return f"{stem}{container_check_digit(stem)}"
