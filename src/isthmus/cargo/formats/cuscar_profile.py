"""What the segments of a CUSCAR message mean in one UN/EDIFACT directory: profiles are data.

A profile is a YAML file in ``profiles/``; its own head says how to read it. Here it becomes typed
tables that ``cuscar_message`` looks up per segment, and that ``cuscar_writer`` reads backwards.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal, cast, get_args

import yaml

from isthmus.cargo.model import Regime
from isthmus.kernel.errors import Invalid, NotFound

Path = tuple[int, int]
"""Data element and component in a segment, both counted from 0."""

Take = Literal[
    "text",
    "code",
    "lines",
    "moment",
    "mass",
    "count",
    "container",
    "seal",
    "party",
    "packages",
    "money",
    "temperature",
    "temperature_range",
    "hs",
    "imo",
]
"""How a value is read; ``cuscar_values`` says what each means."""

_MANY = frozenset({"seals", "parties", "packages", "containers", "contacts"})


@dataclass(frozen=True, slots=True)
class Target:
    """A field that a rule fills; among rules that fill one field the lowest rank wins."""

    field: str
    rank: int
    many: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that a segment says."""

    take: Take
    at: Path
    parts: Mapping[str, Path]
    by: Path | None
    targets: Mapping[str, Target]  # by qualifier; the key "" is the only one where by is None
    only: tuple[tuple[Path, frozenset[str]], ...]
    unless: tuple[tuple[Path, frozenset[str]], ...]
    codes: Mapping[str, Any] | None
    strict: bool


@dataclass(frozen=True, slots=True)
class Step:
    """What a segment does in a scope: into which scope it leads, and by which rules it is read."""

    scope: str
    opens: bool
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class RegimeRule:
    """A regime and the places that decide it, beside the country of the port reported to."""

    when: Mapping[str, bool]  # place without its prefix → True for here, False for abroad
    regime: Regime


@dataclass(frozen=True, slots=True)
class Profile:
    """One directory of CUSCAR, ready to read by and to write by."""

    code: str
    directory: tuple[str, str, str]
    versions: frozenset[str]
    containers: frozenset[str]
    number_is_master: bool
    codes: Mapping[str, Mapping[str, Any]]
    writes: Mapping[str, str]
    widths: Mapping[str, int]
    regimes: tuple[RegimeRule, ...]
    steps: Mapping[str, Mapping[str, Step]] = field(repr=False)  # scope → tag → step
    _said: dict[tuple[str, ...], Any] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )  # what a writer asked for before: it asks the same of every line

    def qualifier(self, scope: str, tag: str, name: str) -> str:
        """Return the qualifier by which a writer says this field in this segment.

        Raises ``NotFound`` when the profile has no such field there.
        """
        known = self._said.get((scope, tag, name))
        if known is None:
            known = self._said[scope, tag, name] = self._qualifier(scope, tag, name)
        return str(known)

    def _qualifier(self, scope: str, tag: str, name: str) -> str:
        found = [
            (target.rank, qualifier)
            for rule in self.rules(scope, tag)
            for qualifier, target in rule.targets.items()
            if target.field == name
        ]
        if not found:
            raise NotFound("field_unknown", "the profile cannot say it", field=name, segment=tag)
        return self.writes.get(name, min(found)[1])

    def rules(self, scope: str, tag: str) -> tuple[Rule, ...]:
        """Return the rules of a segment in a scope; none where it says nothing."""
        step = self.steps[scope].get(tag)
        return step.rules if step and step.scope == scope else ()

    def code_of(self, table: str, meaning: Any) -> str | None:
        """Return the first code of a table with this meaning, or None."""
        asked = (table, repr(meaning))
        if asked not in self._said:
            codes = self.codes[table].items()
            self._said[asked] = next((code for code, ours in codes if ours == meaning), None)
        return cast("str | None", self._said[asked])


@cache
def profiles() -> tuple[Profile, ...]:
    """Return every profile that is shipped, in the order of their files' names."""
    folder = files(__package__).joinpath("profiles")
    names = sorted(p.name for p in folder.iterdir() if p.name.startswith("cuscar_"))
    texts = [folder.joinpath(name).read_text(encoding="utf-8") for name in names]
    return tuple(parse(yaml.safe_load(text)) for text in texts)


