"""Readers: each shape gives its entries; wrong files give codes; arbitrary bytes never crash."""

import io
import random
from collections import Counter
from pathlib import Path

import list_samples as made_up
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.parties.lists import entity_list, follow_the_money, lookout, ofac, screening_list
from isthmus.parties.model import (
    Address,
    Date,
    DateKind,
    Entry,
    EntryKind,
    Fault,
    Identifier,
    IdentifierKind,
    Name,
    NameKind,
    Rejected,
)

READERS = [ofac, screening_list, entity_list, follow_the_money, lookout]


def entries(found) -> dict[str, Entry]:
    found = list(found)
    assert all(isinstance(one, Entry) for one in found), found
    return {one.key: one for one in found}


def fault(found) -> Fault:
    last = list(found)[-1]
    assert isinstance(last, Fault), last
    return last


def test_ofac_joins_entries_with_their_aliases_and_addresses():
    held = entries(ofac.read(made_up.ofac()))
    company = held["100"]
    assert company.kind is EntryKind.COMPANY
    assert company.names == (
        Name("QUARZO NAVEGACION, S.A.", NameKind.PRIMARY),
        Name("QUARTZ SHIPPING", NameKind.AKA),
        Name("QUARZO", NameKind.WEAK_AKA),
    )
    assert company.addresses == (Address("Calle Falsa 1, Colon", "Panama"),)
    assert company.identifiers == (Identifier(IdentifierKind.TAX, "155-1", "Panama"),)


def test_a_ship_has_its_number_call_sign_and_flag():
    ship = entries(ofac.read(made_up.ofac()))["102"]
    assert set(ship.identifiers) == {
        Identifier(IdentifierKind.IMO, "9074729"),
        Identifier(IdentifierKind.MMSI, "372123456"),
        Identifier(IdentifierKind.CALL_SIGN, "HOXX"),
    }
    assert "Flag: Panama" in ship.remarks
    assert Name("LUNA FICTA", NameKind.FORMER) in ship.names


def test_a_ship_number_with_a_wrong_check_digit_is_no_imo_number():
    row = made_up.sdn_row(1, "X", "vessel", "Vessel Registration Identification IMO 9074728.")
    ship = entries(ofac.read(made_up.ofac([row], [], [])))["1"]
    assert ship.identifiers == (Identifier(IdentifierKind.OTHER, "IMO 9074728"),)


def test_of_a_person_nothing_special_is_read():
    person = entries(ofac.read(made_up.ofac()))["101"]
    assert person.programmes == ("TEST", "OTHER")
    assert person.dates == (Date(DateKind.BIRTH, "08 Aug 1959"),)
    assert person.identifiers == (Identifier(IdentifierKind.PASSPORT, "Z123"),)
    assert person.remarks == ("Linked To: QUARZO NAVEGACION, S.A.",)


SPECIAL = ("nationality", "citizen", "Gender", "religion", "POB", "Ciudad Falsa", "Member of")


@pytest.mark.parametrize(
    ("reader", "streams"),
    [
        (ofac, made_up.ofac),
        (screening_list, made_up.csl),
        (follow_the_money, made_up.ftm),
    ],
)
def test_no_special_category_of_a_person_reaches_an_entry(reader, streams):
    people = [one for one in reader.read(streams()) if one.kind is EntryKind.PERSON]
    assert people
    for person in people:
        written = str(person.plain())
        assert not [word for word in (*SPECIAL, "'pa'", "Panama") if word in written]


def test_the_screening_list_parts_its_cells():
    held = entries(screening_list.read(made_up.csl()))
    company = held["a1"]
    assert [name.text for name in company.names] == [
        "Fabricado Industries",
        "Fabricado",
        "FBI Inventado",
    ]
    assert company.programmes == ("Entity List (EL)", "ONE", "TWO")
    assert company.identifiers == (
        Identifier(IdentifierKind.TAX, "55-1", "Panama"),
        Identifier(IdentifierKind.OTHER, "D-U-N-S Number 44"),
    )
    assert held["a2"].identifiers == (Identifier(IdentifierKind.PASSPORT, "K99"),)


