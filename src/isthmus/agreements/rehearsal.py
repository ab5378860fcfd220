"""Rehearse: what would go of an item, or of any item of a kind, without sending anything."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from isthmus.access.gate import check
from isthmus.access.model import Actor, Permission
from isthmus.agreements import service
from isthmus.agreements.decide import decide
from isthmus.agreements.model import Asked, Decision, Prohibition
from isthmus.agreements.prohibitions import overlay
from isthmus.intelligence import schema
from isthmus.intelligence.model import Classification, Evaluation, Item, ItemKind, Marking, Tlp
from isthmus.platform.transaction import Transaction

# What stands in a specimen's fields. Deciding never looks at a value.
_ANY = "?"
# Members that say what the rest of their object is about.
_TELLING = {
    "links.from": "containers.0",
    "links.to": "vessels.0",
    "changes.path": "reason",
    "about_kind": ItemKind.ALERT.value,
}


@dataclass(frozen=True, slots=True)
class Specimen:
    """Of what kind an item would be, and what decides besides: its persons, grade and secrecy."""

    kind: ItemKind
    category: str  # code list data_subject_categories, of every person in it
    classification: Classification = Classification.NONE
    evaluation: Evaluation | None = None


def item_of(tx: Transaction, specimen: Specimen, originator: str) -> Item:
    """Return an item of a kind with every field that its schema knows, and nothing in them."""
    body: dict[str, Any] = {}
    for field in schema.fields(specimen.kind).values():
        name, dot, member = field.name.partition(".")
        value = specimen.category if member == "category" else _TELLING.get(field.name, _ANY)
        if not dot:
            body.setdefault(name, value)
        else:
            if not isinstance(body.get(name), list):
                body[name] = [{}]
            body[name][0][member] = value
    marking = Marking(specimen.evaluation, frozenset(), specimen.classification, Tlp.AMBER)
    return Item(f"{originator}:specimen", specimen.kind, 1, originator, tx.now, marking, body)


def rehearse(tx: Transaction, actor: Actor, item: Item, asked: Asked, own: str) -> Decision:
    """Decide as if the item were to go now; the overlay of this node counts where it sends."""
    check(tx, actor, Permission.AGREEMENT_READ)
    rules: Sequence[Prohibition] = overlay(tx) if asked.sender == own else ()
    clauses = service.clauses_between(tx, asked.sender, asked.recipient, tx.now)
    return decide(clauses, rules, item, asked, tx.now)
