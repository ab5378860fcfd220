"""What is erased of a party or a document is gone, and what rested on more stands on the rest."""

import pytest
from intake_samples import (
    BOXES,
    HOME,
    Port,
    at,
    changed,
    consignment,
    declaration,
    event,
    manifest,
    party,
)

from isthmus.cargo import erasure, parties
from isthmus.cargo.model import Function, PartyRole, Rejected
from isthmus.cargo.tables import mention_table, quarantine_table, reading_table, record_table
from isthmus.cargo.unit import UnitState
from isthmus.cargo.versions import quarantine_row
from isthmus.kernel.errors import Conflict

A, B, *_ = BOXES
NAME = "Zacarias Unmistakable"
HIM = party(PartyRole.CONSIGNEE, NAME)


def forget(port: Port, text: str = NAME) -> erasure.Erased:
    def work(tx):
        subject = erasure.subject_named(tx, text)
        erasure.check_hold(tx, subject)
        return erasure.erase_party(tx, HOME, subject, "ers_1")

    return port.database.write(work)


def drop(port: Port, document: str) -> erasure.Erased:
    return port.database.write(lambda tx: erasure.erase_document(tx, HOME, document))


def everything(port: Port) -> str:
    tables = (record_table, reading_table, quarantine_table, mention_table)
    rows = [*port.parties(), *(row for table in tables for row in port.rows(table))]
    return " ".join(str(dict(row)) for row in rows) + str(port.units())


# -- a party -------------------------------------------------------------------------------


def test_a_party_goes_from_every_version_and_unit_and_the_rest_stays(port):
    record = consignment("B1", A, parties=(HIM, party(PartyRole.NOTIFY, "Another")))
    port.take(record, event("DISC", A, 0))
    port.take(changed(record, parties=(party(PartyRole.CONSIGNEE, "Later S.A."),)))
    ref = parties.reference(port.database.keys, HIM)
    erased = forget(port)
    assert erased.counts["declared_party"] == 1
    assert len(erased.units) == 1, "an earlier version named him: feature rows of then hold it"
    told = everything(port)
    assert NAME not in told
    assert ref not in told
    assert {row["name"] for row in port.parties()} == {"Another", "Later S.A."}
    (unit,) = port.standing().values()
    assert (unit.description, unit.arrival_at) == ("FRESH BANANAS", at(0))
    assert forget(port).counts == {"declared_party": 0, "document": 0, "unit": 0}
    port.check()


def test_a_unit_is_judged_anew_without_the_party(port):
    port.take(consignment("B1", A, parties=(HIM, party(PartyRole.FORWARDER, NAME))))
    (before,) = port.standing().values()
    assert before.consignee_is_forwarder
    forget(port)
    (unit,) = port.standing().values()
    assert (unit.consignee_ref, unit.consignee_is_forwarder) == (None, False)
    assert unit.version > before.version


@pytest.mark.parametrize("asked", ["ruc-77", " RUC-77 "])
def test_a_party_is_meant_by_its_identifier_too(port, asked):
    port.take(declaration("D1", parties=(party(PartyRole.IMPORTER, NAME, "RUC-77"),)))
    forget(port, asked)
    told = everything(port)
    assert NAME not in told
    assert "RUC-77" not in told


def test_a_parked_amendment_loses_the_party_alone(port):
    others = party(PartyRole.NOTIFY, "Another")
    port.take(
        declaration(
            "A1", function=Function.CHANGE, parent_reference="D1", parties=(HIM, others), goods=()
        )
    )
    document = port.document
    forget(port, parties.reference(port.database.keys, HIM))
    assert NAME not in everything(port)
    (row,) = port.rows(reading_table, reading_table.c.document_id == document)
    assert (row["state"], row["source"]) == ("erased", "")
    port.take(declaration("D1"))
    assert {row["name"] for row in port.parties() if row["name"]} == {"Another"}
    port.check()


def test_what_was_parked_keeps_no_party_after_it_was_applied(port):
    port.take(
        declaration("A1", function=Function.CHANGE, parent_reference="D1", parties=(HIM,), goods=())
    )
    port.take(declaration("D1"))
    assert NAME in everything(port)
    forget(port)
    assert NAME not in everything(port)


def test_a_name_in_a_quarantined_part_goes_with_it(port):
    port.take(consignment("B1", A, parties=(HIM,)))
    entry = Rejected("row 9", 9, "value_impossible", f"what is {NAME}?", "x", NAME)
    port.database.write(
        lambda tx: tx.insert(quarantine_table, [quarantine_row(tx, "doc_x", entry)])
    )
    forget(port)
    assert NAME not in everything(port)
    assert [row["state"] for row in port.quarantined()] == ["abandoned"]


