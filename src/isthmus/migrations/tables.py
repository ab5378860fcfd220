"""Every table of the product: importing this module makes ``metadata`` whole.

An area that keeps tables adds one line here; the revision that creates them follows from
``python -m isthmus.migrations.revise``.
"""

from isthmus.access import tables as access
from isthmus.platform import audit, documents, events, jobs
from isthmus.platform.database import metadata

AREAS = (audit, documents, events, jobs, access)

__all__ = ["AREAS", "metadata"]
