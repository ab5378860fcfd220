"""CUSCAR read: what a manifest says in either directory, and what of it goes to quarantine."""

import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO

import pytest
from cuscar_samples import BOX, MANIFEST, consignment, manifests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isthmus.cargo.formats import cuscar
from isthmus.cargo.formats.cuscar import FORMAT
from isthmus.cargo.formats.cuscar_profile import parse, profile, profiles
from isthmus.cargo.formats.cuscar_writer import write_cuscar
from isthmus.cargo.formats.source import Source
from isthmus.cargo.model import (
    Accepted,
    Consignment,
    Function,
    Manifest,
    PartyRole,
    Regime,
    Rejected,
    Seal,
)
from isthmus.kernel.errors import Invalid
from isthmus.kernel.money import Money
from isthmus.reference.codelist import code_list

SOURCE = Source("manifest.edi")
HEAD = (
    "BGM+85+MAN1+9'DTM+137:20260101:102'TDT+20+12W+1++MAEU:172:20+++9321483:146:11:EMMA'"
    "LOC+60+PAMIT:139:6'"
)
EQUIPMENT = "EQD+CN+MSKU1234565+22G1:102:5++3+5'SEL+ML 47-11+CA'SEL+S99+SH'"
GOODS = "GID+1+800:CT'FTX+AAA+++LEATHER:SHOES'MEA+AAE+G+KGM:12000'SGP+MSKU1234565+800'"


def message(body: str, *, release: str = "95B", head: str = HEAD, trailer: str | None = None):
    """An interchange with one message, and with the counts that are right for it."""
    segments = f"UNH+1+CUSCAR:D:{release}:UN'" + head + body
    count = segments.replace("?'", "").count("'") + 1
    return f"UNB+UNOC:3+MAEU+PACU+260101:0000+7'{segments}" + (
        f"UNT+{count}+1'UNZ+1+7'" if trailer is None else trailer
    )


def read(text: str | bytes):
    content = text.encode("latin-1") if isinstance(text, str) else text
    return list(FORMAT.read(BytesIO(content), SOURCE))


def only(text: str) -> Consignment:
    (reading,) = read(text)
    assert isinstance(reading, Accepted), reading
    assert isinstance(reading.record, Consignment)
    return reading.record


def refused(text: str | bytes) -> list[Rejected]:
    return [reading for reading in read(text) if isinstance(reading, Rejected)]


def bill(name: str, body: str = GOODS) -> str:
    return f"CNI+1+{name}'RFF+BM:{name}'LOC+9+CNSHA:139:6'LOC+11+PAMIT:139:6'" + body


def test_a_consignment_with_its_manifest_goods_and_container():
    found = only(message(EQUIPMENT + bill("B1")))
    head = found.manifest
    assert (head.reference, head.function) == ("MAN1", Function.ORIGINAL)
    assert (head.carrier, head.vessel_imo, head.vessel_name) == ("MAEU", "9321483", "EMMA")
    assert (head.voyage, head.mode, head.direction, head.port) == ("12W", "1", "arrival", "PAMIT")
    assert head.issued_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert (found.bill, found.master_bill, found.regime) == ("B1", None, Regime.IMPORT)
    (line,) = found.goods
    assert (line.description, line.gross_kg) == ("LEATHER SHOES", Decimal(12000))
    assert (line.packages[0].count, line.packages[0].kind) == (800, "CT")
    (box,) = found.containers
    assert (box.number, box.size_type, box.empty) == ("MSKU1234565", "22G1", False)
    assert box.seals == (Seal("ML4711", affixed_by="carrier"), Seal("S99", affixed_by="shipper"))


def test_goods_in_a_container_that_no_equipment_group_lists_are_flagged():
    other = bill("B1", GOODS + "SGP+MSKU9999990+5'")
    (reading,) = read(message(EQUIPMENT + other))
    assert [box.number for box in reading.record.containers] == ["MSKU1234565", "MSKU9999990"]
    assert [(flag.code, flag.value) for flag in reading.flags] == [
        ("container_unlisted", "MSKU9999990")
    ]
    for listed in (EQUIPMENT + bill("B1"), other):  # all are listed, or there is no list at all
        (reading,) = read(message(listed))
        assert reading.flags == ()