def test_rows_of_one_name_and_country_are_one_entry():
    (entry,) = entries(entity_list.read(made_up.bis())).values()
    assert [name.text for name in entry.names] == ["Imaginary Laboratory", "Imaginary Lab", "I.L."]
    assert len(entry.addresses) == 2
    (same,) = entries(entity_list.read(made_up.bis_json())).values()
    assert same.key == entry.key
    assert same.names[1] == Name("Imaginary Lab", NameKind.AKA)


def test_entities_are_read_and_their_relations_passed_over():
    held = entries(follow_the_money.read(made_up.ftm()))
    assert set(held) == {"x-1", "x-2"}
    assert Name("La Reina", NameKind.WEAK_AKA) in held["x-1"].names
    assert held["x-2"].identifiers == (Identifier(IdentifierKind.IMO, "9074729"),)


def test_lookouts_carry_purpose_owner_and_expiry():
    held = entries(lookout.read(made_up.lookouts()))
    assert held["L-1"].lookout.purpose == "targeting"
    assert held["L-1"].lookout.owner == "ANA"
    assert held["L-2"].identifiers == (Identifier(IdentifierKind.IMO, "9074729"),)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"purpose": ""}, "purpose_missing"),
        ({"purpose": "curiosity"}, "purpose_missing"),
        ({"owner": ""}, "owner_missing"),
        ({"expires_on": ""}, "expiry_missing"),
        ({"identifiers": "imo:9074728"}, "imo_invalid"),
        ({"identifiers": "shoe:44"}, "identifier_unknown"),
        ({"kind": "ghost"}, "kind_unknown"),
    ],
)
def test_a_lookout_that_lacks_what_the_law_wants_is_refused(change, reason):
    found = list(lookout.read(made_up.lookouts([{**made_up.LOOKOUT_ROWS[0], **change}])))
    assert [(one.reason, one.key) for one in found] == [(reason, "L-1")]


def cut(streams, by: int):
    content = streams[0].read()
    return [io.BytesIO(content[: len(content) - by]), *streams[1:]]


@pytest.mark.parametrize(
    ("reader", "streams", "code"),
    [
        (ofac, [io.BytesIO(b"")], "list_empty"),
        (ofac, cut(made_up.ofac(), 1), "list_truncated"),
        (ofac, cut(made_up.ofac(), 30), "list_truncated"),
        (ofac, made_up.csl(), "list_schema_wrong"),
        (ofac, made_up.ofac()[1:], "list_part_missing"),
        (ofac, made_up.ofac()[:1] + made_up.ofac()[:1], "list_part_twice"),
        (screening_list, cut(made_up.csl(), 1), "list_truncated"),
        (screening_list, made_up.bis(), "list_columns_missing"),
        (screening_list, made_up.csl() + made_up.csl(), "list_one_file"),
        (entity_list, made_up.csl(), "list_columns_missing"),
        (entity_list, cut(made_up.bis_json(), 5), "list_truncated"),
        (entity_list, made_up.bis_json(count=9), "list_truncated"),
        (entity_list, made_up.bis_json([]), "list_empty"),
        (entity_list, made_up.bis_json([{"title": "x"}]), "list_columns_missing"),
        (entity_list, [io.BytesIO(b"{}")], "list_columns_missing"),
        (follow_the_money, cut(made_up.ftm(), 9), "list_truncated"),
        (follow_the_money, [io.BytesIO(b"\n \n")], "list_empty"),
        (lookout, [io.BytesIO(b"PK\x03\x04\x00")], "list_not_text"),
        (lookout, made_up.csl(), "list_columns_missing"),
    ],
)
def test_a_wrong_file_has_its_code(reader, streams, code):
    assert fault(reader.read(streams)).code == code


