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


def reach(desk: Desk, selector: str, most: int = 220) -> None:
    """Tab until something has the focus, as somebody without a mouse does."""
    for _ in range(most):
        desk.page.keyboard.press("Tab")
        if desk.page.evaluate("s => document.activeElement?.matches(s) ?? false", selector):
            return
    raise AssertionError(f"no way to {selector} by Tab")


def test_a_box_becomes_an_alert_that_one_partner_gets_less_a_field(window: Window) -> None:
    desk = window()
    desk.enter("ana")
    desk.go("/queue")
    desk.page.locator("a.row").first.click()
    desk.page.locator("h1").wait_for()
    desk.shot("30-consignment", whole=False)
    desk.page.keyboard.press("s")
    desk.page.get_by_role("heading", name="Draft: Alert").wait_for()
    box = desk.page.locator("textarea[name=containers]").input_value()
    assert box.startswith("ISTU")
    desk.page.locator("select[name='marking.source']").select_option("4x4 B")
    desk.page.locator("select[name='marking.information']").select_option("4x4 2")
    desk.shot("31-draft")
    desk.page.get_by_role("button", name="Draft and look who gets what").click()
    desk.page.get_by_text("The item is drafted. Nobody has it yet.").wait_for()
    dutch = column(desk, "NL-DOUANE")
    assert dutch.locator(".by", has_text="PA-NL-2026/art-3").first.is_visible()
    dutch.locator("li", has_text="Seals").get_by_label("keep back").check()
    desk.page.get_by_role("button", name="Look again").click()
    assert dutch.get_by_text("Kept back by you").is_visible()
    dutch.get_by_text("What they will read (Dutch)").click()
    paper = dutch.locator("[lang=nl]")
    assert paper.get_by_text("Signalering").first.is_visible()
    assert box in paper.inner_text()
    assert "Verzegelingen" not in paper.inner_text()
    assert fits(desk, 1280)
    desk.shot("32-composer")
    dutch.get_by_role("button", name="Send to NL-DOUANE").click()
    desk.page.get_by_text("It is in the outbox").wait_for()
    for _ in range(60):
        if column(desk, "NL-DOUANE").get_by_text("Opened by a person").count():
            break
        desk.page.wait_for_timeout(250)
        desk.page.reload()
    assert column(desk, "NL-DOUANE").get_by_text("Delivered").first.is_visible()
    desk.shot("33-composer-sent")
    desk.page.locator(".head a", has_text="Alert").click()
    copies = desk.page.locator("#copies")
    assert copies.get_by_text("Douane Nederland").is_visible()
    assert copies.get_by_text("Opened by a person").is_visible()
    desk.shot("34-item-copies")


def test_a_partner_without_a_clause_says_the_one_thing_that_lacks(window: Window) -> None:
    desk = window()
    desk.enter("sofia")
    composer(desk)
    mexican = column(desk, "MX-ANAM")
    assert mexican.get_by_text("No clause between PA-ANA and MX-ANAM.").is_visible()
    assert mexican.get_by_role("button").count() == 0
    # What a clause would want is one press away, and nothing ticked is lost by it.
    dutch = column(desk, "NL-DOUANE")
    dutch.locator("li", has_text="Seals").get_by_label("keep back").check()
    dutch.get_by_role("button", name="State it as met: a case number on both sides").click()
    assert dutch.get_by_text("Stays until you open it").count() == 3
    assert dutch.locator("li", has_text="Seals").get_by_label("keep back").is_checked()
    composer(desk, query="?purpose=licensing")
    desk.shot("35-composer-nothing")
    column(desk, "BE-DOUANE").get_by_role("button", name="Look for: Targeting").click()
    assert column(desk, "BE-DOUANE").get_by_text("Goes").first.is_visible()


def test_persons_are_opened_for_a_reason_and_sent_by_name(window: Window) -> None:
    desk = window()
    desk.enter("sofia")
    composer(desk, query="?conditions=case_number")
    assert "Fulano" not in desk.page.content()
    desk.page.locator("#persons summary").click()
    desk.page.get_by_label("Why you open them").fill("because")
    desk.page.get_by_role("button", name="Open them").click()
    desk.page.get_by_text("at least").first.wait_for()
    assert desk.page.get_by_label("Why you open them").input_value() == "because"
    desk.page.get_by_label("Why you open them").fill(REASON)
    desk.page.get_by_role("button", name="Open them").click()
    belgian = column(desk, "BE-DOUANE")
    belgian.get_by_text("About persons: 3.").wait_for()
    desk.shot("36-composer-opened")
    belgian.get_by_role("button", name="Send to BE-DOUANE").click()
    desk.page.get_by_text("It is in the outbox").wait_for()
    assert "Fulano" not in desk.page.content()  # closed again: opening is for one look


