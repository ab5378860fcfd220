"""A node to walk the loop on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from flow.loop_node import Loop, open_loop
from isthmus.kernel.time import SetClock


@pytest.fixture
def loop(tmp_path: Path, clock: SetClock) -> Iterator[Loop]:
    """A node on SQLite with nothing received yet."""
    made = open_loop(tmp_path / "node", clock)
    yield made
    made.node.close()


@pytest.fixture
def any_loop(tmp_path: Path, clock: SetClock, empty_url: str, backend: str) -> Iterator[Loop]:
    """A node on SQLite and on PostgreSQL in turn."""
    made = open_loop(tmp_path / "node", clock, empty_url if backend == "postgresql" else "")
    yield made
    made.node.close()
