"""Profiles between nodes: tried on own data before anybody adopts them, counts alone going back."""

from datetime import UTC, datetime

import pytest

from exchange import conftest as nodes
from flow import partner_nodes
from flow.loop_node import box
from flow.partner_nodes import MARK, NL, bring, inspect_all, partners, send
from isthmus.access.model import Purpose, Role
from isthmus.flow import profile_terms, profiles, share
from isthmus.flow.rule_trial import try_rule
from isthmus.flow.share import Said
from isthmus.flow.sharing.follow import follow_recall
from isthmus.intelligence import items, reading
from isthmus.intelligence.model import Item, ItemKind
from isthmus.kernel.errors import Conflict, Denied, Invalid
from isthmus.risk import rulebook
from isthmus.risk.catalogue import field_kinds
from isthmus.risk.conditions import Scope, parse
from isthmus.risk.rules import RuleState

make = nodes.make  # a fixture of the exchange's own tests
RULE = """
- id: shrimp_by_reefer
  version: 1
  state: draft
  objective: contraband
  effect: score
  weight: 0.4
  controls: [scan_xray]
  names: {es: Camarón, en: Frozen shrimp from Cartagena, fr: Crevettes, nl: Garnalen, pt: Camarão}
  explain: {es: Camarón., en: Shrimp., fr: Crevettes., nl: Garnalen., pt: Camarão.}
  citation: {text: "own findings", verified: true}
  owner: "risk analysis"
  expires: "2027-06-30"
  thresholds:
    heavy: {value: 10000, source: "own findings"}
  when:
    all:
      - {field: place_loading, op: eq, value: COCTG}
      - {field: gross_kg, op: ge, value: {threshold: heavy}}
      - {field: hs6, op: not_in, value: ["080390"]}
      - {field: seal_changes, op: ge, value: 0}
  examples:
    fires: [{place_loading: COCTG, gross_kg: 18000, hs6: "030617"}]
    silent: [{place_loading: ECGYE, gross_kg: 18000, hs6: "030617"}]
"""


@pytest.fixture
def two(loop, make, monkeypatch):
    """Panama with its own past, and Rotterdam; all kinds of items may go, under one clause."""
    monkeypatch.setattr(share.service, "clauses_between", lambda *_: partner_nodes.CLAUSES)
    rotterdam = make(NL)
    return loop, partners(loop, rotterdam), rotterdam


def live_rule(party, text=RULE):
    author = party.staff[Role.ANALYST]
    key = party.database.write(lambda tx: rulebook.propose(tx, author, text))
    party.database.write(lambda tx: rulebook.advance(tx, author, key, RuleState.SHADOW))
    return key


def published(party, text=RULE):
    key = live_rule(party, text)
    author = party.staff[Role.ANALYST]
    return party.database.write(lambda tx: profiles.publish(tx, author, key, MARK, locale="nl"))


def past(loop, count=12, found=range(1, 7)):
    """Boxes from Cartagena and from Guayaquil, all inspected; some had cocaine in them."""
    loop.manifest(*range(1, count + 1))
    loop.node.scorer.score_all()
    inspect_all(loop, found)


def profile_item(**body):
    whole = {
        "objective": "contraband",
        "title": {"language": "nl", "text": "Garnalen {let op}"},
        "expires_at": "2027-01-01T00:00:00Z",
    } | body
    return Item("NL-DOUANE:prf_1", ItemKind.RISK_PROFILE, 1, NL, datetime(2026, 1, 1, tzinfo=UTC),
                MARK, whole)  # fmt: skip


