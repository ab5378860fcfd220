"""A record of a cargo report while its segments are still coming in."""

from typing import Any, NamedTuple

from isthmus.cargo.formats.cuscar_profile import Rule
from isthmus.cargo.formats.cuscar_values import FLAGS, read
from isthmus.cargo.formats.edifact import Malformed, Segment
from isthmus.cargo.model import Flag
from isthmus.kernel.errors import Invalid

LONGEST_LIST = 9_999  # the directories repeat no group of a consignment more often
LONGEST_TEXT = 10_000


class Fault(NamedTuple):
    """Why a part of the message cannot become a record, and where."""

    position: str
    reason: str  # code list quarantine_reasons
    message: str
    field: str | None = None
    value: str | None = None


def position(item: Segment | Malformed) -> str:
    """Say where a segment stands in its document."""
    return f"segment {item.ordinal}, byte {item.offset}"


def fault(item: Malformed) -> Fault:
    """Make a fault of what the syntax could not read."""
    return Fault(position(item), item.reason, item.message, value=item.value)


class Draft:
    """Fields filled so far, with the rank of the rule that filled each, and what went wrong."""

    __slots__ = ("contacts", "fault", "faults", "flags", "position", "ranks", "values")

    def __init__(self, opened: Segment) -> None:
        self.position = position(opened)
        self.values: dict[str, Any] = {}
        self.ranks: dict[str, int] = {}
        self.flags: dict[str, Flag] = {}
        self.fault: Fault | None = None  # the first; its siblings are counted
        self.faults = 0
        self.contacts: list[str] | None = None  # of the party named last, where we keep that party

    def get(self, name: str) -> Any:
        """Return a field's value, or None while nothing filled it."""
        return self.values.get(name)

    def blame(self, found: Fault) -> None:
        """Keep the first fault and count the others."""
        self.fault = self.fault or found
        self.faults += 1

    def take(self, segment: Segment, rules: tuple[Rule, ...]) -> None:
        """Read a segment by its rules into the fields they fill."""
        if segment.undeclared:
            self.flags.setdefault(
                "encoding_undeclared",
                Flag("encoding_undeclared", segment.tag, _outside(segment)),
            )
        for rule in rules:
            qualifier = segment.at(*rule.by) if rule.by else ""
            target = rule.targets.get(qualifier)
            if target is None or ((rule.only or rule.unless) and not _holds(segment, rule)):
                if rule.take == "party":
                    self.contacts = None
                continue
            rank = self.ranks.get(target.field)
            if rank is not None and not target.many and rank < target.rank:
                continue
            try:
                value = read(segment, rule, qualifier)
                if value is not None:
                    self._put(target.field, value, rule, target.many)
                    self.ranks[target.field] = target.rank
            except Invalid as error:
                self._fail(error, segment)

    def _put(self, name: str, value: Any, rule: Rule, many: bool) -> None:
        if many:
            held = self.values.setdefault(name, [])
            if name == "contacts":
                if self.contacts is None:
                    return
                held = self.contacts
            if len(held) >= LONGEST_LIST:
                raise Invalid("too_large", f"more than {LONGEST_LIST} in one group", field=name)
            if rule.take == "seal":
                held.extend(value)
            elif rule.take == "party":
                self.contacts = []
                held.append((value, self.contacts))
            else:
                held.append(value)
        elif rule.take == "lines" and name in self.values:
            if len(self.values[name]) + len(value) > LONGEST_TEXT:
                raise Invalid("too_large", f"longer than {LONGEST_TEXT} characters", field=name)
            self.values[name] += " " + value
        else:
            self.values[name] = value

    def _fail(self, error: Invalid, segment: Segment) -> None:
        field, value = error.where.get("field"), error.where.get("value")
        if error.code in FLAGS:
            self.flags.setdefault(error.code, Flag(error.code, str(field), str(value)))
            return
        self.blame(
            Fault(
                position(segment),
                error.code,
                f"{field}: {error.message}",
                field,
                None if value is None else str(value)[:70],
            )
        )


def _holds(segment: Segment, rule: Rule) -> bool:
    return all(segment.at(*path) in values for path, values in rule.only) and not any(
        segment.at(*path) in values for path, values in rule.unless
    )


def _outside(segment: Segment) -> str:
    """The first component that holds a character outside the declared character set."""
    for element in segment.elements:
        for component in (element,) if isinstance(element, str) else element:
            if not component.isascii():
                return component[:70]
    return segment.tag
