"""What is written as a WCO message is read back as the same record."""

import dataclasses
import io
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.cargo.formats.source import Source
from isthmus.cargo.formats.wco import FORMAT
from isthmus.cargo.formats.wco_writer import write_wco
from isthmus.cargo.model import (
    Accepted,
    Container,
    Declaration,
    Function,
    GoodsItem,
    Packages,
    Party,
    PartyRole,
    Regime,
    Seal,
)
from isthmus.kernel.errors import Invalid
from isthmus.kernel.money import Money


def reread(record: Declaration) -> Declaration:
    data = write_wco(record)
    assert FORMAT.recognise(data[:8192], Source("written"))
    (reading,) = FORMAT.read(io.BytesIO(data), Source("written"))
    assert isinstance(reading, Accepted), reading
    assert isinstance(reading.record, Declaration)
    return reading.record


def comparable(record: Declaration) -> Declaration:
    # The message orders parties by where they stand in it.
    parties = tuple(sorted(record.parties, key=repr))
    return dataclasses.replace(record, parties=parties, extra=())


def test_every_sample_survives_writing(shared_data: Path) -> None:
    count = 0
    for file in sorted((shared_data / "messages" / "wco_declarations").glob("*.xml")):
        with file.open("rb") as stream:
            for reading in FORMAT.read(stream, Source(file.name)):
                if isinstance(reading, Accepted):
                    assert isinstance(reading.record, Declaration)
                    again = reread(reading.record)
                    assert comparable(again) == comparable(reading.record), file.name
                    assert again.extra == ()
                    count += 1
    assert count == 45


letters = st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
codes = st.text(letters, min_size=1, max_size=12)
words = (
    st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=30)
    .map(str.strip)
    .filter(lambda text: bool(text) and "\ufffe" not in text and "\uffff" not in text)
)
amounts = st.decimals(0, 10**12, places=2)
money = st.builds(Money, amounts, st.sampled_from(["USD", "PAB", "EUR"]))
moments = st.integers(0, 4 * 10**9).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
countries = st.sampled_from(["PA", "BE", "NL", "FR", "CO"])
roles = st.sampled_from([role for role in PartyRole if role is not PartyRole.COURIER])
parties = st.builds(
    Party,
    role=roles,
    name=words,
    identifier=st.none() | words,
    address=st.lists(words, max_size=2).map(tuple),
    city=st.none() | words,
    postcode=st.none() | words,
    country=st.none() | countries,
    contact=st.lists(words, max_size=2).map(tuple),
)
numbers = st.integers(0, 9_999_999).map(lambda n: f"CSQU{n:07d}")
containers = st.builds(
    Container,
    number=numbers,
    size_type=st.none() | st.sampled_from(["22G1", "45R1"]),
    empty=st.none() | st.booleans(),
    seals=st.lists(codes.filter(lambda code: code != "NOSEALS").map(Seal), max_size=2).map(tuple),
)
hs = st.integers(4, 10).flatmap(lambda size: st.text("0123456789", min_size=size, max_size=size))


@st.composite
def items(draw: st.DrawFn, number: int, boxes: list[str], procedure: str | None) -> GoodsItem:
    description = draw(st.none() | words)
    language = draw(st.none() | st.sampled_from(["es", "en"])) if description else None
    return GoodsItem(
        number=number,
        description=description,
        language=language,
        hs=draw(st.none() | hs),
        gross_kg=draw(st.none() | amounts),
        net_kg=draw(st.none() | amounts),
        packages=tuple(
            draw(
                st.lists(
                    st.builds(Packages, st.integers(0, 10**9 - 1), st.none() | codes), max_size=2
                )
            )
        ),
        marks=draw(st.none() | words),
        un_number=draw(st.none() | st.sampled_from(["1203", "3480"])),
        price=draw(st.none() | money),
        customs_value=draw(st.none() | money),
        origin=draw(st.none() | countries),
        procedure=procedure,
        duty_rate=draw(st.none() | st.decimals(0, 100, places=3)),
        duty_regime=draw(st.none() | st.sampled_from(["100", "300"])),
        containers=tuple(draw(st.lists(st.sampled_from(boxes), unique=True)) if boxes else ()),
    )


