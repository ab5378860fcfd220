"""Read an agreement from its file; what is wrong is said with file, place and reason.

The form is YAML for people (``schemas/agreement.json`` and docs/protocol/agreements.md describe
it). The hash is over the canonical form of the content: the order of keys, the order of a list of
codes, and empty parts left out or written mean the same.
"""

import json
import re
from collections.abc import Hashable, Mapping
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from yaml.nodes import MappingNode

from isthmus.access.model import Purpose
from isthmus.agreements import checking
from isthmus.agreements.agreement import Agreement, Example, Party, Place
from isthmus.agreements.clocks import EUROPEAN_POLICE
from isthmus.agreements.model import (
    Asked,
    Clause,
    Commitment,
    Duties,
    Instrument,
    Mode,
    Onward,
    Permit,
    ReplyClock,
    TransferBasis,
)
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
from isthmus.kernel.canonical import digest
from isthmus.kernel.errors import Invalid

MOST = 1024 * 1024  # bytes of an agreement file; the largest shipped has a twentieth of it


class _Loader(yaml.SafeLoader):
    """YAML in JSON terms: dates stay text, and a key that stands twice is refused."""

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Make a mapping; a second meaning of one key must not win in silence."""
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"{key.value!r} stands twice", problem_mark=key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)

    def compose_node(self, parent: Any, index: int) -> Any:
        """Refuse aliases: a text that a lawyer reads says everything where it says it."""
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="aliases are not allowed", problem_mark=mark)
        return super().compose_node(parent, index)


class _QuickLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The same terms, some times as fast, for texts that the careful one has read before."""


