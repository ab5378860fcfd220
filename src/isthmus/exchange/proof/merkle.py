"""Merkle trees in the form of RFC 9162: hashes, inclusion and consistency proofs. Pure.

A leaf is hashed with a zero byte before it, a node with a one byte before its two children; a
tree of n leaves splits at the largest power of two below n. Verifying follows the RFC's own
steps (2.1.3.2 and 2.1.4.2).
"""

import hashlib
from collections.abc import Callable, Sequence

EMPTY = hashlib.sha256(b"").digest()

# Returns the hash of the complete subtree of 2**level leaves that is the index-th of its level.
Node = Callable[[int, int], bytes]


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node over its children."""
    return hashlib.sha256(b"\1" + left + right).digest()


def root(size: int, node: Node) -> bytes:
    """Return the root of a tree of this size from its complete subtrees."""
    return subtree(0, size, node) if size else EMPTY


def subtree(start: int, end: int, node: Node) -> bytes:
    """Return the hash over leaves ``start`` to ``end`` (exclusive), as the RFC splits them."""
    size = end - start
    if size & (size - 1) == 0 and start % size == 0:
        level = size.bit_length() - 1
        return node(level, start >> level)
    split = start + _split(size)
    return node_hash(subtree(start, split, node), subtree(split, end, node))


def _split(size: int) -> int:
    """The largest power of two below a size of two or more."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion(index: int, size: int, node: Node) -> list[bytes]:
    """Return the path that proves leaf ``index`` in a tree of this size (RFC 9162, 2.1.3.1)."""
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        split = start + _split(end - start)
        if index < split:
            path.append(subtree(split, end, node))
            end = split
        else:
            path.append(subtree(start, split, node))
            start = split
    return path[::-1]


def includes(leaf: bytes, index: int, size: int, path: Sequence[bytes], root_: bytes) -> bool:
    """Whether a path proves a leaf's hash at an index under a root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for one in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(one, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, one)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root_


def consistency(first: int, second: int, node: Node) -> list[bytes]:
    """Return the proof that a tree is the beginning of a larger one (RFC 9162, 2.1.4.1)."""
    if not 0 < first < second:
        return []
    path: list[bytes] = []
    start, end, whole, size = 0, second, True, first
    while True:
        if start + size == end:
            if not whole:
                path.append(subtree(start, end, node))
            return path[::-1]
        split = start + _split(end - start)
        if start + size <= split:
            path.append(subtree(split, end, node))
            end = split
        else:
            path.append(subtree(start, split, node))
            size -= split - start
            start, whole = split, False


def consistent(
    first: int, first_root: bytes, second: int, second_root: bytes, path: Sequence[bytes]
) -> bool:
    """Whether a proof shows the first tree to begin the second (RFC 9162, 2.1.4.2)."""
    if first == second:
        return first_root == second_root and not path
    if not 0 <= first < second:
        return False
    if first == 0:
        return first_root == EMPTY and not path
    steps = list(path)
    if first & (first - 1) == 0:
        steps.insert(0, first_root)
    if not steps:
        return False
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = steps[0]
    for one in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old, new = node_hash(one, old), node_hash(one, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, one)
        place, last = place >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root
