"""``demo``: a node with sample traffic, or with files of one's own, ready to be looked at.

Nothing is opened on the network but the loopback port it serves on.
"""

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from isthmus.access.model import Role
from isthmus.cargo import service as cargo
from isthmus.cargo.formats.source import Source
from isthmus.cli import serving
from isthmus.cli.app import Json, app, show
from isthmus.cli.demo import federation, lookouts, staff, three
from isthmus.cli.demo.days import Days, Tallies
from isthmus.cli.demo.processes import check_port
from isthmus.cli.loop import progress
from isthmus.flow import target as flow_target
from isthmus.kernel.errors import Conflict, Invalid, TooLarge
from isthmus.kernel.time import Clock, SetClock, SystemClock
from isthmus.node import Node
from isthmus.platform.settings import (
    AgencySettings,
    ListenSettings,
    NodeFolder,
    NodeSettings,
    Settings,
)
from isthmus.risk import store as risk
from isthmus.risk.objectives import Objective
from isthmus.simulator import run
from isthmus.simulator.papers import post
from isthmus.simulator.smuggling import schemes
from isthmus.simulator.smuggling.officers import Officers
from isthmus.simulator.truth import book

FOLDER = Path("demo-node")
AGENCY = "ISTHMUS-DEMO"  # marks a node that may be removed and made again
HOST = "127.0.0.1"
PORT = 8440
CONSIGNMENTS = 400
RATE = 0.12  # share in which something is planted: more than in life, so that a few show
BEFORE = timedelta(days=14)  # how long ago the sample's first papers were sent
# Folders of a data folder that hold what a node receives, and endings of files it may read.
INCOMING = ("messages", "declarations")
READABLE = (".xml", ".csv", ".xlsx", ".edi", ".json", ".jsonl")
PICKS = 20
PLAIN = Objective.CONTRABAND.value  # sought where nothing says what else


