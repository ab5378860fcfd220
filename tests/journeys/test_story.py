"""The demonstration's three nodes after their story, each read in its own language."""

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from federation.test_story import SIZE, free_ports, isthmus
from isthmus.cli.demo import staff
from isthmus.cli.demo.places import BELGIUM, NETHERLANDS, PANAMA, PLACES, Place
from isthmus.cli.demo.processes import Processes
from isthmus.cli.demo.shipment import SEAL_READ_AGAIN


@dataclass(slots=True)
class Told:
    """The nodes that serve, and what the story said."""

    processes: Processes
    story: dict[str, Any]
    cookies: dict[tuple[Place, str], Any] = field(default_factory=dict)


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    root, first = tmp_path_factory.mktemp("story") / "demo", free_ports()
    words = ("demo", "--story", "--once", "--json", "--port", first, *SIZE)
    done = subprocess.run(
        isthmus(root, *words), capture_output=True, text=True, timeout=400, check=False
    )
    assert done.returncode == 0, done.stderr
    processes = Processes(root, first)
    try:
        processes.start(PLACES)
        yield Told(processes, json.loads(done.stdout)["story"])
    finally:
        processes.stop()


@dataclass(slots=True)
class Visit:
    """Somebody's browser window at one of the nodes."""

    told: Told
    page: Any

    def enter(self, place: Place, role: str) -> None:
        """Sign in at a node; later windows of a person share the session."""
        if (place, role) not in self.told.cookies:
            entries = staff.kept(self.told.processes.root / place.folder)
            entry = next(one for one in entries if one.role == role)
            self.page.goto(f"{place.address(self.told.processes.pages)}sign-in")
            for name, value in (
                ("login", entry.login), ("password", entry.password), ("code", entry.code()),
            ):  # fmt: skip
                self.page.locator(f"input[name='{name}']").fill(value)
            self.page.locator("form[action='/sign-in'] button").click()
            self.page.wait_for_url(lambda url: "/sign-in" not in url)
            held = [one for one in self.page.context.cookies() if one["name"] == "isthmus_session"]
            self.told.cookies[place, role] = held
        self.page.context.clear_cookies()
        self.page.context.add_cookies(self.told.cookies[place, role])

    def see(self, place: Place, path: str, shot: str) -> str:
        """Open a page of a node and return its text; it is in the node's language."""
        answer = self.page.goto(f"{place.address(self.told.processes.pages)}{path}")
        assert answer.status == 200
        assert self.page.locator("html").get_attribute("lang") == place.locale
        if folder := os.environ.get("ISTHMUS_SCREENSHOTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=f"{folder}/story-{shot}-{place.locale}.png", full_page=True)
        return str(self.page.locator("body").inner_text())


@pytest.fixture
def visit(told, chromium):
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield Visit(told, context.new_page())
    context.close()


def test_every_node_shows_the_exchange_in_its_own_language(told, visit):
    partners = {
        PANAMA: ("BE-DOUANE",),
        NETHERLANDS: ("BE-DOUANE",),
        BELGIUM: ("PA-ANA", "NL-DOUANE"),
    }
    seen = {}
    for place in PLACES:
        visit.enter(place, "analyst")
        seen[place] = visit.see(place, "live", "live")
        for code in partners[place]:
            assert code in seen[place]
    assert len(set(seen.values())) == len(PLACES)


def test_two_nodes_show_one_chain_with_one_number(told, visit):
    for place in (PANAMA, BELGIUM):
        visit.enter(place, "analyst")
        text = visit.see(place, f"chains/{told.story['chain']}", "chain")
        assert told.story["seizure"] in text


def test_the_composer_names_a_clause_for_every_partner(told, visit):
    visit.enter(PANAMA, "analyst")
    text = visit.see(PANAMA, f"items/{told.story['alert']}/compose", "compose")
    for clause in ("PA-BE-2026/art-3", "PA-NL-2026/art-3"):
        assert clause in text
    assert SEAL_READ_AGAIN in text


def test_a_holder_sees_by_whose_terms_it_may_pass_the_lookout_on(told, visit):
    visit.enter(BELGIUM, "analyst")
    text = visit.see(BELGIUM, f"items/{told.story['alert']}/compose", "compose")
    assert "BE-NL-2026/art-3" in text
    assert "originator-terms" in text  # why nothing of it goes back to Panama


def test_the_recalled_lookout_says_so_at_every_node(told, visit):
    for place in PLACES:
        visit.enter(place, "analyst")
        text = visit.see(place, f"items/{told.story['recalled']}", "recalled")
        assert told.story["recalled"] in text


def test_the_agreements_say_that_they_are_made_up(told, visit):
    visit.enter(NETHERLANDS, "analyst")
    text = visit.see(NETHERLANDS, "agreements", "agreements")
    assert "PA-NL-2026" in text
    assert "fictie" in text.lower()
