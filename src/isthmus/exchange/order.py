"""Order: batches of one sender that are under way together are taken in the order of the chain."""

import threading
import time
from collections import Counter
from collections.abc import Callable

PATIENCE = 2.0  # seconds; what is still missing then is a gap
MOST = 2  # batches of a sender that wait: no partner takes all the hands there are


class Order:
    """Lets a batch that came before the one it follows wait for it, a moment."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self.patience = patience
        self._waiting: Counter[str] = Counter()
        self._changed = threading.Condition()

    def wait(self, sender: str, follows: Callable[[], bool]) -> None:
        """Return when the batch follows on what is here, or when it has waited long enough."""
        end = time.monotonic() + self.patience
        if follows():
            return
        with self._changed:
            if self._waiting[sender] >= MOST:
                return
            self._waiting[sender] += 1
            try:
                while not follows() and (left := end - time.monotonic()) > 0:
                    self._changed.wait(min(left, 0.5))
            finally:
                self._waiting[sender] -= 1

    def taken(self) -> None:
        """Say that a batch was taken."""
        with self._changed:
            self._changed.notify_all()
