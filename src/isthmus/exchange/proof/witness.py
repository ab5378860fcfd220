"""Checkpoints witnessed: partners show each other where their ledgers stand, and prove growth.

Each side asks the other for its newest checkpoint with a proof that what was seen before is its
beginning, and shows what it saw of third nodes. A node that shows two partners different
histories cannot prove both to be the beginning of one log: that is a split view, and an alarm.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from isthmus.exchange import greeting
from isthmus.exchange.proof import ledger, ledger_store, merkle
from isthmus.exchange.tables import Row
from isthmus.exchange.trust import identity, partners, shape, signing
from isthmus.exchange.trust.signing import Keys, Statement
from isthmus.kernel.canonical import canonical
from isthmus.kernel.errors import Denied, Invalid
from isthmus.platform.transaction import Transaction

MOST = 50
_SHAPE = {"node": str, "epoch": int, "size": int, "root": str, "at": str}
_POINT = {"epoch": int, "size": int}


def question(tx: Transaction, partner: str) -> dict[str, Any]:
    """Return what to ask a partner: proofs from every checkpoint of it that awaits one."""
    known = ledger_store.newest(tx, partner)
    points = [_point(row) for row in ledger_store.unproven(tx, partner)]
    if known is not None:
        points.append(_point(known))
    return {
        "from": points,
        "epochs": sorted({one["epoch"] for one in points}),
        "agreements": greeting.texts(tx, partner),
    }


def _point(row: Row) -> dict[str, int]:
    return {"epoch": row["epoch"], "size": row["size"]}


def answer(tx: Transaction, sender: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Answer a partner: the newest checkpoint, proofs from those it names, and those seen of
    third nodes."""
    partners.trusted(tx, sender)
    shape.check(asked, {"from": [dict], "epochs": [int], "agreements": dict}, "the call")
    if len(asked["from"]) > MOST + 1:
        raise Invalid("call_malformed", "too many proofs are asked for")
    own = identity.me(tx)["node"]
    newest = ledger_store.newest(tx, own)
    told: dict[str, Any] = {"checkpoint": None, "proofs": [], "seen": []}
    told["agreements"] = greeting.texts(tx, sender)
    if newest is not None:
        told["checkpoint"] = orjson.loads(newest["body"])
        told["proofs"] = [_proof(tx, one, newest) for one in asked["from"]]
    for row in ledger_store.newest_of_all(tx):
        if row["node"] not in (own, sender):
            told["seen"].append(orjson.loads(row["body"]))
    return told


def asked_by(tx: Transaction, sender: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Answer a partner, and note that it is there and what it holds of this node."""
    told = answer(tx, sender, asked)
    greeting.heard(tx, sender, asked)
    greeting.witnessed(tx, sender, asked["from"])
    return told


def _proof(tx: Transaction, point: Mapping[str, Any], newest: Row) -> dict[str, Any]:
    """Prove one checkpoint to be the beginning of the newest of its epoch."""
    shape.check(point, _POINT, "the checkpoint asked about")
    epoch, size = point["epoch"], point["size"]
    until = newest["size"] if epoch == newest["epoch"] else ledger_store.size(tx, epoch)
    path: list[bytes] = []
    if 0 < size < until:
        path = merkle.consistency(size, until, ledger.node_reader(tx, epoch))
    return {"epoch": epoch, "size": size, "until": until, "path": [one.hex() for one in path]}


def read(raw: bytes, keys: Keys) -> Statement:
    """Read a checkpoint and verify its signature."""
    statement = signing.parse(raw, ledger.CHECKPOINT)
    shape.check(statement.payload, _SHAPE, "the checkpoint")
    shape.digest(statement.payload, "root")
    signing.verify(statement, keys)
    return statement


def take(tx: Transaction, partner: str, told: Mapping[str, Any]) -> str:
    """Take a partner's answer in; return consistent, split, or nothing when there is no ledger."""
    found = ""
    greeting.heard(tx, partner, told)
    if told.get("checkpoint") is not None:
        statement = read(canonical(told["checkpoint"]), partners.keys_of(tx, partner))
        if statement.payload["node"] != partner:
            raise Denied("checkpoint_foreign", "not the partner's own checkpoint", node=partner)
        proofs = _proofs(told)
        found = _judge(tx, partner, statement, proofs)
    for one in list(told.get("seen", []))[:MOST]:
        _hearsay(tx, partner, one)
    return found


def _proofs(told: Mapping[str, Any]) -> dict[tuple[int, int], tuple[int, list[bytes]]]:
    proofs = {}
    for one in told.get("proofs", []):
        shape.check(one, {**_POINT, "until": int, "path": [str]}, "the proof")
        try:
            path = [bytes.fromhex(text) for text in one["path"]]
        except ValueError:
            raise Invalid("proof_malformed", "a path is not hex") from None
        proofs[one["epoch"], one["size"]] = (one["until"], path)
    return proofs


def _judge(
    tx: Transaction,
    partner: str,
    statement: Statement,
    proofs: Mapping[tuple[int, int], tuple[int, list[bytes]]],
) -> str:
    """Hold every checkpoint seen of a partner against its newest one."""
    said = statement.payload
    epoch, size, root = said["epoch"], said["size"], bytes.fromhex(said["root"])
    before = ledger_store.newest(tx, partner)
    open_ = ledger_store.unproven(tx, partner)
    split = False
    for row in [*open_, *([before] if before is not None else [])]:
        if row["epoch"] != epoch:
            continue  # a log of an earlier epoch is closed: see ``epochs``
        until, path = proofs.get((row["epoch"], row["size"]), (0, []))
        if row["size"] > size:
            if row is before:  # it shows an older head than before: kept as it was
                return "consistent"
            continue
        holds = until == size and merkle.consistent(row["size"], row["root"], size, root, path)
        if not holds:
            split = True
            ledger_store.judge(tx, row, "split")
            partners.alarm(tx, partner, "ledger_split", epoch=epoch, size=row["size"])
        elif row["state"] == "unproven":
            ledger_store.judge(tx, row, "consistent")
    state = "split" if split else "consistent"
    _keep(tx, statement, partner, state)
    return state


def _keep(tx: Transaction, statement: Statement, via: str, state: str) -> None:
    said = statement.payload
    row = {
        "node": said["node"],
        "epoch": said["epoch"],
        "size": said["size"],
        "root": bytes.fromhex(said["root"]),
        "body": statement.raw,
        "seen_at": tx.now,
        "via": via,
        "state": state,
    }
    ledger_store.insert_checkpoint(tx, row)


def _hearsay(tx: Transaction, via: str, raw: Any) -> None:
    """Keep what a partner saw of a third node, to be proved by that node itself."""
    try:
        node = str(raw["payload"]["node"])
        statement = read(canonical(raw), partners.keys_of(tx, node))
    except (KeyError, TypeError, Invalid, Denied):
        return  # of a node that is no partner here, or forged: it proves nothing
    said = statement.payload
    if node == identity.me(tx)["node"]:
        return
    root = bytes.fromhex(said["root"])
    same = ledger_store.at_size(tx, node, said["epoch"], said["size"])
    if any(row["root"] == root for row in same):
        return
    _keep(tx, statement, via, "unproven")
    if any(row["state"] in ("consistent", "own") for row in same):
        partners.alarm(tx, node, "ledger_split", epoch=said["epoch"], size=said["size"])