def test_a_legal_hold_forbids_it(port):
    port.take(consignment("B1", A, parties=(HIM,)))
    subject = parties.subject(port.database.keys, parties.reference(port.database.keys, HIM))
    port.database.write(lambda tx: erasure.set_hold(tx, subject, "case-1"))
    with pytest.raises(Conflict):
        forget(port)
    document = port.document
    with pytest.raises(Conflict):
        port.database.write(lambda tx: erasure.check_document_hold(tx, document))
    assert NAME in everything(port)
    port.database.write(lambda tx: erasure.set_hold(tx, subject, None))
    forget(port)
    assert NAME not in everything(port)


# -- a document ----------------------------------------------------------------------------


def test_a_unit_that_rests_on_one_document_is_emptied(port):
    port.take(consignment("B1", A, parties=(HIM,)))
    (before,) = port.units()
    drop(port, port.document)
    (unit,) = port.units()
    assert unit.id == before.id
    assert (unit.state, unit.version) == (UnitState.CANCELLED, before.version + 1)
    assert (unit.container, unit.bill, unit.description, unit.regime) == (
        None,
        None,
        None,
        "unknown",
    )
    assert port.rows(record_table) == port.rows(mention_table) == port.parties() == []


def test_a_unit_that_rests_on_more_is_derived_from_the_rest(port):
    port.take(consignment("B1", A))
    bill = port.document
    port.take(declaration("D1", A, office="PAMIT"), event("GTIN", A, 0, terminal="PAMIT1"))
    said = port.document
    drop(port, said)
    ((key, unit),) = port.standing().items()
    assert key == (A, "B1", None)
    assert (unit.net_kg, unit.terminal, unit.documents) == (None, None, 1)
    port.take(declaration("D1", A))
    drop(port, bill)
    ((key, unit),) = port.standing().items()
    assert key == (A, None, "D1")
    assert (unit.place_loading, unit.net_kg) == (None, 17000.0)
    port.check()


def test_a_house_that_is_erased_gives_the_box_back_to_its_master(port):
    port.take(consignment("MB", A))
    port.take(consignment("H1", A, master_bill="MB"))
    drop(port, port.document)
    assert set(port.standing()) == {(A, "MB", None)}


def test_the_version_before_stands_again(port):
    port.take(consignment("B1", A))
    port.take(changed(consignment("B1", B)))
    drop(port, port.document)
    assert set(port.standing()) == {(A, "B1", None)}
    assert [row["state"] for row in port.versions("M1/B1")] == ["current"]
    port.take(changed(consignment("B1", B)))
    assert set(port.standing()) == {(B, "B1", None)}


def test_what_amendments_made_of_a_declaration_goes_with_it(port):
    port.take(declaration("D1", A, parties=(HIM,)))
    first = port.document
    port.take(declaration("A1", function=Function.CHANGE, parent_reference="D1", payment="20"))
    drop(port, first)
    assert port.versions("D1") == []
    assert NAME not in everything(port)
    assert port.standing() == {}


def test_what_was_cancelled_does_not_rise_again(port):
    port.take(consignment("B1", A))
    port.take(changed(consignment("B1", B)))
    second = port.document
    port.take(manifest("M1", Function.CANCEL, issued_at=at(-0.5)))
    drop(port, second)
    assert port.standing() == {}


def test_a_cancellation_received_in_error_is_undone_with_its_document(port):
    port.take(consignment("B1", A), declaration("D1", B))
    port.take(manifest("M1", Function.CANCEL, issued_at=at(-0.5)))
    cancelled = port.document
    port.take(declaration("C1", function=Function.CANCEL, parent_reference="D1"))
    assert port.standing() == {}
    drop(port, port.document)
    drop(port, cancelled)
    assert set(port.standing()) == {(A, "B1", None), (B, None, "D1")}
    port.check()


def test_a_whole_statement_after_it_stays(port):
    port.take(declaration("D1", payment="10"))
    first = port.document
    port.take(declaration("D1", payment="20"))
    drop(port, first)
    (row,) = port.versions("D1")
    assert (row["body"]["payment"], row["state"]) == ("20", "current")
    assert len(port.standing()) == 1


def test_events_that_are_erased_did_not_happen(port):
    port.take(consignment("B1", A))
    port.take(event("DISC", A, 0), event("GTOT", A, 1))
    drop(port, port.document)
    (unit,) = port.standing().values()
    assert (unit.state, unit.gate_out_at, unit.arrival_at) == (UnitState.OPEN, None, at(0))
    assert drop(port, port.document).counts == {"record": 0, "unit": 0}