@pytest.mark.parametrize(
    ("given", "imo", "sign"),
    [
        ("9321483:146:11:EMMA", "9321483", None),
        ("oxdf2:103::EMMA", None, "OXDF2"),
        ("OXDF2:103:11:EMMA", None, "OXDF2"),
        (":::EMMA", None, None),
    ],
)
def test_a_ship_is_told_by_its_number_or_its_call_sign(given, imo, sign):
    text = message(bill("B1"))
    assert "9321483:146:11:EMMA" in text
    head = only(text.replace("9321483:146:11:EMMA", given)).manifest
    assert (head.vessel_imo, head.call_sign, head.vessel_name) == (imo, sign, "EMMA")


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        ("9", Function.ORIGINAL),
        ("", Function.ORIGINAL),
        ("4", Function.CHANGE),
        ("5", Function.CHANGE),
        ("1", Function.CANCEL),
    ],
)
def test_the_function_of_the_message(code, meaning):
    found = only(message(bill("B1"), head=HEAD.replace("+9'", f"+{code}'")))
    assert found.function is found.manifest.function is meaning


def test_an_unknown_function_refuses_the_message_once():
    (reading,) = read(message(bill("B1") + bill("B2"), head=HEAD.replace("+9'", "+77'")))
    assert (reading.reason, reading.field, reading.value) == ("code_unknown", "BGM function", "77")


def test_a_cancelled_manifest_stands_alone():
    (reading,) = read(message("", head="BGM+85+MAN1+1'"))
    assert reading.record == Manifest("MAN1", Function.CANCEL)


def test_one_consignment_is_cancelled_within_an_original_manifest():
    text = message("CNI+1+B1:11'RFF+BM:B1'" + bill("B2"))
    assert [r.record.function for r in read(text)] == [Function.CANCEL, Function.ORIGINAL]


def test_houses_under_one_master_are_consignments_of_their_own():
    body = "CNI+1+M1'RFF+BH:H1'LOC+9+CNSHA'GID+1+1:CT'RFF+BH:H2'LOC+9+CNNGB'GID+1+2:CT'"
    for release in ("95B", "11A"):
        records = [r.record for r in read(message(body, release=release))]
        assert [(c.bill, c.master_bill, c.place_loading) for c in records] == [
            ("H1", "M1", "CNSHA"),
            ("H2", "M1", "CNNGB"),
        ]
        assert [c.goods[0].packages[0].count for c in records] == [1, 2]


@pytest.mark.parametrize(
    ("release", "references", "expected"),
    [
        ("95B", "CNI+1+X1'", ("X1", None)),
        ("95B", "CNI+1+X1-0'RFF+BM:X1'", ("X1", None)),
        ("95B", "CNI+1'RFF+BM:X1'RFF+BH:H1'", ("H1", "X1")),
        ("95B", "CNI+1'RFF+MB:X1'", ("X1", None)),
        ("95B", "CNI+1'RFF+BM:X1'RFF+MB:M1'", ("X1", "M1")),
        ("11A", "CNI+1+M1'RFF+BM:X1'", ("X1", "M1")),
        ("16A", "CNI+1+X1'RFF+BM:X1'", ("X1", None)),
        ("11A", "CNI+1+M1'RFF+MB:M2'RFF+BH:H1'", ("H1", "M2")),
    ],
)
def test_bill_and_master_bill(release, references, expected):
    found = only(message(references + "GID+1'", release=release))
    assert (found.bill, found.master_bill) == expected


def test_empty_containers_are_consignments_of_their_own():
    body = "EQD+CN+MSKU1234565+22G1+++4'MEA+AAE+T+KGM:2200'EQD+CN+TCLU7654321+45G1+++4'"
    records = [r.record for r in read(message(body))]
    assert [(c.bill, c.regime) for c in records] == [
        ("MAN1/MSKU1234565", Regime.EMPTY),
        ("MAN1/TCLU7654321", Regime.EMPTY),
    ]
    assert records[0].containers[0].tare_kg == Decimal(2200)


def test_an_empty_container_under_a_bill_is_reported_with_it():
    text = message("EQD+CN+MSKU1234565+22G1+++4'" + bill("B1"))
    found = only(text)
    assert (found.bill, found.regime, found.containers[0].empty) == ("B1", Regime.EMPTY, True)


