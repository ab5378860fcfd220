"""Every coded word that the code of the areas above speaks has its label here."""

from enum import StrEnum

import pytest

from isthmus.access.model import ActorKind, AgencyKind, Purpose, Role
from isthmus.access.permission import Permission
from isthmus.cargo.model import Function, PartyRole, Regime
from isthmus.cargo.unit import UnitState
from isthmus.cases.model import HoldState, InspectionState, PickState, Result
from isthmus.reference.codelist import code_list
from isthmus.risk.objectives import Objective
from isthmus.risk.rules import Effect, RuleState
from isthmus.risk.select import Basis, Lane


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (ActorKind, "actor_kinds"),
        (AgencyKind, "agency_kinds"),
        (Basis, "pick_bases"),
        (Effect, "rule_effects"),
        (Function, "message_functions"),
        (HoldState, "hold_states"),
        (InspectionState, "inspection_states"),
        (Lane, "lanes"),
        (Objective, "objectives"),
        (PartyRole, "party_roles"),
        (Permission, "permissions"),
        (PickState, "pick_states"),
        (Purpose, "purposes"),
        (Regime, "regimes"),
        (Result, "inspection_results"),
        (Role, "roles"),
        (RuleState, "rule_states"),
        (UnitState, "unit_states"),
    ],
)
def test_every_word_has_a_label(words: type[StrEnum], name: str) -> None:
    assert {word.value for word in words} <= set(code_list(name).codes())


def test_permissions_name_nothing_that_is_not_one() -> None:
    assert {word.value for word in Permission} == set(code_list("permissions").codes())


def test_event_codes_are_those_that_are_read() -> None:
    from isthmus.cargo.formats.events_jsonl import EVENT_CODES

    assert set(EVENT_CODES) <= set(code_list("event_codes").codes())


def test_seized_goods_are_counted_in_known_units() -> None:
    units = {entry.extra["counting_unit"] for entry in code_list("seized_goods")}
    assert units - set(code_list("units").codes()) == {"USD"}


def test_reasons_name_known_decisions() -> None:
    decisions = set(code_list("decisions").codes())
    for entry in code_list("reasons"):
        named = entry.extra["decisions"].split()
        assert named
        assert set(named) <= decisions, entry.code
    for decision in decisions:
        assert any(decision in entry.extra["decisions"].split() for entry in code_list("reasons"))
