"""A node at work with a partner: questions on the clock, a chain at each stage, a seizure of two.

Run as a process of its own: ``python -m journeys.together FOLDER``. The partner lives in the same
process with a database of its own; what either sends is carried as its files are.
"""

import json
import socket
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from agreements.conftest import person
from exchange.ready import Ready, ready
from exchange.test_post import carry
from isthmus.access import sessions
from isthmus.access import store as people
from isthmus.access.gate import scope
from isthmus.access.model import Permission, Purpose, Role, node_actor
from isthmus.agreements.model import Mode
from isthmus.cargo import service as cargo
from isthmus.cases import chains, inspections, picks, requests, seizures
from isthmus.cases import queue as picked
from isthmus.cases.chains import Cue, Outcome
from isthmus.cases.inspections import Found, Report
from isthmus.cases.model import PickState, Result
from isthmus.cases.partner_model import RequestState, Voyage
from isthmus.cases.requests import Question
from isthmus.cases.seizures import Credit, Goods, Told
from isthmus.cli.serving import serve_node
from isthmus.exchange import dispatch, post_store
from isthmus.exchange.model import Lane
from isthmus.flow import accept, inspect, share
from isthmus.flow.reactions import REACTIONS
from isthmus.flow.share import Said
from isthmus.flow.sharing import asking, telling, together
from isthmus.flow.sharing.asking import Words
from isthmus.intelligence import arrivals
from isthmus.intelligence.keeping import Came
from isthmus.intelligence.model import Item, ItemKind
from isthmus.kernel.time import isoformat
from isthmus.node import Node
from isthmus.platform import jobs
from journeys.served import fill, invite, settings

PA, NL = "PA-ANA", "NL-DOUANE"
ASKED = Said(Purpose.TARGETING, frozenset({"case_number"}), mode=Mode.ON_REQUEST)
LONG = (
    "De verzender heeft in drie weken vier containers onder wisselende namen aangegeven. Wij willen "
    "weten welke zegels er bij vertrek uit Cartagena op zaten, of er onderweg één is vervangen, en "
    "door wie de vrijgave is opgevraagd. Elk document dat daarover iets zegt, helpt ons verder."
)


@dataclass(slots=True)
class Story:
    """The node with its partner, and what it tells."""

    made: Ready
    node: Node
    now: datetime

    @property
    def analyst(self) -> Any:
        return self.made.here.staff[Role.ANALYST]

    @property
    def inspector(self) -> Any:
        return self.made.here.staff[Role.INSPECTOR]

    def write(self, work: Any) -> Any:
        return self.node.database.write(work)

    def units(self) -> list[Any]:
        """The units of picks that nobody works on, with their picks."""
        seen = scope(node_actor(), Permission.PICK_READ)
        wanted = picked.Wanted(states=[PickState.OFFERED])
        rows = self.node.database.read(lambda tx: picked.read(tx, seen, wanted, 50, 0))
        return [row for row in rows if row["container"]]


def questions(story: Story, boxes: list[str]) -> dict[str, str]:
    """What the partner asks: one through the exchange, two whose clocks have run for a while."""
    there = story.made.partners[NL]
    asker = there.staff[Role.ANALYST]
    whole = Question(
        PA, ("seal_history", "container_history", "consignment_documents"), own_case="NL-2026/0417"
    )
    sent = there.database.write(
        lambda tx: asking.ask(tx, asker, NL, whole, boxes[:2], Words(LONG, "nl"))
    )
    there.database.write(lambda tx: share.send(tx, asker, sent, PA, ASKED, lane=Lane.IMMEDIATE))
    older = {"late": ("urgent", ("company",), 3, "NL-2026/0398"),
             "soon": ("normal", ("inspection",), 20, "NL-2026/0402")}  # fmt: skip
    for name, (urgency, asks, hours, case) in older.items():
        since = story.now - timedelta(hours=hours)
        body = {"questions": list(asks), "case_number": case, "urgency": urgency,
                "containers": boxes[2:3]}  # fmt: skip
        item = Item(f"{NL}:req_{name}", ItemKind.REQUEST, 1, NL, since, asking.MARKING, body)
        came = Came(source=f"env_{name}", partner=NL)
        asked = Question(NL, asks, urgency, citation="PA-NL-2026/art-4", partner_case=case)
        story.write(lambda tx, i=item, c=came: arrivals.receive(tx, node_actor(), i, c))
        story.write(
            lambda tx, i=item, a=asked, s=since: requests.receive(tx, node_actor(), i.id, a, s)
        )
    return {"asked": sent, "late": f"{NL}:req_late", "soon": f"{NL}:req_soon"}