def test_a_full_container_that_no_consignment_names_is_quarantined():
    accepted, rejected = read(message(EQUIPMENT + bill("B1", "GID+1+1:CT'")))
    assert accepted.record.containers == ()
    assert (rejected.reason, rejected.value) == ("value_missing", "MSKU1234565")
    assert rejected.position.startswith("segment 7, byte ")


def test_a_container_only_the_bill_names_is_kept_by_its_number():
    found = only(message(bill("B1", "RFF+AAQ:TCLU7654321'GID+1'")))
    assert [(box.number, box.empty) for box in found.containers] == [("TCLU7654321", None)]


def test_equipment_that_is_no_container_is_no_container():
    text = message("EQD+TE+TRAILER1+++3+5'" + bill("B1", "GID+1'SGP+TRAILER1+3'"))
    assert only(text).containers == ()


@pytest.mark.parametrize(
    ("release", "places", "indicator", "expected"),
    [
        ("95B", "LOC+9+CNSHA'LOC+11+PAMIT'", "", Regime.IMPORT),
        ("95B", "LOC+9+CNSHA'LOC+11+PAMIT'LOC+7+COCTG'", "", Regime.TRANSHIPMENT),
        ("95B", "LOC+9+CNSHA'LOC+11+PAMIT'LOC+7+PAPTY'", "", Regime.IMPORT),
        ("95B", "LOC+9+PAMIT'LOC+11+NLRTM'", "", Regime.EXPORT),
        ("95B", "LOC+88+COBOG'LOC+9+PAMIT'LOC+11+NLRTM'", "", Regime.TRANSHIPMENT),
        ("95B", "LOC+9+PAONX'LOC+11+PAMIT'", "", Regime.COASTAL),
        ("95B", "LOC+9+CNSHA'LOC+13+PAMIT'LOC+11+COCTG'", "", Regime.TRANSHIPMENT),
        ("95B", "LOC+9+CNSHA'LOC+11+COCTG'", "", Regime.UNKNOWN),
        ("95B", "LOC+9+CNSHA'LOC+8+PAMIT'", "", Regime.IMPORT),
        ("95B", "", "", Regime.UNKNOWN),
        ("95B", "LOC+9+CNSHA'LOC+11+PAMIT'", "GIS+28'", Regime.TRANSHIPMENT),
        ("95B", "LOC+9+CNSHA'LOC+11+PAMIT'", "GIS+24:71'", Regime.TRANSIT),
        ("95B", "LOC+9+CNSHA'LOC+11+PAMIT'", "GIS+ZZZ'", Regime.IMPORT),
        ("11A", "LOC+9+CNSHA'LOC+11+PAMIT'", "GEI+5+28:71'", Regime.TRANSHIPMENT),
        ("11A", "LOC+9+CNSHA'LOC+11+PAMIT'", "GEI+5+24:42'", Regime.IMPORT),
        ("11A", "LOC+9+CNSHA'LOC+11+PAMIT'", "GIS+28'", Regime.IMPORT),
    ],
)
def test_the_regime_of_a_consignment(release, places, indicator, expected):
    text = message(f"CNI+1+B1'RFF+BM:B1'{places}{indicator}GID+1'", release=release)
    assert only(text).regime is expected


def test_the_regime_of_equipment_and_of_the_whole_report():
    shifted = EQUIPMENT.replace("++3+5", "++6+5")
    assert only(message(shifted + bill("B1"))).regime is Regime.TRANSHIPMENT
    told = HEAD + "GIS+22'"
    assert only(message("CNI+1+B1'GID+1'", head=told)).regime is Regime.EXPORT
    assert only(message(bill("B1", "GID+1'"), head=told)).regime is Regime.IMPORT
    nowhere = HEAD.replace("LOC+60+PAMIT:139:6'", "")
    assert only(message(bill("B1", "GID+1'"), head=nowhere)).regime is Regime.UNKNOWN


