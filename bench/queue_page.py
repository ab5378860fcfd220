"""First paint of the target queue with 100,000 open consignments, measured in Chromium.

    python bench/queue_page.py [CONSIGNMENTS] [--keep FOLDER]

The units, their assessments and picks are entered directly through the stores (making them by
receiving documents is measured elsewhere); the node then serves pages as it always does, on
loopback, and Chromium reports first contentful paint as the browser sees it (Paint Timing). The
server's own share is measured beside it without a browser. Goal: at most 1.5 s.
"""

import argparse
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
from playwright.sync_api import sync_playwright

from isthmus.access import service, sessions, store
from isthmus.access.model import Role
from isthmus.access.service import RoleRequest
from isthmus.cargo import store as cargo
from isthmus.cargo.unit import Unit
from isthmus.cases.tables import pick_table, run_table
from isthmus.cli.serving import server
from isthmus.kernel.ids import new_id
from isthmus.node import Node
from isthmus.platform.settings import AgencySettings, NodeSettings, Settings
from isthmus.platform.transaction import Transaction
from isthmus.reference.check_digits import container_check_digit
from isthmus.risk import rulebook
from isthmus.risk import store as risk

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
GOAL = 1.5
SLICE = 5_000
REASONS = (
    {"code": "rule:description_vague", "parameters": {"description": "GENERAL CARGO"}},
    {"code": "rule:seal_missing_loaded", "parameters": {"container": "ISTU0000016"}},
)


def settings() -> Settings:
    """A node of its own."""
    return Settings(
        node=NodeSettings(name="Queue page", locale="en"),
        agency=AgencySettings(code="ANA", name="National Customs", country="PA", office="PA-BLB"),
    )


def enter(tx: Transaction, ruleset_id: str, start: int, count: int, run_id: str) -> None:
    """Enter units with an assessment and an open pick each."""
    units, features, rated, picks = [], [], [], []
    batch = new_id("batch")
    for number in range(start, start + count):
        prefix = f"ISTU{number:06d}"
        score = round((number * 7919 % 100_003) / 100_003, 6)
        unit = Unit(
            id=new_id("unit"),
            kind="container",
            container=f"{prefix}{container_check_digit(prefix)}",
            bill=f"BILL{number:08d}",
            regime="transhipment",
            office="PA-BLB",
            terminal="PPCBL",
            place_loading="ECGYE",
            place_discharge="PABLB",
            place_delivery="NLRTM",
            hs6="030617",
            description="FROZEN SHRIMP IN CARTONS",
            gross_kg=18_000.0,
            deadline_at=tx.now + timedelta(minutes=number % 5_000 + 5),
            created_at=tx.now,
            changed_at=tx.now,
            lodged_at=tx.now,
        )
        units.append(unit)
        feature = {
            "id": new_id("feat"), "unit_id": unit.id, "unit_version": 1, "as_of": tx.now,
            "body": b"", "salt": b"0" * 16, "sources": [], "erasure_id": None,
        }  # fmt: skip
        features.append(feature)
        body = {"reasons": REASONS, "shadow": [], "versions": {}}
        made = {
            "id": new_id("asm"), "unit_id": unit.id, "unit_version": 1, "objective": "contraband",
            "batch_id": batch, "feature_row_id": feature["id"], "ruleset_id": ruleset_id,
            "model_id": None, "code_version": "bench", "at": tx.now, "score": score,
            "band": "high" if score > 0.5 else "low", "basis": "rules_and_novelty",
            "mandated_by": None, "lane": "green", "body": orjson.dumps(body).decode(),
            "digest": b"0" * 32, "current": True,
        }  # fmt: skip
        rated.append(made)
        picks.append(
            {
                "id": new_id("pick"),
                "run_id": run_id,
                "unit_id": unit.id,
                "unit_version": 1,
                "assessment_id": made["id"],
                "office": "PA-BLB",
                "terminal": "PPCBL",
                "lane": "red",
                "basis": "ranked",
                "rule_id": None,
                "rank": number + 1,
                "score": score,
                "propensity": 1.0,
                "deadline_at": unit.deadline_at,
                "state": "offered",
                "created_at": tx.now,
            }
        )
    cargo.insert_units(tx, units)
    cargo.mark_scored(tx, {unit.id: 1 for unit in units})
    root = {"id": batch, "at": tx.now, "assessments": len(rated), "root": b"0" * 32}
    risk.insert_assessments(tx, features, rated, root)
    tx.insert(pick_table, picks)


