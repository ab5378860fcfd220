"""Mapping files: what the columns of a table mean, said once, in YAML, for people to read.

The form is published as ``schemas/mapping.schema.json``. Mappings that come with the product lie
in ``mappings/``; an authority may name a file of its own. Every value in the file is text, so a
code such as ``01`` or ``NO`` is what it looks like.
"""

import json
import re
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from isthmus.cargo.formats.shape import schema
from isthmus.kernel.errors import Invalid

SCHEMA = "mapping.schema.json"
LARGEST_FILE = 256 * 1024  # bytes

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class Column:
    """What one column is; the terms are those of the published schema."""

    name: str
    field: str
    type: str = "text"
    format: str | None = None
    zone: str = "UTC"
    codes: Mapping[str, str] | None = None
    unknown: str = "refuse"
    currency: str | None = None
    currency_column: str | None = None
    unit: str | None = None
    minimum: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A column that is a label of one objective."""

    objective: str
    column: str
    positive: tuple[str, ...]
    negative: tuple[str, ...]
    detail_column: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TableMapping:
    """How the rows of one kind of table become records."""

    name: str
    title: str
    record: str  # declaration, event, consignment
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    delimiter: str = ","
    encoding: str = "utf-8"
    decimal_mark: str = "."
    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    constants: Mapping[str, str] = field(default_factory=dict)
    extra: tuple[str, ...] = ()
    ignored: frozenset[str] = frozenset()
    outcomes: tuple[Outcome, ...] = ()

    def headings(self) -> frozenset[str]:
        """Every column that the mapping names."""
        named = {*self.key, *self.extra, *self.ignored, *self.required, *self.optional}
        for column in self.columns:
            named.add(column.name)
            named.update([column.currency_column] if column.currency_column else [])
        for outcome in self.outcomes:
            named.add(outcome.column)
            named.update([outcome.detail_column] if outcome.detail_column else [])
        return frozenset(named)

    def differs(self, header: Iterable[str]) -> tuple[list[str], list[str]]:
        """The columns that a header lacks, and those of it that the mapping does not know."""
        present, named = set(header), self.headings()
        return sorted(named - self.optional - present), sorted(present - named)


class _TextLoader(yaml.BaseLoader):
    """Reads every scalar as text and refuses a key that stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key, _ in node.value:
            name = self.construct_object(key, deep=True)
            if not isinstance(name, str) or name in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {name!r} stands twice or is no text",
                    problem_mark=key.start_mark,
                )
            seen.add(name)
        return super().construct_mapping(node, deep)


def parse_mapping(text: str, origin: str) -> TableMapping:
    """The mapping that a YAML text says.

    Raises Invalid with the place in the file of everything that is wrong with it.
    """
    try:
        value = yaml.load(text, _TextLoader)  # noqa: S506  (makes text, lists and mappings only)
    except yaml.YAMLError as fault:
        raise Invalid("mapping_missing", f"The mapping is no YAML: {fault}", file=origin) from None
    validator = jsonschema.Draft202012Validator(schema(SCHEMA))
    errors = sorted(validator.iter_errors(value), key=lambda error: list(map(str, error.path)))
    if errors:
        words = "; ".join(f"{error.json_path} {error.message}"[:300] for error in errors[:5])
        raise Invalid("mapping_missing", f"The mapping is wrong: {words}", file=origin)
    mapping = _mapping(json.loads(json.dumps(value)))
    _check_names(mapping, origin)
    return mapping


