"""What a correction does to an item, whole or in part: pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from isthmus.intelligence.model import Item, nested


def changed(item: Item, changes: Sequence[Mapping[str, Any]], *, part: bool = False) -> Item:
    """Return an item with corrected paths; one without a value is taken away.

    Of a part only what it has is changed: a correction brings no path that was not released.
    """
    paths = item.paths()
    for change in changes:
        path = change.get("path")
        if path is None or (part and path not in paths):
            continue
        if "value" in change:
            paths[path] = change["value"]
        else:
            paths.pop(path, None)
    return replace(item, body=nested(paths))
