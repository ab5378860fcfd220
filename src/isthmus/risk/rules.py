"""Rules as data: who wrote what, on which ground, what it looks for, and examples that prove it.

A rule without a source, an owner, five languages or examples is not a rule: it is refused when it
is read, with the file, the rule, the place in it and the reason.
"""

import itertools
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import orjson
import yaml

from isthmus.kernel.canonical import canonical
from isthmus.kernel.errors import Invalid
from isthmus.reference.codelist import LOCALES, code_list
from isthmus.risk.conditions import Condition, Scope, parse
from isthmus.risk.lookouts import reads_them
from isthmus.risk.objectives import Objective
from isthmus.risk.schema import Kind

_E = TypeVar("_E", bound=StrEnum)


class RuleState(StrEnum):
    """Where a rule stands (code list ``rule_states``)."""

    DRAFT = "draft"
    SHADOW = "shadow"  # runs and is counted, changes nothing
    LIVE = "live"
    RETIRED = "retired"


class Effect(StrEnum):
    """What a live rule that fires does."""

    SCORE = "score"  # its weight enters the score
    MANDATE = "mandate"  # the unit must be picked, within the budget
    LANE = "lane"  # the unit goes to a lane when it is not picked


@dataclass(frozen=True, slots=True)
class Citation:
    """The ground of a rule. ``verified`` is false while its full text is not at hand."""

    text: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number that a rule compares with, and where it comes from."""

    value: float
    source: str


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One rule. ``weight`` is its share of 1 in a score made of rules; see ``assess``."""

    id: str
    version: int
    state: RuleState
    objective: Objective
    effect: Effect
    lane: str | None
    weight: float
    controls: tuple[str, ...]
    names: Mapping[str, str]
    explain: Mapping[str, str]
    parameters: tuple[str, ...]  # fields and thresholds that the explanation shows
    citation: Citation
    owner: str
    expires: date | None
    thresholds: Mapping[str, Threshold]
    when: Condition
    fires: tuple[Mapping[str, Any], ...]
    silent: tuple[Mapping[str, Any], ...]
    document: Mapping[str, Any]  # the rule as it was written

    @property
    def asked(self) -> bool:
        """Whether it speaks of what partners asked for; such a rule never mandates."""
        return reads_them(self.document["when"])


@dataclass(frozen=True, slots=True, eq=False)
class Ruleset:
    """Rules in the order of their ids, and the named lists they use."""

    rules: tuple[Rule, ...]
    lists: Mapping[str, tuple[str, ...]]

    def in_force(self, on: date) -> "Ruleset":
        """The rules that run on this day: live or in shadow, and not expired."""
        running = (RuleState.LIVE, RuleState.SHADOW)
        kept = tuple(
            rule
            for rule in self.rules
            if rule.state in running and (rule.expires is None or on <= rule.expires)
        )
        return Ruleset(kept, self.lists)

    def canonical(self) -> bytes:
        """The rules and lists as bytes, from which ``ruleset_from_bytes`` makes them again."""
        return canonical(
            {"rules": [dict(rule.document) for rule in self.rules], "lists": dict(self.lists)}
        )


_TEXTS = {"id", "state", "objective", "effect", "owner"}
_SPECS = frozenset({None, "", "arrival"})
_REQUIRED = _TEXTS | {"version", "weight", "names", "explain", "citation", "when", "examples"}
_OPTIONAL = {"lane", "controls", "expires", "thresholds"}


def read_rules(
    text: str,
    file: str,
    kinds: Mapping[str, Kind],
    lists: Mapping[str, Sequence[str]],
    *,
    trusted: bool = False,
) -> list[Rule]:
    """Read the rules of one YAML file: a list of mappings.

    ``trusted`` says that the text came with the product. Raises ``Invalid`` naming file, rule,
    path and reason.
    """
    loader = _QuickLoader if trusted else _PlainLoader
    try:
        documents = yaml.load(text, loader)  # noqa: S506 - safe loaders
    except (yaml.YAMLError, ValueError) as error:  # such as a number of thousands of digits
        raise Invalid("risk.rule_invalid", f"not YAML: {error}", file=file) from error
    if not isinstance(documents, list):
        raise Invalid("risk.rule_invalid", "a rule file holds a list of rules", file=file)
    return [read_rule(document, file, kinds, lists) for document in documents]


def read_stored(
    text: str, state: RuleState, kinds: Mapping[str, Kind], lists: Mapping[str, Sequence[str]]
) -> Rule:
    """Read a rule that this node keeps, in the state that it has by now."""
    document = yaml.load(text, _QuickLoader)  # noqa: S506 - a safe loader
    return read_rule(document | {"state": state.value}, "stored", kinds, lists)


