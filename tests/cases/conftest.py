"""A node with boxes scored, for what people do with picks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from flow.loop_node import Loop, open_loop
from isthmus.kernel.time import SetClock


@pytest.fixture
def desk(tmp_path: Path, clock: SetClock) -> Iterator[Loop]:
    """A node with five boxes scored and one run made."""
    loop = open_loop(tmp_path / "node", clock)
    loop.manifest(1, 2, 3, 4, 5)
    loop.node.scorer.score_all()
    yield loop
    loop.node.close()
