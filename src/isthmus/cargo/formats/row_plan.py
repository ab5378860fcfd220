"""A mapping and a header put together, once, into a plan by which every row becomes a record.

The plan is a small tree of closures after the records of the model: each knows which columns go
to which places of its record. A row is read without looking anything up by name.
"""

import dataclasses
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Union, get_args, get_origin, get_type_hints

from isthmus.cargo.codec import KINDS
from isthmus.cargo.formats.cell import (
    LONGEST_CODE,
    CellFault,
    Read,
    cell_reader,
    money_reader,
    remembering,
    text_reader,
    wanted,
)
from isthmus.cargo.formats.mapping import Column, Outcome, TableMapping
from isthmus.cargo.model import Flag, GoodsItem, OutcomeRow, Party, PartyRole, Record
from isthmus.kernel.errors import Invalid
from isthmus.kernel.money import Money

Row = Sequence[str]
Build = Callable[[Row], Any]

# The field that names a record, and the one that keeps what has no home.
_KEYS: Mapping[str, str] = {"declaration": "reference", "event": "event_id", "consignment": "bill"}
_EXTRAS: Mapping[str, str] = {"declaration": "extra", "event": "detail"}


@dataclass(frozen=True, slots=True)
class RowPlan:
    """How the rows under one header become records."""

    width: int  # how many fields a row has
    record: Callable[[Row], Record]
    outcomes: Callable[[Row], tuple[OutcomeRow, ...]]
    flags: Callable[[Row], tuple[Flag, ...]]
    _cells: tuple[tuple[str, int, Read], ...]

    def locate(self, row: Row, fault: CellFault) -> tuple[str | None, str | None, CellFault]:
        """The column and value at which a row failed, and the fault that stands there."""
        for name, place, read in self._cells:
            try:
                read(row[place])
            except CellFault as found:
                return name, row[place], found
        value = next((row[at] for name, at, _ in self._cells if name == fault.column), None)
        return fault.column, value, fault


@dataclass(slots=True)
class _Node:
    """One record in the making: where its parts come from."""

    kind: Any
    cells: list[tuple[str, int, Read, str]] = field(default_factory=list)  # field, place, column
    builds: list[tuple[str, Build, str]] = field(default_factory=list)  # from several columns
    constants: dict[str, Any] = field(default_factory=dict)
    parts: dict[str, "_Node"] = field(default_factory=dict)
    lists: dict[str, dict[str, "_Node"]] = field(default_factory=dict)

    def filled(self) -> dict[str, str]:
        """The fields that a row fills, with the column or part each comes from."""
        of_cells = {name: column for name, _, _, column in self.cells}
        of_builds = {name: column for name, _, column in self.builds}
        parts = {name: name for name in (*self.parts, *self.lists)}
        return {**of_cells, **of_builds, **parts}


