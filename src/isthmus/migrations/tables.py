"""Every table of the product: importing this module makes ``metadata`` whole.

An area that keeps tables adds one line here; the revision that creates them follows from
``python -m isthmus.migrations.revise``.
"""

from isthmus.access import tables as access
from isthmus.agreements import tables as agreements
from isthmus.cargo import tables as cargo
from isthmus.cases import partner_tables as partner_cases
from isthmus.cases import share_tables as shares
from isthmus.cases import tables as cases
from isthmus.exchange import tables as exchange
from isthmus.intelligence import tables as intelligence
from isthmus.parties import tables as parties
from isthmus.platform import audit, documents, erasure, events, jobs
from isthmus.platform.database import metadata
from isthmus.risk import tables as risk

AREAS = (
    audit,
    documents,
    erasure,
    events,
    jobs,
    access,
    intelligence,
    parties,
    cargo,
    risk,
    agreements,
    exchange,
    cases,
    partner_cases,
    shares,
)

__all__ = ["AREAS", "metadata"]
