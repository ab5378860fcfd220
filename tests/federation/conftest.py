"""Federations of processes, ended after each test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from federation.nodes import Process, build

Federation = Callable[..., list[Process]]


@pytest.fixture
def federation(tmp_path: Path) -> Iterator[Federation]:
    """Build nodes that trust each other."""
    made: list[Process] = []

    def make(*codes: str, **options: object) -> list[Process]:
        made.extend(build(tmp_path, *codes, **options))  # type: ignore[arg-type]
        return made

    yield make
    for one in made:
        one.stop()
