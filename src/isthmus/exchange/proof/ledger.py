"""The ledger: a Merkle log of salted commitments to every envelope and receipt.

What happens enters its commitment in the same transaction; a job of its own then gives the entries
their places, many at a time, and signs a checkpoint over the tree. The log is in the form of
RFC 9162. Each epoch of a node has a log of its own.
"""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from isthmus.exchange.proof import ledger_store, merkle
from isthmus.exchange.trust import identity, signing
from isthmus.kernel.canonical import canonical, commitment
from isthmus.kernel.errors import Damaged, NotFound
from isthmus.kernel.time import isoformat
from isthmus.platform.transaction import Transaction

SEAL = "ledger.seal"
CHECKPOINT = "checkpoint"
BATCH = 500  # entries in one transaction: a flash may wait for it


def entry(kind: str, object_id: str, salt: bytes, hash_: bytes, tx: Transaction) -> dict[str, Any]:
    """Return the entry that commits to a statement by its hash, salted."""
    return {
        "kind": kind,
        "object_id": object_id,
        "commitment": commitment(salt, hash_),
        "at": tx.now,
    }


def append(tx: Transaction, entries: Iterable[Mapping[str, Any]]) -> None:
    """Enter commitments in this transaction; the sealing job gives them their places."""
    ledger_store.insert_entries(tx, list(entries))


def note(tx: Transaction, kind: str, object_id: str, hash_: bytes) -> None:
    """Enter something that has no salt of its own, such as that an envelope was stopped."""
    append(tx, [entry(kind, object_id, secrets.token_bytes(16), hash_, tx)])


def leaf(kind: str, commitment_: bytes) -> bytes:
    """Return the bytes of a leaf."""
    return canonical({"commitment": commitment_, "kind": kind})


def has_unsealed(tx: Transaction) -> bool:
    """Whether there is anything for ``seal`` to do."""
    return bool(ledger_store.unsealed(tx, 1))


def seal(tx: Transaction, most: int = BATCH) -> int:
    """Give entries their places and sign a checkpoint; return how many. One sealer at a time."""
    tx.lock(["ledger-seal"])
    entries = ledger_store.unsealed(tx, most)
    if not entries:
        return 0
    epoch = int(identity.me(tx)["epoch"])
    start = ledger_store.size(tx, epoch)
    tree = _Growing(tx, epoch, start)
    leaves = []
    for place, one in enumerate(entries, start):
        tree.add(leaf(one["kind"], one["commitment"]))
        leaves.append({"epoch": epoch, "index": place, "entry_seq": one["seq"]})
    ledger_store.insert_leaves(tx, leaves, tree.nodes())
    _checkpoint(tx, epoch, tree.size, tree.root())
    return len(entries)


class _Growing:
    """A tree that grows by leaves and knows which subtrees became complete."""

    def __init__(self, tx: Transaction, epoch: int, size: int) -> None:
        self.epoch, self.size = epoch, size
        self._node = node_reader(tx, epoch)
        self._made: dict[tuple[int, int], bytes] = {}

    def node(self, level: int, index: int) -> bytes:
        """Return a complete subtree's hash, new or stored."""
        return self._made.get((level, index)) or self._node(level, index)

    def add(self, data: bytes) -> None:
        """Append a leaf."""
        level, index, hash_ = 0, self.size, merkle.leaf_hash(data)
        self._made[level, index] = hash_
        while index & 1:
            hash_ = merkle.node_hash(self.node(level, index - 1), hash_)
            level, index = level + 1, index >> 1
            self._made[level, index] = hash_
        self.size += 1

    def root(self) -> bytes:
        """Return the root as the tree stands now."""
        return merkle.root(self.size, self.node)

    def nodes(self) -> list[dict[str, Any]]:
        """Return the rows of the subtrees that are new."""
        return [
            {"epoch": self.epoch, "level": level, "index": index, "hash": hash_}
            for (level, index), hash_ in self._made.items()
        ]


def node_reader(tx: Transaction, epoch: int) -> merkle.Node:
    """Return what reads the hashes of complete subtrees of an epoch's log."""
    known: dict[tuple[int, int], bytes] = {}

    def read(level: int, index: int) -> bytes:
        if (level, index) not in known:
            found = ledger_store.node(tx, epoch, level, index)
            if found is None:
                raise Damaged("ledger_damaged", "a node of the ledger is missing", level=level,
                              index=index, epoch=epoch)  # fmt: skip
            known[level, index] = found
        return known[level, index]

    return read


def _checkpoint(tx: Transaction, epoch: int, size: int, root: bytes) -> None:
    own = identity.signer(tx)
    said = {
        "node": own.node,
        "epoch": epoch,
        "size": size,
        "root": root.hex(),
        "at": isoformat(tx.now),
    }
    row = {
        "node": own.node,
        "epoch": epoch,
        "size": size,
        "root": root,
        "body": signing.sign(own, CHECKPOINT, said),
        "seen_at": tx.now,
        "via": own.node,
        "state": "own",
    }
    ledger_store.insert_checkpoint(tx, row)


def position(tx: Transaction, node: str) -> dict[str, Any]:
    """Return where the ledger stands, as it is named in receipts: what follows comes later."""
    row = ledger_store.newest(tx, node)
    if row is None:
        return {"epoch": 0, "size": 0, "root": merkle.EMPTY.hex()}
    return {"epoch": row["epoch"], "size": row["size"], "root": row["root"].hex()}


@dataclass(frozen=True, slots=True)
class Inclusion:
    """That a thing stands in the log: its entry, its place, the path and the checkpoint."""

    kind: str
    commitment: bytes
    epoch: int
    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes


def prove(tx: Transaction, object_id: str) -> Inclusion:
    """Prove that an envelope or receipt stands in this node's log; ``NotFound`` if not sealed."""
    own = identity.me(tx)["node"]
    row = ledger_store.leaf_of(tx, object_id)
    if row is None:
        raise NotFound("ledger_not_sealed", "it stands in no sealed part", object=object_id)
    size = ledger_store.size(tx, row["epoch"])
    heads = ledger_store.at_size(tx, own, row["epoch"], size)
    if not heads:
        raise Damaged("ledger_damaged", "the newest checkpoint is missing", size=size)
    path = merkle.inclusion(row["index"], size, node_reader(tx, row["epoch"]))
    return Inclusion(
        row["kind"], row["commitment"], row["epoch"], row["index"], tuple(path), heads[0]["body"]
    )
