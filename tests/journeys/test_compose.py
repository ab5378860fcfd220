"""Sharing in the browser: drafted from a box, composed field by field, kept back, sent, receipted."""

from collections.abc import Callable, Iterator

import pytest

from journeys.conftest import Desk, Served, serving

Window = Callable[..., Desk]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
REASON = "The partner asks for the driver in case PA-2026-17"
LOOKS = {
    "es": "Compartir: Alerta",
    "en": "Share: Alert",
    "fr": "Partager : Alerte",
    "nl": "Delen: Signalering",
    "pt": "Partilhar: Alerta",
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A node with partners, agreements in force and two alerts."""
    with serving(tmp_path_factory.mktemp("sharing") / "node", "journeys.sharing") as node:
        yield node


def fits(desk: Desk, width: int) -> bool:
    return desk.page.evaluate("document.documentElement.scrollWidth") <= width


def composer(desk: Desk, which: str = "fresh", query: str = "") -> None:
    desk.go(f"/items/{desk.served.links[which]}/compose{query}")


def column(desk: Desk, partner: str):
    return desk.page.locator(f"section#p-{partner}")


def test_look(window: Window) -> None:
    desk = window()
    desk.enter("sofia")
    composer(desk)
    desk.shot("30-composer")
    composer(desk, "known")
    desk.shot("31-composer-known")
    desk.go("/items")
    desk.shot("32-items")
    desk.go(f"/items/{desk.served.links['known']}")
    desk.shot("33-item")
    desk.go("/items/new")
    desk.shot("34-draft")
