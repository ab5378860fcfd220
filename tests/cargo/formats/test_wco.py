"""WCO Data Model declarations: real samples, the many shapes of a document, and hostile ones."""

import io
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.cargo.formats import wco_document
from isthmus.cargo.formats.source import Source
from isthmus.cargo.formats.wco import FORMAT
from isthmus.cargo.model import (
    Accepted,
    Declaration,
    Function,
    PartyRole,
    Reading,
    Regime,
    Rejected,
    Seal,
)
from isthmus.kernel.money import Money
from isthmus.reference.codelist import code_list

SOURCE = Source("declaration.xml")
NS = 'xmlns="urn:wco:datamodel:WCO:DEC-DMS:2"'
HEAD = "<FunctionCode>9</FunctionCode><FunctionalReferenceID>LRN-1</FunctionalReferenceID>"


def read(document: str | bytes) -> list[Reading]:
    data = document.encode() if isinstance(document, str) else document
    return list(FORMAT.read(io.BytesIO(data), SOURCE))


def recognised(document: str | bytes) -> bool:
    data = document.encode() if isinstance(document, str) else document
    return FORMAT.recognise(data[:8192], SOURCE)


def declaration(inside: str = "", head: str = HEAD, namespace: str = NS) -> str:
    return f"<Declaration {namespace}>{head}{inside}</Declaration>"


def goods(inside: str, number: str = "1") -> str:
    return (
        "<GoodsShipment><GovernmentAgencyGoodsItem>"
        f"<SequenceNumeric>{number}</SequenceNumeric>{inside}"
        "</GovernmentAgencyGoodsItem></GoodsShipment>"
    )


def accepted(document: str | bytes) -> Declaration:
    (reading,) = read(document)
    assert isinstance(reading, Accepted), reading
    assert isinstance(reading.record, Declaration)
    return reading.record


def rejected(document: str | bytes) -> Rejected:
    (reading,) = read(document)
    assert isinstance(reading, Rejected), reading
    assert reading.reason in code_list("quarantine_reasons")
    return reading


# --- real samples


@pytest.fixture
def samples(shared_data: Path) -> Path:
    return shared_data / "messages" / "wco_declarations"


def test_the_samples_give_the_declarations_they_hold(samples: Path) -> None:
    functions: Counter[Function] = Counter()
    items: Counter[Function] = Counter()
    refused: list[Rejected] = []
    files = sorted(samples.glob("*.xml"))
    for file in files:
        assert recognised(file.read_bytes()), file.name
        with file.open("rb") as stream:
            for reading in FORMAT.read(stream, Source(file.name)):
                if isinstance(reading, Rejected):
                    refused.append(reading)
                    continue
                assert isinstance(reading.record, Declaration)
                functions[reading.record.function] += 1
                items[reading.record.function] += len(reading.record.goods)
                for flag in reading.flags:
                    assert flag.code in code_list("quality_flags")
    assert len(files) == 46
    assert functions == {Function.ORIGINAL: 42, Function.CHANGE: 2, Function.CANCEL: 1}
    assert items[Function.ORIGINAL] == 50
    (fault,) = refused
    assert fault.reason == "not_well_formed"
    assert fault.field == "line 72, column 7"
    assert "line 72, column 7" in fault.message
    assert "TT_EX002a" in fault.message


def test_the_amendments_and_the_cancellation_name_their_parent(samples: Path) -> None:
    added = accepted((samples / "TT_Add_Item_Scenario_v1_Step2_Amendment.xml").read_bytes())
    assert (added.function, added.parent_reference) == (Function.CHANGE, "23GB6W3GLSX9Z5JAR4")
    assert added.local_reference == "CCDP-4108_AME_20230621-01"
    assert added.amended_fields == (
        "Declaration[1]/GoodsItemQuantity",
        "Declaration[1]/TotalPackageQuantity",
        "Declaration[1]/GoodsShipment[1]/GovernmentAgencyGoodsItem[3]",
    )
    assert added.reason is not None
    assert added.reason.startswith("28: Amend GoodsItemQuantity")
    assert [item.number for item in added.goods] == [3]

    mass = accepted((samples / "TT_IM003a_TT_IM003a_Amendment_(Step_3).xml").read_bytes())
    assert mass.parent_reference == "20GB34BBUAX6DFGVR2"
    assert mass.amended_fields == (
        "Declaration[1]/GoodsShipment[1]/GovernmentAgencyGoodsItem[1]/Commodity[1]"
        "/GoodsMeasure[1]/NetNetWeightMeasure",
    )
    assert mass.reason == "28: AMENDMENT"
    assert mass.goods[0].net_kg == Decimal("2.1")
    assert mass.goods[0].gross_kg is None

    gone = accepted((samples / "TT_EX010a_Cancellation.xml").read_bytes())
    assert (gone.function, gone.parent_reference) == (Function.CANCEL, "24GBDIRIGZ7QLCPAA8")
    assert gone.reason == "1: This is a duplicate, please can"
    assert gone.regime is Regime.UNKNOWN


