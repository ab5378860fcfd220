"""Inclusion and consistency for every tree up to a size, against a naive tree of the RFC's text."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.exchange.proof import merkle


def naive(leaves):
    """MTH of RFC 9162, 2.1.1, as it is written."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\1" + naive(leaves[:split]) + naive(leaves[split:])).digest()


def reader(leaves):
    def read(level, index):
        width = 1 << level
        part = leaves[index * width : (index + 1) * width]
        assert len(part) == width
        return naive(part)

    return read


LEAVES = [str(number).encode() for number in range(40)]


@pytest.mark.parametrize("size", range(34))
def test_root_and_every_inclusion(size):
    root = merkle.root(size, reader(LEAVES[:size]))
    assert root == naive(LEAVES[:size])
    for index in range(size):
        path = merkle.inclusion(index, size, reader(LEAVES[:size]))
        leaf = merkle.leaf_hash(LEAVES[index])
        assert merkle.includes(leaf, index, size, path, root)
        assert not merkle.includes(leaf, (index + 1) % size, size, path, root) or size == 1
        assert not merkle.includes(merkle.leaf_hash(b"other"), index, size, path, root)


@pytest.mark.parametrize("second", range(1, 34))
def test_every_consistency(second):
    new = naive(LEAVES[:second])
    for first in range(1, second + 1):
        old = naive(LEAVES[:first])
        path = merkle.consistency(first, second, reader(LEAVES[:second]))
        assert merkle.consistent(first, old, second, new, path)
        forged = naive([*LEAVES[: first - 1], b"other"])
        assert not merkle.consistent(first, forged, second, new, path)


@given(st.integers(1, 39), st.integers(1, 39), st.integers(0, 7), st.integers(0, 255))
def test_a_flipped_bit_of_a_path_proves_nothing(first, second, step, bit):
    first, second = min(first, second), max(first, second)
    path = merkle.consistency(first, second, reader(LEAVES[:second]))
    if not path:
        return
    step %= len(path)
    path[step] = bytes(
        byte ^ (1 << bit % 8) if place == bit // 8 else byte
        for place, byte in enumerate(path[step])
    )
    assert not merkle.consistent(first, naive(LEAVES[:first]), second, naive(LEAVES[:second]), path)
