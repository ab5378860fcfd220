"""Forty-three agreements from a table: what is known of each, what is not, and no authority."""

import pytest

from agreements.conftest import person
from isthmus.access.model import Role
from isthmus.agreements import listing, service
from isthmus.kernel.errors import Denied, Invalid
from isthmus.reference.codelist import code_list

HEAD = ",".join(listing.COLUMNS)
EIGHT = code_list("agreement_themes").codes()[:8]


def table() -> str:
    """Forty-three rows: two whole ones, the others with ever less."""
    rows = [HEAD]
    for number in range(1, 44):
        full = number <= 2
        cells = [
            str(number),
            f"Row {number}" if number <= 20 else "",
            EIGHT[number % 8],
            "PA MX",
            "Ministerio" if full else "",
            "2016-07-07" if full else "",
            "signed" if full else "",
            "register" if full else "",
        ]
        rows.append(",".join(cells))
    return "\n".join(rows) + "\n"


def test_forty_three_rows_come_in_and_tell_what_they_lack(desk) -> None:
    rows = listing.read_csv(table())
    assert len(rows) == 43
    counts = desk.write(listing.take, desk.drafter, "PA-MX-2016", rows)
    assert counts == {"rows": 43, "new": 43}
    held = desk.read(listing.listed, desk.first, "PA-MX-2016")
    assert [row["number"] for row in held] == list(range(1, 44))
    assert [row["completeness"] for row in held[:3]] == [100, 100, 43]
    assert held[42]["lacks"] == ["title", "owner", "signed_on", "status", "text_at"]
    lacking = dict(listing.lacking(held))
    assert lacking == {"title": 23, "owner": 41, "signed_on": 41, "status": 41, "text_at": 41}
    assert {row["theme"] for row in held} == set(EIGHT)
    again = desk.write(listing.take, desk.drafter, "PA-MX-2016", rows)
    assert again == {"rows": 43, "new": 0}


def test_a_row_gives_no_authority(lite) -> None:
    lite.write(listing.take, lite.drafter, "PA-MX-2016", listing.read_csv(table()))
    assert lite.read(lambda tx: service.clauses_between(tx, "PA-ANA", "MX-ANAM", tx.now)) == []
    with pytest.raises(Denied):
        lite.write(listing.take, person(9, Role.ANALYST), "PA-MX-2016", [])


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "number"),
        ("title,theme\n", 1, "number"),
        ("number,secret\n", 1, "secret"),
        ("number,title\none,x\n", 2, "no number"),
        ("number,title\n1,x\n1,y\n", 3, "twice"),
        ("number,theme\n1,fishing\n", 2, "agreement_themes"),
        ("number,signed_on\n1,7 July\n", 2, "no day"),
        ("number,title\n1,x,y\n", 2, "more cells"),
        ("number,title\n²,x\n", 2, "no number"),
        (f"number,title\n1,{'x' * 3000}\n", 2, "too long"),
    ],
)
def test_a_wrong_table_is_refused_with_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(Invalid) as caught:
        listing.read_csv(text)
    assert caught.value.where["line"] == line
    assert words in caught.value.message
