"""Lanes reach every port of the world and do not cross the land."""

import copy
from importlib.resources import files
from itertools import pairwise

import pytest
import yaml

from isthmus.kernel.errors import Invalid
from isthmus.simulator import world
from isthmus.simulator.ais.craft import fleet
from isthmus.simulator.ais.geometry import course, distance, inside, moved, rounded, turn
from isthmus.simulator.ais.lanes import berth_of, lanes, read

RAW = yaml.safe_load(files("isthmus.simulator").joinpath("worlds", "lanes.yaml").read_text())


def test_every_port_and_terminal_of_the_world_is_reached():
    here = world.load()
    ports = {port for service in here.services for port in service.ports}
    ports |= {port for region in here.regions.values() for port in region.loads}
    for port in sorted(ports):
        approach = lanes().port(port)
        buoy = f"{lanes().side(approach.start)}_buoy"
        assert lanes().between(buoy, approach.start)[-1] == approach.start
        assert distance(approach.via[-1], approach.berth) < 45, port
    for terminal in here.terminals.values():
        assert distance(berth_of(terminal).via[-1], berth_of(terminal).berth) < 1.5


def test_no_lane_crosses_the_coasts():
    for name, place in lanes().points.items():
        assert not lanes().on_land(place), name
        for other, _ in lanes().near[name]:
            assert lanes().clear(place, lanes().points[other]), (name, other)


def test_coasts_hold_known_inland_places_and_no_harbour():
    inland = {"Santiago": (8.1, -80.98), "Bogotá": (4.6, -74.1), "Managua": (12.1, -86.2)}
    for name, place in inland.items():
        assert any(inside(place, coast) for coast in lanes().land), name
    for name, place in fleet()["harbours"].items():
        assert not any(inside((place[0], place[1]), coast) for coast in lanes().land), name


def test_small_craft_go_round_the_land():
    way = lanes().way((7.75, -80.19), (7.6, -81.74))
    assert len(way) > 2
    assert all(lanes().clear(a, b) for a, b in pairwise(way))
    assert len(lanes().way((7.0, -79.0), (6.0, -79.5))) == 2


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        ("points", None, "points"),
        ("ports", {"PECLL": {"from": "nowhere", "via": [[1, 2]]}}, "nowhere"),
        ("ports", {"XXXXX": {"from": "mala", "via": [[1, 2]]}}, "XXXXX"),
    ],
)
def test_a_wrong_file_is_refused_by_name(key, value, named):
    raw = copy.copy(RAW)
    if value is None:
        del raw[key]
    else:
        raw[key] = value
    with pytest.raises(Invalid) as refused:
        read(raw)
    assert named in str(refused.value)
    assert "lanes.yaml" in str(refused.value)


def test_a_port_without_a_lane_is_refused_by_name():
    with pytest.raises(Invalid) as refused:
        lanes().port("CHBSL")
    assert "CHBSL" in str(refused.value)


def test_corners_are_turned_in_arcs():
    corner = [(8.0, -80.0), (8.0, -79.0), (9.0, -79.0)]
    path = rounded(corner)
    assert path[0] == corner[0]
    assert path[-1] == corner[-1]
    bends = [
        abs(turn(course(a, b), course(b, c)))
        for a, b, c in zip(path, path[1:], path[2:], strict=False)
    ]
    assert max(bends) < 20
    assert min(distance(corner[1], place) for place in path) < 0.5


def test_moved_goes_as_far_as_it_says():
    for bearing in range(0, 360, 30):
        assert distance((9.0, -79.5), moved((9.0, -79.5), bearing, 12.0)) == pytest.approx(
            12, rel=1e-3
        )
