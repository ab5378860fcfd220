"""Pages of a busy node, as people in each role see them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.node_served import Api, make, seed
from isthmus.access import sessions
from isthmus.access.model import Role
from isthmus.kernel.time import SetClock
from isthmus.web.app import mount

Visit = Callable[[Role | None], TestClient]


def pages_of(root: Path, *, busy: bool) -> Api:
    """Make a node with its pages beside the API."""
    api = make(root, SetClock())
    mount(api.app, api.node)
    if busy:
        seed(api)
    return api


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A node with traffic in every state; tests of one module share it."""
    api = pages_of(tmp_path_factory.mktemp("pages") / "node", busy=True)
    yield api
    api.node.close()


@pytest.fixture
def quiet(tmp_path: Path) -> Iterator[Api]:
    """A node with people and nothing received."""
    api = pages_of(tmp_path / "node", busy=False)
    yield api
    api.node.close()


def browser(api: Api, role: Role | None, language: str = "en") -> TestClient:
    """A browser that is signed in as somebody, or as nobody, and reads a language."""
    client = TestClient(api.app, base_url="http://node.test", follow_redirects=False)
    client.cookies.set("isthmus_language", language)
    if role is not None:
        client.cookies.set("isthmus_session", api.enter(role))
    return client


def csrf(client: TestClient) -> str:
    """The form token of a browser's session."""
    return sessions.csrf_token(client.cookies["isthmus_session"])
