"""Which reader a document goes to."""

from pathlib import Path

import pytest

from isthmus.cargo.formats.readers import HEAD, READERS, recognise
from isthmus.cargo.formats.source import Source
from isthmus.reference.codelist import code_list

KOREA = "Declaration ID,Date,Office ID,Process Type,Import Type,Import Use,Payment Type,Mode of Transport,Declarant ID,Importer ID,Seller ID,Courier ID,HS6 Code,Country of Departure,Country of Origin,Tax Rate,Tax Type,Country of Origin Indicator,Net Mass,Item Price,Fraud,Critical Fraud\n"


def code_of(head: bytes, source: Source) -> str | None:
    found = recognise(head, source)
    return found.code if found else None


def test_every_format_has_a_code_of_its_own_with_a_label_and_a_limit() -> None:
    codes = [one.code for one in READERS]
    assert len(set(codes)) == len(codes)
    assert set(codes) | {"unsupported"} == set(code_list("document_formats").codes())
    mebibyte = 1024 * 1024
    limits = {one.code: one.limit for one in READERS}
    assert limits["json"] == 64 * mebibyte
    assert limits["tabular"] == limits["events"] == 512 * mebibyte


@pytest.mark.parametrize(
    ("head", "name", "code"),
    [
        (b"UNB+UNOA:2+A+B+260101:0000+1'UNH+1+CUSCAR:D:95B:UN'BGM+785+1+9'", "m.edi", "cuscar"),
        (b"UNB+UNOA:2+A+B+260101:0000+1'UNH+1+CUSDEC:D:96B:UN'BGM+929+1+9'", "m.edi", None),
        (b'{"event_id": "1", "sender"', "anything", "events"),
        (b'{"reference": "1"', "anything", "json"),
        (b'[{"foo": 1}]', "anything", None),
        (KOREA.encode(), "anything", "tabular"),
        (b"\xef\xbb\xbf" + KOREA.encode(), "anything", "tabular"),
        (b"a,b\n1,2\n", "anything", None),
        (b"a,b\n1,2\n", "anything.CSV", "tabular"),
        (b"\x00\x01\x02", "picture.csv", "tabular"),
        (b"\x00\x01\x02", "picture", None),
        (b"", "empty.csv", "tabular"),
        (b"", "empty.json", "json"),
        (b"", "empty", None),
        (b"PK\x03\x04\x14\0\0\0\0\0....[Content_Types].xml", "anything", "tabular"),
        (b"PK\x03\x04\x14\0\0\0\0\0....readme.txt", "anything", None),
        (b"%PDF-1.7", "paper.pdf", None),
        (b"<html></html>", "page.html", None),
        (b"hello", "note.txt", None),
    ],
)
def test_a_document_goes_to_its_reader(head: bytes, name: str, code: str | None) -> None:
    assert code_of(head, Source(name)) == code


def test_a_named_mapping_says_that_it_is_a_table() -> None:
    assert code_of(b'{"a', Source("x", mapping="korea_declarations")) == "tabular"


def test_a_media_type_says_that_it_is_a_table() -> None:
    assert code_of(b"a;b", Source("x", media_type="text/csv; charset=utf-8")) == "tabular"


def test_the_shared_documents_are_recognised_without_their_names(shared_data: Path) -> None:
    def heads(folder: str, pattern: str) -> list[bytes]:
        paths = sorted((shared_data / folder).glob(pattern))
        assert paths
        return [path.open("rb").read(HEAD) for path in paths]

    tables = heads("declarations", "*.csv")
    assert {code_of(head, Source("x")) for head in tables} == {"tabular"}
    messages = heads("messages/wco_declarations", "*.xml")
    assert len(messages) == 46
    # One of them is not well-formed: its reader says where, so it must be recognised as well.
    assert {code_of(head, Source("x")) for head in messages} == {"wco"}
