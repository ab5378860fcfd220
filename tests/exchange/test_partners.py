"""The directory: the ceremony of two people, rotation, replacement after a compromise."""

import pytest

from exchange.test_post import carry
from exchange.world import trust
from isthmus.access.model import Role
from isthmus.exchange.model import PartnerState
from isthmus.exchange.trust import identity, partners
from isthmus.kernel.errors import Conflict, Denied, Invalid
from isthmus.platform import audit  # noqa: F401 - the table of audits


def prints(party):
    card = identity.read_card(party.card())
    return card.node, card.signing_fingerprint, card.certificate_fingerprint


@pytest.fixture
def other(make):
    return make("NL-DOUANE")


def test_two_people_compare_and_each_step_is_audited(panama, other):
    first = panama.staff[Role.SUPERVISOR]
    both = prints(other)
    panama.database.write(lambda tx: partners.add(tx, first, other.card()))
    with pytest.raises(Conflict):
        panama.database.write(lambda tx: partners.trust(tx, first, *both))
    with pytest.raises(Denied, match="not the signing key"):
        panama.database.write(lambda tx: partners.compare(tx, first, both[0], "00" * 32, both[2]))
    panama.database.write(lambda tx: partners.compare(tx, first, *both))
    with pytest.raises(Denied, match="somebody else"):
        panama.database.write(lambda tx: partners.trust(tx, first, *both))
    spaced = " ".join(both[1].upper()[start : start + 4] for start in range(0, 64, 4))
    found = panama.database.write(
        lambda tx: partners.trust(tx, panama.second, both[0], spaced, both[2])
    )
    assert found.state is PartnerState.TRUSTED
    assert {found.compared_by, found.trusted_by} == {first.id, panama.second.id}
    from isthmus.platform.audit import audit_table

    acts = panama.database.read(lambda tx: [row.action for row in tx.execute(audit_table.select())])
    assert {"partner.proposed", "partner.compared", "partner.trusted"} <= set(acts)


def test_no_system_and_no_job_can_trust(panama, other):
    from isthmus.access.model import node_actor

    with pytest.raises(Denied):
        panama.database.write(lambda tx: partners.add(tx, node_actor(), other.card()))


def test_a_card_that_was_changed_is_refused(panama, other):
    raw = other.card().replace(b"NL-DOUANE", b"NL-DOUANF")
    with pytest.raises((Invalid, Denied)):
        panama.database.write(lambda tx: partners.add(tx, panama.staff[Role.SUPERVISOR], raw))


def test_a_rotated_key_needs_no_ceremony_and_old_envelopes_still_read(both, clock):
    panama, antwerp = both
    from datetime import timedelta

    panama.put(antwerp.code)
    carry(panama, antwerp)
    clock.advance(timedelta(days=1))
    panama.database.write(lambda tx: identity.rotate(tx, panama.staff[Role.SUPERVISOR]))
    panama.put(antwerp.code)
    assert carry(panama, antwerp).refused == []  # the next key is shown before it is used
    clock.advance(identity.LEAD)
    panama.put(antwerp.code)
    assert carry(panama, antwerp).refused == [{"index": 0, "code": "key_unknown"}]
    antwerp.database.write(lambda tx: partners.rotated(tx, panama.card()))
    assert carry(panama, antwerp).refused == []


def test_a_key_that_the_old_one_does_not_name_is_refused(both, make, clock):
    _, antwerp = both
    impostor = make("PA-ANA")
    with pytest.raises(Denied, match="does not name"):
        antwerp.database.write(lambda tx: partners.rotated(tx, impostor.card()))


def test_after_a_compromise_old_keys_count_for_nothing(both, make):
    panama, antwerp = both
    panama.put(antwerp.code)
    fresh = make("PA-ANA")
    supervisor = antwerp.staff[Role.SUPERVISOR]
    antwerp.database.write(lambda tx: partners.replace(tx, supervisor, fresh.card()))
    with pytest.raises(Denied, match="nothing is exchanged"):
        carry(panama, antwerp)
    card = identity.read_card(fresh.card())
    names = (card.node, card.signing_fingerprint, card.certificate_fingerprint)
    antwerp.database.write(lambda tx: partners.compare(tx, supervisor, *names))
    antwerp.database.write(lambda tx: partners.trust(tx, antwerp.second, *names))
    assert carry(panama, antwerp).refused == [{"index": 0, "code": "key_unknown"}]
    trust(fresh, antwerp.card())
    fresh.put(antwerp.code)
    assert carry(fresh, antwerp).refused == []


def test_a_suspended_partner_gets_nothing_and_is_taken_nothing_from(both):
    panama, antwerp = both
    panama.put(antwerp.code)
    supervisor = antwerp.staff[Role.SUPERVISOR]
    antwerp.database.write(lambda tx: partners.suspend(tx, supervisor, panama.code))
    with pytest.raises(Denied):
        carry(panama, antwerp)
    with pytest.raises(Denied):
        antwerp.put(panama.code)
