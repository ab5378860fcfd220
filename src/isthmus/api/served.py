"""What the API and the pages need of the node they serve.

The node stands above the API in the order of the areas, so it is known here by what it offers.
"""

from typing import Annotated, Protocol, cast

from fastapi import Depends, Request

from isthmus.access.credentials import PasswordHasher
from isthmus.access.model import Actor
from isthmus.access.sessions import SessionTerms
from isthmus.flow.erase import Eraser
from isthmus.flow.receive import Receiver
from isthmus.flow.score import Scorer
from isthmus.flow.screen import Screener
from isthmus.flow.train import Trainer
from isthmus.platform.database import Database
from isthmus.platform.settings import NodeFolder, Settings


class Served(Protocol):
    """One authority's node, open."""

    folder: NodeFolder
    settings: Settings
    database: Database
    receiver: Receiver
    screener: Screener
    scorer: Scorer
    trainer: Trainer
    eraser: Eraser

    @property
    def actor(self) -> Actor:
        """The node itself."""
        ...

    @property
    def session_terms(self) -> SessionTerms:
        """How long people's sessions live here."""
        ...


async def served(request: Request) -> Served:
    """Return the node that answers this request."""
    return cast(Served, request.app.state.node)


async def hasher_of(request: Request) -> PasswordHasher:
    """Return the one password hasher of this process."""
    return cast(PasswordHasher, request.app.state.hasher)


NodeServed = Annotated[Served, Depends(served)]
Hasher = Annotated[PasswordHasher, Depends(hasher_of)]
