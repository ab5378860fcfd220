"""Customs offices and control points."""

from collections import Counter

from isthmus.reference import countries, offices
from isthmus.reference.codelist import code_list
from isthmus.reference.offices import ControlPoint, office, office_for
from isthmus.reference.places import place, place_known, ports


def test_the_model_covers_every_sort_of_control_point() -> None:
    assert set(ControlPoint) == set(code_list("control_point_types").codes())
    assert {one.type for one in offices.offices("PA")} == set(ControlPoint)


def test_every_place_is_known_and_served_once() -> None:
    served = Counter(place_code for one in offices.offices() for place_code in one.places)
    assert [code for code, count in served.items() if count > 1] == []
    for one in offices.offices():
        assert countries.country_known(one.country)
        for place_code in one.places:
            assert place_known(place_code), (one.code, place_code)
            assert place_code[:2] == one.country, (one.code, place_code)


def test_offices_stand_where_their_places_do() -> None:
    for one in offices.offices():
        for place_code in one.places[:1]:
            found = place(place_code)
            assert found is not None
            if found.latitude is not None and found.longitude is not None:
                assert abs(found.latitude - one.latitude) < 0.3, one.code
                assert abs(found.longitude - one.longitude) < 0.3, one.code


def test_office_for_a_place() -> None:
    balboa = office_for("PA BLB")
    assert balboa is not None
    assert balboa.code == "PA-BLB"
    assert office_for("PACSO") == office("PA-CCT")
    assert office_for("CNYTN") is None


def test_a_border_post_without_locode_is_an_office_all_the_same() -> None:
    paso_canoas = office("PA-PCA")
    assert paso_canoas is not None
    assert paso_canoas.type is ControlPoint.LAND_BORDER
    assert paso_canoas.places == ()
    assert offices.label("PA-PCA", "fr") == "Paso Canoas, bureau de douane frontalier"


def test_every_port_of_panama_has_its_office() -> None:
    unserved = [one.code for one in ports() if one.country == "PA" and office_for(one.code) is None]
    assert unserved == []


def test_offices_of_one_country() -> None:
    assert {one.country for one in offices.offices("BE")} == {"BE"}
    assert offices.offices("AQ") == ()
    assert office("PA-XXX") is None
