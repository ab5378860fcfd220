"""Nodes under real agreements: each reviewed, signed by both parties and put in force at each."""

from collections.abc import Callable
from typing import Any

from builders import person
from exchange.test_post import carry
from exchange.world import Party
from isthmus.access.model import Role
from isthmus.access.service import RoleRequest
from isthmus.agreements import lifecycle, shipped
from isthmus.agreements.prohibitions import overlay
from isthmus.agreements.service import clauses_between
from isthmus.exchange import dispatch, post_store
from isthmus.exchange.by_agreements import ByAgreements
from isthmus.exchange.model import Lane
from isthmus.exchange.trust import ratify
from isthmus.flow import accept
from isthmus.flow.reactions import REACTIONS


def settle_in(node: Party) -> None:
    """Let a node decide by the agreements it holds, react as a whole node does, and have three
    legal officers: no two steps of an agreement are one person's."""
    node.policy = ByAgreements(clauses_between, overlay)
    node.database.reactions = REACTIONS
    administrator, legal = node.staff[Role.ADMINISTRATOR], RoleRequest(Role.LEGAL_OFFICER)
    node.lawyers = tuple(
        person(node.database, administrator, legal, login=f"{number}@law.example")
        for number in range(3)
    )


def ratified(agreement: str, *nodes: Party, text: str = "", version: int = 1) -> None:
    """Bring a shipped agreement, or another text of it, into force at its two parties."""
    name = f"{agreement}@{version}"
    signatures = [(one.code, drafted(one, name, text or shipped.text_of(agreement)))
                  for one in nodes]  # fmt: skip
    for node in nodes:
        for code, raw in signatures:
            act(node, ratify.record, node.lawyers[2], name, code, raw)
        act(node, lifecycle.activate, node.lawyers[2], name, fictional=True)


def drafted(node: Party, name: str, text: str) -> bytes:
    """Bring a version through both reviews at a node, and return the node's signature."""
    drafter, first, second = node.lawyers
    act(node, lifecycle.enter, drafter, text)
    act(node, lifecycle.review, first, name)
    act(node, lifecycle.review, second, name)
    return bytes(act(node, ratify.sign, second, name))


def act(node: Party, act: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Do something at a node in a transaction of its own."""
    return node.database.write(lambda tx: act(tx, *arguments, **named))


def see(node: Party, read: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Read something at a node."""
    return node.database.read(lambda tx: read(tx, *arguments, **named))


def bring(one: Party, other: Party, item: Any, lane: Lane = Lane.IMMEDIATE) -> bool:
    """Carry what waits on a lane and accept the item, twice over as a job may."""
    answer = carry(one, other, lane)
    assert answer is not None
    assert answer.refused == []
    return take_in(other, item)


def take_in(node: Party, item: Any) -> bool:
    """Accept what an envelope brought; say whether it was new and of use."""
    came = envelope_of(node, item)
    first = accept.accept(node.database, came)
    assert not accept.accept(node.database, came)
    return first


def envelope_of(node: Party, item: Any) -> str:
    """The envelope that brought an item last."""
    rows = node.database.read(lambda tx: post_store.arrived(tx, item.id))
    return str(rows[-1]["id"])


def receipts_back(one: Party, other: Party) -> None:
    """Bring the receipts that one node has for another."""
    rows = one.database.read(lambda tx: post_store.unsent(tx, other.code))
    dispatch.settle(other.database, one.code, [row["body"] for row in rows])
    one.database.write(lambda tx: post_store.mark_sent(tx, [row["id"] for row in rows]))