def read_rule(
    document: Any, file: str, kinds: Mapping[str, Kind], lists: Mapping[str, Sequence[str]]
) -> Rule:
    """Read one rule from its plain form. Raises ``Invalid`` as ``read_rules`` does."""
    name = document.get("id") if isinstance(document, Mapping) else None
    try:
        return _rule(document, kinds, lists)
    except Invalid as error:
        place = {key: value for key, value in error.where.items() if key != "path"}
        path = error.where.get("path", "")
        raise Invalid(error.code, error.message, file=file, rule=name, path=path, **place) from None


def ruleset(rules: Iterable[Rule], lists: Mapping[str, Sequence[str]]) -> Ruleset:
    """Put rules together. Raises ``Invalid`` when an id stands twice."""
    ordered = sorted(rules, key=lambda rule: rule.id)
    for one, next_one in itertools.pairwise(ordered):
        if one.id == next_one.id:
            raise Invalid("risk.rule_invalid", "two rules have this id", rule=one.id)
    return Ruleset(
        tuple(ordered), MappingProxyType({name: tuple(lists[name]) for name in sorted(lists)})
    )


def ruleset_from_bytes(data: bytes, kinds: Mapping[str, Kind]) -> Ruleset:
    """Make the rule set again from its canonical bytes."""
    held = orjson.loads(data)
    rules = [read_rule(document, "stored", kinds, held["lists"]) for document in held["rules"]]
    return ruleset(rules, held["lists"])


