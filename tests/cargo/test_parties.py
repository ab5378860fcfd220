"""How parties are told apart, and under which rules their data are kept."""

from datetime import date

import pytest
from intake_samples import party

from isthmus.cargo import parties
from isthmus.cargo.model import Party, PartyRole

CONSIGNEE, NOTIFY = PartyRole.CONSIGNEE, PartyRole.NOTIFY


@pytest.mark.parametrize(
    ("one", "other"),
    [("Frutas  del ISTMO, S.A.", "frutas del istmo s a"), ("Müller", "MULLER"), ("日本", "日本")],
)
def test_names_that_fold_to_the_same_are_one_party(keys, one, other):
    refs = {parties.reference(keys, party(CONSIGNEE, name)) for name in (one, other)}
    assert len(refs) == 1
    assert refs.pop().startswith("~")


def test_an_identifier_goes_before_a_name(keys):
    assert parties.reference(keys, party(CONSIGNEE, "A", " ruc-1 ")) == "RUC-1"
    assert parties.reference(keys, party(CONSIGNEE, "A", "  ")).startswith("~")


def test_a_party_known_by_its_address_alone_is_kept_and_an_empty_one_is_not(keys):
    place = Party(CONSIGNEE, address=("Calle 50",), city="Panamá")
    assert parties.row(keys, "rec", place, date(2026, 1, 1))["address"]["city"] == "Panamá"
    assert parties.row(keys, "rec", Party(CONSIGNEE), date(2026, 1, 1)) is None


def test_what_a_person_types_may_be_an_identifier_a_reference_or_a_name(keys):
    name = parties.reference(keys, party(CONSIGNEE, "Juan Pérez"))
    assert name in parties.references(keys, "JUAN PEREZ")
    assert parties.references(keys, name) == (name,)
    assert parties.references(keys, "ruc-1")[0] == "RUC-1"


def test_rules_of_keeping(keys):
    row = parties.row(keys, "rec", party(PartyRole.AGENT, "Broker"), date(2026, 1, 1))
    assert (row["category"], row["purpose"], row["legal_hold"]) == ("declarant", "targeting", None)
    assert row["review_on"] == date(2027, 1, 1)
    assert row["retain_until"] > row["review_on"]
    assert row["subject"] == parties.subject(keys, row["ref"])
    assert row["subject"] not in (row["ref"], row["name"])


@pytest.mark.parametrize("name", ["TO ORDER", "To the order of Bank", "A LA ORDEN", "À ordre de X"])
def test_to_order_in_the_trades_wordings(name):
    assert parties.to_order(party(CONSIGNEE, name))
    assert not parties.to_order(party(CONSIGNEE, "Border Toys"))


def test_the_first_of_the_roles_asked_for():
    told = (party(NOTIFY, "N"), party(PartyRole.BUYER, "B"), party(CONSIGNEE, "C"))
    assert parties.first(told, parties.CONSIGNEE).name == "C"
    assert parties.first(told[:2], parties.CONSIGNEE).name == "B"
    assert parties.first(told, parties.SHIPPER) is None