_Loader.yaml_implicit_resolvers = {
    first: [rule for rule in resolvers if not rule[0].endswith(("timestamp", "bool"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
# Only these two words are truth values: NO is Norway.
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), list("tf"))
_QuickLoader.yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers


@cache
def schema() -> dict[str, Any]:
    """Return the published JSON Schema of an agreement file."""
    text = files(__package__).joinpath("schemas", "agreement.json").read_text(encoding="utf-8")
    held: dict[str, Any] = json.loads(text)
    return held


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(schema())


def read_file(path: Path) -> Agreement:
    """Read an agreement file. Raises ``Invalid`` with file, place and reason."""
    if not path.is_file():
        raise Invalid("agreement.invalid", "no such file", file=path.name)
    return read(path.read_text(encoding="utf-8", errors="replace"), path.name)


def read(text: str, file: str) -> Agreement:
    """Read an agreement from its text. Raises ``Invalid`` with file, place and reason."""
    if len(text) > MOST:
        raise Invalid("agreement.invalid", f"longer than {MOST} characters", file=file)
    try:
        document = yaml.load(text, _Loader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 0
        reason = f"not YAML: {getattr(error, 'problem', None) or type(error).__name__}"
        raise Invalid("agreement.invalid", reason, file=file, line=line) from None
    wrong = best_match(_validator().iter_errors(document))
    if wrong is not None:
        path = ".".join(str(step) for step in wrong.absolute_path)
        raise Invalid("agreement.invalid", wrong.message[:300], file=file, path=path)
    try:
        agreement = _agreement(document)
        checking.check(agreement)
    except Invalid as error:
        raise Invalid(error.code, error.message, file=file, **error.where) from None
    return agreement


@lru_cache(maxsize=256)
def read_kept(text: str) -> Agreement:
    """Read an agreement that this node keeps; it was read and checked when it came in."""
    return _agreement(yaml.load(text, _QuickLoader))  # noqa: S506 - a safe loader


def hash_of(document: Mapping[str, Any]) -> str:
    """Return the hex SHA-256 of the canonical form of an agreement's plain form."""
    return digest(_normal(document)).hex()


def _normal(value: Any) -> Any:
    """Drop empty parts, and sort lists of codes."""
    if isinstance(value, Mapping):
        made = {key: _normal(held) for key, held in value.items()}
        return {key: held for key, held in made.items() if held not in (None, [], {}, "")}
    if isinstance(value, list):
        rows = [_normal(one) for one in value]
        return sorted(rows) if all(isinstance(one, str) for one in rows) else rows
    return value


# -- from plain to records ----------------------------------------------------------------


def _agreement(document: Mapping[str, Any]) -> Agreement:
    chain = document.get("chain") or {"role": "base"}
    clauses = tuple(_clause(one) for one in document["clauses"])
    held = {one.id: one for one in clauses}
    return Agreement(
        id=document["agreement"],
        version=document["version"],
        title=document["title"],
        instrument=Instrument(document["instrument"]),
        binding=document["binding"],
        public=document["public"],
        fictional=document.get("fictional", False),
        signed=_day(document.get("signed"), "signed"),
        place=Place(chain["role"], chain.get("under")),
        themes=tuple(document["themes"]),
        parties=tuple(_party(one) for one in document["parties"]),
        authentic=tuple(document.get("authentic", ())),
        source=document["source"],
        clauses=clauses,
        texts={one["id"]: one["text"] for one in document["clauses"]},
        examples={
            one["id"]: tuple(_example(e, held[one["id"]]) for e in one.get("examples", ()))
            for one in document["clauses"]
        },
        hash=hash_of(document),
    )


def _party(document: Mapping[str, Any]) -> Party:
    return Party(
        document["state"],
        document.get("node"),
        tuple(document["bodies"]),
        document["standing"],
        _day(document.get("since"), "parties.since"),
    )


def _clause(document: Mapping[str, Any]) -> Clause:
    permits, commits = document.get("permits"), document.get("commits")
    clocks = document.get("clocks", [])
    return Clause(
        document["id"],
        _moment(document.get("since"), f"{document['id']}.since"),
        _moment(document.get("until"), f"{document['id']}.until"),
        _permit(permits) if permits else None,
        _commitment(commits, document["id"]) if commits else None,
        EUROPEAN_POLICE if isinstance(clocks, str) else tuple(_clock(one) for one in clocks),
    )


def _permit(document: Mapping[str, Any]) -> Permit:
    basis = document.get("basis")
    return Permit(
        senders=frozenset(document["from"]),
        recipients=frozenset(document["to"]),
        kinds=frozenset(ItemKind(one) for one in document["kinds"]),
        fields=frozenset(document["fields"]),
        purposes=frozenset(Purpose(one) for one in document["purposes"]),
        modes=frozenset(Mode(one) for one in document["modes"]),
        subjects=frozenset(document.get("subjects", ())),
        basis=TransferBasis(basis) if basis else None,
        conditions=tuple(sorted(document.get("conditions", ()))),
        least_source=document.get("least_source"),
        most_secret=Classification(document.get("most_secret", "restricted")),
        duties=_duties(document.get("duties", {})),
    )


def _duties(document: Mapping[str, Any]) -> Duties:
    keep, feedback = document.get("keep_days"), document.get("feedback_days")
    return Duties(
        frozenset(Handling(one) for one in document.get("handling", ())),
        Onward(frozenset(document.get("onward", ())), document.get("consent", True)),
        timedelta(days=keep) if keep else None,
        timedelta(days=feedback) if feedback else None,
        document.get("separate_issue", False),
    )


def _commitment(document: Mapping[str, Any], clause: str) -> Commitment:
    return Commitment(
        document["owners"],
        document["horizon"],
        _day(document.get("due"), f"{clause}.commits.due"),
        tuple(document.get("proved_by", ())),
    )


def _clock(document: Mapping[str, Any]) -> ReplyClock:
    return ReplyClock(document["urgency"], document["held"], timedelta(hours=document["hours"]))


def _example(document: Mapping[str, Any], clause: Clause) -> Example:
    place = f"{clause.id}.examples"
    at = _moment(document.get("at"), place) or clause.since
    if at is None:
        raise Invalid("agreement.invalid", "an example needs a moment (at)", path=place)
    item = _item(document["item"], document["from"], at)
    return Example(
        allow="allow" in document,
        title=document.get("allow") or document["refuse"],
        item=item,
        asked=Asked(
            document["from"],
            document["to"],
            Purpose(document["purpose"]),
            Mode(document["mode"]),
            frozenset(document.get("conditions", ())),
            frozenset(document.get("uses", ())),
        ),
        at=at,
        paths=tuple(document.get("paths") or item.paths()),
        because=document.get("because"),
    )


def _item(document: Mapping[str, Any], sender: str, at: datetime) -> Item:
    originator = document.get("originator", sender)
    scale, _, grade = document.get("graded", "").partition(" ")
    marking = Marking(
        Evaluation(Scale(scale), grade[0], grade[1]) if grade else None,
        frozenset(Handling(one) for one in document.get("handling", ())),
        Classification(document.get("classification", "none")),
        Tlp.AMBER,
    )
    kind = ItemKind(document["kind"])
    return Item(f"{originator}:example", kind, 1, originator, at, marking, document["body"])


def _moment(text: str | None, path: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid("agreement.invalid", "no such moment", path=path, value=text) from None


def _day(text: str | None, path: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid("agreement.invalid", "no such day", path=path, value=text) from None
