"""Agreements that a lawyer can read and a node can execute, and what they let pass."""
