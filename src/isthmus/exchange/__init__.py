"""Between nodes: partners and trust, envelopes in order, receipts, recall and the ledger."""