def test_a_profile_is_tried_on_own_data_adopted_by_two_and_told_of_in_counts(two):
    loop, panama, rotterdam = two
    past(loop)
    item = published(rotterdam)
    send(rotterdam, panama, item)
    bring(rotterdam, panama, item)
    analyst, supervisor = panama.staff[Role.ANALYST], panama.staff[Role.SUPERVISOR]

    tried = loop.read(lambda tx: profiles.test_run(tx, analyst, item.id))
    assert (tried.looked_at, tried.fired.units) == (12, 12)
    assert (tried.fired.known, tried.fired.found) == (12, 6)
    assert tried.fired.rate.value == 0.5
    assert 0 < tried.fired.rate.low < 0.5 < tried.fired.rate.high < 1
    assert loop.read(lambda tx: profiles.read(tx, analyst, item.id)).adopted is None

    key = loop.write(lambda tx: profiles.adopt(tx, analyst, item.id))
    loop.write(lambda tx: rulebook.advance(tx, analyst, key, RuleState.SHADOW))
    with pytest.raises(Denied):
        loop.write(lambda tx: rulebook.advance(tx, analyst, key, RuleState.LIVE))
    loop.write(lambda tx: rulebook.advance(tx, supervisor, key, RuleState.LIVE))
    profile = loop.read(lambda tx: profiles.read(tx, analyst, item.id))
    assert profile.adopted == key
    assert profile.left_out == ()

    told = loop.write(lambda tx: profiles.draft_feedback(tx, analyst, item.id, MARK))
    assert (told.body["picks"], told.body["found"]) == (12, 6)
    assert told.body["outcome"] == "used_for_targeting"
    send(panama, rotterdam, told)
    travelled = bring(panama, rotterdam, told)
    reader = rotterdam.staff[Role.ANALYST]
    (copy,) = rotterdam.database.read(lambda tx: reading.find(tx, reader, told.id))[1]
    assert set(copy.item.body) == {
        "about", "version", "outcome", "given_at", "used_for", "picks", "found",
    }  # fmt: skip
    assert copy.item.body["about"] == item.id
    assert b"used_for_targeting" in travelled  # what travelled is read in the clear
    for number in range(1, 13):
        unit = loop.unit(number)
        for secret in (box(number), unit.id, unit.bill, unit.shipper_ref, unit.vessel_imo):
            assert secret.encode() not in travelled


def test_counts_that_would_tell_of_single_consignments_stay(two):
    assert profiles.told_counts(4, 4) == {}
    assert profiles.told_counts(12, 4) == {"picks": 12}
    assert profiles.told_counts(12, 9) == {"picks": 12}  # three without a finding
    assert profiles.told_counts(12, 12) == {"picks": 12, "found": 12}
    assert profiles.told_counts(12, 7) == {"picks": 12, "found": 7}
    loop, panama, rotterdam = two
    past(loop, 12, range(1, 3))
    item = published(rotterdam)
    send(rotterdam, panama, item)
    bring(rotterdam, panama, item)
    analyst = panama.staff[Role.ANALYST]
    told = loop.write(lambda tx: profiles.draft_feedback(tx, analyst, item.id, MARK))
    assert told.body["picks"] == 12
    assert "found" not in told.body
    assert told.body["outcome"] == "not_used"


def test_what_is_published_says_the_rule_and_comes_back_the_same(two):
    loop, _, rotterdam = two
    past(loop)
    item = published(rotterdam)
    assert item.body["title"] == {"language": "nl", "text": "Garnalen"}
    assert item.body["parameters"] == [{"name": "heavy", "value": "10000"}]
    assert item.body["rule"]["all"][2] == {"not": {"field": "hs6", "op": "in", "value": ["080390"]}}
    assert item.body["expires_at"] == "2027-07-01T00:00:00Z"
    assert "back_test_picked" not in item.body  # Rotterdam saw nothing yet
    read = profile_terms.terms(item)
    parse(read.when, Scope(field_kinds(), read.thresholds))
    assert read.left_out == ()
    own = next(
        rule
        for row, rule in loop.read(lambda tx: rulebook.rules(tx, loop.people[Role.ANALYST]))
        if rule.objective == "contraband"
    )
    tried = loop.read(lambda tx: try_rule(tx, loop.people[Role.ANALYST], own))
    assert tried.looked_at == 12