def test_a_real_export_is_read_field_by_field(samples: Path) -> None:
    record = accepted((samples / "TT_EX010a_TT_EX010a.xml").read_bytes())
    assert record.reference == record.local_reference == "U.7867523JNCOL"
    assert (record.type_code, record.regime) == ("EXA", Regime.EXPORT)
    assert (record.pre_lodged, record.supplementary) == (False, False)
    assert (record.office, record.procedure, record.mode) == ("GB000084", "1040", "4")
    assert (record.conveyance, record.vessel_imo) == ("CSCLGLOBE", None)
    assert (record.dispatch_country, record.destination_country) == ("GB", "PK")
    assert (record.goods_location, record.packages) == ("CBRLHRXAD", 1)
    assert record.invoice == Money(Decimal(9500), "GBP")
    roles = {party.role: party for party in record.parties}
    assert set(roles) == {
        PartyRole.DECLARANT,
        PartyRole.AGENT,
        PartyRole.EXPORTER,
        PartyRole.CARRIER,
        PartyRole.CONSIGNEE,
    }
    assert roles[PartyRole.CONSIGNEE].name == "PK Rifle Ltd"
    assert roles[PartyRole.CONSIGNEE].address == ("Islamabad",)
    assert roles[PartyRole.CONSIGNEE].postcode == "PK1 234"
    (item,) = record.goods
    assert (item.hs, item.gross_kg, item.net_kg) == ("93063030", Decimal(20), Decimal(15))
    assert (item.packages[0].count, item.packages[0].kind, item.marks) == (1, "BX", "TIME123")
    (container,) = record.containers
    assert (container.number, container.seals) == ("AHFB9384274", (Seal("17583753"),))
    document = "GoodsShipment/GovernmentAgencyGoodsItem/AdditionalDocument[4]"
    extra = dict(record.extra)
    assert extra[f"{document}/ID"] == "GBSIEE2E350001-0001"
    assert extra[f"{document}/WriteOff/QuantityQuantity@unitCode"] == "KGM#G"


def test_pre_lodged_and_supplementary_samples(samples: Path) -> None:
    early = accepted((samples / "TT_IM026a_TT_IM026a.xml").read_bytes())
    assert (early.type_code, early.pre_lodged, early.supplementary) == ("IMD", True, False)
    assert early.dispatch_country == "BR"  # declared on the goods item only
    later = accepted(next(samples.glob("IMY_*.xml")).read_bytes())
    assert (later.type_code, later.pre_lodged, later.supplementary) == ("IMY", False, True)
    assert later.accepted_at == datetime(2025, 7, 31, 10, 22, tzinfo=UTC)
    assert [item.hs for item in later.goods] == ["0709931000"] * 2
    assert (later.vessel_imo, later.payment) == ("12345", "R")


def test_a_sample_cut_anywhere_is_refused_and_nothing_is_raised(samples: Path) -> None:
    whole = (samples / "TT_EX010a_Cancellation.xml").read_bytes()
    end = whole.rindex(b">") + 1
    for length in range(end):
        readings = read(whole[:length])
        assert readings
        assert isinstance(readings[-1], Rejected)
        FORMAT.recognise(whole[:length][:8192], SOURCE)


# --- shapes of a document


