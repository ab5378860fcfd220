"""What a leak detector has to say: a finding, in figures and in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "memorisation", "overlap", "label_pure", "time_travel", "identity", "order", "id", "drift"
]
Severity = Literal["leak", "notice"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One way in which a set gives its label away; a notice is worth knowing and convicts not."""

    kind: Kind
    severity: Severity
    fields: tuple[str, ...]
    figures: Mapping[str, float]
    words: str
