"""Agreements, partners and the live page in the browser: two real nodes, each in its language."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from journeys.conftest import TESTS, Desk, Served

Window = Callable[..., Desk]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
AGREEMENT = "/agreements/PA-NL-2026"


class Both(Served):
    """The node of Panama, the one of the Netherlands, and the process that both live in."""

    process: subprocess.Popen[str]
    other: Served

    def act(self, words: str) -> str:
        """Have one of them do something; return what it says."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(words + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """Both nodes; the journeys of this module share them."""
    folder = tmp_path_factory.mktemp("exchange") / "nodes"
    process = subprocess.Popen(
        [sys.executable, "-m", "journeys.exchanging", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])},
        text=True,
    )
    try:
        assert process.stdout
        told = json.loads(process.stdout.readline())
        made = Both(told["address"], told["links"], folder)
        ours = {key.removeprefix("nl-"): path for key, path in made.links.items()}
        made.process, made.other = process, Served(made.links["other"], ours, folder)
        for address in (made.address, made.other.address):
            _awake(address)
        yield made
    finally:
        process.terminate()
        process.wait(20)


def _awake(address: str) -> None:
    for _ in range(100):
        try:
            urllib.request.urlopen(address + "/sign-in", timeout=1)
            return
        except OSError:
            time.sleep(0.1)


@pytest.fixture
def abroad(chromium: Any, served: Both) -> Iterator[Window]:
    """Windows at the node of the Netherlands."""
    contexts = []

    def open_(**options: Any) -> Desk:
        options.setdefault("viewport", {"width": 1280, "height": 800})
        context = chromium.new_context(**{"locale": "en-GB", **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        return Desk(page, served.other)

    yield open_
    for context in contexts:
        context.close()


def reads(desk: Desk, language: str) -> None:
    """Read in a language from now on."""
    cookie = {"name": "isthmus_language", "value": language, "url": desk.served.address}
    desk.page.context.add_cookies([cookie])


def fits(desk: Desk, width: int) -> bool:
    found: int = desk.page.evaluate("document.documentElement.scrollWidth")
    return found <= width


def until(desk: Desk, words: str) -> None:
    """Wait until the live page says something by itself."""
    desk.page.locator("#live").get_by_text(words).first.wait_for(timeout=20_000)


def test_a_lawyer_reads_the_register_and_an_agreement(window: Window) -> None:
    desk = window()
    desk.enter("lucia")
    desk.go("/agreements")
    assert desk.page.locator(".fictional").first.is_visible()
    assert fits(desk, 1280)
    desk.shot("40-agreements")
    desk.page.locator("a.row").first.click()
    clause = desk.page.locator("#art-7")
    assert clause.get_by_text("appropriate safeguards in a binding instrument").is_visible()
    clause.locator("details summary").first.click()
    assert clause.get_by_text("a suspect in an alert, case by case").is_visible()
    desk.shot("41-agreement")
    for path, name in (("commitments", "42"), ("overlay", "43")):
        desk.go(f"/agreements/{path}")
        assert fits(desk, 1280)
        desk.shot(f"{name}-{path}")


@pytest.mark.parametrize("language", ["es", "fr", "nl", "pt"])
def test_it_fits_a_phone_in_each_language(window: Window, language: str) -> None:
    desk = window(**PHONE)
    desk.enter("lucia")
    reads(desk, language)
    for path in (
        "/agreements", AGREEMENT, "/agreements/commitments", "/agreements/overlay",
        "/agreements/try?recipient=NL-DOUANE&kind=alert&purpose=targeting&mode=spontaneous",
        "/agreements/check", "/partners", "/partners/NL-DOUANE", "/live",
    ):  # fmt: skip
        desk.go(path)
        assert desk.page.locator("html").get_attribute("lang") == language
        assert fits(desk, 390), path
    desk.go(AGREEMENT)
    desk.shot(f"44-phone-agreement-{language}", whole=False)


def test_a_decision_is_tried_and_a_file_checked(window: Window) -> None:
    desk = window()
    desk.enter("lucia")
    desk.go("/agreements/try")
    for name, code in (
        ("recipient", "NL-DOUANE"), ("kind", "alert"), ("purpose", "targeting"),
        ("mode", "spontaneous"),
    ):  # fmt: skip
        desk.page.locator(f"#f-{name}").select_option(code)
    desk.page.get_by_role("button", name="Try").click()
    desk.page.get_by_text("Goes by PA-NL-2026/art-3.").first.wait_for()
    assert desk.page.get_by_text("PA-NL-2026/art-7").first.is_visible()
    desk.shot("45-try")
    desk.go("/agreements/check")
    desk.page.locator("#text").fill("agreement: PA-XX-1\nversion: none\n")
    desk.page.get_by_role("button", name="Check").click()
    desk.page.get_by_text("The file cannot be entered").wait_for()
    desk.shot("46-check")


def test_two_people_trust_a_partner_by_what_they_heard(window: Window, served: Both) -> None:
    first, second = window(), window()
    first.enter("sofia")
    first.go("/partners")
    first.page.locator("#card").fill(served.links["mx-card"])
    first.shot("47-partners")
    first.page.get_by_role("button", name="Propose").click()
    first.page.get_by_text("Now two people compare the fingerprints").wait_for()
    first.shot("48-ceremony")
    first.page.set_viewport_size({"width": 390, "height": 844})
    assert fits(first, 390)
    first.shot("48-ceremony-phone", whole=False)
    first.page.set_viewport_size({"width": 1280, "height": 800})
    signing, certificate = served.links["mx-signing"], served.links["mx-certificate"]
    assert signing[:4].upper() not in first.page.locator("ol.ceremony").inner_text()

    def compare(desk: Desk, heard: str) -> None:
        desk.go("/partners/MX-ANAM")
        desk.page.locator("#signing").fill(heard)
        desk.page.locator("#certificate").fill(certificate)
        desk.page.locator("form[action$='/compare'] button").click()

    compare(first, "0" * 64)
    first.page.get_by_text("If you heard it right, stop").wait_for()
    first.shot("49-ceremony-differs", whole=False)
    compare(first, " ".join(signing[at : at + 4].upper() for at in range(0, 64, 4)))
    first.page.get_by_text("The first comparison is done").wait_for()
    compare(first, signing)
    first.page.get_by_text("Another person has to compare it, too").wait_for()
    second.enter("simon")
    compare(second, signing)
    second.page.get_by_text("The partner is trusted").wait_for()
    second.page.get_by_role("button", name="Suspend now").wait_for(state="hidden")
    second.page.get_by_text("Suspend this partner").click()
    second.page.get_by_role("button", name="Suspend now").click()
    second.page.get_by_text("Nothing is exchanged with it").wait_for()


def test_the_live_page_tells_by_itself_what_happens(
    window: Window, abroad: Window, served: Both
) -> None:
    here, there = window(), abroad()
    here.enter("sofia")
    here.go("/live")
    there.enter("piet")
    reads(there, "nl")
    there.go("/live")
    here.page.get_by_text("Updates by itself").wait_for()
    assert here.page.locator("#live-plain").count() == 0
    served.act("alert MSKU1234565")
    until(here, "Delivered")
    until(here, "MSKU1234565")
    until(there, "Afgeleverd")
    served.act("open opened")
    until(here, "Opened")
    served.act("open used")
    until(here, "Used")
    until(here, "BE-DOUANE")  # trusted, and never there
    assert here.page.locator(".late", has_text="BE-DOUANE").first.is_visible()
    assert "MSKU1234565" not in here.page.locator("#live-said").inner_text()
    served.act("recall")
    until(here, "1 of 1 holders have done it")
    assert fits(here, 1280)
    here.shot("50-live")
    there.shot("51-live-nl")


def test_the_live_page_is_paused_and_goes_on(window: Window, served: Both) -> None:
    desk = window()
    desk.enter("sofia")
    desk.go("/live")
    desk.page.get_by_role("button", name="Pause").click()
    desk.page.get_by_text("Paused").wait_for()
    before = desk.page.locator(".as-of time").get_attribute("datetime")
    served.act("alert MSKU7654328 NL-DOUANE flash")
    time.sleep(3)
    assert desk.page.locator(".as-of time").get_attribute("datetime") == before
    assert desk.page.get_by_text("MSKU7654328").count() == 0
    desk.page.get_by_role("button", name="Go on").click()
    until(desk, "MSKU7654328")


def test_without_script_the_page_is_whole_and_loads_again_when_asked(
    chromium: Any, window: Window, served: Both
) -> None:
    window().enter("sofia")
    context = chromium.new_context(java_script_enabled=False, locale="en-GB")
    context.add_cookies(served.cookies["sofia"])
    page = context.new_page()
    page.goto(served.address + "/live")
    assert page.get_by_text("MSKU7654328").first.is_visible()
    assert page.locator("#live-controls").is_hidden()
    before = page.locator(".as-of time").get_attribute("datetime")
    page.get_by_text("every 5 seconds by itself").click()
    for _ in range(60):
        time.sleep(0.25)
        if page.locator(".as-of time").get_attribute("datetime") > before:
            break
    page.wait_for_timeout(6_000)
    assert page.locator(".as-of time").get_attribute("datetime") > before
    context.close()


def test_on_a_phone_the_live_page_fits(window: Window) -> None:
    desk = window(**PHONE)
    desk.enter("ana")
    reads(desk, "es")
    desk.go("/live")
    assert fits(desk, 390)
    desk.shot("52-phone-live")
    desk.go("/partners/NL-DOUANE")
    assert fits(desk, 390)
    desk.shot("53-phone-partner")


def test_a_clause_stopped_stops_and_another_person_lifts_it(window: Window, served: Both) -> None:
    first, second = window(), window()
    first.enter("lucia")
    first.go(f"{AGREEMENT}?without=art-3")
    first.page.get_by_text("would have been different").wait_for()
    first.shot("54-effect", whole=False)
    first.go(AGREEMENT)
    clause = first.page.locator("#art-3")
    clause.locator("details.act summary").click()
    clause.locator("select[name=ground]").select_option("essential_interests")
    clause.get_by_role("button", name="Stop it now").click()
    first.page.get_by_text("What waited under it no longer leaves").wait_for()
    assert first.page.locator("#art-3").get_by_text("Stopped by this node").is_visible()
    first.shot("55-stopped")
    second.enter("mateo")
    second.go(AGREEMENT)
    second.page.get_by_role("button", name="Lift").click()
    second.page.get_by_text("The suspension is lifted").wait_for()


def test_texts_that_differ_show_both_hashes_on_both_sides(
    window: Window, abroad: Window, served: Both
) -> None:
    assert served.act("narrow") == "PA-NL-2026@2"
    here, there = window(), abroad()
    here.enter("lucia")
    there.enter("piet")
    reads(there, "nl")
    for _ in range(90):  # partners tell each other every half minute
        here.go("/agreements")
        if here.page.get_by_text("A partner holds another text").count():
            break
        time.sleep(1)
    hashes = here.page.locator(".note.bad .hash")
    assert hashes.count() == 2
    both = {hashes.nth(at).inner_text().replace(" ", "") for at in range(2)}
    here.shot("56-differ")
    served.act("alert MSKU1234565")
    here.go("/live")
    until(here, "Held")
    here.go("/partners/NL-DOUANE")
    assert here.page.get_by_text("held here before it leaves").is_visible()
    held = here.page.locator("#h-held + ul .hash")
    assert {held.nth(at).inner_text().replace(" ", "") for at in range(held.count())} == both
    here.shot("56-held")
    there.go("/partners/PA-ANA")
    seen = there.page.locator("#h-texts + ul .hash")
    assert {seen.nth(at).inner_text().replace(" ", "") for at in range(2)} == both
    there.shot("57-differ-nl")
