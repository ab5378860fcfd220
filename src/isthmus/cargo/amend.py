"""What an amendment does to the declaration it names."""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar

from isthmus.cargo.model import Container, Declaration, Function, GoodsItem, Party

T = TypeVar("T")
# These say which record it is and which message this was; an amendment never moves them.
_IDENTITY = {"reference", "local_reference", "function", "parent_reference"}
_LISTS = {"parties", "goods", "containers", "bills", "extra", "amended_fields"}


def amended(parent: Declaration, change: Declaration) -> Declaration:
    """Return the parent as the amendment leaves it.

    A value the amendment gives takes the place of the parent's; what it does not mention stands.
    Goods lines are matched by their number, parties by their role, containers by theirs. Pointers
    are kept beside, so that a reader sees what the declarant says was changed.
    """
    given: dict[str, Any] = {}
    for field in fields(Declaration):
        value = getattr(change, field.name)
        if field.name in _IDENTITY | _LISTS or value in (None, (), field.default):
            continue
        given[field.name] = value
    return replace(
        parent,
        **given,
        function=change.function,
        parent_reference=change.parent_reference,
        amended_fields=change.amended_fields,
        bills=change.bills or parent.bills,
        extra=tuple({**dict(parent.extra), **dict(change.extra)}.items()),
        parties=_merge(parent.parties, change.parties, _role, _take),
        goods=_merge(parent.goods, change.goods, _number, _fill),
        containers=_merge(parent.containers, change.containers, _box, _fill),
    )


def cancelled(parent: Declaration, change: Declaration) -> Declaration:
    """Return the parent as cancelled, with the reason given."""
    return replace(
        parent,
        function=Function.CANCEL,
        parent_reference=change.parent_reference,
        reason=change.reason,
        amended_fields=change.amended_fields,
    )


def _role(party: Party) -> Any:
    return party.role


def _number(line: GoodsItem) -> Any:
    return line.number


def _box(box: Container) -> Any:
    return box.number


def _take(_old: T, new: T) -> T:
    return new


def _fill(old: Any, new: Any) -> Any:
    given = {
        field.name: value
        for field in fields(new)
        if (value := getattr(new, field.name)) not in (None, ())
    }
    return replace(old, **given)


def _merge(
    old: Sequence[T], new: Sequence[T], key: Callable[[T], Any], join: Callable[[T, T], T]
) -> tuple[T, ...]:
    merged = {key(entry): entry for entry in old}
    for entry in new:
        known = merged.get(key(entry))
        merged[key(entry)] = join(known, entry) if known is not None else entry
    return tuple(merged.values())
