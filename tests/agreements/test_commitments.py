"""Commitments: none is closed without evidence, unless officers of all parties waived it."""

from datetime import timedelta

import pytest

from isthmus.agreements import commitments, lifecycle, shipped
from isthmus.kernel.errors import Conflict, Denied, Invalid

CODE = "PA-BE-FR-NL-2025"
ONE = f"{CODE}/real-time"


@pytest.fixture
def declared(desk):
    """The declaration of four customs, in force: it needs no signature, for it permits nothing."""
    version = desk.tested(shipped.text_of(CODE))
    desk.write(lifecycle.activate, desk.second, version)
    return desk


def state(desk, commitment: str = ONE) -> str:
    rows = desk.read(commitments.commitments, desk.first)
    return next(row["state"] for row in rows if row["id"] == commitment)


def test_commitments_come_with_the_declaration_and_are_due_by_their_horizon(declared) -> None:
    rows = declared.read(commitments.commitments, declared.first)
    assert len(rows) == 5
    assert {row["state"] for row in rows} == {"agreed"}
    assert {len(row["owners"]) for row in rows} == {4}
    due = {row["clause"]: row["due_on"].isoformat() for row in rows}
    assert due["real-time"] == "2026-06-10"  # signed on 9 December 2025, and 183 days
    assert due["training"] == "2027-12-09"


def test_a_commitment_is_kept_by_evidence_that_another_person_verifies(declared) -> None:
    declared.write(commitments.advance, declared.first, ONE, "on_track")
    for then in ("closed", "verified", "waived", "evidence_offered"):
        with pytest.raises(Conflict):
            declared.write(commitments.advance, declared.first, ONE, then)
    with pytest.raises(Invalid, match="at least one event"):
        declared.write(commitments.offer_evidence, declared.first, ONE, [])
    declared.write(commitments.offer_evidence, declared.first, ONE, ["evt_1"])
    with pytest.raises(Denied, match="another person"):
        declared.write(commitments.verify, declared.first, ONE, holds=True)
    declared.write(commitments.verify, declared.second, ONE, holds=False)
    assert state(declared) == "at_risk"
    declared.write(commitments.offer_evidence, declared.first, ONE, ["evt_2"])
    declared.write(commitments.verify, declared.second, ONE, holds=True)
    declared.write(commitments.advance, declared.first, ONE, "closed")
    assert state(declared) == "closed"
    with pytest.raises(Conflict):
        declared.write(commitments.waive, declared.first, ONE, "PA", "ANA-17")


def test_nothing_but_verified_evidence_leads_to_closed() -> None:
    """A walk over all steps: whoever arrives at closed came by verified."""
    assert [one for one, then in commitments.STEPS.items() if "closed" in then] == ["verified"]
    assert "verified" not in {then for steps in commitments.STEPS.values() for then in steps}


def test_officers_of_all_parties_waive_it_together(declared) -> None:
    for place, country in enumerate(("PA", "BE", "FR", "NL")):
        done = declared.write(commitments.waive, declared.first, ONE, country, f"officer-{place}")
        assert done is (country == "NL")
    assert state(declared) == "waived"
    with pytest.raises(Invalid, match="no party"):
        declared.write(commitments.waive, declared.first, f"{CODE}/training", "MX", "officer-9")
    with pytest.raises(Invalid, match="service number"):
        declared.write(commitments.waive, declared.first, f"{CODE}/training", "PA", " ")


def test_what_is_not_kept_in_time_is_overdue(declared, clock) -> None:
    assert declared.write(commitments.fall_due) == 0
    clock.advance(timedelta(days=200))
    assert declared.write(commitments.fall_due) == 3
    assert state(declared) == "overdue"
    assert state(declared, f"{CODE}/training") == "agreed"
    declared.write(commitments.offer_evidence, declared.first, ONE, ["evt_3"])
    assert state(declared) == "evidence_offered"
