"""The composer as it is laid out: a row a field, a column a partner, a cell what goes and why."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from babel.core import Locale, UnknownLocaleError

from isthmus.agreements import explain
from isthmus.agreements.model import Mode, Released, Withheld
from isthmus.exchange.holders import Posted
from isthmus.exchange.model import Partner
from isthmus.flow.share import Line, View
from isthmus.flow.sharing.handover import Looked
from isthmus.flow.sharing.shareable import CONSENT
from isthmus.intelligence import schema
from isthmus.intelligence.model import Item, nested
from isthmus.intelligence.render import Rendered, label, line, render
from isthmus.reference.codelist import LOCALES, code_list
from isthmus.web.compose_asked import CONDITIONS, MODES, PURPOSES, Asked
from isthmus.web.i18n import Reader


@dataclass(frozen=True, slots=True)
class Row:
    """A field of the item in the reader's words."""

    path: str
    label: str
    value: str | None  # null where it is about persons and was not opened
    personal: bool
    language: str | None = None
    language_name: str | None = None


@dataclass(frozen=True, slots=True)
class Remedy:
    """A setting that would let more pass: the name of the field of the form, its code and words."""

    name: str
    code: str
    words: str


@dataclass(frozen=True, slots=True)
class Cell:
    """What one partner gets of one field."""

    row: Row
    goes: bool
    kept: bool  # might go and is kept back
    closed: bool  # might go, is about persons, and nobody opened it
    clause: str | None  # by which it goes, or the nearest that would allow it
    reason: str
    change: str  # new, changed, same, gone; empty: it never went
    remedies: tuple[Remedy, ...] = ()
    wants_consent: bool = False  # of the originator, for this one onward share

    @property
    def leaves(self) -> bool:
        """Whether it goes as things stand."""
        return self.goes and not self.kept and not self.closed


