"""Paths of an item: each by itself, and never another one when some are missing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.intelligence.model import LONGEST, flat, nested
from isthmus.kernel.errors import Invalid

BODY = {
    "reason": "seal_differs",
    "containers": ["MSCU1234566"],
    "persons": [{"category": "suspect", "name": "A"}, {"category": "witness", "name": "B"}],
}


def test_a_body_comes_back_from_its_paths() -> None:
    paths = dict(flat(BODY))
    assert list(paths) == [
        "reason",
        "containers",
        "persons.0.category",
        "persons.0.name",
        "persons.1.category",
        "persons.1.name",
    ]
    assert nested(paths) == BODY


@given(st.sets(st.sampled_from(sorted(dict(flat(BODY))))))
def test_a_part_keeps_the_places_of_the_whole(kept: set[str]) -> None:
    some = {path: value for path, value in flat(BODY) if path in kept}
    assert dict(flat(nested(some))) == some


@pytest.mark.parametrize(
    "path",
    [
        "persons.-1.name",
        "persons.01.name",
        "persons.x.name",
        "persons.٣.name",
        "persons.0",
        "persons.0.",
        "persons.0.name.first",
        f"persons.{LONGEST}.name",
        "persons.99999999999.name",
    ],
)
def test_a_path_that_no_body_has_is_refused(path: str) -> None:
    with pytest.raises(Invalid, match=r"list"):
        nested({path: "x"})


def test_a_path_is_not_both_whole_and_part() -> None:
    with pytest.raises(Invalid, match="whole"):
        nested({"persons": [], "persons.0.name": "x"})
