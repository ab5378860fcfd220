"""Isthmus: the node of an authority that guards a trade route together with its partners."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("isthmus")
except PackageNotFoundError:  # running from a source tree that was never installed
    __version__ = "0+source"