def own_questions(story: Story, boxes: list[str]) -> dict[str, str]:
    """What is asked of the partner: one answered, one that lacks something."""
    answered = story.write(
        lambda tx: asking.ask(
            tx, story.analyst, PA, Question(NL, ("end_use",), own_case="PA-2026-88"), boxes[:1]
        )
    )
    paused = story.write(
        lambda tx: asking.ask(
            tx, story.analyst, PA,
            Question(NL, ("vessel", "seizures"), urgency="urgent", own_case="PA-2026-91"), boxes[1:2],
        )
    )  # fmt: skip
    node = node_actor()

    def work(tx: Any) -> None:
        requests.went(tx, paused, RequestState.SENT, paused, citation="PA-NL-2026/art-4")
        requests.told(tx, node, paused, RequestState.NEED_MORE)
        requests.need_more(tx, node, paused, ["window_from", "vessels"])

    story.write(work)
    story.write(lambda tx: share.send(tx, story.analyst, answered, NL, ASKED, lane=Lane.IMMEDIATE))
    carry_all(story)
    there = story.made.partners[NL]
    made = there.database.write(
        lambda tx: asking.answer(
            tx, there.staff[Role.ANALYST], NL, answered, "full",
            words=Words("De geadresseerde bestaat niet op dit adres.", "nl"),
        )
    )  # fmt: skip
    there.database.write(
        lambda tx: share.send(tx, there.staff[Role.ANALYST], made, PA, ASKED, lane=Lane.IMMEDIATE)
    )
    return {"answered": answered, "paused": paused}


def cues(story: Story, rows: list[Any]) -> dict[str, str]:
    """A chain that waits for this node, one that the partner opened, one the partner declined."""
    there = story.made.partners[NL]
    node, now = node_actor(), story.now
    voyage = Voyage("9321483", "601E", now + timedelta(hours=9))
    ask = Cue(rows[0]["container"], PA, "no_access", now + timedelta(hours=5), "PAMIT", voyage)
    unit = story.node.database.read(lambda tx: cargo.find_unit(tx, node, rows[0]["unit_id"]))
    ours = f"{NL}:chn_0001"
    story.write(lambda tx: chains.receive_cue(tx, node, ours, ask, unit))
    opened = _cue(story, rows[1], now + timedelta(days=13))
    told = Told(
        "SZ-NL-DOUANE-2026-12", now - timedelta(hours=30),
        (Credit(NL, "seized", 60), Credit(PA, "cued", 40)),
        (Goods("cocaine", 412.5, "KGM", 330, "reefer_unit"),), rows[1]["container"], opened,
    )  # fmt: skip

    def find(tx: Any) -> None:
        chains.accept(tx, node, opened)
        chains.result(tx, node, opened, Outcome("seizure", seizure=told.number))
        seizures.receive(tx, node, told)

    story.write(find)
    declined = _cue(story, rows[2], now + timedelta(days=9))
    story.write(lambda tx: chains.decline(tx, node, declined, "no_equipment"))
    assert there.code == NL
    return {"ours": ours, "opened": opened, "declined": declined,
            "pick": rows[1]["id"], "box": rows[1]["container"]}  # fmt: skip


def _cue(story: Story, row: Any, deadline: datetime) -> str:
    ask = Cue(row["container"], NL, "cut_off", deadline, "NLRTM",
              Voyage("9321483", "601E", deadline - timedelta(days=1)))  # fmt: skip
    return str(story.write(lambda tx: asking.cue(tx, story.analyst, PA, row["unit_id"], ask))[0])