class _Compiler:
    """Puts a mapping and a header together."""

    def __init__(self, mapping: TableMapping, header: Sequence[str], iso_dates: bool) -> None:
        self.mapping = mapping
        self.places = {name: place for place, name in enumerate(header)}
        self.iso_dates = iso_dates
        self.required = mapping.required | set(mapping.key)
        self.cells: list[tuple[str, int, Read]] = []

    def plan(self) -> RowPlan:
        mapping = self.mapping
        root = _Node(KINDS[mapping.record])
        for path, text in mapping.constants.items():
            self._constant(root, path, text)
        for column in mapping.columns:
            if column.name in self.places:
                self._column(root, column)
        key_field = _KEYS[mapping.record]
        if key_field in root.constants or key_field in root.filled():
            raise _wrong(f"{key_field} comes from the key and from elsewhere")
        self._key(root, key_field)
        if mapping.extra:
            root.builds.append((_EXTRAS[mapping.record], self._extras(), mapping.extra[0]))
        build = _build(root, mapping.record)
        outcomes = [self._outcome(one) for one in mapping.outcomes if one.column in self.places]
        return RowPlan(
            width=len(self.places),
            record=build,
            outcomes=_gathered(outcomes),
            flags=_gathered(self._flaggers()),
            _cells=tuple(self.cells),
        )

    def _cell(self, name: str, read: Read, must: bool = False) -> Read:
        """A reader of this column, known for telling where a row failed.

        It remembers, save for a key of one column: of that no value comes twice.
        """
        read = wanted(read) if must or name in self.required else read
        if self.mapping.key != (name,):
            read = remembering(read)
        self.cells.append((name, self.places[name], read))
        return read

    def _column(self, root: _Node, column: Column) -> None:
        node, name, kind = _find(root, column.field)
        must = _must(node.kind, name) and node is root
        if name in node.filled() or name in node.constants:
            raise _wrong(f"{column.field} is filled twice")
        place = self.places[column.name]
        if kind is Money and column.currency_column:
            money = money_reader(column, self.mapping.decimal_mark)
            amount = self._cell(column.name, lambda text: money(text, "XXX"), must)
            build = _from_two(place, amount, self._currency(column), money)
            node.builds.append((name, build, column.name))
        else:
            many = get_origin(kind) is tuple
            inner = _present(get_args(kind)[0]) if many else kind
            read = cell_reader(column, inner, self.mapping.decimal_mark, self.iso_dates)
            cell = self._cell(column.name, _single(read) if many else read, must)
            node.cells.append((name, place, cell, column.name))

    def _currency(self, column: Column) -> int:
        if column.currency_column not in self.places:
            raise _wrong(f"{column.name!r} needs the column {column.currency_column!r}")
        return self.places[column.currency_column]

    def _constant(self, root: _Node, path: str, text: str) -> None:
        node, name, kind = _find(root, path)
        column = Column(path, path, _constant_type(kind), codes=None)
        if kind is bool:
            column = dataclasses.replace(column, codes={"true": "true", "false": "false"})
        try:
            node.constants[name] = cell_reader(column, kind, ".", True)(text)
        except CellFault as fault:
            raise _wrong(f"the constant {path} {fault.message}") from None

    def _key(self, root: _Node, key_field: str) -> None:
        names = self.mapping.key
        reads = [self._cell(name, text_reader(LONGEST_CODE), must=True) for name in names]
        places = [self.places[name] for name in names]
        if len(names) == 1:
            root.cells.append((key_field, places[0], reads[0], names[0]))
            return
        pairs = tuple(zip(places, reads, strict=True))
        root.builds.append(
            (key_field, lambda row: "/".join([read(row[place]) for place, read in pairs]), names[0])
        )

    def _extras(self) -> Build:
        pairs = []
        for name in self.mapping.extra:
            if name in self.places:
                read = self._cell(name, _named(name, text_reader()))
                pairs.append((self.places[name], read))

        def build(row: Row) -> tuple[tuple[str, str], ...]:
            return tuple([pair for place, read in pairs if (pair := read(row[place])) is not None])

        return build

    def _outcome(self, outcome: Outcome) -> Build:
        meanings = dict.fromkeys(outcome.positive, True) | dict.fromkeys(outcome.negative, False)
        trimmed = text_reader(LONGEST_CODE)

        def label(text: str) -> bool | None:
            code = trimmed(text)
            if code is None:
                return None
            if code not in meanings:
                raise CellFault("code_unknown", f"is none of {', '.join(sorted(meanings))}")
            return meanings[code]

        read, place = self._cell(outcome.column, label), self.places[outcome.column]
        beside = outcome.detail_column
        detail = self.places[beside] if beside is not None and beside in self.places else None
        details = outcome.details
        # Few label rows exist, and every row of the table has one: they are made once.
        made = {
            (positive, word): OutcomeRow(outcome.objective, positive, word)
            for positive in (True, False)
            for word in (None, *details.values())
        }

        def build(row: Row) -> OutcomeRow | None:
            positive = read(row[place])
            if positive is None:
                return None
            word = None if detail is None else details.get(row[detail].strip())
            return made[positive, word]

        return build

    def _flaggers(self) -> list[Build]:
        return [
            _flagger(column.name, self.places[column.name], column.codes)
            for column in self.mapping.columns
            if column.codes and column.unknown == "flag" and column.name in self.places
        ]


def compile_plan(mapping: TableMapping, header: Sequence[str], iso_dates: bool = False) -> RowPlan:
    """The plan for rows under this header, which the mapping must fit.

    Raises Invalid when the mapping fills a field that the record does not have, fills one with
    another type of value, or leaves one unfilled that the record must have.
    """
    return _Compiler(mapping, header, iso_dates).plan()


def _find(node: _Node, path: str) -> tuple[_Node, str, Any]:
    """The part of the record that a path names, the field in it, and that field's type."""
    *steps, name = path.split(".")
    while steps:
        step = steps.pop(0)
        kind = _field_kind(node.kind, step, path)
        inner = _present(get_args(kind)[0]) if get_origin(kind) is tuple else kind
        if not dataclasses.is_dataclass(inner) or inner is Money:
            raise _wrong(f"{path}: {step} has no parts")
        if inner is Party:
            role = steps.pop(0) if steps else name
            if role not in set(PartyRole):
                raise _wrong(f"{path}: {role} is no role of a party")
            party = _Node(Party, constants={"role": PartyRole(role)})
            node = node.lists.setdefault(step, {}).setdefault(role, party)
        elif inner is kind:
            node = node.parts.setdefault(step, _Node(inner))
        else:
            # One row is one line of goods, and its number is 1 unless a column says otherwise.
            first = {"number": 1} if inner is GoodsItem else {}
            node = node.lists.setdefault(step, {}).setdefault("", _Node(inner, constants=first))
    kind = _field_kind(node.kind, name, path)
    if node.kind is GoodsItem and name == "number":
        node.constants.pop("number", None)
    return node, name, kind


