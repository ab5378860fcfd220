"""Three nodes made afresh: traffic lived, people entered, partners trusted, agreements in force."""

import tempfile
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import orjson

from isthmus.cargo import service as cargo
from isthmus.cli.demo import ceremony, lookouts, staff, traffic
from isthmus.cli.demo.days import BUDGET, TODAY, Days
from isthmus.cli.demo.places import BELGIUM, MORE, NETHERLANDS, PANAMA, PLACES, Place
from isthmus.kernel.time import SetClock
from isthmus.node import Node
from isthmus.platform.transaction import Transaction
from isthmus.simulator import run
from isthmus.simulator.papers import post
from isthmus.simulator.smuggling import schemes
from isthmus.simulator.smuggling.officers import Officers
from isthmus.simulator.truth import book

MARK = "demo-federation.json"  # marks a folder that may be removed and made again
BEFORE = timedelta(days=14)
RATE = 0.12
ABROAD = (2, 8)  # inspections a day at a port abroad, and picks that wait at the end


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked of a demonstration of three nodes."""

    root: Path
    pages: int
    consignments: int
    seed: int
    now: datetime


def is_one(root: Path) -> bool:
    """Whether a folder holds a demonstration of three nodes."""
    return (root / MARK).is_file()


def people(root: Path) -> dict[Place, list[staff.Entry]]:
    """Return who there is at each node of a demonstration."""
    return {place: staff.kept(root / place.folder) for place in PLACES}


def build(order: Order) -> dict[str, Any]:
    """Make the three nodes; returns what each has received and picked, and the agreements."""
    order.root.mkdir(parents=True, exist_ok=True)
    (order.root / MARK).write_bytes(orjson.dumps([place.folder for place in PLACES]))
    with tempfile.TemporaryDirectory(prefix="isthmus-demo-") as temporary:
        lived = _live(order, Path(temporary))
    with ExitStack() as stack:
        nodes = {
            place: stack.enter_context(Node.open(order.root / place.folder)) for place in PLACES
        }
        for place, node in nodes.items():
            ceremony.found(place, node, order.pages)
        ceremony.befriend(nodes)
        agreements = ceremony.agree(nodes)
    return {"nodes": lived, "fictional_agreements": agreements}


def _live(order: Order, folder: Path) -> dict[str, Any]:
    """Live the traffic of both sides and let each node take its share, two at a time."""
    out, start = folder / "home", order.now - BEFORE
    run.generate(out, run.Order(order.consignments, BEFORE.days, order.seed, start, RATE))
    sent = list(post.sent(out / run.DOCUMENTS))
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        futures = {
            PANAMA: pool.submit(_take, PANAMA, order, _listed(PANAMA, order, folder, sent), out)
        }
        abroad = traffic.live(folder / "abroad", order.now, BEFORE.days, order.seed + 1, RATE)
        for place in (NETHERLANDS, BELGIUM):
            share = _listed(place, order, folder, abroad.sent[place.code])
            futures[place] = pool.submit(_take, place, order, share, abroad.out)
        return {place.code: futures[place].result() for place in PLACES}


def _listed(place: Place, order: Order, folder: Path, sent: traffic.Sent) -> traffic.Sent:
    """Add the papers of the parties that stand on the node's lookouts; what is sent by now."""
    papers = lookouts.papers(folder / f"listed-{place.folder}", order.now, place.port)
    return sorted(one for one in [*sent, *papers] if one[0] <= order.now)


def _take(place: Place, order: Order, sent: traffic.Sent, out: Path) -> Mapping[str, Any]:
    """Make one node and let its share come in as it was sent."""
    clock = SetClock(min([order.now - BEFORE, *(at for at, _ in sent[:1])]))
    home = place == PANAMA
    settings = place.settings(order.pages)
    with Node.create(order.root / place.folder, settings, clock) as node:
        staff.keep(order.root / place.folder, staff.enter(node, MORE, place.domain))
        lookouts.take(node, lookouts.LOOKOUTS, order.now)
        officers = Officers(book.rows(out), schemes.shipped(), order.seed)
        daily, today = (BUDGET, TODAY) if home else ABROAD
        days = Days(node, clock, officers, daily=daily, today=today)
        days.run(sent, order.now, lambda _: None)
        lookouts.judge_and_renew(node, order.now)
        return {
            "documents": days.tallies.received["documents"],
            "accepted": days.tallies.received["accepted"],
            "units": sum(row["known"] for row in node.database.read(partial(_coverage, node))),
            "picked": sum(days.tallies.picked.values()),
            "inspections": sum(days.tallies.results.values()),
            "language": node.settings.node.locale,
        }


def _coverage(node: Node, tx: Transaction) -> list[dict[str, Any]]:
    return cargo.coverage(tx, node.actor)