def test_parties_named_in_lines_in_fields_and_in_both():
    body = (
        "CNI+1+B1'"
        "NAD+CZ+CN123:160:ZZZ++SHANGHAI:EXPORTS LTD+1 BUND RD:FLOOR 2+SHANGHAI++200000+cn'"
        "CTA+IC+:MS LI'COM+86 21 555:TE'COM+a@b.example:EM'"
        "NAD+ZZ+++UNKNOWN ROLE'COM+999:TE'"
        "NAD+CN++IMPORTADORA SA:CALLE 50:PANAMA'"
        "NAD+NI++CALLE 51:PISO 3+AVISOS SA'"
        "NAD+N2'"
        "GID+1'"
    )
    shipper, consignee, notify = only(message(body)).parties
    assert (shipper.role, shipper.name) == (PartyRole.CONSIGNOR, "SHANGHAI EXPORTS LTD")
    assert (shipper.identifier, shipper.address) == ("CN123", ("1 BUND RD", "FLOOR 2"))
    assert (shipper.city, shipper.postcode, shipper.country) == ("SHANGHAI", "200000", "CN")
    assert shipper.contact == ("86 21 555", "a@b.example")
    assert (consignee.name, consignee.address) == ("IMPORTADORA SA", ("CALLE 50", "PANAMA"))
    assert (notify.name, notify.address) == ("AVISOS SA", ("CALLE 51", "PISO 3"))
    assert consignee.contact == notify.contact == ()


def test_reefers_dangerous_goods_customs_codes_and_amounts():
    body = (
        "EQD+CN+MSKU1234565+45R1:102:5+++5'TMP+2+-18:CEL'MEA+AAE+VGM+TNE:14,5'"
        "EQD+CN+TCLU7654321+45R1:102:5+++5'"
        "CNI+1+B1'MOA+64:1500.50:USD'"
        "GID+1+10:CT'PAC+20++PX'FTX+AAA+++FROZEN SHRIMP+EN'MEA+WT++KGM:900'MEA+AAE+AAL+KGM:850'"
        "MEA+AAE+AAW+MTQ:2'TMP+2+0:FAH'SGP+MSKU1234565'SGP+TCLU7654321'DGS+IMD+9+1845'"
        "PCI+24+NO MARKS:1-10'CST+1+0306.17:122'LOC+27+EC'MOA+40:9000:USD'"
    )
    found = only(message(body))
    first, second = found.containers
    assert (first.temperature_c, first.vgm_kg) == (Decimal(-18), Decimal(14500))
    assert second.temperature_c == Decimal("-17.8")
    (line,) = found.goods
    assert [(p.count, p.kind) for p in line.packages] == [(10, "CT"), (20, "PX")]
    assert (line.gross_kg, line.net_kg) == (Decimal(900), Decimal(850))
    assert (line.un_number, line.marks, line.hs) == ("1845", "NO MARKS 1-10", "030617")
    assert (line.origin, line.language) == ("EC", "EN")
    assert (found.freight, line.customs_value) == (
        Money(Decimal("1500.50"), "USD"),
        Money(Decimal(9000), "USD"),
    )


def test_a_range_is_a_set_point_only_where_it_has_no_width():
    def degrees(span: str):
        box = f"EQD+CN+MSKU1234565+45R1+++5'RNG+5+CEL:{span}'"
        return only(message(box + bill("B1"))).containers[0].temperature_c

    assert degrees("-18:-18") == Decimal(-18)
    assert degrees("-20:-16") is None


def test_ranges_of_seals_and_their_state():
    body = EQUIPMENT + "SEL++CU+2+A098:A101'SEL++ZZ++X1:Y9'SEL+ - '" + bill("B1")
    seals = only(message(body)).containers[0].seals[2:]
    assert [s.number for s in seals] == ["A098", "A099", "A100", "A101", "X1", "Y9"]
    assert {(s.affixed_by, s.state) for s in seals[:4]} == {("customs", "damaged")}
    assert seals[4].affixed_by is None


@pytest.mark.parametrize(
    ("layout", "text", "expected"),
    [
        ("101", "260102", datetime(2026, 1, 2, tzinfo=UTC)),
        ("101", "990102", datetime(1999, 1, 2, tzinfo=UTC)),
        ("102", "20260102", datetime(2026, 1, 2, tzinfo=UTC)),
        ("201", "2601020630", datetime(2026, 1, 2, 6, 30, tzinfo=UTC)),
        ("203", "202601020630", datetime(2026, 1, 2, 6, 30, tzinfo=UTC)),
        ("", "202601020630", datetime(2026, 1, 2, 6, 30, tzinfo=UTC)),
        ("204", "20260102063015", datetime(2026, 1, 2, 6, 30, 15, tzinfo=UTC)),
        ("303", "202601020630UTC", datetime(2026, 1, 2, 6, 30, tzinfo=UTC)),
        ("303", "202601020630-05", datetime(2026, 1, 2, 11, 30, tzinfo=UTC)),
        ("205", "202601020630+0530", datetime(2026, 1, 2, 1, 0, tzinfo=UTC)),
    ],
)
def test_layouts_of_moments(layout, text, expected):
    released = text.replace("+", "?+")
    (reading,) = read(message("", head=HEAD + f"DTM+132:{released}:{layout}'"))
    assert reading.record.arrival_at == expected


