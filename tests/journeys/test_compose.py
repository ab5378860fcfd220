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
    composer(desk, "known", "?conditions=case_number&keep=NL-DOUANE+seals&read=nl")
    desk.shot("31-composer-known")
    desk.page.locator("#p-NL-DOUANE details.preview summary").click()
    desk.page.locator("#p-NL-DOUANE .cfoot .statement").scroll_into_view_if_needed()
    desk.shot("31-preview", whole=False)
    composer(desk, "known", "?purpose=judicial")
    desk.shot("35-composer-judicial")
    desk.go("/items")
    desk.shot("32-items")
    desk.go(f"/items/{desk.served.links['known']}")
    desk.shot("33-item")
    desk.go("/items/new")
    desk.shot("34-draft")
    desk.go("/queue")
    desk.page.locator("a.row").first.click()
    desk.shot("38-consignment", whole=False)
    desk.page.get_by_role("link", name="Draft an alert").click()
    desk.shot("36-draft-unit")
    phone = window(**PHONE)
    phone.enter("sofia")
    composer(phone, "known", "?conditions=case_number&keep=NL-DOUANE+seals")
    phone.shot("37-phone", whole=False)
    phone.go(f"/items/{phone.served.links['known']}/compose?keep=NL-DOUANE+seals#p-NL-DOUANE")
    phone.shot("39-phone-partner", whole=False)
    phone.page.locator("#p-NL-DOUANE .cfoot").scroll_into_view_if_needed()
    phone.shot("39-phone-send", whole=False)
    assert fits(phone, 390)
    phone.go(f"/items/{phone.served.links['known']}")
    phone.shot("40-phone-item")
    assert fits(phone, 390)
    phone.go("/items")
    phone.shot("41-phone-items")
    assert fits(phone, 390)
    phone.go("/items/new")
    assert fits(phone, 390)
    phone.shot("42-phone-draft", whole=False)