@cache
def profile(code: str) -> Profile:
    """Return the profile of this code, such as ``D.95B``; raises ``NotFound``."""
    for found in profiles():
        if found.code == code:
            return found
    raise NotFound("version_unknown", "no CUSCAR profile of this code", profile=code)


@cache
def profile_for(version: str, release: str) -> Profile | None:
    """Return the profile that reads a message of this version and release (UNH, S009)."""
    if version != "D":
        return None
    return next((p for p in profiles() if release in p.versions), None)


def parse(data: Mapping[str, Any]) -> Profile:
    """Make a profile of the content of its file; raises ``Invalid`` where it contradicts itself."""
    codes = data["codes"]
    scopes: Mapping[str, Mapping[str, Any]] = data["scopes"]
    rules = {
        name: {
            tag: tuple(_rule(entry, codes) for entry in entries)
            for tag, entries in scope.get("rules", {}).items()
        }
        for name, scope in scopes.items()
    }
    version, release, agency = data["directory"]
    return Profile(
        code=data["code"],
        directory=(version, release, agency),
        versions=frozenset(data["versions"]),
        containers=frozenset(data["containers"]),
        number_is_master=data["level"]["number"] == "master",
        codes=codes,
        writes=data["writes"],
        widths=data["widths"],
        regimes=tuple(
            RegimeRule({k: v == "here" for k, v in r["when"].items()}, Regime(r["is"]))
            for r in data["regimes"]
        ),
        steps={name: _steps(name, scopes, rules) for name in scopes},
    )


def _steps(
    name: str,
    scopes: Mapping[str, Mapping[str, Any]],
    rules: Mapping[str, Mapping[str, tuple[Rule, ...]]],
) -> dict[str, Step]:
    """Every segment that a scope can meet, its own and those of the scopes it stands in."""
    steps: dict[str, Step] = {}
    at: str | None = name
    while at is not None:
        scope = scopes[at]
        for tag, child in scope.get("opens", {}).items():
            if child not in scopes:
                raise Invalid("profile", "a segment opens an unknown scope", tag=tag, scope=child)
            steps.setdefault(tag, Step(child, True, rules[child].get(tag, ())))
        for tag, own in rules[at].items():
            if not any(s.get("opens", {}).get(tag) == at for s in scopes.values()):
                steps.setdefault(tag, Step(at, False, own))
        for tag in scope.get("ignores", ()):
            steps.setdefault(tag, Step(at, False, ()))
        at = scope.get("parent")
    return steps


def _rule(entry: Mapping[str, Any], codes: Mapping[str, Any]) -> Rule:
    if entry["as"] not in get_args(Take):
        raise Invalid("profile", "unknown way to read a value", value=entry["as"])
    at = entry["at"]
    rank = entry.get("rank", 0)
    to = entry["to"]
    if isinstance(to, str):
        targets = {"": Target(to, rank, to in _MANY)}
    else:
        targets = {
            qualifier: Target(name, rank + order, name in _MANY)
            for name, qualifiers in to.items()
            for order, qualifier in enumerate(qualifiers)
        }
    return Rule(
        take=entry["as"],
        at=_path(at) if isinstance(at, str) else (0, 0),
        parts={name: _path(p) for name, p in at.items()} if not isinstance(at, str) else {},
        by=_path(entry["by"]) if "by" in entry else None,
        targets=targets,
        only=_conditions(entry.get("only", {})),
        unless=_conditions(entry.get("unless", {})),
        codes=_codes(entry.get("codes"), codes),
        strict=entry.get("strict", False),
    )


def _codes(names: str | list[str] | None, codes: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The table that a rule names, or the tables by their names where it names several."""
    if isinstance(names, list):
        return {name: codes[name] for name in names}
    return None if names is None else codes[names]


def _conditions(entry: Mapping[str, Any]) -> tuple[tuple[Path, frozenset[str]], ...]:
    return tuple((_path(path), frozenset(values)) for path, values in entry.items())


def _path(text: str) -> Path:
    element, _, component = text.partition(".")
    return int(element), int(component or 0)