@pytest.mark.parametrize(
    ("moment", "reason"),
    [
        ("20260230:102", "value_impossible"),
        ("2026011:102", "value_impossible"),
        ("20260101:999", "code_unknown"),
        ("202601020630XYZ:303", "code_unknown"),
        ("soon:102", "value_impossible"),
    ],
)
def test_an_impossible_date_of_the_head_is_told_and_the_consignments_stay(moment, reason):
    rejected, accepted = read(message(bill("B1"), head=HEAD + f"DTM+132:{moment}'"))
    assert (rejected.reason, rejected.field) == (reason, "DTM arrival_at")
    assert rejected.position.startswith("segment 7, byte ")
    assert accepted.record.manifest.arrival_at is None


def test_the_actual_arrival_stands_before_the_estimated():
    head = HEAD + "DTM+178:20260103:102'DTM+132:20260102:102'"
    (reading,) = read(message("", head=head))
    assert reading.record.arrival_at == datetime(2026, 1, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("spoilt", "reason", "field", "value"),
    [
        (bill("B2").replace("12000", "heavy"), "value_impossible", "MEA gross_kg", "heavy"),
        (bill("B2").replace("12000", "1E9"), "value_impossible", "MEA gross_kg", "1E9"),
        (bill("B2").replace("12000", "-1"), "value_impossible", "MEA gross_kg", "-1"),
        (bill("B2").replace("KGM", "LTR"), "code_unknown", "MEA gross_kg", "LTR"),
        (bill("B2").replace("800:CT", "1.5:CT"), "value_impossible", "GID count of packages", "1.5"),
        (bill("B2").replace("+MSKU1234565", "+ABCDEFGHIJKLMNOPQR"), "value_too_long",
         "SGP containers", "ABCDEFGHIJKLMNOPQR"),
        (bill("B2").replace("+B2", "").replace("RFF+BM:B2'", ""), "value_missing", "bill", None),
        (bill("B2", GOODS + "MOA+40:12'"), "value_missing", "MOA customs_value", ""),
        (bill("B2") + "lines?'", "segment_malformed", None, "lines?'UNT+"),
    ],
)  # fmt: skip
def test_a_spoilt_consignment_is_quarantined_and_the_others_go_on(spoilt, reason, field, value):
    if reason == "segment_malformed":
        spoilt, value = spoilt.replace("lines?'", "li+nes'"), "li+nes"
    readings = read(message(EQUIPMENT + bill("B1") + spoilt + bill("B3")))
    assert [type(r) for r in readings] == [Accepted, Rejected, Accepted]
    first, rejected, last = readings
    assert (first.record.bill, last.record.bill) == ("B1", "B3")
    assert (rejected.reason, rejected.field, rejected.value) == (reason, field, value)
    assert [r.ordinal for r in readings] == [1, 2, 3]


def test_positions_are_segment_and_byte():
    text = message(EQUIPMENT + bill("B1").replace("12000", "heavy"))
    (rejected,) = refused(text)
    before = text[: text.index("MEA+AAE+G")]
    assert rejected.position == f"segment {before.count(chr(39)) + 1}, byte {len(before)}"


def test_several_faults_of_one_consignment_are_one_reading():
    (rejected,) = refused(message(bill("B1").replace("12000", "x").replace("800:CT", "y:CT")))
    assert rejected.value == "y"
    assert "and 1 more" in rejected.message


def test_a_spoilt_container_spoils_the_consignments_that_name_it():
    boxes = EQUIPMENT + "MEA+AAE+T+KGM:?'" + "'EQD+CN+TCLU7654321+++5+5'MEA+AAE+T+KGM:x'"
    other = bill("B2", "GID+1'SGP+MSKU9999990'")
    first, second, spare = read(message(boxes + bill("B1") + other))
    assert (first.reason, first.field, first.value) == ("value_impossible", "MEA tare_kg", "'")
    assert second.record.bill == "B2"
    assert spare.value == "x"


