"""Every record of the trade comes back from its plain form exactly as it was."""

import dataclasses
import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.cargo import codec
from isthmus.cargo.model import (
    Consignment,
    ContainerEvent,
    Declaration,
    Function,
    GoodsItem,
    Manifest,
    Party,
    PartyRole,
    Record,
    Regime,
)
from isthmus.kernel.errors import Invalid

DECIMALS = st.decimals(allow_nan=False, allow_infinity=False)
MOMENTS = st.datetimes(
    min_value=datetime(1900, 1, 1),  # noqa: DTZ001
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from(
        [UTC, timezone(timedelta(hours=9)), timezone(timedelta(hours=-5, minutes=-30))]
    ),
)
for kind, strategy in ((Decimal, DECIMALS), (datetime, MOMENTS)):
    st.register_type_strategy(kind, strategy)

RECORDS = st.one_of(
    *(
        st.builds(
            kind, **{field.name: st.from_type(field.type) for field in dataclasses.fields(kind)}
        )
        for kind in codec.KINDS.values()
    )
)


@given(RECORDS)
def test_what_is_written_is_read_back_the_same(record: Record) -> None:
    kind = codec.kind_of(record)
    over_json = json.loads(json.dumps(codec.to_plain(record)))
    assert codec.from_plain(kind, over_json) == record


@given(RECORDS)
def test_nothing_unknown_or_empty_is_written(record: Record) -> None:
    def look(value: object) -> None:
        assert value is not None
        assert value != []
        if isinstance(value, dict):
            for part in value.values():
                look(part)

    look(codec.to_plain(record))


def test_the_plain_form_is_what_a_reader_expects() -> None:
    record = Declaration(
        reference="24GB0001",
        function=Function.CHANGE,
        regime=Regime.IMPORT,
        lodged_at=datetime(2024, 5, 1, 9, tzinfo=timezone(timedelta(hours=9))),
        gross_kg=Decimal("1.20E+3"),
        goods=(GoodsItem(number=1, hs="090111"),),
        extra=(("Tax Type", "A"),),
    )
    assert codec.to_plain(record) == {
        "reference": "24GB0001",
        "function": "change",
        "regime": "import",
        "pre_lodged": False,
        "supplementary": False,
        "lodged_at": "2024-05-01T00:00:00Z",
        "gross_kg": "1200",
        "goods": [{"number": 1, "hs": "090111"}],
        "extra": [["Tax Type", "A"]],
    }


def test_an_absurd_exponent_is_not_written_out() -> None:
    assert codec.write_decimal(Decimal("1E+999999")) == "1E+999999"


@pytest.mark.parametrize(
    ("kind", "plain", "word"),
    [
        ("declaration", {"function": "original"}, "reference"),
        ("declaration", {"reference": "A", "function": "perhaps"}, "function"),
        ("declaration", {"reference": "A", "function": "original", "colour": "red"}, "colour"),
        ("declaration", {"reference": 7, "function": "original"}, "reference"),
        ("declaration", {"reference": "A", "function": "original", "gross_kg": "x"}, "gross_kg"),
        ("declaration", {"reference": "A", "function": "original", "goods": [{}]}, "goods"),
        ("declaration", {"reference": "A", "function": "original", "bills": "AB"}, "bills"),
        ("declaration", {"reference": "A", "function": "original", "extra": [["a"]]}, "extra"),
        (
            "declaration",
            {"reference": "A", "function": "original", "lodged_at": "2024-01-01T00:00:00"},
            "lodged_at",
        ),
        ("parcel", {}, "kind"),
    ],
)
def test_a_damaged_plain_record_is_refused_by_field(
    kind: str, plain: dict[str, object], word: str
) -> None:
    with pytest.raises(Invalid, match=word):
        codec.from_plain(kind, plain)


def test_a_record_without_parties_says_nothing_of_people() -> None:
    party = Party(role=PartyRole.IMPORTER, name="Almacenes del Istmo")
    manifest = Manifest(reference="M1", function=Function.ORIGINAL)
    consignment = Consignment(manifest=manifest, bill="B1", parties=(party,))
    declaration = Declaration(reference="D1", function=Function.ORIGINAL, parties=(party,))
    event = ContainerEvent(
        event_id="1",
        sender="T",
        code="isth:release_right_lookup",
        container="CSQU3054383",
        at=datetime(2024, 1, 1, tzinfo=UTC),
        user="u-17",
    )
    for record in (consignment, declaration, event):
        text = json.dumps(codec.to_plain(codec.without_parties(record)))
        assert "Almacenes" not in text
        assert "u-17" not in text
    assert codec.without_parties(manifest) == manifest
    assert codec.without_parties(consignment) == dataclasses.replace(consignment, parties=())