@app.command()
def demo(
    context: typer.Context,
    data: Annotated[
        Path | None,
        typer.Option(help="Run on the files of this folder instead of sample traffic."),
    ] = None,
    port: Annotated[int, typer.Option(help="Loopback port to serve on.")] = PORT,
    once: Annotated[bool, typer.Option("--once", help="Run the loop, then end.")] = False,
    consignments: Annotated[int, typer.Option(help="Consignments of sample traffic.")] = (
        CONSIGNMENTS
    ),
    seed: Annotated[int, typer.Option(help="Seed of the sample traffic.")] = 1,
    locale: Annotated[str, typer.Option(help="es, en, fr, nl or pt.")] = "en",
    story: Annotated[
        bool, typer.Option("--story", help="Three nodes instead of one, and a story they live.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a node afresh, run the loop on traffic, and serve it on this machine.

    With --story there are three, in Panama, the Netherlands and Belgium, each in its own language.
    """
    started = time.perf_counter()
    folder = _folder(context)
    if story:
        if data is not None:
            raise Invalid("story_without_data", "the story has traffic of its own: no --data")
        now = SystemClock().now().replace(microsecond=0)
        order = federation.Order(folder, port, consignments, seed, now)
        wish = three.Wish(order, once, as_json)
        for one in wish.ports:
            check_port(HOST, one)
        _clear(folder)
        three.run(wish)
        return
    files = None if data is None else _files(data)
    if not once:
        check_port(HOST, port)
    now = SystemClock().now().replace(microsecond=0)
    _clear(folder)
    settings = _settings(locale, port)
    if files is None:
        result = _on_sample(folder, settings, consignments, seed, now)
    else:
        result = _on_files(folder, settings, files)
    result["seconds"] = round(time.perf_counter() - started, 1)
    people = staff.kept(folder)
    if once:
        show(result, as_json, lambda: _words(result))
        return
    with Node.open(folder) as node:
        address = f"http://{HOST}:{port}/"
        sign_in = [{**asdict(entry), "code": entry.code()} for entry in people]
        whole = {**result, "address": address, "sign_in": sign_in}
        show(whole, as_json, lambda: f"{_words(result)}\n\n{_welcome(folder, address, people)}")
        serving.serve_node(node, HOST, port)


@app.command(name="demo-code")
def demo_code(
    context: typer.Context,
    login: Annotated[str | None, typer.Argument(help="Whose; everybody's if none.")] = None,
    as_json: Json = False,
) -> None:
    """Print with what people sign in to the demonstration, with the codes of this moment."""
    folder = _folder(context)
    if federation.is_one(folder):
        _codes_of_three(folder, login, as_json)
        return
    people = staff.kept(folder)
    chosen = [entry for entry in people if login in (None, entry.login, entry.role)]
    if not chosen:
        raise Invalid("person_unknown", "nobody has this login or role", value=login)
    rows = [
        {"login": entry.login, "password": entry.password, "code": entry.code()} for entry in chosen
    ]
    show({"sign_in": rows}, as_json, lambda: _table(chosen))


def _codes_of_three(folder: Path, login: str | None, as_json: bool) -> None:
    nodes = three.codes(folder, login)
    if not any(nodes.values()):
        raise Invalid("person_unknown", "nobody has this login or role", value=login)
    told = {code: [{**asdict(one), "code": one.code()} for one in found]
            for code, found in nodes.items()}  # fmt: skip
    show({"sign_in": told}, as_json, lambda: "\n\n".join(
        f"{code}\n{_table(found)}" for code, found in nodes.items()))  # fmt: skip


def _folder(context: typer.Context) -> Path:
    """Return the folder of ``--node``, else the demonstration's own."""
    named: Path | None = context.find_root().params.get("node")
    return named or FOLDER


def _files(data: Path) -> list[Path]:
    """Return what a node can receive from a folder; refuses one without any."""
    if not data.is_dir():
        raise Invalid("folder_missing", "no such folder", folder=str(data))
    incoming = [data / name for name in INCOMING if (data / name).is_dir()]
    found = sorted(
        path
        for folder in incoming or [data]
        for path in folder.rglob("*")
        if path.suffix.lower() in READABLE
    )
    if not found:
        raise Invalid("folder_empty", "nothing in it that a node could read", folder=str(data))
    return found


def _clear(folder: Path) -> None:
    """Remove an earlier demonstration, and nothing that is not one."""
    if not folder.exists() or not any(folder.iterdir()):
        return
    three = federation.is_one(folder)
    if not three and NodeFolder.open(folder).settings().agency.code != AGENCY:
        raise Conflict("not_a_demo", "this is a node in earnest: left alone", folder=str(folder))
    shutil.rmtree(folder)


def _settings(locale: str, port: int) -> Settings:
    return Settings(
        node=NodeSettings(name="Isthmus", locale=locale, zone="America/Panama"),  # type: ignore[arg-type]
        agency=AgencySettings(
            code=AGENCY, name="Demonstration customs", country="PA", office="PA-HQ"
        ),
        listen=ListenSettings(host=HOST, port=port),
    )


def _create(folder: Path, settings: Settings, clock: Clock) -> Node:
    """Make the node and its people."""
    node = Node.create(folder, settings, clock)
    try:
        staff.keep(folder, staff.enter(node))
    except BaseException:  # whatever ends it, and raised again: the node must be let go
        node.close()
        raise
    return node


# -- sample traffic -------------------------------------------------------------------------


def _on_sample(
    folder: Path, settings: Settings, consignments: int, seed: int, now: datetime
) -> dict[str, Any]:
    start = now - BEFORE
    with tempfile.TemporaryDirectory(prefix="isthmus-demo-") as temporary:
        out = Path(temporary) / "traffic"
        made = run.generate(out, run.Order(consignments, BEFORE.days, seed, start, RATE))
        listed = lookouts.papers(Path(temporary) / "listed", now)
        sent = sorted([*post.sent(out / run.DOCUMENTS), *listed])
        sent = [(at, path) for at, path in sent if at <= now]
        clock = SetClock(min(start, sent[0][0]))
        with _create(folder, settings, clock) as node:
            lookouts.take(node, lookouts.LOOKOUTS, now)
            days = Days(node, clock, Officers(book.rows(out), schemes.shipped(), seed))
            with progress("traffic", len(sent)) as advance:
                days.run(sent, now, advance)
            counted = {
                "lists": lookouts.judge_and_renew(node, now),
                **_counts(node, days.tallies),
            }
    whole = {
        "consignments": made.consignments,
        "documents": sum(made.documents.values()),
        "sent_by_now": len(sent),
        "planted": sum(made.planted.values()),
        "look_alikes": made.look_alikes,
    }
    return {"traffic": whole, **counted}


def _counts(node: Node, tallies: Tallies) -> dict[str, Any]:
    return {
        "received": tallies.received,
        "scored": tallies.scored,
        "coverage": node.database.read(lambda tx: cargo.coverage(tx, node.actor)),
        "picked": dict(sorted(tallies.picked.items())),
        "holds": tallies.holds,
        "inspections": dict(sorted(tallies.results.items())),
        "found": dict(sorted(tallies.found.items())),
        "learnt": _learnt(node),
    }


def _learnt(node: Node) -> dict[str, dict[str, int]]:
    """Return how many outcomes are known of each objective, and how many irregular."""
    known = {}
    for objective in Objective:
        rows = node.database.read(lambda tx, o=objective: risk.outcomes_of(tx, o))  # type: ignore[misc]
        if rows:
            known[objective.value] = {
                "outcomes": len(rows),
                "irregular": sum(row["positive"] for row in rows),
            }
    return known


# -- files of one's own ---------------------------------------------------------------------


def _on_files(folder: Path, settings: Settings, files: Sequence[Path]) -> dict[str, Any]:
    tallies = Tallies()
    with _create(folder, settings, SystemClock()) as node:
        by_kind: Counter[str] = Counter()
        refused: list[str] = []
        for path in files:
            with path.open("rb") as stream, progress(f"receive {path.name}") as advance:
                try:
                    receipt = node.receiver.receive(
                        node.actor, stream, Source(path.name), progress=advance
                    )
                except TooLarge as error:
                    refused.append(f"{path.name}: {error.message}")
                    continue
            tallies.take(receipt)
            by_kind[receipt.format or "unknown"] += 1
        with progress("score", node.scorer.due()) as advance:
            tallies.scored = node.scorer.score_all(advance)
        counted = _counts(node, tallies)
        known = counted["learnt"]
        # What the files bring labels of is what they can be targeted for.
        objective = Objective(max(known, key=lambda name: known[name]["outcomes"], default=PLAIN))
        tallies.picked.update(_target(node, objective))
        counted["picked"] = dict(sorted(tallies.picked.items()))
        model = _train(node, objective) if known else None
    return {
        "traffic": {"files": len(files), "refused": refused, **dict(sorted(by_kind.items()))},
        "objective": objective.value,
        **counted,
        "model": model,
    }


def _target(node: Node, objective: Objective) -> list[str]:
    floor = node.settings.targeting.random_floor
    order = flow_target.Order(budget=PICKS, audits=PICKS // 4, objective=objective, floor=floor)
    analyst = staff.actor(node, Role.ANALYST)
    made = node.database.write(lambda tx: flow_target.run(tx, analyst, order))
    return [str(pick["basis"]) for pick in made.picks]


def _train(node: Node, objective: Objective) -> dict[str, Any] | None:
    """Train a model where there is enough to learn from; it waits in shadow for approval."""
    analyst = staff.actor(node, Role.ANALYST)
    try:
        with progress(f"train {objective.value}"):
            model, card = node.trainer.train(analyst, objective)
    except Invalid as few:
        return {"objective": objective.value, "state": "none", "why": few.message}
    return {"objective": objective.value, "state": "shadow", "id": model, **_figures(card)}


def _figures(card: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in card.items() if isinstance(value, int | float)}


# -- words ----------------------------------------------------------------------------------


def _words(result: dict[str, Any]) -> str:
    lines = [""]
    for name in ("traffic", "received", "lists", "picked", "inspections", "found"):
        if result.get(name):
            parts = [
                f"{key.replace('_', ' ')} {_count(value)}"
                for key, value in result[name].items()
                if value != []
            ]
            lines.append(f"{name:<12} {', '.join(parts)}")
    lines.append(f"{'scored':<12} {result['scored']:,} times, {result['holds']} holds")
    lines.append(
        f"{'coverage':<12} "
        + ", ".join(
            f"{row['regime']} {row['assessed']:,} of {row['known']:,}" for row in result["coverage"]
        )
    )
    for objective, known in result["learnt"].items():
        lines.append(
            f"{'learnt':<12} {objective}: {known['outcomes']:,} outcomes, "
            f"{known['irregular']:,} irregular"
        )
    model = result.get("model")
    if model is not None:
        why = model.get("why") or "waits for two people to approve it"
        lines.append(f"{'model':<12} {model['objective']}, {model['state']}: {why}")
    lines.append(f"{'seconds':<12} {result['seconds']}")
    return "\n".join(lines)


def _count(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _welcome(folder: Path, address: str, people: Sequence[staff.Entry]) -> str:
    return (
        f"Open {address} and sign in as one of these people:\n\n{_table(people)}\n\n"
        f"A code lasts 30 seconds and works once; for new ones: "
        f"isthmus --node {folder} demo-code\n"
        f"An authenticator app takes the seeds in {folder / staff.FILE}.\n"
        f"Ctrl-C ends."
    )


def _table(people: Sequence[staff.Entry]) -> str:
    return "\n".join(three.table(people))
