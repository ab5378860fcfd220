"""What an amendment leaves of the declaration it names."""

from decimal import Decimal

from intake_samples import BOXES, declaration, party

from isthmus.cargo.amend import amended, cancelled
from isthmus.cargo.model import Container, Function, GoodsItem, PartyRole

A, B, *_ = BOXES
PARENT = declaration(
    "D1",
    A,
    bills=("B1",),
    office="X",
    payment="10",
    extra=(("use", "21"),),
    goods=(GoodsItem(1, "ROSES", hs="060311", gross_kg=Decimal(5)), GoodsItem(2, "TULIPS")),
    parties=(
        party(PartyRole.NOTIFY, "One"),
        party(PartyRole.NOTIFY, "Two"),
        party(PartyRole.IMPORTER, "Buyer"),
    ),
)


def _change(**more):
    told = {"function": Function.CHANGE, "parent_reference": "D1", "goods": (), "parties": ()}
    return declaration("A1", **{**told, "lodged_at": None, **more})


def test_what_is_not_mentioned_stands():
    result = amended(PARENT, _change(payment="20"))
    assert (result.reference, result.function) == ("D1", Function.CHANGE)
    assert (result.payment, result.office, result.bills) == ("20", "X", ("B1",))
    assert (result.goods, result.parties) == (PARENT.goods, PARENT.parties)


def test_lines_meet_by_number_and_boxes_by_theirs():
    result = amended(
        PARENT,
        _change(
            goods=(GoodsItem(1, gross_kg=Decimal(7)), GoodsItem(3, "LILIES")),
            containers=(Container(A, empty=True), Container(B)),
            extra=(("use", "22"), ("new", "1")),
        ),
    )
    first, second, third = result.goods
    assert (first.description, first.hs, first.gross_kg) == ("ROSES", "060311", Decimal(7))
    assert (second.description, third.description) == ("TULIPS", "LILIES")
    assert [(box.number, box.empty) for box in result.containers] == [(A, True), (B, None)]
    assert dict(result.extra) == {"use": "22", "new": "1"}


def test_all_parties_of_a_role_that_is_named_are_replaced():
    result = amended(PARENT, _change(parties=(party(PartyRole.NOTIFY, "Three"),)))
    assert [one.name for one in result.parties] == ["Buyer", "Three"]


def test_a_cancellation_keeps_what_was_declared_and_says_why():
    gone = cancelled(PARENT, _change(function=Function.CANCEL, reason="error"))
    assert (gone.function, gone.reason, gone.goods) == (Function.CANCEL, "error", PARENT.goods)
    assert amended(gone, _change(payment="30")).function is Function.CANCEL
