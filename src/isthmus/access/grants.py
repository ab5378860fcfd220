"""Handing on: nobody gives a role or a token beyond the places where they may give any."""

from isthmus.access.model import Actor, Permission, Reach
from isthmus.kernel.errors import Denied
from isthmus.platform.transaction import Transaction


def check_within(
    tx: Transaction,
    actor: Actor,
    permission: Permission,
    agency: str,
    *,
    offices: frozenset[str] | None,
    terminals: frozenset[str] | None,
) -> None:
    """Pass when one standing reach of a person covers all these places of this agency.

    Whoever may administer agencies reaches every agency. Raises ``Denied``.
    """
    for reach in actor.reaches:
        if (
            permission in actor.allowed(reach)
            and reach.stands(tx.now)
            and (reach.agency == agency or Permission.ADMIN_AGENCIES in reach.permissions)
            and _within(reach, offices, terminals)
        ):
            return
    raise Denied(
        "permission_missing",
        "this act is not allowed to you for these places",
        permission=permission.value,
        object=agency,
        actor=actor.id,
        agency=actor.agency,
    )


def _within(reach: Reach, offices: frozenset[str] | None, terminals: frozenset[str] | None) -> bool:
    return (reach.offices is None or (offices is not None and offices <= reach.offices)) and (
        reach.terminals is None or (terminals is not None and terminals <= reach.terminals)
    )
