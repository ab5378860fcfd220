"""Clocks that agreements start: replies owed, and the horizons of commitments."""

from datetime import timedelta

from isthmus.agreements.model import ReplyClock

# European police cooperation between member states: Directive (EU) 2023/977, article 5. A template
# for agreements between member states and for no others.
EUROPEAN_POLICE = (
    ReplyClock("urgent", "directly", timedelta(hours=8)),
    ReplyClock("urgent", "indirectly", timedelta(days=3)),
    ReplyClock("normal", "directly", timedelta(days=7)),
    ReplyClock("normal", "indirectly", timedelta(days=7)),
)

MEMBER_STATES = frozenset(
    "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE".split()  # noqa: SIM905 - a list of 27 codes reads best so
)

# Within how long a commitment of each horizon is due where its text names no day: own defaults.
HORIZONS = {
    "immediate": timedelta(days=30),
    "short": timedelta(days=183),
    "long": timedelta(days=730),
}