def _field_kind(kind: Any, name: str, path: str) -> Any:
    hints = get_type_hints(kind)
    if name not in hints:
        raise _wrong(f"{path}: a {kind.__name__} has no field {name}")
    return _present(hints[name])


def _present(hint: Any) -> Any:
    if get_origin(hint) in (types.UnionType, Union):
        (hint,) = (part for part in get_args(hint) if part is not types.NoneType)
    return hint


def _must(kind: Any, name: str) -> bool:
    missing = dataclasses.MISSING
    return any(
        part.name == name and part.default is missing and part.default_factory is missing
        for part in dataclasses.fields(kind)
    )


def _build(node: _Node, path: str, is_root: bool = True) -> Build:
    """The maker of one record; of a part, it gives None when all its columns are empty."""
    kind, fields = node.kind, dataclasses.fields(node.kind)
    order = {part.name: place for place, part in enumerate(fields)}
    template = [node.constants.get(part.name, part.default) for part in fields]
    filled = node.filled()
    for part in fields:
        if part.name not in filled and template[order[part.name]] is dataclasses.MISSING:
            raise _wrong(f"{path}.{part.name} must be filled by a column or a constant")
    if not is_root and len(filled) == len(node.cells) == 1:
        return _remembered_part(node, template, order)
    cells = tuple((order[name], at, read) for name, at, read, _ in node.cells)
    builds = [(order[name], build) for name, build, _ in node.builds]
    builds += [
        (order[name], _build(part, f"{path}.{name}", False)) for name, part in node.parts.items()
    ]
    builds += [
        (order[name], _several([_build(part, f"{path}.{name}", False) for part in many.values()]))
        for name, many in node.lists.items()
    ]
    needed = [(order[name], column) for name, column in filled.items() if _must(kind, name)]

    def build(row: Row) -> Any:
        values = template.copy()
        told = is_root or not filled
        for place, at, read in cells:
            value = read(row[at])
            if value is not None:
                values[place] = value
                told = True
        for place, make in builds:
            value = make(row)
            if value is not None:
                values[place] = value
                told = True
        if not told:
            return None
        for place, column in needed:
            if values[place] is dataclasses.MISSING:
                raise CellFault("value_missing", "must hold a value and is empty", column)
        return kind(*values)

    return build


def _remembered_part(node: _Node, template: list[Any], order: Mapping[str, int]) -> Build:
    """A part made of one column, such as a party with its number, is made once and kept."""
    ((name, at, read, _),) = node.cells

    def make(text: str) -> Any:
        value = read(text)
        if value is None:
            return None
        values = template.copy()
        values[order[name]] = value
        return node.kind(*values)

    made = remembering(make)
    return lambda row: made(row[at])


def _several(makes: list[Build]) -> Build:
    """The parts of a list that are there; None when there are none."""
    if len(makes) == 1:
        (only,) = makes
        return lambda row: None if (one := only(row)) is None else (one,)
    return lambda row: tuple([one for make in makes if (one := make(row)) is not None]) or None


def _from_two(
    place: int, amount: Read, beside: int, money: Callable[[str, str], Money | None]
) -> Build:
    def build(row: Row) -> Money | None:
        return None if amount(row[place]) is None else money(row[place], row[beside])

    return build


def _single(read: Read) -> Read:
    def single(text: str) -> tuple[Any, ...] | None:
        value = read(text)
        return None if value is None else (value,)

    return single


def _named(name: str, read: Read) -> Read:
    def pair(text: str) -> tuple[str, str] | None:
        value = read(text)
        return None if value is None else (name, value)

    return pair


def _flagger(name: str, place: int, codes: Mapping[str, str]) -> Build:
    def flag(row: Row) -> Flag | None:
        code = row[place]
        if code in codes or not (code := code.strip()) or code in codes:
            return None
        return Flag("code_unknown", name, code)

    return flag


def _gathered(builds: list[Build]) -> Callable[[Row], tuple[Any, ...]]:
    if not builds:
        return lambda _row: ()
    if len(builds) == 1:
        (only,) = builds
        return lambda row: () if (one := only(row)) is None else (one,)
    return lambda row: tuple([one for build in builds if (one := build(row)) is not None])


def _constant_type(kind: Any) -> str:
    if kind is bool:
        return "boolean"
    if kind is int:
        return "integer"
    return "text" if kind is str else "code"


def _wrong(message: str) -> Invalid:
    return Invalid("mapping_missing", f"The mapping is wrong: {message}")
