"""The overlay: what a node forbids itself, whatever any clause permits; the shipped rules as data.

``overlay.yaml`` holds the rules that a node starts with. Its people may change them (two persons,
no partner); those marked ``fixed`` guard the originator's marks and hold on every node always.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from isthmus.access.model import Purpose
from isthmus.agreements.model import Mode, Prohibition
from isthmus.intelligence.model import Handling, ItemKind
from isthmus.kernel.errors import Invalid
from isthmus.reference.codelist import code_list

_SETS: Mapping[str, Any] = {
    "recipients": str,
    "kinds": ItemKind,
    "fields": str,
    "purposes": Purpose,
    "modes": Mode,
    "subjects": str,
    "handling": Handling,
    "uses": str,
    "unless": str,
}


@cache
def shipped() -> tuple[Prohibition, ...]:
    """Return the rules that a new node starts with, without the fixed ones."""
    return tuple(rule for rule in _file() if not rule.fixed)


@cache
def fixed() -> tuple[Prohibition, ...]:
    """Return the rules that hold on every node and cannot be taken out."""
    return tuple(rule for rule in _file() if rule.fixed)


@cache
def _file() -> tuple[Prohibition, ...]:
    text = files(__package__).joinpath("overlay.yaml").read_text(encoding="utf-8")
    return read_rules(yaml.safe_load(text), "overlay.yaml")


def read_rules(documents: Any, file: str) -> tuple[Prohibition, ...]:
    """Read rules from their plain form. Raises ``Invalid`` naming file, rule and reason."""
    if not isinstance(documents, list):
        raise Invalid("overlay.invalid", "an overlay is a list of rules", file=file)
    rules = tuple(read_rule(one, file) for one in documents)
    if len({rule.id for rule in rules}) != len(rules):
        raise Invalid("overlay.invalid", "two rules have one id", file=file)
    return rules


def read_rule(document: Any, file: str) -> Prohibition:
    """Read one rule from its plain form. Raises ``Invalid`` as ``read_rules`` does."""
    if not isinstance(document, Mapping) or not isinstance(document.get("id"), str):
        raise Invalid("overlay.invalid", "a rule needs an id", file=file)
    where = {"file": file, "rule": document["id"]}
    strange = set(document) - {*_SETS, "id", "ground", "onward", "fixed"}
    if strange:
        raise Invalid("overlay.invalid", "not a part of a rule", **where, parts=sorted(strange))
    ground = document.get("ground")
    if ground not in code_list("refusal_grounds"):
        raise Invalid("overlay.invalid", "no ground of refusal", **where, ground=ground)
    sets = {name: _codes(document.get(name, []), name, where) for name in _SETS}
    return Prohibition(
        id=document["id"],
        ground=str(ground),
        onward=document.get("onward") is True,
        fixed=document.get("fixed") is True,
        **sets,
    )


def _codes(held: Any, name: str, where: Mapping[str, str]) -> frozenset[Any]:
    if not isinstance(held, Iterable) or isinstance(held, str | Mapping):
        raise Invalid("overlay.invalid", "needs a list", **where, part=name)
    try:
        codes = frozenset(_SETS[name](one) for one in held)
    except ValueError as error:
        raise Invalid("overlay.invalid", str(error), **where, part=name) from None
    unknown = codes - set(code_list("data_subject_categories").codes())
    if name == "subjects" and unknown:
        raise Invalid("overlay.invalid", "no such category", **where, unknown=sorted(unknown))
    return codes


def plain(rule: Prohibition) -> dict[str, Any]:
    """Return a rule in its plain form: what ``read_rule`` reads, empty parts left out."""
    document: dict[str, Any] = {"id": rule.id, "ground": rule.ground}
    document |= {name: sorted(getattr(rule, name)) for name in _SETS if getattr(rule, name)}
    document |= {name: True for name in ("onward", "fixed") if getattr(rule, name)}
    return document
