"""Agencies, people, roles, purposes, assignments; ``gate`` holds the only gates."""