@pytest.mark.parametrize(
    "document",
    [
        declaration(),
        declaration(namespace='xmlns="urn:wco:datamodel:WCO:DEC-DMS:7"'),
        declaration(namespace='xmlns="urn:wco:datamodel:PA:DEC:1"'),
        declaration(namespace=""),
        declaration(namespace="", head=f"<LanguageCode>es</LanguageCode>{HEAD}"),
        declaration().replace("<", "<d:").replace("<d:/", "</d:").replace("xmlns=", "xmlns:d="),
        f'<MetaData xmlns="urn:wco:datamodel:WCO:DocumentMetaData-DMS:2">{declaration()}</MetaData>',
        f"<MetaData>{declaration(namespace='')}</MetaData>",
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header/>'
        f"<s:Body>{declaration()}</s:Body></s:Envelope>",
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope">'
        f"<s:Body>{declaration(namespace='')}</s:Body></s:Envelope>",
        f'<submit xmlns="urn:national"><detail>{declaration()}</detail></submit>',
    ],
)
def test_wrappers_namespaces_and_prefixes_make_no_difference(document: str) -> None:
    assert recognised(document)
    assert accepted(document).reference == "LRN-1"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings(encoding: str) -> None:
    name = "UTF-16" if "16" in encoding else "UTF-8"
    text = f'<?xml version="1.0" encoding="{name}"?>' + declaration(
        "<Exporter><Name>Fábrica São João 海</Name></Exporter>"
    )
    data = text.encode(encoding)
    assert recognised(data)
    assert accepted(data).parties[0].name == "Fábrica São João 海"


@pytest.mark.parametrize(
    ("prolog", "encoding"),
    [
        ('<?xml version="1.0" encoding="UTF-8"?>', "latin-1"),
        ('<?xml version="1.0" encoding="UTF-16"?>', "utf-8"),
        ('<?xml version="1.0" encoding="UTF-8"?>', "utf-16-le"),
        ('<?xml version="1.0" encoding="EUC-JP"?>', "utf-8"),
        ('<?xml version="1.0" encoding="base64"?>', "utf-8"),
        ('<?xml version="1.0" encoding="none-such"?>', "utf-8"),
    ],
)
def test_a_declared_encoding_that_is_not_the_actual_one(prolog: str, encoding: str) -> None:
    data = (prolog + declaration("<Exporter><Name>São</Name></Exporter>")).encode(encoding)
    assert rejected(data).reason == "encoding"


def test_a_legacy_encoding_that_is_declared_is_read() -> None:
    text = '<?xml version="1.0" encoding="windows-1252"?>' + declaration(
        "<Exporter><Name>Ñandú €</Name></Exporter>"
    )
    assert accepted(text.encode("cp1252")).parties[0].name == "Ñandú €"


@pytest.mark.parametrize(
    "document",
    [
        "<html xmlns='http://www.w3.org/1999/xhtml'><body/></html>",
        '<Declaration xmlns="urn:cra:something-else"><FunctionCode>9</FunctionCode></Declaration>',
        "<Declaration><Signatory/></Declaration>",
        "<MetaData><Camera>x</Camera></MetaData>",
        "<catalogue><Declaration><FunctionCode>9</FunctionCode></Declaration></catalogue>",
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" '
        'targetNamespace="urn:wco:datamodel:WCO:DEC-DMS:2"><xs:element name="Declaration"/>',
        '<Response xmlns="urn:wco:datamodel:WCO:RES-DMS:2"><Declaration/></Response>',
        "<!DOCTYPE html><html/>",
        "UNB+UNOA:1+A+B+260101:1200+1'",
        "",
        '{"function": "original"}',
    ],
)
def test_another_vocabulary_is_not_recognised(document: str) -> None:
    assert not recognised(document)


def test_metadata_without_a_declaration_is_unsupported() -> None:
    answer = (
        '<m:MetaData xmlns:m="urn:wco:datamodel:WCO:DocumentMetaData-DMS:2">'
        '<Response xmlns="urn:wco:datamodel:WCO:RES-DMS:2"><FunctionCode>01</FunctionCode>'
        "<Declaration><ID>24GB1</ID></Declaration></Response></m:MetaData>"
    )
    assert recognised(answer)
    fault = rejected(answer)
    assert (fault.reason, fault.ordinal) == ("unsupported", 0)


