"""A shift in the browser: from the welcome link to the result of an inspection."""

import re
from collections.abc import Callable

import pytest

from journeys.conftest import PASSWORD, Desk

Window = Callable[..., Desk]
LANGUAGES = {
    "es": "Lista de selección",
    "en": "Target queue",
    "fr": "File de ciblage",
    "nl": "Selectielijst",
    "pt": "Lista de seleção",
}


def open_first(desk: Desk, number: int = 0) -> None:
    """Open a consignment of the queue that nobody works on."""
    desk.go("/queue?state=offered")
    desk.page.locator("a.row").nth(number).click()
    desk.page.get_by_role("heading", name="Assessment and reasons").wait_for()


def test_an_analyst_takes_reads_and_clears(window: Window) -> None:
    desk = window()
    desk.go(desk.served.links["ana"])
    desk.shot("01-welcome")
    desk.enter("ana")
    assert desk.page.get_by_role("heading", name="Target queue").is_visible()
    desk.shot("02-queue", whole=False)
    open_first(desk)
    desk.shot("03-consignment-offered")
    reasons = desk.page.locator("section[aria-labelledby='h-risk'] ul.reasons li")
    assert len(reasons.first.inner_text()) > 20
    assert desk.page.get_by_text("say why you need to see them").is_visible()
    desk.page.get_by_role("button", name="Take").click()
    assert desk.page.get_by_text("yours for fifteen minutes").is_visible()
    # The task gives the purpose: the parties are open now, and the look-up is logged.
    assert desk.page.get_by_text("Consignor (shipper)").first.is_visible()
    desk.shot("04-consignment-taken")
    desk.page.locator("details[data-act='clear'] summary").click()
    clear = desk.page.locator("details[data-act='clear']")
    clear.get_by_label("Documents consistent").check()
    clear.get_by_label("I disagree").check()
    clear.get_by_role("button", name="Clear").click()
    assert desk.page.get_by_text("Your decision and reasons are on record").is_visible()


def test_a_hold_goes_from_analyst_to_supervisor_to_terminal(window: Window) -> None:
    ana, sofia, tomas = window(), window(), window()
    ana.enter("ana")
    open_first(ana)
    box = ana.page.locator("h1 .code").inner_text()
    ana.page.get_by_role("button", name="Take").click()
    ana.page.locator("details[data-act='hold'] summary").click()
    hold = ana.page.locator("details[data-act='hold']")
    hold.get_by_label("Indicator: weight").check()
    hold.get_by_role("button", name="Propose a hold").click()
    assert ana.page.get_by_text("takes effect when another person confirms").is_visible()
    sofia.enter("sofia")
    sofia.go("/holds")
    sofia.shot("05-holds-supervisor")
    sofia.page.locator("tr", has_text=box).get_by_role("button", name="Confirm").click()
    assert sofia.page.get_by_text("owes its answer within thirty minutes").is_visible()
    tomas.enter("tomas")
    row = tomas.page.locator("tr", has_text=box)
    assert "weight" not in tomas.page.content().lower(), "a terminal is not told why"
    assert tomas.page.locator("a[href^='/consignments']").count() == 0
    tomas.shot("06-holds-terminal")
    row.get_by_role("button", name="Acknowledge").click()
    assert tomas.page.get_by_text("the terminal keeps the box").is_visible()
    ana.page.reload()
    ana.page.locator("details[data-act='inspect'] summary").click()
    ana.page.get_by_role("button", name="Order an inspection").click()
    assert ana.page.get_by_text("Inspection ordered.").is_visible()
    ana.shot("07-consignment-held")


