"""How the three nodes come to trust each other and to agree, each act by a person of the node.

The cards change hands, two people of each node compare the fingerprints. Then the fictional
agreements go through their whole life at both parties: drafted, reviewed in law by two others,
tested by their own examples, signed by both nodes over one hash, put in force.
"""

from collections.abc import Mapping
from functools import partial

from isthmus.access.model import Actor, Role
from isthmus.agreements import lifecycle, shipped
from isthmus.agreements.agreement import Agreement
from isthmus.cli.demo import staff
from isthmus.cli.demo.places import Place
from isthmus.exchange.trust import identity, partners, ratify
from isthmus.node import Node
from isthmus.platform.transaction import Transaction

Nodes = Mapping[Place, Node]


def found(place: Place, node: Node, pages: int) -> None:
    """Set the exchange of a node up: its keys, and where partners dial it."""
    supervisor = staff.actor(node, Role.SUPERVISOR)
    address = place.partner_address(pages)
    node.database.write(
        lambda tx: identity.found(
            tx,
            supervisor,
            node=place.code,
            country=place.country,
            name=place.name,
            address=address,
            listen=address,
        )
    )


def befriend(nodes: Nodes) -> None:
    """Have every node trust every other, by the ceremony of two people on each side."""
    cards = {place: node.database.read(identity.card) for place, node in nodes.items()}
    for place, node in nodes.items():
        for other, raw in cards.items():
            if other != place:
                _trust(node, raw)


def _trust(node: Node, raw: bytes) -> None:
    first = staff.actor(node, Role.SUPERVISOR)
    second = staff.actor(node, Role.SUPERVISOR, 2)
    card = identity.read_card(raw)
    heard = (card.node, card.signing_fingerprint, card.certificate_fingerprint)
    node.database.write(lambda tx: partners.add(tx, first, raw))
    node.database.write(lambda tx: partners.compare(tx, first, *heard))
    node.database.write(lambda tx: partners.trust(tx, second, *heard))


def agree(nodes: Nodes) -> list[str]:
    """Bring the fictional agreements between these nodes in force; return their codes."""
    codes = {place.code for place in nodes}
    ratified = []
    for agreement in shipped.fictional():
        if agreement.nodes <= codes:
            _ratify(
                agreement,
                {place: node for place, node in nodes.items() if place.code in agreement.nodes},
            )
            ratified.append(agreement.id)
    return ratified


def _ratify(agreement: Agreement, parties: Nodes) -> None:
    signed = {place.code: _prepare(agreement, node) for place, node in parties.items()}
    for place, node in parties.items():
        others = {code: raw for code, raw in signed.items() if code != place.code}
        _bring_in_force(f"{agreement.id}@{agreement.version}", node, others)


def _bring_in_force(version: str, node: Node, signed: Mapping[str, bytes]) -> None:
    """Take the other parties' signatures and put a version in force at one node."""
    supervisor = staff.actor(node, Role.SUPERVISOR)

    def work(tx: Transaction) -> None:
        for code, signature in signed.items():
            ratify.record(tx, supervisor, version, code, signature)
        # Only here, where all is play, may an agreement that is made up be in force.
        lifecycle.activate(tx, supervisor, version, fictional=True)

    node.database.write(work)


def _prepare(agreement: Agreement, node: Node) -> bytes:
    """Draft, review twice and sign a version at one node; return its signature."""
    text = shipped.text_of(agreement.id)
    drafter, *reviewers = (staff.actor(node, Role.LEGAL_OFFICER, n) for n in (1, 2, 3))
    version = node.database.write(lambda tx: lifecycle.enter(tx, drafter, text))
    for reviewer in reviewers:
        node.database.write(partial(_review, reviewer, version))
    supervisor = staff.actor(node, Role.SUPERVISOR)
    return node.database.write(lambda tx: ratify.sign(tx, supervisor, version))


def _review(reviewer: Actor, version: str, tx: Transaction) -> None:
    lifecycle.review(tx, reviewer, version)
