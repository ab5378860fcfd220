"""Made-up list files in the shapes of the published ones. Nobody named here exists."""

import io
import json
from collections.abc import Iterable, Sequence
from typing import BinaryIO

from isthmus.parties.lists import entity_list, lookout, screening_list

NONE = "-0- "


def csv_line(cells: Iterable[str]) -> str:
    return ",".join(cell if cell == NONE else '"' + cell.replace('"', '""') + '"' for cell in cells)


def sdn_row(key: int, name: str, kind: str = NONE, remarks: str = NONE, **more: str) -> list[str]:
    return [
        str(key), name, kind, more.get("programmes", "TEST"), NONE, more.get("call_sign", NONE),
        more.get("ship", NONE), NONE, NONE, more.get("flag", NONE), NONE, remarks,
    ]  # fmt: skip


SDN_ROWS = [
    sdn_row(100, "QUARZO NAVEGACION, S.A.", remarks="Tax ID No. 155-1 (Panama); a.k.a. 'QUARZO'."),
    sdn_row(
        101,
        "PEREGRINO INVENTADO, Ana",
        "individual",
        "DOB 08 Aug 1959; POB Ciudad Falsa; nationality Panama; Gender Female; Member of a party; "
        "Passport Z123 (Panama) issued 01 Jan 2001; Linked To: QUARZO NAVEGACION, S.A..",
        programmes="TEST] [OTHER",
    ),
    sdn_row(
        102,
        "STELLA FICTA",
        "vessel",
        "Vessel Registration Identification IMO 9074729; MMSI 372123456; Linked To: QUARZO.",
        call_sign="HOXX",
        ship="General Cargo",
        flag="Panama",
    ),
    sdn_row(103, "XX-TST", "aircraft", "Aircraft Model Z-1; Aircraft Manufacture Date 1999."),
]
ALT_ROWS = [["100", "1", "aka", "QUARTZ SHIPPING", NONE], ["102", "2", "fka", "LUNA FICTA", NONE]]
ADD_ROWS = [["100", "1", "Calle Falsa 1", "Colon", "Panama", NONE]]


def stream(text: str) -> BinaryIO:
    return io.BytesIO(text.encode())


def ended(rows: Sequence[Sequence[str]]) -> BinaryIO:
    return stream("".join(csv_line(row) + "\r\n" for row in rows) + "\x1a")


def ofac(
    sdn: Sequence[Sequence[str]] = SDN_ROWS,
    alt: Sequence[Sequence[str]] = ALT_ROWS,
    add: Sequence[Sequence[str]] = ADD_ROWS,
) -> list[BinaryIO]:
    return [ended(rows) for rows in (sdn, alt, add) if rows]


def table(columns: Sequence[str], rows: Iterable[dict[str, str]]) -> BinaryIO:
    lines = [csv_line(columns)]
    lines += [csv_line([row.get(column, "") for column in columns]) for row in rows]
    return stream("\n".join(lines) + "\n")


CSL_ROWS = [
    {
        "_id": "a1",
        "source": "Entity List (EL)",
        "type": "Entity",
        "programs": "ONE; TWO",
        "name": "Fabricado Industries",
        "alt_names": "Fabricado; FBI Inventado",
        "addresses": "1 Nowhere Street; 2 Nowhere Street",
        "start_date": "2020-01-02",
        "ids": "Tax ID No., 55-1, Panama; D-U-N-S Number, 44",
    },
    {
        "_id": "a2",
        "source": "Denied Persons List (DPL)",
        "type": "Individual",
        "name": "Juan Inventado",
        "dates_of_birth": "1970",
        "nationalities": "PA",
        "ids": "Gender, Male; Passport, K99, Panama",
        "remarks": "citizen Panama",
    },
]
CSL_COLUMNS = (*screening_list.COLUMNS, "nationalities", "citizenships")


def csl() -> list[BinaryIO]:
    return [table(CSL_COLUMNS, CSL_ROWS)]


BIS_ROWS = [
    {
        "Source List": "EL",
        "Name": "Imaginary Laboratory",
        "Address": "5 Made-Up Road",
        "City": "Nowhere",
        "Country": "Atlantis",
        "Effective Date": "01/02/2020",
        "License Requirement": "For all items",
        "Alternate Name": "Imaginary Lab",
    },
    {
        "Source List": "EL",
        "Name": "Imaginary Laboratory",
        "Address": "6 Made-Up Road",
        "Country": "Atlantis",
        "Alternate Name": "I.L.",
    },
]


def bis() -> list[BinaryIO]:
    return [table(entity_list.COLUMNS, BIS_ROWS)]


BIS_OBJECTS = [
    {
        "name": "Imaginary Laboratory",
        "aliases": ["also known as: Imaginary Lab"],
        "country": "Atlantis",
        "address": "5 Made-Up Road, Nowhere",
        "status": None,
        "effective_date": None,
        "federal_register": "76 FR 1",
        "notes": "For all items",
    }
]


def bis_json(objects: Sequence[object] = BIS_OBJECTS, **more: object) -> list[BinaryIO]:
    whole = {"list_id": "el", "count": len(objects), "entities": list(objects), **more}
    return [stream(json.dumps(whole))]


FTM_OBJECTS = [
    {
        "id": "x-1",
        "schema": "Person",
        "properties": {
            "name": ["Ana Inventada"],
            "weakAlias": ["La Reina"],
            "nationality": ["pa"],
            "country": ["pa"],
            "religion": ["none"],
            "birthDate": ["1970-01-02"],
            "passportNumber": ["K98"],
        },
    },
    {
        "id": "x-2",
        "schema": "Vessel",
        "properties": {"name": ["Stella Ficta"], "imoNumber": ["IMO9074729"], "flag": ["pa"]},
    },
    {"id": "x-3", "schema": "Sanction", "properties": {"entity": ["x-1"]}},
]


def ftm(objects: Sequence[object] = FTM_OBJECTS) -> list[BinaryIO]:
    return [stream("".join(json.dumps(one) + "\n" for one in objects))]


LOOKOUT_ROWS = [
    {
        "key": "L-1",
        "kind": "company",
        "name": "Bodega Imaginaria",
        "aliases": "Bodega I.; La Imaginaria",
        "identifiers": "tax:8-1-2",
        "purpose": "targeting",
        "owner": "ANA",
        "expires_on": "2026-12-31",
    },
    {
        "key": "L-2",
        "kind": "vessel",
        "name": "Stella Ficta",
        "identifiers": "imo:IMO 9074729",
        "purpose": "inspection",
        "owner": "AMP",
        "expires_on": "2026-06-30",
    },
]


def lookouts(rows: Sequence[dict[str, str]] = LOOKOUT_ROWS) -> list[BinaryIO]:
    return [table(lookout.COLUMNS, rows)]