def seized(story: Story, row: Any) -> dict[str, str]:
    """An own seizure, reported and not weighed yet; a lookout of the partner was on the box."""
    lookout = {
        "reason": "intelligence", "action": "inspect", "containers": [row["container"]],
        "expires_at": isoformat(story.now + timedelta(days=20)),
    }  # fmt: skip
    item = Item(f"{NL}:alr_1", ItemKind.ALERT, 1, NL, story.now, asking.MARKING, lookout)
    came = Came(source="env_lookout", partner=NL, purposes=frozenset({Purpose.TARGETING}))
    report = Report(
        Result.SEIZURE, "physical_full", 210, 1.0, "contraband",
        (Found("cocaine", 40.0, "KGM", 36, "reefer_unit"), Found("weapons", 2.0, "NAR", 2, "doors")),
    )  # fmt: skip

    def work(tx: Any) -> tuple[str, str]:
        arrivals.receive(tx, node_actor(), item, came)
        picks.take(tx, story.analyst, row["id"])
        made = inspect.order(tx, story.analyst, row["id"], "physical_full")
        inspections.accept(tx, story.inspector, made)
        inspect.report(tx, story.inspector, made, report)
        return made, seizures.register(tx, story.inspector, made, PA)

    made, number = story.write(work)
    return {"inspection": made, "seizure": number}


def carry_all(story: Story) -> None:
    """Carry what waits both ways, with its receipts; the partner does its jobs."""
    here, there = story.made.here, story.made.partners[NL]
    for one, other in ((here, there), (there, here)):
        for lane in Lane:
            carry(one, other, lane)
        rows = one.database.read(lambda tx, o=other: post_store.unsent(tx, o.code))
        dispatch.settle(other.database, one.code, [row["body"] for row in rows])
        one.database.write(lambda tx, r=rows: post_store.mark_sent(tx, [row["id"] for row in r]))
    while job := there.database.write(
        lambda tx: jobs.lease(tx, "partner", [telling.JOB, accept.JOB])
    ):
        if job.kind == accept.JOB:
            accept.accept(there.database, job.payload["envelope"])
        else:
            together.do(there.database, job.payload)
        there.database.write(lambda tx, done=job: jobs.finish(tx, done, "partner"))


def post(story: Story, stop: threading.Event) -> None:
    """Carry over and over."""
    while not stop.is_set():
        carry_all(story)
        time.sleep(0.2)


def somebody(tx: Any, login: str) -> Any:
    """One of the people of the node as an actor."""
    known = people.person_by_login(tx, f"{login}@customs.example")
    assert known is not None
    return sessions.actor_of(tx, known)


def main(folder: Path) -> None:
    """Make, befriend, tell the story and serve."""
    with Node.create(folder, settings()) as node:
        fill(node)
        links = invite(node)
        staff = {role: person(number, role) for number, role in enumerate(Role, 10)}
        for login, role in (("ana", Role.ANALYST), ("ivan", Role.INSPECTOR)):
            staff[role] = node.database.read(lambda tx, who=login: somebody(tx, who))
        with ready(
            node.database, staff, person(9, Role.SUPERVISOR), folder, node.clock, NL
        ) as made:
            made.in_force("PA-NL-2026", NL)
            made.partners[NL].database.reactions = REACTIONS
            story = Story(made, node, node.clock.now().replace(microsecond=0))
            rows = story.units()
            boxes = [row["container"] for row in rows]
            links |= questions(story, boxes) | own_questions(story, boxes)
            links |= cues(story, rows[1:]) | seized(story, rows[0])
            stop = threading.Event()
            courier = threading.Thread(target=post, args=(story, stop), daemon=True)
            courier.start()
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port: int = probe.getsockname()[1]
            told = {"address": f"http://127.0.0.1:{port}", "links": links}
            print(json.dumps(told), flush=True)
            with suppress(KeyboardInterrupt):
                serve_node(node, "127.0.0.1", port)
            stop.set()
            courier.join(5)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
