"""An item as plain values, for the stored document and for whoever reads it as JSON."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from isthmus.intelligence.model import (
    Classification,
    Evaluation,
    Handling,
    Item,
    ItemKind,
    Marking,
    Scale,
    Tlp,
)
from isthmus.kernel.time import isoformat


def to_plain(item: Item) -> dict[str, Any]:
    """Return an item as plain JSON values."""
    mark = item.marking
    held = mark.evaluation
    return {
        "id": item.id,
        "kind": item.kind.value,
        "version": item.version,
        "originator": item.originator,
        "made_at": isoformat(item.made_at),
        "marking": {
            "evaluation": None
            if held is None
            else {
                "scale": held.scale.value,
                "source": held.source,
                "information": held.information,
            },
            "handling": sorted(code.value for code in mark.handling),
            "handling_note": mark.handling_note,
            "classification": mark.classification.value,
            "tlp": mark.tlp.value,
        },
        "body": dict(item.body),
    }


def from_plain(plain: Mapping[str, Any]) -> Item:
    """Return the item again."""
    mark = plain["marking"]
    held = mark["evaluation"]
    return Item(
        id=plain["id"],
        kind=ItemKind(plain["kind"]),
        version=plain["version"],
        originator=plain["originator"],
        made_at=datetime.fromisoformat(plain["made_at"]),
        marking=Marking(
            evaluation=None
            if held is None
            else Evaluation(Scale(held["scale"]), held["source"], held["information"]),
            handling=frozenset(Handling(code) for code in mark["handling"]),
            classification=Classification(mark["classification"]),
            tlp=Tlp(mark["tlp"]),
            handling_note=mark["handling_note"],
        ),
        body=plain["body"],
    )
