"""The agreements decide again at dispatch and at receipt, each node by those it holds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from exchange.test_post import carry, received, state
from isthmus.access.model import Purpose, Role
from isthmus.agreements.model import Clause, Duties, InForce, Mode, Permit, Prohibition
from isthmus.exchange import inbox
from isthmus.exchange.by_agreements import ByAgreements
from isthmus.exchange.trust import partners
from isthmus.intelligence.model import ItemKind

SINCE = datetime(2025, 1, 1, tzinfo=UTC)
WEEK = timedelta(days=7)
NODES = frozenset({"PA-ANA", "BE-DOUANE"})
PERMIT = Permit(
    NODES, NODES, frozenset({ItemKind.SIGHTING, ItemKind.ALERT}), frozenset({"means", "reason"}),
    frozenset({Purpose.TARGETING}), frozenset({Mode.SPONTANEOUS}),
)  # fmt: skip
CLAUSE = InForce("PA-NL-2026", "ab" * 32, Clause("art-5-2", SINCE, None, PERMIT))


class Held:
    """What one node holds: clauses and overlay, changed by the test."""

    def __init__(self, *clauses):
        self.clauses, self.overlay = list(clauses), []
        self.policy = ByAgreements(
            lambda _tx, _sender, _recipient, _now: self.clauses, lambda _tx: self.overlay
        )


def seen(party):
    """A sighting with somebody in it."""
    person = {"name": "A. Someone", "category": "suspect"}
    return party.item(means="scan", persons=[person])


@pytest.fixture
def decided(both):
    panama, antwerp = both
    here, there = Held(CLAUSE), Held(CLAUSE)
    panama.policy, antwerp.policy = here.policy, there.policy
    return panama, antwerp, here, there


def test_what_both_sides_permit_arrives(decided):
    panama, antwerp, _, _ = decided
    sent = panama.put(antwerp.code, seen(panama), paths=["means"])
    carry(panama, antwerp)
    assert state(panama, sent) == "delivered"


def test_a_clause_suspended_between_outbox_and_dispatch_stops_it(decided):
    panama, antwerp, here, _ = decided
    sent = panama.put(antwerp.code, seen(panama), paths=["means"])
    suspended = replace(CLAUSE.clause, suspended=((SINCE, None),))
    here.clauses = [replace(CLAUSE, clause=suspended)]
    assert carry(panama, antwerp) is None
    assert state(panama, sent) == "stopped"


def test_another_clause_that_would_let_it_pass_does_not_stand_in(decided):
    """Its terms were signed under the lighter duties of the clause that is suspended now."""
    panama, antwerp, here, there = decided
    strict = replace(
        CLAUSE.clause, id="art-9", permit=replace(PERMIT, duties=Duties(keep_for=WEEK))
    )
    sent = panama.put(antwerp.code, seen(panama), paths=["means"])
    suspended = replace(CLAUSE.clause, suspended=((SINCE, None),))
    here.clauses = [replace(CLAUSE, clause=suspended), replace(CLAUSE, clause=strict)]
    there.clauses = [CLAUSE, replace(CLAUSE, clause=strict)]
    assert carry(panama, antwerp) is None
    assert state(panama, sent) == "stopped"


def test_a_clause_that_the_receiver_suspended_is_no_ground_there_either(decided):
    panama, antwerp, _, there = decided
    other = replace(CLAUSE.clause, id="art-9")
    suspended = replace(CLAUSE.clause, suspended=((SINCE, None),))
    there.clauses = [replace(CLAUSE, clause=suspended), replace(CLAUSE, clause=other)]
    sent = panama.put(antwerp.code, seen(panama), paths=["means"])
    carry(panama, antwerp)
    assert state(panama, sent) == "refused"
    assert received(antwerp) == []


def test_a_prohibition_added_meanwhile_stops_it(decided):
    panama, antwerp, here, _ = decided
    sent = panama.put(antwerp.code, seen(panama), paths=["means"])
    here.overlay = [Prohibition("no-boxes", "commercial", fields=frozenset({"means"}))]
    assert carry(panama, antwerp) is None
    assert state(panama, sent) == "stopped"


def test_another_text_of_the_agreement_is_held_on_both_sides(decided):
    panama, antwerp, _, there = decided
    there.clauses = [replace(CLAUSE, agreement_hash="cd" * 32)]
    sent = panama.put(antwerp.code, seen(panama), paths=["means"])
    carry(panama, antwerp)
    assert state(panama, sent) == "held"
    assert received(antwerp) == []
    there.clauses = [CLAUSE]
    assert antwerp.database.write(lambda tx: inbox.reconsider(tx, antwerp.policy)) == 1


def test_an_unknown_agreement_is_held(decided):
    panama, antwerp, _, there = decided
    there.clauses = []
    sent = panama.put(antwerp.code, seen(panama), paths=["means"])
    carry(panama, antwerp)
    assert state(panama, sent) == "held"


def test_an_over_wide_disclosure_is_refused_by_the_receiver(decided):
    """The sender cites a clause for persons that gives no persons away."""
    panama, antwerp, here, _ = decided
    here.policy = panama.policy = type("Lax", (), {"dispatch": lambda *_: _pass()})()
    sent = panama.put(antwerp.code, seen(panama), paths=["means", "persons.0.name"])
    carry(panama, antwerp)
    assert state(panama, sent) == "refused"
    assert received(antwerp) == []


def _pass():
    from isthmus.exchange.policy import Verdict

    return Verdict()


def test_a_flood_of_lookouts_ends_at_the_cap(decided):
    panama, antwerp, _, _ = decided
    supervisor = antwerp.staff[Role.SUPERVISOR]
    antwerp.database.write(lambda tx: partners.set_caps(tx, supervisor, panama.code, lookouts=3))
    sent = [
        panama.put(antwerp.code, panama.item(ItemKind.ALERT, reason="weight"), paths=["reason"])
        for _ in range(5)
    ]
    carry(panama, antwerp)
    assert [state(panama, one) for one in sent] == ["delivered"] * 3 + ["refused"] * 2
    assert len(received(antwerp)) == 3