def read_folder(folder: Path, kinds: Mapping[str, Kind]) -> Ruleset:
    """Read every ``*.yaml`` of a folder, with the named lists of its ``lists`` folder.

    A list is a text file of one value a line; ``#`` begins a remark.
    """
    lists = {path.stem: read_list(path) for path in sorted((folder / "lists").glob("*.txt"))}
    rules = []
    for path in sorted(folder.glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        rules += read_rules(text, path.name, kinds, lists, trusted=True)
    return ruleset(rules, lists)


def read_list(path: Path) -> tuple[str, ...]:
    """The values of a list file, in its order, remarks and empty lines left out."""
    lines = (line.partition("#")[0].strip() for line in path.read_text("utf-8").splitlines())
    return tuple(line for line in lines if line)


def shipped_folder() -> Path:
    """Where the rules that come with the product are."""
    return Path(__file__).parent / "rulesets"


class _PlainLoader(yaml.SafeLoader):
    """YAML in JSON terms: dates stay text, so a rule reads the same from YAML and from JSON."""


class _QuickLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The same, ten times as fast where PyYAML was built with libyaml.

    For rules that come with the product or were read once before: libyaml's reader recurses in C,
    so a text from outside is read by the plain one, which fails in an orderly way.
    """


_PlainLoader.yaml_implicit_resolvers = _QuickLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith("timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _rule(document: Any, kinds: Mapping[str, Kind], lists: Mapping[str, Sequence[str]]) -> Rule:
    if not isinstance(document, Mapping):
        raise Invalid("risk.rule_invalid", "a rule is a mapping", value=document)
    missing, strange = _REQUIRED - document.keys(), document.keys() - _REQUIRED - _OPTIONAL
    if missing or strange:
        words = f"lacks {sorted(missing)}" if missing else f"has unknown keys {sorted(strange)}"
        raise Invalid("risk.rule_invalid", f"the rule {words}", path="")
    for key in sorted(_TEXTS):
        _check(isinstance(document[key], str) and document[key], key, "needs a text", document)
    _check(str(document["id"]).isidentifier(), "id", "letters, digits and _ only", document)
    version, weight = document["version"], document["weight"]
    _check(type(version) is int and version >= 1, "version", "a whole number from 1", document)
    _check(type(weight) in (int, float) and 0 <= weight <= 1, "weight", "a number 0 to 1", document)
    effect = _member(Effect, document, "effect")
    wish = effect is Effect.MANDATE and reads_them(document["when"])
    _check(not wish, "effect", "what partners ask for mandates nothing", document)
    lane = document.get("lane")
    _check((lane is not None) == (effect is Effect.LANE), "lane", "goes with effect lane", document)
    # Red is what a mandate leads to, green is where no rule speaks.
    _check(lane in (None, "yellow", "blue"), "lane", "is yellow or blue", document)
    controls = document.get("controls") or []
    known = code_list("control_types")
    listed = isinstance(controls, list) and all(code in known for code in controls)
    _check(listed, "controls", "not control types of the code list", document)
    thresholds = _thresholds(document)
    scope = Scope(kinds, {name: limit.value for name, limit in thresholds.items()}, lists)
    explain = _five(document, "explain")
    return Rule(
        id=document["id"],
        version=version,
        state=_member(RuleState, document, "state"),
        objective=_member(Objective, document, "objective"),
        effect=effect,
        lane=lane,
        weight=float(weight),
        controls=tuple(controls),
        names=_five(document, "names"),
        explain=explain,
        parameters=_parameters(explain, scope),
        citation=_citation(document),
        owner=document["owner"],
        expires=_expiry(document),
        thresholds=thresholds,
        when=parse(document["when"], scope),
        **_examples(document, scope),
        document=document,
    )


def _check(good: object, path: str, reason: str, document: Mapping[str, Any]) -> None:
    if not good:
        raise Invalid("risk.rule_invalid", reason, path=path, value=document.get(path))


def _member(kind: type[_E], document: Mapping[str, Any], key: str) -> _E:
    try:
        return kind(document[key])
    except ValueError:
        words = f"one of {', '.join(kind)}"
        raise Invalid("risk.rule_invalid", words, path=key, value=document[key]) from None


def _five(document: Mapping[str, Any], key: str) -> Mapping[str, str]:
    texts = document[key]
    whole = isinstance(texts, Mapping) and set(texts) == set(LOCALES)
    good = whole and all(isinstance(text, str) and text.strip() for text in texts.values())
    _check(good, key, f"needs a text in each of {', '.join(LOCALES)}", document)
    return MappingProxyType({locale: texts[locale] for locale in LOCALES})


def _parameters(explain: Mapping[str, str], scope: Scope) -> tuple[str, ...]:
    """What an explanation shows, in all languages alike.

    A value is shown by a plain ``{name}``; hours before the arrival, negative after it, also by
    ``{name:arrival}``, which says in words on which side of the arrival they lie.
    """
    found = {}
    for locale, text in explain.items():
        try:
            parts = list(string.Formatter().parse(text))
        except ValueError as error:
            raise Invalid("risk.rule_invalid", str(error), path=f"explain.{locale}") from None
        if any(conversion or spec not in _SPECS for _, _, spec, conversion in parts):
            reason = "values are shown by a plain {name} or by {name:arrival}"
            raise Invalid("risk.rule_invalid", reason, path=f"explain.{locale}")
        found[locale] = {name for _, name, _, _ in parts if name is not None}
    names = found["en"]
    for locale, held in found.items():
        if held != names:
            reason = "shows other values than the English text"
            raise Invalid("risk.rule_invalid", reason, path=f"explain.{locale}", value=sorted(held))
    unknown = [n for n in names if scope.kind(n) is None and n not in scope.thresholds]
    if unknown:
        reason = "shows what is neither a field nor a threshold"
        raise Invalid("risk.rule_invalid", reason, path="explain", value=sorted(unknown))
    return tuple(sorted(names))


def _citation(document: Mapping[str, Any]) -> Citation:
    held = document["citation"]
    good = isinstance(held, Mapping) and set(held) == {"text", "verified"}
    _check(good and isinstance(held["verified"], bool), "citation", "text, verified", document)
    _check(isinstance(held["text"], str) and held["text"], "citation", "needs a text", document)
    return Citation(held["text"], held["verified"])


def _expiry(document: Mapping[str, Any]) -> date | None:
    held = document.get("expires")
    if held is None:
        return None
    try:
        return date.fromisoformat(held)
    except (TypeError, ValueError):
        raise Invalid("risk.rule_invalid", "not a date", path="expires", value=held) from None


def _thresholds(document: Mapping[str, Any]) -> Mapping[str, Threshold]:
    held = document.get("thresholds") or {}
    _check(isinstance(held, Mapping), "thresholds", "a mapping of names", document)
    read = {}
    for name, limit in held.items():
        good = isinstance(limit, Mapping) and set(limit) == {"value", "source"}
        good = good and type(limit["value"]) in (int, float) and isinstance(limit["source"], str)
        _check(good, "thresholds", f"{name} needs a numeric value and a source", document)
        read[name] = Threshold(limit["value"], limit["source"])
    return MappingProxyType(read)


def _examples(
    document: Mapping[str, Any], scope: Scope
) -> dict[str, tuple[Mapping[str, Any], ...]]:
    held = document["examples"]
    good = isinstance(held, Mapping) and set(held) == {"fires", "silent"}
    _check(good, "examples", "needs fires and silent", document)
    for word in ("fires", "silent"):
        rows = held[word]
        listed = isinstance(rows, list) and rows and all(isinstance(row, Mapping) for row in rows)
        _check(listed, "examples", f"{word} needs at least one row", document)
        unknown = {name for row in rows for name in row if scope.kind(name) is None}
        _check(not unknown, "examples", f"{word} names no field: {sorted(unknown)}", document)
    return {word: tuple(held[word]) for word in ("fires", "silent")}
