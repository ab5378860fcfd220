"""Places: UN/LOCODE as corrected here, held against an independent index of ports."""

import csv
import math
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.reference import places
from isthmus.reference.codelist import read_rows
from isthmus.reference.places import Place, place, terminals


def kilometres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Great-circle distance by the haversine formula."""
    north1, east1, north2, east2 = map(math.radians, (*one, *other))
    half = (
        math.sin((north2 - north1) / 2) ** 2
        + math.cos(north1) * math.cos(north2) * math.sin((east2 - east1) / 2) ** 2
    )
    return 2 * 6_371 * math.asin(math.sqrt(half))


def where(one: Place) -> tuple[float, float]:
    assert one.latitude is not None
    assert one.longitude is not None
    return one.latitude, one.longitude


@pytest.fixture
def port_index(shared_data: Path) -> dict[str, tuple[float, float]]:
    text = (shared_data / "reference" / "world_port_index.csv").read_text(encoding="utf-8-sig")
    return {
        row["UN/LOCODE"].replace(" ", ""): (float(row["Latitude"]), float(row["Longitude"]))
        for row in csv.DictReader(text.splitlines())
        if row["UN/LOCODE"].strip()
    }


def test_the_ports_of_the_canal() -> None:
    for code in ("PABLB", "PACTB", "PAMIT", "PAONX", "PACSO", "PAROD"):
        found = place(code)
        assert found is not None
        assert kilometres(where(found), (9.08, -79.68)) < 50, code
        assert found.country == "PA"


def test_names_have_their_accents() -> None:
    found = place("pa ctb")
    assert found is not None
    assert (found.name, found.code) == ("Cristóbal", "PACTB")


@pytest.mark.parametrize("code", ["", "PA", "PAB", "XXXXX", "PABLBX", "ÉABLB", "PA;--"])
def test_no_places(code: str) -> None:
    assert place(code) is None
    assert not places.place_known(code)


@pytest.fixture(scope="module")
def everything() -> list[Place]:
    return list(places.all_places())


def test_most_of_unlocode_is_there_with_coordinates(everything: list[Place]) -> None:
    assert len(everything) > 110_000
    located = [one for one in everything if one.latitude is not None]
    assert len(located) > 0.78 * len(everything)
    assert all(abs(one.latitude or 0) <= 90 and abs(one.longitude or 0) <= 180 for one in located)
    assert sum(one.subdivision is not None for one in everything) > 100_000


def test_every_own_place_is_of_unlocode() -> None:
    codes = [row["code"] for row in read_rows("ports.csv")]
    assert len(codes) == len(set(codes)) >= 120
    assert [one.code for one in places.ports()] == codes
    for one in places.ports():
        assert one.latitude is not None, one.code


def test_own_coordinates_agree_with_the_port_index(
    port_index: dict[str, tuple[float, float]],
) -> None:
    """35 km: the index often gives the old town quay, we give the container terminals."""
    compared = [one for one in places.ports() if one.code in port_index]
    assert len(compared) > 140
    far = {
        one.code: round(kilometres(where(one), port_index[one.code]))
        for one in compared
        if kilometres(where(one), port_index[one.code]) > 35
    }
    assert not far


def test_degrees_and_minutes_are_read_as_such(
    everything: list[Place], port_index: dict[str, tuple[float, float]]
) -> None:
    """Read as decimals, as the library stores them, the median error would be over 15 km."""
    own = {one.code for one in places.ports()}
    distances = sorted(
        kilometres(where(one), port_index[one.code])
        for one in everything
        if one.code in port_index and one.code not in own and one.latitude is not None
    )
    assert len(distances) > 1_500
    assert distances[len(distances) // 2] < 3


@given(st.integers(-89, 89), st.integers(0, 59))
def test_minutes_of_arc(degrees: int, minutes: int) -> None:
    sign = -1 if degrees < 0 else 1
    stored = sign * (abs(degrees) + minutes / 100)
    read = places._decimal_degrees(stored)
    assert read == pytest.approx(sign * (abs(degrees) + minutes / 60), abs=1e-6)


@given(st.integers(0, 89), st.integers(60, 99))
def test_sixty_minutes_are_none(degrees: int, minutes: int) -> None:
    assert places._decimal_degrees(degrees + minutes / 100) is None


def test_terminals_stand_in_their_port() -> None:
    rows = read_rows("terminals.csv")
    assert len({(row["place"], row["code"]) for row in rows}) == len(rows) >= 150
    for row in rows:
        port = place(row["place"])
        assert port is not None, row
        distance = kilometres(where(port), (float(row["latitude"]), float(row["longitude"])))
        assert distance < 30, (row["place"], row["code"], distance)


def test_terminal_codes_say_whose_they_are() -> None:
    assert {row["namespace"] for row in read_rows("terminals.csv")} == {"SMDG", "ISTH"}
    assert [(one.code, one.namespace) for one in terminals("PA MIT")] == [("MIT", "SMDG")]
    assert terminals("PADAV") == ()
    found = places.terminal("NLRTM", "RWG")
    assert found is not None
    assert found.name == "Rotterdam World Gateway"
    assert places.terminal("NLRTM", "MIT") is None


def test_many_threads_may_ask_at_once() -> None:
    places.place.cache_clear()
    codes = [row["code"] for row in read_rows("ports.csv")]
    wrong: list[str] = []

    def ask() -> None:
        wrong.extend(code for code in codes if (found := place(code)) is None or found.code != code)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