def test_containers_without_number_or_told_twice():
    body = "EQD+CN++22G1+++5'" + EQUIPMENT + EQUIPMENT + EQUIPMENT.replace("22G1", "45G1")
    accepted, nameless, twice = read(message(body + bill("B1")))
    assert accepted.record.containers[0].size_type == "22G1"
    assert nameless.reason == "value_missing"
    assert (twice.reason, twice.value) == ("duplicate_identity", "MSKU1234565")


def test_a_malformed_header_of_a_consignment_spoils_what_may_be_its_own():
    """Without its CNI a house cannot be told from the houses of the master before it."""
    body = "CNI+1+M1'RFF+BH:H1'GID+1'cni+2+M2'RFF+BH:H2'GID+1'CNI+3+M3'RFF+BH:H3'GID+1'"
    first, second, third = read(message(body, release="11A"))
    assert first.reason == second.reason == "segment_malformed"
    assert (third.record.bill, third.record.master_bill) == ("H3", "M3")


def test_a_malformed_segment_of_the_head_is_told():
    rejected, accepted = read(message(bill("B1"), head=HEAD + "loc+5'"))
    assert (rejected.reason, accepted.record.bill) == ("segment_malformed", "B1")


def test_wrong_counts_are_told_with_both_numbers_and_the_consignments_stay():
    text = message(bill("B1"), trailer="UNT+99+1'UNZ+3+7'")
    accepted, segments, messages = read(text)
    assert accepted.record.bill == "B1"
    assert "99" in segments.message
    assert "14" in segments.message
    assert "3" in messages.message
    assert "there are 1" in messages.message
    assert segments.reason == messages.reason == "count_mismatch"
    wrong = message(bill("B1"), trailer="UNT+14+2'UNZ+1+8'")
    assert [r.field for r in refused(wrong)] == ["UNT reference", "UNZ reference"]
    huge = refused(message("", trailer="UNT++1'UNZ+" + "9" * 5000 + "+7'"))
    assert [len(r.value) for r in huge] == [0, 5000]


def test_a_truncated_file_keeps_what_was_whole():
    text = message(EQUIPMENT + bill("B1") + bill("B2"))
    cut = text[: text.index("MEA", text.index("CNI+1+B2"))]
    whole, unfinished, interchange = read(cut)
    assert whole.record.bill == "B1"
    assert (unfinished.reason, unfinished.field) == ("segment_missing", "UNT")
    assert "B2" in unfinished.message
    assert (interchange.reason, interchange.field) == ("segment_missing", "UNZ")


def test_a_file_cut_anywhere_never_invents_a_consignment():
    text = message(EQUIPMENT + bill("B1") + "EQD+CN+TCLU7654321+22G1+++4'")
    whole = [r.record for r in read(text)]
    for length in range(len(text)):
        readings = read(text[:length])
        kept = [r.record for r in readings if isinstance(r, Accepted)]
        assert kept == whole[: len(kept)]
        assert any(isinstance(r, Rejected) for r in readings)


def test_messages_and_interchanges_one_after_the_other():
    one = message(bill("B1"))
    unread = "UNH+2+CUSREP:D:95B:UN'BGM+1'UNT+3+2'UNH+3+CUSCAR:D:91Z:UN'BGM+85+X+9'UNT+3+3'"
    two = one.replace("UNZ+1", unread + "UNZ+3").replace("B1", "B2")
    unmarked = one.replace("UNZ+1+7'", "").replace("B1", "B3")
    readings = read(one + "\r\n" + two + unmarked + one.replace("B1", "B4"))
    records = [r.record.bill for r in readings if isinstance(r, Accepted)]
    assert records == ["B1", "B2", "B3", "B4"]
    assert [(r.reason, r.value) for r in readings if isinstance(r, Rejected)] == [
        ("unsupported", "CUSREP"),
        ("version_unknown", "D.91Z"),
        ("segment_missing", None),
    ]


