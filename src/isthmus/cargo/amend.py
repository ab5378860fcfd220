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
    are kept beside, so that a reader sees what the declarant says was changed. What was cancelled
    stays cancelled, whichever of the two messages came first.
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
        function=parent.function if parent.function is Function.CANCEL else change.function,
        parent_reference=change.parent_reference,
        amended_fields=change.amended_fields,
        bills=change.bills or parent.bills,
        extra=tuple({**dict(parent.extra), **dict(change.extra)}.items()),
        parties=_parties(parent.parties, change.parties),
        goods=_merge(parent.goods, change.goods, _number),
        containers=_merge(parent.containers, change.containers, _box),
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


def filled(old: T, new: T) -> T:
    """Return the old with every value that the new gives; what it leaves out stands."""
    given = {
        field.name: value
        for field in fields(new)  # type: ignore[arg-type]  # every record is a dataclass
        if (value := getattr(new, field.name)) not in (None, ())
    }
    return replace(old, **given)  # type: ignore[type-var]


def _number(line: GoodsItem) -> Any:
    return line.number


def _box(box: Container) -> Any:
    return box.number


def _parties(old: Sequence[Party], new: Sequence[Party]) -> tuple[Party, ...]:
    """All parties of a role that the amendment names take the place of those before."""
    roles = {party.role for party in new}
    return (*(party for party in old if party.role not in roles), *new)


def _merge(old: Sequence[T], new: Sequence[T], key: Callable[[T], Any]) -> tuple[T, ...]:
    given = {key(entry): entry for entry in new}
    known = {key(entry) for entry in old}
    stand = (filled(entry, given[key(entry)]) if key(entry) in given else entry for entry in old)
    return (*stand, *(entry for entry in given.values() if key(entry) not in known))