def test_one_bad_declaration_leaves_the_others() -> None:
    bad = declaration(goods("<CustomsValueAmount>7</CustomsValueAmount>"))
    readings = read(f"<batch>{declaration()}\n{bad}\n{declaration()}</batch>")
    assert [type(reading).__name__ for reading in readings] == ["Accepted", "Rejected", "Accepted"]
    assert [reading.ordinal for reading in readings] == [1, 2, 3]
    fault = readings[1]
    assert isinstance(fault, Rejected)
    assert fault.position == "declaration 2"
    assert fault.message.startswith("line 2: ")


def test_what_was_whole_before_the_document_broke_is_kept() -> None:
    readings = read(f"<batch>{declaration()}<Declaration {NS}><Functi")
    assert [reading.ordinal for reading in readings] == [1, 2]
    assert isinstance(readings[0], Accepted)
    assert isinstance(readings[1], Rejected)
    assert readings[1].reason == "not_well_formed"


# --- values


@pytest.mark.parametrize(
    ("inside", "reason", "field", "value"),
    [
        (
            goods(
                "<Commodity><GoodsMeasure><GrossMassMeasure>heavy</GrossMassMeasure>"
                "</GoodsMeasure></Commodity>"
            ),
            "value_impossible",
            "GoodsShipment/GovernmentAgencyGoodsItem/Commodity/GoodsMeasure/GrossMassMeasure",
            "heavy",
        ),
        ("<TotalGrossMassMeasure>-1</TotalGrossMassMeasure>", "value_impossible", "TotalGrossMassMeasure", "-1"),
        ("<TotalGrossMassMeasure>1E999999</TotalGrossMassMeasure>", "value_impossible", "TotalGrossMassMeasure", "1E999999"),
        ("<TotalGrossMassMeasure>١٢</TotalGrossMassMeasure>", "value_impossible", "TotalGrossMassMeasure", "١٢"),
        ('<TotalGrossMassMeasure unitCode="LTR">1</TotalGrossMassMeasure>', "code_unknown", "TotalGrossMassMeasure", "1"),
        ("<TotalPackageQuantity>1.5</TotalPackageQuantity>", "value_impossible", "TotalPackageQuantity", "1.5"),
        ("<InvoiceAmount>9</InvoiceAmount>", "value_missing", "InvoiceAmount", "9"),
        ('<InvoiceAmount currencyID="pounds">9</InvoiceAmount>', "code_unknown", "InvoiceAmount", "9"),
        (
            '<IssueDateTime><DateTimeString formatCode="102">20250230</DateTimeString></IssueDateTime>',
            "value_impossible",
            "IssueDateTime/DateTimeString",
            "20250230",
        ),
        (
            '<IssueDateTime><DateTimeString formatCode="999">20250230</DateTimeString></IssueDateTime>',
            "code_unknown",
            "IssueDateTime/DateTimeString",
            "20250230",
        ),
        (
            "<GoodsShipment><GovernmentAgencyGoodsItem/></GoodsShipment>",
            "value_missing",
            "GoodsShipment/GovernmentAgencyGoodsItem/SequenceNumeric",
            None,
        ),
        (
            "<GoodsShipment><GovernmentAgencyGoodsItem><SequenceNumeric>1</SequenceNumeric>"
            "</GovernmentAgencyGoodsItem><GovernmentAgencyGoodsItem><SequenceNumeric>1"
            "</SequenceNumeric></GovernmentAgencyGoodsItem></GoodsShipment>",
            "duplicate_identity",
            "GoodsShipment/GovernmentAgencyGoodsItem[2]",
            None,
        ),
        (
            goods("<Commodity><Classification><ID>85X9</ID></Classification></Commodity>"),
            "value_impossible",
            "GoodsShipment/GovernmentAgencyGoodsItem/Commodity/Classification/ID",
            "85X9",
        ),
        ("<FunctionCode>9</FunctionCode>", "value_impossible", "FunctionCode[2]", "9"),
    ],
)  # fmt: skip
def test_a_bad_value_names_line_path_value_and_reason(
    inside: str, reason: str, field: str, value: str | None
) -> None:
    fault = rejected("<batch>\n\n" + declaration(inside) + "</batch>")
    assert (fault.reason, fault.field, fault.value) == (reason, field, value)
    assert fault.message.startswith("line 3: ")
    assert field in fault.message