@pytest.mark.parametrize("rule", rulebook.shipped().rules, ids=lambda rule: rule.id)
def test_every_shipped_rule_can_be_said_as_a_profile(rule):
    thresholds = {name: limit.value for name, limit in rule.thresholds.items()}
    said = profile_terms.said(rule.document["when"], thresholds, rulebook.shipped().lists)
    read = profile_terms.terms(profile_item(
        rule=said.rule, parameters=[dict(one) for one in said.parameters]
    ))  # fmt: skip
    assert read.left_out == ()
    _, made, lacks = profiles._drafted(profile_item(
        rule=said.rule, parameters=[dict(one) for one in said.parameters]
    ), read)  # fmt: skip
    assert (lacks, made is None) == ("", False)


def test_what_no_rule_here_can_read_is_named_with_what_that_does():
    item = profile_item(
        rule={"all": [{"field": "reefer", "op": "eq", "value": True},
                      {"field": "rotterdam_only", "op": "ge", "value": 3}]},
        indicators=["seal_differs", "hold_lifted"],
        companies=[{"name": "Ficticia S.A."}],
        vessels=[{"imo": "9321483", "name": "EXAMPLE"}, {"name": "NAMELESS"}],
        methods=["M1"],
    )  # fmt: skip
    read = profile_terms.terms(item)
    assert set(read.used) == {"rule", "indicators", "vessels"}
    told = {(one.path, one.code, one.effect) for one in read.left_out}
    assert told == {
        ("rule.all[1]", "unreadable", "wider"),
        ("indicators", "no_field", "narrower"),
        ("companies.0", "by_name", "wider"),
        ("vessels.1.name", "no_field", "narrower"),
        ("methods", "says_what_for", "neither"),
    }
    assert "rotterdam_only" in next(one.value for one in read.left_out if one.code == "unreadable")
    text, rule, lacks = profiles._drafted(item, read)
    assert lacks == ""
    assert rule.explain["en"].count("{let op}") == 0 or "{{" in rule.explain["en"]
    assert "Ficticia" not in text
    alone = profile_terms.terms(profile_item(companies=[{"name": "Ficticia S.A."}]))
    assert alone.when is None
    assert profiles._drafted(profile_item(), alone)[2] == "profile_nothing_mapped"


def test_every_indicator_reads_as_a_condition():
    for code, condition in profile_terms.indicators().items():
        parse(condition, Scope(field_kinds()))
        read = profile_terms.terms(profile_item(indicators=[code]))
        assert profiles._drafted(profile_item(indicators=[code]), read)[2] == "", code


def test_what_came_for_another_purpose_is_no_rule_and_what_is_taken_back_stops(two):
    loop, panama, rotterdam = two
    item = published(rotterdam)
    analyst = panama.staff[Role.ANALYST]
    send(rotterdam, panama, item, Said(Purpose.EXERCISE))
    bring(rotterdam, panama, item)
    with pytest.raises(Conflict) as refused:
        loop.write(lambda tx: profiles.adopt(tx, analyst, item.id))
    assert refused.value.code == "profile_not_targeting"

    send(rotterdam, panama, item)
    bring(rotterdam, panama, item)
    with pytest.raises(Invalid):
        loop.write(lambda tx: profiles.adopt(tx, analyst, item.id, RULE))
    key = loop.write(lambda tx: profiles.adopt(tx, analyst, item.id))
    loop.write(lambda tx: rulebook.advance(tx, analyst, key, RuleState.SHADOW))
    with pytest.raises(Denied):
        loop.write(lambda tx: profiles.publish(tx, analyst, key, MARK))

    officer = rotterdam.staff[Role.SUPERVISOR]
    rotterdam.database.reactions = {"item.recalled": (follow_recall,)}
    taken = rotterdam.database.write(
        lambda tx: items.recall(tx, officer, item.id, "source_withdrawn")
    )
    bring(rotterdam, panama, taken, partner_nodes.Lane.IMMEDIATE)
    states = {
        row["id"]: row["state"] for row, _ in loop.read(lambda tx: rulebook.rules(tx, analyst))
    }
    assert states[key] == "retired"
