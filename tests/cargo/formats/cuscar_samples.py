"""Manifests for the tests of CUSCAR: strategies, and a plain one to vary by hand."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from isthmus.cargo.formats.edifact import Separators
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
from isthmus.kernel.money import Money

LETTERS = "ABCXYZabcxyz0189 '+:?.,*-/&ñÑéüßåç"
SEPARATORS = st.sampled_from(
    [
        Separators(),
        Separators(decimal=","),
        Separators(component="|", element="^", terminator="~"),
        Separators(component="\x1f", element="\x1d", release="\\", terminator="\x1c"),
    ]
)
MOMENTS = st.integers(0, 2_200_000_000).map(
    lambda seconds: datetime(2001, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
PLACES = st.sampled_from(["PAMIT", "PAONX", "COCTG", "CNSHA", "NLRTM", "USMIA"])
MASSES = st.decimals(0, 99_999, places=3)


def texts(longest: int = 60) -> st.SearchStrategy[str]:
    """Text as a person would type it: no blank at its ends, single blanks inside."""
    words = st.text(LETTERS.replace(" ", ""), min_size=1, max_size=12)
    return st.lists(words, min_size=1, max_size=longest // 12).map(" ".join)


def codes(longest: int = 17) -> st.SearchStrategy[str]:
    """References: capitals, digits, and characters that need a release."""
    return st.text("ABCXYZ0189'+:?-/", min_size=1, max_size=longest)


NUMBERS = st.from_regex(r"[A-Z]{3}U[0-9]{7}", fullmatch=True)
MONEY = st.builds(Money, st.decimals(0, 10**6, places=2), st.sampled_from(["USD", "PAB", "EUR"]))
SEALS = st.builds(
    Seal,
    number=st.from_regex(r"[A-Z0-9]{3,10}", fullmatch=True),
    affixed_by=st.sampled_from([None, "shipper", "carrier", "customs", "terminal"]),
    state=st.sampled_from([None, "intact", "damaged", "missing", "broken"]),
)
PARTIES = st.builds(
    Party,
    role=st.sampled_from(
        [PartyRole.CONSIGNOR, PartyRole.CONSIGNEE, PartyRole.NOTIFY, PartyRole.FORWARDER]
    ),
    name=texts(),
    identifier=st.none() | codes(),
    address=st.lists(texts(24), max_size=3).map(tuple),
    city=st.none() | texts(24),
    postcode=st.none() | codes(9),
    country=st.sampled_from([None, "PA", "CN"]),
    contact=st.lists(texts(24), max_size=2).map(tuple),
)
CONTAINERS = st.builds(
    Container,
    number=NUMBERS,
    size_type=st.sampled_from([None, "22G1", "45R1"]),
    empty=st.just(False),
    gross_kg=st.none() | MASSES,
    tare_kg=st.none() | MASSES,
    vgm_kg=st.none() | MASSES,
    temperature_c=st.none() | st.decimals(-40, 30, places=1),
    seals=st.lists(SEALS, max_size=3).map(tuple),
)


@st.composite
def goods(draw: st.DrawFn, number: int, containers: tuple[Container, ...]) -> GoodsItem:
    described = draw(st.none() | texts(160))
    return GoodsItem(
        number=number,
        description=described,
        language=draw(st.sampled_from([None, "EN", "ES"])) if described else None,
        hs=draw(st.none() | st.from_regex(r"[0-9]{4,10}", fullmatch=True)),
        gross_kg=draw(st.none() | MASSES),
        net_kg=draw(st.none() | MASSES),
        packages=draw(
            st.lists(
                st.builds(Packages, st.integers(0, 9999), st.sampled_from([None, "CT", "PX"])),
                max_size=2,
            ).map(tuple)
        ),
        marks=draw(st.none() | texts()),
        un_number=draw(st.sampled_from([None, "1203"])),
        price=draw(st.none() | MONEY),
        origin=draw(st.sampled_from([None, "CN", "DE"])),
        containers=tuple(box.number for box in containers),
    )


@st.composite
def manifests(draw: st.DrawFn) -> tuple[Manifest, list[Consignment]]:
    """A manifest with its consignments, house and master, in containers and loose."""
    imo = draw(st.sampled_from([None, "9321483"]))
    manifest = Manifest(
        reference=draw(codes()),
        function=draw(st.sampled_from(list(Function))),
        carrier=draw(st.sampled_from([None, "MAEU", "MSCU"])),
        vessel_imo=imo,
        vessel_name=draw(st.none() | texts(24)),
        call_sign=None if imo else draw(st.sampled_from([None, "OXDF2"])),  # one place for both
        voyage=draw(st.none() | codes()),
        mode=draw(st.sampled_from([None, "1"])),
        direction=draw(st.sampled_from(["arrival", "departure"])),
        port=draw(PLACES),
        arrival_at=draw(st.none() | MOMENTS),
        departure_at=draw(st.none() | MOMENTS),
        issued_at=draw(st.none() | MOMENTS),
        cutoff_at=draw(st.none() | MOMENTS),
    )
    boxes = draw(st.lists(CONTAINERS, max_size=4, unique_by=lambda box: box.number))
    named: set[str] = set()
    consignments = []
    for bill in draw(st.lists(codes(), min_size=1, max_size=4, unique=True)):
        own = tuple(draw(st.lists(st.sampled_from(boxes), unique=True))) if boxes else ()
        named |= {box.number for box in own}
        master = draw(st.none() | codes())
        consignments.append(
            Consignment(
                manifest=manifest,
                bill=bill,
                master_bill=None if master == bill else master,
                function=draw(st.sampled_from([manifest.function, Function.CANCEL])),
                regime=draw(
                    st.sampled_from(
                        [Regime.IMPORT, Regime.EXPORT, Regime.TRANSIT, Regime.TRANSHIPMENT]
                    )
                ),
                place_origin=draw(st.none() | PLACES),
                place_loading=draw(st.none() | PLACES),
                place_transhipment=draw(st.none() | PLACES),
                place_discharge=draw(st.none() | PLACES),
                place_delivery=draw(st.none() | PLACES),
                parties=draw(st.lists(PARTIES, max_size=3).map(tuple)),
                goods=tuple(draw(goods(n + 1, own)) for n in range(draw(st.integers(1, 3)))),
                containers=own,
                freight=draw(st.none() | MONEY),
            )
        )
    for number in draw(st.lists(NUMBERS, max_size=3, unique=True)):
        if number not in named:
            consignments.append(
                Consignment(
                    manifest=manifest,
                    bill=f"{manifest.reference}/{number}",
                    function=manifest.function,
                    regime=Regime.EMPTY,
                    containers=(Container(number, "22G1", empty=True, tare_kg=Decimal(2200)),),
                )
            )
    return manifest, consignments


MANIFEST = Manifest(
    reference="MAN-2026-0017",
    function=Function.ORIGINAL,
    carrier="MAEU",
    vessel_imo="9321483",
    vessel_name="EMMA MAERSK",
    voyage="123W",
    mode="1",
    direction="arrival",
    port="PAMIT",
    arrival_at=datetime(2026, 1, 2, 6, 30, tzinfo=UTC),
    issued_at=datetime(2026, 1, 1, tzinfo=UTC),
)
BOX = Container(
    number="MSKU1234565",
    size_type="22G1",
    empty=False,
    tare_kg=Decimal("2200"),
    vgm_kg=Decimal("14500"),
    seals=(Seal("ML4711", affixed_by="carrier"), Seal("S99", affixed_by="shipper")),
)


def consignment(bill: str = "MAEU0001", **changed: object) -> Consignment:
    """A plain consignment from Shanghai to Manzanillo in one container."""
    plain: dict[str, object] = {
        "manifest": MANIFEST,
        "bill": bill,
        "regime": Regime.IMPORT,
        "place_loading": "CNSHA",
        "place_discharge": "PAMIT",
        "parties": (
            Party(PartyRole.CONSIGNOR, "Shanghai Exports Ltd", country="CN"),
            Party(PartyRole.CONSIGNEE, "Importadora Ñandú, S.A.", city="Colón", country="PA"),
        ),
        "goods": (
            GoodsItem(
                1,
                "Leather shoes",
                hs="640399",
                gross_kg=Decimal("12000"),
                packages=(Packages(800, "CT"),),
                containers=(BOX.number,),
            ),
        ),
        "containers": (BOX,),
    }
    return Consignment(**{**plain, **changed})  # type: ignore[arg-type]