KINDS = [
    ("IMA", Regime.IMPORT, False, False),
    ("IMD", Regime.IMPORT, True, False),
    ("EXY", Regime.EXPORT, False, True),
    ("T1", Regime.TRANSIT, False, False),
    (None, Regime.UNKNOWN, False, False),
]
REASONS = [None, "28", "28: two boxes more", "32: other; 28", "a word of the declarant"]
PATHS = [
    "Declaration[1]/TotalPackageQuantity",
    "Declaration[1]/GoodsShipment[1]/GovernmentAgencyGoodsItem[3]",
    "Declaration[1]/GoodsShipment[1]/GovernmentAgencyGoodsItem[1]/Commodity[1]"
    "/GoodsMeasure[1]/GrossMassMeasure",
    "Declaration[1]/99Z[2]/Q999",
]


@st.composite
def declarations(draw: st.DrawFn) -> Declaration:
    kind, regime, pre_lodged, supplementary = draw(st.sampled_from(KINDS))
    function = draw(st.sampled_from(Function))
    asked = draw(st.booleans()) and function is not Function.ORIGINAL
    if asked:  # a request says what it asks for in place of the type
        kind = "COR" if function is Function.CHANGE else "INV"
        regime, pre_lodged, supplementary = Regime.UNKNOWN, False, False
    reference, local = draw(codes), draw(st.none() | codes)
    boxes = draw(st.lists(containers, max_size=2, unique_by=lambda box: box.number))
    count = draw(st.integers(0, 3))
    procedure = draw(st.sampled_from(["4000", "1040", None])) if count else None
    goods = tuple(
        draw(items(n, [box.number for box in boxes], procedure)) for n in range(1, count + 1)
    )
    original = function is Function.ORIGINAL
    places = st.none() | st.sampled_from(["PAONX", "BEANR"])
    return Declaration(
        reference=reference,
        function=function,
        local_reference=local,
        parent_reference=None if original else reference,
        type_code=kind,
        regime=regime,
        pre_lodged=pre_lodged,
        supplementary=supplementary,
        office=draw(st.none() | codes),
        procedure=procedure,
        lodged_at=draw(st.none() | moments),
        accepted_at=draw(st.none() | moments),
        mode=draw(st.none() | st.sampled_from("1234")),
        vessel_imo=draw(st.none() | st.just("9074729")),
        conveyance=draw(st.none() | words),
        dispatch_country=draw(st.none() | countries),
        destination_country=draw(st.none() | countries),
        place_loading=draw(places),
        place_discharge=draw(places),
        goods_location=draw(st.none() | words),
        bills=tuple(draw(st.lists(codes, max_size=2, unique=True))),
        payment=draw(st.none() | st.sampled_from("ER")),
        invoice=draw(st.none() | money),
        freight=draw(st.none() | money),
        gross_kg=draw(st.none() | amounts),
        packages=draw(st.none() | st.integers(0, 10**9 - 1)),
        parties=tuple(draw(st.lists(parties, max_size=3, unique=True))),
        goods=goods,
        containers=tuple(boxes),
        amended_fields=()
        if original
        else tuple(draw(st.lists(st.sampled_from(PATHS), max_size=3, unique=True))),
        reason=None if original else draw(st.sampled_from(REASONS)),
    )


@given(declarations())
def test_round_trip(record: Declaration) -> None:
    assert comparable(reread(record)) == comparable(record)


PLAIN = Declaration(reference="L1", function=Function.ORIGINAL, local_reference="L1")


def test_an_original_kept_by_its_own_reference_has_no_number_of_customs() -> None:
    assert b"<ID>" not in write_wco(PLAIN)
    numbered = dataclasses.replace(PLAIN, reference="26PA1")
    assert b"<ID>26PA1</ID>" in write_wco(numbered)
    assert reread(numbered) == numbered


def test_the_moment_and_the_mass_are_written_as_the_trade_writes_them() -> None:
    written = write_wco(
        dataclasses.replace(
            PLAIN,
            accepted_at=datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC),
            gross_kg=Decimal("1E+3"),
        )
    )
    assert b'formatCode="304">20260304050607Z<' in written
    assert b'<TotalGrossMassMeasure unitCode="KGM">1000<' in written


def test_what_the_message_cannot_say_is_refused() -> None:
    with pytest.raises(Invalid, match="no party of this role"):
        write_wco(dataclasses.replace(PLAIN, parties=(Party(PartyRole.COURIER, "A"),)))
    with pytest.raises(Invalid, match="names the declaration it acts on"):
        write_wco(dataclasses.replace(PLAIN, function=Function.CHANGE))
    with pytest.raises(Invalid, match="XML forbids"):
        write_wco(dataclasses.replace(PLAIN, conveyance="bell\x07"))
