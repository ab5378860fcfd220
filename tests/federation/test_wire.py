"""Two and three nodes in processes of their own, over mutual TLS on loopback."""

SETTLED = "SELECT count(*) FROM envelope WHERE direction = 'out' AND state = 'delivered'"
SEALED = "SELECT count(*) FROM ledger_entry WHERE seq NOT IN (SELECT entry_seq FROM ledger_leaf)"


def test_put_dispatch_durable_receipt_ledger(federation):
    panama, antwerp = federation("PA-ANA", "BE-DOUANE")
    antwerp.start()
    panama.start("puts", "BE-DOUANE", "immediate", "0.02")
    end = 20
    while len(panama.put()) < end:
        pass
    panama.kill()
    panama.start()
    put = panama.put()
    total = panama.rows("SELECT count(*) FROM envelope WHERE direction = 'out'")[0][0]
    panama.wait(SETTLED, total)
    assert antwerp.applied()[: len(put)] == put
    panama.wait(SEALED, 0)
    antwerp.wait(SEALED, 0)
    assert panama.rows("SELECT count(*) FROM receipt WHERE direction = 'in'")[0][0] > 0


def test_a_node_that_only_dials_out_polls(federation):
    panama, antwerp = federation("PA-ANA", "BE-DOUANE", dials_only=("BE-DOUANE",))
    panama.start("puts", "BE-DOUANE", "flash", "0.05")
    antwerp.start()
    while len(panama.put()) < 10:
        pass
    panama.kill()
    panama.start()
    total = panama.rows("SELECT count(*) FROM envelope WHERE direction = 'out'")[0][0]
    panama.wait(SETTLED, total)
    assert len(antwerp.applied()) == total == len(set(antwerp.applied()))