@pytest.mark.parametrize(
    ("head", "reason", "field"),
    [
        ("<ID>1</ID>", "value_missing", "FunctionCode"),
        ("<FunctionCode>9</FunctionCode>", "value_missing", "ID"),
        ("<FunctionCode>77</FunctionCode><ID>1</ID>", "code_unknown", "FunctionCode"),
        ("<FunctionCode>13</FunctionCode><ID>1</ID><TypeCode>GPN</TypeCode>", "code_unknown", "FunctionCode"),
        (
            "<FunctionCode>13</FunctionCode><TypeCode>COR</TypeCode>"
            "<FunctionalReferenceID>own</FunctionalReferenceID>",
            "value_missing",
            "ID",
        ),
    ],
)  # fmt: skip
def test_a_message_without_function_or_reference(head: str, reason: str, field: str) -> None:
    fault = rejected(declaration(head=head))
    assert (fault.reason, fault.field) == (reason, field)


@pytest.mark.parametrize(
    ("form", "text", "moment"),
    [
        ("102", "20250731", datetime(2025, 7, 31, tzinfo=UTC)),
        ("203", "202507311122", datetime(2025, 7, 31, 11, 22, tzinfo=UTC)),
        ("204", "20250731112233", datetime(2025, 7, 31, 11, 22, 33, tzinfo=UTC)),
        ("205", "202507311122-0500", datetime(2025, 7, 31, 16, 22, tzinfo=UTC)),
        ("304", "20250731112200+01", datetime(2025, 7, 31, 10, 22, tzinfo=UTC)),
        ("304", "20250731112200Z", datetime(2025, 7, 31, 11, 22, tzinfo=UTC)),
        ("", "2025-07-31T11:22:00-05:00", datetime(2025, 7, 31, 16, 22, tzinfo=UTC)),
        ("", "2025-07-31", datetime(2025, 7, 31, tzinfo=UTC)),
    ],
)
def test_moments_in_the_formats_of_the_trade(form: str, text: str, moment: datetime) -> None:
    inside = f'<IssueDateTime><DateTimeString formatCode="{form}">{text}</DateTimeString></IssueDateTime>'
    assert accepted(declaration(inside)).lodged_at == moment


@pytest.mark.parametrize(
    ("type_code", "procedure", "regime", "pre_lodged", "supplementary"),
    [
        ("IMA", "4000", Regime.IMPORT, False, False),
        ("IMF", "4000", Regime.IMPORT, True, False),
        ("IMZ", "4071", Regime.IMPORT, False, True),
        ("IMK", "0012", Regime.IMPORT, True, False),
        ("EXE", "1040", Regime.EXPORT, True, False),
        ("EXX", "1040", Regime.EXPORT, False, True),
        ("IMA", "7800", Regime.FREE_ZONE_IN, False, False),
        ("IMA", "4078", Regime.FREE_ZONE_OUT, False, False),
        ("T1", "", Regime.TRANSIT, False, False),
        ("TRA", "8000", Regime.TRANSIT, False, False),
        ("COA", "4000", Regime.UNKNOWN, False, False),
        ("XXD", "4000", Regime.UNKNOWN, False, False),
    ],
)
def test_type_and_procedure_say_the_regime(
    type_code: str, procedure: str, regime: Regime, pre_lodged: bool, supplementary: bool
) -> None:
    coded = f"<GovernmentProcedure><CurrentCode>{procedure[:2]}</CurrentCode><PreviousCode>{procedure[2:]}</PreviousCode></GovernmentProcedure>"
    record = accepted(declaration(f"<TypeCode>{type_code}</TypeCode>" + goods(coded)))
    assert (record.regime, record.pre_lodged, record.supplementary) == (
        regime,
        pre_lodged,
        supplementary,
    )


def test_changes_without_a_number_act_on_the_declarants_reference() -> None:
    for code, function in (("1", Function.CANCEL), ("4", Function.CHANGE), ("5", Function.CHANGE)):
        record = accepted(declaration(head=HEAD.replace(">9<", f">{code}<")))
        assert (record.function, record.parent_reference) == (function, "LRN-1")


