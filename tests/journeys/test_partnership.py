"""Partnerships in the browser: figures to their rows, the pack signed, a profile adopted."""

from collections.abc import Callable, Iterator

import pytest

from isthmus.flow import assurance_pack
from journeys.conftest import Desk, Served, serving

Window = Callable[..., Desk]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A node with three months of two partners behind it."""
    with serving(tmp_path_factory.mktemp("partnered") / "node", "journeys.partnered") as node:
        yield node


def fits(desk: Desk, width: int) -> bool:
    return desk.page.evaluate("document.documentElement.scrollWidth") <= width


def reads(desk: Desk, language: str) -> None:
    desk.page.context.add_cookies(
        [{"name": "isthmus_language", "value": language, "url": desk.served.address}]
    )


def test_a_figure_opens_its_rows(window: Window) -> None:
    desk = window()
    desk.enter("aurora")
    desk.go("/partnership")
    assert desk.page.get_by_text("Their request → our answer").first.is_visible()
    assert fits(desk, 1280)
    desk.shot("70-partnership-en")
    dutch = desk.page.locator("section", has=desk.page.locator("#h-NL-DOUANE"))
    row = dutch.locator("tr", has_text="Their request → our answer").first
    assert row.locator("svg.weeks rect.done").count() >= 1
    row.get_by_role("link").first.click()
    desk.page.get_by_role("heading", name="Their request → our answer").wait_for()
    assert desk.page.get_by_text("PA-NL-2026/art-4").first.is_visible()
    desk.shot("71-partnership-rows")
    assert fits(desk, 1280)
    reads(desk, "es")
    desk.go("/partnership")
    assert desk.page.get_by_role("heading", name="Plazos con socios").is_visible()
    desk.shot("72-partnership-es")


@pytest.mark.parametrize("language", ["nl", "pt"])
def test_it_fits_a_phone(window: Window, language: str) -> None:
    desk = window(**PHONE)
    desk.enter("aurora")
    reads(desk, language)
    for number, path in enumerate(
        (
            "/partnership",
            "/partnership/steps?partner=NL-DOUANE&measure=our_answer",
            "/partnership/NL-DOUANE/assurance",
        )
    ):
        desk.go(path)
        desk.shot(f"73-phone-{language}-{number}")
        assert fits(desk, 390)


def test_the_pack_is_read_signed_and_verified(window: Window) -> None:
    desk = window()
    desk.enter("sofia")
    desk.go("/partnership/NL-DOUANE/assurance")
    assert desk.page.get_by_text("No leak in what was checked").is_visible()
    desk.shot("74-assurance-en")
    assert fits(desk, 1280)
    with desk.page.expect_download() as given:
        desk.page.get_by_role("button", name="Sign the pack").click()
    with open(given.value.path(), "rb") as file:
        pack, found = assurance_pack.verify(file.read())
    assert found == []
    assert pack.said["leaks"]["found"] == []
    reads(desk, "fr")
    desk.go("/partnership/NL-DOUANE/assurance")
    desk.shot("75-assurance-fr")


def test_a_profile_is_tried_before_it_is_adopted(window: Window) -> None:
    desk = window()
    desk.enter("ana")
    desk.go("/rules")
    desk.page.locator("a.row", has_text="NL-DOUANE:prf_").click()
    desk.page.get_by_role("heading", name="Tried on own data").wait_for()
    assert desk.page.get_by_text("rotterdam_gate_score").first.is_visible()
    desk.shot("76-profile-en")
    assert fits(desk, 1280)
    desk.page.get_by_role("button", name="Propose the rule").click()
    desk.page.get_by_role("heading", name="Profile of NL-DOUANE").wait_for()
    desk.shot("77-profile-rule")
    desk.go(f"/rules/profiles/{desk.served.links['profile']}")
    assert desk.page.get_by_text("Adopted", exact=True).is_visible()
    phone = window(**PHONE)
    phone.enter("ana")
    reads(phone, "es")
    phone.go(f"/rules/profiles/{phone.served.links['profile']}")
    phone.shot("78-phone-profile")
    assert fits(phone, 390)
