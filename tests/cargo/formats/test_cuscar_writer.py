"""What is written reads back as it was, in both directories and with any service characters."""

from dataclasses import replace
from decimal import Decimal
from io import BytesIO

import pytest
from cuscar_samples import BOX, MANIFEST, SEPARATORS, consignment, manifests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isthmus.cargo.formats.cuscar import FORMAT
from isthmus.cargo.formats.cuscar_writer import write_cuscar
from isthmus.cargo.formats.edifact import Separators, segments
from isthmus.cargo.formats.source import Source
from isthmus.cargo.model import Accepted, Consignment, Function, Manifest, Regime, Seal
from isthmus.kernel.errors import Invalid, NotFound

SOURCE = Source("manifest.edi")


def write(manifest, consignments, profile="D.95B", **options):
    named = {"sender": "MAEU", "recipient": "PACUSTOMS", "control_reference": "REF1"}
    return write_cuscar(manifest, consignments, profile=profile, **{**named, **options})


def read(content: bytes):
    return list(FORMAT.read(BytesIO(content), SOURCE))


def settled(record):
    """Containers in the order of their numbers: a report does not keep the order of a bill's."""
    if isinstance(record, Consignment):
        boxes = sorted(record.containers, key=lambda box: box.number)
        return replace(record, containers=tuple(boxes))
    return record


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    manifests(),
    st.sampled_from(["D.95B", "D.11A"]),
    st.sampled_from(["UNOC", "UNOY", "UNOW"]),
    SEPARATORS,
)
def test_what_is_written_reads_back(sample, profile, character_set, separators):
    manifest, consignments = sample
    content = write(
        manifest, consignments, profile, character_set=character_set, separators=separators
    )
    readings = read(content)
    assert [type(reading) for reading in readings] == [Accepted] * len(consignments), readings
    assert all(not reading.flags for reading in readings)
    assert [settled(r.record) for r in readings] == [settled(c) for c in consignments]
    assert [r.ordinal for r in readings] == list(range(1, len(consignments) + 1))
    assert FORMAT.recognise(content[:8192], SOURCE)


@pytest.mark.parametrize("profile", ["D.95B", "D.11A"])
def test_a_manifest_without_consignments_is_a_bare_manifest(profile):
    assert [r.record for r in read(write(MANIFEST, [], profile))] == [MANIFEST]


def test_the_layout_of_a_message():
    content = write(MANIFEST, [consignment()], "D.11A", prepared_at=MANIFEST.arrival_at)
    lines = content.decode("latin-1").split("'")
    assert lines[:4] == [
        "UNA:+.? ",
        "UNB+UNOC:3+MAEU+PACUSTOMS+260102:0630+REF1",
        "UNH+1+CUSCAR:D:11A:UN",
        "BGM+85+MAN-2026-0017+9",
    ]
    assert "EQD+CN+MSKU1234565+22G1:102:5+++5" in lines
    assert "SEL+ML4711+CA" in lines
    assert "GEI+5+23:71" in lines
    assert lines[-4:] == ["CST+1+640399:122", f"UNT+{len(lines) - 4}+1", "UNZ+1+REF1", ""]


def test_the_two_directories_say_master_and_nature_in_their_own_way():
    house = consignment("HOUSE1", master_bill="MASTER1")
    older = write(MANIFEST, [house], "D.95B")
    newer = write(MANIFEST, [house], "D.11A")
    assert b"CNI+1+HOUSE1'RFF+BH:HOUSE1'RFF+MB:MASTER1'" in older
    assert b"GIS+23:71'" in older
    assert b"CNI+1+MASTER1'RFF+BH:HOUSE1'" in newer
    assert b"RFF+MB" not in newer
    assert b"GEI+5+23:71'" in newer


def test_an_electronic_seal_is_told_only_where_the_directory_can():
    sealed = replace(BOX, seals=(Seal("E1", kind="electronic", affixed_by="customs"),))
    told = consignment(containers=(sealed,))
    assert read(write(MANIFEST, [told], "D.11A"))[0].record.containers[0].seals == sealed.seals
    older = read(write(MANIFEST, [told], "D.95B"))[0].record.containers[0].seals
    assert older == (Seal("E1", affixed_by="customs"),)


def test_a_long_description_is_written_in_several_texts():
    words = " ".join(f"article number {n}" for n in range(60))
    long = consignment(goods=(replace(consignment().goods[0], description=words),))
    content = write(MANIFEST, [long], "D.95B")
    texts = [s for s in segments(BytesIO(content)) if s.tag == "FTX"]
    assert len(texts) > 1
    assert all(len(part) <= 70 for s in texts for part in s.composite(3))
    assert read(content)[0].record.goods[0].description == words


def test_counts_are_those_of_the_segments_written():
    content = write(MANIFEST, [consignment("A'+:?1"), consignment("B2")])
    found = list(segments(BytesIO(content)))
    opened = next(s.ordinal for s in found if s.tag == "UNH")
    closed = next(s for s in found if s.tag == "UNT")
    assert int(closed.at(0)) == closed.ordinal - opened + 1


def test_contradictions_are_refused():
    other = replace(BOX, tare_kg=Decimal(1))
    with pytest.raises(Invalid, match="two ways"):
        write(MANIFEST, [consignment(), consignment("B", containers=(other,))])
    with pytest.raises(Invalid, match="cancelled apart"):
        write(MANIFEST, [consignment(function=Function.CHANGE)])
    with pytest.raises(Invalid, match="not a character of UNOA"):
        write(MANIFEST, [consignment()], character_set="UNOA")
    with pytest.raises(Invalid, match="character set"):
        write(MANIFEST, [], character_set="UNOX")
    with pytest.raises(Invalid, match="direction"):
        write(replace(MANIFEST, port=None), [])
    with pytest.raises(Invalid, match="release"):
        write(MANIFEST, [consignment("A+B")], separators=Separators(release=""))
    with pytest.raises(NotFound):
        write(MANIFEST, [], "D.01Z")


def test_an_empty_box_under_a_bill_is_written_as_a_consignment():
    box = replace(BOX, empty=True)
    shipped = consignment(containers=(box,), regime=Regime.EMPTY)
    records = [r.record for r in read(write(MANIFEST, [shipped]))]
    assert records == [shipped]


def test_a_change_names_the_manifest_again():
    changed = replace(MANIFEST, function=Function.CHANGE)
    told = consignment(manifest=changed, function=Function.CHANGE)
    content = write(changed, [told])
    assert b"BGM+85+MAN-2026-0017+4'" in content
    assert isinstance(read(content)[0].record.manifest, Manifest)
    assert read(content)[0].record == told