def test_rejections_name_place_and_key():
    rows = [*made_up.SDN_ROWS, made_up.sdn_row(100, "AGAIN"), made_up.sdn_row(105, "X", "ghost")]
    alt = [["999", "1", "aka", "NOBODY", made_up.NONE]]
    rejected = [one for one in ofac.read(made_up.ofac(rows, alt)) if isinstance(one, Rejected)]
    assert rejected == [
        Rejected(5, "key_twice", "100"),
        Rejected(6, "kind_unknown", "105"),
        Rejected(0, "entry_unknown", "999"),
    ]


@given(st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_another_order_says_nothing_new(dice: random.Random):
    sdn, alt = list(made_up.SDN_ROWS), list(made_up.ALT_ROWS)
    dice.shuffle(sdn)
    dice.shuffle(alt)
    streams = made_up.ofac(sdn, alt)
    dice.shuffle(streams)
    before = {key: one.digest() for key, one in entries(ofac.read(made_up.ofac())).items()}
    assert {key: one.digest() for key, one in entries(ofac.read(streams)).items()} == before


@pytest.mark.parametrize("reader", READERS)
@given(content=st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
@settings(max_examples=80, deadline=None)
def test_arbitrary_bytes_never_crash(reader, content: bytes):
    found = list(reader.read([io.BytesIO(content)]))
    assert all(isinstance(one, Entry | Rejected | Fault) for one in found)
    assert not any(isinstance(one, Fault) for one in found[:-1])


SHAPES = [
    (ofac, made_up.ofac),
    (screening_list, made_up.csl),
    (entity_list, made_up.bis_json),
    (follow_the_money, made_up.ftm),
    (lookout, made_up.lookouts),
]


@pytest.mark.parametrize(("reader", "streams"), SHAPES)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_damaged_file_never_crashes(reader, streams, data):
    first, *others = streams()
    content = bytearray(first.read())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    found = list(reader.read([io.BytesIO(bytes(content)), *others]))
    assert all(isinstance(one, Entry | Rejected | Fault) for one in found)


def shared_list(shared_data: Path, name: str) -> Path:
    path = shared_data / "watchlists" / name
    if not path.is_file():
        pytest.skip(f"the published list {name} is not here")
    return path


def test_the_published_ofac_list_is_read_whole(shared_data: Path):
    paths = [shared_list(shared_data, name) for name in ("ofac_sdn.csv", "ofac_alt.csv")]
    with paths[0].open("rb") as sdn, paths[1].open("rb") as alt:
        found = list(ofac.read([sdn, alt]))
    held = [one for one in found if isinstance(one, Entry)]
    lines = paths[0].read_bytes().count(b"\r\n")
    assert len(held) == lines
    kinds = Counter(entry.kind for entry in held)
    assert set(kinds) == {
        EntryKind.PERSON, EntryKind.COMPANY, EntryKind.VESSEL, EntryKind.AIRCRAFT,
    }  # fmt: skip
    ships = [entry for entry in held if entry.kind is EntryKind.VESSEL]
    numbered = [s for s in ships if any(i.kind is IdentifierKind.IMO for i in s.identifiers)]
    assert len(numbered) > 0.8 * len(ships)
    people = str([entry.remarks for entry in held if entry.kind is EntryKind.PERSON])
    assert not any(word in people for word in ("nationality", "citizen ", "Gender", "POB "))
    rejected = {one.reason for one in found if isinstance(one, Rejected)}
    assert rejected <= {"entry_unknown"}


@pytest.mark.parametrize("name", ["bis_entity_list.json", "state_nonproliferation.json"])
def test_the_published_json_lists_are_read_whole(shared_data: Path, name: str):
    with shared_list(shared_data, name).open("rb") as stream:
        found = list(entity_list.read([stream]))
    assert all(isinstance(one, Entry) for one in found)
    assert len(found) > 500