def test_an_inspector_records_a_seizure_on_a_phone(window: Window) -> None:
    sofia = window()
    sofia.enter("sofia")
    open_first(sofia)
    sofia.page.get_by_role("button", name="Take").click()
    sofia.page.locator("details[data-act='inspect'] summary").click()
    sofia.page.get_by_label("Type of control").select_option("physical_full")
    sofia.page.get_by_role("button", name="Order an inspection").click()
    unit = sofia.page.url.split("/consignments/")[1].split("?")[0]

    ivan = window(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    ivan.enter("ivan")
    assert ivan.page.get_by_role("heading", name="Inspections").is_visible()
    ivan.shot("08-phone-desk")
    name = sofia.page.locator("h1 .code").inner_text()
    ivan.page.locator("a.row", has_text=name).click()
    ivan.shot("09-phone-order")
    ivan.page.get_by_role("button", name="Accept the order").click()
    page = ivan.page
    page.get_by_role("button", name="Record the result").wait_for()
    page.wait_for_load_state("load")  # sizes are those of the stylesheet
    assert page.evaluate("document.documentElement.scrollWidth") <= 360, "nothing is cut off"
    small = page.evaluate(
        """() => [...document.querySelectorAll('.handheld button, .handheld .choice, .handheld input:not([type=radio]):not([type=hidden]), .handheld select')]
             .filter(e => e.getBoundingClientRect().height > 0 && e.getBoundingClientRect().height < 47.5).map(e => e.outerHTML.slice(0, 80))"""
    )
    assert not small, f"targets below 48 px: {small}"
    page.get_by_role("button", name="Record the result").click()
    assert page.get_by_text("Correct the following").is_visible()
    page.get_by_label("Seizure").check()
    page.get_by_label("Share unloaded (%)").fill("40,5")
    page.get_by_label("Delay (min)").fill("185")
    page.get_by_label("Contraband and illicit trafficking").check()
    page.get_by_role("button", name="Add a finding").click()
    assert page.get_by_label("Delay (min)").input_value() == "185", "what was typed is kept"
    page.get_by_label("Goods found").select_option("cocaine")
    page.get_by_label("Quantity").fill("none")
    ivan.shot("10-phone-form")
    page.get_by_role("button", name="Record the result").click()
    assert page.get_by_text("a number above 0").first.is_visible()
    ivan.shot("11-phone-errors")
    page.get_by_label("Quantity").fill("212.5")
    page.get_by_label("Refrigeration unit").check()
    page.get_by_role("button", name="Record the result").click()
    assert page.get_by_text("Result recorded").is_visible()
    ivan.shot("12-phone-result")

    sofia.go(f"/consignments/{unit}")
    assert sofia.page.get_by_text("Cocaine 212.5 Kilogram").is_visible()
    sofia.shot("13-consignment-seizure")
    sofia.go("/overview")
    sofia.shot("14-overview")
    assert re.search(r"100\.0", sofia.page.locator("table").nth(1).inner_text())


def test_the_keyboard_alone(window: Window) -> None:
    desk = window()
    desk.enter("ana")
    press = desk.page.keyboard.press
    press("Tab")
    assert desk.page.evaluate("document.activeElement.className") == "skip"
    press("?")
    assert desk.page.locator("#keys").get_attribute("open") is not None
    press("?")
    desk.go("/queue?state=offered")
    press("j")
    press("j")
    press("k")
    first = desk.page.evaluate("document.activeElement.textContent")
    assert first == desk.page.locator("a.row").first.inner_text()
    desk.shot("15-keyboard-row", whole=False)
    press("Enter")
    desk.page.wait_for_url("**/consignments/*")
    press("t")
    desk.page.wait_for_url("**done=take*")
    press("w")
    assert desk.page.evaluate("document.activeElement.name") == "reasons"
    press("Space")
    press("Escape")
    desk.page.locator("details[data-act='watch'] button").focus()
    press("Enter")
    desk.page.wait_for_url("**done=watch*")
    press("/")
    assert desk.page.evaluate("document.activeElement.id") == "search"
    desk.page.keyboard.type("ISTU000")
    press("Enter")
    desk.page.get_by_role("heading", name="Consignments").wait_for()
    assert desk.page.locator("a.row").count() > 1


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_each_language(window: Window, language: str) -> None:
    desk = window()
    desk.enter("sofia")
    desk.page.locator("#language").select_option(language)
    desk.page.locator(f"html[lang='{language}']").wait_for(state="attached")
    desk.go("/queue")
    assert desk.page.get_by_role("heading", name=LANGUAGES[language]).is_visible()
    desk.shot(f"20-queue-{language}", whole=False)
    assert desk.page.evaluate("document.documentElement.scrollWidth") <= 1280
    desk.page.locator("a.row").first.click()
    desk.shot(f"21-consignment-{language}")
    desk.go("/rules")
    desk.shot(f"22-rules-{language}", whole=False)


def test_dark_and_zoomed(window: Window) -> None:
    desk = window(color_scheme="dark", viewport={"width": 640, "height": 900})
    desk.enter("sofia")
    # 640 px is 1280 px at a zoom of 200 %.
    assert desk.page.evaluate("document.documentElement.scrollWidth") <= 640
    desk.shot("30-queue-dark-zoomed")
    desk.page.set_viewport_size({"width": 1280, "height": 900})
    for name in ("queue", "quarantine", "rules", "models", "overview", "jobs"):
        desk.go(f"/{name}")
        desk.shot(f"31-{name}-dark", whole=False)
    desk.go("/rules")
    desk.page.locator("a.row").first.click()
    desk.shot("32-rule-dark")


def test_without_script(window: Window) -> None:
    desk = window(java_script_enabled=False)
    desk.enter("ana")
    desk.page.locator("#theme").select_option("light")
    desk.page.get_by_role("button", name="Apply").click()
    assert desk.page.locator("html[data-theme='light']").count() == 1
    open_first(desk)
    desk.page.get_by_role("button", name="Take").click()
    assert desk.page.get_by_text("yours for fifteen minutes").is_visible()
    desk.page.get_by_role("button", name="Put back").click()
    assert desk.page.get_by_text("back in the queue").is_visible()


def test_administration_and_supervision(window: Window) -> None:
    desk = window()
    desk.go(desk.served.links["first"])
    desk.served.seeds["first"] = desk.page.locator("#seed").inner_text().replace(" ", "")
    desk.page.get_by_label("Name", exact=True).fill("Primera Admin")
    desk.page.get_by_label("E-mail address").fill("first@customs.example")
    desk.page.get_by_label("New password").fill(PASSWORD)
    desk.page.get_by_label("The same password again").fill("another")
    desk.page.get_by_label("Code the authenticator shows").fill("000000")
    desk.page.get_by_role("button", name="Save").click()
    assert desk.page.get_by_text("The two passwords differ.").first.is_visible()
    desk.shot("40-welcome-errors")
    desk.page.get_by_label("New password").fill(PASSWORD)
    desk.page.get_by_label("The same password again").fill(PASSWORD)
    desk.page.get_by_label("Code the authenticator shows").fill(desk.code("first"))
    desk.page.get_by_role("button", name="Save").click()
    desk.page.get_by_text("Recovery codes").wait_for()
    desk.shot("41-recovery-codes")
    desk.enter("first")
    desk.shot("42-people")
    desk.page.get_by_label("Name", exact=True).fill("Nora Díaz")
    desk.page.get_by_label("E-mail address").fill("nora@customs.example")
    desk.page.get_by_label("Rule author").check()
    desk.page.locator("form[action='/people'] button.main").click()
    assert "/welcome/" in desk.page.locator("#link").inner_text()
    desk.shot("43-link")
    auditor = window()
    auditor.enter("aurora")
    auditor.shot("44-audit", whole=False)
    assert auditor.page.get_by_text("Primera Admin").first.is_visible()
    auditor.go("/audit/lookups")
    assert auditor.page.get_by_text("Own task").first.is_visible()
    auditor.shot("45-lookups", whole=False)
