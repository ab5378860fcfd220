"""The story of the demonstration: one box, three authorities, and what one of them got wrong.

Each step is an act of a person at one node, by the same services that pages and commands use, and
what follows from it at the others.
"""

import time
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from typing import Any

from isthmus.access.gate import scope
from isthmus.access.model import Permission, Purpose, Role
from isthmus.cargo import service as cargo
from isthmus.cargo.formats.source import Source
from isthmus.cargo.unit import Unit
from isthmus.cases import (
    chains,
    inspections,
    partner_store,
    picks,
    seizures,
    share_store,
)
from isthmus.cases.chains import Cue
from isthmus.cases.inspections import Found, Report
from isthmus.cases.model import Result
from isthmus.cases.partner_model import ChainState
from isthmus.cli.demo import lookouts, shipment, sight
from isthmus.cli.demo.places import BELGIUM, CROSSING, NETHERLANDS, PANAMA
from isthmus.cli.demo.stage import Desk, Stage, clauses
from isthmus.exchange import consents, recall
from isthmus.exchange.model import Lane
from isthmus.flow import inspect as flow_inspect
from isthmus.flow import judge, share, target
from isthmus.flow.share import Said
from isthmus.flow.sharing import asking, draft
from isthmus.flow.sharing.together import newest_unit
from isthmus.intelligence import items
from isthmus.intelligence.model import (
    Classification,
    Evaluation,
    Handling,
    Item,
    ItemKind,
    Marking,
    Scale,
    Tlp,
)
from isthmus.kernel.errors import Conflict
from isthmus.kernel.time import isoformat
from isthmus.parties import hits
from isthmus.parties.hit import Verdict
from isthmus.parties.hit_store import Wanted
from isthmus.parties.judgements import Given
from isthmus.platform.transaction import Transaction

BUDGET = 5  # what one shift may still inspect
MARKING = Marking(
    Evaluation(Scale.POLICE_4X4, "B", "2"), frozenset({Handling.H0}), Classification.NONE, Tlp.AMBER
)
TARGETING, INSPECTION = Said(Purpose.TARGETING), Said(Purpose.INSPECTION)
WATCHED = timedelta(days=30)