def test_functional_groups_are_counted():
    text = message(bill("B1")).replace("UNH+1", "UNG+CUSCAR'UNH+1").replace("UNZ", "UNE+1+1'UNZ")
    assert [type(r) for r in read(text)] == [Accepted]
    assert [r.field for r in refused(text.replace("UNE+1", "UNE+2"))] == ["UNE count"]


def test_service_segments_out_of_place():
    assert [r.field for r in refused("UNT+1+1'UNZ+1+1'")] == ["UNH", "UNB"]
    assert [r.reason for r in refused(message("", head=""))] == ["value_missing"]


@pytest.mark.parametrize("text", ["", " \r\n", "UNB+UNOA:1+A+B+1+7'UNZ+0+7'"])
def test_a_document_without_a_message_is_told(text):
    (reading,) = read(text)
    assert (reading.ordinal, reading.reason) == (0, "empty_document")


def test_a_flood_of_malformed_segments_ends_the_reading():
    readings = read(message(bill("B1") + bill("B2"), head=HEAD + "x'" * 5_000))
    assert len(readings) == cuscar.MOST_MALFORMED + 3
    assert [r.reason for r in readings[-2:]] == ["segment_missing", "not_well_formed"]


def test_a_character_set_that_is_not_read_refuses_its_interchange_only():
    strange = message(bill("B1")).replace("UNOC", "UNOX")
    rejected, accepted = read(strange + message(bill("B2")))
    assert (rejected.reason, rejected.value) == ("encoding", "UNOX")
    assert accepted.record.bill == "B2"


def test_flags_of_what_the_trade_lives_with():
    goods = "GID+1'FTX+AAA+++Niño'CST+1+SHOES'"
    text = message(bill("B1", goods)).replace("UNOC", "UNOA")
    (reading,) = read(text)
    flags = {flag.code: flag for flag in reading.flags}
    assert set(flags) == {"hs_unknown", "encoding_undeclared"}
    assert (flags["hs_unknown"].field, flags["hs_unknown"].value) == ("hs", "SHOES")
    assert (reading.record.goods[0].hs, reading.record.goods[0].description) == (None, "Niño")


def test_memory_stays_bounded_however_many_consignments():
    first, last = message(EQUIPMENT, trailer="").encode(), b"UNT+1+1'UNZ+1+7'"

    class Parcels(BytesIO):
        """A message whose consignments are made as they are read."""

        left = 1_500

        def read(self, size: int | None = -1) -> bytes:
            if self.left < 0:
                return b""
            self.left -= 1
            return last if self.left < 0 else bill(f"B{self.left}").encode()

    def peak(stream: BytesIO) -> int:
        tracemalloc.start()
        kept = sum(isinstance(r, Accepted) for r in FORMAT.read(stream, SOURCE))
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert kept == Parcels.left
        return highest

    class WithHead(Parcels):
        begun = False

        def read(self, size: int | None = -1) -> bytes:
            if not self.begun:
                self.begun = True
                return first
            return super().read(size)

    assert peak(WithHead()) < 96 * 1024


def test_lists_and_texts_without_end_are_refused():
    many = bill("B1", "GID+1'" + "FTX+AAA+++" + "A" * 500 + "'") + "GID+1'" * 10_001 + bill("B2")
    long = bill("B3", "GID+1'" + ("FTX+AAA+++" + "A" * 500 + "'") * 30)
    readings = read(message(many + long))
    assert [getattr(r, "reason", None) for r in readings] == ["too_large", None, "too_large"]


def test_more_containers_than_a_message_may_hold(monkeypatch):
    monkeypatch.setattr("isthmus.cargo.formats.cuscar_message.MOST_CONTAINERS", 2)
    body = "".join(f"EQD+CN+MSKU000000{n}+22G1+++4'" for n in range(4))
    readings = read(message(body))
    assert [getattr(r, "reason", "kept") for r in readings] == [
        "too_large",
        "too_large",
        "kept",
        "kept",
    ]


