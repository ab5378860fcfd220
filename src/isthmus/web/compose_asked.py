"""What was asked of the composer: the settings of the look, as they stand in address or form."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar
from urllib.parse import urlencode

from isthmus.access.model import Purpose
from isthmus.agreements.model import Mode
from isthmus.exchange import consents
from isthmus.exchange.model import Lane
from isthmus.flow.share import Said
from isthmus.flow.sharing.shareable import TERMS
from isthmus.reference.codelist import LOCALES, code_list

E = TypeVar("E", bound=StrEnum)
CONSENT_MAX = 20_000  # characters; one of 500 paths is shorter
MODES = (Mode.SPONTANEOUS, Mode.ON_REQUEST)
# Purposes for which nothing is shared with a partner are not offered.
PURPOSES = (
    Purpose.TARGETING,
    Purpose.INSPECTION,
    Purpose.JUDICIAL,
    Purpose.LICENSING,
    Purpose.EXERCISE,
)
# What the originator's terms show counts as met by them, never by a person's word.
CONDITIONS = tuple(code for code in code_list("share_conditions").codes() if code != TERMS)
USES = code_list("intended_uses").codes()


@dataclass(frozen=True, slots=True)
class Asked:
    """Purpose, mode, conditions, uses, lane; what is kept back from whom; how previews are read."""

    purpose: Purpose = Purpose.TARGETING
    mode: Mode = Mode.SPONTANEOUS
    conditions: frozenset[str] = frozenset()
    uses: frozenset[str] = frozenset()
    lane: Lane = Lane.ROUTINE
    read: str = ""  # language of the previews; empty: each partner's own
    kept: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    consent: str = ""  # the originator's signed consent, as it was handed over

    @staticmethod
    def of(many: Callable[[str], Iterable[str]]) -> "Asked":
        """Read the settings; whatever is none of ours is left out.

        Of a setting that comes twice the last one counts: the button that was pressed for it
        stands behind the choice it overrules.
        """
        kept: dict[str, set[str]] = {}
        for one in many("keep"):
            partner, _, path = one.partition(" ")
            if path:
                kept.setdefault(partner, set()).add(path)
        read = _last(many("read"))
        return Asked(
            _one(many("purpose"), PURPOSES, Purpose.TARGETING),
            _one(many("mode"), MODES, Mode.SPONTANEOUS),
            frozenset(many("conditions")) & frozenset(CONDITIONS),
            frozenset(many("uses")) & frozenset(USES),
            _one(many("lane"), tuple(Lane), Lane.ROUTINE),
            read if read in LOCALES else "",
            MappingProxyType({one: frozenset(paths) for one, paths in kept.items()}),
            _last(many("consent")).strip()[:CONSENT_MAX],
        )

    @property
    def said(self) -> Said:
        """The settings as they are decided over."""
        return Said(self.purpose, self.conditions, self.uses, self.mode)

    @property
    def consents(self) -> tuple[bytes, ...]:
        """The originator's consent; raises ``Invalid`` for what is none."""
        return (consents.taken(self.consent),) if self.consent else ()

    def kept_from(self, partner: str) -> frozenset[str]:
        """The paths kept back from a partner."""
        return self.kept.get(partner, frozenset())

    @property
    def query(self) -> str:
        """The settings as the query of an address."""
        pairs = [("purpose", self.purpose.value), ("mode", self.mode.value)]
        pairs += [("conditions", one) for one in sorted(self.conditions)]
        pairs += [("uses", one) for one in sorted(self.uses)]
        pairs.append(("lane", self.lane.value))
        if self.read:
            pairs.append(("read", self.read))
        if self.consent:
            pairs.append(("consent", self.consent))
        for partner, paths in sorted(self.kept.items()):
            pairs += [("keep", f"{partner} {path}") for path in sorted(paths)]
        return urlencode(pairs)


def _one(given: Iterable[str], choices: tuple[E, ...], otherwise: E) -> E:
    wanted = _last(given)
    return next((one for one in choices if one.value == wanted), otherwise)


def _last(given: Iterable[str]) -> str:
    return next(reversed(list(given)), "")
