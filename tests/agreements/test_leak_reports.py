"""Public reports of leaks in sharing platforms, replayed: the same situation lets nothing pass here.

The numbers are those of the reports; what stands beside them is the situation in our own words and
in the terms of items, clauses and nodes.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from isthmus.access.model import Purpose
from isthmus.agreements.decide import decide
from isthmus.agreements.model import Asked, Clause, InForce, Mode, Permit, TransferBasis
from isthmus.intelligence.model import (
    Classification,
    Evaluation,
    Handling,
    Item,
    ItemKind,
    Marking,
    Scale,
    Tlp,
)

NOW = datetime(2026, 6, 1, tzinfo=UTC)
OPEN = Marking(Evaluation(Scale.POLICE_4X4, "A", "1"), frozenset(), Classification.NONE, Tlp.CLEAR)
ALERT = Item(
    "PA-ANA:alr_1", ItemKind.ALERT, 1, "PA-ANA", NOW, OPEN,
    {"reason": "concealment", "containers": ["MSKU1234565"]},
)  # fmt: skip


def clause(number: str, recipients: set[str], fields: set[str], **more) -> InForce:
    permit = Permit(
        senders=frozenset({"PA-ANA", "NL-DOUANE", "BE-DOUANE"}),
        recipients=frozenset(recipients),
        kinds=frozenset({ItemKind.ALERT}),
        fields=frozenset(fields),
        purposes=frozenset({Purpose.TARGETING}),
        modes=frozenset(Mode),
        **more,
    )
    return InForce("A-2026", "0" * 64, Clause(number, NOW - timedelta(days=1), None, permit))


def ask(
    recipient: str = "NL-DOUANE", sender: str = "PA-ANA", mode: Mode = Mode.SPONTANEOUS
) -> Asked:
    return Asked(sender, recipient, Purpose.TARGETING, mode)


def with_person(item: Item, category: str) -> Item:
    body = {**item.body, "persons": [{"category": category, "name": "Ana Ficta"}]}
    return replace(item, version=item.version + 1, body=body)


class TestMisp1720:
    """What is added to a thing after it was shared went out under the decision made before."""

    only_goods = clause("art-1", {"NL-DOUANE"}, {"reason", "containers"})

    def test_a_field_added_in_a_later_version_is_decided_by_itself(self) -> None:
        before = decide([self.only_goods], (), ALERT, ask(), NOW)
        assert set(before.released) == {"reason", "containers"}
        more = replace(ALERT, version=2, body={**ALERT.body, "case_number": "PA-2026-17"})
        after = decide([self.only_goods], (), more, ask(), NOW)
        assert set(after.released) == set(before.released)
        assert after.withheld["case_number"].code == "field_not_covered"

    def test_a_person_added_later_does_not_ride_on_a_wildcard(self) -> None:
        wide = clause("art-1", {"NL-DOUANE"}, {"*"})
        after = decide([wide], (), with_person(ALERT, "suspect"), ask(mode=Mode.AUTOMATIC), NOW)
        assert set(after.released) == {"reason", "containers"}

    def test_a_field_that_no_schema_knows_goes_under_no_clause(self) -> None:
        odd = replace(ALERT, body={**ALERT.body, "added_by_hand": "x"})
        wide = clause("art-1", {"NL-DOUANE"}, {"*", "added_by_hand"})
        decision = decide([wide], (), odd, ask(), NOW)
        assert decision.withheld["added_by_hand"].code == "field_unknown"


class TestMisp4200:
    """A group that things are shared in, and who is in it, was seen by those who are not."""

    group = clause("art-2", {"BE-DOUANE"}, {"*"})

    def test_who_is_outside_gets_nothing_and_learns_of_no_clause_and_no_member(self) -> None:
        decision = decide([self.group], (), ALERT, ask("NL-DOUANE"), NOW)
        assert decision.nothing
        for one in decision.withheld.values():
            assert (one.code, one.clause) == ("no_clause", None)
            assert "BE-DOUANE" not in one.detail.values()

    def test_a_member_learns_of_no_other_member_unless_it_may_pass_on(self) -> None:
        decision = decide([self.group], (), ALERT, ask("BE-DOUANE"), NOW)
        assert decision.released
        assert decision.duties.onward.nodes == frozenset()

    def test_the_next_node_cannot_widen_the_group_by_its_own_agreements(self) -> None:
        own = clause("art-9", {"NL-DOUANE"}, {"*"})
        decision = decide([own], (), ALERT, ask("NL-DOUANE", sender="BE-DOUANE"), NOW)
        assert decision.nothing
        assert {one.detail["prohibition"] for one in decision.withheld.values()} == {
            "originator-terms"
        }


class TestMisp3380:
    """A part with a narrower distribution than the whole went out with the whole."""

    whole = clause("art-3", {"NL-DOUANE", "BE-DOUANE"}, {"*"})
    part = clause(
        "art-4", {"BE-DOUANE"}, {"persons"},
        subjects=frozenset({"suspect"}), basis=TransferBasis.TREATY,
    )  # fmt: skip

    def test_each_part_goes_as_far_as_its_own_clause(self) -> None:
        item = with_person(ALERT, "suspect")
        wide, narrow = (
            decide([self.whole, self.part], (), item, ask(node), NOW)
            for node in ("BE-DOUANE", "NL-DOUANE")
        )
        assert wide.released["persons.0.name"].citation == "A-2026/art-4"
        assert not [path for path in narrow.released if path.startswith("persons")]
        assert set(narrow.released) == {"reason", "containers"}

    @pytest.mark.parametrize("category", ["witness", "victim", "minor", "unclassified"])
    def test_a_wildcard_on_persons_stops_before_those_it_shields(self, category: str) -> None:
        all_persons = clause(
            "art-5", {"BE-DOUANE"}, {"*", "persons"},
            subjects=frozenset({"*"}), basis=TransferBasis.TREATY,
        )  # fmt: skip
        decision = decide([all_persons], (), with_person(ALERT, category), ask("BE-DOUANE"), NOW)
        assert decision.withheld["persons.0.name"].code == "subject_not_named"


class TestOpenCti8237:
    """Things under a restricted marking were visible to those who may not see that marking."""

    def test_a_level_above_the_clauses_shows_nothing_not_even_that_the_item_exists(self) -> None:
        low = clause("art-6", {"NL-DOUANE"}, {"*"}, most_secret=Classification.RESTRICTED)
        for level in (Classification.CONFIDENTIAL, Classification.SECRET):
            marked = replace(ALERT, marking=replace(OPEN, classification=level))
            assert decide([low], (), marked, ask(), NOW).nothing

    def test_several_marks_hold_together_and_one_that_is_met_excuses_no_other(self) -> None:
        wide = clause("art-7", {"NL-DOUANE"}, {"*"}, most_secret=Classification.SECRET)
        marks = frozenset({Handling.H2, Handling.H3})
        marked = replace(ALERT, originator="BE-DOUANE", marking=replace(OPEN, handling=marks))
        terms = replace(ask(), conditions=frozenset({"originator_terms"}))
        assert decide([wide], (), marked, terms, NOW).nothing
        both = replace(ask(), conditions=frozenset({"originator_terms", "originator_consent"}))
        assert decide([wide], (), marked, both, NOW).released
        assert decide([wide], (), marked, replace(both, mode=Mode.AUTOMATIC), NOW).nothing

    def test_the_lowest_traffic_light_opens_nothing(self) -> None:
        for light in Tlp:
            marked = replace(ALERT, marking=replace(OPEN, tlp=light))
            assert decide([], (), marked, ask(), NOW).nothing
