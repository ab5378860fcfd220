"""How far the reading of a document has come."""

import pytest
from intake_samples import Port

from isthmus.cargo import readings
from isthmus.cargo.versions import Tally
from isthmus.kernel.errors import Conflict, NotFound


@pytest.fixture
def begun(port: Port) -> Port:
    def begin(tx, name, code):
        readings.begin(tx, name, format_code=code, source="s", mapping=None, actor="node")

    port.database.write(lambda tx: begin(tx, "doc", "wco"))
    port.database.write(lambda tx: begin(tx, "odd", None))
    return port


def _row(port: Port, name: str = "doc"):
    return port.database.read(lambda tx: readings.get(tx, name))


def test_a_document_is_stored_read_and_done(begun):
    database = begun.database
    assert (_row(begun)["state"], _row(begun, "odd")["state"]) == ("stored", "unsupported")
    database.write(lambda tx: readings.claim(tx, "doc", 0))
    assert _row(begun)["state"] == "reading"
    some = Tally(received=3, accepted=2, parked=1)
    database.write(lambda tx: readings.advance(tx, "doc", some, 3))
    assert begun.counts("doc") == some
    database.write(lambda tx: readings.recount(tx, "doc", Tally(parked=-1, accepted=1)))
    database.write(lambda tx: readings.finish(tx, "doc"))
    assert (_row(begun)["state"], _row(begun)["ordinal"]) == ("read", 3)
    assert begun.counts("doc") == Tally(received=3, accepted=3)


def test_only_one_reader_goes_on_from_a_place(begun):
    begun.database.write(lambda tx: readings.claim(tx, "doc", 0))
    begun.database.write(lambda tx: readings.advance(tx, "doc", Tally(), 5))
    with pytest.raises(Conflict):
        begun.database.write(lambda tx: readings.claim(tx, "doc", 0))
    begun.database.write(lambda tx: readings.claim(tx, "doc", 5))
    begun.database.write(lambda tx: readings.finish(tx, "doc"))
    with pytest.raises(Conflict):
        begun.database.write(lambda tx: readings.claim(tx, "doc", 5))


def test_a_document_opened_again_goes_on_before_its_faults(begun):
    begun.database.write(lambda tx: readings.advance(tx, "doc", Tally(), 5))
    begun.database.write(lambda tx: readings.finish(tx, "doc"))
    begun.database.write(lambda tx: readings.reopen(tx, "doc", 1))
    assert (_row(begun)["state"], _row(begun)["ordinal"]) == ("reading", 4)


def test_an_unknown_document_is_not_found(begun):
    with pytest.raises(NotFound):
        _row(begun, "none")