def test_containers_seals_and_the_zero_that_says_none() -> None:
    shipment = """<GoodsShipment><Consignment><ContainerCode>1</ContainerCode>
      <TransportEquipment><SequenceNumeric>1</SequenceNumeric><ID>csqu 305438-3</ID>
        <CharacteristicCode>45R1</CharacteristicCode><FullnessCode>5</FullnessCode>
        <Seal><SequenceNumeric>1</SequenceNumeric><ID>ML-PA 1234</ID></Seal>
        <Seal><SequenceNumeric>0</SequenceNumeric><ID>NOSEALS</ID></Seal></TransportEquipment>
      <TransportEquipment><SequenceNumeric>0</SequenceNumeric><ID>NONE</ID></TransportEquipment>
      <TransportContractDocument><ID>BL1</ID><TypeCode>705</TypeCode></TransportContractDocument>
      </Consignment>
      <GovernmentAgencyGoodsItem><SequenceNumeric>1</SequenceNumeric><Commodity>
      <TransportEquipment><SequenceNumeric>1</SequenceNumeric></TransportEquipment>
      <TransportEquipment><ID>CSQU3054384</ID></TransportEquipment></Commodity>
      <AdditionalDocument><CategoryCode>N</CategoryCode><TypeCode>740</TypeCode><ID>AWB1</ID>
      </AdditionalDocument></GovernmentAgencyGoodsItem></GoodsShipment>"""
    (reading,) = read(declaration(shipment))
    assert isinstance(reading, Accepted)
    record = reading.record
    assert isinstance(record, Declaration)
    first, second = record.containers
    assert (first.number, first.size_type, first.empty) == ("CSQU3054383", "45R1", False)
    assert first.seals == (Seal("MLPA1234"),)
    assert second.number == "CSQU3054384"
    assert record.goods[0].containers == ("CSQU3054383", "CSQU3054384")
    assert record.bills == ("BL1", "AWB1")
    assert [(flag.code, flag.value) for flag in reading.flags] == [
        ("container_check_digit", "CSQU3054384"),
        ("container_unlisted", "CSQU3054384"),
    ]


def test_oddities_the_trade_lives_with_are_flagged() -> None:
    (reading,) = read(
        declaration(
            "<GoodsItemQuantity>2</GoodsItemQuantity><TotalPackageQuantity>9</TotalPackageQuantity>"
            "<BorderTransportMeans><ID>IMO 9074728</ID><IdentificationTypeCode>10"
            "</IdentificationTypeCode></BorderTransportMeans>"
            + goods(
                "<Commodity><GoodsMeasure><GrossMassMeasure>1</GrossMassMeasure>"
                "<NetNetWeightMeasure>2</NetNetWeightMeasure></GoodsMeasure></Commodity>"
                "<Packaging><QuantityQuantity>5</QuantityQuantity></Packaging>"
            )
        )
    )
    assert isinstance(reading, Accepted)
    assert isinstance(reading.record, Declaration)
    assert reading.record.vessel_imo == "9074728"
    assert sorted(flag.code for flag in reading.flags) == [
        "imo_check_digit",
        "quantity_inconsistent",
        "quantity_inconsistent",
        "weight_inconsistent",
    ]


def test_a_persons_nationality_is_never_kept() -> None:
    record = accepted(
        declaration(
            "<Exporter><Name>A</Name><NationalityCode>XX</NationalityCode>"
            "<RoleCode>EX</RoleCode></Exporter>"
        )
    )
    assert record.extra == (("Exporter/RoleCode", "EX"),)


# --- hostile documents


def bomb(doctype: str) -> str:
    return f"<!DOCTYPE Declaration [{doctype}]>" + declaration(
        "<Exporter><Name>&x;</Name></Exporter>"
    )


LAUGHS = '<!ENTITY a0 "ha">' + "".join(
    f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)
)


@pytest.mark.parametrize(
    "document",
    [
        bomb(LAUGHS + '<!ENTITY x "&a9;">'),
        bomb('<!ENTITY x SYSTEM "file:///etc/passwd">'),
        bomb('<!ENTITY x SYSTEM "http://127.0.0.1:9/x">'),
        bomb('<!ENTITY % p SYSTEM "http://127.0.0.1:9/x"> %p;'),
        bomb(f'<!ENTITY x "{"y" * 100_000}">').replace("&x;", "&x;" * 1000),
        '<!DOCTYPE Declaration SYSTEM "http://127.0.0.1:9/x.dtd">' + declaration(),
        "<!DOCTYPE Declaration>" + declaration(),
    ],
    ids=["laughs", "file", "network", "parameter", "quadratic", "dtd", "bare"],
)
def test_a_document_type_is_refused_before_anything_is_expanded(document: str) -> None:
    assert recognised(document)
    fault = rejected(document)
    assert (fault.reason, fault.ordinal) == ("entity_forbidden", 0)
    assert "etc/passwd" not in fault.message


