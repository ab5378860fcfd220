"""Erase: what the law says may no longer be kept goes everywhere at once, and provably.

The register (``platform.erasure``) carries an erasure through; here stands what each area erases
for a subject, who may ask for it, and what forbids it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from isthmus.access import erasure as people
from isthmus.access.gate import check, scope
from isthmus.access.model import Actor, Permission
from isthmus.cargo import erasure as cargo
from isthmus.cargo.derive import Home
from isthmus.exchange import copy_store, recall
from isthmus.exchange import erasure as exchanged
from isthmus.flow import lookouts
from isthmus.flow.screen import heed
from isthmus.intelligence import items, retention, store
from isthmus.intelligence.keeping import ItemState
from isthmus.kernel.errors import Conflict, Invalid, NotFound
from isthmus.parties import hit_store, hits
from isthmus.parties import store as lists
from isthmus.platform import audit, documents, jobs
from isthmus.platform.erasure import DOCUMENTS, Erasers, Erasure, Outcome, Register, Subject
from isthmus.platform.transaction import Transaction
from isthmus.reference.codelist import code_list
from isthmus.risk import store as risk

# Grounds on which data are erased.
GROUNDS = code_list("erasure_grounds").codes()
TOLD = "originator_erased"
JOB = "erase.recalled"


def _person(tx: Transaction, erasure: Erasure) -> Mapping[str, int]:
    people.erase_person_rows(tx, erasure.subject.id)
    return {"person": 1}


def _list_entry(tx: Transaction, erasure: Erasure) -> Mapping[str, int]:
    """Erase an entry in every version, with the files that carried it; other entries stay."""
    list_code, _, key = erasure.subject.id.partition(":")
    named, rows = lists.erase_entry(tx, list_code, key, erasure.id)
    files = sum(documents.erase(tx, document_id, erasure.id) for document_id in named)
    lines = hits.erase_entry(tx, list_code, key)
    heed(tx, lines, erasure.id)
    return {"list_entry": rows, "document": files, "hit": len(lines)}


def _item(tx: Transaction, erasure: Erasure) -> Mapping[str, int]:
    """Erase an item with what corrects it: copies, envelopes, and the issue of an own one."""
    whole = retention.items_of(tx, erasure.subject.id)
    counts = dict(retention.erase_item(tx, erasure.subject.id, erasure.id))
    if envelopes := exchanged.erase_items(tx, whole, erasure.id):
        counts["envelope"] = envelopes
    lookouts.heed(tx, erasure.subject.id)  # whom a partner's alert named is screened for no more
    return counts


def erasers(home: Home) -> Erasers:
    """Return what erases each kind of subject at a node that stands there."""

    def document(tx: Transaction, erasure: Erasure) -> Mapping[str, int]:
        erased = cargo.erase_document(tx, home, erasure.subject.id)
        rows = risk.erase_features(tx, erased.units, erasure.id)
        return {**erased.counts, "feature_row": rows}

    def party(tx: Transaction, erasure: Erasure) -> Mapping[str, int]:
        erased = cargo.erase_party(tx, home, erasure.subject.id, erasure.id)
        rows = risk.erase_features(tx, erased.units, erasure.id)
        reasons = sum(people.erase_reasons(tx, unit) for unit in sorted(erased.units))
        screened = hit_store.erase_subject(tx, erasure.subject.id)
        return {**erased.counts, **screened, "feature_row": rows, "lookup_reason": reasons}

    return {
        "document": (*DOCUMENTS["document"], document),
        "party": (party,),
        "person": (_person,),
        "list_entry": (_list_entry,),
        "item": (_item,),
    }


@dataclass(frozen=True, slots=True)
class Eraser:
    """Erases in the name of a person who may."""

    register: Register

    def document(self, actor: Actor, document_id: str, ground: str) -> Outcome:
        """Erase a received document with all records and rows that came from it."""

        def allowed(tx: Transaction) -> None:
            check(tx, actor, Permission.ERASURE_PERFORM, object_id=document_id)
            documents.get(tx, document_id)
            cargo.check_document_hold(tx, document_id)

        return self._erase(actor, Subject("document", document_id), ground, allowed)

    def party(self, actor: Actor, reference: str, ground: str) -> Outcome:
        """Erase a declared party by its identifier, reference or name, wherever it is named."""
        subject = self.register.database.read(lambda tx: cargo.subject_named(tx, reference))

        def allowed(tx: Transaction) -> None:
            check(tx, actor, Permission.ERASURE_PERFORM, object_id=subject)
            cargo.check_hold(tx, subject)

        return self._erase(actor, Subject("party", subject), ground, allowed)

    def list_entry(self, actor: Actor, list_code: str, key: str, ground: str) -> Outcome:
        """Erase an entry of a list, such as an own lookout, wherever the node keeps it."""
        name = f"{list_code}:{key}"

        def allowed(tx: Transaction) -> None:
            check(tx, actor, Permission.ERASURE_PERFORM, object_id=name)
            if lists.entry(tx, scope(actor, Permission.LIST_READ), list_code, key) is None:
                raise NotFound("list_entry_unknown", "no such entry", list=list_code, key=key)

        return self._erase(actor, Subject("list_entry", name), ground, allowed)

    def item(self, actor: Actor, item_id: str, ground: str) -> Outcome:
        """Erase every copy of an item at this node, and of what corrected it.

        Whoever got an own item from here is told by a recall to erase it, too.
        """

        def allowed(tx: Transaction) -> None:
            check(tx, actor, Permission.ERASURE_PERFORM, object_id=item_id)
            retention.check_hold(tx, item_id)
            _call_back(tx, actor, item_id)

        return self._erase(actor, Subject("item", item_id), ground, allowed)

    def person(self, actor: Actor, person_id: str, ground: str) -> Outcome:
        """Erase a former user of the node."""

        def allowed(tx: Transaction) -> None:
            people.check_erasable(tx, actor, person_id)

        return self._erase(actor, Subject("person", person_id), ground, allowed)

    def _erase(
        self,
        actor: Actor,
        subject: Subject,
        ground: str,
        allowed: Callable[[Transaction], None],
    ) -> Outcome:
        if ground not in GROUNDS:
            raise Invalid(
                "code_unknown", f"one of {', '.join(GROUNDS)}", field="ground", value=ground
            )
        return self.register.erase(subject, actor=actor.id, basis=ground, check=allowed)


def _call_back(tx: Transaction, actor: Actor, item_id: str) -> None:
    """Have every holder of an own item erase it: the recall leaves with this erasure, or not."""
    row = store.item(tx, item_id)
    mine = row is not None and row["own"] and row["state"] != ItemState.ERASED
    if mine and copy_store.copies(tx, item_id):
        items.recall_erased(tx, actor, item_id)


# -- what partners told, and what may be kept no longer ----------------------------------------


def erase_soon(tx: Transaction, item_id: str, envelope_id: str) -> None:
    """A recall says that its originator erased the item: have it erased here, too."""
    jobs.enqueue(tx, JOB, {"item": item_id, "envelope": envelope_id}, key=envelope_id)


def erase_recalled(register: Register, item_id: str, envelope_id: str) -> bool:
    """Erase what its originator erased, and tell it so; false while it is held as evidence.

    Again it does nothing but tell.
    """

    def allowed(tx: Transaction) -> None:
        row = store.item(tx, item_id)
        if row is None or row["state"] == ItemState.ERASED or not store.copies_of(tx, item_id):
            raise NotFound("item_unknown", "nothing of it is here", item=item_id)
        retention.check_hold(tx, item_id)

    try:
        register.erase(Subject("item", item_id), actor="node", basis=TOLD, check=allowed)
    except NotFound:
        pass
    except Conflict:
        register.database.write(
            lambda tx: recall.acted(tx, envelope_id, "refused", "held_as_evidence")
        )
        return False
    register.database.write(lambda tx: recall.acted(tx, envelope_id, "done"))
    return True


def sweep_items(tx: Transaction, actor: Actor) -> int:
    """Erase copies of items past their retention, with the envelopes that brought them; where
    nothing of an item is left, with all that was sent of it. Returns how many copies."""
    rows = store.past_retention(tx, tx.now.date())
    swept = retention.sweep(tx, actor)
    exchanged.erase_envelopes(
        tx, [row["source"].partition(">")[0] for row in rows], retention.RETENTION
    )
    for item_id in {row["item"] for row in rows}:
        lookouts.heed(tx, item_id)
        known = store.item(tx, item_id)
        if known is not None and known["state"] == ItemState.ERASED:
            exchanged.erase_items(tx, [item_id], retention.RETENTION)
    return swept


def hold_party(tx: Transaction, actor: Actor, reference: str, hold: str | None) -> int:
    """Put a declared party's data under a legal hold, named by ``hold``, or lift it."""
    subject = cargo.subject_named(tx, reference)
    check(tx, actor, Permission.LEGAL_HOLD_SET, object_id=subject)
    rows = cargo.set_hold(tx, subject, hold)
    hit_store.set_hold(tx, subject, hold)
    audit.record(
        tx,
        actor.id,
        "legal_hold.set",
        "party",
        subject,
        agency=actor.agency,
        held=hold is not None,
        rows=rows,
    )
    return rows