@pytest.mark.parametrize(
    ("head", "known"),
    [
        (b"UNA:+.? 'UNB+UNOA:1+A+B+1+2'UNH+1+CUSCAR:D:95B:UN'", True),
        (b"\xef\xbb\xbfUNA|^.? ~\r\nUNB^UNOA|1^A~\r\nUNH^1^CUSCAR|D|11A|UN~", True),
        (b"UNB+UNOA:1+A+B'UNG+CUSCAR+A'UNH+1+CUSCAR:D:95B:UN'", True),
        (b"UNB+UNOA:1+A+B+1+2'UNH+1+CUSDEC:D:96B:UN'", False),
        (b"UNH+1+CUSCAR:D:95B:UN'", False),
        (b"CUSCAR,UNB,UNH", False),
        (b"<x>UNB+UNH+CUSCAR:</x>", False),
        (b"", False),
    ],
)
def test_recognition(head, known):
    assert FORMAT.recognise(head, SOURCE) is known
    assert (FORMAT.code, FORMAT.limit) == ("cuscar", 256 * 1024 * 1024)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(manifests(), st.integers(1, 200), st.data())
def test_readings_do_not_depend_on_the_size_of_chunks(sample, chunk, data):
    content = bytearray(
        write_cuscar(*sample, profile="D.11A", sender="A", recipient="B", control_reference="1")
    )
    for _ in range(data.draw(st.integers(0, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    whole = list(cuscar.read(BytesIO(content), SOURCE))
    assert list(cuscar.read(BytesIO(content), SOURCE, chunk=chunk)) == whole


@settings(max_examples=150, deadline=None)
@given(st.text("+:'?\n0123456789", max_size=120), st.sampled_from(["95B", "11A"]))
def test_no_content_makes_reading_fail(noise, release):
    tags = ["EQD+CN+", "MEA+AAE+G+KGM:", "CNI+1+", "RFF+BM:", "GID+", "DTM+132:", "TMP+2+"]
    body = "".join(tag + noise[n * 7 :] + "'" for n, tag in enumerate(tags))
    for reading in read(message(body, release=release)):
        assert isinstance(reading, Accepted | Rejected)
        assert reading.ordinal > 0


def test_every_reason_seal_code_and_qualifier_has_its_label():
    """What the reader and its profiles say in codes is in the code lists."""
    affixers, states = code_list("seal_affixers"), code_list("seal_states")
    for known in profiles():
        assert all(code in affixers for code in known.codes["affixers"].values())
        assert all(code in states for code in known.codes["states"].values())
        # The list's own UN/EDIFACT codes are the ones that a profile reads.
        coded = {entry.extra["edifact"]: entry.code for entry in states if entry.extra["edifact"]}
        assert coded.items() <= known.codes["states"].items()
        assert set(known.codes["states"].values()) == set(coded.values())
        assert all(code in code_list("seal_kinds") for code in known.codes["kinds"].values())
        assert {PartyRole(role) for role in known.codes["roles"].values()} <= set(PartyRole)
        assert all(Regime(code) for code in known.codes["natures"].values())


def test_profiles_that_contradict_themselves_are_refused():
    assert {p.code for p in profiles()} == {"D.95B", "D.11A"}
    assert profile("D.95B").versions.isdisjoint(profile("D.11A").versions)
    rule = {"at": "0", "as": "guess", "to": "x"}
    scopes = {"head": {"rules": {"BGM": [rule]}}}
    plain = {"code": "X", "directory": ["D", "1", "UN"], "versions": [], "containers": [],
             "level": {"number": "bill"}, "codes": {}, "writes": {}, "widths": {}, "regimes": []}  # fmt: skip
    with pytest.raises(Invalid, match="unknown way"):
        parse({**plain, "scopes": scopes})
    with pytest.raises(Invalid, match="unknown scope"):
        parse({**plain, "scopes": {"head": {"opens": {"TDT": "nowhere"}}}})


def test_a_change_is_the_same_record_with_its_function():
    original = consignment()
    changed = replace(MANIFEST, function=Function.CHANGE)
    moved = replace(
        original, manifest=changed, function=Function.CHANGE, place_delivery="COCTG",
        regime=Regime.TRANSHIPMENT,
    )  # fmt: skip
    named = {"sender": "A", "recipient": "B", "control_reference": "1"}
    before = write_cuscar(MANIFEST, [original], profile="D.95B", **named)
    after = write_cuscar(changed, [moved], profile="D.95B", **named)
    (first,), (second,) = read(before), read(after)
    assert first.record == original
    assert second.record == moved
    assert first.record.bill == second.record.bill
    assert first.record.manifest.reference == second.record.manifest.reference
    assert first.record.containers == second.record.containers == (BOX,)