@dataclass(slots=True)
class Story:
    """What happens, step by step, and what each step leaves to the next."""

    stage: Stage
    unit: str = ""  # Panama's
    chain: str = ""
    cue: str = ""
    alert: str = ""
    number: str = ""  # of the seizure
    recalled: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    offline: str = ""  # whom Panama still waited for while one was away

    @property
    def panama(self) -> Desk:
        """Panama's desk."""
        return self.stage.desks[PANAMA]

    @property
    def antwerp(self) -> Desk:
        """Belgium's desk."""
        return self.stage.desks[BELGIUM]

    @property
    def rotterdam(self) -> Desk:
        """The Netherlands' desk."""
        return self.stage.desks[NETHERLANDS]

    def run(self) -> None:
        """Tell the whole story."""
        self.pick_box()
        self.cue_antwerp()
        self.answer()
        self.find()
        self.correct()
        self.recall()

    # -- one box ----------------------------------------------------------------------------

    def pick_box(self) -> None:
        """Panama: a list comes late, an officer knows the consignor, the next run picks the box."""
        stage, desk = self.stage, self.panama
        stage.next("A box is picked that nobody can open before the ship closes.")
        box = shipment.box(desk.node.clock.now())
        for place in (PANAMA, BELGIUM):
            node = stage.desks[place].node
            paper = BytesIO(box.papers[place.country])
            node.receiver.receive(node.actor, paper, Source(f"late-{place.country}.edi"))
            stage.processes.wake(place)
        stage.tell(desk, f"a departure list comes late; {box.container} is on it, for Antwerp")
        unit = desk.until("the unit of the box", lambda tx: newest_unit(tx, box.container))
        self.antwerp.until("the unit of the box", lambda tx: newest_unit(tx, box.container))
        self.unit = unit.id
        before = self._assessed(0.0)
        hit = desk.until("the hit on the consignor", self._hit)
        given = Given(
            Verdict.SAME, "name_and_address_same", note="The same firm as on our lookout."
        )
        desk.act(Role.ANALYST, judge.judge, hit, given)
        after = self._assessed(before)
        stage.tell(
            desk, f"the analyst finds the consignor on a lookout: risk {before:.2f} to {after:.2f}"
        )
        floor = desk.node.settings.targeting.random_floor
        made = desk.act(Role.ANALYST, target.run, target.Order(budget=BUDGET, floor=floor))
        pick = next((one for one in made.picks if one["unit_id"] == unit.id), None)
        if pick is None:
            raise Conflict("story_not_picked", "the run picked other boxes", run=made.id)
        desk.act(Role.ANALYST, picks.take, pick["id"])
        minutes = shipment.CLOSES.total_seconds() / 60
        stage.tell(
            desk,
            f"picked ({pick['basis']}, rank {pick['rank']}); loading closes in {minutes:.0f} min",
        )

    def _hit(self, tx: Transaction) -> str | None:
        analyst = self.panama.person(Role.ANALYST)
        rows = hits.desk(tx, analyst, Wanted(list=lookouts.CODE), 50)
        return next((str(row["id"]) for row in rows if row["key"] == shipment.LISTED), None)

    def _assessed(self, above: float) -> float:
        """Wait until the box's risk is above a score, and return it."""
        return self.panama.until(
            "the assessment of the box",
            lambda tx: sight.risk(tx, self.panama, self.unit, above),
        )

    def cue_antwerp(self) -> None:
        """Panama asks Antwerp to inspect, and gives a lookout on the box."""
        stage, desk = self.stage, self.panama
        stage.next("Panama cues Antwerp: one inspection for two countries.")
        analyst = desk.person(Role.ANALYST)
        unit = desk.see(cargo.find_unit, analyst, self.unit)
        container = str(unit.container)
        asked = Cue(
            container,
            self.antwerp.code,
            "cut_off",
            desk.node.clock.now().replace(microsecond=0) + CROSSING + timedelta(days=2),
            shipment.PORT,
            chains.voyage_of(unit),
        )

        self.chain, self.cue = desk.act(Role.ANALYST, asking.cue, desk.code, unit.id, asked)
        sent = self._send(desk, self.cue, self.antwerp, INSPECTION)
        stage.tell(desk, f"an inspection of {container} is asked for at {shipment.PORT}", sent)
        self.alert = desk.node.database.write(lambda tx: self._alert(tx, unit)).id
        sent = self._send(desk, self.alert, self.antwerp, TARGETING)
        stage.tell(desk, f"a lookout goes with it, seal {shipment.SEAL}", sent)
        stage.tell(desk, "the person it names stays: no case number is on record", self._stayed())

        def chain_there(tx: Transaction) -> Any:
            return partner_store.chain_row(tx, self.chain)

        row = self.antwerp.until("the cue", chain_there)
        stage.tell(self.antwerp, f"the cue is here: chain {row['id']}, {row['state']}")

    def _alert(self, tx: Transaction, unit: Unit) -> Item:
        analyst = self.panama.person(Role.ANALYST)
        body = dict(draft.of_unit(tx, analyst, unit.id, ItemKind.ALERT).body)
        body |= {"reason": "intelligence", "action": "inspect", "objective": "contraband"}
        body["persons"] = [shipment.PERSON]
        return items.draft(tx, analyst, self.panama.code, ItemKind.ALERT, body, MARKING)

    def _send(
        self, desk: Desk, item: str, to: Desk, said: Said, consent: bytes | None = None
    ) -> list[str]:
        """Let the node's analyst send an item; returns the clauses by which it went."""
        proof = [consent] if consent else []
        sent = desk.act(
            Role.ANALYST, share.send, item, to.code, said, lane=Lane.IMMEDIATE, consents=proof
        )
        return clauses(sent)

    def _stayed(self) -> list[str]:
        """Return the clauses nearest to letting go what stayed of the lookout."""
        analyst = self.panama.person(Role.ANALYST)
        views = self.panama.see(share.compose, analyst, self.alert, TARGETING)
        to = next(view for view in views if view.partner == self.antwerp.code)
        return sorted({str(one.clause) for one in to.decision.withheld.values()})

    # -- one inspection ---------------------------------------------------------------------

    def answer(self) -> None:
        """Antwerp accepts the cue; Panama hears of it."""
        stage, desk = self.stage, self.antwerp
        stage.next("Antwerp accepts. (A ship takes thirteen days; the story does not wait.)")
        desk.act(Role.ANALYST, chains.accept, self.chain)
        stage.tell(desk, "an analyst accepts the cue")

        def accepted(tx: Transaction) -> bool:
            row = partner_store.chain_row(tx, self.chain)
            return row is not None and row["state"] == ChainState.ACCEPTED

        self.panama.until("the acceptance", accepted)
        stage.tell(self.panama, "the same chain stands at accepted here, by Antwerp's receipt")

    def find(self) -> None:
        """Antwerp inspects and finds; both see one chain, one number, shared credit."""
        stage, desk = self.stage, self.antwerp
        stage.next("Antwerp opens the box: one chain, one number, credit for both.")
        inspection = self._inspect()
        self.number = desk.act(Role.ANALYST, seizures.register, inspection, desk.code)
        stage.tell(desk, f"the seizure has its number: {self.number}")
        desk.act(Role.ANALYST, asking.result, self.chain, inspection)
        told = desk.act(Role.ANALYST, asking.tell_result, desk.code, self.chain, inspection)
        sent = self._send(desk, told, self.panama, INSPECTION)
        stage.tell(desk, "the result goes to Panama", sent)
        notice = desk.until("the notice of the seizure", self._notice)
        sent = self._send(desk, notice, self.panama, INSPECTION)
        stage.tell(desk, "the seizure waited to be shared; an analyst sends it to Panama", sent)
        shares = self.panama.until("the seizure", self._credited)
        stage.tell(self.panama, f"one chain with a result, one number, shared credit: {shares}")

    def _inspect(self) -> str:
        """Let Antwerp order, accept and report the inspection; returns its id."""
        desk, stage = self.antwerp, self.stage
        analyst = desk.person(Role.ANALYST)
        row = desk.see(chains.chain, analyst, self.chain)
        unit = desk.see(cargo.find_unit, analyst, row["unit_id"])
        control = "physical_full"
        order = desk.act(Role.ANALYST, inspections.order, unit, control)
        desk.act(Role.INSPECTOR, inspections.accept, order)
        stage.tell(desk, "an analyst orders the inspection, an inspector accepts")
        found = Found("cocaine", quantity=412.5, unit="KGM", pieces=375, zone="in_load")
        report = Report(Result.SEIZURE, control, 240, 1.0, "contraband", (found,))
        desk.act(Role.INSPECTOR, flow_inspect.report, order, report)
        stage.tell(desk, "found: 412.5 kg of cocaine within the load")
        return order

    def _notice(self, tx: Transaction) -> str | None:
        """Return the item that the node made of the seizure, for a person to send."""
        row = share_store.known(tx, "seizure", self.number)
        return row["item_id"] if row is not None else None

    def _credited(self, tx: Transaction) -> str | None:
        """Say whose credit the seizure is at Panama, once its chain has the result, too."""
        chain = partner_store.chain_row(tx, self.chain)
        if chain is None or chain["state"] != ChainState.RESULT or chain["seizure"] != self.number:
            return None
        seen = scope(self.panama.person(Role.ANALYST), Permission.SEIZURE_READ)
        rows = partner_store.credits_of(tx, seen, [self.number])
        return ", ".join(f"{row['node']} {row['role']} {row['share']} %" for row in rows)

    # -- what was wrong ---------------------------------------------------------------------

    def correct(self) -> None:
        """Antwerp passes the lookout on with consent; Panama corrects a seal, everywhere."""
        stage, desk = self.stage, self.panama
        stage.next("A seal was misread: its originator corrects it, and it follows every copy.")
        consent = self._consent(self.alert)
        sent = self._send(self.antwerp, self.alert, self.rotterdam, TARGETING, consent)
        stage.tell(self.antwerp, "the lookout goes on to Rotterdam, under Panama's terms", sent)
        self._shows(self.rotterdam, shipment.SEAL)
        stage.tell(self.rotterdam, f"the lookout is here, seal {shipment.SEAL}")
        change = [{"path": "seals", "value": [shipment.SEAL_READ_AGAIN]}]
        started = time.perf_counter()
        desk.act(Role.SUPERVISOR, items.correct, self.alert, change, "misread")
        stage.tell(desk, f"corrected: the seal is {shipment.SEAL_READ_AGAIN}")
        for holder in (self.antwerp, self.rotterdam):
            self._shows(holder, shipment.SEAL_READ_AGAIN)
            stage.tell(holder, f"the lookout says {shipment.SEAL_READ_AGAIN} now")
        desk.until("the answers of all holders", lambda tx: self._answered(tx, self.alert))
        self.seconds["correction"] = round(time.perf_counter() - started, 2)
        stage.tell(desk, f"all holders have it, after {self.seconds['correction']:.1f} s")

    def _consent(self, item: str) -> bytes:
        desk = self.panama
        raw = desk.act(Role.SUPERVISOR, consents.give, item, self.antwerp.code, self.rotterdam.code)
        self.stage.tell(desk, "a supervisor consents that Antwerp passes it on to Rotterdam")
        return raw

    def _shows(self, desk: Desk, seal: str) -> None:
        desk.until(
            f"the lookout with seal {seal}",
            lambda tx: seal in sight.seals(tx, self.alert),
        )

    def _answered(self, tx: Transaction, item: str) -> bool:
        following = recall.following(tx, item)
        return bool(following) and all(one.state == "done" and not one.code for one in following)

    def recall(self) -> None:
        """A lookout is recalled: who is online stops using it at once, who is not is named."""
        stage, desk = self.stage, self.panama
        stage.next("A lookout is taken back: everybody online in seconds, who is away by name.")
        number = shipment.other(desk.node.clock.now())
        self.recalled = desk.node.database.write(lambda tx: self._mistaken(tx, number)).id
        sent = self._send(desk, self.recalled, self.antwerp, TARGETING)
        stage.tell(desk, f"a lookout on {number} goes to Antwerp", sent)
        self._stands(self.antwerp, "current")
        consent = self._consent(self.recalled)
        sent = self._send(self.antwerp, self.recalled, self.rotterdam, TARGETING, consent)
        stage.tell(self.antwerp, "it goes on to Rotterdam", sent)
        self._stands(self.rotterdam, "current")
        stage.processes.stop([NETHERLANDS])
        stage.tell(self.rotterdam, "the node is stopped for a moment")
        started = time.perf_counter()
        desk.act(Role.SUPERVISOR, items.recall, self.recalled, "source_withdrawn")
        stage.tell(desk, "recalled: the source withdrew")
        self.offline = desk.until("Antwerp's answer", self._waited_for)
        self.seconds["recall"] = round(time.perf_counter() - started, 2)
        self._stands(self.antwerp, "recalled")
        stage.tell(self.antwerp, f"out of use here, after {self.seconds['recall']:.1f} s")
        stage.tell(desk, f"Antwerp has done so; still waited for: {self.offline}")
        started = time.perf_counter()
        stage.processes.start([NETHERLANDS])
        self._stands(self.rotterdam, "recalled")
        desk.until("the answers of all holders", lambda tx: self._answered(tx, self.recalled))
        self.seconds["return"] = round(time.perf_counter() - started, 2)
        stage.tell(self.rotterdam, "back, and out of use here, too")
        stage.tell(desk, "nobody is waited for any more")

    def _mistaken(self, tx: Transaction, number: str) -> Item:
        body = {
            "reason": "intelligence",
            "action": "inspect",
            "objective": "contraband",
            "containers": [number],
            "expires_at": isoformat((tx.now + WATCHED).replace(microsecond=0)),
        }
        analyst = self.panama.person(Role.ANALYST)
        return items.draft(tx, analyst, self.panama.code, ItemKind.ALERT, body, MARKING)

    def _stands(self, desk: Desk, state: str) -> None:
        desk.until(
            f"the lookout to be {state}",
            lambda tx: sight.state(tx, self.recalled) == state,
        )

    def _waited_for(self, tx: Transaction) -> str | None:
        """Return whom Panama still waits for, once Antwerp has done what it was asked."""
        for one in recall.following(tx, self.recalled):
            if one.partner == self.antwerp.code and one.state == "done" and one.code:
                return one.code.removeprefix("waiting ")
        return None
