"""A node in a process of its own, Debian's Chromium, and people who sign in by their links."""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyotp
import pytest

PASSWORD = "siete grullas azules al mediodía"
CHROMIUM = Path(os.environ.get("ISTHMUS_CHROMIUM", "/usr/bin/chromium"))
ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
TESTS = Path(__file__).resolve().parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Journeys are browser tests."""
    for item in items:
        if Path(item.path).parent == Path(__file__).parent:
            item.add_marker(pytest.mark.browser)


@dataclass(slots=True)
class Served:
    """The node's address and links; seeds and session cookies of the people who used theirs."""

    address: str
    links: dict[str, str]
    folder: Path
    seeds: dict[str, str] = field(default_factory=dict)
    steps: dict[str, int] = field(default_factory=dict)  # newest time step used, by person
    cookies: dict[str, Any] = field(default_factory=dict)


@contextmanager
def serving(folder: Path, module: str = "journeys.served") -> Iterator[Served]:
    """Serve a node from a process of its own."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])}
    process = subprocess.Popen(
        [sys.executable, "-m", module, str(folder)],
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "the node did not start"
        told = json.loads(line)
        for _ in range(600):
            try:
                urllib.request.urlopen(told["address"] + "/sign-in", timeout=1)
                break
            except OSError:
                time.sleep(0.1)
        yield Served(told["address"], told["links"], folder)
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A node with a day's traffic; the journeys of one module share it."""
    with serving(tmp_path_factory.mktemp("journey") / "node") as node:
        yield node


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser."""
    if not CHROMIUM.exists():
        pytest.skip(f"no Chromium at {CHROMIUM} (apt-get install chromium)")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=list(ARGUMENTS))
        yield browser
        browser.close()


@dataclass(slots=True)
class Desk:
    """A person's browser window."""

    page: Any
    served: Served

    def go(self, path: str) -> None:
        """Open a page of the node."""
        self.page.goto(self.served.address + path)

    def shot(self, name: str, *, whole: bool = True) -> None:
        """Keep a picture, where pictures are asked for (``ISTHMUS_SCREENSHOTS``)."""
        if folder := os.environ.get("ISTHMUS_SCREENSHOTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=whole)

    def enter(self, who: str) -> None:
        """Use the welcome link once and sign in; later windows of a person share the session."""
        if who in self.served.cookies:
            self.page.context.add_cookies(self.served.cookies[who])
            self.go("/")
            return
        if who not in self.served.seeds:
            self.welcome(who)
        self.go("/sign-in")
        self.page.get_by_label("E-mail address").fill(f"{who}@customs.example")
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_label("Code").fill(self.code(who))
        self.page.locator("form[action='/sign-in'] button").click()
        self.page.wait_for_url(lambda url: "/sign-in" not in url)
        held = self.page.context.cookies()
        self.served.cookies[who] = [one for one in held if one["name"] == "isthmus_session"]

    def welcome(self, who: str) -> None:
        """Set password and authenticator by the one-time link."""
        self.go(self.served.links[who])
        self.served.seeds[who] = self.page.locator("#seed").inner_text().replace(" ", "")
        self.page.get_by_label("New password").fill(PASSWORD)
        self.page.get_by_label("The same password again").fill(PASSWORD)
        self.page.get_by_label("Code the authenticator shows").fill(self.code(who))
        self.page.get_by_role("button", name="Save").click()
        self.page.get_by_text("Recovery codes").wait_for()

    def code(self, who: str) -> str:
        """A code that was not used yet and is taken for some ten seconds at least.

        A node takes the codes of the step before and the one after, each once: with the earliest
        of them that lasts, three acts of a person may follow each other at once.
        """
        now = time.time()
        earliest = int(now) // 30 - (1 if now % 30 < 20 else 0)
        step = max(earliest, self.served.steps.get(who, 0) + 1)
        time.sleep(max(0.0, (step - 1) * 30 - now))
        self.served.steps[who] = step
        return pyotp.TOTP(self.served.seeds[who]).at(step * 30)


@pytest.fixture
def window(chromium: Any, served: Served) -> Iterator[Callable[..., Desk]]:
    """Open windows; each has its own cookies. Anything a page logs as an error fails the test."""
    contexts, faults = [], []

    def open_(**options: Any) -> Desk:
        options.setdefault("viewport", {"width": 1280, "height": 800})
        options.setdefault("locale", "en-GB")
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", lambda said: faults.append(said.text) if _is_fault(said) else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((served.address, "data:"))
                else faults.append(f"asked for {request.url}")
            ),
        )
        return Desk(page, served)

    yield open_
    for context in contexts:
        context.close()
    assert not faults, "\n".join(faults)


def _is_fault(said: Any) -> bool:
    """Whether a page complains. Chromium also notes each form sent back to be corrected (422)."""
    return said.type == "error" and "422 (Unprocessable" not in said.text


@pytest.fixture(scope="session", autouse=True)
def _room() -> None:
    """Leave no old pictures among new ones."""
    if folder := os.environ.get("ISTHMUS_SCREENSHOTS"):
        shutil.rmtree(folder, ignore_errors=True)