def load_mapping(named: str) -> TableMapping:
    """The mapping of this name among those shipped, else the file at this path.

    Names of shipped mappings have no dot and no slash. A path is for whoever runs the node: what
    comes from outside may name a shipped mapping only. Raises Invalid when there is none, or when
    it is wrong.
    """
    if _NAME.fullmatch(named):
        found = shipped_mappings().get(named)
        if found is None:
            known = ", ".join(shipped_mappings())
            message = f"No mapping {named!r} is shipped; there are: {known}"
            raise Invalid("mapping_missing", message, mapping=named)
        return found
    path = Path(named)
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError, ValueError) as fault:
        message = f"The mapping file cannot be read: {fault}"
        raise Invalid("mapping_missing", message, file=named) from None
    if len(content) > LARGEST_FILE:
        message = f"The mapping file is larger than {LARGEST_FILE} bytes"
        raise Invalid("mapping_missing", message, file=named)
    return parse_mapping(text, named)


@cache
def shipped_mappings() -> Mapping[str, TableMapping]:
    """The mappings that come with the product, by name."""
    folder = files(__package__).joinpath("mappings")
    texts = {
        entry.name: entry.read_text(encoding="utf-8")
        for entry in folder.iterdir()
        if entry.name.endswith(".yaml")
    }
    parsed = [parse_mapping(texts[name], name) for name in sorted(texts)]
    return {mapping.name: mapping for mapping in parsed}


def mapping_for(header: Iterable[str]) -> TableMapping | None:
    """The shipped mapping whose columns are exactly these, in whatever order."""
    names = list(header)
    return next(
        (one for one in shipped_mappings().values() if one.differs(names) == ([], [])), None
    )


def nearest_mapping(header: Iterable[str]) -> TableMapping | None:
    """The shipped mapping that shares most columns with this header; None when none shares any."""
    present = set(header)

    def likeness(mapping: TableMapping) -> float:
        named = mapping.headings()
        return len(named & present) / len(named | present)

    best = max(shipped_mappings().values(), key=likeness, default=None)
    return best if best is not None and likeness(best) > 0 else None


def _mapping(value: dict[str, Any]) -> TableMapping:
    return TableMapping(
        name=value["name"],
        title=value["title"],
        record=value["record"],
        key=tuple(value["key"]),
        columns=tuple(Column(name, **column) for name, column in value["columns"].items()),
        delimiter=value.get("delimiter", ","),
        encoding=value.get("encoding", "utf-8"),
        decimal_mark=value.get("decimal_mark", "."),
        required=frozenset(value.get("required", ())),
        optional=frozenset(value.get("optional", ())),
        constants=value.get("constants", {}),
        extra=tuple(value.get("extra", ())),
        ignored=frozenset(value.get("ignored", ())),
        outcomes=tuple(
            Outcome(
                **{
                    **outcome,
                    "positive": tuple(outcome["positive"]),
                    "negative": tuple(outcome["negative"]),
                }
            )
            for outcome in value.get("outcomes", ())
        ),
    )


def _check_names(mapping: TableMapping, origin: str) -> None:
    """What the schema cannot say: columns named in one part must be known in another."""
    described = {column.name for column in mapping.columns} | set(mapping.key)
    described |= {outcome.column for outcome in mapping.outcomes}
    described |= {outcome.detail_column for outcome in mapping.outcomes if outcome.detail_column}
    described |= {one.currency_column for one in mapping.columns if one.currency_column}
    described |= set(mapping.extra)
    problems = [
        f"{part} names the column {name!r}, which nothing describes"
        for part, names in (("required", mapping.required), ("optional", mapping.optional))
        for name in sorted(names - described - mapping.ignored)
    ]
    problems += [
        f"the column {name!r} is required and optional"
        for name in sorted((mapping.required | set(mapping.key)) & mapping.optional)
    ]
    problems += [
        f"the column {name!r} is read and ignored" for name in sorted(described & mapping.ignored)
    ]
    problems += [
        f"the outcome {outcome.column!r} says {value!r} is positive and negative"
        for outcome in mapping.outcomes
        for value in sorted(set(outcome.positive) & set(outcome.negative))
    ]
    if mapping.extra and mapping.record == "consignment":
        problems.append("a consignment keeps no extra columns")
    if problems:
        raise Invalid(
            "mapping_missing", f"The mapping is wrong: {'; '.join(problems)}", file=origin
        )
