"""A listed consignee in the browser: found, opened for a reason, judged by keys, not asked again."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from journeys.conftest import Desk

Window = Callable[..., Desk]
LISTED = "КОНСТЕЛАСЬОН ФИКТИСИЯ ТРЕЙДЫНГ"
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
WHY = {
    "es": "suena como «ficticia» de la lista",
    "en": "sounds like “ficticia” on the list",
    "fr": "se prononce comme « ficticia » de la liste",
    "nl": "klinkt als ‘ficticia’ op de lijst",
    "pt": "soa como “ficticia” da lista",
}


def open_hit(desk: Desk, key: str = "D-1") -> None:
    """Open a hit of the desk and lay it open for a reason."""
    desk.go("/hits")
    desk.page.locator("a.row", has_text=f"csv {key}").click()
    desk.page.locator("#h-compare, #h-gate").wait_for()
    gate = desk.page.locator("textarea[name=reason]")
    if gate.count():
        gate.fill("Comparing a possible lookout before arrival")
        desk.page.get_by_role("button", name="Open and compare").click()
    desk.page.get_by_role("heading", name="On the list").first.wait_for()


def fits(desk: Desk, width: int) -> bool:
    return desk.page.evaluate("document.documentElement.scrollWidth") <= width


def take_again(desk: Desk) -> str:
    """Take the same lookouts in once more, from the console."""
    folder = desk.served.folder
    command = [
        str(Path(sys.executable).with_name("isthmus")),
        "--node",
        str(folder),
        "lists",
        "import",
        "csv",
    ]
    done = subprocess.run(
        [*command, str(folder / "lookouts.csv"), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_lists_are_shown_with_their_health(window: Window) -> None:
    desk = window()
    desk.enter("aurora")
    desk.go("/lists")
    assert desk.page.get_by_text("Never taken in").first.is_visible()
    assert fits(desk, 1280)
    desk.shot("20-lists")
    desk.page.locator("a.row", has_text="csv").click()
    assert desk.page.get_by_text("D-1").is_visible()
    desk.shot("21-list")


@pytest.mark.parametrize("language", WHY)
def test_the_reason_is_read_in_five_languages(window: Window, language: str) -> None:
    desk = window()
    desk.enter("sofia")
    open_hit(desk)
    path = desk.page.url.removesuffix("/open").removeprefix(desk.served.address)
    desk.page.context.add_cookies(
        [{"name": "isthmus_language", "value": language, "url": desk.served.address}]
    )
    desk.go(path)
    desk.page.locator("textarea[name=reason]").fill("Comparing a possible lookout before arrival")
    desk.page.locator("form[action$='/open'] button").click()
    assert desk.page.get_by_text(WHY[language]).is_visible()


def test_on_a_phone_the_two_sides_stand_under_each_other(window: Window) -> None:
    desk = window(**PHONE)
    desk.enter("ana")
    desk.go("/hits")
    assert fits(desk, 360)
    desk.shot("24-phone-hits")
    open_hit(desk)
    desk.shot("25-phone-hit")
    assert fits(desk, 360)
    desk.go("/lists")
    assert fits(desk, 360)


def test_a_consignment_says_what_its_hits_did(window: Window) -> None:
    desk = window()
    desk.enter("sofia")
    desk.go("/overview")
    desk.shot("27-overview")
    open_hit(desk)
    desk.page.locator("section[aria-labelledby='h-units'] a.row").first.click()
    hits = desk.page.locator("#hits")
    assert hits.get_by_text("Likeness is not identity").first.is_visible()
    desk.shot("28-consignment-listed")


def test_a_hit_is_compared_judged_by_keys_and_not_asked_again(window: Window) -> None:
    desk = window()
    desk.enter("ana")
    desk.go("/hits")
    desk.shot("22-hits")
    assert LISTED not in desk.page.content()
    desk.page.keyboard.press("j")
    desk.page.keyboard.press("Enter")
    desk.page.get_by_text("Say why you open it").wait_for()
    assert LISTED not in desk.page.content()
    assert desk.page.get_by_text("Open and compare first").is_visible()
    open_hit(desk)
    assert desk.page.locator("mark", has_text=LISTED).is_visible()
    assert desk.page.locator("mark", has_text="CONSTELACION FICTICIA TRADING S.A.").is_visible()
    assert fits(desk, 1280)
    desk.shot("23-hit")
    desk.page.locator("h1").click()
    desk.page.keyboard.press("n")
    judge = desk.page.locator("details[data-act='not_same']")
    judge.get_by_label("Speaks until").wait_for()
    assert judge.get_by_label("Speaks until").input_value()
    desk.page.keyboard.press("Space")  # the first reason has the focus
    desk.page.keyboard.press("Enter")
    desk.page.get_by_text("The hit is judged").wait_for()
    assert desk.page.locator("a.row", has_text="csv D-1").count() == 0
    assert '"unchanged"' in take_again(desk)
    desk.go("/hits")
    assert desk.page.locator("a.row", has_text="csv D-1").count() == 0
    desk.go("/hits?state=not_same")
    desk.page.locator("a.row", has_text="csv D-1").click()
    assert (
        desk.page.locator("section[aria-labelledby='h-past']")
        .get_by_text("Not the same party")
        .is_visible()
    )
    desk.page.locator("section[aria-labelledby='h-units'] a.row").first.click()
    assert desk.page.locator("#hits").get_by_text("Not the same party").is_visible()
    desk.shot("26-consignment-hits")
