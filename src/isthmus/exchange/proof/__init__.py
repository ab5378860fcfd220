"""What can be proved later: the ledger, its witnesses, bundles that need neither node."""
