"""From records to the flat unit."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from intake_samples import BOXES, HOME, at, consignment, declaration, event, manifest

from isthmus.cargo.derive import Facts, Known, derive
from isthmus.cargo.model import Container, Declaration, Function, GoodsItem, Packages, Regime
from isthmus.cargo.unit import Unit, UnitState
from isthmus.kernel.money import Money

A, B, *_ = BOXES


def known(record, **more) -> Known:
    return Known(
        "k", record, **{"versions": 1, "received_at": at(0), "first_received_at": at(0), **more}
    )


@pytest.fixture
def make(keys):
    def derived(*reports, said: Declaration | None = None, events=(), box: str | None = A) -> Unit:
        facts = Facts([known(one) for one in reports], known(said) if said else None, events)
        blank = Unit(id="u", kind="container", container=box, bill="B1", created_at=at(9))
        return derive(blank, facts, HOME, keys)

    return derived


@pytest.mark.parametrize(
    ("route", "regime"),
    [
        (("CNSHA", None, "PABLB", None), Regime.IMPORT),
        (("CNSHA", None, "PABLB", "PABLB"), Regime.IMPORT),
        (("CNSHA", None, "PABLB", "COCTG"), Regime.TRANSHIPMENT),
        (("CNSHA", "PABLB", "USNYC", None), Regime.TRANSHIPMENT),
        (("PABLB", None, "USNYC", None), Regime.EXPORT),
        (("PABLB", None, "PAMIT", None), Regime.COASTAL),
        (("CNSHA", None, "USNYC", None), Regime.TRANSIT),
        ((None, None, None, None), Regime.UNKNOWN),
        ((None, None, None, "PABLB"), Regime.IMPORT),
    ],
)
def test_the_regime_follows_from_the_route(make, route, regime):
    names = ("place_loading", "place_transhipment", "place_discharge", "place_delivery")
    record = replace(consignment("B1", A), **dict(zip(names, route, strict=True)))
    assert make(record).regime == regime


def test_a_declared_regime_goes_before_an_empty_box_before_the_manifests(make):
    empty = consignment("B1", regime=Regime.EXPORT, containers=(Container(A, empty=True),))
    assert (
        make(empty, said=declaration("D1", A, regime=Regime.FREE_ZONE_IN)).regime == "free_zone_in"
    )
    assert make(empty).regime == "empty"
    full = replace(empty, containers=(Container(A),))
    assert make(full).regime == "export"


def test_goods_of_the_declaration_before_those_of_the_bill_and_of_this_box_alone(make):
    bill = consignment("B1", A, goods=(GoodsItem(1, "BILL", gross_kg=Decimal(9)),))
    lines = (
        GoodsItem(1, "ROSES", hs="060311", gross_kg=Decimal(4), containers=(A,)),
        GoodsItem(2, "LILIES", hs="0603", gross_kg=Decimal(5), origin="EC"),
        GoodsItem(3, "ELSEWHERE", gross_kg=Decimal(99), containers=(B,)),
    )
    unit = make(bill, said=declaration("D1", A, goods=lines))
    assert (unit.goods_lines, unit.gross_kg, unit.description) == (2, 9.0, "ROSES | LILIES")
    assert (unit.hs2, unit.hs4, unit.hs6) == ("06", "0603", None), "the heaviest line's"
    assert unit.origin_country == "EC"
    assert make(bill).description == "BILL"


def test_money_of_one_currency_is_summed_and_of_two_is_the_invoices(make):
    def line(number: int, currency: str) -> GoodsItem:
        return GoodsItem(number, price=Money(Decimal("1.10"), currency))

    one = declaration("D1", goods=(line(1, "USD"), line(2, "USD")))
    assert (make(said=one).value, make(said=one).currency) == (2.2, "USD")
    two = declaration("D1", goods=(line(1, "USD"), line(2, "EUR")))
    assert make(said=two).value is None
    paid = replace(two, invoice=Money(Decimal(5), "PAB"))
    assert (make(said=paid).value, make(said=paid).currency) == (5.0, "PAB")


def test_packages_weights_and_equipment(make):
    goods = (GoodsItem(1, "X", packages=(Packages(3, "CT"), Packages(4))),)
    box = Container(A, size_type="45R1", tare_kg=Decimal(4600), temperature_c=Decimal(-18))
    unit = make(consignment("B1", goods=goods, containers=(box,)))
    assert (unit.package_count, unit.package_kind) == (7, "CT")
    assert (unit.reefer, unit.reefer_operating, unit.tare_kg) == (True, True, 4600.0)
    cold = replace(box, temperature_c=None)
    assert make(consignment("B1", goods=goods, containers=(cold,))).reefer_operating is False
    alone = declaration("D1", goods=(), gross_kg=Decimal(12), packages=5)
    assert make(said=alone).gross_kg == 12.0


def test_deadlines(make):
    arriving = consignment("B1", A)
    assert make(arriving).deadline_at == at(0)
    assert make(arriving, events=[event("DISC", A, 0.1)]).deadline_at is None, "it stands here"
    head = manifest("OUT", direction="departure", departure_at=at(5), arrival_at=None)
    leaving = replace(arriving, manifest=head, place_loading="PABLB", place_discharge="NLRTM")
    assert make(leaving).deadline_at == at(5) - timedelta(hours=6)
    told = replace(head, cutoff_at=at(4))
    assert make(replace(leaving, manifest=told), events=[event("GTIN", A, 1)]).deadline_at == at(4)
    assert make(said=declaration("D1", A, supplementary=True)).deadline_at is None


def test_the_office_is_the_declared_one_else_the_ports_else_the_nodes(make):
    assert make(consignment("B1", A), said=declaration("D1", A, office="X9")).office == "X9"
    assert make(consignment("B1", A)).office == "PA-BLB"
    assert make(said=declaration("D1", A)).office == HOME.default_office


def test_what_a_cancelled_declaration_said_does_not_count_but_that_it_was_does(keys):
    said = declaration("D1", A, function=Function.CANCEL, pre_lodged=True)
    gone = known(said, cancelled=True, versions=2, flags=("hs_unknown",))
    blank = Unit(id="u", kind="container", container=A, bill="B1", declaration_key="D1")
    unit = derive(blank, Facts([known(consignment("B1", A))], gone), HOME, keys)
    assert (unit.pre_lodged, unit.net_kg) == (False, None)
    assert (unit.amendments, unit.declaration_key) == (1, "D1")
    assert "hs_unknown" in unit.flags


def test_what_happened_to_the_box(make):
    events = [
        event("DISC", A, 0, weight_kg=Decimal(20), empty=False),
        event("isth:yard_move", A, 0.2),
        event("isth:scan", A, 0.3),
        event("isth:release_right_lookup", A, 0.4, user="u"),
        event("isth:weigh", A, 0.5, weight_kg=Decimal(21)),
        event("GTOT", A, 9, planned=True),
    ]
    unit = make(consignment("B1", A), events=events)
    assert (unit.yard_moves, unit.scans, unit.release_lookups) == (1, 1, 1)
    assert (unit.weighed_kg, unit.empty, unit.state) == (21.0, False, UnitState.OPEN)
    assert (unit.arrival_at, unit.terminal) == (at(0), "PABLB1")


def test_the_moment_of_being_told_is_the_declarants_else_the_carriers_else_ours(make):
    assert make(consignment("B1", A), said=declaration("D1", A)).lodged_at == at(-1)
    assert make(consignment("B1", A)).lodged_at == at(-2)
    assert make(consignment("B1", A, head=manifest(issued_at=None))).lodged_at == at(9)
