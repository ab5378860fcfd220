"""What an agreement must be beyond its form, lest it give authority that nobody agreed to."""

from typing import NoReturn

from isthmus.agreements.agreement import NEVER_BINDING, Agreement
from isthmus.agreements.clocks import EUROPEAN_POLICE, MEMBER_STATES
from isthmus.agreements.model import Clause, Permit
from isthmus.kernel.errors import Invalid


def check(agreement: Agreement) -> None:
    """Pass an agreement that may be entered; raise ``Invalid`` with place and reason otherwise."""
    if agreement.binding and agreement.instrument in NEVER_BINDING:
        _refuse("binding", "a joint declaration does not bind: it commits, it permits nothing")
    if agreement.permits and not agreement.binding:
        _refuse("clauses", "only a binding instrument carries permits")
    if agreement.clauses and not agreement.public:
        _refuse("clauses", "a text that is not public gives no authority: enter it without clauses")
    if agreement.place.role != "base" and not agreement.place.under:
        _refuse("chain", "a supplement or an amendment names what it stands under")
    _check_parties(agreement)
    numbers = [clause.id for clause in agreement.clauses]
    for clause in agreement.clauses:
        if numbers.count(clause.id) > 1:
            _refuse(clause.id, "two clauses have this number")
        _check_clause(agreement, clause)


def _check_parties(agreement: Agreement) -> None:
    states = [party.state for party in agreement.parties]
    nodes = [party.node for party in agreement.parties if party.node]
    if len(set(nodes)) != len(nodes):
        _refuse("parties", "two parties have one node")
    if len(set(zip(states, agreement.parties, strict=True))) != len(states):
        _refuse("parties", "a party stands twice")


def _check_clause(agreement: Agreement, clause: Clause) -> None:
    if clause.since and clause.until and clause.until <= clause.since:
        _refuse(f"{clause.id}.until", "it ends before it begins")
    if not (clause.permit or clause.commitment or clause.clocks):
        _refuse(clause.id, "a clause permits, commits or sets a clock")
    states = {party.state for party in agreement.parties}
    if clause.clocks == EUROPEAN_POLICE and not states <= MEMBER_STATES:
        _refuse(f"{clause.id}.clocks", "the European police clocks bind member states alone")
    if clause.commitment and not set(clause.commitment.owners) <= states:
        _refuse(f"{clause.id}.commits.owners", "an owner is no party")
    if clause.permit:
        _check_permit(agreement, clause.id, clause.permit)


def _check_permit(agreement: Agreement, clause: str, permit: Permit) -> None:
    strangers = (permit.senders | permit.recipients) - agreement.nodes
    if strangers:
        _refuse(f"{clause}.permits", f"no party has the node {', '.join(sorted(strangers))}")
    if permit.subjects and permit.basis is None:
        _refuse(f"{clause}.permits.basis", "personal data need a transfer basis on record")
    examples = agreement.examples[clause]
    if not any(one.allow for one in examples) or all(one.allow for one in examples):
        _refuse(f"{clause}.examples", "needs one that must be allowed and one that must be refused")
    for example in examples:
        unknown = set(example.paths) - example.item.paths().keys()
        if unknown:
            _refuse(f"{clause}.examples", f"{example.title}: the body has no {sorted(unknown)}")


def _refuse(path: str, reason: str) -> NoReturn:
    raise Invalid("agreement.invalid", reason, path=path)