def fill(node: Node, consignments: int) -> None:
    """Fill the queue."""
    run_id = new_id("run")

    def begin(tx: Transaction) -> str:
        body = rulebook.in_force(tx).canonical()
        risk.keep_ruleset(tx, "bench", body)
        row = {
            "id": run_id, "at": tx.now, "run_by": "bench", "office": None, "shift": "day",
            "objective": "contraband", "budget": consignments, "floor": 0.05, "seed": "00",
            "candidates": consignments, "overflow": 0, "lanes": {}, "pool": b"",
        }  # fmt: skip
        tx.insert(run_table, [row])
        return "bench"

    ruleset_id = node.database.write(begin)
    for start in range(0, consignments, SLICE):
        count = min(SLICE, consignments - start)
        node.database.write(lambda tx, s=start, c=count: enter(tx, ruleset_id, s, c, run_id))
        print(f"\r{start + count:>8,} consignments", end="", file=sys.stderr)
    print(file=sys.stderr)


def analyst(node: Node) -> str:
    """Enter an analyst; return the token of a session."""

    def work(tx: Transaction) -> str:
        agency = store.agencies(tx)[0].id
        first = service.invite_first_administrator(tx, agency)
        administrator = sessions.actor_of(tx, store.person(tx, first.person_id))
        made = service.invite(
            tx, administrator, agency=agency, name="Ana", login="ana@customs.example",
            roles=[RoleRequest(Role.ANALYST)],
        )  # fmt: skip
        return sessions.start(tx, store.person(tx, made.person_id), node.session_terms)[1]

    return node.database.write(work)


def paints(address: str, token: str, paths: dict[str, str], times: int) -> dict[str, list[float]]:
    """First contentful paint of each page in seconds, a fresh browser context each time."""
    found: dict[str, list[float]] = {name: [] for name in paths}
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for _ in range(times):
            for name, path in paths.items():
                context = browser.new_context(viewport={"width": 1280, "height": 800})
                context.add_cookies([{"name": "isthmus_session", "value": token, "url": address}])
                page = context.new_page()
                page.goto(address + path)
                found[name].append(first_paint(page))
                context.close()
        browser.close()
    return found


def first_paint(page: Any) -> float:
    """Seconds to the first contentful paint; the browser tells shortly after it happened."""
    script = "(performance.getEntriesByName('first-contentful-paint')[0] || {}).startTime"
    while (told := page.evaluate(script)) is None:
        page.wait_for_timeout(20)
    return float(told) / 1000


def served_alone(address: str, token: str, path: str, times: int) -> list[float]:
    """Seconds the server takes for a page, without a browser."""
    found = []
    for _ in range(times):
        request = urllib.request.Request(
            address + path, headers={"Cookie": f"isthmus_session={token}"}
        )
        began = time.perf_counter()
        with urllib.request.urlopen(request) as answer:
            answer.read()
        found.append(time.perf_counter() - began)
    return found


def main() -> None:
    """Fill a node, serve it, look at its queue."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("consignments", nargs="?", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=7)
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        Node.create(Path(folder) / "node", settings()) as node,
    ):
        fill(node, asked.consignments)
        token = analyst(node)
        # An idle worker is part of a node, but this bench measures pages: settle first.
        web = server(node, "127.0.0.1", 0)
        thread = threading.Thread(target=web.run, daemon=True)
        thread.start()
        while not web.started:
            time.sleep(0.05)
        port: Any = web.servers[0].sockets[0].getsockname()[1]
        address = f"http://127.0.0.1:{port}"
        paths = {
            "queue": "/queue",
            "queue, page 1,000": f"/queue?page={max(1, asked.consignments // 100)}",
            "queue, filtered": "/queue?lane=red&basis=ranked&objective=contraband",
            "all open consignments": "/consignments",
            "search": "/consignments?q=ISTU0000",
        }
        alone = {
            name: served_alone(address, token, path, asked.times) for name, path in paths.items()
        }
        seen = paints(address, token, paths, asked.times)
        web.should_exit = True
        thread.join(20)
    print(f"first contentful paint with {asked.consignments:,} open consignments, seconds")
    print(f"{'page':<24}{'median':>8}{'worst':>8}{'server':>9}")
    for name, values in seen.items():
        server_part = statistics.median(alone[name])
        print(f"{name:<24}{statistics.median(values):>8.3f}{max(values):>8.3f}{server_part:>9.3f}")
    reached = statistics.median(seen["queue"])
    print(f"goal {GOAL} s: {'reached' if reached <= GOAL else 'missed'} with {reached:.3f} s")


if __name__ == "__main__":
    main()
