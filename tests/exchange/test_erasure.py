"""Erasing what was exchanged: nothing can be read any more, everything else goes on."""

import pytest

from exchange.test_ledger import exchange_checkpoints, filled
from exchange.test_post import carry, received, state
from isthmus.exchange import erasure, inbox
from isthmus.kernel.errors import Erased


def test_the_content_goes_and_the_chain_goes_on(both):
    panama, antwerp = both
    item = panama.item()
    sent = panama.put(antwerp.code, item)
    carry(panama, antwerp)
    panama.database.write(lambda tx: erasure.erase_items(tx, [item.id], "era_1"))
    with pytest.raises(Erased):
        panama.database.read(lambda tx: inbox.opened(tx, sent))
    assert panama.database.write(lambda tx: erasure.erase_items(tx, [item.id], "era_1")) == 0
    filled(panama, antwerp, 2)
    assert exchange_checkpoints(antwerp, panama) == "consistent"
    assert len(received(antwerp)) == 3


def test_what_waits_and_was_erased_is_stopped(both):
    panama, antwerp = both
    first, second = panama.item(), panama.item()
    ids = [panama.put(antwerp.code, one) for one in (first, second)]
    panama.database.write(lambda tx: erasure.erase_items(tx, [first.id], "era_1"))
    carry(panama, antwerp)
    assert [state(panama, one) for one in ids] == ["stopped", "delivered"]
    assert received(antwerp) == [second.id]


def test_an_erased_envelope_no_longer_stands_in_a_receivers_database(both):
    panama, antwerp = both
    item = panama.item()
    panama.put(antwerp.code, item)
    carry(panama, antwerp)
    assert antwerp.database.write(lambda tx: erasure.erase_items(tx, [item.id], "era_1")) == 1