@dataclass(frozen=True, slots=True)
class Lack:
    """A reason for which fields stay, and how many."""

    reason: str
    fields: int
    remedies: tuple[Remedy, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """What one partner would get, and how it would be sent."""

    partner: Partner
    cells: tuple[Cell, ...]
    duties: tuple[str, ...]
    clauses: tuple[str, ...]
    last_version: int | None
    lacks: tuple[Lack, ...]  # the one that concerns most fields first
    preview: Rendered | None
    locale: str
    language: str  # its name, in the reader's language
    post: tuple[Posted, ...]
    act: str  # the query of the address to send to: the look that is acted on

    @property
    def code(self) -> str:
        """The partner's code."""
        return self.partner.code

    @property
    def going(self) -> int:
        """How many fields leave as things stand."""
        return sum(one.leaves for one in self.cells)

    @property
    def staying(self) -> int:
        """How many fields no clause lets pass."""
        return sum(not one.goes for one in self.cells)

    @property
    def held_back(self) -> int:
        """How many fields the sender keeps back."""
        return sum(one.goes and one.kept for one in self.cells)

    @property
    def unopened(self) -> int:
        """How many fields about persons might go once somebody opened them."""
        return sum(one.closed for one in self.cells)

    @property
    def nothing(self) -> bool:
        """Whether no clause lets anything pass."""
        return self.staying == len(self.cells)

    @property
    def wants_consent(self) -> bool:
        """Whether the originator's consent would let more pass."""
        return any(one.wants_consent for one in self.cells)

    @property
    def named(self) -> tuple[str, ...]:
        """The clauses that the cells name, those by which something goes first."""
        goes = [one.clause for one in self.cells if one.goes]
        stays = [one.clause for one in self.cells if not one.goes]
        return tuple(dict.fromkeys(one for one in (*goes, *stays) if one))

    @property
    def remedies(self) -> tuple[Remedy, ...]:
        """What the person may set so that more goes, each once."""
        return tuple(dict.fromkeys(one for lack in self.lacks for one in lack.remedies))

    @property
    def persons(self) -> int:
        """How many fields about persons leave."""
        return sum(one.leaves and one.row.personal for one in self.cells)

    @property
    def changes(self) -> Mapping[str, int]:
        """How many fields are new, changed, the same or gone against what the partner has."""
        told = [one for one in self.cells if one.leaves or one.change == "gone"]
        return Counter(one.change for one in told if one.change)


def rows_of(looked: Looked, reader: Reader) -> list[Row]:
    """Return the fields of an item in the order of its schema."""
    locale = reader.locale
    shown = looked.item if looked.opened else without_persons(looked.item)
    personal = set(schema.personal_paths(looked.item))
    found = []
    for path, value in in_order(looked.item).items():
        if path in personal and not looked.opened:
            found.append(Row(path, label(looked.item.kind, path, locale), None, personal=True))
            continue
        said = line(shown, path, value, locale)
        words = moment_at(shown, path, value, reader) or said.value
        found.append(
            Row(path, said.label, words, path in personal, said.language, said.language_name)
        )
    return found


def moment_at(item: Item, path: str, value: Any, reader: Reader) -> str | None:
    """Return a moment as the pages write it, in the node's zone; nothing for another value."""
    field = schema.field_at(item, path)
    if field is None or field.form != "moment" or not isinstance(value, str):
        return None
    return reader.moment(datetime.fromisoformat(value))


def in_order(item: Item) -> dict[str, Any]:
    """Return the paths of an item as its schema orders them, the objects of a list together."""
    order = {name: place for place, name in enumerate(schema.fields(item.kind))}

    def place(path: str) -> tuple[int, int, int]:
        name, _, rest = path.partition(".")
        number = rest.partition(".")[0]
        own = order.get(schema.field_name(path), 0)
        return order.get(name, len(order)), int(number or 0), own

    return dict(sorted(item.paths().items(), key=lambda entry: place(entry[0])))


def without_persons(item: Item) -> Item:
    """Return an item without what is about persons."""
    hidden = set(schema.personal_paths(item))
    kept = {path: value for path, value in item.paths().items() if path not in hidden}
    return replace(item, body=nested(kept))


def column(
    looked: Looked,
    view: View,
    partner: Partner,
    asked: Asked,
    rows: Sequence[Row],
    post: Sequence[Posted],
    locale: str,
) -> Column:
    """Return what one partner would get, in the reader's words."""
    lines = {one.path: one for one in view.lines}
    kept = asked.kept_from(partner.code)
    cells = tuple(_cell(row, lines[row.path], kept, looked, locale) for row in rows)
    there = asked.read or language_at(partner.country, locale)
    going = [one.row.path for one in cells if one.leaves]
    cited = {one.clause for one in cells if one.leaves and one.clause}
    own = [one for one in post if one.partner == partner.code and one.direction == "out"]
    pairs = [("look", looked.token(view))]
    pairs += [("shown_kept", one.row.path) for one in cells if one.goes and one.kept]
    return Column(
        partner,
        cells,
        explain.explain(view.decision, locale).duties,
        tuple(sorted(cited)),
        view.last_version,
        _lacks(cells),
        _preview(looked.item, going, there) if going else None,
        there,
        language_name(there, locale),
        tuple(own),
        urlencode(pairs),
    )


def _cell(row: Row, held: Line, kept: frozenset[str], looked: Looked, locale: str) -> Cell:
    answer = held.answer
    words = explain.reason(answer, locale)
    if isinstance(answer, Released):
        closed = row.personal and not looked.opened
        back = row.path in kept
        return Cell(row, True, back, closed, answer.citation, words, held.change)
    remedies = _remedies(answer, looked, locale)
    wants = answer.code == CONSENT
    return Cell(row, False, False, False, answer.clause, words, held.change, remedies, wants)


def _remedies(answer: Withheld, looked: Looked, locale: str) -> tuple[Remedy, ...]:
    """What the person may set that would let the path pass, as far as the reason names it."""
    needed = answer.detail.get("needed", "").split()
    if answer.code == "prohibited":
        needed = answer.detail.get("unless", "").split()
        wanted, name, codes = "share_conditions", "conditions", set(CONDITIONS)
    elif answer.code == "condition_missing":
        wanted, name, codes = "share_conditions", "conditions", set(CONDITIONS)
    elif answer.code == "purpose_not_allowed":
        wanted, name, codes = "purposes", "purpose", {one.value for one in PURPOSES}
    elif answer.code == "mode_not_allowed":
        wanted, name, codes = "share_modes", "mode", {one.value for one in MODES}
    else:
        return ()
    said = code_list(wanted)
    codes -= {one.value for one in (looked.said.mode, Mode.AUTOMATIC)} | looked.said.conditions
    return tuple(Remedy(name, code, said.label(code, locale)) for code in needed if code in codes)


def _lacks(cells: Sequence[Cell]) -> tuple[Lack, ...]:
    counts = Counter((one.reason, one.remedies) for one in cells if not one.goes)
    return tuple(
        Lack(reason, number, remedies) for (reason, remedies), number in counts.most_common()
    )


def _preview(item: Item, going: Sequence[str], locale: str) -> Rendered:
    """What the partner will read: the paths that leave and the marking, and nothing else."""
    values = item.paths()
    order = {path: place for place, path in enumerate(in_order(item))}
    told = render(replace(item, body=nested({path: values[path] for path in going})), locale)
    return replace(told, lines=tuple(sorted(told.lines, key=lambda one: order.get(one.path, 0))))


def language_at(country: str, otherwise: str) -> str:
    """Return the one of the five languages that is most spoken in a country."""
    try:
        found = Locale.parse(f"und_{country}").language
    except (UnknownLocaleError, ValueError):
        return otherwise
    return found if found in LOCALES else "en"


def language_name(locale: str, reader: str) -> str:
    """Return the name of a language in the reader's."""
    return str(Locale.parse(reader).languages.get(locale, locale))
