"""What a node looks for. Each objective has its own labels, its own model and its own score."""

from enum import StrEnum


class Objective(StrEnum):
    """An objective of targeting (code list ``objectives``).

    A revenue irregularity is never a label for contraband, nor the other way round.
    """

    CONTRABAND = "contraband"
    REVENUE = "revenue"
    STRATEGIC = "strategic"
