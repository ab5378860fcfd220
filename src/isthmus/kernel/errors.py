"""The one error tree of the product.

Every error has a kind (what sort of failure), a code (a stable dotted name that is translated
for people), a message in plain English, and where it happened. Only ``isthmus.api.problems``
turns a kind into an HTTP answer, and only ``isthmus.cli`` into an exit status.

    IsthmusError
    ├── Invalid          the input is wrong, and the message says what and where
    │   └── TooLarge     the input exceeds the size limit of its format
    ├── NotFound         no such thing, or none that this actor may know of
    ├── Conflict         the thing is not in a state that allows this act
    ├── Unauthenticated  nobody is signed in, or the proof of identity failed
    ├── Denied           signed in, but no permission or no purpose
    │   └── PurposeNeeded  a person's data is asked for without a purpose
    ├── Limited          too many tries, or a quota is used up
    ├── Damaged          stored bytes are not what was stored
    ├── Erased           lawfully erased: it was here, and may no longer be read
    └── Unavailable      a service this node needs does not answer
"""

from collections.abc import Mapping
from typing import Any


class IsthmusError(Exception):
    """Base of every error the product raises on purpose."""

    kind = "internal"

    def __init__(self, code: str, message: str, **where: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.where: Mapping[str, Any] = where

    def __reduce__(self) -> tuple[Any, ...]:
        """Let an error pass from one process to another as what it is."""
        return _again, (type(self), self.code, self.message, dict(self.where))

    def __str__(self) -> str:
        place = ", ".join(f"{key}={value!r}" for key, value in self.where.items())
        return f"{self.message} ({place})" if place else self.message


def _again(kind: type[IsthmusError], code: str, message: str, where: dict[str, Any]) -> Exception:
    return kind(code, message, **where)


class Invalid(IsthmusError):
    """The input is wrong."""

    kind = "invalid"


class TooLarge(Invalid):
    """The input exceeds the size limit of its format."""

    kind = "too_large"


class NotFound(IsthmusError):
    """No such thing, or none that this actor may know of."""

    kind = "not_found"


class Conflict(IsthmusError):
    """The thing is not in a state that allows this act."""

    kind = "conflict"


class Unauthenticated(IsthmusError):
    """Nobody is signed in, or the proof of identity failed."""

    kind = "unauthenticated"


class Denied(IsthmusError):
    """Signed in, but without the permission."""

    kind = "denied"


class PurposeNeeded(Denied):
    """A person's data is asked for, and no task or stated reason gives the purpose."""

    kind = "purpose_needed"


class Limited(IsthmusError):
    """Too many tries, or a quota is used up."""

    kind = "limited"


class Damaged(IsthmusError):
    """Stored bytes are not what was stored."""

    kind = "damaged"


class Erased(IsthmusError):
    """Lawfully erased: it was here once and may no longer be read."""

    kind = "erased"


class Unavailable(IsthmusError):
    """A service that this node needs does not answer."""

    kind = "unavailable"
