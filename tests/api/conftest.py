"""Nodes to test the API on: an empty one, a busy one, one shared by tests of many requests."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.node_served import Api, make, seed
from isthmus.kernel.time import SetClock


@pytest.fixture
def make_api(tmp_path: Path) -> Iterator[Callable[..., Api]]:
    """Make served nodes; they are closed after the test."""
    made: list[Api] = []

    def make_(**options: Any) -> Api:
        made.append(make(tmp_path / f"node{len(made)}", SetClock(), **options))
        return made[-1]

    yield make_
    for api in made:
        api.node.close()


@pytest.fixture
def api(make_api: Callable[..., Api]) -> Api:
    """A served node with people and nothing received."""
    return make_api()


@pytest.fixture
def busy(api: Api) -> Api:
    """A served node with traffic in every state."""
    seed(api)
    return api


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One busy node for tests that throw many requests at it."""
    api = make(tmp_path_factory.mktemp("shared") / "node", SetClock())
    seed(api)
    with TestClient(api.app):
        yield api
    api.node.close()
