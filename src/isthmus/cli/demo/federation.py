"""Three nodes made afresh: traffic lived, people entered, partners trusted, agreements in force."""

import tempfile
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import orjson

from isthmus.cli.demo import ceremony, lookouts, staff, traffic
from isthmus.cli.demo.days import BUDGET, TODAY, Days
from isthmus.cli.demo.places import MORE, PANAMA, PLACES, Place
from isthmus.kernel.time import SetClock
from isthmus.node import Node
from isthmus.simulator import run
from isthmus.simulator.papers import post
from isthmus.simulator.smuggling import schemes
from isthmus.simulator.smuggling.officers import Officers
from isthmus.simulator.truth import book

MARK = "demo-federation.json"  # marks a folder that may be removed and made again
BEFORE = timedelta(days=14)
RATE = 0.12
ABROAD = 6  # picks that wait at a node which has seen papers only, and no box yet


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
    """Live the traffic once and let each node take its share, two at a time."""
    out = folder / "traffic"
    start = order.now - BEFORE
    run.generate(out, run.Order(order.consignments, BEFORE.days, order.seed, start, RATE))
    documents = list(post.sent(out / run.DOCUMENTS))
    listed = lookouts.papers(folder / "listed", order.now)
    shares = traffic.split(sorted([*documents, *listed]), folder / "abroad")
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        futures = {
            place.code: pool.submit(_take, place, order, shares[place.code], out)
            for place in PLACES
        }
        return {code: future.result() for code, future in futures.items()}


def _take(place: Place, order: Order, share: traffic.Sent, out: Path) -> Mapping[str, Any]:
    """Make one node and let its share come in as it was sent."""
    sent = [(at, path) for at, path in share if at <= order.now]
    clock = SetClock(min([order.now - BEFORE, *(at for at, _ in sent[:1])]))
    home = place == PANAMA
    settings = place.settings(order.pages)
    with Node.create(order.root / place.folder, settings, clock) as node:
        entries = staff.enter(node, MORE, place.domain)
        staff.keep(order.root / place.folder, entries)
        if home:
            lookouts.take(node, lookouts.LOOKOUTS, order.now)
        officers = Officers(book.rows(out), schemes.shipped(), order.seed)
        # Abroad there are papers and no boxes yet: nothing is inspected before a ship is in.
        days = Days(
            node, clock, officers, daily=BUDGET if home else 0, today=TODAY if home else ABROAD
        )
        days.run(sent, order.now, lambda _: None)
        if home:
            lookouts.judge_and_renew(node, order.now)
        return {
            "documents": days.tallies.received["documents"],
            "accepted": days.tallies.received["accepted"],
            "picked": sum(days.tallies.picked.values()),
            "inspections": sum(days.tallies.results.values()),
            "language": node.settings.node.locale,
        }