def test_an_undeclared_entity_is_not_well_formed() -> None:
    assert rejected(declaration("<TypeCode>&x;</TypeCode>")).reason == "not_well_formed"


class Endless(io.RawIOBase):
    """A gigabyte that is made as it is read, and counts what was asked of it."""

    def __init__(self, head: bytes, unit: bytes) -> None:
        self.head, self.unit, self.given = head, unit, 0

    def read(self, size: int = -1) -> bytes:
        assert 0 < size <= 1024 * 1024, "the reader asks for no more than it can hold"
        if self.given >= 1024**3:
            return b""
        piece = (self.head if not self.given else b"") + self.unit * (size // len(self.unit))
        self.given += len(piece)
        return piece[:size]


@pytest.mark.parametrize(
    ("unit", "reason"),
    [
        (b"\n" * 64, "too_large"),
        (b"x" * 64, "too_large"),
        (b"<a>", "too_deep"),
    ],
)
def test_a_gigabyte_is_refused_early(unit: bytes, reason: str) -> None:
    stream = Endless(declaration().removesuffix("</Declaration>").encode(), unit)
    readings = list(FORMAT.read(stream, SOURCE))
    assert [getattr(reading, "reason", None) for reading in readings] == [reason]
    assert stream.given <= FORMAT.limit + 1024 * 1024


def test_an_endless_tag_or_comment_is_refused_early() -> None:
    for start in (b"<!--", b'<a b="'):
        stream = Endless(declaration().removesuffix("</Declaration>").encode() + start, b"x" * 64)
        (reading,) = FORMAT.read(stream, SOURCE)
        assert isinstance(reading, Rejected)
        assert reading.reason == "too_large"
        assert stream.given < 4 * 1024 * 1024


def test_too_long_a_value_spoils_its_declaration_only() -> None:
    for long in (
        f"<TypeCode>{'x' * 30_000}</TypeCode>",
        f'<TypeCode a="{"x" * 30_000}">x</TypeCode>',
    ):
        readings = read(f"<batch>{declaration(long)}{declaration()}</batch>")
        assert isinstance(readings[0], Rejected)
        assert (readings[0].reason, readings[0].field) == ("value_too_long", "TypeCode")
        assert isinstance(readings[1], Accepted)


def test_too_many_elements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wco_document, "MAX_ELEMENTS_EACH", 50)
    monkeypatch.setattr(wco_document, "MAX_ELEMENTS", 150)
    many = declaration("<Extra>1</Extra>" * 60)
    readings = read(f"<batch>{many}{declaration()}{many * 3}</batch>")
    assert [getattr(reading, "reason", "accepted") for reading in readings] == [
        "too_large",
        "accepted",
        "too_large",
        "too_large",
    ]
    assert [reading.ordinal for reading in readings] == [1, 2, 3, 4]


def test_empty_documents() -> None:
    assert rejected(b"").reason == "empty_document"
    assert rejected(b" \n").reason == "not_well_formed"


WHOLE = declaration(
    "<TypeCode>IMA</TypeCode><InvoiceAmount currencyID='USD'>1</InvoiceAmount>"
    + goods("<Origin><CountryCode>PA</CountryCode></Origin>")
).encode()


def test_cut_at_every_byte() -> None:
    for length in range(len(WHOLE)):
        assert rejected(WHOLE[:length]).reason in {"not_well_formed", "empty_document"}


@given(st.integers(0, len(WHOLE) - 1), st.binary(max_size=6), st.integers(0, 40))
def test_no_damage_raises(at: int, put: bytes, drop: int) -> None:
    damaged = WHOLE[:at] + put + WHOLE[at + drop :]
    recognised(damaged)
    for reading in read(damaged):
        assert isinstance(reading, Accepted) or reading.reason in code_list("quarantine_reasons")


@given(st.binary(max_size=200))
def test_no_bytes_raise(data: bytes) -> None:
    recognised(data)
    assert isinstance(read(data)[-1], Rejected)