def test_by_keyboard_alone(window: Window) -> None:
    desk = window()
    desk.enter("ana")
    desk.go("/items")
    desk.page.keyboard.press("j")
    desk.page.keyboard.press("Enter")
    desk.page.locator("#copies").wait_for()
    composer(desk, "known")
    reach(desk, "section#p-BE-DOUANE input[name=keep]")
    desk.page.keyboard.press("Space")
    reach(desk, "section#p-BE-DOUANE button[data-act=send]")
    desk.page.keyboard.press("Enter")
    desk.page.get_by_text("It is in the outbox").wait_for()
    assert column(desk, "BE-DOUANE").get_by_text("Kept back by you").is_visible()


def test_on_a_phone_partners_stand_under_one_another(window: Window) -> None:
    desk = window(**PHONE)
    desk.enter("sofia")
    composer(desk, "known", "?conditions=case_number&keep=NL-DOUANE+seals")
    assert fits(desk, 390)
    tops = [column(desk, code).bounding_box() for code in ("BE-DOUANE", "NL-DOUANE", "MX-ANAM")]
    assert [one["y"] for one in tops] == sorted(one["y"] for one in tops)
    assert all(one["width"] > 340 for one in tops)
    seals = column(desk, "NL-DOUANE").locator("li", has_text="Seals")
    assert seals.get_by_text("CO48213").is_visible()  # each list says the values itself
    desk.shot("37-phone-composer", whole=False)
    seals.scroll_into_view_if_needed()
    desk.shot("38-phone-partner", whole=False)
    for path in (f"/items/{desk.served.links['known']}", "/items", "/items/new"):
        desk.go(path)
        assert fits(desk, 390), path
    desk.shot("39-phone-draft", whole=False)


def test_without_script_all_of_it_works(window: Window) -> None:
    desk = window(java_script_enabled=False)
    desk.enter("sofia")
    composer(desk, "known")
    desk.page.get_by_label("What for").select_option("judicial")
    desk.page.get_by_role("button", name="Look again").click()
    assert column(desk, "NL-DOUANE").get_by_text("Nothing goes").is_visible()
    desk.page.get_by_label("What for").select_option("inspection")
    desk.page.get_by_role("button", name="Look again").click()
    dutch = column(desk, "NL-DOUANE")
    dutch.locator("li", has_text="Seals").get_by_label("keep back").check()
    dutch.get_by_role("button", name="Send to NL-DOUANE").click()
    assert desk.page.get_by_text("It is in the outbox").is_visible()
    assert "csrf" not in desk.page.url


def test_what_changed_since_the_look_is_not_sent(window: Window) -> None:
    desk = window()
    desk.enter("sofia")
    composer(desk)
    desk.page.get_by_label("What for").select_option("inspection")
    column(desk, "NL-DOUANE").get_by_role("button", name="Send to NL-DOUANE").click()
    desk.page.get_by_text("Nothing was sent to NL-DOUANE.").wait_for()
    assert desk.page.get_by_label("What for").input_value() == "inspection"
    desk.shot("40-composer-refused", whole=False)


@pytest.mark.parametrize("language", LOOKS)
def test_the_composer_reads_in_five_languages(window: Window, language: str) -> None:
    desk = window()
    desk.enter("sofia")
    desk.page.context.add_cookies(
        [{"name": "isthmus_language", "value": language, "url": desk.served.address}]
    )
    composer(desk, "known", "?conditions=case_number&uses=interdiction")
    assert desk.page.locator("h1").inner_text().startswith(LOOKS[language])
    assert fits(desk, 1280)
    desk.shot(f"41-composer-{language}")
    desk.go("/items")
    assert fits(desk, 1280)
    desk.go(f"/items/{desk.served.links['known']}")
    assert fits(desk, 1280)
    desk.go("/items/new")
    assert fits(desk, 1280)


def test_in_the_dark(window: Window) -> None:
    desk = window(color_scheme="dark")
    desk.enter("sofia")
    composer(desk, "known", "?conditions=case_number&keep=NL-DOUANE+seals")
    desk.shot("42-composer-dark", whole=False)
    desk.page.locator("section#p-NL-DOUANE li", has_text="Seals").scroll_into_view_if_needed()
    desk.shot("43-composer-dark-cells", whole=False)
